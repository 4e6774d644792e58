"""A look ahead changes nothing, sites that raise both branches come first, and a slim relaxation is the same one."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from nearer.lp import Lp, LpStatus
from nearer.model.plane import PlaneRows
from nearer.progress import Stop
from nearer.solvers.branching import Branching
from nearer.solvers.budget import Budget
from nearer.solvers.core import make_core
from nearer.solvers.master import Master


def _solved(cost: np.ndarray, rows: list[list[int]]) -> Lp:
    """Cover rows of two or three columns between 0 and 1 at least cost."""
    lp = Lp(Stop())
    m = len(cost)
    lp.add_columns(cost, np.zeros(m), np.ones(m))
    start = np.cumsum([0, *(len(row) for row in rows)])
    column = np.concatenate(rows).astype(np.int32)
    lp.add_rows(np.ones(len(rows)), np.full(len(rows), np.inf), start, column, np.ones(len(column)))
    assert lp.solve() is LpStatus.OPTIMAL
    return lp


def _ring() -> tuple[np.ndarray, list[list[int]]]:
    """A dear ring of five and a cheap one of three: half of each is open."""
    cost = np.array([5.0] * 5 + [1.0] * 3)
    rows = [[j, (j + 1) % 5] for j in range(5)] + [[5 + j, 5 + (j + 1) % 3] for j in range(3)]
    return cost, rows


def test_the_site_is_chosen_whose_branches_rise_most() -> None:
    cost, rows = _ring()
    lp = _solved(cost, rows)
    fractional = np.flatnonzero(np.minimum(lp.x, 1 - lp.x) > 1e-6)
    assert len(fractional) == 8
    branching = Branching(8)
    assert branching.choose(lp, lp.x, fractional, 100.0) < 5
    assert branching.seen.sum() > 0


def test_what_was_seen_often_is_not_tried_again() -> None:
    cost, rows = _ring()
    lp = _solved(cost, rows)
    branching = Branching(8)
    for site in range(8):
        for value in (0, 1):
            for _ in range(4):
                branching.saw(site, value, 0.5, 7.0 if site == 6 else 1.0)
    before = lp.iterations
    assert branching.choose(lp, lp.x, np.arange(8), 100.0) == 6
    assert lp.iterations == before


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_a_look_ahead_leaves_the_programme_as_it_was_and_tells_what_fixing_brings(seed: int) -> None:
    rng = np.random.default_rng(seed)
    m = 6
    cost = rng.integers(1, 9, m).astype(float)
    rows = [sorted(rng.choice(m, 2, replace=False).tolist()) for _ in range(6)]
    lp = _solved(cost, rows)
    x, objective = lp.x.copy(), lp.objective
    site, value = int(rng.integers(m)), int(rng.integers(2))
    told = lp.look(site, float(value), lp.basis(), 1000)
    again = _solved(cost, rows)
    again.set_bounds(np.array([site]), np.array([float(value)]), np.array([float(value)]))
    status = again.solve()
    assert np.isinf(told) if status is LpStatus.INFEASIBLE else abs(told - again.objective) < 1e-9
    assert lp.solve() is LpStatus.OPTIMAL
    assert abs(lp.objective - objective) < 1e-9
    assert np.allclose(cost @ lp.x, cost @ x)


def test_a_slim_relaxation_has_the_same_solution_with_terms_counted_by_their_other_half() -> None:
    x, y = np.random.default_rng(4).uniform(0, 1000, (2, 150))
    points = PlaneRows(x, y, np.ones(150), x, y, "floor")
    core = make_core(points.instance(np.full(150, 500.0), 9))
    master = Master(core, core.cap, Budget(Stop()))  # a poor guess of what matters
    while master.solve() is LpStatus.OPTIMAL and master.separate():
        pass
    value, below, rows = master.value, master.below.copy(), master.lp.n_rows
    master.slim()
    assert np.any(master.below != below)
    assert master.lp.n_rows < rows / 2
    before = master.lp.iterations
    assert master.solve() is LpStatus.OPTIMAL
    assert master.lp.iterations == before
    assert abs(master.value - value) < 1e-6 * value
    assert master.separate() == 0
