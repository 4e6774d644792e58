"""
Where a lot came from and what became of it.

A lot made of others carries a share of each: of a kit's lot of 10, made with 40 of a lot of rice, each kit carries 4.
What was handed over of the kits hands over that share of the rice; it is a share, told as an exact fraction, and no
claim about which grain.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from nearer.aid import accounts
from nearer.aid.driver import Sql
from nearer.aid.refusals import unknown
from nearer.aid.store import Store, sql_of


def trace(store: Store, name: str) -> dict[str, Any]:
    """
    A lot's way in both directions.

    Parameters
    ----------
    store
        The ledger.
    name
        A lot (``L12-1``), a hand-over or any transaction's number (``H40``, ``40``), or a thank-you number.

    Returns
    -------
    dict
        ``lots``: for each lot meant, ``back`` (gifts, purchases' funds and counts that it comes from, with shares in
        base units of the source) and ``forward`` (accounts where it or what was made of it is, with its share).
    """
    with store.reading() as connection:
        sql = sql_of(connection)
        return {"asked": name, "lots": [_traced(sql, lot) for lot in _lots_of(sql, name)]}


def _lots_of(sql: Sql, name: str) -> list[str]:
    rows = sql.all("SELECT lot FROM lots WHERE lot = ? OR thanks = ? ORDER BY seq, line", name, name)
    if not rows:
        number = name[1:] if name[:1].isalpha() else name
        if number.isdigit() and len(number) < 18:
            rows = sql.all(
                "SELECT DISTINCT l.lot, l.seq, l.line FROM postings p JOIN lots l ON l.lot = p.lot WHERE p.seq = ? "
                "ORDER BY l.seq, l.line",
                int(number),
            )
    if not rows:
        raise unknown("lot", name, "give a lot such as L12-1, a transaction's number or a thank-you number")
    return [row[0] for row in rows]


def _traced(sql: Sql, lot: str) -> dict[str, Any]:
    row = sql.one(
        "SELECT l.item, l.origin, l.use_by, l.best_before, i.unit, r.reason "
        "FROM lots l JOIN items i ON i.item = l.item LEFT JOIN recalls r ON r.lot = l.lot WHERE l.lot = ?",
        lot,
    )
    assert row is not None
    item, origin, use_by, best_before, unit, recalled = row
    return {
        "lot": lot,
        "item": item,
        "unit": unit,
        "origin": origin,
        "use_by": use_by,
        "best_before": best_before,
        "recalled": recalled,
        "made": _made(sql, lot),
        "back": _back(sql, lot),
        "forward": _forward(sql, lot),
    }


def _made(sql: Sql, lot: str) -> int:
    """Base units that ever came into being of a lot."""
    row = sql.one(
        "SELECT COALESCE(SUM(p.quantity), 0) FROM postings p JOIN accounts a ON a.account = p.account "
        "WHERE p.lot = ? AND a.kind IN ('DONOR', 'CONVERT', 'VARIANCE') AND p.quantity < 0 "
        "AND NOT EXISTS (SELECT 1 FROM transactions t WHERE t.seq = p.seq AND t.reverses IS NOT NULL)",
        lot,
    )
    assert row is not None
    return -int(row[0])


def _back(sql: Sql, lot: str) -> list[dict[str, Any]]:
    """Every lot that this one was made of, down to gifts and counts, with the quantity that went in for all of it."""
    found: list[dict[str, Any]] = []
    todo: list[tuple[str, Fraction]] = [(lot, Fraction(_made(sql, lot)))]
    while todo:
        name, amount = todo.pop(0)
        row = sql.one("SELECT item, origin, giver, seq, thanks FROM lots WHERE lot = ?", name)
        assert row is not None
        item, origin, giver, seq, _ = row
        found.append(
            {
                "lot": name,
                "item": item,
                "origin": origin,
                "giver": giver,
                "transaction": int(seq),
                "quantity": str(amount),
            }
        )
        whole = _made(sql, name)
        for source, quantity in sql.all("SELECT source, quantity FROM lot_sources WHERE lot = ? ORDER BY source", name):
            todo.append((source, int(quantity) * amount / whole if whole else Fraction(0)))
    return found


def _forward(sql: Sql, lot: str) -> list[dict[str, Any]]:
    """Where the lot and what was made of it is now, with this lot's share in its own base units."""
    found: list[dict[str, Any]] = []
    todo: list[tuple[str, Fraction]] = [(lot, Fraction(1))]
    while todo:
        name, each = todo.pop(0)
        for account, quantity in sql.all(
            "SELECT account, quantity FROM balances WHERE lot = ? AND quantity <> 0 ORDER BY account", name
        ):
            kind, site, reference = accounts.parts(account)
            if kind in accounts.UNBOUNDED:
                continue
            found.append(
                {
                    "lot": name,
                    "kind": kind,
                    "site": site,
                    "reference": reference,
                    "quantity": int(quantity),
                    "share": str(int(quantity) * each),
                }
            )
        for made, quantity in sql.all("SELECT lot, quantity FROM lot_sources WHERE source = ? ORDER BY lot", name):
            if whole := _made(sql, made):
                todo.append((made, each * int(quantity) / whole))
    return found
