"""The shipped example: Liechtenstein, real and small."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from nearer.files import written_whole


def write_liechtenstein(folder: Path) -> None:
    """
    Copy the Liechtenstein example into a study folder, ready to run.

    Parameters
    ----------
    folder
        Made if absent. Files of the same names are overwritten; whether that is wanted is for the caller to ask.

    Raises
    ------
    NearerError
        The folder cannot be written.
    """
    for source in sorted(
        files("nearer.study").joinpath("examples", "liechtenstein").iterdir(), key=lambda item: item.name
    ):
        if source.is_file():
            with written_whole(folder / source.name) as path:
                path.write_bytes(source.read_bytes())
