"""A folder of results (a plan, gaps), whole or not at all."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from nearer.errors import OutputError, UsageError
from nearer.files import check_writable, clear_left, new_folder
from nearer.language import LANGUAGES
from nearer.memory import peak_bytes
from nearer.planning.files import write_plan_json
from nearer.planning.plan import Plan
from nearer.report import write_gpkg, write_report, write_sites_csv
from nearer.study.estimate import MB
from nearer.study.limits import Run
from nearer.study.load import STUDY_FILE
from nearer.study.reread import report_name

PLAN_FILES = ("sites.csv", "plan.gpkg", "report.html", "proof.npz", "assignment.npz", "run.json", "plan.json")
"""Every file that a plan is written as; anything else in its folder but ``REPORTS`` is the user's and stays."""

REPORTS = tuple(report_name(code) for code in LANGUAGES)
"""Reports of a plan in further languages, which go when another plan takes its place."""


TURN_S = 10.0
"""Putting files in place takes milliseconds: whoever takes longer was killed, and is not waited for."""


def check_out(out: Path, files: Sequence[str] = PLAN_FILES, what: str = "a plan") -> None:
    """
    Make sure that results may be written to a folder, before anything is computed.

    Parameters
    ----------
    out
        The folder.
    files
        Names of the files that would be written, the one that tells ours from others last.
    what
        What they are.

    Raises
    ------
    UsageError
        It is a file, a study folder, or holds files of these names that are not ours.
    OutputError
        Nothing can be written there.
    """
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out} is a file: give --out a folder.")
    if (out / STUDY_FILE).exists():
        raise UsageError(f"{out} is a study folder: give --out a folder of its own, such as {out / what.split()[-1]}.")
    if not (out / files[-1]).exists():
        for name in files:
            if (out / name).exists():
                raise UsageError(
                    f"{out / name} is not part of {what} and would be overwritten: give --out another folder."
                )
    check_writable(out)


def write_plan(plan: Plan, out: Path, run: Run) -> Path:
    """
    Write all files of a plan, then put them in place of an earlier plan's; other files in the folder stay.

    The seconds of writing go into ``run``, and with it into ``run.json``, which is why that comes last.

    Raises
    ------
    OutputError
        The disk is full or the folder cannot be written; an earlier plan is left as it was.
    """

    def fill(fresh: Path) -> None:
        with run.timed("write"):
            write_sites_csv(plan, fresh / "sites.csv")
            write_gpkg(plan, fresh / "plan.gpkg")
            write_report(plan, fresh / "report.html")
        held = peak_bytes()
        if run.foreseen and held is not None:
            run.foreseen["held_mb"] = round(held / MB)
        write_plan_json(plan, fresh)

    return write_folder(out, (*REPORTS, *PLAN_FILES), fill, "The plan")


def write_folder(out: Path, files: Sequence[str], fill: Callable[[Path], None], what: str) -> Path:
    """
    Let ``fill`` write files into a fresh folder, then put them in place of earlier ones; other files stay.

    Parameters
    ----------
    out
        Where they go.
    files
        Their names; each may be missing.
    fill
        Writes them into the folder it is given.
    what
        What they are together, for messages: "The plan".

    Raises
    ------
    OutputError
        The disk is full or the folder cannot be written; what was there is left as it was.
    """
    is_new, fresh = not out.exists(), out
    try:
        out.mkdir(parents=True, exist_ok=True)
        # Inside the folder, so that putting in place never crosses from one disk to another.
        with new_folder(out) as fresh:
            fill(fresh)
            with _in_turn(out):
                _put_in_place(fresh, out, files)
        clear_left(out)  # not before: a run killed while it put files in place left those of the plan before in there
    except OSError as error:
        raise _not_written(out, error.strerror or str(error), is_new, what) from error
    except OutputError as error:
        reason = error.reason.replace(f"{fresh}{os.sep}", "").rstrip(".")
        raise _not_written(out, reason, is_new, what) from error
    finally:
        if is_new and out.is_dir() and not any(out.iterdir()):
            out.rmdir()
    return out


def _not_written(out: Path, reason: str, is_new: bool, what: str) -> OutputError:
    kept = "nothing is left behind" if is_new else "what was there stands as it was"
    try:
        room = f" ({shutil.disk_usage(out).free / 1e6:,.1f} MB are free there)"
    except OSError:
        room = ""
    return OutputError(f"{what} in {out}{room}", f"{reason}; {kept}")


@contextmanager
def _in_turn(out: Path) -> Iterator[None]:
    """Wait while another run puts its files into the same folder, so that they do not mix."""
    turn, until_s = out / ".turn", time.monotonic() + TURN_S
    while time.monotonic() < until_s:
        try:
            turn.mkdir()
            break
        except FileExistsError:
            time.sleep(0.02)
    try:
        yield
    finally:
        with suppress(OSError):
            turn.rmdir()


def _put_in_place(fresh: Path, out: Path, files: Sequence[str]) -> None:
    aside = fresh / "earlier"
    aside.mkdir()
    done: list[tuple[Path, Path]] = []
    try:
        for name in files:
            for source, target in ((out / name, aside / name), (fresh / name, out / name)):
                if source.exists():
                    source.replace(target)
                    done.append((source, target))
    except OSError:  # a file open in another program, on systems that lock those
        for source, target in reversed(done):
            target.replace(source)
        raise
