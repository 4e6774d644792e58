"""Tiny cases, a replay of proposals that shares nothing with the allocation, and naive twins."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import product

import numpy as np

from nearer.aid.allocation import Case, Item, Link, Lot, Place, Proposal, Request

START = date(2026, 3, 2)


def use_by(day: int) -> dict[str, object]:
    return {"last": day, "use_by": START + timedelta(days=day)}


def town(
    lots: list[Lot],
    requests: list[Request],
    *,
    centres: int = 3,
    days: int = 2,
    items: tuple[Item, ...] = (Item("rice", 1.0),),
    links: list[Link] | None = None,
    places: dict[int, Place] | None = None,
) -> Case:
    """One hub at position 0 and centres A, B, C … after it, all open every day and ten minutes away."""
    every = frozenset(range(days))
    found = [Place("hub", True, every), *(Place(chr(65 + c), False, every) for c in range(centres))]
    for at, place in (places or {}).items():
        found[at] = place
    ways = [Link(0, 1 + c, 10.0) for c in range(centres)] if links is None else links
    return Case(START, days, items, tuple(found), tuple(lots), tuple(requests), tuple(ways))


def ask(centre: int, quantity: int, item: int = 0, *, days: int = 2, **more: object) -> Request:
    return Request(centre, item, quantity, **({"last": days - 1} | more))  # type: ignore[arg-type]


def random_case(seed: int, *, whole: bool = False) -> Case:
    """Two or three centres with everything that can bind, sometimes; small enough to enumerate where ``whole``."""
    rng = np.random.default_rng(seed)
    days = int(rng.integers(1, 3 if whole else 5))
    n_items = int(rng.integers(1, 3))
    items = tuple(
        Item(f"item{k}", float(rng.integers(1, 4)), float(rng.integers(0, 4)), bool(rng.random() < 0.3))
        for k in range(n_items)
    )
    centres = int(rng.integers(1, 4 if whole else 5))
    hubs = 1 if whole else int(rng.integers(1, 3))

    def some(low: int, high: int) -> float:
        return float(rng.integers(low, high)) if rng.random() < 0.3 else float("inf")

    def opening() -> frozenset[int]:
        return frozenset(int(d) for d in range(days) if rng.random() < 0.8)

    places = [Place(f"hub{h}", True, opening(), some(5, 40), some(5, 60)) for h in range(hubs)]
    places += [
        Place(f"c{c}", False, opening(), some(5, 40), some(5, 40), some(4, 30), some(4, 30), some(2, 20))
        for c in range(centres)
    ]
    n_lots = 2 if whole else int(rng.integers(1, 6))
    lots = []
    for i in range(n_lots):
        at = int(rng.integers(hubs if whole else hubs + centres))
        pack = int(rng.integers(3, 7)) if whole else int(rng.integers(1, 5))
        last = int(rng.integers(0, days + 1)) if rng.random() < 0.5 else None
        lots.append(
            Lot(
                f"L{i}", int(rng.integers(n_items)), at, pack * int(rng.integers(1, 4 if whole else 9)), pack,
                int(rng.integers(days)) if rng.random() < 0.4 else 0, last,
                None if last is None else START + timedelta(days=last), None,
                "winter" if rng.random() < 0.2 else None,
                hubs + int(rng.integers(centres)) if rng.random() < 0.2 else None,
            )
        )  # fmt: skip
    requests = []
    for c, k in product(range(centres), range(n_items)):
        for programme in ("", "winter") if not whole and rng.random() < 0.3 else (str(rng.choice(["", "winter"])),):
            first = int(rng.integers(days))
            requests.append(
                Request(hubs + c, k, int(rng.integers(2, 16)), 0, programme, first, int(rng.integers(first, days)))
            )
    links = [
        Link(a, b, float(rng.integers(1, 60)), int(rng.random() < 0.2), some(3, 20), some(3, 20))
        for a in range(hubs + (0 if whole else centres))
        for b in range(hubs + centres)
        if a != b and rng.random() < 0.8
    ]
    return Case(START, days, items, tuple(places), tuple(lots), tuple(requests), tuple(links))


def replay(case: Case, proposal: Proposal) -> None:
    """Carry a proposal out, day by day, and assert that every rule holds."""
    lots = {lot.id: lot for lot in case.lots}
    at = {place.id: k for k, place in enumerate(case.places)}
    item_at = {item.id: k for k, item in enumerate(case.items)}
    links = {(case.places[x.origin].id, case.places[x.to].id): x for x in case.links}
    stock: dict[tuple[str, int], int] = defaultdict(int)  # (lot, place) → units
    asked: dict[tuple[int, int, str], int] = defaultdict(int)
    got: dict[tuple[int, int, str], int] = defaultdict(int)
    for r in case.requests:
        asked[r.centre, r.item, r.programme] += r.quantity
    arriving: dict[tuple[int, str, int], int] = defaultdict(int)
    for day in range(case.days):
        today = case.date(day)
        for lot in case.lots:
            if lot.first == day or (day == 0 and lot.first < 0):
                stock[lot.id, lot.place] += lot.quantity
        for (when, name, where), units in list(arriving.items()):
            if when == day:
                stock[name, where] += units
        carried: dict[tuple[str, str], list[float]] = defaultdict(lambda: [0.0, 0.0])
        # Several legs may be made on one day, so each departure looks at what has come in by then.
        todo = [s for s in proposal.shipments if s.day == today]
        while todo:
            ready = [s for s in todo if stock[s.lot, at[s.origin]] >= s.quantity] or todo[:1]
            s = ready[0]
            todo.remove(s)
            lot, link, item = lots[s.lot], links[s.origin, s.to], case.items[item_at[s.item]]
            assert stock[s.lot, at[s.origin]] >= s.quantity, "nothing is sent that is not there"
            assert s.quantity == s.packs * lot.pack, "packs are whole"
            assert lot.last is None or day <= lot.last, "nothing is moved after its use-by date"
            assert lot.centre in (None, at[s.centre]), "earmarks for a centre hold"
            assert day in case.places[at[s.origin]].open_days
            assert day + link.days in case.places[at[s.to]].open_days
            stock[s.lot, at[s.origin]] -= s.quantity
            if link.days == 0:
                stock[s.lot, at[s.to]] += s.quantity
            else:
                arriving[day + link.days, s.lot, at[s.to]] += s.quantity
            carried[s.origin, s.to][0] += s.quantity * item.kg
            carried[s.origin, s.to][1] += s.quantity * item.litres
        for (origin, to), (kg, litres) in carried.items():
            assert kg <= links[origin, to].kg + 1e-6
            assert litres <= links[origin, to].litres + 1e-6
        for place in case.places:
            kg, litres = (sum(v[i] for (o, _), v in carried.items() if o == place.id) for i in (0, 1))
            assert kg <= place.send_kg + 1e-6
            assert litres <= place.send_litres + 1e-6
        for h in (h for h in proposal.hand_outs if h.day == today):
            lot, key = lots[h.lot], (at[h.centre], item_at[h.item], h.programme)
            assert stock[h.lot, at[h.centre]] >= h.quantity, "nothing is handed over that is not there"
            assert lot.last is None or day <= lot.last, "nothing is handed over after its use-by date"
            assert lot.programme in (None, h.programme), "earmarks for a programme hold"
            assert lot.centre in (None, at[h.centre])
            assert day in case.places[at[h.centre]].open_days
            assert any((r.centre, r.item, r.programme) == key and r.first <= day <= r.last for r in case.requests), (
                "only within the days of the request"
            )
            stock[h.lot, at[h.centre]] -= h.quantity
            got[key] += h.quantity
    for key, units in got.items():
        assert units <= asked[key], "nobody gets more than was asked for"
    assert all(units >= 0 for units in stock.values())


def whole_pack_choices(case: Case) -> Iterator[dict[tuple[int, int], float]]:
    """
    Every choice of whole packs per lot, centre and day that obeys the rules, as fill rates by item and centre.

    For cases whose lots lie at one hub and whose requests are one for each item and centre.
    """
    kinds = []
    for i, lot in enumerate(case.lots):
        for k, link in enumerate(case.links):
            if link.origin != lot.place:
                continue
            mine = [r for r in case.requests if r.centre == link.to and r.item == lot.item]
            if not mine or lot.centre not in (None, link.to) or lot.programme not in (None, mine[0].programme):
                continue
            for day in range(lot.first, case.days):
                there = day + link.days
                if day not in case.places[lot.place].open_days or there not in case.places[link.to].open_days:
                    continue
                out = [
                    d
                    for d in sorted(case.places[link.to].open_days)
                    if d >= there and mine[0].first <= d <= mine[0].last
                ]
                if out and (lot.last is None or out[0] <= lot.last):
                    kinds.append((i, k, day, there, out[0], mine[0]))
    most = [min(case.lots[i].quantity, r.quantity + case.lots[i].pack - 1) // case.lots[i].pack for i, *_, r in kinds]
    for counts in product(*(range(m + 1) for m in most)):
        out_of: dict[int, int] = defaultdict(int)
        link_kg: dict[tuple[int, int], float] = defaultdict(float)
        link_l: dict[tuple[int, int], float] = defaultdict(float)
        send_kg: dict[tuple[int, int], float] = defaultdict(float)
        send_l: dict[tuple[int, int], float] = defaultdict(float)
        kept: dict[tuple[int, int, str], float] = defaultdict(float)
        units: dict[tuple[int, int], int] = defaultdict(int)
        for n, (i, k, day, there, out, r) in zip(counts, kinds, strict=True):
            q, link, item = n * case.lots[i].pack, case.links[k], case.items[case.lots[i].item]
            out_of[i] += q
            link_kg[k, day] += q * item.kg
            link_l[k, day] += q * item.litres
            send_kg[link.origin, day] += q * item.kg
            send_l[link.origin, day] += q * item.litres
            for d in range(there, out + 1):
                if item.cold:
                    kept[link.to, d, "cold"] += q * item.litres
                else:
                    kept[link.to, d, "kg"] += q * item.kg
                    kept[link.to, d, "litres"] += q * item.litres
            units[r.item, r.centre] += q
        limits = {"kg": "store_kg", "litres": "store_litres", "cold": "store_cold_litres"}
        if (
            all(q <= case.lots[i].quantity for i, q in out_of.items())
            and all(v <= case.links[k].kg for (k, _), v in link_kg.items())
            and all(v <= case.links[k].litres for (k, _), v in link_l.items())
            and all(v <= case.places[p].send_kg for (p, _), v in send_kg.items())
            and all(v <= case.places[p].send_litres for (p, _), v in send_l.items())
            and all(v <= getattr(case.places[p], limits[what]) for (p, _, what), v in kept.items())
        ):
            yield {(r.item, r.centre): min(1.0, units[r.item, r.centre] / r.quantity) for r in case.requests}
