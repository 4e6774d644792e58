"""A command counts once, whatever happens to its answer; the database keeps what it was told; both are alike."""

from __future__ import annotations

import sqlite3
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from pydantic import ValidationError

from nearer.aid import commands as c
from nearer.aid.migrate import create
from nearer.aid.refusals import BusyError, IdTakenError, NotEnoughError
from nearer.aid.store import Store
from nearer.aid.tables import JOURNAL, SUMS, metadata
from nearer.errors import OutputError, UsageError

from .town import LEDGER, Desk, Ticking, every_command, wanted


def test_a_command_sent_twice_counts_once_and_gets_the_same_answer(town: Desk) -> None:
    lot = town.give(item="rice", quantity=10)
    send = c.Send(site="hub", to="north", lines=wanted(rice=4))
    first = town.do(send, id="once-00000001")
    assert town.do(send, id="once-00000001") == first
    assert town.held(site="hub") == {lot: 6}
    town.proven()


def test_an_id_that_stands_for_another_command_is_refused(town: Desk) -> None:
    lot = town.give(item="rice", quantity=10)
    town.do(c.Send(site="hub", to="north", lines=wanted(rice=4)), id="once-00000001")
    with pytest.raises(IdTakenError, match="once-00000001 already stands for another command"):
        town.do(c.Send(site="hub", to="north", lines=wanted(rice=5)), id="once-00000001")
    with pytest.raises(IdTakenError):
        town.do(c.Send(site="hub", to="south", lines=wanted(rice=4)), id="once-00000001")
    assert town.held(site="hub") == {lot: 6}


def test_a_refused_command_leaves_nothing_and_its_id_may_be_used_again(town: Desk) -> None:
    send = c.Send(site="hub", to="north", lines=wanted(rice=4))
    with pytest.raises(NotEnoughError, match="hub has 0 rice for this, not 4"):
        town.do(send, id="early-0000001")
    town.give(item="rice", quantity=10)
    assert town.do(send, id="early-0000001")["lines"][0]["quantity"] == 4
    town.proven()


def test_the_same_commands_have_the_same_chain_on_both_databases(postgres: str, tmp_path: Path) -> None:
    heads = []
    for place in (str(tmp_path / "one.db"), postgres.format("chain")):
        if place.startswith("postgresql"):
            import psycopg

            with psycopg.connect(postgres.format("postgres"), autocommit=True) as connection:
                connection.execute("CREATE DATABASE chain")
        create(place, ledger=LEDGER, now=Ticking())
        with Store(place, clock=Ticking()) as store:
            desk = Desk(store)
            desk.set_up()
            every_command(desk)
            desk.proven()
            with store.reading() as connection:
                heads.append(connection.exec_driver_sql("SELECT seq, hash FROM head").one())
    assert tuple(heads[0]) == tuple(heads[1])


def test_the_steps_lead_to_the_tables_that_the_code_knows(place: str) -> None:
    with Store(place) as store, store.engine.connect() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, metadata) == []
        names = set(sa.inspect(connection).get_table_names())
    assert names == {*JOURNAL, *SUMS, "alembic_version"}


def test_no_journal_row_can_be_changed_or_deleted(town: Desk) -> None:
    every_command(town)
    for table in JOURNAL:
        for statement in (f"UPDATE {table} SET seq = seq", f"DELETE FROM {table}"):
            with town.store.engine.connect() as connection:
                assert connection.execute(sa.select(sa.func.count()).select_from(JOURNAL[table])).scalar(), table
                with pytest.raises(sa.exc.DBAPIError, match=f"rows of {table} are never changed or deleted"):
                    connection.exec_driver_sql(statement)
                connection.rollback()
    if not town.store.is_postgres:
        with town.store.engine.connect() as connection, pytest.raises(sa.exc.DBAPIError, match="never changed"):
            connection.exec_driver_sql("INSERT OR REPLACE INTO transactions SELECT * FROM transactions WHERE seq = 2")


def test_a_balance_below_zero_is_refused_by_the_database_itself(town: Desk) -> None:
    lot = town.give(item="rice", quantity=10)
    with town.store.engine.connect() as connection, pytest.raises(sa.exc.IntegrityError):
        connection.execute(sa.text("UPDATE balances SET quantity = -1 WHERE account = 'STOCK:hub:'"))
    assert town.held(site="hub") == {lot: 10}


def test_a_ledger_that_others_hold_is_refused_as_busy_and_the_same_id_works_later(place: str) -> None:
    with Store(place, wait_s=0.05, tries=2) as store:
        desk = Desk(store)
        command = c.AddParty(party="g-1")
        holding, done = threading.Event(), threading.Event()

        def hold() -> None:
            with Store(place) as other, other._writing():
                holding.set()
                done.wait(20)

        thread = threading.Thread(target=hold)
        thread.start()
        holding.wait(20)
        with pytest.raises(BusyError, match="same id: it counts once"):
            desk.do(command, id="patient-0001")
        done.set()
        thread.join()
        assert desk.do(command, id="patient-0001")["party"] == "g-1"
        desk.proven()


@pytest.mark.parametrize("id", ["short", "has a blank in it", "x" * 65, "", "-starts-badly"])
def test_an_id_that_cannot_be_told_apart_is_refused(town: Desk, id: str) -> None:
    with pytest.raises(UsageError, match="8 to 64"):
        town.store.do(c.AddParty(party="g-1"), id=id, actor="staff-1")


@pytest.mark.parametrize(
    ("at", "sentence"),
    [
        (datetime(2026, 3, 2, 9, 0), "needs its time zone"),
        (datetime(2062, 3, 2, 9, 0, tzinfo=UTC), "cannot be when this happened"),
        (datetime(1, 1, 1, tzinfo=UTC), "cannot be when this happened"),
    ],
)
def test_a_moment_that_cannot_be_is_refused(town: Desk, at: datetime, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        town.store.do(c.AddParty(party="g-1"), id="moment-00001", actor="staff-1", at=at)


@pytest.mark.parametrize("text", ["", " starts blank", "tab\there", "\x00", "\ud800", "x" * 121])
def test_a_name_that_some_database_would_not_keep_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        c.AddSite(site="east", name=text)


def test_what_is_no_ledger_is_said_to_be_none(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="There is no ledger at"):
        Store(str(tmp_path / "none.db"))
    (tmp_path / "text.db").write_text("id,name\n" * 200)
    with pytest.raises(UsageError, match=r"text\.db is no ledger: file is not a database"):
        Store(str(tmp_path / "text.db"))
    sqlite3.connect(tmp_path / "empty.db").execute("CREATE TABLE t (x)").connection.close()
    with pytest.raises(UsageError, match="There is no ledger in"):
        Store(str(tmp_path / "empty.db"))
    with pytest.raises(UsageError, match="SQLite or PostgreSQL, not in mysql"):
        Store("mysql://localhost/aid")


def test_a_ledger_is_not_made_over_another(place: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="already"):
        create(place)


def test_a_ledger_of_another_release_is_not_touched(place: str) -> None:
    with Store(place) as store, store.engine.connect() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    with pytest.raises(UsageError, match="has the form 9999"):
        Store(place)


def test_a_database_that_would_lose_hand_overs_is_refused(postgres: str) -> None:
    with pytest.raises(UsageError, match="synchronous_commit = off"):
        Store(postgres.format("bare") + "&options=-c%20synchronous_commit%3Doff")


def test_sqlite_writes_through_to_the_disk(sqlite_templates: dict[str, str]) -> None:
    with Store(sqlite_templates["bare"]) as store, store.engine.connect() as connection:
        values = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous")
        }
    assert values == {"journal_mode": "wal", "synchronous": 2}


def test_a_folder_and_an_empty_file_are_no_place_for_a_ledger(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is a folder; give a file in it"):
        create(str(tmp_path))
    (tmp_path / "aid.db").touch()
    with pytest.raises(UsageError, match="and empty; delete it"):
        create(str(tmp_path / "aid.db"))


def test_a_folder_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="could not be written"):
        create(str(tmp_path / "file" / "aid.db"))


def test_a_connection_that_comes_back_after_the_end_is_closed(place: str) -> None:
    store = Store(place)
    late = store.engine.raw_connection()
    driver = late.driver_connection
    assert driver is not None
    store.close()
    late.close()
    with pytest.raises(Exception, match="closed"):
        driver.execute("SELECT 1")
