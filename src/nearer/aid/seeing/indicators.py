"""
How well a span of days went: who was reached, how fairly, how fast, what was wasted and what it cost.

A household is an account: a programme, a period and an opaque tag. Whoever is served by two programmes, or in two
periods, counts in each; that they are one household is known to nobody here, on purpose. A household belongs to the
centre of its first visit in the period. Nothing is said of a single household; indicators are for staff, and what is
published goes through ``nearer.aid.publishing``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date
from fractions import Fraction
from statistics import median
from typing import Any

from nearer.aid.driver import Sql
from nearer.aid.seeing.origins import Origins
from nearer.aid.seeing.served import Visit, given, visits
from nearer.aid.seeing.span import Span, monday, week_name, zones

SOON = 3
"""So many days before its use-by day, or fewer, goods were handed over in the last moment."""

Table = list[dict[str, Any]]


@dataclass(frozen=True)
class Indicators:
    """
    What a span of days says. Shares are from 0 to 1; quantities are base units; None is "nothing to count".

    Parameters
    ----------
    first, last
        Days.
    visits, households
        Hand-overs that stand, and accounts that were served.
    expected, coverage
        Households that were to be reached, as told by whoever asks, and the share of them that was served.
    least_fill, median_fill
        Of what its households were entitled to, the share that a centre handed over (items count alike): the least
        among the centres, and the median.
    days_to_hand_over
        Median days from the day goods came in to the day they were handed over, over all lines of hand-overs.
    days_left, last_moment
        Median days between hand-over and use-by day, and the share of lines with at most ``SOON`` days.
    traced, to_a_giver
        Share of lines whose path back ends at givers and named counts, and at givers only.
    money_out, cost_per_household
        By currency, in its base units: what was spent and paid for goods, and that divided by the households served.
    goods_value
        By currency: what the goods handed over were worth, where lots have a value.
    centres, items, fill, waste, weeks
        Tables: by centre; by item; by centre and item; by cause, item and place; by centre and week.
    """

    first: str
    last: str
    visits: int
    households: int
    expected: int | None
    coverage: float | None
    least_fill: float | None
    median_fill: float | None
    days_to_hand_over: float | None
    days_left: float | None
    last_moment: float | None
    traced: float | None
    to_a_giver: float | None
    money_out: dict[str, int]
    cost_per_household: dict[str, float]
    goods_value: dict[str, int]
    centres: Table
    items: Table
    fill: Table
    waste: Table
    weeks: Table

    def as_json(self) -> dict[str, Any]:
        """All of it as plain values."""
        return asdict(self)

    def figures(self) -> Table:
        """The figures without the tables, one row each."""
        found: Table = []
        for name, value in asdict(self).items():
            if isinstance(value, dict):
                found += [{"indicator": f"{name}, {coin}", "value": amount} for coin, amount in value.items()]
            elif not isinstance(value, list):
                found.append({"indicator": name, "value": value})
        return found


def indicators(sql: Sql, span: Span, *, expected: int | None = None) -> Indicators:
    """
    Count what happened in a span of days.

    Parameters
    ----------
    sql
        The ledger, open for reading.
    span
        Days.
    expected
        How many households were to be reached; the ledger cannot know.
    """
    seen = list(visits(sql, span))
    home = _homes(sql, seen, span)
    fill = _fill(sql, home)
    lines = _Lines(sql, span, seen)
    centres = _centres(sql, seen, home, fill)
    fills = [row["fill"] for row in centres if row["fill"] is not None]
    households = len({visit.claim for visit in seen})
    money = _money_out(sql, span)
    return Indicators(
        first=span.first.isoformat(),
        last=span.last.isoformat(),
        visits=len(seen),
        households=households,
        expected=expected,
        coverage=None if not expected else households / expected,
        least_fill=min(fills, default=None),
        median_fill=_median(fills),
        days_to_hand_over=_median(lines.waited),
        days_left=_median(lines.left),
        last_moment=_share(sum(days <= SOON for days in lines.left), len(lines.left)),
        traced=_share(lines.traced, lines.count),
        to_a_giver=_share(lines.to_giver, lines.count),
        money_out=money,
        cost_per_household={coin: amount / households for coin, amount in money.items()} if households else {},
        goods_value={coin: round(worth) for coin, worth in sorted(lines.worth.items())},
        centres=centres,
        items=_items(sql, span, lines, fill),
        fill=fill,
        waste=waste(sql, span),
        weeks=_weeks(seen),
    )


def waste(sql: Sql, span: Span) -> Table:
    """What was written off, lost or found missing by a count: kind, cause, site, item, quantity in base units."""
    found: dict[tuple[str, str, str, str], int] = defaultdict(int)
    for site, zone in zones(sql).items():
        start, end = span.within(zone)
        for kind, reason, item, quantity in sql.all(
            "SELECT a.kind, w.reason, l.item, w.quantity FROM reasons w JOIN accounts a ON a.account = w.account "
            "JOIN lots l ON l.lot = w.lot JOIN transactions t ON t.seq = w.seq "
            "LEFT JOIN transactions r ON r.reverses = w.seq WHERE r.seq IS NULL AND a.site = ? "
            "AND (a.kind IN ('EXPIRED', 'DAMAGED', 'LOST') OR (a.kind = 'VARIANCE' AND w.quantity > 0 "
            "AND w.reason NOT IN ('over', 'found'))) AND t.at >= ? AND t.at < ?",
            site,
            start,
            end,
        ):
            found[kind, reason, site, item] += int(quantity)
    units: dict[str, str] = dict(sql.all("SELECT item, unit FROM items"))
    return [
        {"kind": kind, "cause": cause, "site": site, "item": item, "quantity": quantity, "unit": units[item]}
        for (kind, cause, site, item), quantity in sorted(found.items())
    ]


class _Lines:
    """Every line of every hand-over that stands: how long it lay, how long it still had, and where it came from."""

    def __init__(self, sql: Sql, span: Span, seen: Iterable[Visit]) -> None:
        origins, zone_of = Origins(sql), zones(sql)
        goods = given(sql, span)
        self.waited: list[int] = []
        self.left: list[int] = []
        self.count = self.traced = self.to_giver = 0
        self.worth: dict[str, Fraction] = defaultdict(Fraction)
        self.by_item: dict[str, dict[str, Any]] = defaultdict(lambda: {"quantity": 0, "waited": [], "left": []})
        for visit in seen:
            for line in goods.get(visit.seq, []):
                item = self.by_item[origins.item(line.lot)]
                item["quantity"] += line.quantity
                waited = (visit.day - origins.since(line.lot, zone_of[visit.site])).days
                self.waited.append(waited)
                item["waited"].append(waited)
                if (end := origins.use_by(line.lot)) is not None:
                    self.left.append((end - visit.day).days)
                    item["left"].append((end - visit.day).days)
                roots = origins.roots(line.lot)
                self.count += 1
                self.traced += "nowhere" not in roots
                self.to_giver += roots == {"gift"}
                for coin, worth in origins.value(line.lot, Fraction(line.quantity)).items():
                    self.worth[coin] += worth


def _homes(sql: Sql, seen: list[Visit], span: Span) -> dict[tuple[str, str, str], str]:
    """Accounts whose first visit that stands lies in the span, and the centre of that visit."""
    started = {(programme, period): first for programme, period, first in sql.all(
        "SELECT programme, period, first_day FROM periods"
    )}  # fmt: skip
    earlier: set[tuple[str, str, str]] = set()
    begun = [first for key, first in started.items() if key in {(v.programme, v.period) for v in seen}]
    if begun and (first := date.fromisoformat(min(begun))) < span.first:
        before = Span(first, date.fromordinal(span.first.toordinal() - 1))
        earlier = {visit.claim for visit in visits(sql, before)}
    found: dict[tuple[str, str, str], str] = {}
    for visit in seen:
        if visit.claim not in earlier:
            found.setdefault(visit.claim, visit.site)
    return found


def _fill(sql: Sql, home: dict[tuple[str, str, str], str]) -> Table:
    """By centre and item: what its households were entitled to, what they have drawn by now, and the share."""
    sums: dict[tuple[str, str], list[int]] = {}
    for programme, period in sorted({claim[:2] for claim in home}):
        for tag, item, quantity, left in sql.all(
            "SELECT g.tag, g.item, g.quantity, a.left_over FROM grants g "
            "JOIN allowances a ON a.programme = g.programme AND a.period = g.period AND a.tag = g.tag "
            "AND a.item = g.item WHERE g.programme = ? AND g.period = ?",
            programme,
            period,
        ):
            site = home.get((programme, period, tag))
            if site is not None and int(quantity):
                entry = sums.setdefault((site, str(item)), [0, 0])
                entry[0] += int(quantity)
                entry[1] += int(quantity) - int(left)
    units: dict[str, str] = dict(sql.all("SELECT item, unit FROM items"))
    return [
        {
            "site": site,
            "item": item,
            "unit": units[item],
            "entitled": entitled,
            "handed_over": drawn,
            "unmet": entitled - drawn,
            "fill": drawn / entitled,
        }
        for (site, item), (entitled, drawn) in sorted(sums.items())
    ]


def _centres(sql: Sql, seen: list[Visit], home: dict[tuple[str, str, str], str], fill: Table) -> Table:
    names: dict[str, str] = dict(sql.all("SELECT site, name FROM sites"))
    found = []
    for site in zones(sql):
        there = [visit for visit in seen if visit.site == site]
        shares = [row["fill"] for row in fill if row["site"] == site]
        if there or shares:
            found.append(
                {
                    "site": site,
                    "name": names[site],
                    "visits": len(there),
                    "households": len({visit.claim for visit in there}),
                    "first_here": sum(place == site for place in home.values()),
                    "fill": sum(shares) / len(shares) if shares else None,
                    "least_fill": min(shares, default=None),
                }
            )
    return found


def _items(sql: Sql, span: Span, lines: _Lines, fill: Table) -> Table:
    lost: dict[str, int] = defaultdict(int)
    for row in waste(sql, span):
        lost[row["item"]] += row["quantity"]
    found = []
    for item, name, unit in sql.all("SELECT item, name, unit FROM items WHERE kind = 'goods' ORDER BY item"):
        line = lines.by_item.get(item, {"quantity": 0, "waited": [], "left": []})
        mine = [row for row in fill if row["item"] == item]
        entitled, drawn = sum(row["entitled"] for row in mine), sum(row["handed_over"] for row in mine)
        if line["quantity"] or lost[item] or entitled:
            fills = [row["fill"] for row in mine]
            found.append(
                {
                    "item": item,
                    "name": name,
                    "unit": unit,
                    "handed_over": line["quantity"],
                    "wasted": lost[item],
                    "waste_share": _share(lost[item], lost[item] + line["quantity"]) if line["quantity"] else None,
                    "unmet": entitled - drawn,
                    "fill": _share(drawn, entitled),
                    "least_fill": min(fills, default=None),
                    "median_fill": _median(fills),
                    "days_to_hand_over": _median(line["waited"]),
                    "days_left": _median(line["left"]),
                }
            )
    return found


def _weeks(seen: list[Visit]) -> Table:
    counts: dict[tuple[str, date, str], list[Visit]] = defaultdict(list)
    for visit in seen:
        counts[week_name(visit.day), monday(visit.day), visit.site].append(visit)
    return [
        {
            "week": week,
            "from": start.isoformat(),
            "site": site,
            "visits": len(there),
            "households": len({visit.claim for visit in there}),
        }
        for (week, start, site), there in sorted(counts.items())
    ]


def _money_out(sql: Sql, span: Span) -> dict[str, int]:
    """By currency: money spent, and money that became goods, less what was reversed."""
    found: dict[str, int] = defaultdict(int)
    for site, zone in zones(sql).items():
        start, end = span.within(zone)
        for item, quantity in sql.all(
            "SELECT l.item, SUM(p.quantity) FROM postings p JOIN accounts a ON a.account = p.account "
            "JOIN lots l ON l.lot = p.lot JOIN items i ON i.item = l.item JOIN transactions t ON t.seq = p.seq "
            "WHERE i.kind = 'money' AND a.kind IN ('SPENT', 'CONVERT') AND a.site = ? AND t.at >= ? AND t.at < ? "
            "GROUP BY l.item",
            site,
            start,
            end,
        ):
            found[str(item)] += int(quantity)
    return {coin: amount for coin, amount in sorted(found.items()) if amount}


def _median(values: Iterable[float]) -> float | None:
    known = list(values)
    return float(median(known)) if known else None


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None
