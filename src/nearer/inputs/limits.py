"""Speed limits and durations as OpenStreetMap writes them."""

from __future__ import annotations

import re

MAX_DRIVE_KMH = 130.0
"""Nobody is taken to drive faster, whatever is signed, km/h."""

MPH, KNOT = 1.609344, 1.852
NATIONAL_KMH: dict[str, float] = {
    "urban": 50.0,
    "rural": 80.0,
    "trunk": 100.0,
    "motorway": 120.0,
    "living_street": 6.0,
    "walk": 6.0,
    "pedestrian_zone": 6.0,
    "bicycle_road": 30.0,
    "school": 30.0,
    **{f"{code}:rural": 100.0 for code in ("DE", "AT", "CA", "AU", "NZ")},
    **{f"{code}:rural": 90.0 for code in ("ES", "IT", "PT", "PL", "CZ", "SK", "HU", "RO", "BG", "HR", "GR", "RU")},
    **{f"{code}:motorway": 130.0 for code in ("DE", "AT", "FR", "IT", "CZ", "SK", "HU", "DK", "LU", "SI", "HR", "RO")},
    "UA:rural": 90.0,
    "PL:motorway": 140.0,
    "GB:nsl_single": 60 * MPH,
    "GB:nsl_dual": 70 * MPH,
    "GB:nsl_restricted": 30 * MPH,
    "GB:urban": 30 * MPH,
    "GB:rural": 60 * MPH,
    "GB:motorway": 70 * MPH,
    "US:urban": 25 * MPH,
    "US:rural": 55 * MPH,
    "US:motorway": 65 * MPH,
    "RU:urban": 60.0,
    "CH:trunk": 100.0,
}
"""Limits implied by a sign: ``country:kind``, else the kind alone, km/h."""

_NUMBER = re.compile(r"(\d+(?:[.,]\d+)?)\s*(km/h|kmh|kph|mph|knots?|)")
_ZONE = re.compile(r"(?:zone:?)?(\d+)")
_CLOCK = re.compile(r"(?:(\d+):)?(\d+):(\d{1,2})")
_MINUTES = re.compile(r"(\d+(?:\.\d+)?)\s*(?:min|mins|minutes)?")
_ISO = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?")


def duration_s(text: str) -> float | None:
    """
    Seconds in a ``duration`` tag: ``HH:MM``, ``HH:MM:SS``, minutes (``25``), or ISO 8601 (``PT1H20M``).

    None where it is none of these, or zero.
    """
    text = text.strip()
    seconds = 0.0
    if match := _CLOCK.fullmatch(text):
        first, second, third = match.groups()
        seconds = (
            int(second) * 3600.0 + int(third) * 60.0
            if first is None
            else int(first) * 3600.0 + int(second) * 60.0 + int(third)
        )
    elif match := _MINUTES.fullmatch(text):
        seconds = float(match[1]) * 60.0
    elif match := _ISO.fullmatch(text):
        days, hours, minutes, rest = (float(part or 0) for part in match.groups())
        seconds = days * 86_400.0 + hours * 3600.0 + minutes * 60.0 + rest
    return seconds or None


def maxspeed_kmh(text: str) -> float | None:
    """
    Limit in a ``maxspeed`` tag, km/h; of several the least; None where it says nothing (signals, variable, nonsense).
    """
    limits = [limit for part in re.split(r"[;|]", text) if (limit := _one_limit(part.strip())) is not None]
    return min(limits, default=None)


def _one_limit(text: str) -> float | None:
    if text == "none":
        return MAX_DRIVE_KMH
    if text == "walk":
        return NATIONAL_KMH["walk"]
    if match := _NUMBER.fullmatch(text.lower()):
        value = float(match[1].replace(",", "."))
        unit = match[2]
        value *= MPH if unit == "mph" else KNOT if unit.startswith("knot") else 1.0
        return value if 3.0 <= value <= 200.0 else None
    country, colon, kind = text.partition(":")
    if not colon or not re.fullmatch(r"[A-Z]{2}(-[A-Z]{2,3})?", country):
        return None
    if match := _ZONE.fullmatch(kind):
        return float(match[1]) * (MPH if country in ("GB", "US") else 1.0)
    return NATIONAL_KMH.get(f"{country[:2]}:{kind}", NATIONAL_KMH.get(kind))
