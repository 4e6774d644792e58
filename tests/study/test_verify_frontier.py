"""The check of a frontier agrees with honest ones and finds what was changed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nearer.errors import InputError
from nearer.study.frontier import run_frontier
from nearer.study.verify_any import kind_of, verify_any
from nearer.study.verify_frontier import verify_frontier
from tests.study.test_objectives import asked
from tests.study.test_verify import write_study

CASES = {
    "coverage and travel": (("coverage", "travel"), []),
    "travel and farthest": (("travel", "farthest"), []),
    "equal and coverage": (("equal", "coverage"), ["decay_min = [3, 15]"]),
    "travel and equal": (("travel", "equal"), ["everyone_within_min = 24", 'force = ["s6"]', 'forbid = ["s7"]']),
}


@pytest.mark.parametrize(("pair", "lines"), CASES.values(), ids=CASES.keys())
def test_the_check_agrees_with_an_honest_frontier(tmp_path: Path, pair: tuple[str, str], lines: list[str]) -> None:
    folder = asked(write_study(tmp_path / "valleys"), *lines)
    if "everyone_within_min = 24" in lines:
        (folder / "nearer.toml").write_text((folder / "nearer.toml").read_text().replace("open = 4", "open = 10"))
    made = run_frontier(folder, first=pair[0], second=pair[1], points=4, gap=0.0, out=tmp_path / "out", threads=1)
    assert kind_of(tmp_path / "out") == "frontier.json"
    verdict = verify_any(tmp_path / "out")
    assert verdict.differing == ()
    assert any(point.proof == "certificate" for point in made.points)
    assert (made.unreached is not None) == ("farthest" in pair)


@pytest.fixture(scope="module")
def frontier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_study(tmp_path_factory.mktemp("frontier") / "valleys")
    run_frontier(folder, first="coverage", second="travel", points=4, gap=0.0, threads=1)
    return folder / "frontier"


CHANGES: dict[str, tuple[Callable[[dict[str, Any]], None], str]] = {
    "the first value": (lambda d: d["points"][0].update(first=d["points"][0]["first"] * 1.01), "point 1: first"),
    "the second value": (lambda d: d["points"][1].update(second=d["points"][1]["second"] * 0.99), "point 2: second"),
    "a bound": (lambda d: d["points"][-1].update(bound=d["points"][-1]["second"] * 1.01), "point 3: bound"),
    "a level": (lambda d: d["points"][0].update(level=d["points"][0]["level"] * 1.5), "point 1: level"),
    "a gap": (lambda d: d["points"][0].update(gap=0.5), "point 1: gap"),
    "a site": (lambda d: d["points"][0]["opened"].pop(), "sites of point 1: number"),
    "a strange site": (lambda d: d["points"][0]["opened"].__setitem__(0, "s0"), "sites of point 1"),
    "the start": (lambda d: d["first"].update(before=1.0), "first: before"),
    "the unit": (lambda d: d["second"].update(unit="minutes"), "second: unit"),
    "the order": (lambda d: d["points"].reverse(), "points 1 and 2 trade"),
    "what is held": (lambda d: d.update(held="travel"), "held"),
    "whether it is whole": (lambda d: d.update(complete=False), "complete"),
}


@pytest.mark.parametrize(("change", "found"), CHANGES.values(), ids=CHANGES.keys())
def test_a_changed_frontier_is_found(
    frontier: Path, tmp_path: Path, change: Callable[[dict[str, Any]], None], found: str
) -> None:
    shutil.copytree(frontier, tmp_path / "changed")
    path = tmp_path / "changed" / "frontier.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    assert len(document["points"]) == 3
    change(document)
    path.write_text(json.dumps(document), encoding="utf-8")
    assert found in [check.name for check in verify_any(tmp_path / "changed", frontier.parent).differing]


def test_a_bound_lifted_without_a_proof_is_found(frontier: Path, tmp_path: Path) -> None:
    shutil.copytree(frontier, tmp_path / "changed")
    path = tmp_path / "changed" / "proof.npz"
    arrays = dict(np.load(path))
    name = next(key for key in arrays if key.endswith("multiplier_planes"))
    np.savez_compressed(path, **(arrays | {name: np.zeros_like(arrays[name])}))
    differing = [check.name for check in verify_any(tmp_path / "changed", frontier.parent).differing]
    assert len(differing) == 1
    assert differing[0].endswith("bound")
    path.unlink()
    assert len(verify_any(tmp_path / "changed", frontier.parent).differing) >= 1


def test_there_is_no_frontier_to_check(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        verify_frontier(tmp_path)
