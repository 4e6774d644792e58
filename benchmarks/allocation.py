"""Fair allocation: seconds stage by stage on made-up networks of hubs and centres, from a seed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta

import numpy as np

from benchmarks.given import Given
from benchmarks.table import Table, count, percent, seconds
from nearer.aid.allocation import Case, Item, Link, Lot, Place, Request
from nearer.aid.allocation.journeys import build_journeys
from nearer.aid.allocation.packs import round_to_packs
from nearer.aid.allocation.stages import age_columns, relax
from nearer.progress import Stop, Tick

_START = date(2026, 3, 2)
_PACKS = (1, 4, 6, 10, 12, 20, 24)


def made_case(
    centres: int = 80,
    items: int = 40,
    days: int = 8,
    *,
    hubs: int = 2,
    seed: int = 0,
    supply: float = 0.7,
    haul: float = 1.15,
) -> Case:
    """
    A network whose goods are scarce and whose vehicles and shelves are a little short here and there.

    Parameters
    ----------
    supply
        Goods as a share of what is asked for, on average over the items.
    haul
        What vehicles and shelves can take, as a multiple of the fair share of supply that falls on them.
    """
    rng = np.random.default_rng(seed)
    at = rng.uniform(0, 30, (hubs + centres, 2))
    km = np.hypot(*(at[:, None] - at[None]).transpose(2, 0, 1))
    kinds = tuple(
        Item(f"item-{k:02}", kg=round(float(rng.lognormal(0, 0.7)), 3), litres=round(float(rng.lognormal(0.5, 0.7)), 3),
             cold=bool(rng.random() < 0.15))
        for k in range(items)
    )  # fmt: skip
    size = rng.lognormal(0, 0.6, centres)
    requests: list[Request] = []
    asked = np.zeros((centres, items))
    for c in range(centres):
        for k in range(items):
            quantity = int(np.ceil(size[c] * rng.gamma(2.0, 40)))
            first = int(rng.integers(0, max(1, days // 2)))
            last = int(rng.integers(min(days - 1, first + 2), days))
            asked[c, k] += quantity
            requests.append(Request(hubs + c, k, quantity, 0, "general", first, last))
    lots: list[Lot] = []
    for k in range(items):
        total = asked[:, k].sum() * rng.uniform(supply - 0.3, supply + 0.3)
        for share in rng.dirichlet(np.full(3, 2.0)):
            pack = int(rng.choice(_PACKS))
            first = int(rng.integers(0, max(1, days // 2)))
            left = int(rng.integers(first + 2, days + 12))
            use_by = _START + timedelta(days=left) if rng.random() < 0.7 else None
            centre = hubs + int(rng.integers(centres)) if rng.random() < 0.02 else None
            lots.append(
                Lot(
                    f"L{len(lots):04}", k, int(rng.integers(hubs)), max(pack, int(total * share) // pack * pack), pack,
                    first, left if use_by and left < days else None, use_by, None, None, centre,
                )
            )  # fmt: skip
    kg = np.array([kind.kg for kind in kinds])
    litres = np.array([0.0 if kind.cold else kind.litres for kind in kinds])
    cold = np.array([kind.litres if kind.cold else 0.0 for kind in kinds])
    a_day = haul * supply / days
    places = [
        Place(f"hub-{h}", True, frozenset(range(days)), round(float(asked.sum(0) @ kg) * a_day / hubs * 1.3, 1))
        for h in range(hubs)
    ]
    for c in range(centres):
        open_days = frozenset(d for d in range(days) if rng.random() < 0.85) or frozenset({0})
        places.append(
            Place(
                f"centre-{c:02}", False, open_days,
                store_kg=round(float(asked[c] @ kg) * a_day * 3, 1),
                store_litres=round(float(asked[c] @ litres) * a_day * 3, 1),
                store_cold_litres=round(float(asked[c] @ cold) * a_day * 3, 1),
            )
        )  # fmt: skip
    links = tuple(
        Link(h, hubs + c, round(float(km[h, hubs + c]) * 2, 1), 0,
             round(float(asked[c] @ kg) * a_day * float(rng.uniform(0.8, 3)), 1))
        for h in range(hubs)
        for c in range(centres)
    )  # fmt: skip
    return Case(_START, days, kinds, tuple(places), tuple(lots), tuple(requests), links)


class _Clock:
    """Notes the processor seconds that each step took."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = {}

    @contextmanager
    def step(self, label: str, total: int | None = None) -> Iterator[Tick]:
        def tick(steps: int = 1, note: str = "") -> None:
            return None

        start = time.process_time()
        yield tick
        self.spent[label] = self.spent.get(label, 0.0) + time.process_time() - start


def tables(given: Given) -> Iterator[Table]:
    """Seconds of each stage, and what whole packs lose."""
    sizes = [(12, 20, 6)] if given.small else [(12, 20, 6), (40, 30, 8), (80, 40, 8)]
    hauls = (1.15,) if given.small else (1.15, 0.9, 0.7)
    heads = ("centres × items × days", "haul", "journeys", "limits", "list", "fair", "rounds", "waste, travel", "packs",
             "all", "proven", "served in packs")  # fmt: skip
    table = Table("Fair allocation (processor seconds)", heads)
    # Compile before the clock runs.
    _measure(made_case(4, 3, 3), given)
    for size in sizes:
        for haul in hauls if size[0] == sizes[-1][0] else hauls[:1]:
            table.rows.append((" × ".join(map(str, size)), str(haul), *_measure(made_case(*size, haul=haul), given)))
    table.notes.append("list: journeys and limits. haul: what vehicles and shelves take, over the fair share on them.")
    table.notes.append("proven: stages whose value is their bound. served in packs: of what split packs would serve.")
    yield table


def _measure(case: Case, given: Given) -> tuple[str, ...]:
    clock, stop = _Clock(), Stop(given.limit_s or 120.0)
    start = time.process_time()
    journeys = build_journeys(case)
    listed = time.process_time()
    relaxed = relax(case, journeys, stop, clock)
    solved = time.process_time()
    packed = round_to_packs(case, journeys, relaxed.x, age_columns(case, journeys), stop)
    ended = time.process_time()
    kg = np.array([item.kg for item in case.items])[journeys.goal_item] * journeys.asked
    proven = sum(stage.proven for stage in relaxed.stages)
    return (
        count(journeys.n_columns), count(journeys.n_rows), seconds(listed - start),
        seconds(clock.spent.get("fair shares")), count(relaxed.shares.rounds),
        seconds(clock.spent.get("waste and travel")), seconds(ended - solved), seconds(ended - start),
        f"{proven} of {len(relaxed.stages)}",
        percent(float(packed.fill @ kg) / max(1e-9, float(relaxed.shares.fill @ kg))),
    )  # fmt: skip
