"""Aims in order, alone and together, with rules, against every choice of sites."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from nearer.errors import InfeasibleError
from nearer.model import FREE, OPEN, Instance, single_phase
from nearer.model.aims import Aim, coverage, equal, times_to_open, travel
from nearer.progress import Stop
from nearer.solvers.ordered import solve_ordered
from nearer.solvers.turns import Answer, Question, Share

LIMIT, UNREACHED, NEAR = 30, 60, 12
Masks = list[np.ndarray]


def town(seed: int, *, whole: bool = True) -> tuple[Instance, np.ndarray]:
    """A small town of times with ties and islands; people may weigh nothing."""
    rng = np.random.default_rng(seed)
    n, m = int(rng.integers(3, 14)), int(rng.integers(3, 9))
    minutes = rng.integers(0, 45, (n, m))
    if seed % 3 == 0:
        minutes[0] = 99  # nobody reaches it
    rows, sites = np.nonzero(minutes <= LIMIT)
    weight = rng.integers(0, 50, n).astype(float) if whole else rng.random(n) * 50
    people = np.maximum(weight, 1.0)
    standing = np.where(rng.random(m) < 0.2, OPEN, FREE).astype(np.int8)
    k = int(rng.integers(0, min(4, int((standing == FREE).sum())) + 1))
    return single_phase(
        np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=n))]),
        sites,
        minutes[rows, sites],
        weight,
        np.full(n, float(UNREACHED)),
        standing,
        k if seed % 2 else 0,
        k,
    ), people


def cut(times: Instance) -> Instance:
    """Without the sites that are no nearer than one that stands open."""
    rows = np.repeat(np.arange(times.n_rows), np.diff(times.indptr))
    nearest = times_to_open(times, times.standing == OPEN)
    first = np.zeros(len(rows), dtype=bool)
    at = np.flatnonzero(times.standing[times.site_idx] == OPEN)
    first[at[np.unique(rows[at], return_index=True)[1]]] = True
    keep = first | ((times.standing[times.site_idx] == FREE) & (times.cost < nearest[rows]))
    return replace(
        times,
        indptr=np.concatenate([[0], np.cumsum(np.bincount(rows[keep], minlength=times.n_rows))]),
        site_idx=times.site_idx[keep],
        cost=times.cost[keep],
    )


def plans(times: Instance) -> Iterator[np.ndarray]:
    for k in range(int(times.open_min[0]), int(times.open_max[0]) + 1):
        for chosen in combinations(np.flatnonzero(times.standing == FREE), k):
            mask = times.standing == OPEN
            mask[list(chosen)] = True
            yield mask


def aims(times: Instance, kappa: float = 3000.0) -> dict[str, Aim]:
    # minutes stand for milliseconds here, so that κ per "minute" of 60,000 is κ / 60,000 each
    weight = times.weight[0]
    return {
        "travel": travel(weight, UNREACHED),
        "coverage": coverage(weight, NEAR, NEAR),
        "decay": replace(coverage(weight, 6, 18), name="coverage"),
        "equal": equal(weight, kappa, UNREACHED, UNREACHED),
    }


def minutes(times: Instance, mask: np.ndarray, people: np.ndarray) -> np.ndarray:
    """Naive: per row, over open sites."""
    found = np.full(times.n_rows, np.inf)
    for i in range(times.n_rows):
        for at in range(times.indptr[i], times.indptr[i + 1]):
            if mask[times.site_idx[at]]:
                found[i] = min(found[i], float(times.cost[at]))
    return found


def value(name: str, times: Instance, people: np.ndarray, mask: np.ndarray) -> float:
    """The value by definition; larger is worse."""
    t, w = minutes(times, mask, people), times.weight[0]
    counted = np.minimum(t, UNREACHED)
    match name:
        case "travel":
            return float((w * counted).sum()) / 60_000
        case "coverage":
            return -float(w[t <= NEAR].sum())
        case "decay":
            return -float((w * np.clip((18 - counted) / 12, 0, 1)).sum())
        case "equal":
            kappa = 3000.0 / 60_000
            return math.log(float((w / w.sum() * np.exp(kappa * counted)).sum())) / kappa / 60_000 if w.sum() else 0.0
        case "unreached":
            return float(people[np.isinf(t)].sum())
        case "farthest":
            return float(t[np.isfinite(t)].max(initial=0.0)) / 60_000
    raise AssertionError(name)


def in_order(
    times: Instance, people: np.ndarray, names: list[str], tolerances: list[float], rule: Callable[[np.ndarray], bool]
) -> list[float] | None:
    """Best value of each turn, by enumeration."""
    left = [mask for mask in plans(times) if rule(mask)]
    best = []
    for name, tolerance in zip(names, tolerances, strict=True):
        if not left:
            return None
        if name == "farthest":
            fewest = min(value("unreached", times, people, mask) for mask in left)
            left = [mask for mask in left if value("unreached", times, people, mask) <= fewest + 1e-9]
        values = [value(name, times, people, mask) for mask in left]
        best.append(min(values))
        most = best[-1] + tolerance * abs(best[-1])
        left = [mask for mask, v in zip(left, values, strict=True) if v <= most + 1e-9 * max(1.0, abs(most))]
    return best


def ask(times: Instance, people: np.ndarray, names: list[str], tolerances: list[float], **more: object) -> Answer:
    known = aims(times)
    turns = tuple(name if name == "farthest" else known[name] for name in names)
    return solve_ordered(Question(times, people, LIMIT, turns, tuple(tolerances), **more), gap=0.0)  # type: ignore[arg-type]


ORDERS = [
    ["coverage"], ["decay"], ["equal"], ["farthest"], ["travel"], ["coverage", "travel"], ["travel", "coverage"],
    ["farthest", "travel"], ["coverage", "farthest"], ["equal", "farthest", "travel"], ["decay", "travel"],
    ["coverage", "farthest", "travel"],
]  # fmt: skip


@pytest.mark.parametrize("names", ORDERS, ids="-".join)
@pytest.mark.parametrize("tolerance", [0.0, 0.1])
def test_each_turn_is_the_best_of_all_choices_within_what_earlier_turns_keep(
    names: list[str], tolerance: float
) -> None:
    for seed in range(12):
        times, people = town(seed, whole=seed % 4 != 1)
        tolerances = [tolerance] * len(names)
        wanted = in_order(times, people, names, tolerances, lambda mask: True)
        assert wanted is not None
        answers = [ask(rows, people, names, tolerances) for rows in (times, cut(times))]
        for answer in answers:
            asked = [turn for turn in answer.turns if turn.asked]
            for turn, best in zip(asked, wanted, strict=True):
                sign = -1 if turn.maximise else 1
                assert sign * turn.found == pytest.approx(best, rel=1e-7, abs=1e-9), (seed, turn.name)
                assert sign * turn.bound <= best + 1e-7 * abs(best) + 1e-12, (seed, turn.name)
                assert turn.optimal, (seed, turn.name, turn.found, turn.bound)


def test_a_stopped_run_has_a_plan_and_valid_bounds() -> None:
    for seed in range(8):
        times, people = town(seed)
        known = aims(times)
        stop = Stop()
        stop.cancel()
        for names in (["coverage", "travel"], ["equal"], ["farthest"]):
            wanted = in_order(times, people, names, [0.0] * len(names), lambda mask: True)
            turns = tuple(name if name == "farthest" else known[name] for name in names)
            answer = solve_ordered(Question(times, people, LIMIT, turns, (0.0,) * len(names)), stop=stop)
            first = next(turn for turn in answer.turns if turn.asked)
            sign = -1 if first.maximise else 1
            assert wanted is not None
            if answer.turns[0].asked:  # later turns are bounded given what the earlier ones reached
                assert sign * first.bound <= wanted[0] + 1e-9 <= sign * first.found + 2e-9


def test_everyone_within_is_kept_or_refused_with_the_number_it_takes() -> None:
    kept = refused = 0
    for seed in range(24):
        times, people = town(seed)
        reachable = minutes(times, np.ones(times.n_sites, dtype=bool), people) <= NEAR

        def rule(
            mask: np.ndarray, times: Instance = times, people: np.ndarray = people, reachable: np.ndarray = reachable
        ) -> bool:
            return bool(np.all(minutes(times, mask, people)[reachable] <= NEAR))

        wanted = in_order(times, people, ["travel"], [0.0], rule)
        if wanted is None:
            refused += 1
            needed = next(
                k
                for k in range(times.n_sites + 1)
                if any(rule(mask) for mask in plans(replace(times, open_min=np.array([k]), open_max=np.array([k]))))
            )
            with pytest.raises(InfeasibleError, match=f"at least {needed} are needed"):
                ask(times, people, ["travel"], [0.0], everyone_ms=NEAR)
            continue
        kept += 1
        answer = ask(times, people, ["travel"], [0.0], everyone_ms=NEAR)
        assert rule(answer.open_mask)
        assert answer.turns[0].found == pytest.approx(wanted[0], rel=1e-9, abs=1e-12)
        assert answer.turns[0].optimal
        assert answer.turns[0].proof == "certificate"
    assert kept > 3
    assert refused > 3


@pytest.mark.parametrize("priced", [False, True])
def test_the_fewest_or_cheapest_sites_that_put_a_share_within_reach(priced: bool) -> None:
    solved = 0
    for seed in range(24):
        times, people = town(seed)
        times = replace(times, open_min=np.array([0]), open_max=np.array([int(times.free_mask.sum())]))
        price = np.random.default_rng(seed).integers(1, 9, times.n_sites).astype(float) if priced else None
        share = 0.6
        costs = [
            (float(price[mask & times.free_mask].sum()) if price is not None else int((mask & times.free_mask).sum()))
            for mask in plans(times)
            if people[minutes(times, mask, people) <= NEAR].sum() >= share * people.sum() - 1e-9
        ]
        question = Question(times, people, LIMIT, (Share(NEAR, share, price), aims(times)["travel"]), (0.0, 0.0))
        if not costs:
            with pytest.raises(InfeasibleError, match="Even with every candidate open"):
                solve_ordered(question, gap=0.0)
            continue
        answer = solve_ordered(question, gap=0.0)
        solved += 1
        assert answer.turns[0].found == pytest.approx(min(costs), abs=1e-6)
        assert answer.turns[0].bound <= min(costs) + 1e-6
        assert answer.turns[0].optimal
        assert people[minutes(times, answer.open_mask, people) <= NEAR].sum() >= share * people.sum() - 1e-9
    assert solved > 5
