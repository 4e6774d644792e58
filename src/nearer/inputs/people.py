"""Where people live: points, polygons or H3 cells with numbers of people, checked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from nearer.errors import Faults
from nearer.inputs.cells import cell_column, locate_cells
from nearer.inputs.columns import Frame, find_column, note_rows, read_ids, read_numbers, texts
from nearer.inputs.frames import frame_of
from nearer.inputs.geo import WGS84, lengths_m
from nearer.inputs.points import Located, locate
from nearer.inputs.sources import PeopleSource
from nearer.inputs.tables import People
from nearer.units import BoolArray, FloatArray

_RESERVED = ("id", "lon", "lat", "total", "area")
_MOST_PEOPLE = 1e10  # more than live on Earth
_ALIKE = 0.02  # cells count as squares of one size when sides and diagonals agree within this share
_DOTTED = re.compile(r"[1-9][0-9]{0,2}\.[0-9]{3}")
"""Thousands as some countries write them, which reads as less than a thousand people."""
_ROUNDING = 1e-9  # share by which a group may exceed its total through rounding


def people_from_frame(
    frame: gpd.GeoDataFrame,
    *,
    total: str = "population",
    groups: Mapping[str, str] | Iterable[str] = (),
    name: str = "people",
) -> People:
    """
    Check people given as a GeoDataFrame, the same way as those of a file.

    Parameters
    ----------
    frame
        Points or polygons in any coordinate system; column ``id`` if there is one, else row numbers are ids.
    total
        Column with all people.
    groups
        Group name → column, or the names of columns that are groups.
    name
        What to call the data in messages.

    Raises
    ------
    InputError
        With every fault of the data.
    """
    columns = dict(groups) if isinstance(groups, Mapping) else {group: group for group in groups}
    return people_of(frame_of(frame, name), PeopleSource(file=name, total=total, groups=columns))


def people_of(frame: Frame, source: PeopleSource) -> People:
    """
    Check people given as a frame.

    Empty records (total 0) are dropped; polygons are stood for by a point inside.

    Raises
    ------
    InputError
        With every fault of the file.
    """
    faults = Faults(frame.file)
    check_groups(source.groups, faults)
    total = _count(frame, source.total, "[people] total", faults)
    groups = {
        group: _count(frame, column, f"[people] groups.{group}", faults) for group, column in source.groups.items()
    }
    later = {phase: _count(frame, column, f"[people] later.{phase}", faults) for phase, column in source.later.items()}
    if total is not None:
        for group, people in groups.items():
            if people is not None:
                _note_excess(frame, group, source.groups[group], people, total, faults)
    ids = _ids(frame, source, faults)
    with np.errstate(over="ignore"):
        everyone = 0.0 if total is None else float(np.nansum(total))
    if total is not None and everyone > _MOST_PEOPLE:
        k = int(np.nanargmax(total))
        faults.add(
            f"{everyone:.3g} people in all are more than live on Earth (the most here: {total[k]:.3g})",
            row=int(frame.rows[k]),
            column=source.total,
            remedy="check that it is this column, and that it counts people",
        )
    populated = np.ones(frame.n, dtype=bool) if total is None else ~(total == 0)
    for people in later.values():  # where nobody lives yet, somebody may
        if people is not None:
            populated |= people > 0
    located = _locate(frame, source, faults, populated)
    if total is not None and not faults.found and not (total > 0).any():
        faults.add("nobody lives here: all numbers are 0", column=source.total, remedy="check that it is this column")
    faults.raise_if_any()
    assert total is not None
    assert located is not None
    assert ids is not None
    columns = {"id": ids, "lon": located.lon, "lat": located.lat, "total": total}
    columns |= {group: np.minimum(people, total) for group, people in groups.items() if people is not None}
    columns |= {later_column(phase): people for phase, people in later.items() if people is not None}
    table = pd.DataFrame(columns).assign(area="")[populated].reset_index(drop=True)
    shapes = _shapes(located, populated)
    return People(
        table.astype({"id": str, "area": str}),
        tuple(source.groups),
        shapes,
        source.cell_m if shapes is None else square_side_m(np.asarray(shapes.array, dtype=object)),
        _notes(frame, populated, located, source.total),
    )


def later_column(phase: str) -> str:
    """Column of ``People.table`` that holds everybody in a later phase."""
    return f"later: {phase}"


def check_groups(groups: Iterable[str], faults: Faults) -> None:
    """Note groups named like a column that people's tables have anyway."""
    for group in groups:
        if group in _RESERVED:
            faults.add(f'a group may not be called "{group}"', column=f"[people] groups.{group}", remedy="rename it")


def _count(frame: Frame, column: str, key: str, faults: Faults) -> FloatArray | None:
    """Numbers of people in a column, none negative."""
    values = find_column(frame, column, faults, key)
    if values is None:
        return None
    people = read_numbers(frame, values, faults, column, empty="give a number, 0 where nobody lives")
    with np.errstate(invalid="ignore"):
        negative = people < 0
    note_rows(
        faults,
        frame.rows,
        negative,
        lambda k: f"{people[k]:g} people is less than none",
        column=column,
        remedy="give 0 or more",
    )
    return np.where(negative, np.nan, people)


def _note_excess(frame: Frame, group: str, column: str, people: FloatArray, total: FloatArray, faults: Faults) -> None:
    """Note records where a group has more people than live there."""
    with np.errstate(invalid="ignore"):
        excess = people > total * (1 + _ROUNDING)
    note_rows(
        faults,
        frame.rows,
        excess,
        lambda k: f"{people[k]:g} people of group {group} are more than the {total[k]:g} who live there",
        column=column,
        remedy="a group is a part of the total",
    )


def _ids(frame: Frame, source: PeopleSource, faults: Faults) -> NDArray[Any] | None:
    """Ids from their column, else row numbers."""
    column = source.id or "id"
    if source.id is None and "id" not in frame.table:
        return frame.rows.astype(str).astype(object)
    values = find_column(frame, column, faults, "[people] id")
    return None if values is None else read_ids(frame, values, faults, column)


def _locate(frame: Frame, source: PeopleSource, faults: Faults, populated: BoolArray) -> Located | None:
    """Points from geometry or coordinates; else H3 cells, named or recognised."""
    placed = frame.geometry is not None or (source.lon in frame.table and source.lat in frame.table)
    if not placed:
        column = source.h3 or (cell_column(frame) if source.lon not in frame.table else None)
        if column is not None:
            return locate_cells(frame, column, faults, populated)
    located = locate(
        frame, faults, lon=source.lon, lat=source.lat, crs=source.crs, section="[people]", needed=populated
    )
    if source.h3 is None or located is None or located.shapes is not None:
        return located
    cells = locate_cells(frame, source.h3, faults, populated)
    return None if cells is None else Located(located.lon, located.lat, cells.shapes)


def _shapes(located: Located, populated: BoolArray) -> gpd.GeoSeries | None:
    """Cells of the populated records, None unless each has one."""
    if located.shapes is None:
        return None
    shapes = located.shapes[populated]
    return None if shapely.is_missing(shapes).any() else gpd.GeoSeries(shapes, crs=WGS84)


def square_side_m(shapes: NDArray[Any]) -> float | None:
    """Side in metres of cells that are squares of one size (within 2 %), else None."""
    if not len(shapes) or np.any(shapely.get_num_coordinates(shapes) != 5):
        return None
    corners = shapely.get_coordinates(shapes).reshape(-1, 5, 2)
    lon, lat = corners[:, :, 0], corners[:, :, 1]
    sides = lengths_m(lon[:, :4], lat[:, :4], lon[:, 1:], lat[:, 1:])
    diagonals = lengths_m(lon[:, :2], lat[:, :2], lon[:, 2:4], lat[:, 2:4]) / np.sqrt(2.0)
    side = float(np.median(sides))
    if np.abs(sides - side).max() > _ALIKE * side or np.abs(diagonals - side).max() > _ALIKE * side:
        return None
    return round(side, 1) if side < 10 else float(round(side))


def _notes(frame: Frame, populated: BoolArray, located: Located, column: str) -> tuple[str, ...]:
    notes = []
    empty = int((~populated).sum())
    if empty:
        notes.append(
            f"1 of {frame.n:,} records of {frame.file} holds no people and was left out."
            if empty == 1
            else f"{empty:,} of {frame.n:,} records of {frame.file} hold no people and were left out."
        )
    if located.mended:
        notes.append(f"{located.mended:,} polygons of {frame.file} crossed themselves and were made valid.")
    given = [text for text in texts(frame.table[column]) if text not in ("", "0")]
    if len(given) > 1 and all(_DOTTED.fullmatch(text) for text in given):
        notes.append(
            f"{frame.file}, column {column}: all numbers have three decimals, such as {given[0]}. If the point "
            "separates thousands, write them without it."
        )
    return tuple(notes)
