"""Full and read-only disks, lost connections, clocks that go back, two servers: a sentence, and nothing lost."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from nearer.aid import commands as c
from nearer.aid.book import Book
from nearer.aid.migrate import create
from nearer.aid.store import Store
from nearer.aid.views import movements_of
from nearer.errors import OutputError, UsageError

from .clients import Load
from .conftest import NewPlace
from .server import Nursery, served
from .town import Desk, Ticking, tag, wanted
from .writers import ROOT_ENV


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of two megabytes of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)]
    if sys.platform != "linux" or os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no disk can be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_ledger_that_found_no_room_is_not_left_half_made(small_disk: Path) -> None:
    place = small_disk / "aid.db"
    (small_disk / "other").write_bytes(bytes(2 * 1024**2 - 24 * 1024))
    with pytest.raises(OutputError, match="could not be written"):
        create(str(place))
    assert {path.name for path in small_disk.iterdir()} == {"other"}
    (small_disk / "other").unlink()
    assert create(str(place))["ledger"]
    with pytest.raises(UsageError, match="there already"):
        create(str(place))
    assert place.stat().st_size


def test_a_full_disk_is_a_sentence_and_the_same_id_works_when_there_is_room(
    small_disk: Path, sqlite_templates: dict[str, str]
) -> None:
    place = str(shutil.copy(sqlite_templates["town"], small_disk / "aid.db"))
    with Store(place, clock=Ticking()) as store, served(store) as address, httpx.Client(base_url=address) as client:
        desk = Desk(store)
        lot = desk.give(item="rice", quantity=1_000)
        body = {"site": "hub", "to": "north", "lines": [{"item": "rice", "quantity": 1}]}
        answered = desk.do(c.Send(site="hub", to="north", lines=wanted(rice=1)))
        filler = small_disk / "filler"
        with filler.open("wb", buffering=0) as out, suppress(OSError):
            while True:
                out.write(bytes(4096))
        full = None
        for number in range(200):  # until what the log still has room for is used up
            told = client.post("/commands/send", json=body, headers={"Idempotency-Key": f"full-{number:06d}"})
            if told.status_code != 200:
                full = number
                break
        assert full is not None
        assert (told.status_code, told.json()["error"]["code"]) == (507, "disk")
        assert "could not be written" in told.json()["error"]["message"]
        with pytest.raises(OutputError, match=r"aid\.db could not be written: database or disk is full"):
            store.do(c.Send(site="hub", to="north", lines=wanted(rice=1)), id=f"full-{full:06d}", actor="staff-1")
        assert client.get("/head").json()["seq"] == answered["transaction"] + full
        filler.unlink()
        again = client.post("/commands/send", json=body, headers={"Idempotency-Key": f"full-{full:06d}"})
        assert again.status_code == 200
        assert desk.held("TRANSIT") == {lot: full + 2}
        desk.proven()


def test_a_file_that_may_not_grow_loses_nothing_that_was_acknowledged(
    sqlite_templates: dict[str, str], tmp_path: Path
) -> None:
    place = str(shutil.copy(sqlite_templates["town"], tmp_path / "aid.db"))
    with Store(place) as store:
        desk = Desk(store)
        lot = desk.give(item="rice", quantity=1_000)
    most = Path(place).stat().st_size + 60_000
    program = (
        f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({most}, {most}))\n"
        f"from tests.aid.writers import write; write({place!r}, 'limit', 1000)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], input="\n", capture_output=True, text=True, check=False, **ROOT_ENV
    )
    assert "could not be written" in done.stderr, done.stderr
    acknowledged = [line for line in done.stdout.split() if line.startswith("limit-")]
    assert 3 < len(acknowledged) < 1000
    with Store(place) as store:
        desk = Desk(store)
        assert desk.held("TRANSIT") == {lot: len(acknowledged)}
        desk.proven()


def test_a_read_only_disk_is_a_sentence(small_disk: Path, sqlite_templates: dict[str, str]) -> None:
    place = str(shutil.copy(sqlite_templates["town"], small_disk / "aid.db"))
    with Store(place, clock=Ticking()) as store:
        Desk(store).give(item="rice", quantity=10)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises((UsageError, OutputError), match=r"aid\.db.*(read-?only|unable to open)"):
        Store(place)


def test_a_connection_lost_in_the_middle_is_taken_up_again_and_counts_once(
    postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = fresh(postgres, "lost_before")
    with Store(place, clock=Ticking()) as store:
        desk = Desk(store)
        lot = desk.give(item="rice", quantity=10)
        plain, cut = Book.close, []

        def close(self: Book, *arguments: Any) -> str:
            hashed = plain(self, *arguments)
            if not cut:
                cut.append(self.sql.one("SELECT pg_backend_pid()"))
                with psycopg.connect(place, autocommit=True) as other:
                    other.execute("SELECT pg_terminate_backend(%s, 10000)", cut[0])
            return hashed

        monkeypatch.setattr(Book, "close", close)
        desk.do(c.Send(site="hub", to="north", lines=wanted(rice=4)))
        assert cut
        assert desk.held("TRANSIT") == {lot: 4}
        desk.proven()


def test_a_connection_lost_after_the_commit_is_answered_from_what_was_written(
    postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = fresh(postgres, "lost_after")
    with Store(place, clock=Ticking()) as store:
        desk = Desk(store)
        lot = desk.give(item="rice", quantity=10)
        plain, cut = psycopg.Connection.commit, []

        def commit(self: psycopg.Connection) -> None:
            plain(self)
            if not cut:
                cut.append(True)
                self.close()
                raise psycopg.OperationalError("the connection is lost")

        monkeypatch.setattr(psycopg.Connection, "commit", commit)
        desk.do(c.Send(site="hub", to="north", lines=wanted(rice=4)))
        assert cut
        assert desk.held("TRANSIT") == {lot: 4}
        desk.proven()


def fresh(postgres: str, name: str) -> str:
    """A town's ledger of its own."""
    with psycopg.connect(postgres.format("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE town")  # type: ignore[arg-type]
    return postgres.format(name)


def test_a_clock_that_goes_back_changes_no_order_and_no_proof(place: str) -> None:
    clock = Ticking()
    with Store(place, clock=clock) as store:
        desk = Desk(store)
        desk.give("north", item="rice", quantity=9_000)
        desk.do(c.HandOver(site="north", programme="basics", tag=tag(1), size=1, lines=wanted(rice=1_500)))
        clock.now -= timedelta(hours=3)
        with pytest.raises(Exception, match="500 of rice left"):
            desk.do(c.HandOver(site="north", programme="basics", tag=tag(1), size=1, lines=wanted(rice=1_500)))
        desk.do(c.HandOver(site="north", programme="basics", tag=tag(1), size=1, lines=wanted(rice=500)))
        rows = movements_of(store)
        assert [row["seq"] for row in rows] == sorted(row["seq"] for row in rows)
        assert rows[-1]["at"] < rows[0]["at"]
        assert rows[-1]["then"] == 2_000
        desk.proven()


def test_two_servers_on_one_file_draw_on_one_lot_and_never_get_more_than_there_is(
    sqlite_templates: dict[str, str], tmp_path: Path
) -> None:
    place = str(shutil.copy(sqlite_templates["town"], tmp_path / "aid.db"))
    with Store(place) as store:
        desk = Desk(store)
        lot = desk.give(item="rice", quantity=10**6)
        nursery = Nursery(place)
        try:
            with served(store) as address:
                loads = [Load(address, 2, "here-000"), Load(nursery.start(), 2, "there-00")]
                for load in loads:
                    load.ready(30)
                for load in loads:
                    load.end()
            nursery.kill(signal.SIGTERM)
        finally:
            nursery.close()
        told = [id for load in loads for id in load.acknowledged]
        assert not any(load.unanswered for load in loads)
        assert desk.held("TRANSIT") == {lot: len(told)}
        desk.proven()


def test_a_server_that_is_told_to_end_answers_what_was_begun(new_place: NewPlace) -> None:
    place = new_place()
    with Store(place) as store:
        lot = Desk(store).give(item="rice", quantity=10**6)
    nursery = Nursery(place)
    try:
        load = Load(nursery.start(), 3, "ending-0")
        load.ready(10)
        nursery.kill(signal.SIGTERM)
        load.end()
    finally:
        nursery.close()
    with Store(place) as store:
        desk = Desk(store)
        there = desk.held("TRANSIT")[lot]
        assert there == len(load.acknowledged), "a command was written and not answered"
        desk.proven()
