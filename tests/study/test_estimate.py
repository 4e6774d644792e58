"""What a run takes is said before it begins, and one that would not fit is not begun."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nearer.cluster import Cluster
from nearer.errors import UsageError
from nearer.network.reach import Reach, _spread
from nearer.study import estimate as estimates
from nearer.study.estimate import estimate
from nearer.study.limits import Run
from nearer.study.new import new_study
from nearer.study.run import run_study
from nearer.study.settings import Study
from nearer.study.verify import verify_plan


@pytest.fixture(scope="module")
def newtown(tmp_path_factory):
    return new_study(tmp_path_factory.mktemp("estimate") / "town", example="newtown", people=6_000)


def reach(time_ms, n_joined=1_000, limit_ms=1_800_000):
    return Reach(5_000, n_joined, n_joined, 9_000, limit_ms, 10, np.sort(np.array(time_ms, np.int32)), 0.5)


def study(**plan):
    return Study.model_validate(
        {
            "study": {"name": "x"},
            "streets": {"file": "s.osm.pbf"},
            "people": {"file": "p.csv"},
            "sites": [{"file": "s.csv"}],
            "plan": {"open": 2, **plan},
        }
    )


def test_pairs_follow_from_the_sample_and_a_lower_limit_has_fewer():
    sample = reach(np.arange(1, 1_801) * 1_000)
    assert sample.pairs() == 1_800 / 10 * 1_000
    assert sample.pairs(600_000) == 600 / 10 * 1_000


def test_any_beginning_of_the_sample_is_spread_evenly():
    for n in (257, 10_000):
        sites = _spread(n, 256)
        assert len(set(sites)) == 256
        assert max(sites) < n
        for first in (16, 64):
            assert np.diff(np.sort(sites[:first])).max() <= 2 * n / first
    assert _spread(10, 256) == list(range(10))


def test_more_pairs_take_more_time_and_memory_and_existing_sites_leave_pairs_out():
    run = Run(seconds={"read": 1.0})
    few, many = reach([1] * 10_000), reach([1] * 1_000_000)
    one, other = (estimate(sample, study(), run, existing=0) for sample in (few, many))
    assert other.pairs == 100 * one.pairs
    assert other.seconds > one.seconds
    assert other.peak_bytes > one.peak_bytes + 1e9
    cut = estimate(many, study(), run, existing=100)
    assert cut.peak_bytes < other.peak_bytes - 1e9
    workers = Cluster(client=None, address="", folder=Path())
    spread = estimate(many, study(), Run(seconds={"read": 1.0}, cluster=workers), existing=0, spread=True)
    assert spread.peak_bytes < other.peak_bytes - 1e9  # rows lie elsewhere
    near = estimate(many, study(), Run(seconds={"read": 1.0}, cluster=workers), existing=1_000, near=True)
    whole = estimate(many, study(), Run(seconds={"read": 1.0}, cluster=workers), existing=1_000)
    assert near.peak_bytes < whole.peak_bytes - 5e8  # rows are cut elsewhere
    busy = estimate(few, study(), Run(seconds={"read": 10.0}), existing=0)
    assert busy.seconds > one.seconds + 10


def test_memory_holds_the_relaxation_and_a_proof_that_branches_takes_more_the_longer_it_may() -> None:
    sample = reach([1] * 100_000)
    short, long = (estimate(sample, study(), Run(time_limit_s=s), existing=0) for s in (10.0, 100.0))
    phased = estimate(sample, study(phases=[{"name": "one", "open": 2}]), Run(time_limit_s=10.0), existing=0)
    assert phased.peak_bytes == phased.most_bytes < short.peak_bytes
    assert short.peak_bytes == long.peak_bytes < short.most_bytes < long.most_bytes
    assert " while it is proven" in long.text
    assert " while it is proven" not in phased.text


def test_a_run_that_would_not_fit_is_not_begun_and_a_shorter_limit_is_offered(newtown, monkeypatch):
    held = 400_000_000
    monkeypatch.setattr(estimates, "held_bytes", lambda: held)  # tests before this one may have left more

    def fits_from(more):
        monkeypatch.setattr(estimates, "free_bytes", lambda: int(more))

    monkeypatch.setattr(estimates, "_PAIR_B", 1e6)
    fits_from(1e18)
    plan = run_study(newtown, threads=1, gap=0.05, limit_min=31, out=newtown.parent / "plan")
    needed = plan.run["foreseen"]["memory_mb"] * 1e6
    fits_from(0.6 * (needed - held))
    with pytest.raises(
        UsageError, match=r"needs about .* pairs within 30 minutes\.\nA limit of \d+ minutes fits"
    ) as caught:
        run_study(newtown, threads=1, out=newtown.parent / "none")
    assert not (newtown.parent / "none").exists()
    assert caught.value.exit_code == 2
    _, shorter, coarser = str(caught.value).splitlines()
    minutes, side_m = (int(line.rsplit(" ", 1)[1]) for line in (shorter, coarser))
    assert f"limit_min = {minutes} under [streets]" in shorter
    assert f"merge_m = {side_m} under [people]" in coarser
    assert shorter.endswith(f": nearer plan {newtown} --limit-min {minutes}")
    assert coarser.endswith(f": nearer plan {newtown} --merge-m {side_m}")
    one = run_study(newtown, threads=1, gap=0.05, limit_min=minutes, out=newtown.parent / "shorter").document
    other = run_study(newtown, threads=1, gap=0.05, merge_m=side_m, out=newtown.parent / "coarser").document
    assert one.settings["streets"]["limit_min"] == minutes
    assert other.snapping["people"].points < one.snapping["people"].points
    assert verify_plan(newtown.parent / "coarser", newtown).ok
    monkeypatch.setattr(estimates, "_PAIR_B", 1e12)
    with pytest.raises(UsageError, match="Plan a part of the area"):
        run_study(newtown, threads=1, limit_min=2, out=newtown.parent / "none")


def test_a_long_run_says_beforehand_what_it_takes_and_a_short_one_does_not(newtown, monkeypatch):
    said = []
    run_study(newtown, threads=1, gap=0.05, limit_min=9, out=newtown.parent / "quiet", say=said.append)
    assert said == []
    monkeypatch.setattr(estimates, "SHOWN_FROM_S", 0.0)
    plan = run_study(newtown, threads=1, gap=0.05, limit_min=10, out=newtown.parent / "told", say=said.append)
    (text,) = said
    assert text.startswith("About ")
    assert "up to 60 seconds of solving" in text
    assert {"seconds", "memory_mb"} <= plan.run["foreseen"].keys()
