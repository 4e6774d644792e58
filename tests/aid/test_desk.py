"""What each command of a desk does, and what it refuses, with quantities worked out by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from nearer.aid import commands as c
from nearer.aid.refusals import ClaimError, NotEnoughError, RefusedError
from nearer.aid.trace import trace
from nearer.aid.views import balances_of, movements_of

from .town import START, Desk, every_command, tag, wanted


def test_every_command_keeps_every_promise(town: Desk) -> None:
    every_command(town)
    town.proven()
    with town.store.reading() as connection:
        kinds = {row[0] for row in connection.exec_driver_sql("SELECT DISTINCT kind FROM transactions")}
    assert kinds == {*c.COMMANDS, "init"}


def test_quantities_are_exact_and_come_to_whole_base_units(town: Desk) -> None:
    lot = town.give(item="rice", quantity="1.5", unit="sack")
    assert town.held() == {lot: 37_500}
    with pytest.raises(RefusedError, match=r"0\.0005 kg of rice is no whole number of g"):
        town.give(item="rice", quantity="0.0005", unit="kg")
    with pytest.raises(RefusedError, match="rice is not counted in 'bag'; it has g, kg, sack"):
        town.give(item="rice", quantity=1, unit="bag")
    with pytest.raises(RefusedError, match="above zero"):
        town.give(item="rice", quantity=0)
    with pytest.raises(ValidationError):
        c.Gift(item="rice", quantity=1.5)


def test_what_ends_first_goes_first_and_a_line_is_split_over_lots(town: Desk) -> None:
    late = town.give(item="rice", quantity=10, use_by="2026-08-01")
    never = town.give(item="rice", quantity=10)
    soon = town.give(item="rice", quantity=10, best_before="2026-05-01")
    later = town.give(item="rice", quantity=10, use_by="2026-09-01", best_before="2026-07-01")
    sent = town.do(c.Send(site="hub", to="north", lines=wanted(rice=35)))["lines"]
    assert [(line["lot"], line["quantity"]) for line in sent] == [(soon, 10), (later, 10), (late, 10), (never, 5)]


def test_a_lot_is_good_on_its_use_by_day_and_not_on_the_next(town: Desk) -> None:
    lot = town.give(item="rice", quantity=10, use_by="2026-03-02")
    last_minute = datetime(2026, 3, 2, 22, 59, tzinfo=UTC)  # 23:59 in Vaduz
    send = c.Send(site="hub", to="north", lines=wanted(rice=1))
    assert town.do(send, at=last_minute)["lines"] == [{"lot": lot, "quantity": 1}]
    with pytest.raises(NotEnoughError, match="9 more are past its use-by day"):
        town.do(send, at=last_minute + timedelta(minutes=2))
    assert town.do(c.Expire(site="hub"), at=last_minute)["lines"] == []
    assert town.do(c.Expire(site="hub"), at=last_minute + timedelta(minutes=2))["lines"] == [
        {"lot": lot, "quantity": 9}
    ]


def test_a_lot_past_its_best_before_day_may_still_be_given(town: Desk) -> None:
    town.give("north", item="rice", quantity=100, best_before="2026-01-01")
    assert town.do(c.HandOver(site="north", programme="basics", tag=tag(1), size=1, lines=wanted(rice=100)))["lines"]


def test_earmarked_gifts_go_only_where_they_are_meant_to(town: Desk) -> None:
    town.do(c.AddProgramme(programme="school", name="School"))
    for_north = town.give(item="rice", quantity=10, for_site="north")
    for_school = town.give(item="rice", quantity=10, for_programme="school")
    with pytest.raises(NotEnoughError, match="hub has 0 rice for this, not 1; 20 more are earmarked"):
        town.do(c.Send(site="hub", to="south", lines=wanted(rice=1)))
    assert town.do(c.Send(site="hub", to="north", lines=wanted(rice=10)))["lines"][0]["lot"] == for_north
    sent = town.do(c.Send(site="hub", to="south", lines=wanted(rice=10), for_programme="school"))
    assert sent["lines"][0]["lot"] == for_school


def test_what_is_reserved_is_not_free_and_comes_back_when_released(town: Desk) -> None:
    lot = town.give(item="rice", quantity=10)
    reservation = town.do(c.Reserve(site="hub", lines=wanted(rice=7)))["reservation"]
    with pytest.raises(NotEnoughError, match="hub has 3 rice for this, not 4"):
        town.do(c.Send(site="hub", to="north", lines=wanted(rice=4)))
    town.do(c.Release(reservation=reservation))
    assert town.held() == {lot: 10}
    with pytest.raises(RefusedError, match="holds nothing any more"):
        town.do(c.Release(reservation=reservation))
    assert town.held("RESERVED") == {}


def test_a_shipment_arrives_short_over_damaged_and_in_parts(town: Desk) -> None:
    rice, oil = town.give(item="rice", quantity=100), town.give(item="oil", quantity=50)
    shipment = town.do(c.Send(site="hub", to="north", lines=wanted(rice=100, oil=50)))["shipment"]
    assert town.held("TRANSIT") == {rice: 100, oil: 50}
    with pytest.raises(RefusedError, match=f"{oil} is on its way too"):
        town.do(c.Arrive(shipment=shipment, lines=(c.Arrived(lot=rice, good=1),)))
    town.do(c.Arrive(shipment=shipment, lines=(c.Arrived(lot=rice, good=60),), more_to_come=True))
    assert town.held("TRANSIT") == {rice: 40, oil: 50}
    lines = (c.Arrived(lot=rice, good=30, damaged=4), c.Arrived(lot=oil, good=51, damaged=2))
    town.do(c.Arrive(shipment=shipment, lines=lines, damage="broken"))
    assert town.held("STOCK", "north") == {rice: 90, oil: 51}
    assert town.held("DAMAGED") == {rice: 4, oil: 2}
    assert town.held("LOST") == {rice: 6}
    assert town.held("VARIANCE") == {oil: -3}
    assert town.held("TRANSIT") == {}
    with pytest.raises(RefusedError, match="Nothing of the shipment"):
        town.do(c.Arrive(shipment=shipment))
    town.proven()


def test_a_kit_keeps_its_sources_and_ends_with_the_first_of_its_parts(town: Desk) -> None:
    first = town.give(item="rice", quantity=3_000, use_by="2026-06-01")
    second = town.give(item="rice", quantity=9_000, giver="g-71", use_by="2026-07-01")
    oil = town.give(item="oil", quantity=2_500, use_by="2026-12-01")
    kits = town.do(c.Make(site="hub", recipe="family", times=2))  # 2 × (4000 rice + 1000 oil)
    assert kits["parts"] == [
        {"lot": oil, "quantity": 2_000},
        {"lot": first, "quantity": 3_000},
        {"lot": second, "quantity": 5_000},
    ]
    assert town.held() == {second: 4_000, oil: 500, kits["lot"]: 2}
    (row,) = balances_of(town.store, item="kit", kind="STOCK")
    assert row["use_by"] == "2026-06-01"
    (kit,) = trace(town.store, kits["lot"])["lots"]
    assert {(s["lot"], s["giver"], s["quantity"]) for s in kit["back"][1:]} == {
        (first, "mill", "3000"),
        (second, "g-71", "5000"),
        (oil, "mill", "2000"),
    }
    town.do(c.Send(site="hub", to="north", lines=wanted(kit=1)))
    (traced,) = trace(town.store, first)["lots"]
    # 3000 g went into 2 kits, one of which is on its way.
    assert {(place["kind"], place["share"]) for place in traced["forward"]} == {("STOCK", "1500"), ("TRANSIT", "1500")}


def test_a_recalled_lot_and_what_was_made_of_it_are_not_given_any_more(town: Desk) -> None:
    rice = town.give("north", item="rice", quantity=8_000)
    town.give("north", item="oil", quantity=8_000)
    kits = town.do(c.Make(site="north", recipe="family", times=1))
    assert town.do(c.Recall(lot=rice, reason="maker"))["lots"] == [rice, kits["lot"]]
    for item, amount in (("rice", 10), ("kit", 1)):
        hand_over = c.HandOver(site="north", programme="basics", tag=tag(1), size=1, lines=wanted(**{item: amount}))
        with pytest.raises(NotEnoughError, match="recalled"):
            town.do(hand_over)


def test_a_stocktake_touches_only_what_was_counted_against_its_cutoff(town: Desk) -> None:
    rice, oil = town.give(item="rice", quantity=100), town.give(item="oil", quantity=50)
    cutoff = town.do(c.Reserve(site="hub", lines=wanted(rice=20)))["transaction"]
    town.do(c.Send(site="hub", to="north", lines=wanted(rice=30)))  # after counting, before it is typed in
    answer = town.do(c.Stocktake(site="hub", lines=(c.Counted(lot=rice, counted=97),), cutoff=cutoff))
    assert answer["lines"] == [{"lot": rice, "expected": 100, "counted": 97, "variance": -3}]
    assert town.held("STOCK") == {rice: 100 - 20 - 30 - 3, oil: 50}
    assert town.held("VARIANCE") == {rice: 3}
    with pytest.raises(RefusedError, match=r"98 of lot .* are missing and only 47 are free"):
        town.do(c.Stocktake(site="hub", lines=(c.Counted(lot=rice, counted=2),), cutoff=cutoff))
    with pytest.raises(ValidationError, match="named twice"):
        c.Stocktake(site="hub", lines=(c.Counted(lot=rice, counted=1), c.Counted(lot=rice, counted=2)))
    town.proven()


def test_opening_stock_is_a_stocktake_that_finds_it(town: Desk) -> None:
    found = town.do(c.Stocktake(site="hub", found=(c.Found(item="rice", quantity=2, unit="sack"),)))["found"]
    (traced,) = trace(town.store, found[0]["lot"])["lots"]
    assert (traced["origin"], traced["made"], traced["back"][0]["giver"]) == ("count", 50_000, None)


def test_an_item_that_should_not_be_there_can_be_counted(town: Desk) -> None:
    rice = town.give(item="rice", quantity=10)
    town.do(c.Send(site="hub", to="north", lines=wanted(rice=10)))
    town.do(c.Stocktake(site="hub", lines=(c.Counted(lot=rice, counted=2, reason="miscount"),)))
    assert town.held("STOCK", "hub") == {rice: 2}


def test_money_is_pledged_received_spent_on_lots_and_found_again_from_the_goods(town: Desk) -> None:
    pledge = town.do(c.Pledge(giver="g-71", item="chf", quantity=100, unit="CHF"))
    assert town.do(c.ReceivePledge(pledge=pledge["pledge"], site="hub", quantity="80.50", unit="CHF"))["open"] == 1_950
    with pytest.raises(NotEnoughError):
        town.do(c.ReceivePledge(pledge=pledge["pledge"], site="hub", quantity=20, unit="CHF"))
    town.give(item="chf", quantity=10, unit="CHF", for_item="oil")
    buy = c.Buy(site="hub", money="chf", price=85, price_unit="CHF", item="rice", quantity=30, unit="kg")
    with pytest.raises(NotEnoughError, match="hub has 8050 chf for this, not 8500; 1000 more are earmarked"):
        town.do(buy)
    bought = town.do(buy.model_copy(update={"price": 60}))
    assert bought["paid"] == [{"lot": pledge["lot"], "quantity": 6_000}]
    town.do(c.Spend(site="hub", money="chf", amount=20, unit="CHF", reason="transport"))
    assert town.held("SPENT") == {pledge["lot"]: 2_000}
    (traced,) = trace(town.store, bought["lot"])["lots"]
    assert [(step["origin"], step["giver"]) for step in traced["back"]] == [("purchase", None), ("gift", "g-71")]
    with pytest.raises(RefusedError, match="chf is money, not goods"):
        town.do(c.Send(site="hub", to="north", lines=wanted(chf=1)))
    town.proven()


def test_a_household_gets_what_its_size_allows_once_in_a_period(town: Desk) -> None:
    town.give("north", item="rice", quantity=50_000)
    give = c.HandOver(site="north", programme="basics", tag=tag(1), size=4, lines=wanted(rice=3_000))
    assert town.do(give)["left"] == {"kit": 1, "rice": 2_000}
    with pytest.raises(ClaimError, match="This household has 2000 of rice left in march, not 3000"):
        town.do(give)
    # Another desk, another centre, another size told: the account is the same.
    town.give("south", item="rice", quantity=50_000)
    again = c.HandOver(site="south", programme="basics", tag=tag(1), size=9, lines=wanted(rice=2_001))
    with pytest.raises(ClaimError):
        town.do(again)
    town.do(again.model_copy(update={"lines": wanted(rice=2_000)}))
    with pytest.raises(ClaimError, match="has 0 of rice left"):
        town.do(again.model_copy(update={"lines": wanted(rice=1)}))
    with pytest.raises(ClaimError, match="gives this household no oil"):
        town.do(c.HandOver(site="north", programme="basics", tag=tag(2), size=1, lines=wanted(oil=1)))
    assert town.do(c.HandOver(site="north", programme="basics", tag=tag(2), size=2, lines=wanted(rice=2_000)))
    town.proven()


def test_a_period_begins_and_ends_at_midnight_where_the_centre_is(town: Desk) -> None:
    town.give("north", item="rice", quantity=1_000)
    town.give("south", item="rice", quantity=1_000)
    # 23:30 UTC on 31 March is 1 April in Vaduz and still 31 March in São Paulo.
    at = datetime(2026, 3, 31, 23, 30, tzinfo=UTC)
    one = wanted(rice=1)
    with pytest.raises(RefusedError, match="basics has no period on 2026-04-01"):
        town.do(c.HandOver(site="north", programme="basics", tag=tag(1), size=1, lines=one), at=at)
    assert (
        town.do(c.HandOver(site="south", programme="basics", tag=tag(1), size=1, lines=one), at=at)["period"] == "march"
    )


def test_a_programme_may_bound_the_visits_and_a_reversed_one_does_not_count(town: Desk) -> None:
    town.do(c.AddProgramme(programme="baby", name="First year", visits=1))
    days = {"first_day": "2026-03-01", "last_day": "2026-03-31"}
    town.do(c.OpenPeriod(programme="baby", period="march", rules=(c.Rule(item="oil", quantity=900),), **days))
    lot = town.give("north", item="oil", quantity=1_000)
    visit = c.HandOver(site="north", programme="baby", tag=tag(7), size=3, lines=wanted(oil=100))
    first = town.do(visit)["transaction"]
    with pytest.raises(ClaimError, match="served 1 times in march, as often as baby allows"):
        town.do(visit)
    town.do(c.Reverse(transaction=first))
    assert town.held() == {lot: 1_000}
    assert town.do(visit)["left"] == {"oil": 800}
    town.proven()


def test_a_reversal_is_once_and_never_takes_what_has_gone_on(town: Desk) -> None:
    lot = town.give(item="rice", quantity=10)
    send = town.do(c.Send(site="hub", to="north", lines=wanted(rice=4)))
    town.do(c.Arrive(shipment=send["shipment"]))
    with pytest.raises(NotEnoughError, match="TRANSIT"):
        town.do(c.Reverse(transaction=send["transaction"]))
    arrived = send["transaction"] + 1
    undone = town.do(c.Reverse(transaction=arrived))["transaction"]
    assert town.held("TRANSIT") == {lot: 4}
    with pytest.raises(RefusedError, match=f"was reversed by {undone} already"):
        town.do(c.Reverse(transaction=arrived))
    with pytest.raises(RefusedError, match="itself a reversal"):
        town.do(c.Reverse(transaction=undone))
    with pytest.raises(RefusedError, match="moved nothing"):
        town.do(c.Reverse(transaction=2))
    with pytest.raises(RefusedError, match="There is no transaction '999'"):
        town.do(c.Reverse(transaction=999))
    town.proven()


def test_a_closed_site_takes_nothing_in_and_serves_nobody_but_can_be_emptied(town: Desk) -> None:
    town.give("south", item="rice", quantity=10)
    town.do(c.SetSiteState(site="south", state="closed", reason="flood"))
    with pytest.raises(RefusedError, match="The site south is closed"):
        town.give("south", item="rice", quantity=10)
    with pytest.raises(RefusedError, match="closed"):
        town.do(c.HandOver(site="south", programme="basics", tag=tag(1), size=1, lines=wanted(rice=1)))
    town.do(c.Send(site="south", to="north", lines=wanted(rice=10)))
    town.do(c.SetSiteState(site="south", state="open"))
    town.give("south", item="rice", quantity=10)


def test_periods_do_not_overlap_and_rules_are_not_changed_once_set(town: Desk) -> None:
    period = c.OpenPeriod(
        programme="basics", period="easter", first_day="2026-03-31", last_day="2026-04-07", like="march"
    )
    with pytest.raises(RefusedError, match="basics has the period march then already"):
        town.do(period)
    with pytest.raises(ValidationError, match="the last day is before the first"):
        c.OpenPeriod(programme="basics", period="x", first_day="2026-03-31", last_day="2026-03-07", like="march")
    with pytest.raises(RefusedError, match="There is no period 'may'"):
        town.do(
            period.model_copy(
                update={
                    "first_day": START.date() + timedelta(days=60),
                    "like": "may",
                    "last_day": START.date() + timedelta(days=70),
                }
            )
        )


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        (c.Receive(site="west", giver="mill", lines=(c.Gift(item="rice", quantity=1),)), "no site 'west'"),
        (c.Receive(site="hub", giver="miller", lines=(c.Gift(item="rice", quantity=1),)), "no giver 'miller'"),
        (c.Receive(site="hub", giver="mill", lines=(c.Gift(item="rye", quantity=1),)), "no item 'rye'"),
        (c.Make(site="hub", recipe="soup", times=1), "no recipe 'soup'"),
        (c.Damage(site="hub", lines=(c.LotAmount(lot="L1-9", quantity=1),), reason="wet"), "no lot 'L1-9'"),
        (c.Release(reservation="R99"), "no reservation 'R99'"),
        (c.Arrive(shipment="T99"), "no shipment 'T99'"),
        (c.ReceivePledge(pledge="P99", site="hub", quantity=1), "no pledge 'P99'"),
        (c.AddSite(site="hub", name="Hub"), "The site 'hub' is there already"),
        (c.AddSite(site="east", name="East", time_zone="Middle/Earth"), "no time zone 'Middle/Earth'"),
        (c.AddUnit(item="rice", unit="kg", base_units=7), "rice has a unit 'kg' already"),
    ],
)
def test_what_is_not_there_is_named_with_a_remedy(town: Desk, command: c.Command, sentence: str) -> None:
    with pytest.raises(RefusedError, match=sentence):
        town.do(command)


def test_the_movement_card_tells_every_posting_and_what_was_then_there(town: Desk) -> None:
    lot = town.give(item="rice", quantity=10)
    town.do(c.Send(site="hub", to="north", lines=wanted(rice=4)))
    card = [(row["quantity"], row["then"]) for row in movements_of(town.store, site="hub", lot=lot)]
    assert card == [(10, 10), (-4, 6)]


def test_a_giver_finds_the_gift_by_its_number_and_no_other(town: Desk) -> None:
    gift = c.Gift(item="rice", quantity=10)
    first = town.do(c.Receive(site="hub", giver="mill", lines=(gift, gift)))
    second = town.do(c.Receive(site="hub", giver="mill", lines=(gift,)))
    assert first["thanks"] != second["thanks"]
    traced = trace(town.store, first["thanks"])["lots"]
    assert [lot["lot"] for lot in traced] == [lot["lot"] for lot in first["lots"]]
