"""The 0-1 knapsack Lagrangian, what it says of single decisions, and the tabu search, against plain twins."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from nearer.kernels import exchange, packing
from nearer.model import FREE, OPEN, Instance, Status
from nearer.progress import Stop
from nearer.solvers import capacitated_packs as packs
from nearer.solvers.budget import Budget
from nearer.solvers.capacitated import solve_capacitated
from nearer.solvers.capacitated_core import CapacitatedCore, make_capacitated_core
from nearer.solvers.capacitated_kicks import Kicks
from nearer.solvers.capacitated_plan import Plan, assign_whole, improve_whole, moved

from .test_capacitated import dense, random_case


def test_a_knapsack_is_packed_as_by_dynamic_programming() -> None:
    rng = np.random.default_rng(1)
    for _ in range(300):
        n, room = int(rng.integers(1, 14)), int(rng.integers(0, 30))
        gain, need = np.round(10 * rng.random(n), 3), rng.integers(0, 9, n).astype(np.float64)
        best = np.zeros(room + 1)
        for g, a in zip(gain, need.astype(int), strict=True):
            if a <= room:
                best[a:] = np.maximum(best[a:], best[: room + 1 - a] + g)
        packing.by_ratio(gain, need, n, np.arange(n))
        take, trial = np.zeros(n, dtype=bool), np.zeros(n, dtype=bool)
        value = packing.pack(gain, need, n, float(room), take, trial)
        assert value == pytest.approx(best[room])
        assert gain[take].sum() == pytest.approx(value)
        assert need[take].sum() <= room


def plans(instance: Instance) -> list[tuple[float, frozenset[int], tuple[int, ...]]]:
    """Every plan of a tiny instance: what it costs, its open sites, and the site of each row or -1."""
    matrix, n = dense(instance), instance.n_rows
    need = instance.weight[0] if instance.need is None else instance.need
    idle = np.where(np.isfinite(instance.unserved), instance.weight[0] * np.minimum(instance.unserved, 1e300), np.inf)
    standing = [int(j) for j in np.flatnonzero(instance.standing == OPEN)]
    free = [int(j) for j in np.flatnonzero(instance.standing == FREE)]
    out = []
    for k in range(int(instance.open_min[0]), int(instance.open_max[0]) + 1):
        for chosen in itertools.combinations(free, k):
            sites = sorted([*standing, *chosen])
            for where in itertools.product([-1, *sites], repeat=n):
                cost = sum(idle[i] if j < 0 else matrix[i, j] for i, j in enumerate(where))
                load = [sum(need[i] for i in range(n) if where[i] == j) for j in sites]
                if math.isfinite(cost) and all(
                    a <= instance.capacity[j, 0, 0] for a, j in zip(load, sites, strict=True)
                ):
                    out.append((cost + float(instance.price[sites].sum()), frozenset(sites), where))
    return out


def cases(count: int) -> list[tuple[CapacitatedCore, list[tuple[float, frozenset[int], tuple[int, ...]]]]]:
    """Cores of random instances with all their plans; where there are none they are left out."""
    rng = np.random.default_rng(3)
    out = []
    while len(out) < count:
        instance = random_case(rng, True)
        if instance.capacitated and instance.n_rows <= 4 and (known := plans(instance)):
            out.append((make_capacitated_core(instance), known))
    return out


def test_no_multipliers_bound_whole_rows_above_the_optimum() -> None:
    rng = np.random.default_rng(4)
    for core, known in cases(60):
        best = min(cost for cost, _, _ in known)
        for scale in (0.0, 1.0, 3.0):
            lam = scale * (1.0 + float(core.cval.max(initial=1.0))) * rng.random(core.n)
            for iterations in (0, 40):
                dual = packs.climb(core, lam, np.inf, Budget(Stop()), iterations)
                assert dual.bound <= best + 1e-9 * abs(best) + 1e-9


def test_what_a_pair_costs_is_never_overstated() -> None:
    slack = 1e-9
    for core, known in cases(60):
        dual = packs.climb(core, np.zeros(core.n), np.inf, Budget(Stop()), 40)
        for cutoff in (np.inf, min(cost for cost, _, _ in known) + 1.0):
            said = packs.look_ahead(core, dual, cutoff, Budget(Stop()))
            assert said is not None
            for k, j in enumerate(core.site.tolist()):
                with_it = min((c for c, sites, _ in known if j in sites), default=np.inf)
                without = min((c for c, sites, _ in known if j not in sites), default=np.inf)
                assert said.opened[k] <= with_it + slack * (1 + abs(with_it))
                assert said.closed[k] <= without + slack * (1 + abs(without))
            for e, (k, i) in enumerate(zip(core.entry_site.tolist(), core.crow.tolist(), strict=True)):
                j = int(core.site[k])
                used = min((c for c, _, where in known if where[i] == j), default=np.inf)
                other = min((c for c, _, where in known if where[i] != j), default=np.inf)
                assert said.within[e] <= used + slack * (1 + abs(used))
                assert said.without[e] <= other + slack * (1 + abs(other))


def test_a_tabu_search_keeps_rooms_and_says_what_its_plan_costs() -> None:
    rng = np.random.default_rng(6)
    ended = 0
    for _ in range(20):
        s, n = 3, 9
        value = rng.integers(1, 50, (s, n)).astype(np.float64)
        need = rng.integers(1, 9, n).astype(np.float64)
        room = np.full(s, np.ceil(1.15 * need.sum() / s))
        least = min(
            (
                float(value[list(where), range(n)].sum())
                for where in itertools.product(range(s), repeat=n)
                if np.all(np.bincount(where, weights=need, minlength=s) <= room)
            ),
            default=math.inf,
        )
        best = np.zeros(n, dtype=np.int32)
        start = np.argmin(value, axis=0).astype(np.int32)
        found = exchange.exchange_whole(start, value, need, room, 1.0, 500, best)
        assert found >= least
        if math.isfinite(found):
            assert value[best, np.arange(n)].sum() == pytest.approx(found)
            assert np.all(np.bincount(best, weights=need, minlength=s) <= room)
            assert found <= 1.1 * least
        ended += math.isfinite(found)
    assert ended >= 15  # although it begins with rooms that are too small


def medians(n: int, p: int, tight: float, seed: int) -> Instance:
    """Points at random, each a site and to be served whole, with rooms alike."""
    rng = np.random.default_rng(seed)
    xy, need = rng.integers(0, 100, (n, 2)), rng.integers(1, 10, n).astype(float)
    cost = np.floor(np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1))).astype(np.int64)
    order = np.argsort(cost, axis=1, kind="stable")
    return Instance(
        indptr=np.arange(0, n * n + 1, n),
        site_idx=order.ravel().astype(np.int32),
        cost=np.take_along_axis(cost, order, axis=1).ravel(),
        unserved=np.full(n, np.inf),
        weight=np.ones((1, n)),
        standing=np.full(n, FREE, dtype=np.int8),
        open_min=np.array([p], dtype=np.int64),
        open_max=np.array([p], dtype=np.int64),
        capacity=np.full((n, 1, 1), np.ceil(need.sum() / p / tight)),
        row_point=np.arange(n, dtype=np.int32),
        row_group=np.zeros(n, dtype=np.int32),
        need=need,
        single_source=True,
    )


def checked(core: CapacitatedCore, plan: Plan) -> float:
    """What a plan costs, written out, once it is seen to keep every rule."""
    assert np.array_equal(np.sort(plan.row), np.arange(core.n))
    assert core.k_min <= plan.open_mask.sum() <= core.k_max
    assert plan.open_mask[plan.site].all()
    assert np.all(np.bincount(plan.site, weights=core.need[plan.row], minlength=core.m) <= core.room)
    value = core.dense(np.arange(core.m))
    return float(value[plan.site, plan.row].sum() + core.price[plan.open_mask].sum())


def test_sites_move_to_the_middle_of_what_they_serve() -> None:
    core = make_capacitated_core(medians(30, 4, 0.7, 1))
    open_mask = np.zeros(30, dtype=bool)
    open_mask[:4] = True
    plan = assign_whole(core, open_mask, np.zeros(30)).plan
    assert plan is not None
    better = moved(core, plan)
    assert better is not None
    assert checked(core, better) == pytest.approx(better.value)
    assert better.value < plan.value
    value = core.dense(np.arange(30))
    for j in np.flatnonzero(better.open_mask):
        own = value[:, better.row[better.site == j]].sum(axis=1)
        assert own[j] == own[~better.open_mask | (np.arange(30) == j)].min()
    assert moved(core, better) is None


def test_kicks_keep_every_rule_and_come_near_the_optimum() -> None:
    for seed in range(2):
        instance = medians(24, 4, 0.9, seed)
        best = solve_capacitated(instance, gap=0.0)
        assert best.status is Status.OPTIMAL
        core = make_capacitated_core(instance)
        open_mask = np.zeros(24, dtype=bool)
        open_mask[:4] = True
        start = improve_whole(core, open_mask, np.zeros(24), None).plan
        assert start is not None
        assert start.value > 1.05 * best.objective
        assert Kicks.suits(core)
        kicked = Kicks(core, seed).run(start, Budget(Stop()), 30_000_000)
        assert checked(core, kicked) == pytest.approx(kicked.value)
        assert best.objective <= kicked.value <= 1.02 * best.objective


def test_many_medians_with_little_room_come_near_their_bound() -> None:
    instance = medians(60, 20, 0.8, 7)
    solution = solve_capacitated(instance, gap=0.0, work_limit=500_000_000)
    again = solve_capacitated(instance, gap=0.0, work_limit=500_000_000)
    assert solution.objective <= 1.05 * solution.bound
    assert (again.objective, again.bound) == (solution.objective, solution.bound)
