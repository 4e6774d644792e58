"""The independent checker: what it accepts is true, and what is false it finds."""

from __future__ import annotations

import dataclasses
import itertools
import math
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nearer.errors import CheckFailedError
from nearer.model import FORBIDDEN, FREE, OPEN, Certificate, Instance, Solution, Status, single_phase
from nearer.model.check import certified_bound, check_solution, evaluate_certificate, recompute_value


def small() -> Instance:
    """Three people's points, site 0 open, sites 1 and 2 free, site 3 forbidden; open one."""
    return single_phase(
        indptr=np.array([0, 3, 5, 6]),
        site_idx=np.array([0, 1, 3, 1, 2, 2]),
        cost=np.array([5, 2, 1, 4, 3, 7], dtype=np.int32),
        weight=np.array([1.0, 2.0, 3.0]),
        unserved=np.array([10.0, 10.0, 10.0]),
        standing=np.array([OPEN, FREE, FREE, FORBIDDEN]),
        open_min=1,
        open_max=1,
    )


def solved(**changes: object) -> Solution:
    """Opening site 2 is best: 5 + 2·3 + 3·7 = 32, against 2 + 2·4 + 3·10 = 40."""
    solution = Solution(
        status=Status.OPTIMAL,
        level=np.array([[0, -1, 0, -1]], dtype=np.int16),
        row_idx=np.array([0, 1, 2]),
        assigned_idx=np.array([0, 2, 2]),
        share=np.ones(3),
        objective=32.0,
        bound=32.0,
        proof="certificate",
        certificate=Certificate.root_only(np.array([5.0, 10.0, 25.0])),
    )
    return dataclasses.replace(solution, **changes)


def brute_force(instance: Instance) -> float:
    free = np.flatnonzero(instance.standing == FREE)
    best = math.inf
    for k in range(int(instance.open_min[0]), int(instance.open_max[0]) + 1):
        for chosen in itertools.combinations(free, k):
            mask = instance.standing == OPEN
            mask[list(chosen)] = True
            best = min(best, recompute_value(instance, mask))
    return best


def test_value_is_each_row_at_its_cheapest() -> None:
    assert recompute_value(small(), np.array([True, False, True, False])) == 32.0
    assert recompute_value(small(), np.array([True, False, False, False])) == 5 + 20 + 30


def test_value_is_infinite_where_a_row_must_be_served_and_is_not() -> None:
    instance = dataclasses.replace(small(), unserved=np.array([10.0, 10.0, np.inf]))
    assert recompute_value(instance, np.array([True, True, False, False])) == math.inf


def test_a_right_solution_has_no_faults() -> None:
    assert check_solution(small(), solved()) == []


def test_bound_just_below_the_next_whole_value_is_optimal() -> None:
    assert check_solution(small(), solved(bound=31.5)) == []
    halves = dataclasses.replace(small(), weight=np.array([[1.0, 2.0, 3.5]]))
    assert "called optimal" in check_solution(halves, solved(objective=35.5, bound=35.0))[0]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"objective": 31.0, "bound": 31.0}, "the value is 32.0"),
        ({"bound": 33.0}, "lies above the value"),
        ({"bound": math.nan}, "lies above the value"),
        ({"bound": 30.0}, "called optimal"),
        ({"certificate": None}, "the proof is called"),
        ({"level": np.array([[0, -1, -1, -1]])}, "0 sites opened"),
        ({"level": np.array([[0, 0, 0, -1]])}, "2 sites opened"),
        ({"level": np.array([[-1, -1, 0, -1]])}, "stands open but is closed"),
        ({"level": np.array([[0, -1, 0, 0]])}, "may not open"),
        ({"level": np.array([[0, -1, 1, -1]])}, "level that does not exist"),
        ({"level": np.array([[0, -1, 0]])}, "levels have shape"),
        ({"assigned_idx": np.array([0, 2, 1])}, "cannot serve"),
        ({"assigned_idx": np.array([0, 1, 2])}, "not open"),
        ({"assigned_idx": np.array([0, 2, 9])}, "does not exist"),
        ({"share": np.array([1.0, 0.5, 1.0])}, "left unserved"),
        ({"share": np.array([1.0, 1.5, 1.0])}, "at most 1"),
        ({"share": np.ones(2)}, "differ in length"),
        (
            {"row_idx": np.array([0, 1, 1]), "share": np.array([1.0, 0.5, 0.5]), "assigned_idx": np.array([0, 2, 2])},
            "twice",
        ),
    ],
)
def test_each_broken_rule_is_named(changes: dict[str, object], words: str) -> None:
    assert any(words in fault for fault in check_solution(small(), solved(**changes)))


def test_people_sent_past_their_nearest_site_are_found() -> None:
    instance = dataclasses.replace(small(), open_max=np.array([2]))
    solution = solved(level=np.array([[0, 0, 0, -1]]), objective=2 + 6 + 21.0)  # row 0 still goes to site 0
    assert "people are sent farther than to their nearest open site" in check_solution(instance, solution)


def test_a_row_that_must_be_served_is_missed() -> None:
    instance = dataclasses.replace(small(), unserved=np.full(3, np.inf))
    solution = solved(row_idx=np.array([0, 1]), assigned_idx=np.array([0, 2]), share=np.ones(2))
    assert any("must be served" in fault for fault in check_solution(instance, solution))


def test_a_site_closed_in_a_later_phase_is_found() -> None:
    one = small()
    instance = dataclasses.replace(
        one, weight=np.vstack([one.weight, one.weight]), open_min=np.array([1, 1]), open_max=np.array([1, 2])
    )
    level = np.array([[0, 0, -1, -1], [0, -1, 0, -1]])
    faults = check_solution(instance, solved(level=level, objective=72.0, bound=72.0))
    assert faults == ["phase 1: a site that was open before is closed"]


def test_overfull_sites_are_found() -> None:
    capacity = np.full((4, 1, 1), np.inf)
    capacity[2] = 4.0
    faults = check_solution(dataclasses.replace(small(), capacity=capacity), solved())
    assert faults == ["a site serves more than its capacity"]


def test_root_certificate_proves_the_hand_computed_bound() -> None:
    # λ = (5, 10, 25): ρ1 = (2−5) + (8−10) = −5, ρ2 = (6−10) + (21−25) = −8, ρ0 = 0; 40 − 8 = 32
    assert evaluate_certificate(small(), solved().certificate) == 32.0


def test_nothing_is_proven_beyond_the_known_plan() -> None:
    assert evaluate_certificate(small(), solved().certificate, cutoff=31.0) == 31.0


def test_whole_values_are_raised_to_the_next_whole_number() -> None:
    certificate = Certificate.root_only(np.array([5.0, 10.0, 20.5]))  # ρ2 = −4, ρ1 = −5: 35.5 − 5 = 30.5
    assert 30.499 < evaluate_certificate(small(), certificate) <= 30.5
    assert certified_bound(small(), certificate) == 31.0


TREE = Certificate(
    multipliers=np.array([[5.0, 10.0, 25.0], [5.0, 8.0, 30.0]]),
    node_parent=np.array([-1, 0, 0]),
    node_site=np.array([-1, 1, 1]),
    node_value=np.array([-1, 0, 1]),
    node_multiplier=np.array([-1, 0, 1]),
    fix_node=np.array([], dtype=np.int32),
    fix_site=np.array([], dtype=np.int32),
    fix_value=np.array([], dtype=np.int32),
    fix_multiplier=np.array([], dtype=np.int32),
)


def test_tree_proves_its_weakest_leaf() -> None:
    # closed 1: 40 − 8 = 32; open 1 leaves nothing more to open: 43 + (2−5) + 0 = 40
    assert evaluate_certificate(small(), TREE) == 32.0


def test_opposites_of_fixings_count() -> None:
    fixed = dataclasses.replace(
        Certificate.root_only(np.array([5.0, 10.0, 25.0])),
        multipliers=np.array([[5.0, 10.0, 25.0], [5.0, 8.0, 10.0]]),
        fix_node=np.array([0]),
        fix_site=np.array([1]),
        fix_value=np.array([0]),
        fix_multiplier=np.array([1]),
    )
    # the opposite, site 1 open: 23 − 3 = 20 with the weak second row of multipliers
    assert evaluate_certificate(small(), fixed) == 20.0


def fixing(node: int, site: int, value: int, multiplier: int = 0) -> dict[str, object]:
    return {
        "fix_node": np.array([node]),
        "fix_site": np.array([site]),
        "fix_value": np.array([value]),
        "fix_multiplier": np.array([multiplier]),
    }


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"multipliers": np.zeros((2, 4))}, "do not fit"),
        ({"multipliers": np.full((2, 3), np.nan)}, "finite"),
        ({"node_parent": np.array([-1, 2, 0])}, "before its parent"),
        ({"node_parent": np.array([-1, 0, -1])}, "before its parent"),
        ({"node_parent": np.array([0, 0, 0])}, "no root"),
        ({"node_site": np.array([-1, 1, 2])}, "do not split"),
        ({"node_value": np.array([-1, 1, 1])}, "do not split"),
        ({"node_site": np.array([-1, 0, 0])}, "not free"),
        ({"node_site": np.array([-1, 3, 3])}, "not free"),
        ({"node_site": np.array([-1, 7, 7])}, "does not exist"),
        ({"node_value": np.array([-1, 0, 2])}, "neither open nor closed"),
        ({"node_multiplier": np.array([-1, 0, -1])}, "no multipliers"),
        ({"node_multiplier": np.array([-1, 0, 2])}, "no multipliers"),
        ({"node_multiplier": np.array([0, 0, 1])}, "of its own"),
        ({"node_parent": np.array([-1, 0])}, "differ in length"),
        ({"node_multiplier": np.array([[-1], [0], [1]])}, "differ in length"),
        (
            {
                "node_parent": np.array([-1, 0]),
                "node_site": np.array([-1, 1]),
                "node_value": np.array([-1, 0]),
                "node_multiplier": np.array([-1, 0]),
            },
            "do not split",
        ),
        (fixing(0, 1, 0), "second time"),
        (fixing(1, 1, 0), "second time"),
        (fixing(0, 0, 0), "not free"),
        (fixing(5, 2, 0), "a node that does not exist"),
        (fixing(0, 2, 0, 9), "multipliers that do not exist"),
    ],
)
def test_a_tree_that_leaves_plans_out_is_refused(changes: dict[str, object], words: str) -> None:
    with pytest.raises(CheckFailedError, match=words):
        evaluate_certificate(small(), dataclasses.replace(TREE, **changes))


def test_certificates_with_capacities_by_group_are_refused() -> None:
    instance = dataclasses.replace(small(), capacity=np.ones((4, 1, 2)))
    with pytest.raises(CheckFailedError, match="capacities"):
        evaluate_certificate(instance, TREE)


@st.composite
def instances(draw: st.DrawFn) -> Instance:
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n_rows, n_sites = draw(st.integers(1, 6)), draw(st.integers(1, 7))
    whole = draw(st.booleans())
    reach = rng.random((n_rows, n_sites)) < 0.7
    cost = rng.integers(0, 50, (n_rows, n_sites)) if whole else rng.random((n_rows, n_sites)) * 50
    standing = rng.choice([OPEN, FREE, FREE, FREE, FORBIDDEN], n_sites)
    n_free = int(np.count_nonzero(standing == FREE))
    low = draw(st.integers(0, n_free))
    high = draw(st.integers(low, n_free))
    return single_phase(
        indptr=np.concatenate([[0], np.cumsum(reach.sum(axis=1))]),
        site_idx=np.nonzero(reach)[1],
        cost=cost[reach],
        weight=rng.integers(0, 9, n_rows).astype(float) if whole else rng.random(n_rows) * 9,
        unserved=np.where(rng.random(n_rows) < 0.2, np.inf, 70.0),
        standing=standing,
        open_min=low,
        open_max=high,
    )


@st.composite
def certificates(draw: st.DrawFn, instance: Instance) -> Certificate:
    """Any multipliers over any proper tree with any fixings that do not contradict it."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n_multipliers = draw(st.integers(1, 3))
    multipliers = rng.normal(100.0, 150.0, (n_multipliers, instance.n_rows))
    if draw(st.booleans()):
        multipliers = np.round(multipliers)
    parent, site, value, leaf = [-1], [-1], [-1], [True]
    undecided = [set(np.flatnonzero(instance.standing == FREE).tolist())]
    fixes: list[tuple[int, int, int, int]] = []

    def fix(node: int) -> None:
        for chosen in sorted(undecided[node]):
            if rng.random() < 0.25:
                fixes.append((node, chosen, int(rng.integers(2)), int(rng.integers(n_multipliers))))
                undecided[node].discard(chosen)

    fix(0)
    for _ in range(draw(st.integers(0, 4))):
        open_nodes = [node for node in range(len(parent)) if leaf[node] and undecided[node]]
        if not open_nodes:
            break
        node = int(rng.choice(open_nodes))
        branch = int(rng.choice(sorted(undecided[node])))
        leaf[node] = False
        for side in (0, 1):
            parent.append(node)
            site.append(branch)
            value.append(side)
            leaf.append(True)
            undecided.append(undecided[node] - {branch})
            fix(len(parent) - 1)
    columns = np.array(fixes, dtype=np.int32).reshape(-1, 4).T
    return Certificate(
        multipliers,
        np.array(parent, dtype=np.int32),
        np.array(site, dtype=np.int32),
        np.array(value, dtype=np.int32),
        np.array([int(rng.integers(n_multipliers)) if is_leaf else -1 for is_leaf in leaf], dtype=np.int32),
        *columns,
    )


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_no_certificate_proves_more_than_the_true_optimum(data: st.DataObject) -> None:
    instance = data.draw(instances())
    certificate = data.draw(certificates(instance))
    best = brute_force(instance)
    assert evaluate_certificate(instance, certificate) <= best
    assert certified_bound(instance, certificate) <= best


def with_cuts(draw: st.DrawFn, instance: Instance, certificate: Certificate) -> Certificate:
    """A certificate to which any cuts at any prices are added; sets reach no farther than the nearest open site."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    row = np.repeat(np.arange(instance.n_rows), np.diff(instance.indptr))
    nearest = np.full(instance.n_rows, np.inf)
    stands = instance.standing[instance.site_idx] == OPEN
    np.minimum.at(nearest, row[stands], instance.cost[stands])
    able = (instance.cost <= np.minimum(nearest, instance.unserved)[row]) & (instance.weight[0][row] > 0)
    able &= instance.standing[instance.site_idx] != FORBIDDEN
    named = np.flatnonzero(able)
    if not len(named):
        return certificate
    sizes = rng.integers(1, 6, draw(st.integers(1, 4)))
    pair = rng.choice(named, int(sizes.sum()))
    n_takes = draw(st.integers(1, 5))
    return dataclasses.replace(
        certificate,
        cut_start=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32),
        cut_row=row[pair].astype(np.int32),
        cut_site=np.asarray(instance.site_idx)[pair].astype(np.int32),
        take_multiplier=rng.integers(0, len(certificate.multipliers), n_takes).astype(np.int32),
        take_cut=rng.integers(0, len(sizes), n_takes).astype(np.int32),
        take_amount=rng.uniform(0, 150, n_takes),
    )


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_no_cuts_prove_more_than_the_true_optimum(data: st.DataObject) -> None:
    instance = data.draw(instances())
    certificate = with_cuts(data.draw, instance, data.draw(certificates(instance)))
    assert evaluate_certificate(instance, certificate) <= brute_force(instance)


def pentagons() -> tuple[Instance, Certificate]:
    """Two rings of five sites; a customer on each edge costs 1 unless an end is open; five of ten sites open."""
    edge = np.arange(5)
    ends = np.concatenate([np.column_stack([edge, (edge + 1) % 5]), 5 + np.column_stack([edge, (edge + 1) % 5])])
    instance = single_phase(
        indptr=2 * np.arange(11),
        site_idx=np.sort(ends, axis=1).ravel(),
        cost=np.zeros(20, dtype=np.int64),
        weight=np.ones(10),
        unserved=np.ones(10),
        standing=np.full(10, FREE),
        open_min=5,
        open_max=5,
    )
    cuts = {
        "cut_start": np.array([0, 5, 10], dtype=np.int32),
        "cut_row": np.arange(10, dtype=np.int32),
        "cut_site": np.asarray(instance.site_idx)[1::2].astype(np.int32),
        "take_multiplier": np.array([0, 0], dtype=np.int32),
        "take_cut": np.array([0, 1], dtype=np.int32),
        "take_amount": np.ones(2),
    }
    return instance, dataclasses.replace(Certificate.root_only(np.zeros(10)), **cuts)


def test_odd_rings_are_proven_by_their_cuts() -> None:
    # No multipliers: each ring needs three open of five, so six are asked for where five open.
    instance, certificate = pentagons()
    assert evaluate_certificate(instance, certificate) == pytest.approx(1.0)
    assert brute_force(instance) == 1.0
    assert certified_bound(instance, certificate) == 1.0
    assert evaluate_certificate(instance, dataclasses.replace(certificate, take_amount=np.zeros(2))) <= 0.0


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("take_amount", [1.0, -1.0]),
        ("take_amount", [1.0, np.inf]),
        ("take_cut", [0, 2]),
        ("take_multiplier", [0, 1]),
        ("cut_row", [10] * 10),
        ("cut_site", [9] * 10),
        ("cut_start", [0, 5, 11]),
        ("cut_start", [0, 10, 10]),
    ],
)
def test_cuts_of_other_rows_and_sites_are_refused(name: str, values: list[float]) -> None:
    instance, certificate = pentagons()
    changed = np.array(values, dtype=np.float64 if name == "take_amount" else np.int32)
    with pytest.raises(CheckFailedError, match="cut"):
        evaluate_certificate(instance, dataclasses.replace(certificate, **{name: changed}))


def test_cuts_are_kept_in_the_file(tmp_path: Path) -> None:
    instance, certificate = pentagons()
    certificate.save(tmp_path / "proof.npz")
    kept = Certificate.load(tmp_path / "proof.npz")
    assert evaluate_certificate(instance, kept) == evaluate_certificate(instance, certificate)
    Certificate.root_only(np.zeros(10)).save(tmp_path / "plain.npz")
    with np.load(tmp_path / "plain.npz") as file:
        assert not [one for one in file.files if one.startswith(("cut_", "take_"))]


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_rows_cut_at_the_nearest_open_site_prove_the_same(data: st.DataObject) -> None:
    instance = data.draw(instances())
    certificate = data.draw(certificates(instance))
    rows = np.repeat(np.arange(instance.n_rows), np.diff(instance.indptr))
    nearest = np.full(instance.n_rows, np.inf)
    stands = instance.standing[instance.site_idx] == OPEN
    np.minimum.at(nearest, rows[stands], instance.cost[stands])
    keep = instance.cost <= nearest[rows]
    cut = dataclasses.replace(
        instance,
        indptr=np.concatenate([[0], np.cumsum(np.bincount(rows[keep], minlength=instance.n_rows))]),
        site_idx=instance.site_idx[keep],
        cost=instance.cost[keep],
    )
    assert evaluate_certificate(cut, certificate) == pytest.approx(
        evaluate_certificate(instance, certificate), rel=1e-12, abs=1e-9
    )


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_certificate_bound_is_rounded_down(data: st.DataObject) -> None:
    """Against the formula in exact arithmetic, without the lowering of multipliers."""
    instance = data.draw(instances())
    lam = data.draw(certificates(instance)).multipliers[0]
    must = np.isinf(instance.unserved)
    rho = [Fraction(0)] * instance.n_sites
    base = Fraction(0)
    stands = instance.standing == OPEN
    for i in range(instance.n_rows):
        w = Fraction(float(instance.weight[0, i]))
        pairs = range(int(instance.indptr[i]), int(instance.indptr[i + 1]))
        price = {int(instance.site_idx[p]): w * Fraction(float(instance.cost[p])) for p in pairs}
        ceilings = [price[j] for j in price if stands[j]]
        ceilings += [] if must[i] and w else [w * Fraction(0 if must[i] else float(instance.unserved[i]))]
        value = min([Fraction(float(lam[i])), *ceilings])
        base += value
        for j, cost in price.items():
            rho[j] += min(Fraction(0), cost - value)
    free = sorted(rho[j] for j in np.flatnonzero(instance.standing == FREE))
    exact = base + sum((rho[j] for j in np.flatnonzero(stands)), Fraction(0)) + sum(free[: int(instance.open_max[0])])
    exact = max(exact, Fraction(0))  # no cost is negative
    proven = evaluate_certificate(instance, Certificate.root_only(lam))
    assert Fraction(proven) <= exact
    assert float(exact) - proven <= 1e-9 * max(1.0, abs(float(exact)), float(np.abs(lam).sum()))
