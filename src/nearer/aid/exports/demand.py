"""
Past visits by centre and period: the table with which running feeds planning.

It has the columns that ``nearer curve --history`` reads, and with places, those of a study's people. A centre and
period with fewer than k households is left out. It is for planners; what is for everybody is a published table.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from nearer.aid.driver import Sql
from nearer.aid.publishing.counts import closed_days
from nearer.aid.seeing.served import Visit, visits
from nearer.aid.seeing.span import Span, week_name, zones

LEAST = 10

Places = Mapping[str, tuple[float, float]]


def history_rows(sql: Sql, span: Span, *, by: str = "month", least: int = LEAST) -> list[dict[str, Any]]:
    """
    Visits by centre and period: ``centre``, ``period``, ``visits`` and how many ``centres`` were open then.

    Parameters
    ----------
    by
        "month" or "week"; only whole ones within the span count.
    least
        Households that a row needs.
    """
    periods = _whole_periods(span, by)
    seen: dict[tuple[str, str], list[Visit]] = defaultdict(list)
    for visit in visits(sql, span):
        if (name := _period(visit.day, by)) in periods:
            seen[name, visit.site].append(visit)
    centres = [str(site) for (site,) in sql.all("SELECT site FROM sites WHERE kind <> 'hub' ORDER BY seq, site")]
    zone_of = zones(sql)
    shut = {site: closed_days(sql, site, zone_of[site]) for site in centres}
    found = []
    for name, days in periods.items():
        is_open = sum(not all(any(start < day < end for start, end in shut[site]) for day in days) for site in centres)
        for site in centres:
            there = seen.get((name, site), [])
            if _households(there) >= least:
                found.append({"centre": site, "period": name, "visits": len(there), "centres": max(is_open, 1)})
    return found


def demand_rows(sql: Sql, span: Span, places: Places, *, least: int = LEAST) -> list[dict[str, Any]]:
    """Centres that have a place, as points of demand: ``id``, ``lon``, ``lat`` and ``visits`` of a span of days."""
    seen: dict[str, list[Visit]] = defaultdict(list)
    for visit in visits(sql, span):
        seen[visit.site].append(visit)
    return [
        {"id": site, "lon": places[site][0], "lat": places[site][1], "visits": len(there)}
        for site, there in sorted(seen.items())
        if site in places and _households(there) >= least
    ]


def _households(seen: list[Visit]) -> int:
    """How many different households there are at least: those of one programme and period are."""
    groups: dict[tuple[str, str], set[str]] = defaultdict(set)
    for visit in seen:
        groups[visit.programme, visit.period].add(visit.tag)
    return max((len(tags) for tags in groups.values()), default=0)


def _period(day: date, by: str) -> str:
    return week_name(day) if by == "week" else f"{day.year}-{day.month:02d}"


def _whole_periods(span: Span, by: str) -> dict[str, list[date]]:
    """Weeks or months that lie wholly in the span, with their days."""
    found: dict[str, list[date]] = defaultdict(list)
    for k in range(-31, span.days + 31):
        day = span.first + timedelta(days=k)
        found[_period(day, by)].append(day)
    inside = {name: days for name, days in found.items() if span.first <= days[0] and days[-1] <= span.last}
    return {name: days for name, days in inside.items() if len(days) >= (7 if by == "week" else 28)}
