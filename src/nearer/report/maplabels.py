"""Where names and numbers go on a map so that none covers another."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

_NEARBY = ((0, 0), (0, -1.5), (0, 1.5), (3, 0), (-3, 0), (2, -2), (-2, -2), (2, 2), (-2, 2), (0, 3), (0, -3))
_TURNS = [math.radians(angle) for angle in (45, 135, 315, 225, 0, 180, 90, 270)]


@dataclass
class Room:
    """
    The room left on a map.

    Parameters
    ----------
    width, height
        Size of the map, units.
    taken
        Boxes (left, top, right, bottom) that are full.
    """

    width: float
    height: float
    taken: list[tuple[float, float, float, float]] = field(default_factory=list)

    def free(self, box: tuple[float, float, float, float]) -> bool:
        """Whether a box lies on the map and touches nothing."""
        left, top, right, bottom = box
        if left < 0 or top < 0 or right > self.width or bottom > self.height:
            return False
        return not any(left < r and right > l and top < b and bottom > t for l, t, r, b in self.taken)  # noqa: E741

    def take(self, box: tuple[float, float, float, float]) -> None:
        """Fill a box."""
        self.taken.append(box)


def around(x: float, y: float, half_width: float, half_height: float) -> tuple[float, float, float, float]:
    """The box around a point."""
    return x - half_width, y - half_height, x + half_width, y + half_height


def text_width(text: str, size: float) -> float:
    """Rough width of a text; wide scripts take a full square a sign."""
    return sum(size if ord(sign) > 0x2E80 else 0.56 * size for sign in text)


def place_discs(
    spots: Iterable[tuple[float, float]], room: Room, radius: float, dot: float
) -> list[tuple[float, float] | None]:
    """
    Put a numbered disc on each spot, or beside it where another is in the way.

    Parameters
    ----------
    spots
        True places, the most important first, units.
    room
        What is left of the map; discs placed are taken from it.
    radius, dot
        Radius of a disc, and of the dot that marks the true place of a disc put beside it.

    Returns
    -------
    list
        Centre of each disc, None where there was no room within reach.
    """
    found: list[tuple[float, float] | None] = []
    spots = list(spots)
    discs: list[tuple[float, float]] = []

    def clear(x: float, y: float, own: int) -> bool:
        if not (radius <= x <= room.width - radius and radius <= y <= room.height - radius):
            return False
        if any(math.hypot(x - a, y - b) < 2.05 * radius for a, b in discs):
            return False
        others = (spot for place, spot in enumerate(spots) if place != own)
        return all(math.hypot(x - a, y - b) >= radius + dot for a, b in others) and room.free(
            around(x, y, radius, radius)
        )

    for own, (x, y) in enumerate(spots):
        tries = [(x, y)] + [
            (x + reach * radius * math.cos(turn), y - reach * radius * math.sin(turn))
            for reach in (2.2, 3.2, 4.4)
            for turn in _TURNS
        ]
        place = next((spot for spot in tries if clear(*spot, own)), None)
        found.append(place)
        if place:
            discs.append(place)
    for place, spot in zip(found, spots, strict=True):
        room.take(around(*spot, dot, dot))
        if place:
            room.take(around(*place, radius, radius))
    return found


def place_names(
    names: Iterable[tuple[str, float, float]], rooms: Sequence[Room], size: float
) -> list[tuple[str, float, float] | None]:
    """
    Put names on or near their spots, the most important first; None where one finds no room.

    Parameters
    ----------
    names
        Text and spot, units.
    rooms
        What is left of the map, from strict to lenient (where a name may cover a small mark); names placed are taken
        from all of them.
    size
        Font size, units.
    """
    found: list[tuple[str, float, float] | None] = []
    for text, x, y in names:
        half = text_width(text, size) / 2 + 0.3 * size
        tries = [(x + a * size, y + b * size) for a, b in _NEARBY]
        place = next(
            (spot for room in rooms for spot in tries if room.free(around(*spot, half, 0.65 * size))),
            None,
        )
        found.append((text, *place) if place else None)
        if place:
            for room in rooms:
                room.take(around(*place, half, 0.65 * size))
    return found
