"""A new study folder: a commented template that runs, or one of the examples."""

from __future__ import annotations

import shutil
from importlib import resources
from pathlib import Path
from typing import Literal

from nearer.errors import NearerError, OutputError, UsageError
from nearer.files import clear_left, new_folder
from nearer.progress import Progress, Silent

Example = Literal["liechtenstein", "newtown"]


def new_study(
    folder: Path,
    *,
    example: Example | None = None,
    people: int | None = None,
    points: int | None = None,
    sites: int | None = None,
    seed: int | None = None,
    progress: Progress | None = None,
) -> Path:
    """
    Write a study folder that ``nearer plan`` can run, whole or not at all.

    Parameters
    ----------
    folder
        Where; absent or empty.
    example
        None for a commented template with a few invented rows to replace; "liechtenstein" for the real example;
        "newtown" for a generated city.
    people, points, sites, seed
        Newtown only: people, populated points, sites (existing and candidates), and the start of its random choices.

    Returns
    -------
    folder
        The folder written.

    Raises
    ------
    UsageError
        The folder is not empty, or a number is given that the example does not take.
    OutputError
        The disk is full or the folder cannot be written; nothing is left behind.
    """
    folder = Path(folder)
    sizes = {"people": people, "points": points, "sites": sites, "seed": seed}
    given = {name: number for name, number in sizes.items() if number is not None}
    if given and example != "newtown":
        raise UsageError(f"--{next(iter(given))} shapes the generated city only: add --example newtown.")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        what = "is not empty" if folder.is_dir() else "is a file"
        raise UsageError(f"{folder} {what}: give a new folder, so that nothing is overwritten.")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        clear_left(folder.parent)
        with new_folder(folder.parent) as beside:
            made = beside / folder.name
            made.mkdir()
            try:
                _write(made, example, given, progress or Silent())
            except NearerError as error:
                error.args = (str(error).replace(str(made), str(folder)),)
                raise
            if folder.exists():
                folder.rmdir()  # empty; some systems do not rename over a folder
            made.replace(folder)
    except OSError as error:
        raise OutputError(folder, error.strerror or error) from error
    return folder


def _write(folder: Path, example: Example | None, sizes: dict[str, int], progress: Progress) -> None:
    match example:
        case "liechtenstein":
            from nearer.study.liechtenstein import write_liechtenstein

            write_liechtenstein(folder)
        case "newtown":
            from nearer.study.newtown import write_newtown

            write_newtown(folder, **sizes, progress=progress)
        case None:
            template = resources.files("nearer.study") / "template"
            for file in template.iterdir():
                with resources.as_file(file) as path:
                    shutil.copyfile(path, folder / file.name)
