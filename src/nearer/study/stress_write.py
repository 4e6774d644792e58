"""A stress folder, whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path

from nearer.errors import UsageError
from nearer.files import check_writable, written_whole
from nearer.planning.stress_files import STRESS_FILE
from nearer.planning.stress_result import Stress
from nearer.report.stress import write_stress_gpkg, write_stress_report
from nearer.study.limits import Run
from nearer.study.write import write_folder

PROOFS = ("open", "reopen", "worst", "harden", "harden-worst", "stock-expected", "stock-worst")
SENDINGS = ("sent", "reopen-sent", "open-sent", "worst-sent")
STRESS_FILES = (
    "stress.html",
    "stress.gpkg",
    *(f"{name}-proof.npz" for name in PROOFS),
    *(f"{name}{kind}-proof.npz" for name in SENDINGS for kind in ("", "-people")),
    "run.json",
    STRESS_FILE,
)
"""Every file a stress folder may hold; anything else in it is the user's and stays."""


def check_stress_out(out: Path) -> None:
    """
    Make sure that an answer may be written to a folder, before anything is computed.

    Raises
    ------
    UsageError
        It is a file, or holds files that belong to no stress folder.
    OutputError
        Nothing can be written there.
    """
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out} is a file: give --out a folder.")
    for name in ("plan.json", "nearer.toml"):
        if (out / name).exists():
            raise UsageError(f"{out} holds {name}: give --out a folder of its own, such as {out / 'stress'}.")
    if not (out / STRESS_FILE).exists():
        for name in STRESS_FILES:
            if (out / name).exists():
                raise UsageError(f"{out / name} is not part of an answer and would be overwritten: give --out another.")
    check_writable(out)


def write_stress(made: Stress, out: Path, run: Run) -> Path:
    """
    Write all files of an answer, then put them in place of an earlier one's.

    Raises
    ------
    OutputError
        The disk is full or the folder cannot be written.
    """
    check_stress_out(out)

    def fill(fresh: Path) -> None:
        with run.timed("write"):
            write_stress_gpkg(made, fresh / "stress.gpkg")
            write_stress_report(made, fresh / "stress.html")
            for kind, proof in made.certificates.items():
                proof.save(fresh / f"{kind}-proof.npz")
        _write_text(fresh / "run.json", json.dumps(made.run, indent=1, ensure_ascii=False, default=str))
        _write_text(fresh / STRESS_FILE, made.document.model_dump_json(by_alias=True, indent=1))

    return write_folder(out, STRESS_FILES, fill, "The answer")


def _write_text(path: Path, text: str) -> None:
    with written_whole(path) as beside:
        beside.write_text(text + "\n", encoding="utf-8", newline="\n")
