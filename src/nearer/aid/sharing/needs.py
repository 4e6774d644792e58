"""
What centres need: requests that nothing has met yet, stock below its target, and what households may still draw.

A request is met by what is promised after it was made: each delivery counts for the open request of its site and item
that is needed first. A centre needs the most of the three, not their sum, and never what it has or what is on its way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

from nearer.aid.driver import Sql
from nearer.aid.sharing.state import Pair, State

SOURCES = ("requests", "targets", "enrolled")


@dataclass(frozen=True)
class OpenRequest:
    """A line of a request, and how much of it nothing has met or is on its way to meet, base units."""

    request: str
    site: str
    item: str
    programme: str | None
    needed_by: str | None
    asked: int
    open: int
    seq: int


@dataclass(frozen=True)
class Need:
    """
    So much of an item is needed at a site.

    Parameters
    ----------
    quantity, minimum
        Base units, and the part that comes before everybody's other wishes.
    programme
        The programme it is for; earmarked goods go only to theirs.
    needed_by
        Last day, if there is one.
    source
        ``requests``, ``targets`` or ``enrolled``.
    """

    site: str
    item: str
    quantity: int
    source: str
    minimum: int = 0
    programme: str = ""
    needed_by: str | None = None


def open_requests(sql: Sql, state: State) -> list[OpenRequest]:
    """Lines of requests that are neither closed nor met, in the order of their making."""
    ended = {
        request: int(seq)
        for request, seq in sql.all("SELECT request, seq FROM request_ends WHERE seq <= ?", state.as_of)
    }
    asked: dict[Pair, list[OpenRequest]] = {}
    for row in sql.all(
        "SELECT r.request, r.site, l.item, r.for_programme, r.needed_by, l.quantity, r.seq FROM requests r "
        "JOIN request_lines l ON l.request = r.request WHERE r.seq <= ? ORDER BY r.seq, l.item",
        state.as_of,
    ):
        line = OpenRequest(row[0], row[1], row[2], row[3], row[4], int(row[5]), int(row[5]), int(row[6]))
        asked.setdefault((line.site, line.item), []).append(line)
    promised = _promised(state, set(asked))
    found: list[OpenRequest] = []
    for pair, lines in asked.items():
        left = {line.request: line.open for line in lines}
        by_day = sorted(lines, key=lambda line: (line.needed_by or "9999", line.seq))
        for seq, quantity in sorted(promised.get(pair, [])):
            for line in by_day:
                if line.seq <= seq <= ended.get(line.request, seq):
                    part = min(quantity, left[line.request])
                    left[line.request] -= part
                    quantity -= part
        found += [
            replace(line, open=left[line.request])
            for line in lines
            if line.request not in ended and left[line.request] > 0
        ]
    return sorted(found, key=lambda line: (line.seq, line.item))


def _promised(state: State, pairs: set[Pair]) -> dict[Pair, list[tuple[int, int]]]:
    """By site and item: transaction and quantity of what came, comes, or lies ready elsewhere for the site."""
    found: dict[Pair, list[tuple[int, int]]] = {}
    for moved in (state.arrived, state.transit):
        for (name, lot), quantity in moved.items():
            to, seq = state.shipments[name]
            if lot in state.lots and (pair := (to, state.lots[lot].item)) in pairs:
                found.setdefault(pair, []).append((seq, quantity))
    for (name, lot), quantity in state.reserved.items():
        site, for_site, seq = state.reservations[name]
        if for_site is not None and for_site != site and (pair := (for_site, state.lots[lot].item)) in pairs:
            found.setdefault(pair, []).append((seq, quantity))
    return found


def available(state: State, day: str) -> dict[Pair, int]:
    """Base units by site and item that are there or on their way, and may be given on a day or later."""
    found: dict[Pair, int] = {}

    def add(site: str, lot: str, quantity: int) -> None:
        goods = state.lots.get(lot)
        if goods is not None and goods.usable(day) and goods.site in (None, site):
            found[site, goods.item] = found.get((site, goods.item), 0) + quantity

    for (site, lot), quantity in state.stock.items():
        add(site, lot, quantity)
    for (name, lot), quantity in state.transit.items():
        add(state.shipments[name][0], lot, quantity)
    for (name, lot), quantity in state.reserved.items():
        site, for_site, _ = state.reservations[name]
        add(for_site or site, lot, quantity)
    return found


def enrolled(sql: Sql, state: State, day: str) -> dict[tuple[str, str, str], int]:
    """
    Base units by site, item and programme that households may still draw in the periods of a day, gross of stock.

    Sums over households, by the site that served them last; never less than what the site handed over in the period
    before and has not yet in this one. Who has not come in either period is not known to the ledger.
    """
    found: dict[tuple[str, str, str], int] = {}
    for programme, period, first in sql.all(
        "SELECT programme, period, first_day FROM periods WHERE first_day <= ? AND last_day >= ? AND seq <= ? "
        "ORDER BY programme",
        day,
        day,
        state.as_of,
    ):
        left = _left(sql, state, programme, period)
        before = sql.one(
            "SELECT period FROM periods WHERE programme = ? AND last_day < ? AND seq <= ? "
            "ORDER BY last_day DESC LIMIT 1",
            programme,
            first,
            state.as_of,
        )
        earlier = {} if before is None else _drawn(sql, state, programme, before[0])
        now = _drawn(sql, state, programme, period)
        for pair in sorted({*left, *earlier}):
            quantity = max(left.get(pair, 0), earlier.get(pair, 0) - now.get(pair, 0))
            if quantity > 0:
                found[(*pair, programme)] = quantity
    return found


_NOT_REVERSED = "NOT EXISTS (SELECT 1 FROM transactions t WHERE t.reverses = h.seq AND t.seq <= ?)"


def _left(sql: Sql, state: State, programme: str, period: str) -> dict[Pair, int]:
    home: dict[str, str] = dict(
        sql.all(
            "SELECT h.tag, h.site FROM handovers h WHERE h.programme = ? AND h.period = ? AND h.seq <= ? "
            f"AND {_NOT_REVERSED} ORDER BY h.seq",
            programme,
            period,
            state.as_of,
            state.as_of,
        )
    )
    found: dict[Pair, int] = {}
    for statement, sign in (
        ("SELECT tag, item, quantity FROM grants WHERE programme = ? AND period = ? AND seq <= ?", 1),
        ("SELECT tag, item, quantity FROM draws WHERE programme = ? AND period = ? AND seq <= ?", -1),
    ):
        for tag, item, quantity in sql.all(statement, programme, period, state.as_of):
            if tag in home:
                pair = (home[tag], item)
                found[pair] = found.get(pair, 0) + sign * int(quantity)
    return found


def _drawn(sql: Sql, state: State, programme: str, period: str) -> dict[Pair, int]:
    return {
        (site, item): int(quantity)
        for site, item, quantity in sql.all(
            "SELECT h.site, d.item, SUM(d.quantity) FROM handovers h JOIN draws d ON d.seq = h.seq "
            f"WHERE h.programme = ? AND h.period = ? AND h.seq <= ? AND {_NOT_REVERSED} GROUP BY h.site, d.item",
            programme,
            period,
            state.as_of,
            state.as_of,
        )
    }


def needs_of(
    sql: Sql,
    state: State,
    first_day: date,
    sources: tuple[str, ...] = SOURCES,
    surges: Mapping[str, int] | None = None,
) -> list[Need]:
    """
    What each site needs besides what it has and what is on its way.

    Parameters
    ----------
    first_day
        Goods must keep until then to count as there.
    sources
        Which of ``SOURCES`` count.
    surges
        Thousandths of its usual need that a site is to have from now on, all of it; those in force already leave alone
        what was asked for after them.

    Returns
    -------
    list
        By site and item: open requests, then what households may still draw beyond them, then what the target still
        misses; closed sites too.
    """
    day, surges = first_day.isoformat(), surges or {}
    there = available(state, day)

    def surging(site: str, quantity: int, since: int = 0) -> int:
        if site in surges:
            return -(-quantity * surges[site] // 1000)
        per_mille, made = state.surges.get(site, (1000, 0))
        return quantity if since >= made else -(-quantity * per_mille // 1000)

    found: list[Need] = []
    so_far: dict[Pair, int] = {}
    at: dict[Pair, list[int]] = {}
    by_programme: dict[tuple[str, str, str], int] = {}

    def add(need: Need) -> None:
        if need.quantity > 0:
            found.append(need)
            pair = (need.site, need.item)
            at.setdefault(pair, []).append(len(found) - 1)
            so_far[pair] = so_far.get(pair, 0) + need.quantity
            key = (*pair, need.programme)
            by_programme[key] = by_programme.get(key, 0) + need.quantity

    if "requests" in sources:
        for line in open_requests(sql, state):
            needed_by = line.needed_by if line.needed_by is not None and line.needed_by >= day else None
            quantity = surging(line.site, line.open, line.seq)
            add(Need(line.site, line.item, quantity, "requests", 0, line.programme or "", needed_by))
    if "enrolled" in sources:
        spare = dict(there)
        for (site, item, programme), quantity in enrolled(sql, state, day).items():
            quantity = surging(site, quantity)
            covered = min(quantity, spare.get((site, item), 0))
            spare[site, item] = spare.get((site, item), 0) - covered
            quantity -= covered + by_programme.get((site, item, programme), 0)
            add(Need(site, item, quantity, "enrolled", 0, programme))
    if "targets" in sources:
        for (site, item), (minimum, target) in sorted(state.targets.items()):
            has = there.get((site, item), 0)
            least, quantity = max(0, surging(site, minimum) - has), surging(site, target) - has
            add(Need(site, item, quantity - so_far.get((site, item), 0), "targets"))
            for k in at.get((site, item), ()):
                # Whatever it is asked by, so much of it comes first.
                found[k] = replace(found[k], minimum=min(least, found[k].quantity))
                least -= found[k].minimum
    return sorted(found, key=lambda need: (need.site, need.item))
