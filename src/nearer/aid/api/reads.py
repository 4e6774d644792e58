"""The questions of ``nearer.aid.views`` in pages, and the traces, the head and the audit."""

from __future__ import annotations

import json
from typing import Any, Literal

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict, Field

from nearer.aid import views
from nearer.aid.accounts import KINDS
from nearer.aid.api.paging import after, cursor_of
from nearer.aid.refusals import unknown
from nearer.aid.store import Store
from nearer.aid.tables import accounts, lots, metadata, postings, transactions

AccountKind = Literal[
    "DONOR",
    "VARIANCE",
    "CONVERT",
    "PLEDGED",
    "STOCK",
    "RESERVED",
    "TRANSIT",
    "HANDED_OVER",
    "EXPIRED",
    "DAMAGED",
    "LOST",
    "RETURNED",
    "SPENT",
]
assert set(AccountKind.__args__) == set(KINDS)  # type: ignore[attr-defined]


class BalanceRow(BaseModel):
    """What an account holds of a lot, in base units."""

    kind: AccountKind
    site: str
    reference: str
    item: str
    lot: str
    quantity: int
    unit: str
    use_by: str | None
    best_before: str | None


class MovementRow(BaseModel):
    """One posting, and what its account then held of the lot."""

    seq: int
    at: str
    kind: str
    actor: str
    account: str
    lot: str
    item: str
    quantity: int
    then: int


class TransactionRow(BaseModel):
    """One command that was carried out, and its answer."""

    seq: int
    id: str
    kind: str
    at: str
    recorded_at: str
    actor: str
    desk: str
    reverses: int | None
    answer: dict[str, Any]


class Head(BaseModel):
    """The ledger's number, how many transactions it has and the hash of the last."""

    ledger: str
    seq: int
    hash: str


class Traced(BaseModel):
    """A lot's way back and forward; see ``nearer.aid.trace``."""

    asked: str
    lots: list[dict[str, Any]]


class FindingRow(BaseModel):
    """One thing that is wrong."""

    seq: int | None
    table: str
    row: str
    text: str


class AuditReport(BaseModel):
    """What an audit found; ``holds`` where nothing is wrong."""

    ledger: str
    transactions: int
    postings: int
    head: str
    heads: list[str]
    findings: list[FindingRow]
    holds: bool


class ExportedHead(BaseModel):
    """A head as ``nearer aid head`` wrote it."""

    model_config = ConfigDict(extra="forbid")

    ledger: str
    seq: int = Field(ge=0, lt=2**63)
    hash: str
    at: str
    public_key: str
    signature: str


def balances_page(store: Store, limit: int, cursor: str | None, **only: str | None) -> dict[str, Any]:
    """What accounts hold, without those that hold nothing."""
    wanted = views.balances_query(**only).add_columns(lots.c.first_out, lots.c.seq, lots.c.line)
    return _page(store, wanted, views.BALANCES_ORDER, limit, cursor, ("first_out", "seq", "line"))


def list_page(store: Store, table: str, limit: int, cursor: str | None) -> dict[str, Any]:
    """The rows of one set-up table, in the order of their making."""
    found = metadata.tables[table]
    keys = tuple({column.name: column for column in (found.c.seq, *found.primary_key.columns)}.values())
    return _page(store, sa.select(found), keys, limit, cursor, ("seq",))


def transactions_page(store: Store, limit: int, cursor: str | None) -> dict[str, Any]:
    """Every command that was carried out, with its answer, the first first."""
    page = _page(store, _transactions(), (transactions.c.seq,), limit, cursor)
    page["rows"] = [{**row, "answer": json.loads(row["answer"])} for row in page["rows"]]
    return page


def transaction(store: Store, id: str) -> dict[str, Any]:
    """The command that an id stands for, with its answer."""
    with store.reading() as connection:
        row = connection.execute(_transactions().where(transactions.c.id == id)).first()
    if row is None:
        raise unknown("transaction with the id", id, "send the command, it was not carried out")
    return {**row._mapping, "answer": json.loads(row.answer)}


def _transactions() -> sa.Select[Any]:
    return sa.select(*(transactions.c[name] for name in TransactionRow.model_fields))


def movements_page(
    store: Store, limit: int, cursor: str | None, *, newest: bool = False, **only: str | None
) -> dict[str, Any]:
    """
    Every posting in order, or the newest first, and what its account then held.

    What an account held before a page's oldest row is the sum of its postings of the lot so far, asked for the page's
    lots alone.
    """
    keys = (postings.c.seq, postings.c.line)
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
            postings.c.line,
        )
        .select_from(
            postings.join(transactions, transactions.c.seq == postings.c.seq)
            .join(accounts, accounts.c.account == postings.c.account)
            .join(lots, lots.c.lot == postings.c.lot)
        )
        .where(after(keys, cursor, descending=newest))
        .order_by(*(key.desc() if newest else key for key in keys))
        .limit(limit + 1)
    )
    for column, name in ((accounts.c.site, "site"), (accounts.c.kind, "kind"), (lots.c.item, "item")):
        if only.get(name) is not None:
            wanted = wanted.where(column == only[name])
    if only.get("lot") is not None:
        wanted = wanted.where(lots.c.lot == only["lot"])
    with store.reading() as connection:
        rows = [dict(row._mapping) for row in connection.execute(wanted)]
        in_order = rows[::-1] if newest else rows
        held: dict[tuple[str, str], int] = {}
        # Before a first page there is nothing: filters keep or drop an account's lot as a whole.
        if rows and (newest or cursor is not None):
            before = (
                sa.select(postings.c.account, postings.c.lot, sa.func.sum(postings.c.quantity))
                .where(postings.c.lot.in_({row["lot"] for row in rows}))
                .where(postings.c.account.in_({row["account"] for row in rows}))
                .where(sa.tuple_(*keys) < sa.tuple_(in_order[0]["seq"], in_order[0]["line"]))
                .group_by(postings.c.account, postings.c.lot)
            )
            held = {(account, lot): int(total) for account, lot, total in connection.execute(before)}
    for row in in_order:
        key = (row["account"], row["lot"])
        row["then"] = held[key] = held.get(key, 0) + row["quantity"]
    return _cut(rows, limit, ("seq", "line"), ("line",))


def head(store: Store) -> dict[str, Any]:
    """Where the chain ends."""
    with store.reading() as connection:
        row = connection.execute(sa.text("SELECT seq, hash FROM head")).one()
        return {"ledger": store.ledger(connection), "seq": int(row[0]), "hash": str(row[1])}


def _page(
    store: Store,
    wanted: sa.Select[Any],
    keys: tuple[sa.ColumnElement[Any], ...],
    limit: int,
    cursor: str | None,
    hidden: tuple[str, ...] = (),
) -> dict[str, Any]:
    wanted = wanted.where(after(keys, cursor)).order_by(*keys).limit(limit + 1)
    with store.reading() as connection:
        rows = [dict(row._mapping) for row in connection.execute(wanted)]
    return _cut(rows, limit, [str(key.key) for key in keys], hidden)


def _cut(rows: list[dict[str, Any]], limit: int, keys: Any, hidden: tuple[str, ...]) -> dict[str, Any]:
    """A page of ``limit`` rows out of one more, which only says that there are more."""
    more = cursor_of([rows[limit - 1][key] for key in keys]) if len(rows) > limit else None
    shown = [{name: value for name, value in row.items() if name not in hidden} for row in rows[:limit]]
    return {"rows": shown, "next": more}
