"""Moments as text, and the day that a moment is at a place."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

Clock = Callable[[], datetime]


def now() -> datetime:
    """This moment, in UTC."""
    return datetime.now(UTC)


def moment_text(moment: datetime) -> str:
    """A moment as UTC text to the millisecond, ``2026-03-01T09:30:00.000Z``; it sorts as it passes."""
    return f"{moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"


def moment_of(text: str) -> datetime:
    """The moment that ``moment_text`` wrote; ValueError where it did not."""
    if len(text) != 24 or text[-1] != "Z":
        raise ValueError(text)
    return datetime.fromisoformat(text)


def zone_of(name: str) -> ZoneInfo | None:
    """The time zone of a name such as ``Europe/Vaduz``; None if there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def local_day(moment: datetime, zone: str) -> date:
    """The day that it is somewhere at a moment; the UTC day where the zone is not known here."""
    return moment.astimezone(zone_of(zone) or UTC).date()
