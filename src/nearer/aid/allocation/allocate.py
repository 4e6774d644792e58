"""From a case to a proposal: the whole allocation on one screen."""

from __future__ import annotations

import numpy as np

from nearer.aid.allocation.case import Case
from nearer.aid.allocation.exact import exact_packs
from nearer.aid.allocation.explain import held_by, line, no_room, why_nothing
from nearer.aid.allocation.journeys import NO_LINK, Journeys, build_journeys
from nearer.aid.allocation.packs import Packed, round_to_packs
from nearer.aid.allocation.proposal import Expiring, HandOut, Packing, Proposal, SetAside, Share, Shipment
from nearer.aid.allocation.stages import (
    NOTHING,
    Relaxed,
    age_columns,
    changed_columns,
    relax,
    travel_columns,
    wait_columns,
    waste_columns,
)
from nearer.progress import Progress, Stop
from nearer.units import FloatArray


def allocate(case: Case, stop: Stop | None = None, progress: Progress | None = None) -> Proposal:
    """
    Share goods fairly, then serve most, then waste and travel least, in whole packs.

    Parameters
    ----------
    case
        From ``read_case``.
    stop
        Stopped early, the proposal obeys every limit, but its stages say what is not proven.
    """
    stop = stop or Stop()
    journeys = build_journeys(case)
    relaxed = relax(case, journeys, stop, progress)
    packed = (
        exact_packs(case, journeys, _wishes(case, journeys), _least(case, relaxed), stop) if relaxed.complete else None
    )
    exact = packed is not None
    if packed is None:
        packed = round_to_packs(case, journeys, relaxed.x, age_columns(case, journeys), stop)
    aside = _set_aside(case, journeys, relaxed)
    return Proposal(
        start=case.start,
        days=case.days,
        shipments=_shipments(case, journeys, packed),
        hand_outs=_hand_outs(case, journeys, packed),
        shares=_shares(case, journeys, relaxed, packed, {g for g, _ in aside}),
        set_aside=tuple(entry for _, entry in aside),
        expiring=_expiring(case, journeys, packed),
        stages=relaxed.stages,
        packing=_packing(case, journeys, relaxed, packed, exact),
        complete=relaxed.complete and not stop(),
    )


def _wishes(case: Case, journeys: Journeys) -> list[FloatArray]:
    """After fairness, each to be minimised: most served, waste, change of plan, travel, age, waiting."""
    kg = np.array([case.items[lot.item].kg for lot in case.lots] or [0.0])[journeys.lot]
    saved, _ = waste_columns(case, journeys)
    return [
        -kg,
        -saved,
        changed_columns(case, journeys),
        travel_columns(case, journeys),
        age_columns(case, journeys),
        wait_columns(case, journeys),
    ]


def _least(case: Case, relaxed: Relaxed) -> FloatArray:
    """Whole base units of the minima that fair shares of them allow."""
    wanted = np.array([r.minimum for r in case.requests], dtype=np.float64)
    return np.floor(relaxed.minima * wanted + 1e-6)


def _set_aside(case: Case, journeys: Journeys, relaxed: Relaxed) -> list[tuple[int, SetAside]]:
    found = []
    for g in np.flatnonzero(relaxed.shares.bound <= NOTHING):
        item, centre = int(journeys.goal_item[g]), int(journeys.goal_centre[g])
        unserved = journeys.start[g] == journeys.start[g + 1]
        why = why_nothing(case, item, centre) if unserved else no_room(case, journeys, int(g))
        found.append((int(g), SetAside(case.places[centre].id, case.items[item].id, int(journeys.asked[g]), why)))
    return found


def _shares(case: Case, journeys: Journeys, relaxed: Relaxed, packed: Packed, aside: set[int]) -> tuple[Share, ...]:
    shares = relaxed.shares
    held = held_by(case, journeys, shares)
    lowest: dict[int, float] = {}
    for g in range(journeys.n_goals):
        if g not in aside:
            item = int(journeys.goal_item[g])
            lowest[item] = min(lowest.get(item, 1.0), float(shares.bound[g]))
    return tuple(
        Share(
            centre=case.places[int(journeys.goal_centre[g])].id,
            item=case.items[int(journeys.goal_item[g])].id,
            asked=int(journeys.asked[g]),
            given=round(float(packed.fill[g] * journeys.asked[g])),
            fair=float(shares.fill[g]),
            bound=float(shares.bound[g]),
            held_by=held[g],
            because=line(case, journeys, packed, shares, g, held[g], lowest),
        )
        for g in range(journeys.n_goals)
        if g not in aside
    )


def _shipments(case: Case, journeys: Journeys, packed: Packed) -> tuple[Shipment, ...]:
    """Packs that leave together, day by day; journeys for several programmes of a centre are one."""
    together: dict[tuple[int, int, int, int], int] = {}
    for j in np.flatnonzero((packed.packs > 0) & (journeys.link != NO_LINK)):
        centre = int(journeys.goal_centre[journeys.goal[j]])
        for link, day in ((journeys.link[j], journeys.day[j]), (journeys.link2[j], journeys.day2[j])):
            if link != NO_LINK:
                key = (int(day), int(link), int(journeys.lot[j]), centre)
                together[key] = together.get(key, 0) + int(packed.packs[j])
    found = []
    for (day, at, number, centre), packs in sorted(together.items()):
        link, lot = case.links[at], case.lots[number]
        found.append(
            Shipment(
                day=case.date(day), arrives=case.date(day + link.days), lot=lot.id, item=case.items[lot.item].id,
                origin=case.places[link.origin].id, to=case.places[link.to].id, centre=case.places[centre].id,
                packs=packs, quantity=packs * lot.pack,
            )
        )  # fmt: skip
    return tuple(found)


def _hand_outs(case: Case, journeys: Journeys, packed: Packed) -> tuple[HandOut, ...]:
    together: dict[tuple[int, int, int], int] = {}
    for j in np.flatnonzero(packed.served > 0):
        key = (int(journeys.handed[j]), int(journeys.request[j]), int(journeys.lot[j]))
        together[key] = together.get(key, 0) + int(packed.served[j])
    found = []
    for (day, number, which), quantity in sorted(together.items()):
        request, lot = case.requests[number], case.lots[which]
        late = lot.best_before is not None and case.date(day) > lot.best_before
        centre, item = case.places[request.centre].id, case.items[request.item].id
        found.append(HandOut(case.date(day), centre, item, request.programme, lot.id, quantity, late))
    return tuple(found)


def _expiring(case: Case, journeys: Journeys, packed: Packed) -> tuple[Expiring, ...]:
    served = np.bincount(journeys.lot, weights=packed.served, minlength=len(case.lots))
    return tuple(
        Expiring(
            lot.id,
            case.items[lot.item].id,
            case.places[lot.place].id,
            lot.use_by or case.date(lot.last),
            lot.quantity - int(out),
        )
        for lot, out in zip(case.lots, served, strict=True)
        if lot.last is not None and lot.last < case.days and lot.quantity > int(out)
    )


def _packing(case: Case, journeys: Journeys, relaxed: Relaxed, packed: Packed, exact: bool) -> Packing:
    kg = np.array([item.kg for item in case.items] or [0.0])[journeys.goal_item]
    fair, bound, fill = relaxed.shares.fill, relaxed.shares.bound, packed.fill
    some = bound > NOTHING
    return Packing(
        exact=exact,
        lowest=float(fill[some].min(initial=1.0)),
        lowest_bound=float(bound[some].min(initial=1.0)),
        lower_lines=int((fill < fair - 1e-9).sum()),
        largest_loss=float(np.maximum(fair - fill, 0).max(initial=0.0)),
        served_kg=float((fill * journeys.asked) @ kg),
        served_kg_split=float((fair * journeys.asked) @ kg),
    )
