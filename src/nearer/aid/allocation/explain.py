"""Reasons in words: what holds a share down, and why nothing can serve a request."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from nearer.aid.allocation.case import Case, Lot, Request
from nearer.aid.allocation.fair import FairShares
from nearer.aid.allocation.journeys import Journeys, Limit, hand_over_days, open_table
from nearer.aid.allocation.packs import Packed

_NAMED = 3
"""Limits named in one line; of more, the count is told."""


def percent(rate: float) -> str:
    """A share of one as whole percent, rounded down: 100 % only where all was given."""
    return f"{int(100 * rate + 1e-9)} %"


def joined(parts: Iterable[str]) -> str:
    """``a, b and c``."""
    *most, last = list(parts)
    return f"{', '.join(most)} and {last}" if most else last


def held_by(case: Case, journeys: Journeys, shares: FairShares) -> list[str]:
    """For each goal, what holds its fair rate down, in words; empty where all that was asked for can be given."""
    words: dict[int, str] = {}
    found = []
    for g in range(journeys.n_goals):
        cut = int(shares.held[g])
        if cut < 0:
            found.append("")
            continue
        if cut not in words:
            rows, price = shares.cuts.multipliers[cut]
            words[cut] = _limits(case, journeys, rows[price > 1e-9 * price.max()], len(shares.cuts.goal[cut]))
        found.append(words[cut])
    return found


def _limits(case: Case, journeys: Journeys, rows: np.ndarray[tuple[int], np.dtype[np.int64]], sharing: int) -> str:
    parts: dict[tuple[int, int], list[int]] = {}
    minima = 0
    for r in rows:
        if r >= journeys.n_rows:
            minima += 1
            continue
        kind, subject = Limit(int(journeys.limit[r])), int(journeys.subject[r])
        if kind == Limit.LOT:
            parts.setdefault((int(Limit.LOT), case.lots[subject].item), []).append(subject)
        elif kind == Limit.ASKED:
            parts.setdefault((int(kind), case.requests[subject].centre), []).append(subject)
        else:
            parts.setdefault((int(kind), subject), []).append(int(journeys.limit_day[r]))
    told = [_limit(case, Limit(kind), subject, members) for (kind, subject), members in sorted(parts.items())]
    if minima:
        told.append(f"{minima} minimum quantities elsewhere")
    text = joined(told if len(told) <= _NAMED else [*told[:_NAMED], f"{len(told) - _NAMED} more limits"])
    return f"{text}, shared with {sharing - 1} more" if sharing > 1 else text


def _limit(case: Case, kind: Limit, subject: int, members: list[int]) -> str:
    if kind == Limit.LOT:
        units = sum(case.lots[i].quantity for i in members)
        asked = sum(r.quantity for r in case.requests if r.item == subject)
        return f"the {units} of {case.items[subject].id} that can be used ({asked} are asked for)"
    if kind == Limit.ASKED:
        return f"what {case.places[subject].id} asks for by programme"
    days = _days(case, members)
    if kind in (Limit.LINK_KG, Limit.LINK_LITRES):
        link = case.links[subject]
        return f"what may travel from {case.places[link.origin].id} to {case.places[link.to].id} {days}"
    name = case.places[subject].id
    if kind in (Limit.SEND_KG, Limit.SEND_LITRES):
        return f"what the vehicles of {name} carry {days}"
    return f"the {'cold room' if kind == Limit.STORE_COLD else 'shelves'} of {name} {days}"


def _days(case: Case, days: list[int]) -> str:
    days = sorted(set(days))
    if len(days) == 1:
        return f"on {case.date(days[0])}"
    return f"on {len(days)} days from {case.date(days[0])} to {case.date(days[-1])}"


def line(
    case: Case, journeys: Journeys, packed: Packed, shares: FairShares, g: int, held: str, lowest: dict[int, float]
) -> str:
    """What a centre gets of an item, and why, in a sentence or two."""
    item, centre = int(journeys.goal_item[g]), case.places[int(journeys.goal_centre[g])].id
    asked, given = int(journeys.asked[g]), round(float(packed.fill[g] * journeys.asked[g]))
    name, fair, bound = case.items[item].id, float(shares.fill[g]), float(shares.bound[g])
    gets = f"{centre} gets {given} of {asked} {name} asked for: {percent(given / asked)}"
    if not held:
        told = [f"{gets}." if given >= asked else f"{gets}; whole packs leave {asked - given} open."]
    else:
        least = shares.proven and bound <= lowest[item] * (1 + 1e-9)
        reach = f", the lowest rate that can be reached for {name}" if least else ""
        told = [f"{gets}.", f"Its fair share is {percent(fair)}{reach}; it is held down by {held}."]
        if given < int(fair * asked + 1e-6):
            told.append(f"Whole packs take {int(fair * asked + 1e-6) - given} of it.")
        elif given > fair * asked + 1:
            told.append(f"Whole packs add {given - int(fair * asked + 1e-6)}.")
    columns = np.arange(journeys.start[g], journeys.start[g + 1])
    used = sorted({int(journeys.lot[j]) for j in columns if packed.served[j] > 0})
    if used:
        first = _first_to_expire(case, item)
        lots = joined(f"{case.lots[i].id}, which expires first" if i == first else case.lots[i].id for i in used)
        told.append(f"From lot {lots}." if len(used) == 1 else f"From lots {lots}.")
    return " ".join(told)


def _first_to_expire(case: Case, item: int) -> int | None:
    dated = [(lot.use_by, i) for i, lot in enumerate(case.lots) if lot.item == item and lot.use_by is not None]
    several = sum(lot.item == item for lot in case.lots) > 1
    return min(dated)[1] if dated and several else None


def why_nothing(case: Case, item: int, centre: int) -> str:
    """Why no lot can serve a centre's requests for an item: the last reason that is left when the others are passed."""
    name, where = case.items[item].id, case.places[centre].id
    lots = [lot for lot in case.lots if lot.item == item and lot.quantity > 0]
    if not lots:
        return f"there is no supply of {name}"
    requests = [r for r in case.requests if r.item == item and r.centre == centre]
    lots = [lot for lot in lots if any(_allowed(lot, r) for r in requests)]
    if not lots:
        return f"all supply of {name} is earmarked for others"
    linked = {(link.origin, link.to) for link in case.links}
    hubs = [p for p, place in enumerate(case.places) if place.hub]
    lots = [
        lot
        for lot in lots
        if lot.place == centre
        or (lot.place, centre) in linked
        or any((lot.place, hub) in linked and (hub, centre) in linked for hub in hubs)
    ]
    if not lots:
        return f"no way leads from a place with {name} to {where}"
    days = hand_over_days(case)
    if all((days[k] < 0).all() for k, r in enumerate(case.requests) if r.item == item and r.centre == centre):
        return f"{where} is not open on any day on which it may hand over {name}"
    if not open_table(case)[[lot.place for lot in lots]].any():
        return f"no place with {name} is open"
    return f"{name} cannot be at {where} before it expires or the days of the request are over"


def _allowed(lot: Lot, request: Request) -> bool:
    return lot.programme in (None, request.programme) and lot.centre in (None, request.centre)


def no_room(case: Case, journeys: Journeys, g: int) -> str:
    """Why a goal that lots could serve gets nothing even where packs may be split."""
    columns = np.arange(journeys.start[g], journeys.start[g + 1])
    matrix, full = journeys.matrix, set()
    for j in columns:
        rows = matrix.indices[matrix.indptr[j] : matrix.indptr[j + 1]]
        full |= {int(r) for r in rows if journeys.room[r] <= 0}
    parts: dict[tuple[int, int], list[int]] = {}
    for r in sorted(full):
        parts.setdefault((int(journeys.limit[r]), int(journeys.subject[r])), []).append(int(journeys.limit_day[r]))
    told = [_limit(case, Limit(kind), subject, days) for (kind, subject), days in parts.items()]
    return f"there is no room: {joined(told)}" if told else "minimum quantities elsewhere leave nothing"
