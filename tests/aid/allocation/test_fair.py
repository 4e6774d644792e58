"""The leximin point: against plain linear programmes solved level by level, and against random allocations."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from scipy.sparse import csc_array, hstack, vstack

from nearer.aid.allocation import fair
from nearer.aid.allocation.fair import Cuts, Delivery, fair_shares, water_level
from nearer.aid.allocation.journeys import Journeys, build_journeys
from nearer.aid.allocation.stages import base_prices, goals_of
from nearer.lp import Lp, LpStatus
from nearer.progress import Stop
from nearer.units import FloatArray

from .cases import random_case


def naive_leximin(journeys: Journeys) -> FloatArray:
    """Raise the lowest; fix each goal that nothing at this level raises further; repeat (Ogryczak et al. 2005)."""
    n, goals = journeys.n_columns, journeys.n_goals
    level = np.zeros(goals)
    free = set(np.flatnonzero(np.diff(journeys.start)).tolist())
    serve = csc_array((1 / journeys.asked[journeys.goal], (journeys.goal, np.arange(n))), shape=(goals, n))
    while free:
        rising = csc_array([[1.0 if g in free else 0.0] for g in range(goals)])
        rows = vstack([hstack([journeys.matrix, csc_array((journeys.n_rows, 1))]), hstack([-serve, rising])])
        most = hstack([serve, csc_array((goals, 1))])
        room = np.r_[journeys.room, np.where([g in free for g in range(goals)], 0.0, -level + 1e-9), np.ones(goals)]
        cost = np.r_[np.zeros(n), -1.0]
        z = -linprog(cost, A_ub=vstack([rows, most]), b_ub=room, bounds=(0, None)).fun
        for g in sorted(free):
            least = np.array([z if h in free else level[h] for h in range(goals)]) - 1e-9
            found = linprog(
                -serve[[g]].toarray()[0], A_ub=vstack([journeys.matrix, -serve, serve]),
                b_ub=np.r_[journeys.room, -least, np.ones(goals)], bounds=(0, None),
            )  # fmt: skip
            if -found.fun <= z + 1e-7:
                free.discard(g)
                level[g] = z
    return level


@pytest.mark.parametrize("seed", range(25))
def test_shares_are_those_of_linear_programmes_level_by_level(seed: int) -> None:
    case = random_case(seed)
    journeys = build_journeys(case)
    found = fair_shares(Delivery(goals_of(journeys), Stop()), base_prices(case, journeys))
    assert found.proven
    assert found.fill == pytest.approx(naive_leximin(journeys), abs=1e-6)


def test_the_interior_point_method_leads_to_the_same_shares(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where there are many columns and shares are far off; whether it was asked at all is counted."""
    asked = 0
    plain = Lp.solve_roughly

    def counted(self: Lp) -> LpStatus:
        nonlocal asked
        asked += 1
        return plain(self)

    monkeypatch.setattr(fair, "_MANY", 0)
    monkeypatch.setattr(fair, "_FAR", 0.0)
    monkeypatch.setattr(Lp, "solve_roughly", counted)
    for seed in range(8):
        case = random_case(seed)
        journeys = build_journeys(case)
        found = fair_shares(Delivery(goals_of(journeys), Stop()), [])
        assert found.proven
        assert found.fill == pytest.approx(naive_leximin(journeys), abs=1e-6)
    assert asked > 8


@settings(max_examples=80, deadline=None)
@given(seed=st.integers(0, 10**6), order=st.integers(0, 10**6))
def test_no_random_allocation_is_fairer_and_no_cut_cuts_one_off(seed: int, order: int) -> None:
    case = random_case(seed)
    journeys = build_journeys(case)
    found = fair_shares(Delivery(goals_of(journeys), Stop()), base_prices(case, journeys))
    rng = np.random.default_rng(order)
    x, left = np.zeros(journeys.n_columns), journeys.room.copy()
    open_goal = journeys.asked.copy()
    for j in np.tile(rng.permutation(journeys.n_columns), 2):
        span = slice(journeys.matrix.indptr[j], journeys.matrix.indptr[j + 1])
        row, use = journeys.matrix.indices[span], journeys.matrix.data[span]
        most = min([open_goal[journeys.goal[j]], *(max(0.0, v) for v in left[row[use > 0]] / use[use > 0])])
        much = float(rng.uniform(0, 1)) * most
        x[j] += much
        left[row] -= use * much
        open_goal[journeys.goal[j]] -= much
    fill = np.bincount(journeys.goal, weights=x, minlength=journeys.n_goals) / journeys.asked
    ours, theirs = np.sort(found.fill), np.sort(fill)
    apart = np.flatnonzero(np.abs(ours - theirs) > 1e-7)
    assert not len(apart) or ours[apart[0]] > theirs[apart[0]]
    for goal, weight, room in zip(found.cuts.goal, found.cuts.weight, found.cuts.room, strict=True):
        assert weight @ fill[goal] <= room + 1e-7 * max(1.0, room)


@pytest.mark.parametrize("seed", range(20))
def test_water_filling_is_the_naive_filling(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 8))
    cuts, most = Cuts(), rng.choice([0.0, 0.5, 1.0], n)
    for _ in range(int(rng.integers(0, 6))):
        goal = np.sort(rng.choice(n, int(rng.integers(1, n + 1)), replace=False))
        cuts.goal.append(goal)
        cuts.weight.append(rng.integers(1, 5, len(goal)).astype(float))
        cuts.room.append(float(rng.integers(0, 12)))
    level, held = water_level(cuts, most)
    # Raise all by small steps and stop whom a full cut stops.
    slow, step = np.zeros(n), 1e-4
    moving = np.ones(n, dtype=bool)
    while moving.any():
        moving &= slow + step <= most + 1e-12
        for goal, weight, room in zip(cuts.goal, cuts.weight, cuts.room, strict=True):
            if weight @ (slow + step * moving)[goal] > room + 1e-9:
                moving[goal] = False
        slow[moving] += step
    assert level == pytest.approx(slow, abs=2e-3)
    for g in range(n):
        if held[g] >= 0:
            c = held[g]
            assert g in cuts.goal[c]
            assert cuts.weight[c] @ level[cuts.goal[c]] == pytest.approx(cuts.room[c], abs=1e-9)
        else:
            assert level[g] == most[g]
