"""Mapbox vector tiles (specification 2.1), written a whole layer at a time with NumPy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from nearer.units import BoolArray, FloatArray, IntArray

EXTENT = 4096
"""Units along a tile's side."""

MARGIN = 64
"""Units drawn beyond the edge, so that strokes and corners do not end there."""

MAX_LAT = 85.0511287798066
"""Where the square of the web's Mercator projection ends, degrees."""

_MOVE, _LINE, _CLOSE = 1, 2, 15
_LINES, _POLYGONS = 2, 3


@dataclass(frozen=True)
class Feature:
    """
    One feature: its properties and its geometry as the specification's integers.

    Parameters
    ----------
    kind
        2 = lines, 3 = polygons.
    geometry
        Commands and parameters, uint32 (n,).
    properties
        Whole numbers or text.
    """

    kind: int
    geometry: IntArray
    properties: Mapping[str, int | str]


def mercator(lon: FloatArray, lat: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Web Mercator as shares of the world, 0 … 1 from the west and from the north, float64 (n,) each."""
    sine = np.sin(np.radians(np.clip(lat, -MAX_LAT, MAX_LAT)))
    return lon / 360.0 + 0.5, 0.5 - np.log((1.0 + sine) / (1.0 - sine)) / (4.0 * np.pi)


def tile_box(z: int, x: int, y: int) -> tuple[float, float, float, float]:
    """West, north, east and south of a tile with its margin, as shares of the world."""
    side = 1.0 / (1 << z)
    more = side * MARGIN / EXTENT
    return x * side - more, y * side - more, (x + 1) * side + more, (y + 1) * side + more


def in_tile(u: FloatArray, v: FloatArray, z: int, x: int, y: int) -> tuple[IntArray, IntArray]:
    """Shares of the world as whole units of a tile, int64 (n,) each."""
    scale = float(1 << z) * EXTENT
    return (
        np.rint(u * scale - x * EXTENT).astype(np.int64),
        np.rint(v * scale - y * EXTENT).astype(np.int64),
    )


def lines(x: IntArray, y: IntArray, line_idx: IntArray, properties: Mapping[str, int | str]) -> Feature | None:
    """
    One feature of many lines; None where nothing is left of them in whole units.

    Parameters
    ----------
    x, y
        Units, int64 (n,).
    line_idx
        Line of each point, rising, int64 (n,).
    """
    if not len(x):
        return None
    starts = np.diff(line_idx, prepend=line_idx[0] - 1) != 0
    moved = starts | (np.diff(x, prepend=0) != 0) | (np.diff(y, prepend=0) != 0)
    x, y, line_idx, starts = x[moved], y[moved], line_idx[moved], starts[moved]
    first = np.flatnonzero(starts)
    count = np.diff(np.append(first, len(x)))
    long = np.repeat(count > 1, count)
    x, y, starts, count = x[long], y[long], starts[long], count[count > 1]
    if not len(x):
        return None
    return Feature(_LINES, _commands(x, y, starts, count, close=False), properties)


def rings(x: IntArray, y: IntArray, ring_idx: IntArray, properties: Mapping[str, int | str]) -> Feature | None:
    """
    One feature of many rings, outer ones clockwise on the screen and each followed by its holes, not closed twice.

    Parameters are as for ``lines``; ``ring_idx`` is the ring of each point.
    """
    if not len(x):
        return None
    starts = np.diff(ring_idx, prepend=ring_idx[0] - 1) != 0
    count = np.diff(np.append(np.flatnonzero(starts), len(x)))
    return Feature(_POLYGONS, _commands(x, y, starts, count, close=True), properties)


def squares(x: IntArray, y: IntArray, half: IntArray, properties: Mapping[str, int | str]) -> Feature | None:
    """One feature of many upright squares around points; ``half`` is half a side, units, int64 (n,)."""
    n = len(x)
    if not n:
        return None
    corner_x = np.stack([x - half, x + half, x + half, x - half], axis=1)
    corner_y = np.stack([y - half, y - half, y + half, y + half], axis=1)
    starts = np.zeros((n, 4), dtype=bool)
    starts[:, 0] = True
    return Feature(
        _POLYGONS,
        _commands(corner_x.ravel(), corner_y.ravel(), starts.ravel(), np.full(n, 4), close=True),
        properties,
    )


def _commands(x: IntArray, y: IntArray, starts: BoolArray, count: IntArray, *, close: bool) -> IntArray:
    """MoveTo, its point, LineTo, the other points (and ClosePath) of each part, uint32."""
    n_parts = len(count)
    part = np.cumsum(starts) - 1
    extra = 3 if close else 2  # command words of each part
    out = np.zeros(2 * len(x) + extra * n_parts, dtype=np.uint32)
    # two words a point; before it the words of all parts up to its own, and the LineTo after a part's first point
    at = 2 * np.arange(len(x)) + extra * part + 1 + ~starts
    out[at], out[at + 1] = _zigzag(np.diff(x, prepend=0)), _zigzag(np.diff(y, prepend=0))
    first = at[starts]
    out[first - 1] = _MOVE | (1 << 3)
    out[first + 2] = _LINE | ((count - 1) << 3)
    if close:
        out[first + 2 * count + 1] = _CLOSE
    return out


def _zigzag(values: IntArray) -> IntArray:
    return ((values << 1) ^ (values >> 63)).astype(np.uint32)


def varints(values: IntArray) -> bytes:
    """Unsigned numbers below 2 ** 32 as protobuf's varints, one after the other."""
    wide = np.asarray(values, dtype=np.uint64)
    size = np.searchsorted([1 << bits for bits in (7, 14, 21, 28)], wide, side="right") + 1
    end = np.cumsum(size)
    out = np.zeros(int(end[-1]) if len(end) else 0, dtype=np.uint8)
    start = end - size
    for step in range(5):
        some = size > step
        byte = (wide[some] >> np.uint64(7 * step)) & np.uint64(0x7F)
        byte |= np.where(size[some] > step + 1, np.uint64(0x80), np.uint64(0))
        out[start[some] + step] = byte.astype(np.uint8)
    return out.tobytes()


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _field(number: int, body: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(body)) + body


def layer(name: str, features: Iterable[Feature | None]) -> bytes:
    """One layer of a tile; b"" where it holds nothing."""
    keys: dict[str, int] = {}
    values: dict[int | str, int] = {}
    bodies = []
    for feature in features:
        if feature is None:
            continue
        tags = []
        for key, value in feature.properties.items():
            tags += [keys.setdefault(key, len(keys)), values.setdefault(value, len(values))]
        bodies.append(
            _field(2, varints(np.array(tags, dtype=np.uint64)))
            + _varint(3 << 3)
            + _varint(feature.kind)
            + _field(4, varints(feature.geometry))
        )
    if not bodies:
        return b""
    body = _varint(15 << 3) + _varint(2) + _field(1, name.encode())
    body += b"".join(_field(2, each) for each in bodies)
    body += b"".join(_field(3, key.encode()) for key in keys)
    for value in values:
        body += _field(4, _field(1, value.encode()) if isinstance(value, str) else _varint(5 << 3) + _varint(value))
    return _field(3, body + _varint(5 << 3) + _varint(EXTENT))
