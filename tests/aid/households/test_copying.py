"""A copy of the household database comes back as it was, on either kind of database, and holds no key."""

from __future__ import annotations

import gzip
import stat
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from nearer.aid.households import book as b
from nearer.aid.households import staff
from nearer.aid.households.copying import TABLES, backup, restore, upgrade
from nearer.aid.households.migrate import STEPS, VERSIONS
from nearer.aid.households.retain import retain
from nearer.aid.households.serving import hand_over, look
from nearer.aid.households.store import Households
from nearer.aid.households.tables import metadata
from nearer.errors import InputError, UsageError

from ..town import Desk, Ticking, wanted
from .conftest import Run


def rows_of(people: Households) -> dict[str, list[str]]:
    """Every row of every table."""
    with people.reading() as connection:
        return {name: sorted(map(repr, connection.execute(sa.select(metadata.tables[name])))) for name in TABLES}


def empty_like(people: Households, tmp_path: Path, name: str) -> str:
    """A place of the same kind with nothing there."""
    if not people.is_postgres:
        return str(tmp_path / f"{name}.db")
    with psycopg.connect(
        people.url.set(drivername="postgresql", database="postgres").render_as_string(False), autocommit=True
    ) as connection:
        connection.execute(f"CREATE DATABASE {people.url.database}_{name}")  # type: ignore[arg-type]
    return people.url.set(database=f"{people.url.database}_{name}").render_as_string(False)


def test_restored_households_have_what_is_left_and_go_on(
    town: Desk, people: Households, clock: Ticking, tmp_path: Path
) -> None:
    staff.add(people, "boss", "coordinator", "a-long-password")
    _, token = b.enrol(people, size=4, home="north", language="pt", needs=["no-meat"], by="boss")
    hand_over(
        town.store, people, token, site="north", programme="basics", lines=wanted(rice=2000), by="boss",
        id="first-of-march",
    )  # fmt: skip
    made = backup(people, tmp_path / "copy.jsonl.gz")
    assert stat.S_IMODE((tmp_path / "copy.jsonl.gz").stat().st_mode) == 0o600
    place = empty_like(people, tmp_path, "again")
    assert restore(tmp_path / "copy.jsonl.gz", place)["rows"] == made["rows"]
    with Households(place, tmp_path / "aid-keys", clock=clock) as again:
        assert rows_of(again) == rows_of(people)
        assert staff.check(again, "boss", "a-long-password") == "coordinator"
        found = look(town.store, again, token, site="north", programme="basics", by="boss")
        assert [share.left for share in found.shares if share.item == "rice"] == [3000]
        b.enrol(again, size=1, home="north", language="en", by="boss")  # the log goes on after its last line
        retain(town.store, again)
        with pytest.raises(sa.exc.DatabaseError), again.writing() as connection:
            connection.execute(metadata.tables["cards"].delete())


def test_a_copy_of_households_holds_no_key_and_no_token(town: Desk, people: Households, tmp_path: Path) -> None:
    _, token = b.enrol(people, size=4, home="north", language="pt", by="boss")
    look(town.store, people, token, site="north", programme="basics", by="boss")
    key = people.keys().read("basics", "march")
    assert key is not None
    backup(people, tmp_path / "copy.jsonl")
    written = (tmp_path / "copy.jsonl").read_text(encoding="utf-8")
    assert key.hex() not in written
    assert token not in written
    assert token.replace("-", "") not in written


def test_both_databases_give_the_same_copy_of_households(
    people: Households, tmp_path: Path, postgres: str, clock: Ticking
) -> None:
    b.enrol(people, size=4, home="north", language="pt", needs=["infant", "no-meat"], by="boss")
    backup(people, tmp_path / "one.jsonl")
    other = str(tmp_path / "other.db")
    if not people.is_postgres:
        other = postgres.format("households_elsewhere")
        with psycopg.connect(postgres.format("postgres"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE households_elsewhere")
    restore(tmp_path / "one.jsonl", other)
    with Households(other, None, clock=clock) as again:
        backup(again, tmp_path / "two.jsonl")
    assert (tmp_path / "one.jsonl").read_bytes() == (tmp_path / "two.jsonl").read_bytes()


def test_a_changed_copy_of_households_is_refused_and_nothing_is_restored_over_others(
    town: Desk, people: Households, places: tuple[str, str], tmp_path: Path
) -> None:
    b.enrol(people, size=4, home="north", language="pt", by="boss")
    backup(people, tmp_path / "copy.jsonl")
    for place, said in ((places[1], "already"), (places[0], "already|is the ledger")):
        with pytest.raises(UsageError, match=said):
            restore(tmp_path / "copy.jsonl", place)
    changed = (tmp_path / "copy.jsonl").read_bytes().replace(b'"north"', b'"south"')
    (tmp_path / "copy.jsonl").write_bytes(changed)
    (tmp_path / "cut.jsonl.gz").write_bytes(gzip.compress(changed)[:-20])
    place = empty_like(people, tmp_path, "none")
    for name in ("copy.jsonl", "cut.jsonl.gz"):
        with pytest.raises(InputError, match="cut or changed"):
            restore(tmp_path / name, place)
    with pytest.raises(UsageError, match="no household database"):
        Households(place, None)


def test_households_are_upgraded_and_those_of_a_later_release_are_refused(people: Households) -> None:
    place = people.url.render_as_string(False) if people.is_postgres else str(people.url.database)
    assert upgrade(place) == {"before": STEPS.newest(), "form": STEPS.newest()}
    with people.writing() as connection:
        connection.exec_driver_sql(f"UPDATE {VERSIONS} SET version_num = '9999'")
    with pytest.raises(UsageError, match="9999"):
        upgrade(place)
    with pytest.raises(UsageError, match="use a later release"):
        Households(place, None)


def test_households_are_copied_and_restored_on_the_command_line(run: Run, tmp_path: Path) -> None:
    run("enrol --size 4 --home north")
    run("add-staff boss --role coordinator", new_password="a-long-password")
    boss = {"password": "a-long-password"}
    assert "rows" in run("--as boss backup-households copy.jsonl.gz", **boss)
    assert "already" in run("--as boss upgrade", **boss)
    run("--as boss backup ledger.jsonl", **boss)
    run("--ledger again.db restore ledger.jsonl")
    assert "again-households.db is ready" in run("--ledger again.db restore-households copy.jsonl.gz")
    assert "boss" in run("--ledger again.db --as boss staff", **boss)
    assert stat.S_IMODE((tmp_path / "again-households.db").stat().st_mode) == 0o600
