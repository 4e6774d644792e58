"""The 0-1 knapsack Lagrangian, what it says of single decisions, and the tabu search, against plain twins."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from nearer.kernels import exchange, packing
from nearer.model import FREE, OPEN, Instance
from nearer.progress import Stop
from nearer.solvers import capacitated_packs as packs
from nearer.solvers.budget import Budget
from nearer.solvers.capacitated_core import CapacitatedCore, make_capacitated_core

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
