"""What lay at a site before and after a span of days, and what came and went between."""

from __future__ import annotations

from typing import Any

from nearer.aid.clock import local_day, moment_of
from nearer.aid.driver import Sql
from nearer.aid.refusals import unknown
from nearer.aid.seeing.span import Span, zones
from nearer.errors import UsageError

WAYS: dict[str, tuple[str, ...]] = {
    "given": ("receive", "receive-pledge"),
    "bought": ("buy",),
    "arrived": ("arrive",),
    "made": ("make",),
    "sent": ("send",),
    "handed_over": ("hand-over", "hand-over-offline"),
    "written_off": ("expire", "damage", "lose"),
    "returned": ("give-back",),
    "spent": ("spend",),
    "counted": ("stocktake",),
}
"""Columns of a flow table, and the commands that each sums up; whatever else moves goods is ``other``."""

_WAY = {kind: way for way, kinds in WAYS.items() for kind in kinds}

_HELD = (
    "FROM postings p JOIN accounts a ON a.account = p.account JOIN lots l ON l.lot = p.lot "
    "JOIN transactions t ON t.seq = p.seq LEFT JOIN transactions o ON o.seq = t.reverses "
    "WHERE a.kind IN ('STOCK', 'RESERVED') AND a.site = ?"
)
"""What lies on a site's shelves, free or set aside; a reversal counts as what it reverses, the other way round."""


def flows(sql: Sql, span: Span, *, site: str | None = None) -> list[dict[str, Any]]:
    """
    What each site held of each item at the beginning and at the end, and what came and went between.

    Returns
    -------
    list
        ``site``, ``item``, ``unit``, ``opening``, the columns of ``WAYS``, ``other``, ``closing``, in base units; what
        left is below zero. Opening and all that came and went add up to closing.
    """
    known = zones(sql)
    if site is not None and site not in known:
        raise unknown("site", site, "see `nearer aid list sites`")
    units: dict[str, str] = dict(sql.all("SELECT item, unit FROM items"))
    found = []
    for place, zone in known.items():
        if site not in (None, place):
            continue
        start, end = span.within(zone)
        opening: dict[str, int] = dict(
            sql.all(f"SELECT l.item, SUM(p.quantity) {_HELD} AND t.at < ? GROUP BY l.item", place, start)
        )
        moved: dict[str, dict[str, int]] = {}
        for item, kind, quantity in sql.all(
            f"SELECT l.item, COALESCE(o.kind, t.kind), SUM(p.quantity) {_HELD} AND t.at >= ? AND t.at < ? "
            "GROUP BY l.item, COALESCE(o.kind, t.kind)",
            place,
            start,
            end,
        ):
            row = moved.setdefault(str(item), {})
            way = _WAY.get(str(kind), "other")
            row[way] = row.get(way, 0) + int(quantity)
        for item in sorted({*opening, *moved}):
            first = int(opening.get(item, 0))
            ways = {way: moved.get(item, {}).get(way, 0) for way in (*WAYS, "other")}
            if first or any(ways.values()):
                found.append(
                    {"site": place, "item": item, "unit": units[item], "opening": first}
                    | ways
                    | {"closing": first + sum(ways.values())}
                )
    return found


def stock_card(sql: Sql, span: Span, site: str, *, item: str | None = None, lot: str | None = None) -> dict[str, Any]:
    """
    The movement card of an item or a lot at a site.

    Parameters
    ----------
    site
        Where.
    item, lot
        Exactly one of them.

    Returns
    -------
    dict
        ``opening`` and ``closing`` in base units, and ``lines`` in the order of their moments: transaction, day, kind,
        lot, ``came``, ``went`` and what was there then (``held``). Goods that are set aside count as there.
    """
    if (item is None) == (lot is None):
        raise UsageError("A movement card is of one item or of one lot; give --item or --lot.")
    zone = zones(sql).get(site)
    if zone is None:
        raise unknown("site", site, "see `nearer aid list sites`")
    column, code = ("l.item", item) if item is not None else ("l.lot", lot)
    table = "items" if item is not None else "lots"
    if sql.one(f"SELECT 1 FROM {table} WHERE {table[:-1]} = ?", code) is None:
        raise unknown(table[:-1], str(code), "see `nearer aid list items`, or `nearer aid balances`")
    start, end = span.within(zone)
    before = sql.one(f"SELECT COALESCE(SUM(p.quantity), 0) {_HELD} AND {column} = ? AND t.at < ?", site, code, start)
    assert before is not None
    held = opening = int(before[0])
    lines = []
    for seq, at, kind, name, quantity in sql.all(
        f"SELECT t.seq, t.at, t.kind, p.lot, SUM(p.quantity) {_HELD} AND {column} = ? AND t.at >= ? AND t.at < ? "
        "GROUP BY t.seq, t.at, t.kind, p.lot HAVING SUM(p.quantity) <> 0 ORDER BY t.at, t.seq, p.lot",
        site,
        code,
        start,
        end,
    ):
        amount = int(quantity)
        held += amount
        lines.append(
            {
                "transaction": int(seq),
                "day": local_day(moment_of(at), zone).isoformat(),
                "kind": kind,
                "lot": name,
                "came": max(amount, 0) or None,
                "went": max(-amount, 0) or None,
                "held": held,
            }
        )
    return {
        "site": site,
        "item": item,
        "lot": lot,
        "first": span.first.isoformat(),
        "last": span.last.isoformat(),
        "opening": opening,
        "lines": lines,
        "closing": held,
    }
