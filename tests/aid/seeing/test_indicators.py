"""Indicators are what one would count by hand."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from nearer.aid import commands as c
from nearer.aid.seeing import indicators, span_of
from nearer.aid.seeing.indicators import Indicators
from nearer.aid.store import sql_of

from ..town import Desk, every_command, tag, wanted


def at(day: int, month: int = 3) -> datetime:
    return datetime(2026, month, day, 10, tzinfo=UTC)


def counted(town: Desk, first: str | None = None, last: str | None = None, expected: int | None = None) -> Indicators:
    with town.store.reading() as connection:
        sql = sql_of(connection)
        return indicators(sql, span_of(sql, first, last), expected=expected)


@pytest.fixture
def served(town: Desk) -> Desk:
    """Two centres, four households, one of them served at both."""
    do = town.do
    early = {"item": "rice", "use_by": "2026-03-20", "value": 3_000, "currency": "chf", "quantity": 10_000}
    do(c.Receive(site="north", giver="mill", lines=(c.Gift(**early),)), at=at(3))
    do(c.Stocktake(site="south", found=(c.Found(item="rice", quantity=10_000),)), at=at(3))
    do(c.HandOver(site="north", programme="basics", tag=tag(1), size=1, lines=wanted(rice=2_000)), at=at(5))
    do(c.HandOver(site="north", programme="basics", tag=tag(2), size=3, lines=wanted(rice=1_000)), at=at(9))
    do(c.HandOver(site="south", programme="basics", tag=tag(2), size=3, lines=wanted(rice=1_500)), at=at(10))
    do(c.HandOver(site="south", programme="basics", tag=tag(3), size=3, lines=wanted(rice=1_000)), at=at(18))
    undone = do(c.HandOver(site="south", programme="basics", tag=tag(4), size=3, lines=wanted(rice=5_000)), at=at(18))
    do(c.Reverse(transaction=undone["transaction"]), at=at(18))
    return town


def test_households_and_fill_are_counted_where_they_first_came(served: Desk) -> None:
    found = counted(served, expected=6)
    assert (found.visits, found.households, found.coverage) == (4, 3, 0.5)
    assert [(row["site"], row["visits"], row["households"], row["first_here"]) for row in found.centres] == [
        ("north", 2, 2, 2),
        ("south", 2, 2, 1),
    ]
    rice = {row["site"]: row for row in found.fill if row["item"] == "rice"}
    assert (rice["north"]["entitled"], rice["north"]["handed_over"]) == (7_000, 4_500)
    assert (rice["south"]["entitled"], rice["south"]["handed_over"], rice["south"]["unmet"]) == (5_000, 1_000, 4_000)
    # No kits were there: each centre's fill is the mean of rice's and nothing.
    assert found.least_fill == pytest.approx((0.2 + 0) / 2)
    assert found.median_fill == pytest.approx((0.2 / 2 + 4.5 / 7 / 2) / 2)


def test_waiting_expiry_and_origins_are_counted_by_line(served: Desk) -> None:
    found = counted(served)
    assert found.days_to_hand_over == 6.5  # 2, 6, 7, 15
    assert found.days_left == 13  # 15 and 11: what was counted in has no day
    assert found.last_moment == 0
    assert (found.traced, found.to_a_giver) == (1.0, 0.5)
    assert found.goods_value == {"chf": 900}


def test_goods_handed_over_in_the_last_days_are_told(served: Desk) -> None:
    served.do(c.HandOver(site="north", programme="basics", tag=tag(5), size=1, lines=wanted(rice=1)), at=at(18))
    found = counted(served, first="2026-03-11")
    assert found.last_moment == 1.0
    assert found.days_left == 2


def test_a_span_counts_what_lies_in_it(served: Desk) -> None:
    found = counted(served, first="2026-03-09", last="2026-03-10")
    assert (found.visits, found.households) == (2, 1)
    assert [row["week"] for row in found.weeks] == ["2026-W11", "2026-W11"]
    assert [(row["site"], row["handed_over"]) for row in found.fill if row["item"] == "rice"] == [("north", 2_500)]


def test_a_household_that_began_before_the_span_has_its_fill_there(served: Desk) -> None:
    found = counted(served, first="2026-03-10")
    assert {row["site"] for row in found.fill} == {"south"}  # household 2 belongs to the days before, at north
    assert [row["entitled"] for row in found.fill if row["item"] == "rice"] == [5_000]


def test_waste_has_its_causes_and_what_was_reversed_is_none(town: Desk) -> None:
    lot = town.give("north", item="rice", quantity=1_000)
    part = (c.LotAmount(lot=lot, quantity=100),)
    town.do(c.Damage(site="north", lines=part, reason="wet"))
    undone = town.do(c.Lose(site="north", lines=part, reason="theft"))
    town.do(c.Reverse(transaction=undone["transaction"]))
    town.do(c.Stocktake(site="north", lines=(c.Counted(lot=lot, counted=850, reason="missing"),)))
    found = counted(town)
    assert [(row["kind"], row["cause"], row["quantity"]) for row in found.waste] == [
        ("DAMAGED", "wet", 100),
        ("VARIANCE", "missing", 50),
    ]
    (rice,) = found.items
    assert (rice["wasted"], rice["waste_share"]) == (150, None)  # nothing was handed over to compare it with


def test_money_spent_and_turned_into_goods_is_the_cost(town: Desk) -> None:
    every_command(town)
    found = counted(town)
    assert found.money_out == {"chf": 6_000 + 1_250}
    assert found.cost_per_household == {"chf": 7_250 / found.households}
    kits = next(row for row in found.items if row["item"] == "kit")
    assert kits["handed_over"] == 1
    assert found.traced == 1.0


def test_an_empty_span_says_that_there_is_nothing_to_count(town: Desk) -> None:
    found = counted(town, first="2026-05-01", last="2026-05-31")
    assert (found.visits, found.households, found.coverage, found.least_fill) == (0, 0, None, None)
    assert found.centres == found.items == found.fill == found.waste == found.weeks == []
