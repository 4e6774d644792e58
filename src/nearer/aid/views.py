"""Questions to the ledger: what is where, how it came and went, and what there is to choose from."""

from __future__ import annotations

from typing import Any, Literal, get_args

import sqlalchemy as sa

from nearer.aid.accounts import KINDS
from nearer.aid.refusals import unknown
from nearer.aid.store import Store
from nearer.aid.tables import accounts, balances, items, lots, metadata, postings, transactions
from nearer.errors import UsageError

Listed = Literal[
    "sites",
    "parties",
    "items",
    "item_units",
    "recipes",
    "recipe_lines",
    "programmes",
    "periods",
    "entitlement_rules",
    "measures",
    "hours",
    "capacities",
    "vehicles",
    "ways",
    "targets",
]

LISTED: tuple[str, ...] = get_args(Listed)
"""Tables that ``nearer aid list`` shows."""


BALANCES_ORDER = (
    accounts.c.site,
    accounts.c.kind,
    lots.c.item,
    lots.c.first_out,
    lots.c.seq,
    lots.c.line,
    accounts.c.reference,
)
"""Places, and in each what ends first; no two balances are the same in it."""


def balances_query(
    *, kind: str | None = None, site: str | None = None, item: str | None = None, lot: str | None = None
) -> sa.Select[Any]:
    """What accounts hold, in no order."""
    if kind is not None and kind not in KINDS:
        raise UsageError(f"There is no account of kind {kind}; there are {', '.join(KINDS)}.")
    wanted = (
        sa.select(
            accounts.c.kind,
            accounts.c.site,
            accounts.c.reference,
            lots.c.item,
            balances.c.lot,
            balances.c.quantity,
            items.c.unit,
            lots.c.use_by,
            lots.c.best_before,
        )
        .select_from(
            balances.join(accounts, accounts.c.account == balances.c.account)
            .join(lots, lots.c.lot == balances.c.lot)
            .join(items, items.c.item == lots.c.item)
        )
        .where(balances.c.quantity != 0)
    )
    for column, value in ((accounts.c.kind, kind), (accounts.c.site, site), (lots.c.item, item), (lots.c.lot, lot)):
        if value is not None:
            wanted = wanted.where(column == value)
    return wanted


def balances_of(
    store: Store, *, kind: str | None = None, site: str | None = None, item: str | None = None, lot: str | None = None
) -> list[dict[str, Any]]:
    """
    What accounts hold, without those that hold nothing.

    Returns
    -------
    list
        For each account and lot: kind, site, reference, item, lot, quantity (base units), unit, use_by, best_before; in
        the order of site, kind, item and what ends first.
    """
    wanted = balances_query(kind=kind, site=site, item=item, lot=lot).order_by(*BALANCES_ORDER)
    with store.reading() as connection:
        return [dict(row._mapping) for row in connection.execute(wanted)]


def movements_of(
    store: Store, *, site: str | None = None, item: str | None = None, lot: str | None = None
) -> list[dict[str, Any]]:
    """The movement card of a site, an item or a lot: every posting in order, and what its account then held."""
    wanted = (
        sa.select(
            postings.c.seq,
            transactions.c.at,
            transactions.c.kind,
            transactions.c.actor,
            postings.c.account,
            postings.c.lot,
            lots.c.item,
            postings.c.quantity,
            sa.func.sum(postings.c.quantity)
            .over(partition_by=(postings.c.account, postings.c.lot), order_by=(postings.c.seq, postings.c.line))
            .label("then"),
        )
        .select_from(
            postings.join(transactions, transactions.c.seq == postings.c.seq)
            .join(accounts, accounts.c.account == postings.c.account)
            .join(lots, lots.c.lot == postings.c.lot)
        )
        .order_by(postings.c.seq, postings.c.line)
    )
    for column, value in ((accounts.c.site, site), (lots.c.item, item), (lots.c.lot, lot)):
        if value is not None:
            wanted = wanted.where(column == value)
    with store.reading() as connection:
        return [dict(row._mapping) | {"then": int(row.then)} for row in connection.execute(wanted)]


def listed(store: Store, table: str) -> list[dict[str, Any]]:
    """The rows of one set-up table, in the order of their making."""
    if table not in LISTED:
        raise UsageError(f"There is no list {table}; there are {', '.join(LISTED)}.")
    found = metadata.tables[table]
    with store.reading() as connection:
        rows = connection.execute(sa.select(found).order_by(found.c.seq, *found.primary_key.columns))
        return [{name: value for name, value in row._mapping.items() if name != "seq"} for row in rows]


def held_of(store: Store, site: str, *, item: str | None = None, lot: str | None = None) -> int:
    """
    What a site holds of an item or a lot, free and set aside together, in base units.

    Raises
    ------
    UnknownError
        There is no such site, item or lot.
    """
    with store.reading() as connection:
        for table, column, code in (("sites", "site", site), ("items", "item", item), ("lots", "lot", lot)):
            found = metadata.tables[table]
            if code is not None and not connection.execute(sa.select(found).where(found.c[column] == code)).first():
                raise unknown(column, code, f"see `nearer aid {'balances' if lot else f'list {table}'}`")
    rows = balances_of(store, site=site, item=item, lot=lot)
    # What a desk has leased (K…) went with it.
    here = (row for row in rows if row["kind"] in ("STOCK", "RESERVED") and not row["reference"].startswith("K"))
    return sum(row["quantity"] for row in here)
