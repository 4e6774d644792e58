"""A changed, dropped, added or swapped row is found and named; a cut tail is found against an exported head."""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from nearer.aid import commands as c
from nearer.aid import triggers
from nearer.aid.audit import Finding, audit, findings_text
from nearer.aid.canonical import GENESIS, link
from nearer.aid.heads import export_head, make_key, read_head, write_head
from nearer.aid.migrate import create
from nearer.aid.store import Store
from nearer.aid.tables import CHAINED, COLUMNS, JOURNAL
from nearer.errors import InputError, UsageError

from .conftest import NewPlace
from .town import LEDGER, Desk, Ticking, every_command, tag


@pytest.fixture(scope="module")
def weeks(sqlite_templates: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger in which every command was used."""
    file = tmp_path_factory.mktemp("weeks") / "weeks.db"
    shutil.copy(sqlite_templates["town"], file)
    with Store(str(file), clock=Ticking()) as store:
        every_command(Desk(store))
    return file


class Tampered:
    """A copy of a ledger, opened by somebody who may do everything."""

    def __init__(self, file: Path, copy: Path) -> None:
        self.place = str(shutil.copy(file, copy))
        self.raw = sqlite3.connect(self.place, isolation_level=None)
        self.raw.execute("PRAGMA ignore_check_constraints = ON")
        self.raw.execute("PRAGMA synchronous = OFF")
        self.raw.execute("BEGIN")
        for name in triggers.names_for("sqlite", JOURNAL):
            self.raw.execute(f"DROP TRIGGER {name}")

    def close(self) -> None:
        for statement in triggers.sqlite_statements(JOURNAL):
            self.raw.execute(statement)
        self.raw.execute("COMMIT")
        self.raw.close()

    def findings(self) -> list[Finding]:
        self.close()
        with Store(self.place) as store:
            return audit(store).findings


def rows(file: Path) -> Iterator[tuple[str, dict[str, int | str | None]]]:
    with sqlite3.connect(file) as connection:
        for table in JOURNAL:
            for values in connection.execute(f"SELECT {', '.join(COLUMNS[table])} FROM {table}"):
                yield table, dict(zip(COLUMNS[table], values, strict=True))


def where(table: str, row: dict[str, int | str | None]) -> tuple[str, list[int | str | None]]:
    keys = [column.name for column in JOURNAL[table].primary_key.columns]
    return " AND ".join(f"{key} = ?" for key in keys), [row[key] for key in keys]


def flipped(value: int | str | None) -> int | str:
    return 7 if value is None else value + 1 if isinstance(value, int) else f"{value}x"


def test_any_row_that_is_dropped_is_named(weeks: Path, tmp_path: Path) -> None:
    for number, (table, row) in enumerate(sampled(weeks, 3)):
        copy = Tampered(weeks, tmp_path / f"{number}.db")
        condition, keys = where(table, row)
        assert copy.raw.execute(f"DELETE FROM {table} WHERE {condition}", keys).rowcount == 1
        first = copy.findings()[0]
        assert (first.seq, first.table) == (row["seq"], table), first


def test_any_row_that_is_changed_is_named(weeks: Path, tmp_path: Path) -> None:
    draw = random.Random(7)
    for number, (table, row) in enumerate(sampled(weeks, 4)):
        copy = Tampered(weeks, tmp_path / f"{number}.db")
        keys = {column.name for column in JOURNAL[table].primary_key.columns}
        column = draw.choice([name for name in COLUMNS[table] if name not in keys] or [sorted(keys - {"seq"})[0]])
        condition, values = where(table, row)
        copy.raw.execute(f"UPDATE {table} SET {column} = ? WHERE {condition}", [flipped(row[column]), *values])
        named = [finding for finding in copy.findings() if finding.seq is not None]
        seqs = {row["seq"], flipped(row["seq"])} if column == "seq" else {row["seq"]}
        assert named[0].seq in seqs, (table, column, named)
        assert any(finding.table == table for finding in named), (table, column, named)


def sampled(file: Path, each: int) -> Iterator[tuple[str, dict[str, int | str | None]]]:
    """A few rows of every table."""
    draw = random.Random(11)
    by_table: dict[str, list[dict[str, int | str | None]]] = {}
    for table, row in rows(file):
        by_table.setdefault(table, []).append(row)
    assert set(by_table) == set(JOURNAL)
    for table, there in by_table.items():
        yield from ((table, row) for row in draw.sample(there, min(each, len(there))))


@pytest.mark.long
def test_every_row_and_column_that_is_changed_is_named(weeks: Path, tmp_path: Path) -> None:
    for table, row in rows(weeks):
        for column in COLUMNS[table]:
            copy = Tampered(weeks, tmp_path / "copy.db")
            condition, values = where(table, row)
            is_text = isinstance(JOURNAL[table].c[column].type, sa.Text)
            value = flipped(row[column] if row[column] is not None or is_text else 0)
            copy.raw.execute(f"UPDATE OR IGNORE {table} SET {column} = ? WHERE {condition}", [value, *values])
            changed = copy.raw.execute("SELECT changes()").fetchone()[0]
            found = copy.findings()
            assert not changed or found, (table, row, column)


@pytest.mark.parametrize("table", ["postings", "transactions", "reasons", "lots"])
def test_two_rows_that_change_places_are_named(weeks: Path, tmp_path: Path, table: str) -> None:
    copy = Tampered(weeks, tmp_path / "copy.db")
    column = {"postings": "quantity", "transactions": "answer", "reasons": "reason", "lots": "first_out"}[table]
    key = "seq" if table == "transactions" else "rowid" if table != "postings" else "seq * 1000 + line"
    found = copy.raw.execute(f"SELECT {key}, {column}, seq FROM {table} ORDER BY {key}").fetchall()
    one = found[1]
    other = next(row for row in found if row[1] != one[1] and row[2] > one[2])
    copy.raw.execute(f"UPDATE {table} SET {column} = ? WHERE {key} = ?", (other[1], one[0]))
    copy.raw.execute(f"UPDATE {table} SET {column} = ? WHERE {key} = ?", (one[1], other[0]))
    named = [(finding.seq, finding.table) for finding in copy.findings()]
    assert named[0] == (one[2], table)
    assert (other[2], table) in named


def test_a_row_that_was_added_later_is_named(weeks: Path, tmp_path: Path) -> None:
    copy = Tampered(weeks, tmp_path / "copy.db")
    copy.raw.execute("INSERT INTO sites (site, seq, kind, name, time_zone) VALUES ('west', 9, 'centre', 'West', 'UTC')")
    first = copy.findings()[0]
    assert (first.seq, first.table, first.row) == (9, "sites", "site west")
    assert "was added later" in first.text


def test_a_kept_sum_that_was_changed_is_named(weeks: Path, tmp_path: Path) -> None:
    for number, (statement, table) in enumerate(
        [
            ("UPDATE balances SET quantity = quantity + 1 WHERE account = 'STOCK:hub:'", "balances"),
            ("DELETE FROM balances WHERE quantity > 0", "balances"),
            ("UPDATE allowances SET left_over = left_over + 1", "allowances"),
            ("DELETE FROM allowances", "allowances"),
            ("UPDATE head SET seq = seq - 1", "head"),
            ("DELETE FROM head", "head"),
        ]
    ):
        copy = Tampered(weeks, tmp_path / f"{number}.db")
        copy.raw.execute(statement)
        assert {finding.table for finding in copy.findings()} == {table}


def test_a_trigger_that_is_gone_is_named(weeks: Path, tmp_path: Path) -> None:
    copy = Tampered(weeks, tmp_path / "copy.db")
    copy.close()
    with sqlite3.connect(copy.place) as raw:
        raw.execute("DROP TRIGGER postings_no_update")
    with Store(copy.place) as store:
        (found,) = audit(store).findings
    assert found.text == "The trigger postings_no_update is gone: rows could be changed."


def cut(raw: sqlite3.Connection, last: int) -> None:
    """Make a ledger look as if nothing had come after a transaction, sums and head included."""
    for table in reversed(list(JOURNAL)):
        raw.execute(f"DELETE FROM {table} WHERE seq > ?", (last,))
    raw.execute("DELETE FROM balances")
    raw.execute("INSERT INTO balances SELECT account, lot, SUM(quantity) FROM postings GROUP BY account, lot")
    raw.execute("DELETE FROM allowances")
    raw.execute(
        "INSERT INTO allowances SELECT programme, period, tag, item, "
        "quantity - COALESCE((SELECT SUM(quantity) FROM draws d "
        "WHERE d.tag = g.tag AND d.item = g.item "
        "AND d.period = g.period), 0) FROM grants g"
    )
    raw.execute("UPDATE head SET seq = ?, hash = (SELECT hash FROM chain WHERE seq = ?)", (last, last))


def test_a_cut_tail_is_found_against_an_exported_head_only(weeks: Path, tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    public = make_key(key)
    with Store(str(weeks)) as store:
        write_head(export_head(store, key), tmp_path / "head.json")
    head = read_head(tmp_path / "head.json", public)
    copy = Tampered(weeks, tmp_path / "copy.db")
    cut(copy.raw, 30)
    assert copy.findings() == []
    with Store(copy.place) as store:
        without, with_head = audit(store), audit(store, [head])
    assert any("No exported head was given" in line for line in findings_text(without))
    assert "its tail was cut off" in with_head.findings[0].text
    with Store(str(weeks)) as store:
        whole = audit(store, [head])
    assert whole.holds
    assert whole.heads == [f"{head['seq']} {head['hash']}"]


def test_a_chain_that_was_written_anew_is_found_against_an_exported_head(weeks: Path, tmp_path: Path) -> None:
    make_key(tmp_path / "key.pem")
    with Store(str(weeks)) as store:
        head = export_head(store, tmp_path / "key.pem")
    create(str(tmp_path / "anew.db"), ledger=LEDGER, now=Ticking())
    with Store(str(tmp_path / "anew.db"), clock=Ticking()) as store:
        desk = Desk(store)
        desk.set_up()
        for number in range(60):
            desk.do(c.AddParty(party=f"g-{number}"))
        assert audit(store).holds
        assert "the chain was rewritten" in audit(store, [head]).findings[0].text


def test_an_exported_head_that_was_changed_or_signed_by_another_is_refused(weeks: Path, tmp_path: Path) -> None:
    make_key(tmp_path / "key.pem")
    other = make_key(tmp_path / "other.pem")
    with Store(str(weeks)) as store:
        head = export_head(store, tmp_path / "key.pem")
    file = tmp_path / "head.json"
    for change, sentence in (
        ({"seq": head["seq"] - 1}, "its signature does not hold"),
        ({"hash": "0" * 64}, "its signature does not hold"),
        ({"public_key": other}, "its signature does not hold"),
        ({"more": 1}, "is no exported head"),
    ):
        file.write_text(json.dumps(head | change))
        with pytest.raises(InputError, match=sentence):
            read_head(file)
    write_head(head, file)
    with pytest.raises(InputError, match="signed by another key"):
        read_head(file, other)
    file.write_text("{")
    with pytest.raises(InputError, match="is no exported head"):
        read_head(file)


def test_a_key_is_its_owner_s_and_never_overwritten(tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    make_key(key)
    assert key.stat().st_mode & 0o077 == 0
    with pytest.raises(UsageError, match="never overwritten"):
        make_key(key)


def test_a_changed_row_is_named_on_postgres_too(postgres: str, new_place: NewPlace) -> None:
    place = new_place()
    if not place.startswith("postgresql"):
        pytest.skip("done above, row by row")
    with Store(place, clock=Ticking()) as store:
        desk = Desk(store)
        every_command(desk)
        (seq,) = store.engine.connect().exec_driver_sql("SELECT seq FROM lots WHERE lot = 'L15-1' OR line = 2").first()
        for statement, table in (
            ("UPDATE postings SET quantity = quantity + 1 WHERE line = 1 AND seq = %s", "postings"),
            ("UPDATE transactions SET actor = 'nobody' WHERE seq = %s", "transactions"),
            ("DELETE FROM lots WHERE seq = %s AND line = 2", "lots"),
        ):
            with psycopg.connect(place) as raw:
                raw.execute("SET session_replication_role = replica")
                raw.execute(statement, (seq,))  # type: ignore[arg-type]
            first = audit(store).findings[0]
            assert (first.seq, table in {f.table for f in audit(store).findings if f.seq == seq}) == (seq, True)


def test_no_finding_tells_a_household_s_tag(weeks: Path, tmp_path: Path) -> None:
    copy = Tampered(weeks, tmp_path / "copy.db")
    for table in ("claims", "grants", "draws", "handovers", "lease_claims"):
        copy.raw.execute(f"UPDATE {table} SET seq = -seq")
    copy.raw.execute("UPDATE allowances SET left_over = left_over + 1")
    told = " ".join(f"{finding.row} {finding.text}" for finding in copy.findings())
    assert told
    assert tag(1) not in told
    assert tag(2) not in told


def test_the_chain_covers_every_journal_table() -> None:
    assert set(CHAINED) == set(JOURNAL) - {"chain"}


def chained_anew(raw: sqlite3.Connection) -> None:
    """Make all links anew over the rows as they are, as somebody would who wants to hide a change."""
    (top,) = raw.execute("SELECT MAX(seq) FROM transactions").fetchone()
    previous = GENESIS
    for seq in range(1, top + 1):
        here: dict[str, list[dict[str, int | str | None]]] = {}
        for table in CHAINED:
            found = raw.execute(f"SELECT {', '.join(COLUMNS[table])} FROM {table} WHERE seq = ?", [seq]).fetchall()
            here[table] = [dict(zip(COLUMNS[table], values, strict=True)) for values in found]
        hashed, parts = link(previous, seq, here)
        raw.execute("UPDATE chain SET previous = ?, parts = ?, hash = ? WHERE seq = ?", [previous, parts, hashed, seq])
        previous = hashed
    raw.execute("UPDATE head SET seq = ?, hash = ?", [top, previous])


def test_a_stocktake_that_does_not_match_its_postings_is_named(weeks: Path, tmp_path: Path) -> None:
    copy = Tampered(weeks, tmp_path / "copy.db")
    copy.raw.execute("UPDATE stocktake_lines SET expected = expected + 1 WHERE expected > 0")
    chained_anew(copy.raw)
    assert any(finding.table == "stocktake_lines" and "counting lot" in finding.text for finding in copy.findings())
