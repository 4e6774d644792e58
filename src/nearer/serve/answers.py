"""Answers to further questions that a study holds: their files, and whether the settings have changed since."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from nearer.study.load import STUDY_FILE

ANSWERS: dict[str, tuple[str, ...]] = {
    "gaps": ("gaps.html", "gaps.json", "gaps.csv", "gaps.gpkg"),
    "curve": ("curve.html", "curve.json", "curve.csv"),
    "frontier": ("frontier.html", "frontier.json"),
    "sensitivity": ("sensitivity.html", "sensitivity.json", "sites.csv"),
    "agencies": ("agencies.html", "agencies.json", "agencies.csv"),
}
"""Folder in the study, named as the command is, and the files in it that are shown or handed out."""


def answers_told(folder: Path) -> dict[str, dict[str, Any]]:
    """When each answer was made, and whether it is ``stale``: older than the study's file."""
    told = {}
    changed = (folder / STUDY_FILE).stat().st_mtime
    for kind in ANSWERS:
        try:
            made = (folder / kind / f"{kind}.json").stat().st_mtime
        except OSError:
            continue
        when = datetime.fromtimestamp(made, UTC).isoformat(timespec="seconds")
        told[kind] = {"made": when, "stale": made < changed}
    return told
