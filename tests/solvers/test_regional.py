"""A p-median over regions: the moves that regions tell of are those of the whole, wherever the borders run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.spatial import KDTree

from nearer.model import FREE, OPEN, Instance, Status
from nearer.model.check import check_solution, recompute_value
from nearer.model.instance import single_phase
from nearer.planning.gains import compute_gains, gains_by_regions
from nearer.progress import Stop
from nearer.solvers import regional
from nearer.solvers.apart import packed
from nearer.solvers.budget import Budget
from nearer.solvers.core import make_core
from nearer.solvers.exchange import best_swaps
from nearer.solvers.interchange import Field, greedy, look, polished, scale_for
from nearer.solvers.pmedian import solve_pmedian
from nearer.solvers.reasons import reasons
from nearer.solvers.regional import solve_by_regions
from nearer.solvers.regional_reasons import reasons_by_regions
from nearer.solvers.regions import Arrays, Held, Here
from nearer.solvers.rounds import Rounds
from nearer.solvers.vicinity import Vicinity
from nearer.units import IntArray


@dataclass
class Rows:
    """Some neighbouring rows of an instance, as a region."""

    whole: Instance
    begin: int
    end: int

    def instance(self, standing: IntArray) -> Instance:
        whole, ptr = self.whole, self.whole.indptr[self.begin : self.end + 1]
        part = slice(int(ptr[0]), int(ptr[-1]))
        return replace(
            whole,
            indptr=ptr - ptr[0],
            site_idx=whole.site_idx[part],
            cost=whole.cost[part],
            unserved=whole.unserved[self.begin : self.end],
            weight=whole.weight[:, self.begin : self.end],
            standing=np.array(standing),
            row_point=whole.row_point[self.begin : self.end],
            row_group=whole.row_group[self.begin : self.end],
        )


@dataclass
class Cut:
    """An instance cut into regions, some of them empty."""

    whole: Instance
    cuts: Sequence[int]

    @property
    def n_regions(self) -> int:
        return len(self.cuts) - 1

    def load(self, first: int, last: int) -> Sequence[Held]:
        return [Rows(self.whole, a, b) for a, b in pairwise(self.cuts[first : last + 1])]


def town(seed: int, n: int = 400, m: int = 60, p: int = 8, *, whole: bool = True) -> Instance:
    rng = np.random.default_rng(seed)
    points, sites = rng.random((n, 2)), rng.random((m, 2))
    far, site = KDTree(sites).query(points, 15)
    standing = np.zeros(m, dtype=np.int8)
    standing[rng.choice(m, 5, replace=False)] = OPEN
    weight = rng.integers(0, 50, n).astype(np.float64) if whole else rng.random(n) * 50
    cost = np.rint(far.ravel() * 1e6).astype(np.int64)
    return single_phase(np.arange(n + 1) * 15, site.ravel(), cost, weight, np.full(n, 4e5), standing, p, p)


def source(instance: Instance, n_regions: int = 4) -> Cut:
    return Cut(instance, [0, *np.linspace(0, instance.n_rows, n_regions + 1).astype(np.int64).tolist()])


def cut(instance: Instance, n_regions: int = 4) -> Here:
    return Here(source(instance, n_regions))


def field_of(instance: Instance, n_regions: int = 4) -> Field:
    core = make_core(instance)
    scale = scale_for(core.base + float(core.cap.sum()), instance.whole)
    price = np.zeros(core.m, dtype=np.int64)
    return Field(cut(instance, n_regions), instance.standing, core.k_min, core.k_max, price, scale)


@pytest.mark.parametrize("whole", [True, False])
def test_every_swap_costs_over_regions_what_it_costs_over_the_whole(whole: bool) -> None:
    for seed in range(5):
        instance = town(seed, whole=whole)
        field, core, budget = field_of(instance), make_core(instance), Budget(Stop())
        plan = np.zeros(core.m, dtype=bool)
        plan[np.random.default_rng(seed).choice(core.m, core.k_min, replace=False)] = True
        swaps, now = best_swaps(core, np.flatnonzero(plan).astype(np.int32)), look(field, plan, budget)
        at = core.value(np.flatnonzero(plan))
        assert now.cost / field.scale + core.base == pytest.approx(at, rel=1e-12)
        for j in np.flatnonzero(~plan):
            extra = dict(zip(now.out[now.come == j], now.extra[now.come == j], strict=True))
            rise = min(int(now.loss[r] - now.gain[j] - extra.get(r, 0)) for r in np.flatnonzero(plan)) / field.scale
            assert rise == pytest.approx(swaps.cost[j], rel=1e-9, abs=1e-3)
        found = polished(field, plan, budget)
        assert found.sum() == plan.sum()
        end = best_swaps(core, np.flatnonzero(found).astype(np.int32))
        assert end.cost.min() >= -1e-6 * at  # no swap is left, across whatever border
        assert core.value(np.flatnonzero(found)) < at


def test_borders_change_nothing() -> None:
    instance = town(3, whole=False)
    plans = [greedy(field_of(instance, n), Budget(Stop())) for n in (1, 3, 7)]
    assert all(np.array_equal(plans[0], plan) for plan in plans[1:])
    ends = [polished(field_of(instance, n), plans[0], Budget(Stop())) for n in (1, 3, 7)]
    assert all(np.array_equal(ends[0], end) for end in ends[1:])


@pytest.mark.parametrize(("room", "per_row"), [(0, 0), (0, 4), (2_000, 4), (10**9, 4)])
def test_the_optimum_is_that_of_the_whole_and_the_proof_holds(
    room: int, per_row: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(regional, "BROUGHT_HERE", room)
    monkeypatch.setattr(regional, "_PER_ROW", per_row)
    for seed in range(4):
        instance = town(seed, whole=seed % 2 == 0)
        best = solve_pmedian(instance, gap=0.0)
        assert best.status is Status.OPTIMAL
        found = solve_by_regions(cut(instance), instance.standing, 8, 8, gap=0.0, work_limit=60_000_000)
        assert check_solution(instance, found) == []
        assert found.bound <= best.objective * (1 + 1e-9)
        assert found.objective == pytest.approx(best.objective, rel=1e-12 if room else 3e-3)
        assert found.gap <= (1e-9 if room else 6e-3)


class Cutoff(Here):
    """Regions that are lost at the so-many-th question."""

    def __init__(self, instance: Instance, last: int) -> None:
        super().__init__(source(instance))
        self.asked, self.last = 0, last

    def ask(self, *told: Any, **more: Any) -> list[Arrays]:
        self.asked += 1
        if self.asked > self.last:
            raise ConnectionError
        return super().ask(*told, **more)


def test_a_run_lost_at_any_question_ends_as_one_that_was_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(regional, "BROUGHT_HERE", 300)
    monkeypatch.setattr(regional, "_PER_ROW", 2)
    monkeypatch.setattr(regional, "_RUSH", (20, 20))
    monkeypatch.setattr(regional, "_ROUND", 20)
    instance = town(2, m=90, whole=False)
    limits = {"gap": 0.0, "work_limit": 3_000_000}

    def told(regions: Here, rounds: Rounds | None) -> dict[str, bytes]:
        found = solve_by_regions(regions, instance.standing, 8, 8, rounds=rounds, **limits)
        return {name: one.tobytes() for name, one in packed(replace(found, seconds=0.0)).items()}

    whole = Cutoff(instance, 10**9)
    best = told(whole, None)
    stages = set()
    for lost_at in range(1, whole.asked, 23):
        rounds = Rounds(tmp_path / f"{lost_at}.npz")
        tries, spent = 0, 0
        while True:
            regions = Cutoff(instance, lost_at + tries * 60)  # lost again and again, each time farther on
            tries += 1
            try:
                assert told(regions, rounds) == best, lost_at
                break
            except ConnectionError:
                stages |= set(rounds.read()) & {"greedy", "polished", "lam"}
            finally:
                spent += regions.asked
        assert spent >= whole.asked
    assert stages == {"greedy", "polished", "lam"}


def test_fewer_may_open_where_more_bring_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(regional, "BROUGHT_HERE", 500)
    instance = town(1, m=20)
    instance = replace(instance, open_min=np.array([2]), open_max=np.array([15]))
    best, found = solve_pmedian(instance, gap=0.0), solve_by_regions(cut(instance), instance.standing, 2, 15, gap=0.0)
    assert found.objective == pytest.approx(best.objective, rel=1e-12)
    assert check_solution(instance, found) == []


def test_what_each_site_brings_is_told_as_by_the_whole() -> None:
    for seed in range(4):
        instance = town(seed)
        plan = instance.standing == OPEN
        plan[np.random.default_rng(seed).choice(np.flatnonzero(instance.standing == FREE), 8, replace=False)] = True
        one, other = compute_gains(instance, plan), gains_by_regions(cut(instance), instance.standing, plan)
        for name in ("site_idx", "gain", "loss", "replacement", "replaced_loss"):
            assert np.array_equal(getattr(one, name), getattr(other, name)), name


def test_reasons_are_those_of_the_whole_without_a_search_of_their_own() -> None:
    for seed in range(3):
        instance = town(seed, whole=seed != 1)
        plan = solve_pmedian(instance, gap=0.0)
        told = reasons_by_regions(cut(instance), instance.standing, 8, 8, plan)
        around, exact = Vicinity(instance, plan), reasons(instance, plan)
        swaps = best_swaps(around.core, around.plan)
        for at, (one, true) in enumerate(zip(told.forced, exact.forced, strict=True)):
            assert (one.site, one.open) == (true.site, true.open)
            assert one.at_most == pytest.approx(float(swaps.cost[at]), rel=1e-9, abs=1e-3)
            assert one.plan is not None
            assert recompute_value(instance, one.plan) - plan.objective == pytest.approx(one.at_most, abs=1e-2)
            assert one.at_least <= true.at_most + 1e-2
        assert sum(one.at_least > 0 for one in told.forced) > len(told.forced) / 2
