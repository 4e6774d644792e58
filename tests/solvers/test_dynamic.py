from __future__ import annotations

import pytest

from nearer.solvers import solve
from nearer.testing.rules import check_rules_solver


@pytest.mark.parametrize("seed", range(3))
def test_the_optimum_of_small_cases_is_found_and_called_so(seed: int) -> None:
    check_rules_solver(solve, n_cases=25, seed=200 + seed)
