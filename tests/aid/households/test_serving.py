"""A card at a desk: what it shows, what is handed over, and what is refused, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from nearer.aid import commands as c
from nearer.aid.households import book as b
from nearer.aid.households import staff
from nearer.aid.households.cards import new_token
from nearer.aid.households.pins import MOST_WRONG
from nearer.aid.households.serving import Look, Share, hand_over, look
from nearer.aid.households.store import Households
from nearer.aid.refusals import ClaimError, IdTakenError, RefusedError
from nearer.errors import UsageError

from ..town import Desk, store_size, wanted

WORDS = "four plain words here"
AT = {"site": "north", "programme": "basics", "by": "desk-1"}


def enrolled(people: Households, **more: Any) -> str:
    values: dict[str, Any] = {"size": 4, "home": "north", "language": "pt", "by": "desk-1"} | more
    return b.enrol(people, **values)[1]


def handed(town: Desk, people: Households, token: str, amount: int = 2_000, **more: Any) -> dict[str, Any]:
    values: dict[str, Any] = AT | {"id": f"handed-{store_size(town.store):04d}"} | more
    return hand_over(town.store, people, token, wanted(rice=amount), **values)


def test_a_look_says_yes_no_and_how_much(town: Desk, people: Households) -> None:
    token = enrolled(people, needs=("no-meat",))
    before = store_size(town.store)
    rice = Share("rice", "g", 5_000, 0, 5_000)
    kit = Share("kit", "piece", 1, 0, 1)
    assert look(town.store, people, token, **AT) == Look(
        "basics", "march", True, "", None, (kit, rice), ("no-meat",), "pt", False
    )
    assert store_size(town.store) == before
    assert handed(town, people, token, 3_000)["left"] == {"rice": 2_000, "kit": 1}
    assert look(town.store, people, token, **AT).shares == (kit, Share("rice", "g", 5_000, 3_000, 2_000))
    with pytest.raises(ClaimError, match="has 2000 of rice left in march, not 2001"):
        handed(town, people, token, 2_001)
    handed(town, people, token, 2_000)
    found = look(town.store, people, token, **AT)
    assert found.may  # the kit is left
    assert [share.left for share in found.shares] == [1, 0]
    town.proven()


def test_a_household_that_has_had_all_may_not(town: Desk, people: Households) -> None:
    town.do(c.AddProgramme(programme="soap", name="Soap", visits=2))
    days = {"first_day": "2026-03-01", "last_day": "2026-03-31"}
    rules = (c.Rule(item="rice", quantity=1_000), c.Rule(item="oil", quantity=5, size_from=9))
    town.do(c.OpenPeriod(programme="soap", period="march", rules=rules, **days))
    at = AT | {"programme": "soap"}
    small, large = enrolled(people, size=1), enrolled(people, size=9)
    assert look(town.store, people, small, **at).visits_left == 2
    handed(town, people, small, 1_000, programme="soap")
    found = look(town.store, people, small, **at)
    assert (found.may, found.why, found.visits_left) == (False, "it has had all of it", 1)
    for _ in range(2):
        handed(town, people, large, 10, programme="soap")
    found = look(town.store, people, large, **at)
    assert (found.may, found.why, found.visits_left) == (False, "it has come as often as it may", 0)
    with pytest.raises(ClaimError, match="has been served 2 times"):
        handed(town, people, large, 10, programme="soap")


def test_a_household_that_a_programme_gives_nothing_may_not(town: Desk, people: Households) -> None:
    town.do(c.AddProgramme(programme="large", name="Large households"))
    days = {"first_day": "2026-03-01", "last_day": "2026-03-31"}
    rules = (c.Rule(item="rice", quantity=1_000, size_from=9),)
    town.do(c.OpenPeriod(programme="large", period="march", rules=rules, **days))
    found = look(town.store, people, enrolled(people), **AT | {"programme": "large"})
    assert (found.may, found.why) == (False, "it is entitled to nothing")


def test_a_replaced_card_gets_what_is_left_and_no_more(town: Desk, people: Households) -> None:
    old = enrolled(people)
    handed(town, people, old, 5_000)
    number = b.household_by(people, old, by="desk-1", act="replace").number
    new = b.replace_card(people, number, by="desk-1")
    with pytest.raises(RefusedError, match="was replaced"):
        handed(town, people, old, 10)
    with pytest.raises(ClaimError, match="has 0 of rice left"):
        handed(town, people, new, 10)


def test_a_card_that_is_with_a_cut_off_desk_is_served_there(town: Desk, people: Households) -> None:
    token = enrolled(people)
    number = b.household_by(people, token, by="desk-1", act="show").number
    (leased,) = b.entitled(people, "basics", "march", by="desk-1")
    assert leased.tag == b.tag_of(people, "basics", "march", number)
    until = datetime(2026, 3, 4, tzinfo=UTC)
    claims = (c.LeasedClaim(tag=leased.tag, size=leased.size),)
    taken = {"site": "north", "desk": "van", "programme": "basics", "period": "march", "until": until}
    lease = town.do(c.Lease(claims=claims, **taken))["lease"]
    found = look(town.store, people, token, **AT)
    assert not found.may
    assert "its card is with the desk van until 2026-03-04" in found.why
    with pytest.raises(ClaimError, match="is with the desk van"):
        handed(town, people, token)
    town.do(c.EndLease(lease=lease))
    assert look(town.store, people, token, **AT).may


def test_an_unknown_card_is_refused_without_being_repeated(town: Desk, people: Households) -> None:
    token = new_token()
    for act in (lambda: handed(town, people, token), lambda: look(town.store, people, token, **AT)):
        with pytest.raises(RefusedError, match="No household has this card") as refused:
            act()
        assert token not in str(refused.value)


def test_a_hand_over_sent_twice_counts_once_even_a_period_later(town: Desk, people: Households) -> None:
    """The tag is of the first time's period, whatever day it is when the answer is asked for again."""
    token = enrolled(people)
    days = {"first_day": "2026-04-01", "last_day": "2026-04-30"}
    town.do(c.OpenPeriod(programme="basics", period="april", like="march", **days))
    first = handed(town, people, token, id="handed-once")
    size = store_size(town.store)
    town.store._clock.now += timedelta(days=30)  # type: ignore[attr-defined]
    assert handed(town, people, token, id="handed-once") == first
    assert store_size(town.store) == size
    with pytest.raises(IdTakenError):
        handed(town, people, token, 1, id="handed-once")
    assert handed(town, people, token)["period"] == "april"


def test_the_period_of_the_tag_is_that_of_the_hand_over_to_the_second(town: Desk, people: Households) -> None:
    """A card read just before midnight is served in the period in which it was read."""
    token = enrolled(people)
    days = {"first_day": "2026-04-01", "last_day": "2026-04-30"}
    town.do(c.OpenPeriod(programme="basics", period="april", like="march", **days))
    midnight = datetime(2026, 3, 31, 22, 0, tzinfo=UTC)  # in Vaduz
    people._clock = lambda: midnight - timedelta(seconds=1)
    town.store._clock = lambda: midnight + timedelta(seconds=1)
    answer = handed(town, people, token)
    assert answer["period"] == "march"
    with town.store.reading() as connection:
        rows = connection.exec_driver_sql("SELECT period, tag FROM claims").all()
    number = b.household_by(people, token, by="desk-1", act="show").number
    assert [tuple(row) for row in rows] == [("march", b.tag_of(people, "basics", "march", number))]


def test_a_pin_confirms_and_a_few_wrong_ones_end_it(town: Desk, people: Households) -> None:
    token = enrolled(people, pin_hash=staff.hash_of_pin("4711"))
    assert look(town.store, people, token, **AT).has_pin
    handed(town, people, token, 100, proof="pin", pin="4711")
    size = store_size(town.store)
    for _ in range(MOST_WRONG):
        with pytest.raises(RefusedError, match="The PIN is wrong"):
            handed(town, people, token, 100, proof="pin", pin="0000")
    with pytest.raises(RefusedError, match="was wrong 5 times"):
        handed(town, people, token, 100, proof="pin", pin="4711")
    assert store_size(town.store) == size
    number = b.household_by(people, token, by="desk-1", act="change").number
    b.change(people, number, pin_hash=staff.hash_of_pin("1234"), by="desk-1")
    handed(town, people, token, 100, proof="pin", pin="1234")
    with town.store.reading() as connection:
        proofs = connection.exec_driver_sql("SELECT proof FROM handovers").scalars().all()
    assert list(proofs) == ["pin", "pin"]


def test_a_right_pin_forgets_the_wrong_ones_before(town: Desk, people: Households) -> None:
    token = enrolled(people, pin_hash=staff.hash_of_pin("4711"))
    for _ in range(2):
        for _ in range(MOST_WRONG - 1):
            with pytest.raises(RefusedError, match="The PIN is wrong"):
                handed(town, people, token, 100, proof="pin", pin="0000")
        handed(town, people, token, 100, proof="pin", pin="4711")


def test_a_household_without_a_pin_cannot_confirm_by_one(town: Desk, people: Households) -> None:
    with pytest.raises(RefusedError, match="has no PIN"):
        handed(town, people, enrolled(people), proof="pin", pin="4711")


def test_a_witness_is_a_second_one_with_a_password(town: Desk, people: Households) -> None:
    token = enrolled(people)
    with pytest.raises(RefusedError, match="somebody else than who hands over"):
        handed(town, people, token, proof="witness", witness="desk-1")
    handed(town, people, token, 100, proof="witness", witness="desk-2")  # no staff: two codes are enough
    staff.add(people, "boss", "coordinator", WORDS)
    staff.add(people, "desk-2", "desk", WORDS)
    staff.add(people, "eye", "viewer", WORDS)
    for witness, password, said in (
        ("desk-2", None, "do not go together"),
        ("desk-2", "another", "do not go together"),
        ("nobody", WORDS, "do not go together"),
        ("eye", WORDS, "The role viewer may not do witness"),
    ):
        with pytest.raises(RefusedError, match=said):
            handed(town, people, token, 100, proof="witness", witness=witness, witness_password=password)
    assert [row["staff"] for row in b.reads_of(people) if row["act"] == "witness"] == ["desk-2"]
    handed(town, people, token, 100, proof="witness", witness="desk-2", witness_password=WORDS)
    assert [row["staff"] for row in b.reads_of(people) if row["act"] == "witness"] == ["desk-2"] * 2
    with town.store.reading() as connection:
        assert connection.exec_driver_sql("SELECT staff FROM witnesses").scalars().all() == ["desk-2"] * 2
    town.proven()


@pytest.mark.parametrize(
    "more",
    [{"proof": "pin"}, {"pin": "4711"}, {"proof": "witness"}, {"witness": "desk-2"}, {"proof": "pin", "witness": "x"}],
)
def test_a_proof_goes_with_what_it_needs(town: Desk, people: Households, more: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="A PIN goes with the proof pin"):
        handed(town, people, enrolled(people), **more)


def test_only_the_tag_reaches_the_ledger(town: Desk, people: Households) -> None:
    token = enrolled(people)
    handed(town, people, token)
    number = b.household_by(people, token, by="desk-1", act="show").number
    with town.store.engine.connect() as connection:
        tables = sa.inspect(connection).get_table_names()
        text = str([connection.exec_driver_sql(f"SELECT * FROM {table}").all() for table in tables])
    assert b.tag_of(people, "basics", "march", number) in text
    for secret in (token, token.replace("-", ""), number, number.replace("-", "")):
        assert secret not in text
