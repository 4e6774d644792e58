"""Whole allocations: hand examples, every choice of packs enumerated, and rules that hold whatever is asked."""

from __future__ import annotations

from dataclasses import replace

import pytest
from benchmarks.allocation import made_case
from hypothesis import given, settings
from hypothesis import strategies as st

from nearer.aid.allocation import Case, Item, Link, Lot, Place, allocate, fairness_frontier
from nearer.progress import Stop

from .cases import START, ask, random_case, replay, town, use_by, whole_pack_choices


def given_to(case: Case) -> dict[tuple[str, str], int]:
    proposal = allocate(case)
    replay(case, proposal)
    assert proposal.complete
    assert all(stage.proven for stage in proposal.stages)
    return {(share.centre, share.item): share.given for share in proposal.shares}


def test_scarce_goods_are_shared_at_one_rate() -> None:
    case = town([Lot("L1", 0, 0, 60)], [ask(1, 60), ask(2, 30), ask(3, 30)])
    assert given_to(case) == {("A", "rice"): 30, ("B", "rice"): 15, ("C", "rice"): 15}


def test_what_one_cannot_take_goes_to_the_others() -> None:
    links = [Link(0, 1, 10.0, kg=5.0), Link(0, 2, 10.0), Link(0, 3, 10.0)]
    case = town([Lot("L1", 0, 0, 60)], [ask(1, 60), ask(2, 60), ask(3, 60)], links=links)
    assert given_to(case) == {("A", "rice"): 10, ("B", "rice"): 25, ("C", "rice"): 25}
    reasons = {share.centre: share.held_by for share in allocate(case).shares}
    assert reasons["A"] == "what may travel from hub to A on 2 days from 2026-03-02 to 2026-03-03"
    assert reasons["B"].startswith("the 60 of rice that can be used (180 are asked for)")


def test_a_centre_without_a_way_is_named_and_set_aside_and_holds_nobody_down() -> None:
    case = town([Lot("L1", 0, 0, 60)], [ask(1, 60), ask(2, 60), ask(3, 60)], links=[Link(0, 1, 1.0), Link(0, 2, 1.0)])
    proposal = allocate(case)
    assert {share.centre: share.given for share in proposal.shares} == {"A": 30, "B": 30}
    assert [(s.centre, s.because) for s in proposal.set_aside] == [("C", "no way leads from a place with rice to C")]


def test_an_item_without_supply_is_named_and_set_aside() -> None:
    items = (Item("rice", 1.0), Item("soap", 0.1))
    proposal = allocate(town([Lot("L1", 0, 0, 60)], [ask(1, 60), ask(1, 5, 1)], items=items))
    assert [(s.item, s.asked, s.because) for s in proposal.set_aside] == [("soap", 5, "there is no supply of soap")]
    assert proposal.shares[0].given == 60


def test_earmarks_for_a_centre_and_a_programme_hold() -> None:
    lots = [Lot("L1", 0, 0, 30, centre=1), Lot("L2", 0, 0, 30, programme="winter")]
    case = town(lots, [ask(1, 60), ask(2, 60, programme="winter"), ask(3, 60)])
    proposal = allocate(case)
    assert {share.centre: share.given for share in proposal.shares} == {"A": 30, "B": 30}
    assert [s.because for s in proposal.set_aside] == ["all supply of rice is earmarked for others"]


def test_goods_that_expire_on_the_way_are_not_sent_and_are_told() -> None:
    links = [Link(0, 1, 600.0, days=1)]
    case = town(
        [Lot("L1", 0, 0, 30, **use_by(0)), Lot("L2", 0, 0, 20, **use_by(1))], [ask(1, 60)], links=links, centres=1
    )
    proposal = allocate(case)
    replay(case, proposal)
    assert [(s.lot, s.quantity) for s in proposal.shipments] == [("L2", 20)]
    assert [(e.lot, e.quantity, e.use_by) for e in proposal.expiring] == [("L1", 30, START)]


def test_a_full_cold_room_holds_only_what_must_be_cold() -> None:
    items = (Item("milk", 1.0, 1.0, cold=True), Item("rice", 1.0, 1.0))
    places = {1: Place("A", False, frozenset({1}), store_cold_litres=10.0)}
    lots = [Lot("M", 0, 0, 100), Lot("R", 1, 0, 100)]
    case = town(lots, [ask(1, 50, 0), ask(1, 50, 1)], items=items, centres=1, places=places)
    proposal = allocate(case)
    assert {share.item: share.given for share in proposal.shares} == {"milk": 10, "rice": 50}
    assert proposal.shares[0].held_by == "the cold room of A on 2026-03-03"


def test_goods_in_the_cold_room_already_take_its_room_until_they_are_handed_over() -> None:
    items = (Item("milk", 1.0, 1.0, cold=True),)
    places = {1: Place("A", False, frozenset({0, 1}), store_cold_litres=10.0)}
    lots = [Lot("own", 0, 1, 10), Lot("M", 0, 0, 100)]
    case = town(lots, [ask(1, 50)], items=items, centres=1, places=places)
    # Ten lie there on the first day and are handed over; ten more can come on the second.
    assert given_to(case) == {("A", "milk"): 20}


def test_goods_pass_through_a_hub_where_no_way_leads_directly() -> None:
    every = frozenset({0, 1})
    places = {2: Place("second", True, every)}
    links = [Link(0, 2, 30.0, days=1), Link(2, 1, 5.0)]
    proposal = allocate(case := town([Lot("L1", 0, 0, 8, pack=4)], [ask(1, 8)], centres=2, links=links, places=places))
    replay(case, proposal)
    assert [(s.origin, s.to, s.packs, s.day.day) for s in proposal.shipments] == [
        ("hub", "second", 2, 2),
        ("second", "A", 2, 3),
    ]


def test_minima_come_before_fair_shares() -> None:
    case = town([Lot("L1", 0, 0, 60)], [ask(1, 60, minimum=40), ask(2, 60), ask(3, 60)])
    assert given_to(case) == {("A", "rice"): 40, ("B", "rice"): 10, ("C", "rice"): 10}
    proposal = allocate(case)
    assert [stage.name for stage in proposal.stages][:2] == ["minima", "fair shares"]


def test_minima_that_cannot_all_be_met_are_met_at_one_rate() -> None:
    case = town([Lot("L1", 0, 0, 60)], [ask(1, 100, minimum=40), ask(2, 100, minimum=80), ask(3, 60)])
    proposal = allocate(case)
    assert {s.centre: s.given for s in proposal.shares} == {"A": 20, "B": 40}
    assert [(s.centre, s.because) for s in proposal.set_aside] == [("C", "minimum quantities elsewhere leave nothing")]
    assert proposal.stages[0].value == pytest.approx(0.5)


def test_what_expires_first_is_used_first() -> None:
    lots = [Lot("late", 0, 0, 30, **use_by(9)), Lot("soon", 0, 0, 30, **use_by(1)), Lot("never", 0, 0, 30)]
    proposal = allocate(town(lots, [ask(1, 30)], centres=1))
    assert [s.lot for s in proposal.shipments] == ["soon"]
    assert proposal.shares[0].because == "A gets 30 of 30 rice asked for: 100 %. From lot soon, which expires first."


def test_after_fairness_and_waste_the_nearer_place_sends() -> None:
    every = frozenset({0, 1})
    places = {2: Place("near", True, every)}
    lots = [Lot("L1", 0, 0, 30), Lot("L2", 0, 2, 30)]
    links = [Link(0, 1, 30.0), Link(2, 1, 10.0)]
    proposal = allocate(town(lots, [ask(1, 30)], centres=2, places=places, links=links))
    assert [s.origin for s in proposal.shipments] == ["near"]
    travel = next(stage for stage in proposal.stages if stage.name == "travel")
    assert travel.value == pytest.approx(30 * 10 / 60 / 1000)


def test_best_before_is_told_and_does_not_forbid() -> None:
    proposal = allocate(town([Lot("L1", 0, 0, 30, best_before=START.replace(day=1))], [ask(1, 30)], centres=1))
    assert [h.after_best_before for h in proposal.hand_outs] == [True]


@pytest.mark.parametrize("seed", range(40))
def test_no_choice_of_whole_packs_is_fairer_than_the_exact_one(seed: int) -> None:
    case = random_case(seed, whole=True)
    proposal = allocate(case)
    replay(case, proposal)
    mine = {(s.item, s.centre): s.fill for s in proposal.shares} | {(s.item, s.centre): 0.0 for s in proposal.set_aside}
    best = max(tuple(sorted(rates.values())) for rates in whole_pack_choices(case))
    assert proposal.packing.exact or not proposal.shares
    assert tuple(sorted(mine.values())) == pytest.approx(best, abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_every_rule_holds_in_the_replay_and_every_stage_is_proven(seed: int) -> None:
    case = random_case(seed)
    proposal = allocate(case)
    replay(case, proposal)
    assert proposal.complete
    for stage in proposal.stages:
        assert stage.proven, stage
    asked = sum(r.quantity for r in case.requests)
    assert sum(s.asked for s in proposal.shares) + sum(s.asked for s in proposal.set_aside) == asked


def test_a_larger_case_is_rounded_and_says_what_that_costs() -> None:
    case = made_case(8, 6, 5, hubs=2, seed=3)
    proposal = allocate(case)
    replay(case, proposal)
    assert not proposal.packing.exact
    losses = [share.fair - share.fill for share in proposal.shares]
    assert proposal.packing.largest_loss == pytest.approx(max(0.0, *losses))
    assert proposal.packing.lower_lines == sum(loss > 1e-9 for loss in losses)
    assert proposal.packing.lowest == min(share.fill for share in proposal.shares)


def test_twice_the_goods_and_wishes_and_room_are_twice_the_shares() -> None:
    case = made_case(6, 5, 4, seed=1)
    times = 7
    larger = replace(
        case,
        lots=tuple(replace(x, quantity=x.quantity * times, pack=x.pack * times) for x in case.lots),
        requests=tuple(replace(r, quantity=r.quantity * times) for r in case.requests),
        items=tuple(replace(i, kg=i.kg / times, litres=i.litres / times) for i in case.items),
    )
    one, other = allocate(case), allocate(larger)
    assert [s.fair for s in other.shares] == pytest.approx([s.fair for s in one.shares], abs=1e-8)


def test_the_same_case_gives_the_same_proposal() -> None:
    case = made_case(6, 5, 4, seed=2)
    assert allocate(case) == allocate(case)


def test_stopped_at_once_it_proposes_nothing_that_breaks_a_rule_and_proves_nothing() -> None:
    case = made_case(6, 5, 4, seed=2)
    stop = Stop()
    stop.cancel()
    proposal = allocate(case, stop)
    replay(case, proposal)
    assert not proposal.complete
    assert not proposal.stages[0].proven


def test_nothing_asked_and_nothing_there_are_no_faults() -> None:
    assert allocate(town([], [ask(1, 5)])).set_aside[0].because == "there is no supply of rice"
    assert allocate(town([Lot("L1", 0, 0, 5)], [])).shares == ()


def test_the_frontier_goes_from_the_fair_shares_to_the_most_that_can_be_served() -> None:
    # B's parcels weigh little and travel by the same van: what B gets, A lacks three times over.
    items = (Item("rice", 1.0), Item("stove", 3.0, 1.0))
    links = [Link(0, 1, 10.0, kg=60.0, litres=15.0)]
    case = town([Lot("R", 0, 0, 60), Lot("S", 1, 0, 60)], [ask(1, 60, 0, days=1), ask(1, 60, 1, days=1)], items=items,
                links=links, centres=1, days=1)  # fmt: skip
    points = fairness_frontier(case, 3)
    # Fair: both at a quarter (15 + 45 kg). The van's 60 kg are full whatever the share: fairness costs nothing here.
    assert [p.served_kg for p in points] == pytest.approx([60.0, 60.0, 60.0])
    assert points[0].lowest == pytest.approx(0.25)
    assert all(p.proven for p in points)


def test_where_fairness_costs_something_the_frontier_says_how_much() -> None:
    # A needs the scarce litres twice as much per kilogram as B.
    items = (Item("bulky", 1.0, 2.0), Item("dense", 1.0, 1.0))
    places = {0: Place("hub", True, frozenset({0}), send_litres=30.0)}
    case = town([Lot("R", 0, 0, 30), Lot("S", 1, 0, 30)], [ask(1, 30, 0, days=1), ask(2, 30, 1, days=1)], items=items,
                centres=2, days=1, places=places)  # fmt: skip
    fair, half, none = fairness_frontier(case, 3)
    # All of it: 2 f 30 + f 30 = 30, f = 1/3, 20 kg. Half: bulky 5 kg leave 20 litres. None: 30 kg of dense goods.
    assert (fair.served_kg, half.served_kg, none.served_kg) == pytest.approx((20.0, 25.0, 30.0))
    assert (fair.lowest, half.lowest, none.lowest) == pytest.approx((1 / 3, 1 / 6, 0.0))
