"""The folder of studies: what is in it, new ones, their plans and their files."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from nearer.errors import InputError, UsageError
from nearer.planning.files import PLAN_FILE
from nearer.serve.remembered import Remembered, settings_of
from nearer.study.load import STUDY_FILE
from nearer.study.new import Example, new_study

_NAME = re.compile(r"[^\W_][\w.-]{0,79}")
PLANS = "plans"
"""Folder inside a study that holds the browser's plans; the command line's own is ``plan``."""

PLAN_DOWNLOADS = ("report.html", "plan.gpkg", "sites.csv", "plan.json", "proof.npz", "run.json")

HIDDEN = ".nearer"
"""Folder inside a study with what can be made again, and with jobs."""


class NotThereError(UsageError):
    """What was asked for does not exist."""


@dataclass(frozen=True)
class Studies:
    """
    All studies of a folder.

    Parameters
    ----------
    home
        The folder; each study is a folder in it.
    only
        Name of the one study shown, where the server was opened for a study; None for all.
    """

    home: Path
    only: str | None = None

    def folder(self, name: str) -> Path:
        """
        Folder of a study.

        Raises
        ------
        NotThereError
            There is none of this name.
        """
        path = self.home / name
        if not _NAME.fullmatch(name) or (self.only not in (None, name)) or not path.is_dir():
            raise NotThereError(f"There is no study {name!r} here.")
        return path

    def listed(self) -> list[dict[str, Any]]:
        """Studies, those changed last first."""
        if not self.home.is_dir():
            return []
        found = []
        for path in self.home.iterdir():
            if self.only in (None, path.name) and _NAME.fullmatch(path.name) and (path / STUDY_FILE).is_file():
                found.append((_changed(path), path))
        return [
            {"id": path.name, "name": _title(path), "changed": _iso(when), "plans": len(list(plan_folders(path)))}
            for when, path in sorted(found, key=lambda one: (-one[0], one[1].name))
        ]

    def create(self, name: str, example: Example | None, people: int | None = None) -> str:
        """
        A new study under a name that is free; returns the folder's name.

        Raises
        ------
        UsageError
            The name holds no letter or digit, or the server was opened for one study.
        """
        if self.only is not None:
            raise UsageError("This server was opened for one study; start `nearer serve` without it to make more.")
        folder = self.free(name)
        new_study(self.home / folder, example=example, people=people)
        return folder

    def free(self, name: str) -> str:
        """A folder's name made of a title, that nothing has yet."""
        plain = unicodedata.normalize("NFKC", name).strip()
        base = re.sub(r"[^\w]+", "-", plain).strip("-_").casefold()[:60]
        if not base:
            raise UsageError("Give the study a name with a letter in it.")
        number, found = 1, base
        while (self.home / found).exists():
            number += 1
            found = f"{base}-{number}"
        return found


def plan_folders(study: Path) -> Iterator[tuple[str, Path]]:
    """Id and folder of each plan of a study, newest first."""
    found = [("plan", study / "plan")] if (study / "plan" / PLAN_FILE).is_file() else []
    if (study / PLANS).is_dir():
        found += [(one.name, one) for one in (study / PLANS).iterdir() if (one / PLAN_FILE).is_file()]
    yield from sorted(found, key=lambda one: (-(one[1] / PLAN_FILE).stat().st_mtime, one[0]))


def plan_folder(study: Path, plan: str) -> Path:
    """
    Folder of a plan by its id.

    Raises
    ------
    NotThereError
        There is none.
    """
    path = study / "plan" if plan == "plan" else study / PLANS / plan
    if not re.fullmatch(r"[A-Za-z0-9-]{1,40}", plan) or not (path / PLAN_FILE).is_file():
        raise NotThereError(f"There is no plan {plan!r} in this study.")
    return path


def plans_told(study: Path) -> list[dict[str, Any]]:
    """Each plan in a few figures, newest first."""
    told = []
    for ident, folder in plan_folders(study):
        try:
            figures = _figures.of(folder / PLAN_FILE)
        except (OSError, ValueError, KeyError, TypeError):
            continue  # being replaced, or of another version: it is not offered
        stress = sorted((one.parent.name[7:] for one in folder.glob("stress-*/stress.json")), key=_newest)
        told.append({"id": ident} | figures | {"stress": stress})
    return told


def _read_figures(file: Path) -> dict[str, Any]:
    found = json.loads(file.read_text(encoding="utf-8"))
    asked = found["settings"]["plan"]
    return {
        "made": _iso(file.stat().st_mtime),
        "opened": found["opened"],
        "status": found["status"],
        "objective": found["objective"]["name"],
        "gap": found["gap"],
        "before_min": found["measures"]["before"]["mean_min"],
        "after_min": found["measures"]["after"]["mean_min"],
        "force": asked["force"],
        "forbid": asked["forbid"],
    }


_figures = Remembered(_read_figures)  # a plan has megabytes, and pages look again and again


def _newest(job: str) -> int:
    return -int(job) if job.isdigit() else 0


def _title(folder: Path) -> str:
    try:
        return settings_of(folder).study.name
    except InputError:
        return folder.name


def _changed(folder: Path) -> float:
    times = [(folder / STUDY_FILE).stat().st_mtime]
    times += [(path / PLAN_FILE).stat().st_mtime for _, path in plan_folders(folder)]
    return max(times)


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
