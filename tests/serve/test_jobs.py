"""Jobs: queued, stopped, lost and found again."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from nearer.serve.jobs import EVENTS, JOB, OUTCOME, Job, Queue, State, job_folder
from nearer.serve.studies import plans_told
from nearer.serve.worker import run_job

from .conftest import end_server, start_server, write_rows


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[Queue]:
    write_rows(tmp_path / "rows")
    queue = Queue(tmp_path, workers=1, threads=1)
    queue.start()
    yield queue
    queue.close()
    for process in queue._processes.values():
        process.kill()
        process.wait()


def until(true: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_jobs_run_one_after_the_other_and_show_their_place(queue: Queue, tmp_path: Path) -> None:
    first, second, third = (queue.submit("rows", "plan", {}) for _ in range(3))
    assert [first.id, second.id, third.id] == ["1", "2", "3"]
    assert queue.place(third) == 2
    queue.stop("rows", second.id, keep=True)
    assert queue.get("rows", second.id).state == "cancelled", "one that waits has nothing to keep"
    until(lambda: queue.get("rows", first.id).ended_already)
    assert queue.get("rows", first.id).state == "done"
    assert [plan["id"] for plan in plans_told(tmp_path / "rows")] == ["1"]
    events, _ = queue.events(first, 0)
    closing = [event for event in events if event.get("bound") is not None]
    assert closing[-1]["value"] == closing[-1]["bound"], "value and bound have met"
    queue.stop("rows", third.id, keep=False)
    until(lambda: queue.get("rows", third.id).ended_already)


def test_a_server_that_starts_again_takes_up_jobs_that_ran_on(queue: Queue, tmp_path: Path) -> None:
    job = queue.submit("rows", "plan", {})
    until(lambda: queue.get("rows", job.id).state == "running")
    queue.close()  # as when the server ends: its worker does not
    again = Queue(tmp_path, workers=1, threads=1)
    again.start()
    try:
        assert again.get("rows", job.id).state == "running"
        until(lambda: again.get("rows", job.id).ended_already)
        assert again.get("rows", job.id).state == "done"
        assert again.submit("rows", "plan", {}).id == "2"
    finally:
        again.stop("rows", "2", keep=False)
        until(lambda: again.get("rows", "2").ended_already)
        again.close()


def test_one_that_waits_is_told_when_it_is_likely_to_begin(tmp_path: Path) -> None:
    write_rows(tmp_path / "rows")
    queue = Queue(tmp_path, workers=1, threads=1)  # never started: nothing runs but what is said to
    now = datetime.now(UTC)

    def said(ident: str, state: State, began_s: float = 0.0, ended_s: float | None = None) -> Job:
        job = Job(ident, "rows", "plan", {"time_limit_s": 60}, state, made=now.isoformat())
        if state != "waiting":
            job = replace(job, began=(now - timedelta(seconds=began_s)).isoformat())
        if ended_s is not None:
            job = replace(job, ended=(now - timedelta(seconds=ended_s)).isoformat())
        queue._keep(job)
        return job

    running, first, second = said("1", "running", 20), said("2", "waiting"), said("3", "waiting")
    assert queue.begins_in_s(running) is None
    assert queue.begins_in_s(first) == 50, "60 s are given, 10 s for reading and writing, 20 s have gone"
    assert queue.begins_in_s(second) == 50 + 70
    said("4", "done", 1000, 960)
    assert queue.begins_in_s(second) == 20 + 40, "one like it took 40 s"
    said("1", "running", 500)
    assert queue.begins_in_s(first) == 5, "nobody knows of one that takes longer than others"
    queue.workers = 2
    assert queue.begins_in_s(first) == 0
    assert queue.begins_in_s(second) == 5


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no kill -9 here")
def test_a_killed_server_loses_neither_what_runs_nor_what_waits(tmp_path: Path) -> None:
    write_rows(tmp_path / "rows")
    process, server = start_server(tmp_path, "--workers", "1")
    try:
        where = f"{server.address}/api/studies/rows"
        made = [httpx.post(f"{where}/jobs", json={"kind": "plan"}).json()["id"] for _ in range(2)]
        until(lambda: httpx.get(f"{where}/jobs/{made[0]}").json()["state"] != "waiting")
    finally:
        process.kill()
        end_server(process)
    process, server = start_server(tmp_path, "--workers", "1")
    try:
        where = f"{server.address}/api/studies/rows"
        until(lambda: all(httpx.get(f"{where}/jobs/{ident}").json()["state"] == "done" for ident in made), 120)
        assert sorted(plan["id"] for plan in httpx.get(where).json()["plans"]) == made == ["1", "2"]
    finally:
        end_server(process)


def test_a_worker_that_dies_is_said_to_have_failed(queue: Queue, tmp_path: Path) -> None:
    job = queue.submit("rows", "plan", {})
    until(lambda: ("rows", job.id) in queue._processes)
    queue._processes[("rows", job.id)].kill()
    until(lambda: queue.get("rows", job.id).ended_already)
    assert queue.get("rows", job.id).state == "failed"
    assert "memory" in queue.get("rows", job.id).outcome["error"]


def test_what_is_wrong_with_a_study_comes_back_as_faults(queue: Queue, tmp_path: Path) -> None:
    people = tmp_path / "rows" / "people.csv"
    people.write_text(people.read_text().replace("a,0,0.000,100", "a,0,0.000,many"), encoding="utf-8")
    job = queue.submit("rows", "plan", {})
    until(lambda: queue.get("rows", job.id).ended_already)
    found = queue.get("rows", job.id)
    assert found.state == "failed"
    assert (found.outcome["faults"][0]["row"], found.outcome["faults"][0]["column"]) == (2, "population")


def test_half_a_line_of_progress_is_left_for_the_next_look(tmp_path: Path) -> None:
    queue = Queue(tmp_path, workers=1, threads=1)
    job = queue.submit("rows", "plan", {})
    folder = job_folder(tmp_path / "rows", job.id)
    line = json.dumps({"s": 1, "step": "x"})
    (folder / EVENTS).write_text(line + "\n" + line[:5], encoding="utf-8")
    events, at = queue.events(job, 0)
    assert events == [{"s": 1, "step": "x"}]
    (folder / EVENTS).write_text((line + "\n") * 2, encoding="utf-8")
    assert queue.events(job, at)[0] == [{"s": 1, "step": "x"}]
    assert not (folder / OUTCOME).exists()


def test_a_page_is_written_in_the_language_of_whoever_asked_and_what_is_kept_in_english(tmp_path: Path) -> None:
    study = tmp_path / "rows"
    write_rows(study)
    kept = []
    for code in ("en", "es"):
        job = {"id": "1", "kind": "curve", "request": {"to": 2, "language": code}}
        folder = tmp_path / code
        folder.mkdir()
        (folder / JOB).write_text(json.dumps(job), encoding="utf-8")
        assert run_job(folder, study, 1)["state"] == "done"
        assert f'<html lang="{code}"' in (study / "curve" / "curve.html").read_text(encoding="utf-8")
        kept.append((study / "curve" / "curve.json").read_bytes())
    assert kept[0] == kept[1]
