"""The p-center of points against enumeration and the solver on all pairs; its proofs against forgeries."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp

from nearer.errors import CheckFailedError
from nearer.inputs.benchmarks import read_tsplib
from nearer.kernels.farthest import outer_points
from nearer.model import Status
from nearer.model.center_plane import CenterPoints
from nearer.model.certificate import CenterProof, load_proof
from nearer.model.check_plane import certified_center
from nearer.model.plane import ROUND
from nearer.progress import Stop
from nearer.solvers.budget import Budget
from nearer.solvers.center_plane import reach_below, solve_center, squared_reach
from nearer.solvers.center_relaxation import CenterRelaxation, by_cells
from nearer.solvers.center_tree import LensSearch


def random_points(rng: np.random.Generator, n: int, m: int) -> CenterPoints:
    """Small whole coordinates, so that there are ties and points on each other; at times every point is a site."""
    top = int(rng.choice([2, 12, 300]))
    x, y = rng.integers(0, top, (2, n)).astype(np.float64)
    site_x, site_y = (x, y) if rng.random() < 0.5 else rng.integers(0, top, (2, m)).astype(np.float64)
    rounding = str(rng.choice(["floor", "round", "ceil", "exact"]))
    return CenterPoints(x, y, site_x, site_y, ROUND[rounding], rounding != "exact")  # type: ignore[index]


def enumerated(points: CenterPoints, p: int) -> float:
    return min(float(points.distances(np.array(some)).max()) for some in combinations(range(points.n_sites), p))


@pytest.mark.parametrize("seed", range(3))
def test_small_problems_are_solved_as_by_enumeration_and_proven(seed: int) -> None:
    rng = np.random.default_rng(seed)
    for _ in range(12):
        points = random_points(rng, int(rng.integers(1, 14)), int(rng.integers(1, 9)))
        p = int(rng.integers(1, min(4, points.n_sites) + 1))
        best = enumerated(points, p)
        solution, proof = solve_center(points, p)
        assert solution.status is Status.OPTIMAL
        assert solution.objective == best
        assert abs(solution.bound - best) <= 1e-9 * best
        assert int(solution.open_mask.sum()) == p
        assert float(points.distances(np.flatnonzero(solution.open_mask)).max()) == best
        proven = 0.0 if proof is None else certified_center(points, p, proof, best)
        assert proven == solution.bound
        stopped = Stop()
        stopped.cancel()
        early, proof = solve_center(points, p, stop=stopped)
        assert early.bound <= best <= early.objective
        assert proof is None or certified_center(points, p, proof) == early.bound


@pytest.fixture(scope="module")
def solved() -> tuple[CenterPoints, int, float, CenterProof]:
    rng = np.random.default_rng(1)
    x, y = rng.uniform(0, 1000, (2, 400))
    points = CenterPoints(x, y, x, y, np.floor, True)
    solution, proof = solve_center(points, 16)
    assert solution.status is Status.OPTIMAL
    assert proof is not None
    assert len(proof.node_parent) > 4
    return points, 16, solution.objective, proof


def test_a_proof_survives_its_file_and_holds_for_no_more_sites(
    solved: tuple[CenterPoints, int, float, CenterProof], tmp_path: Path
) -> None:
    points, p, value, proof = solved
    proof.save(tmp_path / "proof.npz")
    again = load_proof(tmp_path / "proof.npz")
    assert isinstance(again, CenterProof)
    assert certified_center(points, p, again) == value
    with pytest.raises(CheckFailedError, match="does not prove"):
        certified_center(points, p + 1, again)


def test_forged_proofs_are_refused(solved: tuple[CenterPoints, int, float, CenterProof]) -> None:
    points, p, value, proof = solved
    first = proof.node_pair[1]
    flat = proof.pair.copy()
    flat[first] = flat[first, 0]
    longer, more = proof.node_value.copy(), proof.take_amount.copy()
    longer[1] = longer[2] = 0
    more[proof.multiplier_start[-2] :] *= 1.1
    forged = (
        replace(proof, threshold=value + 1),  # its plan stays below
        replace(proof, pair=proof.pair + points.n_rows),
        replace(proof, pair=flat),  # no longer the lens that it was
        replace(proof, node_value=longer),  # leaves plans out
        replace(proof, take_amount=more),
        replace(proof, take_amount=-proof.take_amount),
        replace(proof, take_pair=np.full_like(proof.take_pair, first)),  # of a lens, elsewhere too
        replace(proof, node_parent=np.roll(proof.node_parent, 1)),
        replace(proof, multiplier_node=np.zeros_like(proof.multiplier_node)),  # leaves without multipliers
        replace(proof, multiplier_start=proof.multiplier_start[:-1]),
        replace(proof, multiplier_node=proof.multiplier_node[:0], multiplier_start=proof.multiplier_start[:1]),
    )
    for one in forged:
        with pytest.raises(CheckFailedError):
            certified_center(points, p, one)


def fewest(points: CenterPoints, threshold: float) -> int:
    """Sites that serve all below a threshold, by HiGHS."""
    apart = np.hypot(points.x[:, None] - points.site_x, points.y[:, None] - points.site_y)
    within = LinearConstraint((points.rounded(apart) < threshold).astype(float), lb=1)
    return round(milp(np.ones(points.n_sites), constraints=within, integrality=1, bounds=Bounds(0, 1)).fun)


def searched(points: CenterPoints, threshold: float, p: int) -> tuple[LensSearch, bool | None]:
    """Of points that are in the order of their cells."""
    _, (rows, _), (sites, _) = by_cells(points)
    relaxation = CenterRelaxation(points, rows, sites, p, Budget(Stop()), 1)
    relaxation.row = relaxation.site = np.arange(2)
    search = LensSearch(relaxation, squared_reach(reach_below(points.rounded, threshold)), Budget(Stop()))
    return search, search.too_few()


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_the_tree_finds_a_cover_where_there_is_one_and_a_proof_where_there_is_none(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(0, 100, (2, int(rng.integers(20, 150))))
    points, _, _ = by_cells(CenterPoints(x, y, x, y, np.floor, True))
    solution, _ = solve_center(points, int(rng.integers(4, 16)))
    threshold = solution.objective
    least = fewest(points, threshold)
    assert int(solution.open_mask.sum()) < least
    search, too_few = searched(points, threshold, least - 1)
    assert too_few
    assert certified_center(points, least - 1, search.tree.proof(threshold)) == threshold
    with pytest.raises(CheckFailedError):
        certified_center(points, least, search.tree.proof(threshold))
    search, too_few = searched(points, threshold, least)
    assert too_few is False
    assert search.plan is not None
    assert len(search.plan) <= least
    assert points.distances(search.plan).max() < threshold


@pytest.mark.parametrize("rounding", ["floor", "round", "ceil", "exact"])
def test_the_reach_is_the_last_distance_that_rounds_below(rounding: str) -> None:
    rounded = ROUND[rounding]  # type: ignore[index]
    for threshold in (1e-9, 1.0, 7.0, 7.25, 103_671.0):
        reach = reach_below(rounded, threshold)
        assert rounded(np.array([np.nextafter(reach, np.inf)]))[0] >= threshold
        assert reach < 0 or rounded(np.array([reach]))[0] < threshold
    assert reach_below(rounded, 0.0) == -1.0


def test_the_squared_reach_is_the_last_one_whose_root_is_within() -> None:
    for reach in (0.0, 1e-9, 1.0, np.sqrt(2.0), 0.1, 7.3, 103_670.99999999999):
        squared = squared_reach(float(reach))
        assert np.sqrt(squared) <= reach < np.sqrt(np.nextafter(squared, np.inf))


def test_the_outer_points_are_the_farthest_of_each_site_in_each_sector() -> None:
    rng = np.random.default_rng(4)
    x, y = rng.uniform(-50, 50, (2, 300))
    site_x, site_y = rng.uniform(-50, 50, (2, 4))
    x[0], y[0] = site_x[2], site_y[2]  # a point on its site
    whose = rng.integers(0, 3, 300)  # the last site has none
    outer = outer_points(x, y, site_x, site_y, whose, 8)
    assert (outer[3] == -1).all()
    for k in range(3):
        mine = np.flatnonzero(whose == k)
        far = np.hypot(x[mine] - site_x[k], y[mine] - site_y[k])
        sector = np.floor((np.arctan2(y[mine] - site_y[k], x[mine] - site_x[k]) / (2 * np.pi) + 0.5) * 8).astype(int)
        for s in range(8):
            inside = np.minimum(sector, 7) == s
            assert outer[k, s] == (mine[inside][np.argmax(far[inside])] if inside.any() else -1)


def test_a_search_among_many_points_goes_on_until_its_plan_holds_for_all() -> None:
    """A round passes over all points; where these passes counted as search, it ended on half a plan, at 3281."""
    x, y = np.random.default_rng(2026).uniform(0, 10_000, (2, 300_000))
    points = CenterPoints(x, y, x, y, np.asarray, False)
    solution, _ = solve_center(points, 5, work_limit=400_000_000)
    assert solution.objective < 3280


def test_the_threads_do_not_change_the_answer() -> None:
    x, y = np.random.default_rng(3).uniform(0, 1000, (2, 120_000))
    points = CenterPoints(x, y, x, y, np.floor, True)
    one, two = (solve_center(points, 4, gap=0.2, work_limit=400_000_000, threads=threads) for threads in (1, 2))
    assert one[0].objective == two[0].objective
    assert one[0].work == two[0].work
    assert one[1] is not None
    assert two[1] is not None
    assert np.array_equal(one[1].take_amount, two[1].take_amount)
    assert certified_center(points, 4, one[1]) == one[0].bound > 0.8 * one[0].objective


def test_the_published_optimum_of_u1060_is_proven(data_dir: Path) -> None:
    """Published as 2273.08, with distances that are not rounded; here they are rounded down."""
    read = read_tsplib(data_dir / "instances" / "tsplib" / "u1060.tsp")
    points = CenterPoints(read.x, read.y, read.x, read.y, np.floor, True)
    solution, proof = solve_center(points, 10)
    assert proof is not None
    assert certified_center(points, 10, proof, solution.objective) == solution.objective == 2273.0
