"""One transaction while it is being written: its rows, its postings, and what it may not do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from nearer.aid import accounts
from nearer.aid.canonical import former, link_forms
from nearer.aid.clock import local_day, moment_text
from nearer.aid.driver import Sql, Value
from nearer.aid.refusals import ClaimError, NotEnoughError, RefusedError, unknown
from nearer.aid.tables import CHAINED, COLUMNS

MOST = 10**15
"""No single quantity is larger, so that sums stay within 64 bits."""

_ORDER = tuple(CHAINED)

Claim = tuple[str, str, str]
"""Programme, period and tag: whose account."""


class Book:
    """
    Collects what one command writes; ``close`` writes it and extends the chain.

    A command reads through ``sql`` (nobody else writes meanwhile) and writes through ``add`` and ``move``; nothing
    reaches the database before ``close``.

    Parameters
    ----------
    sql
        The open transaction that holds the chain's head.
    seq
        Number of this transaction.
    previous
        Hash of the one before.
    id
        What the client calls it.
    at
        When it happened, as told.
    known_accounts
        Accounts that are in the ledger for certain, so that they need not be looked up.
    recorded_at
        When it came in; when it happened, without one.
    """

    def __init__(
        self,
        sql: Sql,
        seq: int,
        previous: str,
        id: str,
        at: datetime,
        known_accounts: set[str] | None = None,
        recorded_at: datetime | None = None,
    ) -> None:
        self.sql = sql
        self.seq = seq
        self.id = id
        self.at = at
        self.recorded_at = at if recorded_at is None else recorded_at
        self.reverses: int | None = None
        self.previous = previous
        self._rows: dict[str, list[tuple[Value, ...]]] = {}
        self._postings: list[tuple[str, str, int]] = []
        self._allowed: dict[tuple[Claim, str], int] = {}
        self._opened: set[tuple[Claim, str]] = set()
        self._known = known_accounts if known_accounts is not None else set()
        self.new_accounts: set[str] = set()

    def add(self, table: str, **values: Value) -> None:
        """Write one row of a journal table; ``seq`` is filled in."""
        values["seq"] = self.seq
        self._rows.setdefault(table, []).append(tuple(map(values.get, COLUMNS[table])))

    def move(self, lot: str, quantity: int, source: str, target: str) -> None:
        """
        Post a quantity of a lot from one account to another.

        Parameters
        ----------
        lot, quantity
            Of what, and how much in base units, above zero.
        source, target
            Accounts.
        """
        if not 0 < quantity <= MOST:
            raise RefusedError(
                "A quantity must be above zero and at most {most}, not {quantity}.", most=MOST, quantity=quantity
            )
        self._postings.append((source, lot, -quantity))
        self._postings.append((target, lot, quantity))

    def move_back(self, postings: Iterable[tuple[str, str, int]]) -> None:
        """Undo postings (account, lot, quantity) of an earlier transaction."""
        self._postings.extend((account, lot, -quantity) for account, lot, quantity in postings)

    def grant(self, claim: Claim, item: str, quantity: int) -> None:
        """Open a household's account for an item; ``close`` writes what is left of it."""
        programme, period, tag = claim
        self.add("grants", programme=programme, period=period, tag=tag, item=item, quantity=quantity)
        self._allowed[claim, item] = self._allowed.get((claim, item), 0) + quantity
        self._opened.add((claim, item))

    def draw(self, claim: Claim, item: str, quantity: int) -> None:
        """Draw on a household's account for an item, or give back with a quantity below zero."""
        programme, period, tag = claim
        self.add("draws", programme=programme, period=period, tag=tag, item=item, quantity=quantity)
        self._allowed[claim, item] = self._allowed.get((claim, item), 0) - quantity

    def count_of(self, table: str) -> int:
        """How many rows of a table this transaction writes so far."""
        return len(self._rows.get(table, ()))

    def balance(self, account: str, lot: str) -> int:
        """What an account holds of a lot before this transaction."""
        row = self.sql.one("SELECT quantity FROM balances WHERE account = ? AND lot = ?", account, lot)
        return 0 if row is None else int(row[0])

    def day_at(self, site: str) -> str:
        """The day that it is at a site when this happens, as text."""
        row = self.sql.one("SELECT time_zone FROM sites WHERE site = ?", site)
        if row is None:
            raise unknown("site", site, "see `nearer aid list sites`")
        return local_day(self.at, row[0]).isoformat()

    def close(self, header: Mapping[str, Value], answer: bytes) -> str:
        """
        Write everything, extend the chain and move its head.

        Parameters
        ----------
        header
            The transaction's row without ``seq`` and ``answer``.
        answer
            What whoever asked is told, in canonical form.

        Returns
        -------
        hash
            The new head.

        Raises
        ------
        NotEnoughError
            A bounded account would go below zero.
        """
        self.add("transactions", **header, answer=answer.decode("utf-8"))
        self._post()
        forms: dict[str, list[bytes]] = {}
        for name in _ORDER:
            if rows := self._rows.get(name):
                self.sql.insert(name, COLUMNS[name], rows)
                forms[name] = list(map(former(COLUMNS[name]), rows))
        self._sum_up()
        self._sum_up_claims()
        hashed, parts = link_forms(self.previous, self.seq, forms)
        self.sql.insert("chain", COLUMNS["chain"], [(self.seq, self.previous, parts, hashed)])
        moved = self.sql.run("UPDATE head SET seq = ?, hash = ? WHERE seq = ?", self.seq, hashed, self.seq - 1)
        if moved != 1:
            raise RefusedError("The chain's head was moved by somebody else; nothing was written.")
        return hashed

    def _post(self) -> None:
        """Turn postings into rows, and new accounts too; each lot sums to zero by construction and is checked again."""
        sums: dict[str, int] = {}
        for _, lot, quantity in self._postings:
            sums[lot] = sums.get(lot, 0) + quantity
        if any(sums.values()):
            raise AssertionError(f"postings of {[lot for lot, total in sums.items() if total]} do not sum to zero")
        for account in dict.fromkeys(account for account, _, _ in self._postings):
            if account not in self._known and not self.sql.one("SELECT 1 FROM accounts WHERE account = ?", account):
                kind, site, reference = accounts.parts(account)
                self.add("accounts", account=account, kind=kind, site=site, reference=reference)
            self.new_accounts.add(account)
        for line, (account, lot, quantity) in enumerate(self._postings, start=1):
            self.add("postings", line=line, account=account, lot=lot, quantity=quantity)

    def _sum_up(self) -> None:
        """Bring balances in line with the postings; what may not go below zero is asked of the row itself."""
        deltas: dict[tuple[str, str], int] = {}
        for account, lot, quantity in self._postings:
            deltas[account, lot] = deltas.get((account, lot), 0) + quantity
        for (account, lot), delta in deltas.items():
            if delta < 0 and accounts.is_bounded(account):
                touched = self.sql.run(
                    "UPDATE balances SET quantity = quantity + ? WHERE account = ? AND lot = ? AND quantity + ? >= 0",
                    delta,
                    account,
                    lot,
                    delta,
                )
                if touched != 1:
                    held = self.balance(account, lot)
                    raise NotEnoughError(
                        "{account} holds {held} of lot {lot}, not {asked}; nothing was written.",
                        account=account,
                        held=held,
                        lot=lot,
                        asked=-delta,
                    )
            elif delta:
                self.sql.run(
                    "INSERT INTO balances (account, lot, quantity) VALUES (?, ?, ?) "
                    "ON CONFLICT (account, lot) DO UPDATE SET quantity = balances.quantity + excluded.quantity",
                    account,
                    lot,
                    delta,
                )

    def _sum_up_claims(self) -> None:
        for (claim, item), change in self._allowed.items():
            if (claim, item) in self._opened and change >= 0:
                self.sql.insert("allowances", COLUMNS["allowances"], [(*claim, item, change)])
                continue
            touched = self.sql.run(
                "UPDATE allowances SET left_over = left_over + ? "
                "WHERE programme = ? AND period = ? AND tag = ? AND item = ? AND left_over + ? >= 0",
                change,
                *claim,
                item,
                change,
            )
            if touched != 1:
                raise ClaimError(
                    "This household has less than {asked} of {item} left in this period.", asked=-change, item=item
                )


def header_of(
    *,
    id: str,
    kind: str,
    at: datetime,
    recorded_at: datetime,
    actor: str,
    desk: str,
    body_hash: str,
    reverses: int | None,
) -> dict[str, Any]:
    """A transaction's row, without its number and its answer."""
    told = moment_text(at)
    return {
        "id": id,
        "kind": kind,
        "at": told,
        "recorded_at": told if recorded_at is at else moment_text(recorded_at),
        "actor": actor,
        "desk": desk,
        "body_hash": body_hash,
        "reverses": reverses,
    }
