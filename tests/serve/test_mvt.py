"""Vector tiles, read back by a decoder of our own written from the specification."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nearer.serve import mvt

Value = int | bytes


def read_varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def fields(data: bytes) -> list[tuple[int, Value]]:
    at, found = 0, []
    while at < len(data):
        key, at = read_varint(data, at)
        value: Value
        if key & 7 == 0:
            value, at = read_varint(data, at)
        else:
            assert key & 7 == 2
            size, at = read_varint(data, at)
            value, at = data[at : at + size], at + size
        found.append((key >> 3, value))
    return found


def numbers(data: bytes) -> list[int]:
    at, found = 0, []
    while at < len(data):
        value, at = read_varint(data, at)
        found.append(value)
    return found


def parts(geometry: list[int]) -> list[list[tuple[int, int]]]:
    """Lines or rings of a geometry, in whole units."""
    at, x, y, found = 0, 0, 0, []
    while at < len(geometry):
        command, count = geometry[at] & 7, geometry[at] >> 3
        at += 1
        if command == 7:
            continue
        if command == 1:
            found.append([])
        for _ in range(count):
            dx, dy = ((v >> 1) ^ -(v & 1) for v in geometry[at : at + 2])
            x, y, at = x + dx, y + dy, at + 2
            found[-1].append((x, y))
    return found


def decode(tile: bytes) -> dict[str, list[tuple[dict[str, int | str], list[list[tuple[int, int]]]]]]:
    layers = {}
    for number, body in fields(tile):
        assert number == 3
        inside = fields(bytes(body))  # type: ignore[arg-type]
        name = next(v for n, v in inside if n == 1).decode()  # type: ignore[union-attr]
        keys = [v.decode() for n, v in inside if n == 3]  # type: ignore[union-attr]
        values: list[int | str] = []
        for n, v in inside:
            if n == 4:
                ((kind, value),) = fields(bytes(v))  # type: ignore[arg-type]
                values.append(value.decode() if kind == 1 else value)  # type: ignore[union-attr, arg-type]
        assert (5, mvt.EXTENT) in inside
        assert (15, 2) in inside
        layers[name] = []
        for n, v in inside:
            if n != 2:
                continue
            feature = dict(fields(bytes(v)))  # type: ignore[arg-type]
            tags = numbers(bytes(feature[2]))  # type: ignore[arg-type]
            told = {keys[a]: values[b] for a, b in zip(tags[::2], tags[1::2], strict=True)}
            layers[name].append((told, parts(numbers(bytes(feature[4])))))  # type: ignore[arg-type]
    return layers


@given(st.lists(st.integers(0, 2**32 - 1)))
def test_numbers_come_back_from_varints(values: list[int]) -> None:
    assert numbers(mvt.varints(np.array(values, dtype=np.uint64))) == values


unit = st.integers(-mvt.MARGIN, mvt.EXTENT + mvt.MARGIN)


@given(st.lists(st.lists(st.tuples(unit, unit), min_size=2, max_size=6), min_size=1, max_size=6))
def test_lines_come_back_without_steps_of_no_length(given_lines: list[list[tuple[int, int]]]) -> None:
    x, y = (np.array([point[k] for line in given_lines for point in line]) for k in (0, 1))
    owner = np.repeat(np.arange(len(given_lines)), [len(line) for line in given_lines])
    expected = []
    for line in given_lines:
        short = [point for k, point in enumerate(line) if k == 0 or point != line[k - 1]]
        if len(short) > 1:
            expected.append(short)
    tile = mvt.layer("streets", [mvt.lines(x, y, owner, {"kind": "minor", "n": 3})])
    if not expected:
        assert tile == b""
    else:
        assert decode(tile) == {"streets": [({"kind": "minor", "n": 3}, expected)]}


@given(st.lists(st.tuples(unit, unit, st.integers(1, 50)), min_size=1, max_size=8))
def test_squares_are_closed_and_turn_clockwise_on_the_screen(given_squares: list[tuple[int, int, int]]) -> None:
    x, y, half = (np.array(column) for column in zip(*given_squares, strict=True))
    ((told, rings),) = decode(mvt.layer("people", [mvt.squares(x, y, half, {"k": 4})]))["people"]
    assert told == {"k": 4}
    for (cx, cy, h), ring in zip(given_squares, rings, strict=True):
        assert ring == [(cx - h, cy - h), (cx + h, cy - h), (cx + h, cy + h), (cx - h, cy + h)]
        area = sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(ring, ring[1:] + ring[:1], strict=True)) / 2
        assert area == pytest.approx(4 * h * h), "positive with y running down: an outer ring"


def test_greenwich_on_the_equator_is_the_middle_of_the_world() -> None:
    u, v = mvt.mercator(np.array([0.0, 180.0]), np.array([0.0, mvt.MAX_LAT]))
    assert u.tolist() == pytest.approx([0.5, 1.0])
    assert v.tolist() == pytest.approx([0.5, 0.0], abs=1e-9)
    assert [int(one[0]) for one in mvt.in_tile(u[:1], v[:1], 1, 1, 1)] == [0, 0]
