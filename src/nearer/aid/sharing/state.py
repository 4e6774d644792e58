"""What sharing reads of the ledger as of one transaction, in plain dictionaries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from nearer.aid.driver import Sql
from nearer.aid.refusals import unknown
from nearer.aid.tables import WEEKDAYS

Pair = tuple[str, str]
"""A site and an item, or a site and another."""

LIKE_WATER = {
    "mg": (1, 0), "g": (1_000, 0), "kg": (10**6, 0), "t": (10**9, 0), "ml": (1_000, 1_000), "l": (10**6, 10**6),
}  # fmt: skip
"""Milligrams and cubic millimetres of one base unit where an item was not measured and its unit says it."""


@dataclass(frozen=True)
class Site:
    """A site as it is: ``centre``, ``hub`` or ``partner``; ``open``, ``limited`` or ``closed``."""

    kind: str
    state: str
    weekdays: tuple[str, ...]
    grams: int | None = None
    millilitres: int | None = None
    cold_millilitres: int | None = None
    send_grams: int | None = None
    send_millilitres: int | None = None

    @property
    def is_closed(self) -> bool:
        """Whether nothing goes there."""
        return self.state == "closed"


@dataclass(frozen=True)
class Goods:
    """A lot: its item, dates and earmarks; whether it was recalled."""

    item: str
    use_by: str | None
    best_before: str | None
    cold: bool
    programme: str | None
    site: str | None
    recalled: bool
    order: tuple[str, int, int]

    def usable(self, day: str) -> bool:
        """Whether it may be given on a day or later."""
        return not self.recalled and (self.use_by is None or self.use_by >= day)


@dataclass(frozen=True)
class Measure:
    """Kilograms and litres of one base unit, and base units in a pack."""

    kg: Fraction
    litres: Fraction
    pack: int


@dataclass(frozen=True)
class State:
    """
    The ledger as of a transaction.

    Parameters
    ----------
    as_of
        The last transaction that counts.
    stock, reserved, transit
        Base units by (site, lot); (reservation, lot); (shipment, lot); nothing that is zero.
    reservations
        Site, the site it is for, and its transaction.
    shipments
        Where it goes, and the transaction by which it was promised: that of its reservation, if it had one.
    arrived
        Base units by (shipment, lot) that have come in good.
    """

    as_of: int
    sites: Mapping[str, Site]
    units: Mapping[str, str]
    measures: Mapping[str, Measure]
    lots: Mapping[str, Goods]
    stock: Mapping[Pair, int]
    reserved: Mapping[Pair, int]
    transit: Mapping[Pair, int]
    reservations: Mapping[str, tuple[str, str | None, int]]
    shipments: Mapping[str, tuple[str, int]]
    arrived: Mapping[Pair, int]
    ways: Mapping[Pair, tuple[int, int]]
    targets: Mapping[Pair, tuple[int, int]]
    surges: Mapping[str, tuple[int, int]]
    takeovers: Mapping[str, tuple[tuple[str, int], ...]]


def read_state(sql: Sql, as_of: int | None = None) -> State:
    """
    Read the ledger as it was after a transaction; after the last one without.

    Raises
    ------
    RefusedError
        There is no such transaction.
    """
    row = sql.one("SELECT MAX(seq) FROM transactions")
    top = int(row[0]) if row is not None and row[0] is not None else 0
    seq = top if as_of is None else as_of
    if not 1 <= seq <= top:
        raise unknown("transaction", str(seq), f"the last one is {top}")
    held = _held(sql, seq, top)
    return State(
        as_of=seq,
        sites=_sites(sql, seq),
        units=dict(sql.all("SELECT item, unit FROM items WHERE kind = 'goods' AND seq <= ? ORDER BY item", seq)),
        measures=_measures(sql, seq),
        lots=_lots(sql, seq),
        stock={(site, lot): quantity for (kind, site, _, lot), quantity in held.items() if kind == "STOCK"},
        reserved={(name, lot): quantity for (kind, _, name, lot), quantity in held.items() if kind == "RESERVED"},
        transit={(name, lot): quantity for (kind, _, name, lot), quantity in held.items() if kind == "TRANSIT"},
        reservations={
            name: (site, for_site, int(made))
            for name, site, for_site, made in sql.all(
                "SELECT reservation, site, for_site, seq FROM reservations WHERE seq <= ?", seq
            )
        }
        | {
            # What a desk has taken with it is at its site, for nobody else.
            name: (site, None, int(made))
            for name, site, made in sql.all("SELECT lease, site, seq FROM leases WHERE seq <= ?", seq)
        },
        shipments=_shipments(sql, seq),
        arrived=_arrived(sql, seq),
        ways=_ways(sql, seq),
        targets={
            (site, item): (int(minimum), int(target))
            for site, item, minimum, target in sql.all(
                "SELECT site, item, minimum, target FROM targets WHERE seq <= ? ORDER BY seq", seq
            )
        },
        surges=_surges(sql, seq),
        takeovers=_takeovers(sql, seq),
    )


def _held(sql: Sql, seq: int, top: int) -> dict[tuple[str, str, str, str], int]:
    """Stock, reservations and shipments: from the kept balances where nothing came later, from postings otherwise."""
    kinds = "a.kind IN ('STOCK', 'RESERVED', 'TRANSIT')"
    if seq == top:
        rows = sql.all(
            "SELECT a.kind, a.site, a.reference, b.lot, b.quantity FROM balances b "
            f"JOIN accounts a ON a.account = b.account WHERE {kinds} AND b.quantity > 0"
        )
    else:
        rows = sql.all(
            "SELECT a.kind, a.site, a.reference, p.lot, SUM(p.quantity) FROM postings p "
            f"JOIN accounts a ON a.account = p.account WHERE {kinds} AND p.seq <= ? "
            "GROUP BY a.kind, a.site, a.reference, p.lot HAVING SUM(p.quantity) > 0",
            seq,
        )
    return {(kind, site, reference, lot): int(quantity) for kind, site, reference, lot, quantity in rows}


def _sites(sql: Sql, seq: int) -> dict[str, Site]:
    states: dict[str, str] = dict(sql.all("SELECT site, state FROM site_states WHERE seq <= ? ORDER BY seq", seq))
    hours: dict[str, tuple[int, list[str]]] = {}
    for site, made, weekday in sql.all("SELECT site, seq, weekday FROM hours WHERE seq <= ? ORDER BY seq", seq):
        if site not in hours or hours[site][0] != made:
            hours[site] = (made, [])
        hours[site][1].append(weekday)
    rooms = {
        row[0]: row[1:]
        for row in sql.all(
            "SELECT site, grams, millilitres, cold_millilitres FROM capacities WHERE seq <= ? ORDER BY seq", seq
        )
    }
    last = {row[0]: row[1:] for row in sql.all(
        "SELECT vehicle, site, grams, millilitres, trips FROM vehicles WHERE seq <= ? ORDER BY seq", seq
    )}  # fmt: skip
    loads: dict[str, list[tuple[int, int | None]]] = {}
    for site, grams, millilitres, trips in last.values():
        loads.setdefault(site, []).append((grams * trips, None if millilitres is None and trips else
                                           (millilitres or 0) * trips))  # fmt: skip
    found: dict[str, Site] = {}
    for site, kind in sql.all("SELECT site, kind FROM sites WHERE seq <= ? ORDER BY site", seq):
        room = rooms.get(site, (None, None, None))
        there = loads.get(site)
        litres = None if there is None else [much for _, much in there]
        found[site] = Site(
            kind,
            states.get(site, "open"),
            tuple(sorted(hours[site][1], key=WEEKDAYS.index)) if site in hours else WEEKDAYS,
            grams=room[0],
            millilitres=room[1],
            cold_millilitres=room[2],
            send_grams=None if there is None else sum(much for much, _ in there),
            send_millilitres=None if litres is None or None in litres else sum(much or 0 for much in litres),
        )
    return found


def _measures(sql: Sql, seq: int) -> dict[str, Measure]:
    found: dict[str, Measure] = {}
    for item, unit in sql.all("SELECT item, unit FROM items WHERE kind = 'goods' AND seq <= ?", seq):
        if unit in LIKE_WATER:
            milligrams, cubic_mm = LIKE_WATER[unit]
            found[item] = Measure(Fraction(milligrams, 10**6), Fraction(cubic_mm, 10**6), 1)
    for item, base, milligrams, cubic_mm, pack in sql.all(
        "SELECT item, base_units, milligrams, cubic_mm, pack FROM measures WHERE seq <= ? ORDER BY seq", seq
    ):
        found[item] = Measure(
            Fraction(int(milligrams), 10**6 * int(base)), Fraction(int(cubic_mm), 10**6 * int(base)), int(pack)
        )
    return found


def _lots(sql: Sql, seq: int) -> dict[str, Goods]:
    """Lots of goods that something is held of, or was while it moved."""
    return {
        row[0]: Goods(
            row[1], row[2], row[3], bool(row[4]), row[5], row[6], row[7] is not None, (row[8], row[9], row[10])
        )
        for row in sql.all(
            "SELECT l.lot, l.item, l.use_by, l.best_before, l.cold, l.for_programme, l.for_site, r.lot, l.first_out, "
            "l.seq, l.line FROM lots l JOIN items i ON i.item = l.item "
            "LEFT JOIN recalls r ON r.lot = l.lot AND r.seq <= ? WHERE i.kind = 'goods' AND l.seq <= ?",
            seq,
            seq,
        )
    }


def _shipments(sql: Sql, seq: int) -> dict[str, tuple[str, int]]:
    promised = {
        int(sent): int(made)
        for sent, made in sql.all(
            "SELECT s.seq, MIN(r.seq) FROM shipments s JOIN postings p ON p.seq = s.seq "
            "JOIN accounts a ON a.account = p.account JOIN reservations r ON r.reservation = a.reference "
            "WHERE a.kind = 'RESERVED' AND s.seq <= ? GROUP BY s.seq",
            seq,
        )
    }
    return {
        name: (to, promised.get(int(sent), int(sent)))
        for name, to, sent in sql.all("SELECT shipment, to_site, seq FROM shipments WHERE seq <= ?", seq)
    }


def _arrived(sql: Sql, seq: int) -> dict[Pair, int]:
    """What shipments brought to their site's stock; a reversed arrival brought nothing."""
    return {
        (name, lot): int(quantity)
        for name, lot, quantity in sql.all(
            "SELECT m.shipment, p.lot, SUM(p.quantity) FROM "
            "(SELECT DISTINCT q.seq AS seq, s.shipment AS shipment, s.to_site AS site FROM postings q "
            "JOIN accounts a ON a.account = q.account JOIN shipments s ON s.shipment = a.reference "
            "WHERE a.kind = 'TRANSIT' AND q.seq <= ?) m "
            "JOIN postings p ON p.seq = m.seq JOIN accounts t ON t.account = p.account "
            "WHERE t.kind = 'STOCK' AND t.site = m.site GROUP BY m.shipment, p.lot",
            seq,
        )
        if quantity
    }


def _ways(sql: Sql, seq: int) -> dict[Pair, tuple[int, int]]:
    """Seconds and days; where only one direction is known, the other takes as long."""
    told = {
        (origin, to): (int(seconds), int(days))
        for origin, to, seconds, days in sql.all(
            "SELECT from_site, to_site, seconds, days FROM ways WHERE seq <= ? ORDER BY seq", seq
        )
    }
    return {(to, origin): much for (origin, to), much in told.items()} | told


def _surges(sql: Sql, seq: int) -> dict[str, tuple[int, int]]:
    """Thousandths of the usual need, and since which transaction: of the last approved proposal that says it."""
    return {
        site: (int(per_mille), int(made))
        for site, per_mille, made in sql.all(
            "SELECT u.site, u.per_mille, d.seq FROM surges u JOIN decisions d ON d.proposal = u.proposal "
            "WHERE d.outcome = 'approved' AND d.seq <= ? ORDER BY d.seq",
            seq,
        )
    }


def _takeovers(sql: Sql, seq: int) -> dict[str, tuple[tuple[str, int], ...]]:
    found: dict[str, tuple[int, list[tuple[str, int]]]] = {}
    for site, to, per_mille, made in sql.all(
        "SELECT t.site, t.to_site, t.per_mille, d.seq FROM takeovers t JOIN decisions d ON d.proposal = t.proposal "
        "WHERE d.outcome = 'approved' AND d.seq <= ? ORDER BY d.seq, t.to_site",
        seq,
    ):
        if site not in found or found[site][0] != made:
            found[site] = (int(made), [])
        found[site][1].append((to, int(per_mille)))
    return {site: tuple(shares) for site, (_, shares) in found.items()}
