"""A desk without a connection: what it may give, what it keeps, what it forgets; and what the ledger makes of it."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from nearer.aid import commands as c
from nearer.aid.offline.away import conflicts_of, leased_out, leases_of, most_extra
from nearer.aid.offline.document import Card, LeaseDocument, plain, take_lease
from nearer.aid.offline.journal import FILE, OfflineDesk
from nearer.aid.offline.sync import give_back, nobody, receive, sync
from nearer.aid.refusals import ClaimError, IdTakenError, NotEnoughError, RefusedError
from nearer.errors import UsageError

from ..town import START, Desk, tag, wanted

UNTIL = START + timedelta(hours=8)
_NUMBERS = itertools.count()


def card(number: int) -> str:
    """The hash of a household's card."""
    return hashlib.sha256(f"card {number}".encode()).hexdigest()


def known(found: str, programme: str, period: str) -> tuple[str, int] | None:
    """Households 1 to 9 have a card; those up to 3 are one person, the others four."""
    return next(((tag(n), 1 if n < 4 else 4) for n in range(1, 10) if card(n) == found), None)


def leased(
    town: Desk, folder: Path, numbers: tuple[int, ...] = (1, 2), rice: int = 3_000, desk: str = "desk-3", **more: Any
) -> LeaseDocument:
    document = take_lease(
        town.store,
        [Card(card(n), *known(card(n), "", "")) for n in numbers],  # type: ignore[misc]
        site="north",
        desk=desk,
        programme="basics",
        period="march",
        until=UNTIL,
        lines=wanted(rice=rice),
        id=f"lease-{next(_NUMBERS):08d}",
        actor="staff-1",
        **more,
    )
    OfflineDesk.begin(folder, document)
    return document


class Clock:
    """A desk's clock, that stands still until it is set."""

    def __init__(self) -> None:
        self.now = START + timedelta(hours=1)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def away(town: Desk, tmp_path: Path, clock: Clock) -> Iterator[OfflineDesk]:
    """A desk with two lots of rice, 3 kg together, and two households of one (2 kg each)."""
    town.give("north", item="rice", quantity=2_500, use_by="2026-03-02")
    town.give("north", item="rice", quantity=2_500, use_by="2026-04-01")
    leased(town, tmp_path / "away")
    with OfflineDesk(tmp_path / "away", now=clock) as desk:
        yield desk


def flags(town: Desk) -> list[tuple[str, int | None]]:
    return [(row["kind"], row["quantity"]) for row in conflicts_of(town.store)]


def test_what_a_desk_gave_without_a_connection_comes_into_the_ledger(town: Desk, away: OfflineDesk) -> None:
    away.hand_over(card(1), {"rice": 2_000}, by="staff-2")
    away.hand_over(card(2), {"rice": 700}, by="staff-2")
    told = sync(away, town.store, nobody)
    assert (len(told["kept"]), told["refused"]) == (2, [])
    assert sum(town.held("HANDED_OVER").values()) == 2_700
    assert sum(town.held("RESERVED").values()) == 300
    assert flags(town) == []
    assert away.message() is None
    assert sum(line["quantity"] for line in give_back(away, town.store, nobody, actor="staff-2")["lines"]) == 300
    assert sum(town.held(site="north").values()) == 2_300
    town.proven()


def test_an_entry_counts_once_in_any_order_and_part_and_as_often_as_it_comes(town: Desk, away: OfflineDesk) -> None:
    for amount in (500, 400, 300, 200):
        away.hand_over(card(1), {"rice": amount}, by="staff-2")
    message = away.message()
    assert message is not None
    backwards = {**message, "entries": message["entries"][::-1]}
    part = {**message, "entries": message["entries"][1:3]}
    answers = [receive(town.store, json.loads(json.dumps(told)), nobody) for told in (part, backwards, message, part)]
    assert len({row["transaction"] for answer in answers for row in answer["kept"]}) == 4
    away.confirmed(answers[0])
    assert [row["state"] for row in away.journal()] == ["waiting", "kept", "kept", "waiting"]
    away.confirmed(answers[2])
    away.confirmed(answers[2])
    assert sum(town.held("HANDED_OVER").values()) == 1_400
    town.proven()


def test_a_desk_gives_no_more_than_its_list_and_its_goods_allow(away: OfflineDesk) -> None:
    away.hand_over(card(1), {"rice": 1_500}, by="staff-2")
    with pytest.raises(ClaimError, match="has 500 of rice left, not 501"):
        away.hand_over(card(1), {"rice": 501}, by="staff-2")
    with pytest.raises(ClaimError, match="has 500 of rice left, not 501"):
        away.hand_over(card(1), {"rice": 501}, by="staff-2", emergency=True)
    with pytest.raises(ClaimError, match="not on the list"):
        away.hand_over(card(3), {"rice": 1}, by="staff-2")
    with pytest.raises(NotEnoughError, match="has 1500 rice left, not 2000"):
        away.hand_over(card(2), {"rice": 2_000}, by="staff-2")
    assert len(away.journal()) == 1


def test_connected_desks_leave_leased_households_and_goods_alone_until_the_lease_ends(
    town: Desk, away: OfflineDesk
) -> None:
    visit = c.HandOver(site="north", programme="basics", tag=tag(1), size=1, lines=wanted(rice=100))
    with pytest.raises(ClaimError, match=r"is with the desk desk-3 until 2026-03-02T16:00:00.000Z \(lease K\d+\)"):
        town.do(visit)
    with pytest.raises(ClaimError, match="1 household is with another desk"):
        leased(town, Path("/nonexistent"), (2, 3), rice=1, desk="desk-4")
    assert leased_out(town.store, "basics", "march") == {tag(1), tag(2)}
    assert most_extra(town.store) == 1
    away.hand_over(card(1), {"rice": 1_950}, by="staff-2")
    give_back(away, town.store, nobody, actor="staff-2")
    with pytest.raises(ClaimError, match="has 50 of rice left"):
        town.do(visit)
    assert [row["state"] for row in leases_of(town.store)] == ["returned"]
    town.proven()


def test_a_lease_that_is_over_frees_households_by_itself_and_goods_by_a_command(town: Desk, away: OfflineDesk) -> None:
    name = away.lease.lease
    with pytest.raises(RefusedError, match="holds until"):
        town.do(c.EndLease(lease=name, how="expired"))
    town.do(c.AddParty(party="g-1"), at=UNTIL + timedelta(seconds=1))
    assert town.do(c.HandOver(site="north", programme="basics", tag=tag(1), size=1, lines=wanted(rice=100)))
    assert [row["state"] for row in leases_of(town.store)] == ["over"]
    town.do(c.EndLease(lease=name, how="expired"))
    assert town.held("RESERVED") == {}
    with pytest.raises(RefusedError, match="has ended already"):
        town.do(c.EndLease(lease=name))
    town.proven()


def test_the_list_is_erased_when_the_lease_is_over(away: OfflineDesk, tmp_path: Path, clock: Clock) -> None:
    marks = [claim for (claim,) in sqlite3.connect(tmp_path / "away" / FILE).execute("SELECT mark FROM list")]
    raw = (tmp_path / "away" / FILE).read_bytes()
    assert all(mark.encode() in raw for mark in marks)
    assert card(1).encode() not in raw
    away.hand_over(card(1), {"rice": 500}, by="staff-2")
    clock.now = UNTIL
    assert not away.look(card(2))["listed"]
    raw = (tmp_path / "away" / FILE).read_bytes()
    assert [mark.encode() in raw for mark in marks].count(True) == 1  # the one of the entry
    with pytest.raises(ClaimError, match="its list is erased"):
        away.hand_over(card(2), {"rice": 1}, by="staff-2")
    with pytest.raises(ClaimError, match="served here before"):
        away.hand_over(card(1), {"rice": 1}, by="staff-2", emergency=True, size=1)


def test_an_unleased_card_is_served_once_in_an_emergency_and_flagged(town: Desk, away: OfflineDesk) -> None:
    with pytest.raises(UsageError, match="how many people"):
        away.hand_over(card(5), {"rice": 1}, by="staff-2", emergency=True)
    with pytest.raises(ClaimError, match="of 1 is entitled to 2000"):
        away.hand_over(card(5), {"rice": 2_001}, by="staff-2", emergency=True, size=1)
    away.hand_over(card(5), {"rice": 1_000}, by="staff-2", emergency=True, size=4)
    with pytest.raises(ClaimError, match="served here before"):
        away.hand_over(card(5), {"rice": 1}, by="staff-2", emergency=True, size=4)
    away.hand_over(card(77), {"rice": 300}, by="staff-2", emergency=True, size=1)
    sync(away, town.store, known)
    assert flags(town) == [("unleased", None), ("unknown-card", None), ("claim", 300)]
    assert card(5) not in json.dumps(away.journal())  # the ledger knows whose it was: the card is forgotten
    town.proven()


def test_a_second_claim_is_kept_flagged_and_draws_no_more_than_is_left(town: Desk, away: OfflineDesk) -> None:
    town.give("hub", item="rice", quantity=9_000)
    town.do(c.HandOver(site="hub", programme="basics", tag=tag(5), size=4, lines=wanted(rice=4_600)))
    away.hand_over(card(5), {"rice": 1_000}, by="staff-2", emergency=True, size=4)
    sync(away, town.store, known)
    assert flags(town) == [("unleased", None), ("claim", 600)]
    with town.store.reading() as connection:
        left = connection.exec_driver_sql("SELECT left_over FROM allowances WHERE item = 'rice' ORDER BY tag").all()
    assert [row[0] for row in left] == [2_000, 2_000, 0]
    assert sum(town.held("HANDED_OVER").values()) == 5_600
    town.proven()


def test_what_was_given_of_goods_that_went_elsewhere_is_a_variance_with_a_flag(
    town: Desk, away: OfflineDesk, clock: Clock
) -> None:
    away.hand_over(card(1), {"rice": 2_000}, by="staff-2")
    town.do(c.AddParty(party="g-1"), at=UNTIL + timedelta(seconds=1))
    town.do(c.EndLease(lease=away.lease.lease, how="expired"))
    first = away.lease.stock[0].lot
    town.do(c.Lose(site="north", lines=(c.LotAmount(lot=first, quantity=1_000),), reason="missing"))
    sync(away, town.store, nobody)
    assert flags(town) == [("stock", 500)]
    assert town.held("VARIANCE") == {first: -500}
    town.proven()


def test_goods_beyond_the_lease_are_given_in_an_emergency_and_flagged(town: Desk, away: OfflineDesk) -> None:
    away.hand_over(card(1), {"rice": 2_000}, by="staff-2")
    entry = away.hand_over(card(2), {"rice": 1_400}, by="staff-2", emergency=True)
    assert [(line.item, line.quantity) for line in entry.beyond] == [("rice", 400)]
    sync(away, town.store, nobody)
    assert flags(town) == [("stock", 400)]
    town.proven()


def test_a_lot_that_was_recalled_or_ended_meanwhile_is_kept_and_flagged(
    town: Desk, away: OfflineDesk, clock: Clock
) -> None:
    first, second = (line.lot for line in away.lease.stock)
    away.hand_over(card(1), {"rice": 1_000}, by="staff-2")
    away.hand_over(card(2), {"rice": 2_000}, by="staff-2")
    message = away.message()
    assert message is not None
    town.do(c.Recall(lot=second, reason="maker"))
    # A clock that is years ahead: the moment of arrival counts, and the flag says so.
    message["entries"][0]["moment"] = "2031-01-01T00:00:00.000Z"
    town.do(c.AddParty(party="g-1"), at=START + timedelta(days=1))
    receive(town.store, message, nobody)
    assert flags(town) == [("clock", None), ("use-by", 1_000), ("recalled", 500)]
    assert town.held("HANDED_OVER") == {first: 2_500, second: 500}
    town.proven()


def test_a_conflict_is_resolved_once_and_a_reversed_one_is_off_the_list(town: Desk) -> None:
    given = c.HandOver(
        site="north", programme="basics", tag=tag(1), size=1, lines=wanted(rice=2_100), already_given=True
    )
    told = town.do(given)
    assert [(row["kind"], row["quantity"]) for row in told["conflicts"]] == [("stock", 2_100), ("claim", 100)]
    assert told["left"] == {"kit": 1, "rice": 0}
    first, second = (row["conflict"] for row in told["conflicts"])
    town.do(c.Resolve(conflict=first, reason="goods-not-booked"))
    with pytest.raises(RefusedError, match="resolved already, as goods-not-booked"):
        town.do(c.Resolve(conflict=first, reason="other"))
    with pytest.raises(RefusedError, match="no conflict 'X1-9'"):
        town.do(c.Resolve(conflict="X1-9", reason="other"))
    assert [row["conflict"] for row in conflicts_of(town.store)] == [second]
    town.do(c.Reverse(transaction=told["transaction"]))
    assert conflicts_of(town.store) == []
    states = [row["resolved"] for row in conflicts_of(town.store, open_only=False)]
    assert states == ["reversed", "reversed"]
    town.proven()


def test_what_has_happened_within_the_books_has_no_flag(town: Desk) -> None:
    town.give("north", item="rice", quantity=5_000)
    given = c.HandOver(site="north", programme="basics", tag=tag(1), size=1, lines=wanted(rice=9), already_given=True)
    assert "conflicts" not in town.do(given)
    town.proven()


def test_an_entry_that_cannot_be_is_refused_with_a_reason_and_stays_in_the_journal(
    town: Desk, away: OfflineDesk
) -> None:
    away.hand_over(card(1), {"rice": 100}, by="staff-2")
    message = away.message()
    assert message is not None
    strange = {**message["entries"][0], "id": "strange-0001", "lots": [{"lot": "L999-1", "quantity": 1}]}
    other = {**message["entries"][0], "id": "strange-0002", "lease": "K999"}
    told = receive(town.store, {**message, "entries": [strange, {"id": "x"}, other, *message["entries"]]}, nobody)
    assert [row["id"] for row in told["refused"]] == ["strange-0001", "x", "strange-0002"]
    assert "no lot 'L999-1'" in told["refused"][0]["why"]
    assert len(told["kept"]) == 1
    changed = {**message, "entries": [{**message["entries"][0], "proof": "witness"}]}
    assert "already stands for another command" in receive(town.store, changed, nobody)["refused"][0]["why"]
    with pytest.raises(UsageError, match="another ledger"):
        receive(town.store, {**message, "ledger": "another"}, nobody)
    away.confirmed(told | {"kept": [], "refused": [{"id": message["entries"][0]["id"], "why": "no"}]})
    assert [row["state"] for row in away.journal()] == ["refused"]
    with pytest.raises(RefusedError, match="1 entries are not in the ledger yet"):
        away.forget()
    sync(away, town.store, nobody)
    assert [row["state"] for row in away.journal()] == ["kept"]


def test_a_hand_over_asked_again_with_its_id_is_written_once(away: OfflineDesk) -> None:
    first = away.hand_over(card(1), {"rice": 100}, by="staff-2", id="again-000001")
    assert away.hand_over(card(1), {"rice": 100}, by="staff-2", id="again-000001") == first
    with pytest.raises(IdTakenError):
        away.hand_over(card(1), {"rice": 200}, by="staff-2", id="again-000001")
    assert len(away.journal()) == 1


def test_two_leases_call_the_same_card_differently(town: Desk, away: OfflineDesk, tmp_path: Path) -> None:
    give_back(away, town.store, nobody, actor="staff-2")
    again = leased(town, tmp_path / "again")
    assert not {claim.mark for claim in again.claims} & {claim.mark for claim in away.lease.claims}
    text = json.dumps(plain(again))
    assert card(1) not in text
    assert tag(1) not in text
    assert LeaseDocument.model_validate_json(text) == again


def test_a_desk_has_one_lease_at_a_time_and_within_one_period(town: Desk, away: OfflineDesk, tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="desk-3 still has the lease"):
        leased(town, tmp_path / "second", (3,))
    lease = c.Lease(site="north", desk="desk-5", programme="basics", period="march", until=UNTIL, lines=wanted(rice=1))
    for until, sentence in ((START, "is past"), (START + timedelta(days=60), "from 2026-03-01 to 2026-03-31")):
        with pytest.raises(RefusedError, match=sentence):
            town.do(lease.model_copy(update={"until": until}))
    with pytest.raises(UsageError, match="already"):
        OfflineDesk.need_none(tmp_path / "away")
    with pytest.raises(UsageError, match="no offline desk"):
        OfflineDesk(tmp_path)


def test_a_stocktake_and_an_expiry_run_leave_leased_goods_alone(town: Desk, away: OfflineDesk) -> None:
    first = away.lease.stock[0].lot
    away.hand_over(card(1), {"rice": 2_000}, by="staff-2")
    town.do(c.Expire(site="north"), at=START + timedelta(days=2))
    counted = town.do(c.Stocktake(site="north", lines=(c.Counted(lot=first, counted=0),)))
    assert counted["lines"] == [{"lot": first, "expected": 0, "counted": 0, "variance": 0}]
    sync(away, town.store, nobody)
    assert flags(town) == []
    town.proven()


GIVE = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from nearer.aid.offline.journal import OfflineDesk
desk = OfflineDesk(Path(sys.argv[1]), now=lambda: datetime(2026, 3, 2, 9, tzinfo=UTC))
for number in range(100_000):
    entry = desk.hand_over(sys.argv[2], {"rice": 1}, by="staff-2", id=f"entry-{number:06d}")
    print(entry.id, flush=True)
"""


def test_what_a_desk_answered_before_a_kill_is_in_its_journal(away: OfflineDesk, tmp_path: Path) -> None:
    lost = 0
    answered: list[str] = []
    for _ in range(2):
        command = [sys.executable, "-c", GIVE, str(tmp_path / "away"), card(1)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=dict(os.environ)) as process:
            assert process.stdout is not None
            answered += [process.stdout.readline().strip() for _ in range(40)]
            process.send_signal(signal.SIGKILL)
            answered += process.stdout.read().split()
        there = {row["entry"]["id"] for row in away.journal()}
        lost += len(set(answered) - there)
    assert lost == 0
    assert away.look(card(1))["left"]["rice"] == 2_000 - len(away.journal())
