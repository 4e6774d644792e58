"""What names the data of a study: told from its settings and its files' sizes and times, without reading them."""

from __future__ import annotations

import hashlib
import json
import os
from functools import cache
from importlib.resources import files
from pathlib import Path

from nearer.serve.remembered import Remembered
from nearer.study.load import STUDY_FILE, load_study


@cache
def program() -> str:
    """Names this program as it is installed: what another made is not shown."""
    root = Path(str(files("nearer")))
    found = sorted((path.relative_to(root).as_posix(), path.stat()) for path in root.rglob("*.py"))
    return hashlib.sha256(str([(name, one.st_size, one.st_mtime_ns) for name, one in found]).encode()).hexdigest()


def rev_of(folder: Path) -> str:
    """
    Name of a study's data as its files stand now.

    Raises
    ------
    InputError
        Faults in its settings.
    """
    return named(data_key(folder))


def named(key: str) -> str:
    """A short name of a key."""
    return hashlib.sha256(f"{program()} {key}".encode()).hexdigest()[:12]


def data_key(folder: Path) -> str:
    """
    What the data of a study hang on: its settings but for the plan's, and name, size and time of its files.

    Raises
    ------
    InputError
        Faults in its settings.
    """
    try:
        settings = _settings.of(folder / STUDY_FILE)
    except OSError:
        settings = _of_settings(folder)  # it says what is wrong with the folder
    found = []
    with os.scandir(folder) as entries:
        for one in entries:
            if one.name != STUDY_FILE and one.is_file():
                state = one.stat()
                found.append((one.name, state.st_size, state.st_mtime_ns))
    return f"{settings} {sorted(found)}"


def _of_settings(path: Path) -> str:
    settings = load_study(path).model_dump(mode="json", exclude={"study", "owners"})
    plan = settings.pop("plan")
    settings["plan"] = {key: plan[key] for key in ("group_weights", "unreached_min", "coverage_min")}
    return json.dumps(settings, sort_keys=True)


_settings = Remembered(_of_settings)
