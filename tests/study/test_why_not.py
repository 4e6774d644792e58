"""What a person is told when no plan obeys the rules."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nearer.errors import InfeasibleError
from nearer.progress import Stop
from nearer.solvers.conflict import _possible, conflict
from nearer.study.run import run_study
from nearer.testing.rules import rules_cases

from .test_stages import RULES, write_study


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        # two centres of 10 and more each, one of them within the 12 of the parish, in the north for at least 18
        ({"levels": {}, "district": {}, "budget": {"budget": 15}}, ["budget", "15 allowed", "18", "centres in north"]),
        ({"floor": {"older_mean_min": 0.1}}, ["older: 0.1 minutes", "no plan goes below"]),
        ({"within": {"share": 0.999, "within_min": 0.5}}, ["99.9 % promised", "no plan goes above"]),
    ],
)
def test_the_rules_that_conflict_are_named_with_how_far_they_miss(
    tmp_path: Path, rules: dict[str, Any], words: list[str]
) -> None:
    folder = tmp_path / "study"
    write_study(folder, {name: RULES[name] | more for name, more in rules.items()})
    with pytest.raises(InfeasibleError) as caught:
        run_study(folder)
    for said in words:
        assert said in str(caught.value)
    assert not (folder / "plan").exists()


def test_a_conflict_is_irreducible() -> None:
    found = 0
    for instance in rules_cases(300, 11):
        rules = instance.rules
        assert rules is not None
        named = conflict(instance, Stop())
        possible = _possible(rules, np.ones(rules.n_sides, dtype=bool), Stop())
        assert possible is (not named)
        if not named:
            continue
        found += 1
        core = np.isin(rules.side_name, [one.name for one in named])
        assert _possible(rules, core, Stop()) is False
        for side in np.flatnonzero(core):
            others = core.copy()
            others[side] = False
            assert _possible(rules, others, Stop()) is True
    assert found >= 10


def test_many_pairs_of_sites_too_near_are_counted_not_listed(tmp_path: Path) -> None:
    folder = tmp_path / "study"
    write_study(folder, {"apart": {"separation_m": 90_000}})
    more = [f"X{n},X{n},0,{0.004 + n / 1000},candidate,city,south,0,1,3," for n in range(4)]
    with (folder / "sites.csv").open("a") as file:
        file.write("\n" + "\n".join(more))
    text = (folder / "nearer.toml").read_text()
    (folder / "nearer.toml").write_text(text.replace("open_max = 2", "open = 2"))
    with pytest.raises(InfeasibleError) as caught:
        run_study(folder)
    said = str(caught.value).splitlines()
    assert sum("lie nearer than 90000 m" in line for line in said) <= 3
    assert len(said) < 8
