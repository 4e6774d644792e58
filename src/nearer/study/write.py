"""A plan folder, whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from nearer.errors import OutputError, UsageError
from nearer.planning.files import write_plan_json
from nearer.planning.plan import Plan
from nearer.report import write_gpkg, write_report, write_sites_csv
from nearer.study.limits import Run
from nearer.study.load import STUDY_FILE

PLAN_FILES = ("sites.csv", "plan.gpkg", "report.html", "proof.npz", "run.json", "plan.json")
"""Every file a plan folder may hold; anything else in it is the user's and stays."""


def check_out(out: Path) -> None:
    """
    Make sure that a plan may be written to a folder, before anything is computed.

    Raises
    ------
    UsageError
        It is a file, a study folder, or holds files of ours that belong to no plan.
    """
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out} is a file: give --out a folder.")
    if (out / STUDY_FILE).exists():
        raise UsageError(f"{out} is a study folder: give --out a folder of its own, such as {out / 'plan'}.")
    if not (out / "plan.json").exists():
        for name in PLAN_FILES:
            if (out / name).exists():
                raise UsageError(
                    f"{out / name} is not part of a plan and would be overwritten: give --out another folder."
                )


def write_plan(plan: Plan, out: Path, run: Run) -> Path:
    """
    Write all files of a plan, then put them in place of an earlier plan's; other files in the folder stay.

    The seconds of writing go into ``run``, and with it into ``run.json``, which is why that comes last.

    Raises
    ------
    OutputError
        The disk is full or the folder cannot be written; an earlier plan is left as it was.
    """
    is_new, fresh = not out.exists(), out
    try:
        out.mkdir(parents=True, exist_ok=True)
        # Inside the folder, so that putting in place never crosses from one disk to another.
        with tempfile.TemporaryDirectory(prefix=".new-", dir=out, ignore_cleanup_errors=True) as name:
            fresh = Path(name)
            with run.timed("write"):
                write_sites_csv(plan, fresh / "sites.csv")
                write_gpkg(plan, fresh / "plan.gpkg")
                write_report(plan, fresh / "report.html")
            write_plan_json(plan, fresh)
            _put_in_place(fresh, out)
    except OSError as error:
        raise _not_written(out, error.strerror or str(error), is_new) from error
    except OutputError as error:
        reason = error.reason.replace(f"{fresh}{os.sep}", "").rstrip(".")
        raise _not_written(out, reason, is_new) from error
    finally:
        if is_new and out.is_dir() and not any(out.iterdir()):
            out.rmdir()
    return out


def _not_written(out: Path, reason: str, is_new: bool) -> OutputError:
    kept = "nothing is left behind" if is_new else "what was there stands as it was"
    try:
        room = f" ({shutil.disk_usage(out).free / 1e6:,.1f} MB are free there)"
    except OSError:
        room = ""
    return OutputError(f"The plan in {out}{room}", f"{reason}; {kept}")


def _put_in_place(fresh: Path, out: Path) -> None:
    aside = fresh / "earlier"
    aside.mkdir()
    done: list[tuple[Path, Path]] = []
    try:
        for name in PLAN_FILES:
            for source, target in ((out / name, aside / name), (fresh / name, out / name)):
                if source.exists():
                    source.replace(target)
                    done.append((source, target))
    except OSError:  # a file open in another program, on systems that lock those
        for source, target in reversed(done):
            target.replace(source)
        raise
