"""The p-median solver against enumeration, published optima and the independent checker."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from nearer.errors import UsageError
from nearer.model import FORBIDDEN, FREE, OPEN, Status
from nearer.model.check import check_solution
from nearer.progress import Stop
from nearer.solvers import pmedian, solve, tree
from nearer.solvers.elite import Elite
from nearer.solvers.pmedian import PMedianRun
from nearer.solvers.proof import ProofBuilder
from nearer.solvers.volume import Dual
from nearer.testing import brute_force, check_proof, check_solver
from nearer.units import IntArray

from .instances import from_dense


def test_the_contract_of_every_solver_is_kept() -> None:
    check_solver(solve, n_cases=300)


def grid(side: int, k: int, n_fixed: int, seed: int = 0, noise: int = 0):
    """People on a grid, sites at random crossings: many ties unless there is noise."""
    rng = np.random.default_rng(seed)
    x, y = (a.ravel() for a in np.meshgrid(np.arange(side), np.arange(side)))
    place = rng.choice(side * side, 3 * (k + n_fixed), replace=False)
    cost = 100 * (np.abs(x[:, None] - x[place]) + np.abs(y[:, None] - y[place]))
    cost = cost + rng.integers(0, noise + 1, cost.shape)
    standing = np.full(len(place), FREE, dtype=np.int8)
    standing[:n_fixed] = OPEN
    return from_dense(cost, rng.integers(1, 50, side * side).astype(float), standing, k, 100_000.0)


@pytest.mark.parametrize(("noise", "n_fixed"), [(0, 0), (0, 5), (60, 0), (60, 5)])
def test_a_town_is_proven_and_checked(noise: int, n_fixed: int) -> None:
    instance = grid(25, 8, n_fixed, noise=noise)
    solution = solve(instance, gap=0.0)
    assert solution.status is Status.OPTIMAL
    assert solution.bound == solution.objective  # whole costs and weights: the bound is whole too
    assert check_solution(instance, solution) == []
    check_proof(instance, solution)


def rings(n: int, size: int, k: int):
    """Rings of sites; each edge is a customer who pays 7 unless one end is open."""
    edge = np.arange(size)
    cost = np.full((n * size, n * size), -1)
    for ring in range(n):
        at = ring * size + edge
        cost[at, at] = cost[at, ring * size + (edge + 1) % size] = 0
    standing = np.full(n * size, FREE, dtype=np.int8)
    return from_dense(cost, np.ones(n * size), standing, k, 7.0)


def test_odd_rings_are_proven_by_cuts_without_a_tree() -> None:
    instance = rings(8, 5, 20)  # half of each ring is enough for the relaxation; three sites cover one ring
    solution = solve(instance, gap=0.0)
    assert (solution.status, solution.objective) == (Status.OPTIMAL, 28.0)
    assert len(solution.certificate.node_parent) == 1
    assert solution.certificate.cut
    assert check_solution(instance, solution) == []
    check_proof(instance, solution)


def test_trees_that_begin_anew_and_slim_relaxations_prove_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    instance = grid(25, 12, 0, seed=9)
    plain = solve(instance, gap=0.0)
    felled: list[int] = []
    fell = ProofBuilder.fell
    monkeypatch.setattr(ProofBuilder, "fell", lambda self, n: felled.append(n) or fell(self, n))
    for name, value in {"_MANY": 0.0, "_THICK": 0.0, "_SOME": 0, "_ROOT_TURNS": 0}.items():
        monkeypatch.setattr(tree, name, value)
    # Nothing but the first plan, so that the tree finds better ones.
    monkeypatch.setattr(PMedianRun, "improve_plan", lambda self, seen: None)
    monkeypatch.setattr(pmedian, "interchange", lambda core, plan, budget: plan)
    monkeypatch.setattr(tree.Tree, "polished", lambda self, plan: plan)
    monkeypatch.setattr(Elite, "settle", lambda self, y, rng, budget: None)
    monkeypatch.setattr(Elite, "afresh", lambda self, openness, rng, budget, work: None)
    monkeypatch.setattr(tree.Tree, "dive", lambda self, fixed: None)
    anew = solve(instance, gap=0.0)
    assert felled
    assert (anew.status, anew.objective) == (Status.OPTIMAL, plain.objective)
    check_proof(instance, anew)


def test_a_short_tree_without_cuts_and_the_one_with_cuts_after_it_prove_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    instance = grid(25, 12, 0, seed=9)
    monkeypatch.setattr(tree, "_ROOT_TURNS", 0)  # so that a tree is needed
    without = solve(instance, gap=0.0)
    assert len(without.certificate.node_parent) > 1
    cutting: list[bool] = []
    run = tree.Tree.run
    monkeypatch.setattr(tree.Tree, "run", lambda self: cutting.append(self.cutting) or run(self))
    monkeypatch.setattr(pmedian, "_TRIED", 1)
    after = solve(instance, gap=0.0)
    assert cutting == [False, True]
    assert (without.status, without.objective) == (after.status, after.objective)
    for solution in (without, after):
        assert solution.status is Status.OPTIMAL
        check_proof(instance, solution)


@pytest.mark.parametrize(("gap", "wanted"), [(0.0, True), (0.05, False)])
def test_plans_are_looked_for_elsewhere_unless_the_gap_asked_for_is_reached(
    gap: float, wanted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    instance = grid(25, 12, 0, seed=9)
    monkeypatch.setattr(pmedian, "_FAR", 1e-9)
    monkeypatch.setattr(pmedian, "_FEW_SITES", 0)
    searched: list[float] = []
    monkeypatch.setattr(Elite, "afresh", lambda self, openness, rng, budget, work: searched.append(work))
    solve(instance, gap=gap)
    assert bool(searched) is wanted


def test_threads_and_repetition_change_nothing() -> None:
    instance = grid(30, 12, 3, noise=20)
    first, second, third = (solve(instance, gap=0.0, seed=7, threads=t) for t in (1, 2, 1))
    for other in (second, third):
        assert np.array_equal(first.level, other.level)
        assert (first.objective, first.bound, first.work) == (other.objective, other.bound, other.work)
        assert np.array_equal(first.certificate.multipliers, other.certificate.multipliers)


def test_a_tree_that_ends_at_a_weaker_root_leaves_the_proof_of_what_was_known(monkeypatch: pytest.MonkeyPatch) -> None:
    instance, stop = grid(25, 12, 0, seed=9), Stop()
    monkeypatch.setattr(tree, "_ROOT_TURNS", 0)  # so that a tree is needed
    run, relax = tree.Tree.run, tree.Tree.relax

    def weaker(self: tree.Tree, fixed: IntArray, rounds: int) -> Dual:
        dual = relax(self, fixed, rounds)
        stop.cancel()
        return self.bound_at(0.9 * dual.lam, fixed)

    def run_weakly(self: tree.Tree) -> None:
        monkeypatch.setattr(tree.Tree, "relax", weaker)
        run(self)

    monkeypatch.setattr(tree.Tree, "run", run_weakly)
    solution = solve(instance, gap=0.0, stop=stop)
    assert solution.status is Status.FEASIBLE
    check_proof(instance, solution)


def test_a_work_limit_ends_at_the_same_point_with_a_plan_and_a_bound() -> None:
    instance = grid(30, 12, 3, noise=20)
    full = solve(instance, gap=0.0)
    runs = [solve(instance, gap=0.0, work_limit=full.work // 4) for _ in range(2)]
    assert runs[0].status in (Status.FEASIBLE, Status.OPTIMAL)
    assert runs[0].bound <= full.objective <= runs[0].objective
    assert check_solution(instance, runs[0]) == []
    assert (runs[0].objective, runs[0].bound) == (runs[1].objective, runs[1].bound)


def test_an_early_stop_still_has_a_plan_a_bound_and_no_claim_to_be_optimal() -> None:
    instance = grid(40, 15, 3, noise=90)
    stop = Stop()
    stop.cancel()
    solution = solve(instance, gap=0.0, stop=stop)
    assert solution.status is Status.FEASIBLE
    assert np.isfinite(solution.bound)
    assert solution.bound < solution.objective
    assert check_solution(instance, solution) == []
    check_proof(instance, solution)


def test_the_trace_only_improves() -> None:
    trace = solve(grid(30, 12, 3, noise=20), gap=0.0).trace
    values, bounds = [t.value for t in trace], [t.bound for t in trace]
    assert values == sorted(values, reverse=True)
    assert bounds == sorted(bounds)


def test_the_gap_asked_for_is_enough() -> None:
    instance = grid(40, 15, 3, noise=90)
    solution = solve(instance, gap=0.05)
    assert solution.status in (Status.GAP, Status.OPTIMAL)
    assert solution.gap <= 0.05


def test_the_last_plan_starts_the_next_run() -> None:
    instance = grid(30, 12, 3, noise=20)
    first = solve(instance, gap=0.0)
    chosen = np.flatnonzero(first.open_mask & instance.free_mask)
    again = solve(instance, gap=0.0, start=chosen)
    assert again.trace[0].value == first.objective


@pytest.mark.parametrize("k", [0, 1, 4])
def test_edges_none_one_all(k: int) -> None:
    cost = np.array([[0, 5, 9, 2], [5, 0, 3, 2], [9, 3, 0, 2]])
    instance = from_dense(cost, np.ones(3), np.zeros(4, dtype=np.int8), k, 50.0)
    solution = solve(instance, gap=0.0)
    assert solution.status is Status.OPTIMAL
    assert solution.objective == brute_force(instance)
    assert int(solution.open_mask.sum()) == k


def test_existing_sites_only_is_a_plan() -> None:
    cost = np.array([[1, 2], [4, 3]])
    instance = from_dense(cost, np.ones(2), np.array([OPEN, OPEN], dtype=np.int8), 0, 9.0)
    solution = solve(instance)
    assert solution.status is Status.OPTIMAL
    assert solution.objective == 4.0
    assert check_solution(instance, solution) == []
    check_proof(instance, solution)


def test_nobody_reaches_anything() -> None:
    instance = from_dense(np.full((3, 2), -1), np.ones(3), np.zeros(2, dtype=np.int8), 1, 7.0)
    solution = solve(instance)
    assert (solution.status, solution.objective) == (Status.OPTIMAL, 21.0)


def test_more_sites_than_there_are_is_infeasible() -> None:
    instance = from_dense(np.ones((2, 2)), np.ones(2), np.array([FREE, FORBIDDEN], dtype=np.int8), 2, 9.0)
    assert solve(instance).status is Status.INFEASIBLE


def test_at_most_p_opens_no_site_that_brings_nothing() -> None:
    cost = np.array([[1, 1, 1], [1, 1, 1]])
    instance = from_dense(cost, np.ones(2), np.zeros(3, dtype=np.int8), 3, 9.0, at_least=0)
    solution = solve(instance)
    assert int(solution.open_mask.sum()) == 1
    assert check_solution(instance, solution) == []
    check_proof(instance, solution)


def test_rows_that_must_be_served_need_full_rows() -> None:
    instance = from_dense(np.array([[1, -1], [-1, 1]]), np.ones(2), np.zeros(2, dtype=np.int8), 2)
    with pytest.raises(UsageError, match="out of reach"):
        solve(instance)


def pmed(path: Path) -> tuple[np.ndarray, int]:
    numbers = path.read_text().split()
    n, n_edges, p = map(int, numbers[:3])
    length = {}
    for a, b, c in np.array(numbers[3 : 3 + 3 * n_edges], dtype=int).reshape(-1, 3):
        length[min(a, b) - 1, max(a, b) - 1] = c  # the last value of a repeated edge holds
    ends = np.array(list(length))
    graph = csr_matrix((list(length.values()), (ends[:, 0], ends[:, 1])), shape=(n, n))
    return dijkstra(graph, directed=False).astype(np.int64), p


@pytest.mark.data
@pytest.mark.parametrize("name", ["pmed1", "pmed5", "pmed15", "pmed17", "pmed25", "pmed29"])
def test_published_optima_of_or_library_are_proven(data_dir: Path, name: str) -> None:
    folder = data_dir / "instances" / "pmed"
    with (folder / "optima.csv").open() as file:
        best = {row["instance"]: int(row["pmedian_opt"]) for row in csv.DictReader(file)}[name]
    cost, p = pmed(folder / f"{name}.txt")
    instance = from_dense(cost, np.ones(len(cost)), np.zeros(len(cost), dtype=np.int8), p)
    solution = solve(instance, gap=0.0, stop=Stop(60))
    assert solution.status is Status.OPTIMAL
    assert (solution.objective, solution.bound) == (best, best)
    assert check_solution(instance, solution) == []
    check_proof(instance, solution)
