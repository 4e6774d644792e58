"""Plans from a relaxation: what was fixed stays, and so does the solution that the way down began from."""

from __future__ import annotations

import numpy as np
import pytest

from nearer.lp import LpStatus
from nearer.progress import Stop
from nearer.solvers.budget import Budget
from nearer.solvers.diving import dive
from nearer.solvers.master import Master
from nearer.units import IntArray
from tests.solvers.test_elite import core_of, improved


def relaxed(seed: int, fixed: IntArray, p: int = 12) -> Master:
    core = core_of(seed, len(fixed), p)
    master = Master(core, core.least + 100.0, Budget(Stop()))
    sites = np.flatnonzero(fixed >= 0)
    master.fix(sites, fixed[sites])
    while master.solve() is LpStatus.OPTIMAL and master.separate() > 0:
        pass
    return master


@pytest.mark.parametrize("seed", range(4))
def test_a_dive_ends_in_a_plan_near_the_relaxation_and_leaves_its_solution(seed: int) -> None:
    fixed = np.full(200, -1, dtype=np.int8)
    fixed[:9], fixed[9] = 0, 1
    master = relaxed(seed, fixed)
    value, y = master.value, master.y.copy()
    plan, too_long = dive(master, fixed, np.inf, 10**9)
    assert plan is not None
    assert not too_long
    assert len(np.unique(plan)) == 12
    assert 9 in plan
    assert not np.isin(np.arange(9), plan).any()
    cost = master.core.value(plan)
    assert value - 1e-6 <= cost <= 1.05 * improved(master.core, 1).plans[0][0]
    assert master.value == pytest.approx(value, rel=1e-12)
    assert master.y == pytest.approx(y, abs=1e-9)


def test_a_dive_that_leads_too_high_tells_no_plan() -> None:
    fixed = np.full(200, -1, dtype=np.int8)
    master = relaxed(3, fixed)
    value = master.value
    assert dive(master, fixed, value - 1.0, 10**9) == (None, False)
    assert master.value == pytest.approx(value, rel=1e-12)


def test_a_dive_that_would_take_too_long_ends_early_and_says_so() -> None:
    fixed = np.full(300, -1, dtype=np.int8)
    master = relaxed(1, fixed, 30)
    value = master.value
    before = master.lp.iterations
    dive(master, fixed, np.inf, 10**9)
    whole = master.lp.iterations - before
    assert dive(master, fixed, np.inf, 1) == (None, True)
    assert master.lp.iterations - before - whole < whole / 2
    assert master.value == pytest.approx(value, rel=1e-12)
