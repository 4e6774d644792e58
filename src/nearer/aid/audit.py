"""
Proves a ledger: the chain, every promise about postings, and every kept sum; names the first row that is wrong.

The journal is read once, in order, in pieces; what is kept in memory are balances and lots, not postings.
"""

from __future__ import annotations

import gc
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import Any

from nearer.aid import accounts, audit_approvals, audit_handovers, triggers
from nearer.aid.canonical import GENESIS, Row, former, link_forms, read_parts, row_form, row_mark
from nearer.aid.desk.counting import ON_THE_SHELF
from nearer.aid.driver import Sql
from nearer.aid.store import Store, sql_of
from nearer.aid.tables import CHAINED, COLUMNS, JOURNAL
from nearer.progress import Progress, Silent

PIECE = 1_000
"""Transactions read at once."""

Rows = dict[str, list[dict[str, Any]]]
Forms = dict[str, list[bytes]]
"""Rows of one transaction by table, and their byte forms."""

MOST_FINDINGS = 50
"""After so many the audit ends: the first is the one to look at."""


@dataclass(frozen=True)
class Finding:
    """
    One thing that is wrong.

    Parameters
    ----------
    seq
        Transaction; None where no single one is meant.
    table, row
        Which table, and the row's key in words.
    text
        What is wrong, as a sentence.
    """

    seq: int | None
    table: str
    row: str
    text: str


@dataclass
class Report:
    """
    What an audit found.

    Parameters
    ----------
    ledger, transactions, postings, head
        What was read.
    heads
        Exported heads that the chain was held against, as "number hash".
    findings
        What is wrong, in the order of the journal; empty where all holds.
    """

    ledger: str = ""
    transactions: int = 0
    postings: int = 0
    head: str = ""
    heads: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings

    def as_json(self) -> dict[str, Any]:
        """The report as plain JSON."""
        return asdict(self) | {"holds": self.holds}


class _Enough(Exception):  # noqa: N818 - no error: enough was found
    pass


def audit(store: Store, heads: list[dict[str, Any]] | None = None, progress: Progress | None = None) -> Report:
    """
    Prove a ledger.

    Parameters
    ----------
    store
        The ledger.
    heads
        Exported heads (``nearer.aid.heads.read_head``) that it must contain.
    progress
        Where it tells how far it is.

    Returns
    -------
    Report
        With a finding for each thing that is wrong.
    """
    with store.reading() as connection:
        return audit_of(sql_of(connection), store.is_postgres, heads or [], progress or Silent())


def audit_of(sql: Sql, is_postgres: bool, heads: list[dict[str, Any]], progress: Progress) -> Report:
    """Prove what an open transaction sees; see ``audit``."""
    report = Report()
    audited = _Audit(sql, is_postgres, report, {int(head["seq"]) for head in heads})
    try:
        audited.guards()
        audited.journal(progress)
        audited.kept_sums()
        audited.exported(heads)
    except _Enough:
        pass
    # What concerns no single transaction comes last: the first line names the first bad row.
    report.findings.sort(key=lambda finding: finding.seq if finding.seq is not None else 2**63)
    return report


@contextmanager
def _collector_waiting() -> Iterator[None]:
    """Nothing in a piece goes in circles; looking for circles in it would take a fifth of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


class _Audit:
    def __init__(self, sql: Sql, is_postgres: bool, report: Report, asked: set[int]) -> None:
        self._sql = sql
        self._is_postgres = is_postgres
        self._report = report
        self._asked = asked
        self._hashes: dict[int, str] = {}
        self._balances: dict[tuple[str, str], int] = {}
        self._lots: dict[str, Row] = {}
        self._hand_overs = audit_handovers.HandOvers(self._find)
        self._approvals = audit_approvals.Approvals(self._find)

    def _find(self, seq: int | None, table: str, row: str, text: str) -> None:
        self._report.findings.append(Finding(seq, table, row, text))
        if len(self._report.findings) >= MOST_FINDINGS:
            raise _Enough

    def guards(self) -> None:
        """The triggers that refuse changes are there."""
        if self._is_postgres:
            rows = self._sql.all(
                "SELECT tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
                "JOIN pg_namespace n ON n.oid = c.relnamespace "
                "WHERE NOT tgisinternal AND tgenabled = 'O' AND n.nspname = current_schema()"
            )
            dialect = "postgresql"
        else:
            rows = self._sql.all("SELECT name FROM sqlite_master WHERE type = 'trigger'")
            dialect = "sqlite"
        missing = triggers.names_for(dialect, JOURNAL) - {row[0] for row in rows}
        for name in sorted(missing):
            self._find(None, name.rsplit("_no_", 1)[0], name, f"The trigger {name} is gone: rows could be changed.")

    def journal(self, progress: Progress) -> None:
        """Every transaction in order."""
        top = 0
        for name in JOURNAL:
            row = self._sql.one(f"SELECT MIN(seq), MAX(seq) FROM {name}")
            assert row is not None
            if row[0] is not None:
                top = max(top, int(row[1]))
                if int(row[0]) < 1:
                    self._find(int(row[0]), name, f"seq {row[0]}", f"{name} has a row before the first transaction.")
        self._report.transactions = top
        previous = GENESIS
        with progress.step("Proving the journal", top) as tick:
            for start in range(1, top + 1, PIECE):
                end = min(start + PIECE - 1, top)
                with _collector_waiting():
                    previous = self._piece(start, end, previous)
                tick(end - start + 1)
        self._report.head = previous if top else ""
        head = self._sql.one("SELECT seq, hash FROM head")
        if head is None or (int(head[0]), head[1]) != (top, previous):
            told = "none" if head is None else f"{head[0]} {str(head[1])[:12]}…"
            self._find(None, "head", "one", f"The head is {told}, but the chain ends with {top} {previous[:12]}….")

    def _piece(self, start: int, end: int, previous: str) -> str:
        """Some transactions in order; the hash of the last."""
        rows: dict[int, Rows] = {}
        forms: dict[int, Forms] = {}
        for name in CHAINED:
            self._read(name, start, end, rows, forms)
        links: dict[int, Rows] = {}
        self._read("chain", start, end, links, {})
        for seq in range(start, end + 1):
            here = rows.get(seq, {})
            before = len(self._report.findings)
            stored = links[seq]["chain"][0] if seq in links else None
            previous = self._link(seq, previous, here, forms.get(seq, {}), stored)
            self._learn(seq, here)
            if len(self._report.findings) == before:  # else it is known to be wrong already
                self._transaction(seq, here)
        return previous

    def _read(self, table: str, start: int, end: int, rows: dict[int, Rows], forms: dict[int, Forms]) -> None:
        """A table's rows of some transactions, and their byte forms."""
        columns = COLUMNS[table]
        form, place = former(columns), columns.index("seq")
        statement = f"SELECT {', '.join(columns)} FROM {table} WHERE seq >= ? AND seq <= ? ORDER BY seq"
        for seq, group in groupby(self._sql.all(statement, start, end), itemgetter(place)):
            found = list(group)
            rows.setdefault(seq, {})[table] = [dict(zip(columns, values, strict=True)) for values in found]
            forms.setdefault(seq, {})[table] = [form(values) for values in found]

    def _link(self, seq: int, previous: str, here: Rows, forms: Forms, stored: dict[str, Any] | None) -> str:
        """Compare one transaction with its link; go on from what is stored, so that one change is told once."""
        told = here["transactions"][0]["id"] if "transactions" in here else "?"
        if stored is None:
            self._find(seq, "chain", f"seq {seq}", f"Transaction {seq} ({told}) has no link in the chain.")
            return link_forms(previous, seq, forms)[0]
        hashed, parts = link_forms(previous, seq, forms)
        if seq in self._asked:
            self._hashes[seq] = str(stored["hash"])
        if hashed == stored["hash"] and stored["previous"] == previous and parts == stored["parts"]:
            return hashed
        written, found_any = read_parts(str(stored["parts"])), False
        for name in sorted({*written, *here}):
            marks = list(written.get(name, []))
            strangers = []
            for row in here.get(name, []):
                mark = row_mark(row_form(row))
                if mark in marks:
                    marks.remove(mark)
                else:
                    strangers.append(row)
            for row in strangers:
                what = "was changed" if marks else "was added later"
                if marks:
                    marks.pop()
                self._find(
                    seq, name, key_of(name, row), f"Transaction {seq} ({told}): {name} row {key_of(name, row)} {what}."
                )
            if marks:
                count = "a row" if len(marks) == 1 else f"{len(marks)} rows"
                self._find(seq, name, f"seq {seq}", f"Transaction {seq} ({told}): {count} of {name} is missing.")
            found_any |= bool(strangers or marks)
        if not found_any:
            self._find(
                seq, "chain", f"seq {seq}", f"Transaction {seq} ({told}): its link does not follow from the one before."
            )
        return str(stored["hash"])

    def _learn(self, seq: int, here: Rows) -> None:
        """Take over what later transactions are held against."""
        for row in here.get("lots", []):
            self._lots[row["lot"]] = row
        self._hand_overs.learn(seq, here)
        self._approvals.learn(here)
        postings = here.get("postings", [])
        self._report.postings += len(postings)
        self._sums(seq, postings)

    def _transaction(self, seq: int, here: Rows) -> None:
        """The promises about one transaction."""
        header = here["transactions"][0]
        postings = here.get("postings", [])
        if header["reverses"] is not None:
            self._reversal(seq, int(header["reverses"]), postings)
        else:
            self._origins(seq, postings, here.get("lot_sources", []))
        if header["kind"] in audit_handovers.KINDS:
            self._hand_overs.check(seq, header, here, self._lots)
        for row in here.get("stocktakes", []):
            self._stocktake(seq, row, postings, here.get("stocktake_lines", []))
        if header["kind"] == "approve":
            self._approvals.check(seq, here)

    def _sums(self, seq: int, postings: list[dict[str, Any]]) -> None:
        sums: dict[str, int] = {}
        touched: dict[tuple[str, str], None] = {}
        for row in postings:
            sums[row["lot"]] = sums.get(row["lot"], 0) + row["quantity"]
            key = (row["account"], row["lot"])
            self._balances[key] = self._balances.get(key, 0) + row["quantity"]
            touched[key] = None
        for lot, total in sums.items():
            if total:
                self._find(
                    seq, "postings", f"lot {lot}", f"Transaction {seq}: its postings of lot {lot} sum to {total}."
                )
        for account, lot in touched:
            if (held := self._balances[account, lot]) < 0 and accounts.is_bounded(account):
                self._find(
                    seq,
                    "postings",
                    f"{account} {lot}",
                    f"Transaction {seq}: {account} holds {held} of lot {lot} after it.",
                )

    def _reversal(self, seq: int, target: int, postings: list[dict[str, Any]]) -> None:
        undone = self._sql.all("SELECT account, lot, quantity FROM postings WHERE seq = ?", target)
        if target >= seq or sorted((r["account"], r["lot"], -r["quantity"]) for r in postings) != sorted(
            (account, lot, int(quantity)) for account, lot, quantity in undone
        ):
            self._find(
                seq, "transactions", f"seq {seq}", f"Transaction {seq} is not the opposite of transaction {target}."
            )

    def _origins(self, seq: int, postings: list[dict[str, Any]], sources: list[dict[str, Any]]) -> None:
        """Lots come from their giver, from other lots, or from a count, once."""
        into: dict[str, int] = {}
        made: list[str] = []
        for row in postings:
            kind, lot = row["account"].split(":", 1)[0], self._lots.get(row["lot"])
            if lot is None:
                self._find(seq, "lots", str(row["lot"]), f"Transaction {seq}: the lot {row['lot']} was never made.")
                continue
            if kind == accounts.DONOR and (
                row["quantity"] > 0 or lot["seq"] != seq or row["account"] != accounts.donor(str(lot["giver"]))
            ):
                self._find(
                    seq,
                    "postings",
                    f"line {row['line']}",
                    f"Transaction {seq}: lot {row['lot']} does not come from its giver.",
                )
            if kind == accounts.CONVERT:
                if row["quantity"] > 0:
                    into[row["lot"]] = into.get(row["lot"], 0) + row["quantity"]
                else:
                    made.append(row["lot"])
        told: dict[str, int] = {}
        for row in sources:
            told[row["source"]] = told.get(row["source"], 0) + row["quantity"]
        if told != into or {row["lot"] for row in sources} != set(made):
            self._find(
                seq,
                "lot_sources",
                f"seq {seq}",
                f"Transaction {seq}: what was made does not match what it was made of.",
            )

    def _stocktake(
        self, seq: int, count: dict[str, Any], postings: list[dict[str, Any]], lines: list[dict[str, Any]]
    ) -> None:
        """What should have been there at the cut-off is what the postings say, and the difference was posted."""
        variance: dict[str, int] = {}
        for row in postings:
            if row["account"] == accounts.variance(count["site"]):
                variance[row["lot"]] = variance.get(row["lot"], 0) - row["quantity"]
        for line in lines:
            due = self._sql.one(ON_THE_SHELF, line["lot"], count["site"], count["cutoff"])
            assert due is not None
            if int(due[0]) != line["expected"] or variance.get(line["lot"], 0) != line["counted"] - line["expected"]:
                self._find(
                    seq,
                    "stocktake_lines",
                    f"lot {line['lot']}",
                    f"Transaction {seq}: counting lot {line['lot']} found {line['counted']} for {int(due[0])}, "
                    f"but {variance.get(line['lot'], 0)} was posted for {line['expected']}.",
                )

    def kept_sums(self) -> None:
        """Balances and what is left to households are the sums of their rows."""
        kept = {
            (account, lot): int(quantity)
            for account, lot, quantity in self._sql.all("SELECT account, lot, quantity FROM balances")
        }
        for key in sorted({*kept, *self._balances}):
            if (there := kept.get(key, 0)) != (due := self._balances.get(key, 0)):
                account, lot = key
                self._find(
                    None,
                    "balances",
                    f"{account} {lot}",
                    f"The balance of {account} for lot {lot} is {there}, its postings sum to {due}.",
                )
        # No tag is told: a finding may be read by anybody.
        for programme, period, item, left, due in self._sql.all(
            "SELECT programme, period, item, left_over, due FROM ("
            "SELECT g.programme, g.period, g.item, a.left_over, "
            "g.quantity - COALESCE((SELECT SUM(d.quantity) FROM draws d WHERE d.programme = g.programme "
            "AND d.period = g.period AND d.tag = g.tag AND d.item = g.item), 0) AS due "
            "FROM grants g LEFT JOIN allowances a ON a.programme = g.programme AND a.period = g.period "
            "AND a.tag = g.tag AND a.item = g.item) AS accounts_of_households "
            "WHERE left_over IS NULL OR left_over <> due OR due < 0"
        ):
            self._find(
                None,
                "allowances",
                f"{programme} {period} {item}",
                f"A household's account in {programme} {period} has {left} {item} left, its draws leave {due}.",
            )
        grants, allowances = (self._sql.one(f"SELECT COUNT(*) FROM {name}") for name in ("grants", "allowances"))
        if grants != allowances:
            self._find(None, "allowances", "all", "There are accounts of households that were never opened.")
        audit_handovers.check_visits(self._sql, self._find)

    def exported(self, heads: list[dict[str, Any]]) -> None:
        """The chain contains heads that were exported earlier."""
        first = self._sql.one("SELECT answer FROM transactions WHERE seq = 1")
        try:
            self._report.ledger = str(json.loads(first[0])["ledger"]) if first else ""
        except (ValueError, KeyError, TypeError):
            self._report.ledger = ""
        for head in heads:
            seq = int(head["seq"])
            if head["ledger"] != self._report.ledger:
                self._find(None, "chain", f"seq {seq}", f"The exported head is of another ledger, {head['ledger']}.")
                continue
            found = self._hashes.get(seq)
            if found == head["hash"]:
                self._report.heads.append(f"{seq} {head['hash']}")
            elif found is None:
                self._find(
                    self._report.transactions + 1,
                    "chain",
                    f"seq {seq}",
                    f"The chain had {seq} on {head['at']} and ends before: its tail was cut off.",
                )
            else:
                self._find(
                    None,
                    "chain",
                    f"seq {seq}",
                    f"Transaction {seq} is not the one of {head['at']}: the chain was rewritten.",
                )


def key_of(table: str, row: Row) -> str:
    """What names a row, in words; the opaque tag of a household is never told."""
    keys = [column.name for column in JOURNAL[table].primary_key.columns if column.name != "tag"]
    return ", ".join(f"{name} {row[name]}" for name in keys)


def findings_text(report: Report) -> Iterator[str]:
    """The report in sentences."""
    if report.holds:
        yield f"All holds: {report.transactions} transactions, {report.postings} postings, head {report.head}."
    else:
        yield f"{len(report.findings)} thing{'s are' if len(report.findings) > 1 else ' is'} wrong; the first:"
        yield from (f"  {finding.text}" for finding in report.findings)
    if report.heads:
        yield from (f"The exported head {head.split()[0]} is part of this chain." for head in report.heads)
    else:
        yield "No exported head was given, so a cut tail or a wholly rewritten chain would not be found."
