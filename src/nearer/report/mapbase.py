"""What lies under every map: ground, boundary, districts and streets as compact paths."""

from __future__ import annotations

from collections.abc import Iterable

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from nearer.inputs.tables import STREET_CLASSES, Streets
from nearer.report.mapframe import WIDTH, Frame
from nearer.units import FloatArray, IntArray

_SIMPLIFY = 4.0  # units; under half a pixel on a small map
_VERTICES = 60_000  # beyond this a small map is grey anyway; footpaths go first, then the shortest streets
_BEYOND = 60  # units that lines may reach over the edge, so that cut ends stay out of sight


def path_of(x: IntArray, y: IntArray, start_mask: NDArray[np.bool_], close: bool = False) -> str:
    """
    One path of several lines in relative moves.

    Parameters
    ----------
    x, y
        Whole units, int64 (n,).
    start_mask
        Where a line begins, bool (n,).
    close
        Whether the lines are rings.
    """
    if not len(x):
        return ""
    first = np.concatenate([[0], np.flatnonzero(start_mask)[:-1]])
    before_x, before_y = np.concatenate([[0], x[:-1]]), np.concatenate([[0], y[:-1]])
    if close:  # after "z" the pen is back at the start of the ring
        starts = np.flatnonzero(start_mask)
        before_x[starts[1:]], before_y[starts[1:]] = x[first[1:]], y[first[1:]]
    dx, dy = (x - before_x).tolist(), (y - before_y).tolist()
    lead = "zm" if close else "m"
    parts = [
        f"{lead if begins else ' ' if a >= 0 else ''}{a}{' ' if b >= 0 else ''}{b}"
        for a, b, begins in zip(dx, dy, start_mask.tolist(), strict=True)
    ]
    text = "".join(parts)
    return f"{text[1:]}z" if close else text


def rounded_path(geometries: NDArray[np.object_], close: bool = False, step: int = 1) -> tuple[str, int]:
    """Path of lines or rings given in units, rounded to whole ``step``; also the number of vertices kept."""
    xy, line = shapely.get_coordinates(geometries, return_index=True)
    if not len(xy):
        return "", 0
    units = np.rint(xy / step).astype(np.int64) * step
    same_line = np.concatenate([[False], line[1:] == line[:-1]])
    keep = ~(same_line & np.concatenate([[False], np.all(units[1:] == units[:-1], axis=1)]))
    units, line = units[keep], line[keep]
    enough = np.bincount(line, minlength=1)[line] >= (4 if close else 2)
    units, line = units[enough], line[enough]
    if not len(line):
        return "", 0
    start = np.concatenate([[True], line[1:] != line[:-1]])
    if close:  # the last point of a ring repeats the first
        last = np.concatenate([start[1:], [True]])
        units, start = units[~last], start[~last]
    return path_of(units[:, 0], units[:, 1], start, close), len(units)


def chained(streets: Streets, x: FloatArray, y: FloatArray) -> tuple[NDArray[np.object_], IntArray, IntArray]:
    """
    Consecutive segments of a way joined into lines.

    Parameters
    ----------
    streets
        Segments in the order of their ways.
    x, y
        Coordinates of the nodes in any plane, float64 (n_nodes,).

    Returns
    -------
    lines, street_class, way_idx
        One entry per line: shapely lines, position in ``STREET_CLASSES``, position in ``way_names``.
    """
    if not streets.n_segments:
        return np.zeros(0, object), np.zeros(0, np.uint8), np.zeros(0, np.int32)
    breaks = np.ones(streets.n_segments, dtype=bool)
    breaks[1:] = (
        (streets.way_idx[1:] != streets.way_idx[:-1])
        | (streets.from_idx[1:] != streets.to_idx[:-1])
        | (streets.street_class[1:] != streets.street_class[:-1])
    )
    starts = np.flatnonzero(breaks)
    line_of = np.cumsum(breaks) - 1
    nodes = np.insert(streets.to_idx, starts, streets.from_idx[starts])
    lines = shapely.linestrings(x[nodes], y[nodes], indices=np.insert(line_of, starts, line_of[starts]))
    return np.asarray(lines), streets.street_class[starts], streets.way_idx[starts]


def street_paths(streets: Streets, frame: Frame) -> dict[str, str]:
    """Path per street class in units of the frame, cut at its edge, simplified, thinned where dense."""
    lines, kinds, _ = chained(streets, *frame.place(streets.lon, streets.lat))
    edge = (-_BEYOND, -_BEYOND, WIDTH + _BEYOND, frame.height + _BEYOND)
    bounds = shapely.bounds(lines)
    seen = (
        (bounds[:, 2] >= edge[0])
        & (bounds[:, 3] >= edge[1])
        & (bounds[:, 0] <= edge[2])
        & (bounds[:, 1] <= edge[3])
        & (shapely.length(lines) > _SIMPLIFY)
    )
    lines, kinds, bounds = lines[seen], kinds[seen], bounds[seen]
    crossing = (bounds[:, :2] < edge[:2]).any(axis=1) | (bounds[:, 2:] > edge[2:]).any(axis=1)
    lines[crossing] = shapely.clip_by_rect(lines[crossing], *edge)
    lines, origin = shapely.get_parts(shapely.simplify(lines, _SIMPLIFY, preserve_topology=False), return_index=True)
    kinds = kinds[origin]
    size = shapely.get_num_coordinates(lines)
    if size.sum() > _VERTICES:
        keep = kinds != STREET_CLASSES.index("path")
        lines, kinds, size = lines[keep], kinds[keep], size[keep]
    if size.sum() > _VERTICES:
        minor = kinds == STREET_CLASSES.index("minor")
        rank = np.lexsort((-shapely.length(lines), minor))
        keep = np.sort(rank[np.cumsum(size[rank]) <= _VERTICES])
        lines, kinds = lines[keep], kinds[keep]
    found = {}
    for place, name in enumerate(STREET_CLASSES):
        path, n_vertices = rounded_path(lines[kinds == place])
        if n_vertices:
            found[name] = path
    return found


def outline_path(areas: gpd.GeoDataFrame, frame: Frame) -> str:
    """Rings of polygons in units of the frame, simplified."""
    flat = areas.geometry.to_numpy()
    rings = shapely.get_rings(shapely.get_parts(flat[~(shapely.is_missing(flat) | shapely.is_empty(flat))]))
    if not len(rings):
        return ""
    xy, line = shapely.get_coordinates(rings, return_index=True)
    x, y = frame.place(xy[:, 0], xy[:, 1])
    far = 20 * WIDTH  # a country around a town needs no exact coordinates
    placed = shapely.linestrings(np.clip(x, -far, far), np.clip(y, -far, far), indices=line)
    return rounded_path(np.asarray(shapely.simplify(placed, _SIMPLIFY, preserve_topology=False)), close=True)[0]


def street_layers(paths: dict[str, str], names: Iterable[str]) -> str:
    """SVG paths of some street classes."""
    return "".join(f'<path class="nr-street nr-{name}" d="{paths[name]}"/>' for name in names if name in paths)
