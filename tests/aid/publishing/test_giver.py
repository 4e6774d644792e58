"""A giver learns how much of a gift was handed over, and where only where many were served from it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from nearer.aid import commands as c
from nearer.aid.publishing.giver import gift_of
from nearer.aid.refusals import RefusedError

from ..town import Desk, tag, wanted


def at(day: int) -> datetime:
    return datetime(2026, 3, day, 12, tzinfo=UTC)


def serve(town: Desk, site: str, number: int, day: int, **goods: int) -> int:
    command = c.HandOver(site=site, programme="basics", tag=tag(number), size=1, lines=wanted(**goods))
    return int(town.do(command, at=at(day))["transaction"])


@pytest.fixture
def gift(town: Desk) -> tuple[Desk, str]:
    """A gift at the north: twelve households from it in one week, three in the next, one more this week."""
    line = c.Gift(item="rice", quantity=50, unit="kg")
    thanks = town.do(c.Receive(site="north", giver="mill", lines=(line,)), at=at(2))["thanks"]
    for number in range(12):
        serve(town, "north", number, 3 + number % 3, rice=1_000)
    for number in range(20, 23):
        serve(town, "north", number, 10, rice=500)
    serve(town, "north", 30, 17, rice=100)
    return town, thanks


def told(town: Desk, thanks: str, **more: Any) -> dict[str, Any]:
    (found,) = gift_of(town.store, thanks, **more)["gifts"]
    return dict(found)


def test_places_with_few_households_and_the_week_that_runs_are_not_told(gift: tuple[Desk, str]) -> None:
    town, thanks = gift
    found = told(town, thanks)
    assert (found["given"], found["handed_over"]) == (50_000, 13_500)
    assert found["places"] == [{"site": "north", "week": "2026-W10", "quantity": 12_000}]
    assert len(told(town, thanks, least=3)["places"]) == 2
    assert gift_of(town.store, thanks)["until"] == "2026-03-15"


def test_one_household_that_comes_often_is_one_household(town: Desk) -> None:
    line = c.Gift(item="rice", quantity=5, unit="kg")
    thanks = town.do(c.Receive(site="north", giver="mill", lines=(line,)), at=at(2))["thanks"]
    for _ in range(12):
        serve(town, "north", 1, 4, rice=100)
    town.do(c.SetSiteState(site="south", state="open"), at=at(20))
    found = told(town, thanks)
    assert found["handed_over"] == 1_200
    assert found["places"] == []


def test_what_was_reversed_was_not_handed_over(gift: tuple[Desk, str]) -> None:
    town, thanks = gift
    town.do(c.Reverse(transaction=serve(town, "north", 40, 12, rice=2_000)))
    assert told(town, thanks)["handed_over"] == 13_500


def test_a_gift_is_followed_into_kits_and_money_into_what_it_bought(town: Desk) -> None:
    rice = town.do(c.Receive(site="hub", giver="mill", lines=(c.Gift(item="rice", quantity=40_000),)), at=at(2))
    money = town.do(
        c.Receive(site="hub", giver="g-71", lines=(c.Gift(item="chf", quantity=100, unit="CHF"),)), at=at(2)
    )
    town.do(c.Buy(site="hub", money="chf", price=50, price_unit="CHF", item="oil", quantity=10, unit="l"), at=at(2))
    town.do(c.Make(site="hub", recipe="family", times=10), at=at(2))
    sent = town.do(c.Send(site="hub", to="north", lines=wanted(kit=10)), at=at(2))["shipment"]
    town.do(c.Arrive(shipment=sent), at=at(2))
    for number in range(10):
        serve(town, "north", number, 4, kit=1)
    town.do(c.SetSiteState(site="south", state="open"), at=at(20))
    assert told(town, rice["thanks"])["handed_over"] == 40_000
    assert told(town, money["thanks"])["handed_over"] == 5_000  # half of the money bought the oil
    assert told(town, money["thanks"])["places"] == [{"site": "north", "week": "2026-W10", "quantity": 5_000}]


def test_no_tag_and_no_hand_over_is_in_what_a_giver_sees(gift: tuple[Desk, str]) -> None:
    town, thanks = gift
    text = json.dumps(gift_of(town.store, thanks, least=3))
    assert not any(tag(number) in text for number in range(41))
    assert "H" not in text.replace("2026-W", "").replace(thanks, "")


def test_a_number_that_is_none_is_refused(town: Desk) -> None:
    with pytest.raises(RefusedError, match="no gift 'T0'"):
        gift_of(town.store, "T0")
