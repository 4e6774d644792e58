"""A study whose people partly live on an island that no street joins to any site."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from nearer.study.run import run_study
from nearer.study.verify import verify_plan


def streets(path: Path) -> None:
    """A mainland of 5 × 5 crossings 200 m apart, and 5 km to its east a lane of its own."""
    step = 0.0018
    nodes = {f"{r}{c}": (9.5 + c * step, 0.0 + r * step) for r in range(5) for c in range(5)}
    nodes |= {"i0": (9.55, 0.0), "i1": (9.55, 0.002)}
    number = {name: k for k, name in enumerate(nodes, start=1)}
    ways = [[f"{r}{c}" for c in range(5)] for r in range(5)] + [[f"{r}{c}" for r in range(5)] for c in range(5)]
    ways.append(["i0", "i1"])
    text = ['<osm version="0.6" generator="nearer tests">']
    text += [f'<node id="{number[n]}" version="1" lon="{x:.5f}" lat="{y:.5f}"/>' for n, (x, y) in nodes.items()]
    for k, way in enumerate(ways, start=1):
        refs = "".join(f'<nd ref="{number[n]}"/>' for n in way)
        text.append(f'<way id="{k}" version="1">{refs}<tag k="highway" v="residential"/></way>')
    path.write_text("\n".join([*text, "</osm>"]), encoding="utf-8")


@pytest.fixture
def study(tmp_path: Path) -> Path:
    streets(tmp_path / "streets.osm")
    (tmp_path / "people.csv").write_text(
        "id,lon,lat,population\nwest,9.5001,0.0001,300\neast,9.5071,0.0071,200\nislanders,9.55,0.001,40\n"
    )
    (tmp_path / "sites.csv").write_text(
        "id,name,lon,lat,status\nold,Old hall,9.5,0.0,existing\na,School A,9.5072,0.0072,candidate\n"
        "b,School B,9.5036,0.0036,candidate\n"
    )
    (tmp_path / "nearer.toml").write_text(
        '[streets]\nfile = "streets.osm"\n[people]\nfile = "people.csv"\n[[sites]]\nfile = "sites.csv"\n'
        "[plan]\nopen = 1\n"
    )
    return tmp_path


def test_islanders_count_as_out_of_reach_and_are_named(study: Path) -> None:
    plan = run_study(study)
    measures = plan.document.measures
    assert [site.id for site in plan.document.sites if site.status == "opened"] == ["a"]
    assert measures.before.unreached == measures.after.unreached == 40
    assert measures.after.unreachable_from_any_site == 40
    assert plan.document.status == "optimal"
    assert verify_plan(study / "plan").ok
    assert "40" in (study / "plan" / "report.html").read_text(encoding="utf-8")


def test_check_says_who_cannot_be_reached(study: Path) -> None:
    command = [sys.executable, "-m", "nearer", "check", str(study)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "islanders" in done.stdout


def test_every_candidate_may_be_opened(study: Path) -> None:
    plan = run_study(study, open=2)
    document = json.loads((study / "plan" / "plan.json").read_text(encoding="utf-8"))
    assert document["opened"] == 2
    assert plan.document.status == "optimal"
    assert plan.bound == plan.document.objective.value
    assert verify_plan(study / "plan").ok
