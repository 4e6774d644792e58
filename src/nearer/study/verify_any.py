"""Which independent check a folder of results wants."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from nearer.progress import Progress, Silent
from nearer.study.checks import Verdict

_KINDS = {
    "plan.json": ("plan", "nearer.study.verify", "verify_plan"),
    "sensitivity.json": ("answer", "nearer.study.verify_sensitivity", "verify_sensitivity"),
    "stress.json": ("answer", "nearer.study.verify_stress", "verify_stress"),
    "compare.json": ("comparison", "nearer.study.verify_compare", "verify_compare"),
    "curve.json": ("curve", "nearer.study.verify_curve", "verify_curve"),
    "agencies.json": ("comparison of agencies", "nearer.study.verify_agencies", "verify_agencies"),
    "frontier.json": ("frontier", "nearer.study.verify_frontier", "verify_frontier"),
    "gaps.json": ("list of gaps", "nearer.study.verify_gaps", "verify_gaps"),
}
WHAT = {file: what for file, (what, _, _) in _KINDS.items()}
"""What each file that names a folder's kind holds, in a word."""


def kind_of(path: Path) -> str | None:
    """The file that says what a folder holds, a plan's where there is none; None for a file that is none of them."""
    if path.is_file():
        return path.name if path.name in _KINDS else None
    return next((name for name in _KINDS if (path / name).is_file()), "plan.json")


def verify_any(path: Path, study_folder: Path | None = None, progress: Progress | None = None) -> Verdict:
    """
    Check whatever a folder holds.

    Raises
    ------
    InputError
        There is nothing of ours, an input is missing, or one has changed since.
    """
    what, module, name = _KINDS[kind_of(path) or "plan.json"]
    check: Callable[..., Verdict] = getattr(import_module(module), name)
    if what == "plan":
        return check(path, study_folder, progress)
    with (progress or Silent()).step(f"Checking the {what}"):
        return check(path, study_folder)
