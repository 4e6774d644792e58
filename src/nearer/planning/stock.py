"""Where to keep reserve stock, so that it is near when centres are out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from nearer.model import FORBIDDEN, FREE, Instance, Status, relative_gap
from nearer.model.build import build_instance
from nearer.planning.stress import Situation
from nearer.planning.stress_document import Scenario, Stock, StockPlan
from nearer.progress import Progress, Stop
from nearer.solvers import solve
from nearer.solvers.apart import Elsewhere
from nearer.solvers.reserve import Reserve, expected_reserve, worst_reserve
from nearer.units import MS_PER_MIN, BoolArray, FloatArray, StrArray


@dataclass(frozen=True)
class Stocked:
    """Where to keep stock as it is written down, and the proofs of both bounds."""

    written: Stock
    expected: Reserve
    worst: Reserve


def stock_instances(
    situation: Situation, ours_mask: BoolArray, outs: Sequence[BoolArray], unreached_ms: int
) -> list[Instance]:
    """
    One problem per scenario: everybody to the nearest stocked centre in service.

    Parameters
    ----------
    situation
        Who lives where and what is in service.
    ours_mask
        Centres that can hold stock, bool (n_sites,).
    outs
        Sites out in each scenario, bool (n_sites,).
    unreached_ms
        What a person out of reach counts as.
    """
    may = ours_mask & situation.open_mask
    standing = np.where(may, FREE, FORBIDDEN).astype(np.int8)
    found = []
    for out in outs:
        here = np.where(out, FORBIDDEN, standing).astype(np.int8)
        one = build_instance(situation.demand, situation.class_times, here, 0, len(here), unreached_ms)
        # a site that is out may hold stock nevertheless: it is chosen before anybody knows
        found.append(replace(one, standing=standing))
    return found


def stock(
    situation: Situation,
    ours_mask: BoolArray,
    scenarios: Sequence[Scenario],
    outs: Sequence[BoolArray],
    number: int,
    unreached_ms: int,
    ids: StrArray,
    *,
    gap: float,
    seed: int,
    threads: int,
    stop: Stop,
    progress: Progress,
    elsewhere: Elsewhere | None = None,
) -> Stocked:
    """
    Choose centres to hold stock: best on average, and best in the worst scenario.

    Parameters
    ----------
    scenarios, outs
        What may happen, and the sites out then; the probabilities sum to 1.
    number
        How many centres hold stock.
    gap, seed, threads, stop, progress
        As for ``solve``; the rest as for ``stock_instances``.
    elsewhere
        Whose workers solve the p-medians; None solves them here.
    """
    number = min(number, int((ours_mask & situation.open_mask).sum()))
    instances = stock_instances(situation, ours_mask, outs, unreached_ms)
    chance: FloatArray = np.array([one.probability for one in scenarios])
    solver = solve if elsewhere is None else elsewhere.solve
    options = {"gap": gap, "seed": seed, "threads": threads, "stop": stop, "progress": progress, "solver": solver}
    expected = expected_reserve(instances, chance, number, **options)  # type: ignore[arg-type]
    worst = worst_reserve(instances, chance, number, **options)  # type: ignore[arg-type]
    return Stocked(
        Stock(
            number=number,
            scenarios=list(scenarios),
            expected=_plan(expected, chance, ids),
            worst=_plan(worst, chance, ids),
        ),
        expected,
        worst,
    )


def _plan(found: Reserve, chance: FloatArray, ids: StrArray) -> StockPlan:
    words = {Status.OPTIMAL: "optimal", Status.GAP: "gap"}
    return StockPlan(
        sites=[str(ids[site]) for site in found.sites],
        expected=float(chance @ found.costs) / MS_PER_MIN,
        worst=float(found.costs.max()) / MS_PER_MIN,
        bound=found.bound / MS_PER_MIN,
        gap=relative_gap(found.value, found.bound),
        status=words.get(found.status, "feasible"),
        weights=found.weights.tolist(),
        proof="solver" if found.certificate is None else "certificate",
    )
