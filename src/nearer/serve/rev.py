"""What names the data of a study: told from its settings and its files' sizes and times, without reading them."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from importlib.resources import files
from pathlib import Path

from nearer.serve.remembered import settings_of
from nearer.study.settings import Study


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
    return named(data_key(folder, settings_of(folder)))


def named(key: str) -> str:
    """A short name of a key."""
    return hashlib.sha256(f"{program()} {key}".encode()).hexdigest()[:12]


def data_key(folder: Path, study: Study) -> str:
    """What the data of a study hang on: its settings but for the plan's, and name, size and time of its files."""
    settings = study.model_dump(mode="json", exclude={"study", "owners"})
    plan = settings.pop("plan")
    settings["plan"] = {key: plan[key] for key in ("group_weights", "unreached_min", "coverage_min")}
    files_ = sorted(
        (one.name, one.stat().st_size, one.stat().st_mtime_ns)
        for one in folder.iterdir()
        if one.is_file() and one.name != "nearer.toml"
    )
    return json.dumps([settings, files_], sort_keys=True)
