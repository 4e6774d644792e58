"""A span of days, and the moments between which it lies at a place."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from nearer.aid.clock import local_day, moment_of, moment_text, zone_of
from nearer.aid.driver import Sql
from nearer.errors import UsageError


@dataclass(frozen=True)
class Span:
    """
    Days from ``first`` to ``last``, both included.

    Parameters
    ----------
    first, last
        Days.
    """

    first: date
    last: date

    @property
    def days(self) -> int:
        """How many."""
        return (self.last - self.first).days + 1

    def within(self, zone: str) -> tuple[str, str]:
        """The moments, as text, from which on and before which it is one of these days in a time zone."""
        place = zone_of(zone) or UTC
        start = datetime.combine(self.first, time(), tzinfo=place)
        end = datetime.combine(self.last + timedelta(days=1), time(), tzinfo=place)
        return moment_text(start), moment_text(end)

    def __str__(self) -> str:
        return f"{self.first} to {self.last}"


def span_of(sql: Sql, first: str | date | None = None, last: str | date | None = None) -> Span:
    """
    A span as people give it; what is left out is where the ledger's events begin and end.

    Raises
    ------
    UsageError
        A text is no day, or the days are in the wrong order.
    """
    known = sql.one("SELECT MIN(at), MAX(at) FROM transactions WHERE seq > 1")
    assert known is not None
    zone = sql.one("SELECT time_zone FROM sites ORDER BY seq, site LIMIT 1")
    ends = [
        datetime.now(UTC).date() if text is None else local_day(moment_of(text), zone[0] if zone else "UTC")
        for text in known
    ]
    found = Span(_day(first) or ends[0], _day(last) or ends[1])
    if found.last < found.first:
        raise UsageError(f"The last day {found.last} is before the first, {found.first}; change one of them.")
    return found


def _day(text: str | date | None) -> date | None:
    if text is None or isinstance(text, date):
        return text
    try:
        found = date.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"{text!r} is no day; write 2026-03-31.") from error
    if not 2000 <= found.year < 9000:
        raise UsageError(f"{text} is no day of a ledger; write such as 2026-03-31.")
    return found


def zones(sql: Sql) -> dict[str, str]:
    """Time zone of every site, in the order of their making."""
    return {str(site): str(zone) for site, zone in sql.all("SELECT site, time_zone FROM sites ORDER BY seq, site")}


def monday(day: date) -> date:
    """The day on which a day's week begins."""
    return day - timedelta(days=day.weekday())


def week_name(day: date) -> str:
    """The ISO week of a day, ``2026-W09``; it sorts as it passes."""
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02d}"
