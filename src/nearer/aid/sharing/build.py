"""From what the ledger says to the tables of an allocation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

from nearer.aid.allocation import Case, read_case
from nearer.aid.canonical import canonical, sha256_hex
from nearer.aid.driver import Sql
from nearer.aid.sharing.needs import SOURCES, Need, needs_of
from nearer.aid.sharing.state import Measure, Pair, State
from nearer.errors import Faults

MOST_TAKERS = 3
"""Sites among which a closed site's need is divided."""


@dataclass(frozen=True)
class Wish:
    """
    What is asked of an allocation.

    Parameters
    ----------
    first_day, days
        The days that it plans.
    sources
        Which needs count.
    rebalance
        Whether centres offer what they have above their targets.
    closing
        Sites that are to close, with reasons.
    surges
        Thousandths of the usual need, by site.
    """

    first_day: date
    days: int = 7
    sources: tuple[str, ...] = SOURCES
    rebalance: bool = False
    closing: Mapping[str, str] = field(default_factory=dict)
    surges: Mapping[str, int] = field(default_factory=dict)

    @property
    def last_day(self) -> date:
        """The last day that it plans."""
        return self.first_day + timedelta(days=self.days - 1)


@dataclass(frozen=True)
class Built:
    """
    A case and what it was made from.

    Parameters
    ----------
    case
        For ``nearer.aid.allocation``.
    inputs
        SHA-256 of its tables in canonical form.
    needs
        All needs, those of closed sites moved to who takes over.
    takeovers
        Who takes over which thousandths of the need of sites that are to close.
    left_out
        Needs that nobody takes over.
    """

    case: Case
    inputs: str
    needs: tuple[Need, ...]
    takeovers: Mapping[Pair, int]
    left_out: tuple[Need, ...]


def build_case(sql: Sql, state: State, wish: Wish) -> Built:
    """
    Make a case of the ledger.

    Free goods at hubs can be shared, all of closed sites, and with ``rebalance`` what open centres have above their
    targets. Goods that others have set aside stay where they are, take up room, and, where a proposal planned their
    journey, the vehicles of that day.

    Raises
    ------
    InputError
        An item that is shared or stored under a limit was never measured, or a site is not there.
    """
    faults = Faults()
    for site in sorted({*wish.closing, *wish.surges} - set(state.sites)):
        faults.add(f"there is no site {site!r}", remedy="see `nearer aid list sites`")
    faults.raise_if_any()
    closed = {site for site, found in state.sites.items() if found.is_closed} | set(wish.closing)
    takeovers = {(site, to): part for site in sorted(wish.closing) for to, part in takers(state, site, closed).items()}
    needs, left_out = _moved(needs_of(sql, state, wish.first_day, wish.sources, wish.surges), state, closed, takeovers)
    offered = _offered(state, wish, closed)
    items = sorted({need.item for need in needs})
    goods = {pair: quantity for pair, quantity in offered.items() if state.lots[pair[1]].item in set(items)}
    for item in items:
        if item not in state.measures:
            faults.add(
                f"Nobody said what {item} weighs",
                remedy=f"say it, as `nearer aid measure-item {item} --weight 500g` for one {state.units[item]}",
            )
    rooms = _rooms(state, goods, faults)
    faults.raise_if_any()
    receivers = sorted({need.site for need in needs})
    senders = sorted({site for site, _ in goods})
    hubs = sorted(site for site, found in state.sites.items() if found.kind == "hub" and site not in closed)
    places = sorted({*receivers, *senders, *hubs})
    cold = {state.lots[lot].item for _, lot in goods if state.lots[lot].cold}
    tables: dict[str, list[dict[str, Any]]] = {
        "items": [
            {"item": item, "kg": _number(state.measures[item].kg), "litres": _number(state.measures[item].litres),
             "cold": "yes" if item in cold else "no"}
            for item in items
        ],
        "places": [_place(state, site, site in closed, rooms.get(site)) for site in places],
        "lots": [
            {"lot": f"{lot}@{site}", "item": state.lots[lot].item, "place": site, "quantity": quantity,
             "pack": state.measures[state.lots[lot].item].pack, "use_by": state.lots[lot].use_by,
             "best_before": state.lots[lot].best_before, "programme": state.lots[lot].programme,
             "centre": state.lots[lot].site}
            for (site, lot), quantity in sorted(goods.items(), key=lambda entry: (_order(state, entry[0][1]), entry[0]))
            if state.lots[lot].site is None or state.lots[lot].site in places
        ],
        "requests": [
            {"centre": need.site, "item": need.item, "quantity": need.quantity, "minimum": need.minimum,
             "programme": need.programme, "to": need.needed_by}
            for need in needs
        ],
        "links": _links(state, {*senders, *hubs}, {*receivers, *hubs} - closed),
    }  # fmt: skip
    case = read_case(tables, wish.first_day, wish.days)
    taken = _taken(sql, state, wish)
    planned = _planned(sql, state, wish)
    case = replace(
        case,
        places=tuple(
            replace(place, taken_kg=taken[place.id][0], taken_litres=taken[place.id][1]) if place.id in taken else place
            for place in case.places
        ),
        planned=_positions(case, planned),
    )
    inputs = sha256_hex(canonical([wish.first_day.isoformat(), wish.days, tables, taken, planned]))
    return Built(case, inputs, tuple(needs), takeovers, tuple(left_out))


def takers(state: State, site: str, closed: Iterable[str]) -> dict[str, int]:
    """
    Which open centres take over which thousandths of a closed site's need: the nearest few, the nearer the more.

    Shares go by one over the minutes from the closed site. Where no travel times are known, all open centres share
    alike; where some are, sites without one are out of reach.
    """
    closed = set(closed)
    open_centres = [
        name for name, found in state.sites.items() if found.kind == "centre" and name not in closed and name != site
    ]
    if state.ways:
        near = sorted((state.ways[site, to][0], to) for to in open_centres if (site, to) in state.ways)[:MOST_TAKERS]
        weights = {to: Fraction(60, max(60, seconds)) for seconds, to in near}
    else:
        weights = dict.fromkeys(sorted(open_centres), Fraction(1))
    total = sum(weights.values())
    shares = {to: int(1000 * weight / total) for to, weight in weights.items()}
    for to in list(shares)[: 1000 - sum(shares.values()) if shares else 0]:
        shares[to] += 1  # what rounding left, to the nearest first
    return {to: share for to, share in shares.items() if share}


def _moved(
    needs: list[Need], state: State, closed: set[str], takeovers: Mapping[Pair, int]
) -> tuple[list[Need], list[Need]]:
    """Needs at sites that are open; of closed ones what others take over, as sums, and what nobody does."""
    shares: dict[str, list[tuple[str, int]]] = {
        site: [(to, part) for to, part in found if to not in closed] for site, found in state.takeovers.items()
    }
    for site in {site for site, _ in takeovers}:
        shares[site] = [(to, part) for (origin, to), part in takeovers.items() if origin == site]
    kept, left_out = [], []
    for need in needs:
        if need.site not in closed:
            kept.append(need)
        elif not shares.get(need.site):
            left_out.append(need)
        else:
            total = sum(part for _, part in shares[need.site])
            for to, part in shares[need.site]:
                quantity, minimum = (-(-much * part // total) for much in (need.quantity, need.minimum))
                kept.append(replace(need, site=to, quantity=quantity, minimum=min(minimum, quantity)))
    return sorted(kept, key=lambda need: (need.site, need.item)), left_out


def _offered(state: State, wish: Wish, closed: set[str]) -> dict[Pair, int]:
    """Base units by site and lot that may go elsewhere."""
    day = wish.first_day.isoformat()
    found: dict[Pair, int] = {}
    keep = {pair: target for pair, (_, target) in state.targets.items()}
    for (site, lot), quantity in sorted(state.stock.items(), key=lambda entry: _order(state, entry[0][1])):
        if lot not in state.lots or not state.lots[lot].usable(day):
            continue
        item = state.lots[lot].item
        if site in closed or state.sites[site].kind == "hub":
            found[site, lot] = quantity
        elif wish.rebalance and (site, item) in keep:
            # What ends first stays: the centre itself hands it out first.
            stays = min(keep[site, item], quantity)
            keep[site, item] -= stays
            if quantity > stays:
                found[site, lot] = quantity - stays
    return found


def _order(state: State, lot: str) -> tuple[str, int, int]:
    return state.lots[lot].order if lot in state.lots else ("", 0, 0)


def _rooms(state: State, offered: Mapping[Pair, int], faults: Faults) -> dict[str, tuple[Fraction | None, ...]]:
    """Kilograms, litres and cold litres of each site's room that goods outside the case leave."""
    used: dict[str, list[Fraction]] = {}
    unmeasured: set[str] = set()

    def lies(site: str, lot: str, quantity: int) -> None:
        goods, found = state.lots.get(lot), state.sites[site]
        if goods is None or quantity <= 0 or (found.grams, found.millilitres, found.cold_millilitres) == (None,) * 3:
            return
        measure: Measure | None = state.measures.get(goods.item)
        if measure is None:
            unmeasured.add(goods.item)
            return
        room = used.setdefault(site, [Fraction(0)] * 3)
        if goods.cold:
            room[2] += quantity * measure.litres
        else:
            room[0] += quantity * measure.kg
            room[1] += quantity * measure.litres

    for (site, lot), quantity in state.stock.items():
        lies(site, lot, quantity - offered.get((site, lot), 0))
    for (name, lot), quantity in state.reserved.items():
        site, for_site, _ = state.reservations[name]
        lies(for_site or site, lot, quantity)
    for (name, lot), quantity in state.transit.items():
        lies(state.shipments[name][0], lot, quantity)
    for item in sorted(unmeasured):
        faults.add(
            f"Nobody said what {item} weighs, and it lies where room is limited",
            remedy=f"say it, as `nearer aid measure-item {item} --weight 500g` for one {state.units[item]}",
        )
    rooms: dict[str, tuple[Fraction | None, ...]] = {}
    for site, found in state.sites.items():
        taken = used.get(site, [Fraction(0)] * 3)
        limits = (found.grams, found.millilitres, found.cold_millilitres)
        rooms[site] = tuple(
            None if limit is None else max(Fraction(0), Fraction(limit, 1000) - much)
            for limit, much in zip(limits, taken, strict=True)
        )
    return rooms


def _place(state: State, site: str, is_closed: bool, room: tuple[Fraction | None, ...] | None) -> dict[str, Any]:
    found = state.sites[site]
    kg, litres, cold = room or (None, None, None)
    # A closed site only sends, on any day; what lies there is in nobody's way.
    kg, litres, cold = (None, None, None) if is_closed else (kg, litres, cold)
    return {
        "place": site,
        "kind": "hub" if found.kind == "hub" and not is_closed else "centre",
        "open": "" if is_closed else " ".join(found.weekdays),
        "send_kg": None if found.send_grams is None else found.send_grams / 1000,
        "send_litres": None if found.send_millilitres is None else found.send_millilitres / 1000,
        "store_kg": _number(kg),
        "store_litres": _number(litres),
        "store_cold_litres": _number(cold),
    }


def _links(state: State, origins: set[str], ends: set[str]) -> list[dict[str, Any]]:
    """Known ways; where none at all is known, all of them, in no time."""
    pairs = sorted((origin, to) for origin in origins for to in ends if origin != to)
    if not state.ways:
        return [{"from": origin, "to": to, "minutes": 0} for origin, to in pairs]
    return [
        {"from": origin, "to": to, "minutes": state.ways[origin, to][0] / 60, "days": state.ways[origin, to][1]}
        for origin, to in pairs
        if (origin, to) in state.ways
    ]


def _taken(sql: Sql, state: State, wish: Wish) -> dict[str, list[list[float]]]:
    """Kilograms and litres that vehicles carry each day for approved loads that have not left yet."""
    found: dict[str, list[list[float]]] = {}
    planned: dict[str, str] = dict(
        sql.all(
            "SELECT d.reservation, MIN(l.day) FROM decision_lines d JOIN proposal_lines l "
            "ON l.proposal = d.proposal AND l.line = d.line WHERE d.seq <= ? GROUP BY d.reservation",
            state.as_of,
        )
    )
    first = wish.first_day.isoformat()
    days = [(wish.first_day + timedelta(days=d)).isoformat() for d in range(wish.days)]
    for (name, lot), quantity in sorted(state.reserved.items()):
        if name not in planned or planned[name] > days[-1]:
            continue
        measure = state.measures.get(state.lots[lot].item)
        if measure is None:
            continue
        loads = found.setdefault(state.reservations[name][0], [[0.0] * wish.days, [0.0] * wish.days])
        day = days.index(max(first, planned[name]))  # what is late leaves on the first day
        loads[0][day] += float(quantity * measure.kg)
        loads[1][day] += float(quantity * measure.litres)
    return found


def _planned(sql: Sql, state: State, wish: Wish) -> list[list[str]]:
    """Lot and place, centre and day of what the last approved proposal planned and did not set aside."""
    row = sql.one(
        "SELECT proposal FROM decisions WHERE outcome = 'approved' AND seq <= ? ORDER BY seq DESC LIMIT 1", state.as_of
    )
    if row is None:
        return []
    return [
        [f"{lot}@{origin}", to, day]
        for lot, origin, to, day in sql.all(
            "SELECT l.lot, l.from_site, l.to_site, l.day FROM proposal_lines l WHERE l.proposal = ? AND l.day >= ? "
            "AND l.onward = 0 AND NOT EXISTS (SELECT 1 FROM decision_lines d WHERE d.proposal = l.proposal "
            "AND d.line = l.line) ORDER BY l.line",
            row[0],
            wish.first_day.isoformat(),
        )
    ]


def _positions(case: Case, planned: list[list[str]]) -> frozenset[tuple[int, int, int]]:
    lots = {lot.id: k for k, lot in enumerate(case.lots)}
    places = {place.id: k for k, place in enumerate(case.places)}
    return frozenset(
        (lots[lot], places[to], (date.fromisoformat(day) - case.start).days)
        for lot, to, day in planned
        if lot in lots and to in places
    )


def _number(value: Fraction | None) -> float | None:
    return None if value is None else float(value)
