"""Plans that are put together: never worse, of the right size, the same whatever the threads."""

from __future__ import annotations

import numpy as np
import pytest

from nearer.model.plane import PlaneRows
from nearer.progress import Stop
from nearer.solvers import elite as elites
from nearer.solvers.budget import Budget
from nearer.solvers.core import Core, make_core
from nearer.solvers.elite import Elite
from nearer.solvers.search import greedy_start
from nearer.units import IntArray


def core_of(seed: int, n: int, p: int) -> Core:
    x, y = np.random.default_rng(seed).uniform(0, 1000, (2, n))
    rows = PlaneRows(x, y, np.ones(n), x, y, "floor")
    return make_core(rows.instance(np.full(n, 400.0), p))


def improved(core: Core, threads: int, limit: int | None = None) -> Elite:
    rng = np.random.default_rng(1)
    suggested = [np.sort(rng.choice(core.m, core.k_max, replace=False)) for _ in range(9)]
    elite, budget = Elite(core, threads), Budget(Stop(), limit)
    elite.add(greedy_start(core, budget))
    elite.improve(suggested, rng.random(core.m), rng, budget, 400_000)
    return elite


@pytest.mark.parametrize("p", [6, 60])
def test_plans_put_together_beat_the_first_and_keep_their_number_of_sites(p: int) -> None:
    core = core_of(3, 240, p)
    first = greedy_start(core, Budget(Stop()))
    elite = improved(core, 1)
    values = [value for value, _ in elite.plans]
    assert values == sorted(values)
    assert values[0] < core.value(first)
    for value, plan in elite.plans:
        assert len(np.unique(plan)) == p
        assert value == core.value(plan)


@pytest.mark.parametrize(("n", "p"), [(200, 5), (300, 4), (400, 10)])
def test_a_part_holds_the_plans_that_are_kicked_in_it(n: int, p: int, monkeypatch: pytest.MonkeyPatch) -> None:
    core, rng, budget = core_of(0, n, p), np.random.default_rng(1), Budget(Stop())
    place = elites._Part.place
    placed = []

    def noted(self: elites._Part, plan: IntArray) -> IntArray:
        at = place(self, plan)
        placed.append(at.max() < len(self.site) and np.array_equal(self.site[at], plan))
        return at

    monkeypatch.setattr(elites._Part, "place", noted)
    elite = Elite(core, 1)
    elite.add(greedy_start(core, budget))
    suggested = [np.sort(rng.choice(core.m, p, replace=False)) for _ in range(3)]
    elite.improve(suggested, rng.random(core.m), rng, budget, 10_000_000)  # enough to search all sites on the way
    assert len(placed) > 3
    assert all(placed)


@pytest.mark.parametrize("limit", [None, 60_000])
def test_threads_change_no_plan(limit: int | None) -> None:
    core = core_of(5, 200, 8)
    one, two = improved(core, 1, limit), improved(core, 2, limit)
    assert [value for value, _ in one.plans] == [value for value, _ in two.plans]
    assert all(np.array_equal(a, b) for (_, a), (_, b) in zip(one.plans, two.plans, strict=True))


def test_plans_move_to_the_core_that_fixing_leaves() -> None:
    core = core_of(7, 120, 6)
    elite = improved(core, 1)
    best = elite.best
    closed = np.zeros(core.m, dtype=bool)
    closed[[j for j in range(core.m) if j not in best][:60]] = True
    opened = np.zeros(core.m, dtype=bool)
    opened[best[0]] = True
    rest = core.restricted(closed, opened)
    elite.move(rest, np.arange(float(rest.m)))
    assert elite.plans[0][0] == pytest.approx(core.value(best))
    assert all(len(plan) == 5 for _, plan in elite.plans)


def test_what_relaxation_and_plan_agree_on_stays() -> None:
    core = core_of(11, 240, 24)
    good = improved(core, 1).best
    elite, rng = Elite(core, 1), np.random.default_rng(2)
    worse = np.sort(np.concatenate([good[6:], np.setdiff1d(np.arange(core.m), good)[:6]])).astype(np.int32)
    elite.add(worse)
    y = np.zeros(core.m)
    y[good] = 1.0  # so that 18 sites agree, and of 12 six are to be found again
    elite.settle(y, rng, Budget(Stop()))
    assert np.isin(elite.best, np.union1d(good, worse)).all()
    assert np.isin(np.intersect1d(good, worse), elite.best).all()
    assert len(np.unique(elite.best)) == 24
    assert elite.plans[0][0] == core.value(elite.best) == core.value(good)


@pytest.mark.parametrize("limit", [None, 400_000])
def test_plans_drawn_by_openness_lead_out_of_a_corner_whatever_the_threads(limit: int | None) -> None:
    core = core_of(13, 240, 24)
    good = improved(core, 1).best
    openness = np.full(core.m, 0.02)
    openness[good] = 0.8

    def from_corner(threads: int) -> Elite:
        elite = Elite(core, threads)
        elite.add(np.setdiff1d(np.arange(core.m), good)[:24].astype(np.int32))
        elite.afresh(openness, np.random.default_rng(4), Budget(Stop(), limit), 2_000_000)
        return elite

    one, two = from_corner(1), from_corner(2)
    assert one.plans[0][0] <= core.value(good)
    assert all(len(np.unique(plan)) == 24 and value == core.value(plan) for value, plan in one.plans)
    assert [value for value, _ in one.plans] == [value for value, _ in two.plans]
    assert all(np.array_equal(a, b) for (_, a), (_, b) in zip(one.plans, two.plans, strict=True))


def test_what_two_plans_have_between_them_is_found_by_joining_them() -> None:
    core = core_of(17, 240, 24)
    good = improved(core, 1).best
    spare = np.setdiff1d(np.arange(core.m), good)
    elite, budget = Elite(core, 1), Budget(Stop())
    elite.add(np.sort(np.concatenate([good[:-4], spare[:4]])).astype(np.int32))
    elite.add(np.sort(np.concatenate([good[4:], spare[-4:]])).astype(np.int32))
    elite.join(np.random.default_rng(5), budget, 1_000_000)
    assert elite.plans[0][0] <= core.value(good)
    assert len(np.unique(elite.best)) == 24
