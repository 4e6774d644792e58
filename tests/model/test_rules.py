from __future__ import annotations

import math

import numpy as np
import pytest

from nearer.errors import CheckFailedError
from nearer.lp import MipStatus, solve_mip
from nearer.model import Instance, RulesCertificate, Solution, Status
from nearer.model.check import check_solution
from nearer.model.compact import compact_model
from nearer.model.evaluate_rules import rules_bound, rules_of
from nearer.testing.rules import brute_force_rules, rules_cases


def solved_compactly(instance: Instance) -> Solution:
    model = compact_model(instance)
    result = solve_mip(model.problem, lambda bound, nodes: False)
    if result.status is MipStatus.INFEASIBLE or result.x is None:
        level = np.full((instance.n_phases, instance.n_sites), -1, dtype=np.int16)
        none = np.zeros(0, dtype=np.int32)
        return Solution(Status.INFEASIBLE, level, none, none, np.zeros(0), math.inf, math.inf, "solver", None)
    phase, row, site, share = model.assignment(result.x)
    value = float(model.problem.cost @ result.x)
    return Solution(
        Status.OPTIMAL, model.levels(result.x), row, site, share, value, value, "solver", None, phase_idx=phase
    )


@pytest.mark.parametrize("seed", range(4))
def test_the_compact_model_finds_the_enumerated_optimum_and_the_checker_agrees(seed: int) -> None:
    for instance in rules_cases(25, seed):
        best = brute_force_rules(instance)
        solution = solved_compactly(instance)
        if math.isinf(best):
            assert solution.status is Status.INFEASIBLE
            continue
        assert solution.objective == pytest.approx(best, rel=1e-6, abs=1e-6)
        assert check_solution(instance, solution) == []


@pytest.mark.parametrize("seed", range(4))
def test_no_multipliers_prove_more_than_the_optimum(seed: int) -> None:
    rng = np.random.default_rng(seed)
    for instance in rules_cases(25, 100 + seed):
        rules, best = rules_of(instance), brute_force_rules(instance)
        for scale in (0.0, 5.0, 100.0):
            certificate = RulesCertificate(
                row_multiplier=rng.random(instance.weight.shape) * scale,
                side_multiplier=rng.normal(size=rules.n_sides) * scale,
                limit_multiplier=rng.random(len(rules.limits)) * scale / 10,
            )
            assert rules_bound(instance, certificate) <= best + 1e-9 * abs(best) + 1e-9


def test_multipliers_that_are_no_proof_are_refused() -> None:
    instance = next(one for one in rules_cases(200, 1) if rules_of(one).limits)
    rules = rules_of(instance)
    good = RulesCertificate(np.zeros(instance.weight.shape), np.zeros(rules.n_sides), np.zeros(len(rules.limits)))
    rules_bound(instance, good)
    for wrong in (
        RulesCertificate(good.row_multiplier[:, :-1], good.side_multiplier, good.limit_multiplier),
        RulesCertificate(good.row_multiplier, good.side_multiplier, good.limit_multiplier - 1.0),
        RulesCertificate(good.row_multiplier * np.nan, good.side_multiplier, good.limit_multiplier),
    ):
        with pytest.raises(CheckFailedError):
            rules_bound(instance, wrong)


def test_the_checker_names_each_broken_rule() -> None:
    for instance in rules_cases(60, 7):
        solution = solved_compactly(instance)
        if solution.status is not Status.OPTIMAL or not len(solution.row_idx):
            continue
        closed = np.full_like(solution.level, -1)
        broken = Solution(**(vars(solution) | {"level": closed}))
        assert check_solution(instance, broken)
        dearer = Solution(**(vars(solution) | {"objective": solution.objective + 1.0}))
        assert any("value" in sentence for sentence in check_solution(instance, dearer))
        twice = Solution(**(vars(solution) | {"share": solution.share * 2.5}))
        assert any("shares" in sentence or "share" in sentence for sentence in check_solution(instance, twice))
