"""Transfers in the ledger one by one, against a bare loop of the same statements."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.given import Given
from benchmarks.table import Table, count
from nearer.aid import commands as c
from nearer.aid import driver
from nearer.aid.audit import audit
from nearer.aid.migrate import create
from nearer.aid.store import Store

HEADINGS = ("one after the other", "transfers", "per second", "CPU ms each", "p50 ms", "p99 ms", "of the bare loop")
Statement = tuple[str, list[tuple[Any, ...]], bool]


def tables(given: Given) -> Iterator[Table]:
    """Durable transfers on SQLite, and on PostgreSQL where NEARER_AID_POSTGRES names an empty database."""
    transfers = 50 if given.small else 3_000
    table = Table("Durable transfers", HEADINGS)
    table.notes.append(
        "A transfer is a checked command with an id, two postings, two balances, a link of the hash chain and a commit "
        "that is on disk (SQLite: WAL, synchronous FULL). The bare loop runs the same statements with the same values "
        "through sqlite3 alone, on a copy of the same file, in the same process right afterwards."
    )
    with tempfile.TemporaryDirectory() as folder:
        ours, bare = Path(folder) / "ours.db", Path(folder) / "bare.db"
        create(str(ours))
        with Store(str(ours)) as store:
            _stock(store)
        shutil.copy(ours, bare)
        _timed(ours, 20)  # the very first open statement caches
        shutil.copy(bare, ours)
        first = _timed(ours, transfers)
        statements = _recorded(bare, transfers)
        shutil.copy(bare, Path(folder) / "again.db")
        connection = sqlite3.connect(Path(folder) / "again.db", isolation_level=None)
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "recursive_triggers = ON"):
            connection.execute(f"PRAGMA {pragma}")
        second = _each(len(statements), lambda number: _run(connection, statements[number]))
        connection.close()
        table.rows.append(_row("nearer, SQLite", first, second))
        table.rows.append(_row("bare sqlite3", second, second))
        start = time.perf_counter()
        with Store(str(ours)) as store:
            report = audit(store)
        assert report.holds
        spent = time.perf_counter() - start
        table.notes.append(f"Audit of {count(report.postings)} postings: {spent:.2f} s.")
    address = os.environ.get("NEARER_AID_POSTGRES")
    if address:
        create(address)
        with Store(address) as store:
            _stock(store)
        table.rows.append(_row("nearer, PostgreSQL", _timed(address, transfers), None))
    else:
        table.notes.append("PostgreSQL was not measured: set NEARER_AID_POSTGRES to the address of an empty database.")
    yield table


def _stock(store: Store) -> None:
    for number, command in enumerate(
        (
            c.AddSite(site="hub", name="Hub"),
            c.AddSite(site="north", name="North"),
            c.AddParty(party="mill"),
            c.AddItem(item="rice", name="Rice", unit="g"),
            c.Receive(site="hub", giver="mill", lines=(c.Gift(item="rice", quantity=10**9),)),
        )
    ):
        store.do(command, id=f"set-up-{number:04d}", actor="bench")


def _timed(place: Path | str, transfers: int) -> tuple[list[float], float]:
    """Seconds of each transfer, and processor seconds of all."""
    command = c.Send(site="hub", to="north", lines=(c.Wanted(item="rice", quantity=5),))
    with Store(str(place)) as store:
        return _each(transfers, lambda number: store.do(command, id=f"send-{number:08d}", actor="bench"))


def _each(times: int, work: Callable[[int], object]) -> tuple[list[float], float]:
    spent = []
    before = time.process_time()
    for number in range(times):
        start = time.perf_counter()
        work(number)
        spent.append(time.perf_counter() - start)
    return spent, time.process_time() - before


def _recorded(template: Path, transfers: int) -> list[list[Statement]]:
    """The statements of each transfer, as the driver gets them."""
    found: list[list[Statement]] = []
    plain_run, plain_one, plain_all, plain_insert = (
        driver.Sql.run,
        driver.Sql.one,
        driver.Sql.all,
        driver.Sql.insert,
    )

    def note(statement: str, values: list[tuple[Any, ...]], reads: bool) -> None:
        if statement == "BEGIN IMMEDIATE":
            found.append([])
        found[-1].append((statement, values, reads))

    def run(self: driver.Sql, statement: str, *values: driver.Value) -> int:
        note(statement, [values], False)
        return plain_run(self, statement, *values)

    def one(self: driver.Sql, statement: str, *values: driver.Value) -> Any:
        note(statement, [values], True)
        return plain_one(self, statement, *values)

    def every(self: driver.Sql, statement: str, *values: driver.Value) -> Any:
        note(statement, [values], True)
        return plain_all(self, statement, *values)

    def insert(self: driver.Sql, table: str, columns: Any, rows: Any) -> None:
        kept = [tuple(row) for row in rows]
        note(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})", kept, False)
        plain_insert(self, table, columns, kept)

    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "record.db"
        shutil.copy(template, copy)
        changed = {"run": run, "one": one, "all": every, "insert": insert}
        before = {name: getattr(driver.Sql, name) for name in changed}
        try:
            for name, function in changed.items():
                setattr(driver.Sql, name, function)
            _timed(copy, transfers)
        finally:
            for name, function in before.items():
                setattr(driver.Sql, name, function)
    return found


def _run(connection: sqlite3.Connection, statements: list[Statement]) -> None:
    for statement, values, reads in statements:
        if len(values) > 1:
            connection.executemany(statement, values)
        else:
            cursor = connection.execute(statement, values[0])
            if reads:
                cursor.fetchall()
    connection.commit()


def _row(name: str, ours: tuple[list[float], float], bare: tuple[list[float], float] | None) -> tuple[str, ...]:
    spent, cpu = ours
    ordered = sorted(spent)
    rate = len(spent) / sum(spent)
    share = "–" if bare is None else f"{100 * rate / (len(bare[0]) / sum(bare[0])):.0f} %"
    return (
        name,
        count(len(spent)),
        count(rate),
        f"{1000 * cpu / len(spent):.2f}",
        f"{1000 * ordered[len(ordered) // 2]:.2f}",
        f"{1000 * ordered[int(len(ordered) * 0.99)]:.2f}",
        share,
    )
