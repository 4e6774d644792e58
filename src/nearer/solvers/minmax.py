"""
One plan for several scenarios: least worst regret, or least worst value, with a proven gap.

For a plan S let ``F_t(S) = scale_t · v_t(S) − offset_t`` in scenario t. For every choice of weights w ≥ 0 that add up
to one, ``min_S Σ_t w_t F_t(S)`` is a lower bound of ``min_S max_t F_t(S)``, and it is a p-median of all scenarios' rows
together, which the p-median engine bounds with a certificate of its own. Weights come from the matrix game between the
plans found so far and the scenarios (cutting planes on the concave bound); each p-median solved is a further plan.
What that leaves open on small problems, HiGHS closes on the compact model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from nearer.kernels import pmedian as kernels
from nearer.lp import Lp, LpStatus, MipProblem, solve_mip
from nearer.model import FORBIDDEN, FREE, OPEN, Certificate, Instance, Solution
from nearer.progress import Stop
from nearer.solvers.core import Core, make_core
from nearer.solvers.pmedian import solve_pmedian
from nearer.units import BoolArray, FloatArray, IntArray

_MIP_ENTRIES = 120_000  # of the compact model: above, HiGHS finds nothing in useful time
_ROUNDS = 60
_SWAPS = 400


@dataclass(frozen=True)
class Scenario:
    """
    One scenario.

    Parameters
    ----------
    ground
        Which of the grounds its rows lie on.
    weight
        Weight of each row of that ground, float64 (n_rows,).
    lost
        Free sites that cannot open in it, bool (n_sites,); its ground has no pairs of them.
    """

    ground: int
    weight: FloatArray
    lost: BoolArray


@dataclass(frozen=True)
class Robust:
    """
    A plan for all scenarios.

    Parameters
    ----------
    open_mask
        Its sites, bool (n_sites,).
    value, bound
        Its worst F, and what no plan betters.
    mix
        Weights of the scenarios that prove ``mix_bound``, float64 (n_scenarios,).
    mix_bound, certificate
        What the certificate proves of the scenarios so mixed.
    proof
        Who vouches for ``bound``: the certificate, or HiGHS.
    """

    open_mask: BoolArray
    value: float
    bound: float
    mix: FloatArray
    mix_bound: float
    certificate: Certificate | None
    proof: str


@dataclass(frozen=True)
class Scenarios:
    """
    Scenarios on one set of sites.

    Parameters
    ----------
    grounds
        Rows and pairs, one for each set of travel times and lost sites, all of the same sites and standing and with
        the same number to open; their own weights are not used.
    cases
        The scenarios.
    """

    grounds: tuple[Instance, ...]
    cases: tuple[Scenario, ...]

    def only(self, which: BoolArray) -> Scenarios:
        """Some of the scenarios, with the grounds that they need."""
        kept = [one for one, wanted in zip(self.cases, which, strict=True) if wanted]
        needed = sorted({one.ground for one in kept})
        return Scenarios(
            tuple(self.grounds[ground] for ground in needed),
            tuple(replace(one, ground=needed.index(one.ground)) for one in kept),
        )

    def alone(self, case: int) -> Instance:
        """The problem of one scenario by itself."""
        one = self.cases[case]
        ground = self.grounds[one.ground]
        standing = np.where(one.lost & (ground.standing == FREE), FORBIDDEN, ground.standing).astype(np.int8)
        left = int((standing == FREE).sum())
        number = np.minimum(ground.open_max, left)
        return replace(
            ground,
            weight=one.weight.reshape(1, -1),
            standing=standing,
            open_min=np.minimum(ground.open_min, number),
            open_max=number,
        )

    def value(self, case: int, open_mask: BoolArray) -> float:
        """What a plan costs in a scenario."""
        one = self.cases[case]
        ground = self.grounds[one.ground]
        return float((one.weight * cost_to_open(ground, open_mask)).sum())

    def values(self, open_mask: BoolArray) -> FloatArray:
        """What a plan costs in each scenario, float64 (n_scenarios,)."""
        costs = [cost_to_open(ground, open_mask) for ground in self.grounds]
        return np.array([float((one.weight * costs[one.ground]).sum()) for one in self.cases])

    def mixed(self, factor: FloatArray) -> Instance:
        """All grounds as one problem, each scenario's rows weighed by its factor, float64 (n_scenarios,)."""
        weights = [np.zeros(ground.n_rows) for ground in self.grounds]
        for one, times in zip(self.cases, factor, strict=True):
            weights[one.ground] += times * one.weight
        return stacked(self.grounds, weights)


def stacked(grounds: Sequence[Instance], weights: Sequence[FloatArray]) -> Instance:
    """Several sets of rows on the same sites as one problem."""
    if len(grounds) == 1:
        return replace(grounds[0], weight=weights[0].reshape(1, -1))
    starts = np.cumsum([0, *(len(ground.site_idx) for ground in grounds)])
    pointers = [ground.indptr[:-1] + start for ground, start in zip(grounds, starts[:-1], strict=True)]
    return replace(
        grounds[0],
        indptr=np.concatenate([*pointers, starts[-1:]]).astype(np.int64),
        site_idx=np.concatenate([ground.site_idx for ground in grounds]),
        cost=np.concatenate([np.asarray(ground.cost) for ground in grounds]),
        unserved=np.concatenate([ground.unserved for ground in grounds]),
        weight=np.concatenate(weights).reshape(1, -1),
        row_point=np.concatenate([ground.row_point for ground in grounds]),
        row_group=np.concatenate([ground.row_group for ground in grounds]),
    )


def cost_to_open(ground: Instance, open_mask: BoolArray) -> FloatArray:
    """Cost of each row per unit of weight, float64 (n_rows,)."""
    cost = np.asarray(ground.cost, dtype=np.float64)
    return np.asarray(kernels.costs(ground.indptr, ground.site_idx, cost, ground.unserved, open_mask))


def solve_robust(
    scenarios: Scenarios,
    scale: FloatArray,
    offset: FloatArray,
    pool: Sequence[BoolArray],
    *,
    gap: float = 1e-4,
    seed: int = 0,
    threads: int = 1,
    work_limit: int | None = None,
    stop: Stop | None = None,
) -> Robust:
    """
    Find the plan whose worst F is least.

    Parameters
    ----------
    scale, offset
        Of F, float64 (n_scenarios,).
    pool
        Plans to start from, at least one.
    gap
        Difference of value and bound that is good enough, in the unit of F.
    seed, threads, work_limit, stop
        Of each p-median, as in ``solve_pmedian``.
    """
    stop = stop or Stop()
    plans = list(pool)
    table = [scale * scenarios.values(plan) - offset for plan in plans]
    best = int(np.argmin([row.max() for row in table]))
    plan, value = plans[best], float(table[best].max())
    mix, mix_bound = np.full(len(scale), 1.0 / len(scale)), -np.inf
    certificate: Certificate | None = None
    warm: FloatArray | None = None
    for turn in range(_ROUNDS):
        game, weights = _game(np.array(table), stop)
        if weights is None or value - mix_bound <= gap or game - mix_bound <= 0.5 * gap:
            break
        if turn % 2 and np.isfinite(mix_bound):
            weights = 0.5 * (weights + mix)  # between the best so far and the next: fewer rounds
        answer = _mixed(scenarios, scale, weights, plan, warm, seed, threads, work_limit, stop)
        bound = answer.bound - float((weights * offset).sum())
        if isinstance(answer.certificate, Certificate):
            warm = answer.certificate.multipliers[-2:]
        if bound > mix_bound:
            mix, mix_bound = weights, bound
            certificate = answer.certificate if isinstance(answer.certificate, Certificate) else None
        row = scale * scenarios.values(answer.open_mask) - offset
        if any(np.array_equal(answer.open_mask, known) for known in plans) and turn % 2 == 0 and game - bound <= gap:
            break
        plans.append(answer.open_mask)
        table.append(row)
        if row.max() < value:
            plan, value = answer.open_mask, float(row.max())
        if stop():
            break
    plan, value = _swapped(scenarios, scale, offset, plan, value, plans, stop)
    if not np.isfinite(mix_bound):  # stopped before any: nobody's way is shorter than nothing
        mix_bound = -float((mix * offset).sum()) * (1 + 1e-12)
    bound, proof = mix_bound, "certificate"
    if value - mix_bound > gap and not stop():
        exact = _compact(scenarios, scale, offset, plan, value, gap, stop)
        if exact is not None:
            mask, found = exact
            if mask is not None and (worst := float((scale * scenarios.values(mask) - offset).max())) < value:
                plan, value = mask, worst
            if found > bound:
                bound, proof = found, "solver"
    return Robust(plan, value, min(bound, value), mix, mix_bound, certificate, proof)


def _game(table: FloatArray, stop: Stop) -> tuple[float, FloatArray | None]:
    """Weights that make the best of the plans known as bad as can be, and the value of that game."""
    n_plans, n = table.shape
    lp = Lp(stop)
    lp.add_columns(
        np.concatenate([np.zeros(n), [-1.0]]),
        np.concatenate([np.zeros(n), [-np.inf]]),
        np.concatenate([np.ones(n), [np.inf]]),
    )
    rows = np.column_stack([-table, np.ones(n_plans)])
    rows = np.vstack([rows, np.concatenate([np.ones(n), [0.0]])])
    upper = np.concatenate([np.zeros(n_plans), [1.0]])
    lower = np.concatenate([np.full(n_plans, -np.inf), [1.0]])
    pointers = np.arange(0, (n_plans + 2) * (n + 1), n + 1)
    lp.add_rows(lower, upper, pointers, np.tile(np.arange(n + 1), n_plans + 1), rows.ravel())
    if lp.solve() is not LpStatus.OPTIMAL:
        return np.inf, None
    weights = np.maximum(lp.x[:n], 0.0)
    return -lp.objective, weights / weights.sum()


def _mixed(
    scenarios: Scenarios,
    scale: FloatArray,
    weights: FloatArray,
    plan: BoolArray,
    warm: FloatArray | None,
    seed: int,
    threads: int,
    work_limit: int | None,
    stop: Stop,
) -> Solution:
    instance = scenarios.mixed(weights * scale)
    start = np.flatnonzero(plan & (instance.standing == FREE)).astype(np.int32)
    return solve_pmedian(
        instance,
        gap=1e-6,
        seed=seed,
        threads=threads,
        work_limit=work_limit,
        stop=stop,
        start=start,
        multipliers=warm,
    )


def _swapped(
    scenarios: Scenarios,
    scale: FloatArray,
    offset: FloatArray,
    plan: BoolArray,
    value: float,
    plans: Sequence[BoolArray],
    stop: Stop,
) -> tuple[BoolArray, float]:
    """Exchange sites that the plans do not agree on, as long as the worst scenario gains."""
    disputed = np.any(plans, axis=0) & ~np.all(plans, axis=0)
    tried = 0
    improved = True
    while improved and tried < _SWAPS and not stop():
        improved = False
        for out in np.flatnonzero(plan & disputed):
            for into in np.flatnonzero(disputed & ~plan):
                tried += 1
                if tried > _SWAPS or stop():
                    return plan, value
                other = plan.copy()
                other[out], other[into] = False, True
                worst = float((scale * scenarios.values(other) - offset).max())
                if worst < value - 1e-12 * abs(value):
                    plan, value, improved = other, worst, True
                    break
            if improved:
                break
    return plan, value


def _compact(
    scenarios: Scenarios, scale: FloatArray, offset: FloatArray, plan: BoolArray, value: float, gap: float, stop: Stop
) -> tuple[BoolArray | None, float] | None:
    """
    The whole problem for HiGHS: ``min z, z ≥ F_t``; None where it is too large.

    A row saves ``cap − cost`` at one open site at most: shares x ≤ y, Σ x ≤ 1 per row.
    """
    cores: list[Core] = []
    for ground in scenarios.grounds:
        cores.append(make_core(replace(ground, weight=np.ones((1, ground.n_rows)))))
    n_x = sum(core.nnz for core in cores)
    if n_x > _MIP_ENTRIES:
        return None
    free = np.flatnonzero(scenarios.grounds[0].standing == FREE)
    place = np.full(scenarios.grounds[0].n_sites, -1, dtype=np.int64)
    place[free] = np.arange(len(free))
    m = len(free)
    first_x = m + 1 + np.cumsum([0, *(core.nnz for core in cores)])
    n_columns = int(first_x[-1])
    lower_rows: list[float] = []
    upper_rows: list[float] = []
    parts: list[tuple[IntArray, FloatArray]] = []

    def add(columns: IntArray, values: FloatArray, low: float, high: float) -> None:
        parts.append((columns, values))
        lower_rows.append(low)
        upper_rows.append(high)

    ground0 = scenarios.grounds[0]
    add(np.arange(m), np.ones(m), float(ground0.open_min[0]), float(ground0.open_max[0]))
    closed = [cost_to_open(ground, np.asarray(ground.standing == OPEN)) for ground in scenarios.grounds]
    for one, times, less in zip(scenarios.cases, scale, offset, strict=True):
        core = cores[one.ground]
        entry_row = core.row[core.rows]
        saving = one.weight[entry_row] * (core.cap[core.rows] - core.val)
        columns = np.concatenate([[m], first_x[one.ground] + np.arange(core.nnz)])
        today = float((one.weight * closed[one.ground]).sum())
        add(columns, np.concatenate([[1.0], times * saving]), float(times * today - less), np.inf)
    for g, core in enumerate(cores):
        for row in range(core.n):
            at = np.arange(core.ptr[row], core.ptr[row + 1])
            add(first_x[g] + at, np.ones(len(at)), -np.inf, 1.0)
        site = place[core.site[core.col]]
        for entry in range(core.nnz):
            add(np.array([site[entry], first_x[g] + entry]), np.array([1.0, -1.0]), 0.0, np.inf)
    lengths = np.array([len(columns) for columns, _ in parts])
    problem = MipProblem(
        cost=np.eye(1, n_columns, m)[0],
        lower=np.concatenate([np.zeros(m), [-np.inf], np.zeros(n_columns - m - 1)]),
        upper=np.concatenate([np.ones(m), [np.inf], np.ones(n_columns - m - 1)]),
        integer=np.arange(n_columns) < m,
        row_lower=np.array(lower_rows),
        row_upper=np.array(upper_rows),
        indptr=np.concatenate([[0], np.cumsum(lengths)]),
        column=np.concatenate([columns for columns, _ in parts]).astype(np.int32),
        value=np.concatenate([values for _, values in parts]),
    )
    result = solve_mip(
        problem,
        lambda bound, nodes: stop(),
        remaining_s=stop.remaining_s,
        absolute_gap=0.5 * gap,
        relative_gap=1e-9,
        cutoff=value + gap,
    )
    mask: BoolArray | None = None
    if result.x is not None:
        mask = np.asarray(ground0.standing == OPEN)
        mask[free[result.x[:m] > 0.5]] = True
    # HiGHS's tolerances: what it calls a bound may be too high by a little
    return mask, min(result.bound, value + gap) - 1e-6 * max(1.0, abs(value))
