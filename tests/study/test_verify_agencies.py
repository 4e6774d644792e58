"""The check of a comparison of agencies agrees with honest files and finds what was changed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nearer.errors import InputError, UsageError
from nearer.study.agencies import compare_agencies
from nearer.study.verify_any import kind_of, verify_any
from tests.study.test_agencies import TWO, write

THREE = """
[[plan.phases]]
name = "first"
years = 2
open_max = 1
budget = 70
[[plan.phases]]
name = "second"
open_max = 2
growth = 1.2
[[agencies]]
name = "city"
budget = 90
[[agencies]]
name = "parish"
running_budget = 30
[[agencies]]
name = "club"
max_open = 1
[[levels]]
name = "small"
capacity = 120
cost = 20
running = 4
[[levels]]
name = "large"
capacity = 260
cost = 50
running = 9
"""


def rich(folder: Path, more: str = "", shares: str = "city:0.5; club:0.5") -> Path:
    """Three agencies, two phases, two levels, limited room, a shared venue."""
    write(folder, THREE + more)
    (folder / "nearer.toml").write_text(
        (folder / "nearer.toml").read_text().replace("open_max = 2\n", "close_max = 1\n", 1)
    )
    (folder / "sites.csv").write_text(
        "id,name,lon,lat,status,agency,level,cost,running,shares\n"
        "H,Hall,0,0.000,existing,city,small,0,1,\n"
        "S,School,0,0.010,candidate,city,,5,2,\n"
        "P,Parish hall,0,0.019,candidate,parish,,0,2,\n"
        f"L,Library,0,0.018,candidate,club,,4,1,{shares}\n"
        "W,Works,0,0.009,candidate,,small,9,1,\n"
    )
    return folder


def big(folder: Path) -> Path:
    """Enough people and venues for proofs of our own."""
    write(folder, TWO + 'budget = 200\n[[levels]]\nname = "one"\ncapacity = 900\ncost = 30\n')
    rng = np.random.default_rng(5)
    rows = [f"p{i},{x:.5f},{y:.5f},{n}" for i, (x, y, n) in enumerate(
        zip(rng.uniform(0, 0.03, 200), rng.uniform(0, 0.03, 200), rng.integers(5, 60, 200), strict=True))]  # fmt: skip
    (folder / "people.csv").write_text("\n".join(["id,lon,lat,population", *rows]))
    sites = [
        f"s{j},s{j},{rng.uniform(0, 0.03):.5f},{rng.uniform(0, 0.03):.5f},"
        f"{'existing' if j < 2 else 'candidate'},{('city', 'parish', '')[j % 3]},{'one' if j < 2 else ''}"
        for j in range(24)
    ]
    (folder / "sites.csv").write_text("\n".join(["id,name,lon,lat,status,agency,level", *sites]))
    return folder


@pytest.mark.parametrize("made", [lambda folder: write(folder, TWO), rich, big], ids=["plain", "rich", "proofs"])
def test_the_check_agrees_with_an_honest_comparison(tmp_path: Path, made: Callable[[Path], Path]) -> None:
    folder = made(tmp_path / "street")
    found = compare_agencies(folder, gap=3e-3, out=tmp_path / "elsewhere", time_limit_s=None)
    assert kind_of(tmp_path / "elsewhere") == "agencies.json"
    verdict = verify_any(tmp_path / "elsewhere")
    assert verdict.differing == ()
    assert len(verdict.checks) > 20
    proofs = [one.proof for one in found.coalitions]
    assert ("certificate" in proofs) == (tmp_path / "elsewhere" / "proofs").is_dir()
    assert bool(verdict.notes) == ("solver" in proofs)


def test_large_comparisons_are_proven_and_a_changed_proof_is_found(tmp_path: Path) -> None:
    folder = big(tmp_path / "street")
    found = compare_agencies(folder, gap=3e-3, time_limit_s=None)
    proven = [at for at, one in enumerate(found.coalitions) if one.proof == "certificate"]
    assert proven
    path = folder / "agencies" / "proofs" / f"coalition-{proven[-1]}.npz"
    arrays = dict(np.load(path))
    np.savez_compressed(path, **(arrays | {"row_multiplier": arrays["row_multiplier"] * 0.9}))
    assert any(check.name.endswith(": bound") for check in verify_any(folder / "agencies").differing)
    path.unlink()
    assert any(check.name.endswith(": bound") for check in verify_any(folder / "agencies").differing)


def _site(document: dict[str, Any], members: list[str]) -> dict[str, Any]:
    one = next(one for one in document["coalitions"] if one["members"] == members)
    return one["sites"][0]  # type: ignore[no-any-return]


CHANGES: dict[str, tuple[Callable[[dict[str, Any]], None], str]] = {
    "a value": (lambda d: d["coalitions"][1].update(value=d["coalitions"][1]["value"] * 0.99), "city: value"),
    "a bound above": (lambda d: d["coalitions"][2].update(bound=d["coalitions"][2]["value"] * 1.1), "parish: bound"),
    "a gap": (lambda d: d["coalitions"][1].update(gap=0.5), "city: gap"),
    "a saving": (lambda d: d["coalitions"][3].update(saves=1.0), "city and parish: saves"),
    "a coalition": (lambda d: d["coalitions"].pop(1), "coalitions"),
    "a foreign site": (
        lambda d: _site(d, ["city"]).update(id="P", name="P", agency="parish"),
        "city: only their own venues change",
    ),
    "an owner": (lambda d: _site(d, ["city"]).update(agency="parish"), "city: names and owners"),
    "no such site": (lambda d: _site(d, ["city"]).update(id="Q"), "city: sites"),
    "a step that is none": (
        lambda d: _site(d, ["city"])["steps"][0].update(level="huge"), "city: levels and openings"
    ),
    "one site too many": (
        lambda d: d["coalitions"][3]["sites"].extend(
            {"id": i, "name": i, "agency": a, "steps": [{"phase": "plan", "level": ""}]}
            for i, a in (("S", "city"), ("L", "city"), ("P", "parish"), ("W", None))
            if i not in {site["id"] for site in d["coalitions"][3]["sites"]}
        ),
        "city and parish: ceilings",
    ),
    "a contribution": (lambda d: d["agencies"][0].update(contribution=1.0), "city: contribution"),
    "a share": (lambda d: d["agencies"][1].update(shapley=1.0), "parish: shapley"),
    "a share's end": (lambda d: d["agencies"][1].update(shapley_most=1.0), "parish: shapley_most"),
    "today": (lambda d: d.update(today_value=1.0), "today_value"),
    "jointly": (lambda d: d.update(joint_bound=1.0), "joint_bound"),
    "separately": (lambda d: d.update(separate_value=d["separate_value"] * 1.01), "separate_value"),
    "what breaks": (lambda d: d.update(separate_breaks=[]), "separate_breaks"),
    "the gain": (lambda d: d.update(joint_gain=5.0), "joint_gain"),
}  # fmt: skip


@pytest.mark.parametrize(("change", "found"), CHANGES.values(), ids=CHANGES.keys())
def test_a_changed_comparison_is_found(
    street: Path, tmp_path: Path, change: Callable[[dict[str, Any]], None], found: str
) -> None:
    path = street / "agencies" / "agencies.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    change(document)
    changed = tmp_path / "changed"
    changed.mkdir()
    (changed / "agencies.json").write_text(json.dumps(document), encoding="utf-8")
    assert found in [check.name for check in verify_any(changed, street).differing]


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write(tmp_path_factory.mktemp("agencies") / "street", TWO)
    compare_agencies(folder, gap=0.0)
    return folder


def test_changed_inputs_are_named(street: Path, tmp_path: Path) -> None:
    folder = write(tmp_path / "other", TWO)
    (folder / "sites.csv").write_text((folder / "sites.csv").read_text().replace("L,L", "L,Library"))
    with pytest.raises(InputError, match="has changed"):
        verify_any(street / "agencies", folder)


def test_agencies_are_compared_for_travel_alone(tmp_path: Path) -> None:
    folder = write(tmp_path / "street", TWO)
    text = (folder / "nearer.toml").read_text().replace("[plan]\n", '[plan]\nobjective = "coverage"\n')
    (folder / "nearer.toml").write_text(text)
    with pytest.raises(UsageError, match="compared for the objective travel"):
        compare_agencies(folder)
