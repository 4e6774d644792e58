"""A study on a cluster of real processes gives the bytes it gives here, whoever is killed on the way."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import distributed
import numpy as np
import pytest
from distributed.comm import CommClosedError

from nearer.cluster import Cluster, ClusterError, joined
from nearer.errors import UsageError
from nearer.study.curve import run_curve
from nearer.study.new import new_study
from nearer.study.run import run_study
from nearer.study.sensitivity import run_sensitivity
from nearer.study.stress import run_stress
from nearer.study.stress_ground import Question
from tests.study.clusters import Processes, once, processes

TO = 33
"""Centres at the end of the curve: some thirty sizes, each a job."""


@pytest.fixture(scope="module")
def newtown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small town with its curve, made here by one process."""
    folder = tmp_path_factory.mktemp("cluster") / "town"
    new_study(folder, example="newtown", people=20_000, seed=5)
    run_curve(folder, to=TO, threads=1)
    return folder


SCENARIOS = """
[[scenarios]]
name = "slow"
speed = 0.7

[[scenarios]]
name = "fast and older, without a centre of today"
speed = 1.3
groups = { older = 1.5 }
lost = ["C0002"]

[[scenarios]]
name = "more children"
groups = { children = 2.0 }
"""

WORK = 3_000_000
"""Of a plan over regions, so that it ends at the same point everywhere."""


@pytest.fixture
def spread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lays a small town out as a country would be."""
    monkeypatch.setattr("nearer.network.shared.PAIRS_PER_JOB", 1_000)  # some forty jobs
    monkeypatch.setattr("nearer.planning.cut.PAIRS_PER_JOB", 5_000)
    monkeypatch.setattr("nearer.network.compute.PARTS_FROM_PAIRS", 10_000)
    monkeypatch.setattr("nearer.study.regional.REGIONS_FROM_PAIRS", 10_000)
    monkeypatch.setattr("nearer.study.regional.PAIRS_PER_REGION", 4_000)
    monkeypatch.setattr("nearer.solvers.regional.BROUGHT_HERE", 100)
    monkeypatch.setattr("nearer.solvers.regional._PER_ROW", 0)
    monkeypatch.setattr("nearer.solvers.regional._RUSH", (20, 20, 20))
    monkeypatch.setattr("nearer.solvers.regional._ROUND", 20)


@pytest.fixture
def planned(newtown: Path, spread: None) -> Path:
    """The town's plan over regions, made here by one process, once."""
    out = newtown.parent / "planned"
    if not out.exists():
        run_study(newtown, out=out, threads=1, work_limit=WORK)
    return out


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Processes]:
    with processes(tmp_path_factory.mktemp("processes")) as made:
        yield made


def same(one: Path, other: Path) -> None:
    """Two folders hold the same bytes, run.json aside."""
    names = sorted(path.relative_to(one).as_posix() for path in one.rglob("*") if path.is_file())
    assert names == sorted(path.relative_to(other).as_posix() for path in other.rglob("*") if path.is_file())
    assert len(names) > 3
    for name in names:
        if name != "run.json":
            assert (one / name).read_bytes() == (other / name).read_bytes(), name


def unplanned(town: Path, tmp_path: Path) -> Path:
    """A town of which nothing is known yet."""
    fresh = tmp_path / "town"
    shutil.copytree(town, fresh, ignore=shutil.ignore_patterns(".nearer", "curve"))
    return fresh


def answers(folder: Path) -> int:
    return len(list((folder / ".nearer" / "cluster").glob("*/answers/[!.]*.npz")))


def notes(out: Path) -> dict[str, int]:
    found: dict[str, int] = json.loads((out / "run.json").read_text(encoding="utf-8"))["cluster"]
    return found


def test_a_worker_killed_in_the_middle_of_a_curve_costs_time_only_and_rows_come_here_cut(
    newtown: Path, spread: None, cluster: Processes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh, out = unplanned(newtown, tmp_path), tmp_path / "curve"

    def solved() -> int:
        return len(list((fresh / ".nearer" / "cluster").glob("curve-*/answers/[!.]*.npz")))

    def kill_one() -> int:
        os.kill(cluster.worker_pids()[0], signal.SIGKILL)
        return solved()

    monkeypatch.setattr("nearer.network.parted.Parted.gathered", lambda *_: pytest.fail("rows came here whole"))
    with joined(cluster.address, fresh) as workers, once(lambda: solved() >= 3, kill_one) as killed:
        run_curve(fresh, to=TO, out=out, cluster=workers)
    assert notes(out)["jobs"] > 25
    assert killed
    assert 3 <= killed[0] < TO - 10  # it was in the middle
    same(newtown / "curve", out)
    assert answers(fresh) == 0  # nothing is left behind


def test_a_plan_over_regions_survives_a_killed_worker_in_every_part_of_it_and_its_rows_never_come_here(
    newtown: Path, planned: Path, cluster: Processes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh = unplanned(newtown, tmp_path)
    shared = fresh / ".nearer" / "cluster"

    def kill_one() -> int:
        os.kill(cluster.worker_pids()[0], signal.SIGKILL)
        return answers(fresh)

    with (
        monkeypatch.context() as alone,
        joined(cluster.address, fresh) as workers,
        once(lambda: answers(fresh) >= 5, kill_one) as timing,
        once(lambda: any(shared.glob("regions-*/asked-??-plan.npy")), kill_one) as swapping,
        once(lambda: any(shared.glob("regions-*/asked-1??-lam.npy")), kill_one) as climbing,
    ):
        alone.setattr("nearer.network.parted.Parted.gathered", lambda *_: pytest.fail("rows came here"))
        run_study(fresh, out=tmp_path / "there", cluster=workers, work_limit=WORK)
    told = notes(tmp_path / "there")
    assert timing
    assert 5 <= timing[0] < told["jobs"] - 5  # in the middle of the travel times
    assert swapping
    assert climbing
    assert told["rounds"] > 110  # and of the way up
    same(planned, tmp_path / "there")
    assert list(shared.iterdir()) == []


def test_a_plan_put_to_the_test_on_a_cluster_is_answered_as_here_though_a_worker_is_killed(
    newtown: Path, planned: Path, cluster: Processes, tmp_path: Path
) -> None:
    centres = [line.split(",")[0] for line in (planned / "sites.csv").read_text(encoding="utf-8").splitlines()]
    opened = [site for site in centres if site.startswith("C")]
    question = Question(
        out_of_service=tuple(opened[:2]),
        random=2,
        draws=700,
        replan=2,
        worst=2,
        harden=1,
        stock=2,
        scenarios=(f"flood=0.3:{opened[2]}", f"fire=0.2:{opened[3]}"),
    )
    run_stress(planned, question, study=newtown, out=tmp_path / "here", threads=1)
    shared = newtown / ".nearer" / "cluster"

    def kill_one() -> None:
        os.kill(cluster.worker_pids()[0], signal.SIGKILL)

    with (
        joined(cluster.address, newtown) as workers,
        once(lambda: any(shared.glob("*/answers/[!.]*.npz")), kill_one) as killed,
    ):
        run_stress(planned, question, study=newtown, out=tmp_path / "there", cluster=workers)
    assert killed
    same(tmp_path / "here", tmp_path / "there")
    assert notes(tmp_path / "there")["jobs"] >= 1 + 2 + 2 + 2  # draws, plans anew, losses, stock
    assert list(shared.iterdir()) == []


def test_scenarios_on_a_cluster_are_those_planned_here_though_a_worker_is_killed(
    newtown: Path, spread: None, cluster: Processes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone, fresh = (unplanned(newtown, tmp_path / name) for name in ("alone", "fresh"))
    for town in (alone, fresh):
        with (town / "nearer.toml").open("a", encoding="utf-8") as file:
            file.write(SCENARIOS)
    run_sensitivity(alone, out=tmp_path / "here", threads=1, gap=0.02)
    monkeypatch.setattr("nearer.network.parted.Parted.gathered", lambda *_: pytest.fail("rows came here whole"))

    def kill_one() -> None:
        os.kill(cluster.worker_pids()[0], signal.SIGKILL)

    shared = fresh / ".nearer" / "cluster"
    with (
        joined(cluster.address, fresh) as workers,
        once(lambda: any(shared.glob("sensitivity-*/answers/[!.]*.npz")), kill_one) as killed,
    ):
        run_sensitivity(fresh, out=tmp_path / "there", cluster=workers, gap=0.02)
    assert killed
    same(tmp_path / "here", tmp_path / "there")


def test_a_lost_scheduler_leaves_a_folder_that_the_same_command_goes_on_from(newtown: Path, tmp_path: Path) -> None:
    out = tmp_path / "curve"
    with (
        processes(tmp_path / "first", workers=1) as first,
        joined(first.address, newtown) as workers,
        once(lambda: answers(newtown) >= 4, first.kill_scheduler),
        pytest.raises(ClusterError, match="the same command goes on from there") as lost,
    ):
        run_curve(newtown, to=TO, out=out, cluster=workers)
    assert lost.value.exit_code == 3
    assert not out.exists()
    stood = answers(newtown)
    assert stood >= 4
    with processes(tmp_path / "second", workers=1) as second, joined(second.address, newtown) as workers:
        run_curve(newtown, to=TO, out=out, cluster=workers)
    assert notes(out)["stood_already"] >= 4
    assert notes(out)["stood_already"] < notes(out)["jobs"]
    same(newtown / "curve", out)


def test_a_scheduler_lost_in_the_middle_of_a_plan_over_regions_and_workers_that_come_late(
    newtown: Path, planned: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nearer.cluster.pool._ASK_AGAIN_S", 0.2)
    fresh, out = unplanned(newtown, tmp_path), tmp_path / "there"
    shared = fresh / ".nearer" / "cluster"

    def plan(made: Processes) -> None:
        with joined(made.address, fresh) as workers:
            run_study(fresh, out=out, cluster=workers, work_limit=WORK)

    with (
        processes(tmp_path / "lost", workers=1) as lost,
        once(lambda: any(shared.glob("regions-*/asked-1??-lam.npy")), lost.kill_scheduler) as killed,
        pytest.raises(ClusterError, match="the same command goes on from there"),
    ):
        plan(lost)
    assert killed
    assert not out.exists()
    (kept,) = shared.glob("rounds-*/rounds.npz")
    with np.load(kept) as file:
        assert int(file["counts"][2]) >= 1  # climbs

    handed: list[int] = []
    place, together = Cluster.place, Cluster.together
    with processes(tmp_path / "last", workers=1) as last:

        def placing(self: Cluster, function: Callable[..., Any], calls: Sequence[tuple[Any, ...]]) -> list[Any]:
            handed.append(len(calls))
            return place(self, function, calls)

        def later(self: Cluster, *told: Any) -> list[Any]:
            if self.rounds == 10:
                last.start("worker", last.address, "--nthreads", "1", "--no-dashboard", name="late")
                self.client.wait_for_workers(2, timeout=60)
            return together(self, *told)

        monkeypatch.setattr(Cluster, "place", placing)
        monkeypatch.setattr(Cluster, "together", later)
        plan(last)
    assert handed == [1, 2]
    same(planned, out)
    assert notes(out)["rounds"] < 100  # those of before are not asked again
    assert list(shared.iterdir()) == []


def test_a_scheduler_lost_between_a_job_and_its_answer_is_told_as_lost(
    newtown: Path, cluster: Processes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(future: distributed.Future[str]) -> str:
        raise CommClosedError(f"{future.key}: connection reset by peer")

    monkeypatch.setattr(distributed.Future, "result", cut)
    with joined(cluster.address, newtown) as workers, pytest.raises(ClusterError, match="was lost; what is done"):
        run_curve(newtown, to=TO, out=tmp_path / "curve", cluster=workers)
    assert not (tmp_path / "curve").exists()


def refused(address: str, folder: Path, words: str) -> None:
    with pytest.raises(UsageError, match=words) as error, joined(address, folder):
        pytest.fail("joined")
    assert error.value.exit_code == 2


def test_workers_that_cannot_do_the_work_are_named_with_what_mends_it(
    newtown: Path, cluster: Processes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nearer.cluster.pool.CONNECT_S", 2)
    refused("tcp://127.0.0.1:9", newtown, r"No scheduler answers at tcp://127\.0\.0\.1:9 .*dask scheduler")
    with monkeypatch.context() as patch:  # a client that was given no address holds the program up when it ends
        patch.setattr("distributed.Client", lambda *args, **options: pytest.fail("asked"))
        for address in ("nonsense", "tcp://", "host", "tcp://host:port", ""):
            refused(address, newtown, "is no address of a scheduler")
    with monkeypatch.context() as patch:
        patch.setattr("nearer.cluster.pool.versions", lambda: {"nearer": "9.9"})
        refused(cluster.address, newtown, r"Each of 2 workers .* has nearer .*, and 9\.9 is used here")
    with monkeypatch.context() as patch:  # as where every machine has a folder of that name for itself
        patch.setattr("nearer.cluster.pool.written_whole", lambda path: nullcontext(tmp_path / "elsewhere"))
        refused(cluster.address, newtown, r"does not see .*; put the study on a folder that all machines share")
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "distributed", None)
        refused(cluster.address, newtown, r"A cluster needs distributed; install it with pip install 'nearer\[scale\]'")


@pytest.mark.long
def test_a_worker_of_several_threads_is_refused_in_one_sentence(newtown: Path, tmp_path: Path) -> None:
    with processes(tmp_path / "threads", 1, "--nthreads", "2") as other:
        refused(other.address, newtown, "runs 2 jobs at a time; start workers with --nthreads 1")
        command = [sys.executable, "-m", "nearer", "curve", str(newtown), "--cluster", other.address]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stderr
