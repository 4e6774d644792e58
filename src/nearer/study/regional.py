"""A plan whose rows stay in regions: on the workers of a cluster where there is one, else here; the same either way."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from nearer.cluster import fingerprint
from nearer.demand import Demand
from nearer.errors import InfeasibleError
from nearer.files import written_whole
from nearer.inputs.tables import Tables
from nearer.model import OPEN, Solution, Status
from nearer.network import Network, Parted, TravelTimes
from nearer.network.cache import content_key
from nearer.planning.access import PointTimes
from nearer.planning.choices import with_reasons
from nearer.planning.gains import gains_by_regions
from nearer.planning.make import make_plan
from nearer.planning.plan import Plan
from nearer.planning.pointed import InParts, Points, TimesElsewhere
from nearer.solvers.apart import packed, unpacked
from nearer.solvers.outline import without_rows
from nearer.solvers.regional import solve_by_regions
from nearer.solvers.regional_reasons import reasons_by_regions
from nearer.solvers.regions import Held, Here, Regions, There
from nearer.solvers.rounds import Rounds
from nearer.study.choices import Wish
from nearer.study.limits import Run
from nearer.study.parts import number_to_open, run_notes, snapping, standing
from nearer.study.settings import Study
from nearer.units import FloatArray, IntArray, minutes_to_ms

REGIONS_FROM_PAIRS = 20_000_000
"""From so many pairs within reach on, rows are held in regions."""

PAIRS_PER_REGION = 2_000_000
"""About how many pairs a region holds: some 20 MB."""


def may_spread(study: Study, wish: Wish) -> bool:
    """Whether a plan is of the kind that regions understand: for travel, at one speed, and nothing else asked."""
    plain = study.is_plain and not study.staged and study.plan.second_share is None
    return plain and not study.streets.group_speeds_kmh and wish == Wish()


def by_regions(network: Network, study: Study, wish: Wish) -> bool:
    """Whether a plan is made over regions: it may be, and it is large enough."""
    return may_spread(study, wish) and network.rows.n_pairs >= REGIONS_FROM_PAIRS


def plan_by_regions(tables: Tables, study: Study, network: Network, demand: Demand, *, run: Run) -> Plan:
    """
    As ``plan_tables``, over regions of points that are fixed by the number of pairs alone.

    No site is searched by itself for its reasons: that needs the rows in one place.
    """
    unreached_ms = minutes_to_ms(study.unreached_min)
    open_min, open_max = number_to_open(study, tables)
    stand = standing(tables, study)
    n_regions = -(-network.rows.n_pairs // PAIRS_PER_REGION)
    cuts = tuple(np.linspace(0, network.rows.n_points, n_regions + 1).astype(np.int64).tolist())
    weight = demand.class_weight[0]
    asked = (weight, stand, *cuts, unreached_ms, open_min, open_max, study.study.seed)
    with _kept(network, asked, run) as kept, held(network, weight, cuts, unreached_ms, run) as (regions, times):
        with run.timed("solve"):
            solution = _solved(regions, stand, (open_min, open_max), study.study.seed, run, kept)
        if solution.status in (Status.INFEASIBLE, Status.UNKNOWN):
            raise InfeasibleError(f"There is no plan that opens {open_max} sites and obeys the rules.")
        with run.timed("plan"):
            plan = make_plan(
                name=study.study.name,
                settings=study.model_dump(mode="json"),
                seed=study.study.seed,
                tables=tables,
                demand=demand,
                class_times=[times],
                instance=without_rows(stand, open_min, open_max),
                solution=solution,
                unreached_ms=unreached_ms,
                coverage_min=study.plan.coverage_min,
                crs=network.plane.crs,
                snapping=snapping(network, tables, study),
                run=run_notes(run, solution),
                gains=gains_by_regions(regions, stand, solution.open_mask | (stand == OPEN)),
            )
        with run.timed("reasons"):
            stop = run.stop.within(run.time_limit_s)
            found = reasons_by_regions(regions, stand, open_min, open_max, solution, stop=stop)
            return with_reasons(plan, without_rows(stand, open_min, open_max), solution, found)


def _solved(
    regions: Regions, stand: IntArray, opens: tuple[int, int], seed: int, run: Run, kept: Path | None
) -> Solution:
    """The solution, on from where an earlier run of the same stood that was lost; kept until its plan is told."""
    effort = run.effort(seed)
    if kept is None:
        return solve_by_regions(regions, stand, *opens, **effort)
    solved = Rounds(kept / "solved.npz")
    if stood := solved.read():
        return unpacked(stood)
    solution = solve_by_regions(regions, stand, *opens, **effort, rounds=Rounds(kept / "rounds.npz"))
    if not effort["stop"]():
        solved.keep(**packed(solution))
    return solution


@contextmanager
def _kept(network: Network, asked: tuple[Any, ...], run: Run) -> Iterator[Path | None]:
    """
    A folder beside the travel times for how far the workers' answers have led, named by all that decides them.

    It is taken away once all went well. None where the rows lie here: there is no cluster to lose.
    """
    if run.cluster is None or not isinstance(network.rows, Parted):
        yield None
        return
    limits = (run.gap, -1 if run.work_limit is None else run.work_limit)
    key = content_key("rounds", fingerprint(), network.rows.layout.name, *asked, *limits)
    folder = run.cluster.folder / f"rounds-{key[:16]}"
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def held(
    network: Network, weight: FloatArray, cuts: tuple[int, ...], unreached_ms: int, run: Run
) -> Iterator[tuple[Regions, TravelTimes | PointTimes]]:
    """Regions of points between the cuts, held by the workers where they read the parts themselves; and all times."""
    if run.cluster is None or not isinstance(network.rows, Parted):
        yield Here(_Cut(network.times, weight, cuts, unreached_ms), run.threads), network.times
        return
    with run.cluster.batch("regions", run.cluster.session, keep=False) as batch:
        weight_file = batch.folder / "weight.npy"
        with written_whole(weight_file) as beside, beside.open("wb") as file:
            np.save(file, weight, allow_pickle=False)
        regions = There(batch, InParts(network.rows, weight_file, cuts, unreached_ms))
        yield regions, TimesElsewhere(regions, cuts, network.rows.limit_ms)


class _Cut:
    """Regions cut from times that are held, or mapped, here."""

    def __init__(self, times: TravelTimes, weight: FloatArray, cuts: tuple[int, ...], unreached_ms: int) -> None:
        self.n_regions = len(cuts) - 1
        self._held = [Points(times.between(a, b), weight[a:b], unreached_ms) for a, b in pairwise(cuts)]

    def load(self, first: int, last: int) -> list[Held]:
        """As ``Source`` says."""
        return list(self._held[first:last])
