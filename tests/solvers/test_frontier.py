"""The frontier of two objectives: every point is on it, and every bound holds, against every choice of sites."""

from __future__ import annotations

import pytest

from nearer.solvers.frontier import frontier
from nearer.solvers.turns import Question
from tests.solvers.test_ordered import LIMIT, aims, plans, town, value


@pytest.mark.parametrize("pair", [("travel", "farthest"), ("coverage", "travel"), ("travel", "equal")], ids="-".join)
def test_no_plan_is_better_than_a_point_in_both_and_every_bound_holds(pair: tuple[str, str]) -> None:
    longest = 0
    for seed in range(10):
        times, people = town(seed)
        known = aims(times)
        turns = tuple(name if name == "farthest" else known[name] for name in pair)
        held, found = frontier(Question(times, people, LIMIT, turns, (0.0, 0.0)), points=5, gap=0.0)
        other = pair[1] if held == pair[0] else pair[0]
        masks = list(plans(times))
        if held == "farthest":
            fewest = min(value("unreached", times, people, mask) for mask in masks)
            masks = [mask for mask in masks if value("unreached", times, people, mask) <= fewest + 1e-9]
        values = [(value(held, times, people, mask), value(other, times, people, mask)) for mask in masks]
        longest = max(longest, len(found))
        for point in found:
            up, sign = (-1 if name == "coverage" else 1 for name in (held, other))
            mine = value(held, times, people, point.open_mask), value(other, times, people, point.open_mask)
            assert (up * point.held, sign * point.value) == pytest.approx(mine, rel=1e-7, abs=1e-9)
            least = min(b for a, b in values if a <= up * point.level + 1e-9 * max(1.0, abs(point.level)))
            assert sign * point.value == pytest.approx(least, rel=1e-7, abs=1e-9), (seed, pair)
            assert sign * point.bound <= least + 1e-7 * abs(least) + 1e-12
            assert point.optimal
        assert all(
            not (a <= c and b <= d)
            for k, (a, b) in enumerate(
                (value(held, times, people, p.open_mask), value(other, times, people, p.open_mask)) for p in found
            )
            for m, (c, d) in enumerate(
                (value(held, times, people, p.open_mask), value(other, times, people, p.open_mask)) for p in found
            )
            if k != m
        )
    assert longest >= (1 if pair == ("travel", "equal") else 2)
