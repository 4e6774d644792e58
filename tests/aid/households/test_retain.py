"""What is gone is gone: from the rows, from the files, and from what could be worked out from the rest."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from nearer.aid import commands as c
from nearer.aid.households import book as b
from nearer.aid.households.cards import card_hash
from nearer.aid.households.retain import Gone, retain
from nearer.aid.households.serving import hand_over
from nearer.aid.households.store import Households
from nearer.aid.households.tables import metadata
from nearer.aid.refusals import BusyError, RefusedError
from nearer.errors import UsageError

from ..town import Desk, Ticking, wanted


def enrolled(people: Households, **more: Any) -> tuple[str, str]:
    values: dict[str, Any] = {"size": 4, "home": "north", "language": "pt", "by": "desk-1"} | more
    household, token = b.enrol(people, **values)
    return household.number, token


def kept(people: Households, tmp_path: Path) -> bytes:
    """All that the household database and the key folder hold, byte for byte."""
    if people.is_postgres:
        with people.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("CHECKPOINT")
            folder = Path(str(connection.exec_driver_sql("SHOW data_directory").scalar()))
            oid = connection.exec_driver_sql("SELECT oid FROM pg_database WHERE datname = current_database()").scalar()
            rows = str([connection.execute(table.select()).all() for table in metadata.sorted_tables]).encode()
        files = [*(folder / "base" / str(oid)).iterdir(), *(tmp_path / "aid-keys").glob("*")]
        return rows + b"".join(file.read_bytes() for file in files)
    files = [*tmp_path.glob("aid-households.db*"), *(tmp_path / "aid-keys").glob("*")]
    return b"".join(file.read_bytes() for file in files)


def pass_days(clock: Ticking, days: int) -> None:
    clock.now += timedelta(days=days)


def test_the_key_of_a_period_goes_after_the_dispute_window(
    town: Desk, people: Households, clock: Ticking, tmp_path: Path
) -> None:
    number, _ = enrolled(people)
    b.tag_of(people, "basics", "march", number)
    key = people.keys().read("basics", "march")
    assert key is not None
    assert key.hex().encode() in kept(people, tmp_path)
    clock.now = datetime.fromisoformat("2026-05-01T23:00:00+00:00")
    assert retain(town.store, people).keys == 0  # the 31st day after the 31st of March begins somewhere
    clock.now = datetime.fromisoformat("2026-05-02T01:00:00+00:00")
    assert retain(town.store, people).keys == 1
    assert key.hex().encode() not in kept(people, tmp_path)
    assert key not in kept(people, tmp_path)
    with pytest.raises(RefusedError, match="was deleted on 2026-05-02; this period is over"):
        b.tag_of(people, "basics", "march", number)
    assert retain(town.store, people).keys == 0


def test_tags_of_different_periods_cannot_be_linked_once_a_key_is_gone(
    town: Desk, people: Households, clock: Ticking, tmp_path: Path
) -> None:
    """Whoever has all that is left (both databases and every key) links what keys are there for, and nothing else."""
    days = {"first_day": "2026-04-01", "last_day": "2026-04-30"}
    town.do(c.OpenPeriod(programme="basics", period="april", like="march", **days))
    tokens = [enrolled(people)[1] for _ in range(3)]
    at: dict[str, Any] = {"site": "north", "programme": "basics", "by": "desk-1"}
    for month in (3, 4):
        clock.now = datetime.fromisoformat(f"2026-0{month}-10T10:00:00+00:00")
        for number, token in enumerate(tokens):
            hand_over(town.store, people, token, wanted(rice=10), id=f"month-{month}-{number}", **at)

    def linked() -> dict[str, set[str]]:
        """For each period, the tags of the ledger that can be traced to a household."""
        keys = {file.name.split(".")[1]: bytes.fromhex(file.read_text()) for file in (tmp_path / "aid-keys").iterdir()}
        with people.reading() as connection:
            numbers = connection.exec_driver_sql("SELECT household FROM households").scalars().all()
        with town.store.reading() as connection:
            claims = connection.exec_driver_sql("SELECT period, tag FROM claims").all()
        found: dict[str, set[str]] = {"march": set(), "april": set()}
        for period, tag in claims:
            if any(b.tag_with(key, number) == tag for key in keys.values() for number in numbers):
                found[period].add(tag)
        return found

    assert {period: len(tags) for period, tags in linked().items()} == {"march": 3, "april": 3}
    clock.now = datetime.fromisoformat("2026-05-03T10:00:00+00:00")
    assert retain(town.store, people).keys == 1
    assert {period: len(tags) for period, tags in linked().items()} == {"march": 0, "april": 3}
    town.proven()


def test_a_replaced_card_goes_with_the_period_in_which_it_was_lost(
    town: Desk, people: Households, clock: Ticking, tmp_path: Path
) -> None:
    number, old = enrolled(people)
    new = b.replace_card(people, number, by="desk-1")
    assert card_hash(old).encode() in kept(people, tmp_path)
    clock.now = datetime.fromisoformat("2026-04-01T10:00:00+00:00")
    assert retain(town.store, people, log_days=0).cards == 0
    clock.now = datetime.fromisoformat("2026-04-02T10:00:00+00:00")
    assert retain(town.store, people, log_days=0).cards == 1
    assert card_hash(old).encode() not in kept(people, tmp_path)
    assert card_hash(new).encode() in kept(people, tmp_path)
    assert b.household_of(people, card_hash(old), by="desk-1") is None
    assert b.household_of(people, card_hash(new), by="desk-1") is not None


def test_a_household_that_was_not_seen_goes_with_its_cards_and_needs(
    town: Desk, people: Households, clock: Ticking, tmp_path: Path
) -> None:
    gone_number, gone = enrolled(people, needs=("infant",), language="ti")
    number, token = enrolled(people)
    pass_days(clock, 200)
    b.household_of(people, card_hash(token), by="desk-1")
    pass_days(clock, 170)
    assert retain(town.store, people, log_days=30) == Gone(keys=0, cards=0, households=1, log_lines=3, sign_ins=0)
    left = kept(people, tmp_path)
    for secret in (gone_number, card_hash(gone), "infant"):
        # The word of the need stands in the rule that allows it, in what SQLite calls its schema.
        assert left.count(secret.encode()) == (left.count(b"IN ('infant'") if secret == "infant" else 0), secret
    assert number.encode() in left
    assert b.household_of(people, card_hash(gone), by="desk-1") is None


def test_old_lines_of_the_access_log_go_and_new_ones_stay(
    town: Desk, people: Households, clock: Ticking, tmp_path: Path
) -> None:
    _, token = enrolled(people, by="early-bird")
    pass_days(clock, 50)
    b.household_of(people, card_hash(token), by="late-bird")
    pass_days(clock, 50)
    assert b"early-bird" in kept(people, tmp_path)
    assert retain(town.store, people, log_days=90).log_lines == 1
    left = kept(people, tmp_path)
    assert b"early-bird" not in left
    assert b"late-bird" in left
    assert [row["staff"] for row in b.reads_of(people)] == ["late-bird"]


def test_a_job_that_was_killed_between_note_and_key_is_finished_by_the_next(
    town: Desk, people: Households, clock: Ticking, monkeypatch: pytest.MonkeyPatch
) -> None:
    number, _ = enrolled(people)
    b.tag_of(people, "basics", "march", number)
    clock.now = datetime.fromisoformat("2026-06-01T10:00:00+00:00")
    with monkeypatch.context() as patched:
        patched.setattr(type(people.keys()), "delete", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            retain(town.store, people)
    with pytest.raises(RefusedError, match="this period is over"):
        b.tag_of(people, "basics", "march", number)
    assert retain(town.store, people).keys == 1
    assert people.keys().read("basics", "march") is None


def test_somebody_who_reads_meanwhile_is_told_of(
    town: Desk, people: Households, tmp_path: Path, clock: Ticking
) -> None:
    if people.is_postgres:
        pytest.skip("PostgreSQL waits for its readers")
    enrolled(people)
    people.engine.dispose()
    with (
        Households(str(tmp_path / "aid-households.db"), None, clock=clock, wait_s=0.1) as quick,
        Households(str(tmp_path / "aid-households.db"), None) as other,
        other.reading() as connection,
    ):
        connection.exec_driver_sql("SELECT COUNT(*) FROM cards").all()
        with pytest.raises(BusyError, match="may still lie in the database's files"):
            retain(town.store, quick, log_days=0)


def test_days_are_not_below_zero(town: Desk, people: Households) -> None:
    for days in (-1, 10**9):
        with pytest.raises(UsageError, match="zero or more"):
            retain(town.store, people, unseen_days=days)


def test_without_vacuum_and_secure_delete_the_search_would_find_what_was_deleted(tmp_path: Path) -> None:
    """The search of this file can fail: SQLite as it comes leaves deleted rows in its files."""
    import sqlite3

    file = tmp_path / "plain.db"
    with sqlite3.connect(file) as plain:
        plain.execute("PRAGMA journal_mode = WAL")
        plain.execute("PRAGMA secure_delete = OFF")
        plain.execute("CREATE TABLE cards (card TEXT)")
        plain.execute("INSERT INTO cards VALUES ('canary-canary')")
        plain.commit()
        plain.execute("DELETE FROM cards")
        plain.commit()
        assert b"canary-canary" in b"".join(path.read_bytes() for path in tmp_path.glob("plain.db*"))
