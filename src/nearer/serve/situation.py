"""Which sites are open on a map, as text short enough for an address."""

from __future__ import annotations

import re
from dataclasses import dataclass

from nearer.errors import UsageError

_PLACE = r"-?\d+(?:\.\d+)?,-?\d+(?:\.\d+)?"
_FORM = re.compile(
    rf"o([\d.]*)(?:-([\d.]+))?((?:@{_PLACE})*)|@({_PLACE})|o([\d.]*)(?:-([\d.]+))?~([A-Za-z0-9-]{{1,40}}\.[0-9a-f]{{8}})"
)


@dataclass(frozen=True)
class Situation:
    """
    What is open.

    Parameters
    ----------
    opened, closed
        Positions of candidates that are open and of existing centres that are not, rising.
    points
        Centres at places that are no candidates: longitude and latitude, degrees.
    alone
        Whether nothing but ``points`` is open: how far one comes from there.
    sending
        The plan's sending that says who goes where, as ``sending_of`` names it; "" for everybody to the nearest.
    """

    opened: tuple[int, ...] = ()
    closed: tuple[int, ...] = ()
    points: tuple[tuple[float, float], ...] = ()
    alone: bool = False
    sending: str = ""

    @classmethod
    def parse(cls, text: str) -> Situation:
        """
        Read ``o3.17-2@9.52,47.1`` (open today, and 3 and 17, not 2, and one more there), ``@9.52,47.1`` (only there),
        or ``o3.17~1.0a1b2c3d`` (people as plan 1 sends them).

        Raises
        ------
        UsageError
            The text says nothing of the kind.
        """
        found = _FORM.fullmatch(text)
        if found is None:
            raise UsageError(f"{text[:40]!r} does not say which sites are open.")
        if found[4]:
            return cls(points=(_point(found[4]),), alone=True)
        if found[7]:
            return cls(_positions(found[5]), _positions(found[6] or ""), sending=found[7])
        points = tuple(_point(part) for part in found[3].split("@") if part)
        return cls(_positions(found[1]), _positions(found[2] or ""), points)

    def __str__(self) -> str:
        points = "".join(f"@{lon:.6f},{lat:.6f}" for lon, lat in self.points)
        if self.alone:
            return points
        closed = f"-{'.'.join(map(str, self.closed))}" if self.closed else ""
        return f"o{'.'.join(map(str, self.opened))}{closed}{points}" + (f"~{self.sending}" if self.sending else "")


def _positions(text: str) -> tuple[int, ...]:
    return tuple(sorted({int(part) for part in text.split(".") if part}))


def _point(text: str) -> tuple[float, float]:
    lon, lat = (float(part) for part in text.split(","))
    if not (-180 <= lon <= 180 and -90 <= lat <= 90):
        raise UsageError(f"{text} is no place on the globe.")
    return lon, lat
