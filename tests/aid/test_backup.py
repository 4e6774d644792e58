"""A copy of a ledger comes back as it was, on either database and from an earlier form; a changed copy does not."""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from nearer.aid import commands as c
from nearer.aid import copies
from nearer.aid.backup import LEDGER, backup, restore, upgrade
from nearer.aid.migrate import STEPS
from nearer.aid.store import Store, engine_of, url_of
from nearer.aid.tables import JOURNAL, SUMS, metadata
from nearer.errors import CheckFailedError, InputError, OutputError, UsageError

from .conftest import NewPlace
from .town import Desk, Ticking, every_command, wanted

FORMS = Path(__file__).parent / "forms"
"""Backups of one town's ledger in each form that was ever released, as that release wrote them."""

NewEmpty = Callable[[], str]


@pytest.fixture
def new_empty(request: pytest.FixtureRequest, new_place: NewPlace, tmp_path: Path) -> NewEmpty:
    """Makes places where there is no ledger yet, on the database of ``new_place``."""
    numbers = iter(range(100))

    def empty() -> str:
        name = f"empty_{request.node.name.split('[')[0][-30:]}_{next(numbers)}"
        if "postgresql" not in request.node.name:
            return str(tmp_path / f"{name}.db")
        address: str = request.getfixturevalue("postgres")
        with psycopg.connect(address.format("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")  # type: ignore[arg-type]
        return address.format(name)

    return empty


@pytest.fixture
def lived(new_place: NewPlace) -> str:
    """Where a town's ledger is in which everything has happened."""
    place = new_place()
    with Store(place, clock=Ticking()) as store:
        every_command(Desk(store))
    return place


def rows_of(place: str) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table."""
    with Store(place) as store, store.reading() as connection:
        return {
            name: sorted(map(repr, connection.execute(sa.select(metadata.tables[name]))))  # type: ignore[misc]
            for name in (*JOURNAL, *SUMS)
        }


def test_a_restored_ledger_has_the_same_rows_and_head_and_goes_on(
    lived: str, new_empty: NewEmpty, tmp_path: Path
) -> None:
    made = backup(lived, tmp_path / "copy.jsonl.gz")
    place = new_empty()
    back = restore(tmp_path / "copy.jsonl.gz", place)
    assert {name: back[name] for name in ("ledger", "seq", "hash", "rows")} == {
        name: made[name] for name in ("ledger", "seq", "hash", "rows")
    }
    assert rows_of(place) == rows_of(lived)
    for where in (place, lived):  # both go on, with the same commands to the same head
        with Store(where, clock=Ticking()) as store:
            desk = Desk(store)
            desk.do(c.Receive(site="hub", giver="mill", lines=(c.Gift(item="rice", quantity=1),)))
            desk.proven()
    assert rows_of(place) == rows_of(lived)


def test_both_databases_give_the_same_copy_and_take_each_others(
    sqlite_templates: dict[str, str], postgres: str, tmp_path: Path
) -> None:
    place = str(shutil.copy(sqlite_templates["town"], tmp_path / "aid.db"))
    with Store(place, clock=Ticking()) as store:
        every_command(Desk(store))
    backup(place, tmp_path / "sqlite.jsonl")
    with psycopg.connect(postgres.format("postgres"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE taken_over")
    restore(tmp_path / "sqlite.jsonl", postgres.format("taken_over"))
    backup(postgres.format("taken_over"), tmp_path / "postgres.jsonl")
    assert (tmp_path / "postgres.jsonl").read_bytes() == (tmp_path / "sqlite.jsonl").read_bytes()
    restore(tmp_path / "postgres.jsonl", str(tmp_path / "again.db"))
    assert rows_of(str(tmp_path / "again.db")) == rows_of(place)


@pytest.mark.parametrize("form", sorted(path.stem for path in FORMS.glob("*.jsonl")))
def test_a_ledger_of_an_earlier_release_is_restored_with_the_same_head(form: str, new_empty: NewEmpty) -> None:
    told = json.loads((FORMS / f"{form}.jsonl").read_text(encoding="utf-8").splitlines()[0])
    place = new_empty()
    back = restore(FORMS / f"{form}.jsonl", place)
    assert (back["form"], back["seq"], back["hash"]) == (form, told["seq"], told["hash"])
    with Store(place, clock=Ticking()) as store:
        desk = Desk(store)
        desk.proven()
        desk.give(item="rice", quantity=10)
        desk.proven()


@pytest.mark.parametrize("form", sorted(path.stem for path in FORMS.glob("*.jsonl")))
def test_a_ledger_of_an_earlier_release_is_copied_and_upgraded_with_the_same_head(
    form: str, new_empty: NewEmpty, tmp_path: Path
) -> None:
    told = copies.checked(FORMS / f"{form}.jsonl", LEDGER, {form})
    place = new_empty()
    engine = engine_of(url_of(place))
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        STEPS.upgrade_to(connection, form)
        copies.filled(connection, FORMS / f"{form}.jsonl", LEDGER, lambda _table, _rows: None)
        connection.commit()
    engine.dispose()
    if form != STEPS.newest():
        with pytest.raises(UsageError, match="nearer aid upgrade"):
            Store(place)
    backup(place, tmp_path / "copy.jsonl")
    copied, kept = (file.read_bytes().splitlines()[:-1] for file in (tmp_path / "copy.jsonl", FORMS / f"{form}.jsonl"))
    assert sorted(copied) == sorted(kept)  # tables may stand in another order
    made = upgrade(place)
    assert made == {"before": form, "form": STEPS.newest(), "seq": told["seq"], "hash": told["hash"]}
    with Store(place, clock=Ticking()) as store:
        Desk(store).proven()


def test_a_copy_is_of_one_moment_while_others_write(new_place: NewPlace, new_empty: NewEmpty, tmp_path: Path) -> None:
    place = new_place()
    with Store(place) as store:
        desk = Desk(store)
        desk.give(item="rice", quantity=10_000)
        done = threading.Event()

        def write() -> None:
            while not done.is_set():
                desk.do(c.Send(site="hub", to="north", lines=wanted(rice=1)))

        thread = threading.Thread(target=write)
        thread.start()
        try:
            made = [backup(place, tmp_path / f"{number}.jsonl") for number in range(3)]
        finally:
            done.set()
            thread.join()
    assert made[0]["seq"] <= made[1]["seq"] <= made[2]["seq"]
    for number, copy in enumerate(made):
        assert restore(tmp_path / f"{number}.jsonl", new_empty())["hash"] == copy["hash"]


def test_a_changed_or_cut_copy_is_refused_and_nothing_is_left(lived: str, new_empty: NewEmpty, tmp_path: Path) -> None:
    backup(lived, tmp_path / "copy.jsonl")
    lines = (tmp_path / "copy.jsonl").read_bytes().splitlines(keepends=True)
    place = new_empty()
    bad = {
        "a row changed": [line.replace(b"north", b"south") for line in lines],
        "a row dropped": lines[:20] + lines[21:],
        "the end cut": lines[:-1],
        "cut in the middle of a line": [*lines[:-1], lines[-1][:10]],
        "empty": [],
        "no backup": [b'{"format": "something else"}\n'],
        "no text": [b"\x00\xff\n"],
    }
    for name, changed in bad.items():
        (tmp_path / "bad.jsonl").write_bytes(b"".join(changed))
        with pytest.raises(InputError, match=r"bad\.jsonl: (was cut or changed|is no backup)"):
            restore(tmp_path / "bad.jsonl", place)
        assert not Path(place).exists(), name
    (tmp_path / "cut.jsonl.gz").write_bytes(gzip.compress(b"".join(lines))[:-9])
    with pytest.raises(InputError, match="was cut or changed"):
        restore(tmp_path / "cut.jsonl.gz", place)
    # Whoever makes the sums anew as well is found by the chain.
    changed = [line.replace(b'"The old mill"', b'"The new mill"') for line in lines[:-1]]
    assert changed != lines[:-1]
    sums: dict[str, Any] = {}
    for number, line in enumerate(changed):
        value = json.loads(line)
        if isinstance(value, dict) and "columns" in value:
            sha = hashlib.sha256()
        elif isinstance(value, list):
            sha.update(line)
        elif "sha256" in value:
            sums = {**value, "sha256": sha.hexdigest()}
            changed[number] = json.dumps(sums, sort_keys=True, separators=(",", ":")).encode() + b"\n"
    whole = hashlib.sha256(b"".join(changed)).hexdigest()
    (tmp_path / "bad.jsonl").write_bytes(b"".join(changed) + json.dumps({"sha256": whole}).encode() + b"\n")
    with pytest.raises(CheckFailedError, match="parties row party mill was changed"):
        restore(tmp_path / "bad.jsonl", place)
    if "://" in place:
        with psycopg.connect(place) as connection:
            tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
            assert tables.fetchall() == []
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith((".", "empty"))] == []


def test_nothing_is_restored_over_a_ledger(lived: str, tmp_path: Path) -> None:
    backup(lived, tmp_path / "copy.jsonl")
    before = rows_of(lived)
    with pytest.raises(UsageError, match="already"):
        restore(tmp_path / "copy.jsonl", lived)
    assert rows_of(lived) == before


def test_a_copy_that_cannot_be_written_or_read_is_a_sentence(lived: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="could not be written"):
        backup(lived, tmp_path / "file" / "copy.jsonl")
    with pytest.raises(InputError, match="cannot be read"):
        restore(tmp_path / "none.jsonl", str(tmp_path / "new.db"))
    with pytest.raises(UsageError, match="There is no ledger"):
        backup(str(tmp_path / "none.db"), tmp_path / "copy.jsonl")


def test_upgrading_what_is_of_this_release_changes_nothing(lived: str) -> None:
    before = rows_of(lived)
    made = upgrade(lived)
    assert made["before"] == made["form"] == STEPS.newest()
    assert rows_of(lived) == before
