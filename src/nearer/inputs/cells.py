"""H3 cells: which column holds them, where they lie and how they look."""

from __future__ import annotations

from typing import Any

import h3
import numpy as np
import shapely
from numpy.typing import NDArray

from nearer.errors import Faults
from nearer.inputs.columns import Frame, find_column, note_rows, texts
from nearer.inputs.points import Located
from nearer.units import BoolArray

_LOOKED_AT = 100  # values that tell whether a column holds cells; all are checked when it is read


def cell_column(frame: Frame) -> str | None:
    """The first column most of whose values are H3 cell ids, or None; reading them finds the others."""
    for column in frame.table.columns:
        some = [text for text in texts(frame.table[column].iloc[:_LOOKED_AT]) if text]
        if 2 * sum(map(_is_cell, some)) > len(some):
            return str(column)
    return None


def locate_cells(frame: Frame, column: str, faults: Faults, needed: BoolArray) -> Located | None:
    """
    Centres and outlines of H3 cells.

    Parameters
    ----------
    column
        Column with the ids, as H3 writes them in hexadecimal.
    needed
        Records whose place matters, bool (n,).
    """
    values = find_column(frame, column, faults, "[people] h3")
    if values is None:
        return None
    ids = texts(values)
    good = np.array([_is_cell(text) for text in ids], dtype=bool)
    note_rows(
        faults,
        frame.rows,
        ~good & needed,
        lambda k: f'"{ids[k][:40]}" is not an H3 cell' if ids[k] else "the cell id is empty",
        column=column,
        remedy="give ids such as 89a901291abffff",
    )
    lon, lat = np.full(frame.n, np.nan), np.full(frame.n, np.nan)
    shapes: NDArray[Any] = np.full(frame.n, None, dtype=object)
    for k in np.flatnonzero(good & needed):
        lat[k], lon[k] = h3.cell_to_latlng(ids[k])
        shapes[k] = shapely.Polygon([(x, y) for y, x in h3.cell_to_boundary(ids[k])])
    return Located(lon, lat, shapes)


def _is_cell(text: str) -> bool:
    # Short texts of hexadecimal digits never are cells, and h3 refuses text that is not hexadecimal by an exception.
    return len(text) in (15, 16) and bool(h3.is_valid_cell(text))
