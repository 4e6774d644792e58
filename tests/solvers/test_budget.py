"""A search that fills the memory ends with the bound it has, and its proof holds."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from nearer.model import FREE, Instance, Status
from nearer.progress import Stop
from nearer.solvers import budget as budget_module
from nearer.solvers import solve
from nearer.solvers.budget import Budget
from nearer.testing import check_proof
from tests.solvers.instances import from_dense

GB = 10**9


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """A machine whose memory is told by the test, looked at each time."""
    told = {"held": GB, "free": 8 * GB}
    monkeypatch.setattr(budget_module, "_LOOK_S", 0.0)
    monkeypatch.setattr(budget_module, "held_bytes", lambda: told["held"])
    monkeypatch.setattr(budget_module, "free_bytes", lambda: told["free"])
    return told


def test_a_search_ends_when_it_has_filled_the_memory_but_for_its_proof(machine: dict[str, int]) -> None:
    budget, needed = Budget(Stop()), [0]
    budget.ahead = lambda: needed[0]
    assert not budget.exhausted()
    machine.update(held=3 * GB, free=GB)
    assert not budget.exhausted()
    needed[0] = 900_000_000
    assert budget.exhausted()
    assert budget.stop.full


def test_a_small_search_on_a_full_machine_goes_on(machine: dict[str, int]) -> None:
    machine["free"] = 0
    budget = Budget(Stop())
    assert not budget.exhausted()
    machine["held"] += 100_000_000
    assert not budget.exhausted()


def test_where_the_system_does_not_tell_a_search_goes_on(machine: dict[str, int]) -> None:
    budget = Budget(Stop())
    machine.update(held=None, free=None)  # type: ignore[arg-type]
    assert not budget.exhausted()


def test_what_comes_after_a_search_that_filled_the_memory_goes_on_and_is_told(machine: dict[str, int]) -> None:
    whole = Stop()
    budget = Budget(whole.within(None))
    budget.exhausted()
    machine.update(held=9 * GB, free=0)
    assert budget.exhausted()
    assert not whole()
    assert whole.full
    assert not Budget(whole.within(None)).exhausted()


def pairs(n: int, k: int) -> Instance:
    """Customers between any two of n sites, who pay 7 unless one of both is open: bounds are weak, trees large."""
    ends = list(itertools.combinations(range(n), 2))
    cost = np.full((len(ends), n), -1)
    for row, two in enumerate(ends):
        cost[row, list(two)] = 0
    weight = np.random.default_rng(1).integers(5, 9, len(ends)).astype(float)
    return from_dense(cost, weight, np.full(n, FREE, dtype=np.int8), k, 7.0)


def test_a_tree_that_fills_the_memory_ends_with_a_bound_that_its_proof_holds(
    machine: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    instance = pairs(14, 6)
    whole = solve(instance, gap=0.0)
    assert whole.status is Status.OPTIMAL
    assert whole.certificate is not None
    most = len(whole.certificate.multipliers)
    look = Budget._short

    def filling(budget: Budget) -> bool:
        """As the proof grows the process holds more, as if each row of it were large."""
        machine["held"] = GB + (0 if budget.ahead is None else 100_000 * budget.ahead())
        machine["free"] = max(0, 2 * GB - machine["held"])
        return look(budget)

    monkeypatch.setattr(Budget, "_short", filling)
    stop = Stop()
    solution = solve(instance, gap=0.0, stop=stop)
    assert stop.full
    assert solution.status is Status.FEASIBLE
    assert solution.bound < whole.bound <= solution.objective
    assert solution.certificate is not None
    assert 1 < len(solution.certificate.multipliers) < most
    check_proof(instance, solution)
