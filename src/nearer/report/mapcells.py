"""People's cells as a few compact paths, one per combination of classes, that every map colours its own way."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from scipy.spatial import cKDTree

from nearer.planning.plan import Plan
from nearer.report.mapbase import rounded_path
from nearer.report.mapframe import Frame, Ground, lonlat
from nearer.report.tokens import CHANGE_BREAKS, GAIN_BREAKS, MINUTE_BREAKS
from nearer.units import FloatArray, IntArray

OUT = len(MINUTE_BREAKS) + 1
"""Class of minutes of people out of reach."""

NEWLY = len(GAIN_BREAKS) + 1
"""Class of gain of people newly within reach."""

LOST = len(CHANGE_BREAKS) + 1
"""Class of change of people newly out of reach."""

_SIDES = (0.62, 0.76, 0.88, 0.98)  # side of a square by how many people live in it, as a share of the cell
_SMALLEST = 16.0  # units; less than a pixel and a half is lost on a map of a whole country


@dataclass(frozen=True)
class CellGroup:
    """
    Cells alike in everything a map shows.

    Parameters
    ----------
    before, after
        Class of minutes, 0 … ``OUT``.
    gain
        Class of minutes saved, 0 … ``NEWLY``.
    far
        Whether they remain farther than the minutes that count as near.
    stages
        Class of minutes at the end of each phase; empty where there are no phases.
    drawing
        SVG path, without an id and without a colour.
    """

    before: int
    after: int
    gain: int
    far: bool
    stages: tuple[int, ...]
    drawing: str


def minute_class(minutes: FloatArray) -> IntArray:
    """Class of each number of minutes, 0 … ``OUT``; NaN is out of reach."""
    found = np.searchsorted(np.array(MINUTE_BREAKS), minutes, side="left")
    return np.where(np.isnan(minutes), OUT, found)


def gain_class(before: FloatArray, after: FloatArray) -> IntArray:
    """Class of minutes saved, 0 … ``NEWLY``; whoever stays out of reach gains nothing."""
    saved = np.nan_to_num(before - after, nan=0.0)
    found = np.searchsorted(np.array(GAIN_BREAKS), saved, side="left")
    return np.where(np.isnan(before) & ~np.isnan(after), NEWLY, found)


def change_class(before: FloatArray, after: FloatArray) -> IntArray:
    """Class of minutes more, 0 (much shorter, or newly within reach) … ``LOST``; out of reach in both is no change."""
    found = np.searchsorted(np.array(CHANGE_BREAKS), np.nan_to_num(after - before, nan=0.0), side="left")
    found = np.where(np.isnan(before) & ~np.isnan(after), 0, found)
    return np.where(~np.isnan(before) & np.isnan(after), LOST, found)


def people_by_class(classes: IntArray, people: FloatArray, n_classes: int) -> FloatArray:
    """People in each class, float64 (n_classes,)."""
    return np.asarray(np.bincount(classes, weights=people, minlength=n_classes), dtype=np.float64)


def _squares(x: FloatArray, y: FloatArray, side: float, cap: str) -> str:
    # A stroke of next to no length with a square (round) cap is a square (dot): the shortest way to write one.
    order = np.lexsort((x, y))
    x, y = np.rint(x[order]).astype(np.int64), np.rint(y[order]).astype(np.int64)
    dx, dy = np.diff(x, prepend=1) - 1, np.diff(y, prepend=0)
    dx[0] += 2
    steps = (f"m{a}{' ' if b >= 0 else ''}{b}h1" for a, b in zip(dx.tolist(), dy.tolist(), strict=True))
    return f'<path fill="none" stroke-linecap="{cap}" stroke-width="{side:.0f}" d="{"".join(steps)}"/>'


def _sizes(plan: Ground, frame: Frame) -> tuple[FloatArray, str]:
    """Size in units of each point's square or dot, by how many people it stands for, and the cap that draws it."""
    people = plan.people["total"].to_numpy(dtype=np.float64)
    share = np.sqrt(people / max(float(np.quantile(people, 0.9)), 1e-9))
    steps = np.array(_SIDES)[np.searchsorted([0.5, 0.7, 0.88], share)]
    if plan.cell_m is not None:
        return np.maximum(steps * plan.cell_m * frame.per_m, _SMALLEST), "square"
    spots = np.column_stack(frame.place(*lonlat(plan.people)))
    apart = np.asarray(cKDTree(spots).query(spots, k=min(2, len(spots)))[0]).reshape(len(spots), -1)[:, -1]
    return np.maximum(steps * np.clip(1.1 * np.median(apart), 24.0, 90.0), _SMALLEST), "round"


def cell_groups(plan: Plan, frame: Frame, near_min: float) -> list[CellGroup]:
    """Group people's points by what maps show of them and draw each group once."""
    before = plan.people["minutes_before"].to_numpy(dtype=np.float64)
    after = plan.people["minutes_after"].to_numpy(dtype=np.float64)
    far = ~(after <= near_min)
    stages = [minute_class(plan.people[column].to_numpy(dtype=np.float64)) for column in stage_columns(plan)]
    keys = np.column_stack([minute_class(before), minute_class(after), gain_class(before, after), far, *stages])
    return [
        CellGroup(key[0], key[1], key[2], bool(key[3]), tuple(key[4:]), drawing)
        for key, drawing in draw_cells(plan, frame, keys.astype(np.int64))
    ]


def stage_columns(plan: Plan) -> list[str]:
    """Columns of people with the minutes at the end of each phase."""
    named = (f"minutes_phase_{number}" for number in range(1, len(plan.document.phases) + 1))
    return [column for column in named if column in plan.people]


def draw_cells(plan: Ground, frame: Frame, keys: IntArray) -> list[tuple[list[int], str]]:
    """
    Draw people's points that are alike as one path each.

    Parameters
    ----------
    plan, frame
        Whose people, and where.
    keys
        What a map shows of each point, int64 (n_points, n_keys).

    Returns
    -------
    list
        Key and SVG path (without an id and without a colour), in the order of the keys.
    """
    shapes = plan.shapes.to_numpy() if plan.shapes is not None and plan.cell_m is None else None
    if shapes is None:
        size, cap = _sizes(plan, frame)
        x, y = frame.place(*lonlat(plan.people))
    else:
        size, cap = np.zeros(len(keys)), ""
    sized = np.column_stack([keys, np.rint(size).astype(np.int64)])
    unique, group_of = np.unique(sized, axis=0, return_inverse=True)
    members = np.split(np.argsort(group_of.ravel(), kind="stable"), np.cumsum(np.bincount(group_of.ravel()))[:-1])
    found = []
    for key, idx in zip(unique.tolist(), members, strict=True):
        if shapes is None:
            drawing = _squares(x[idx], y[idx], key[-1], cap)
        else:
            rings = shapely.get_rings(shapely.get_parts(shapes[idx]))
            xy, line = shapely.get_coordinates(rings, return_index=True)
            placed = np.asarray(shapely.linestrings(*frame.place(xy[:, 0], xy[:, 1]), indices=line))
            drawing = f'<path stroke="none" fill-rule="evenodd" d="{rounded_path(placed, close=True)[0]}"/>'
        found.append((key[:-1], drawing))
    return found
