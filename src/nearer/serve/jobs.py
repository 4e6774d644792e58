"""Jobs in worker processes of their own, kept on disk, so that neither a reload nor a restart loses one."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any, Literal

from nearer.files import written_whole
from nearer.serve.studies import HIDDEN, NotThereError

Kind = Literal["plan", "gaps", "curve", "stress", "frontier", "sensitivity", "agencies"]
State = Literal["waiting", "running", "done", "stopped", "failed", "cancelled"]

JOB, OUTCOME, EVENTS, ALIVE, STOP = "job.json", "outcome.json", "events.jsonl", "alive", "stop"
STALE_S = 20.0
"""A worker that has not touched its file for so long is gone."""

TRIES = 2
"""A job whose worker is lost with the machine is begun again once."""

_ENDED = ("done", "stopped", "failed", "cancelled")
_PAUSE_S = 0.2
_LAST, _AROUND_S, _LEAST_S = 5, 10.0, 5.0
"""Jobs that tell how long the next will take; what reading and writing take; what one that ran longer has left."""


@dataclass(frozen=True)
class Job:
    """
    One job.

    Parameters
    ----------
    id, study
        Number as text, and the study's folder name.
    kind, request
        What is asked, and how.
    state
        ``stopped`` is a job that was asked to end early and kept its best; ``cancelled`` one that kept nothing.
    made, began, ended
        Times, ISO 8601.
    tries
        How often it was begun.
    outcome
        What came of it: figures, or the error with its faults.
    """

    id: str
    study: str
    kind: Kind
    request: dict[str, Any]
    state: State = "waiting"
    made: str = ""
    began: str | None = None
    ended: str | None = None
    tries: int = 0
    outcome: dict[str, Any] = field(default_factory=dict)

    @property
    def ended_already(self) -> bool:
        """Whether nothing more will happen."""
        return self.state in _ENDED


def job_folder(study: Path, ident: str) -> Path:
    """Where a job lives."""
    return study / HIDDEN / "jobs" / ident


def now() -> str:
    """The time, ISO 8601, whole seconds."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def write_json(path: Path, value: Any) -> None:
    """Write a small file whole or not at all."""
    with written_whole(path) as beside:
        beside.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")


def _since_s(moment: str | None, until: str | None = None) -> float:
    """Seconds from a moment to another, or to now."""
    if moment is None:
        return 0.0
    end = datetime.fromisoformat(until) if until else datetime.now(UTC)
    return max(0.0, (end - datetime.fromisoformat(moment)).total_seconds())


def _likely_s(job: Job, jobs: list[Job]) -> float:
    """How long a job is likely to run: the middle of the last few that were like it."""
    like = [
        one for one in jobs if one.kind == job.kind and one.state in ("done", "stopped") and one.began and one.ended
    ]
    like = [one for one in like if one.study == job.study] or like
    if like:
        last = sorted(like, key=lambda one: one.ended or "")[-_LAST:]
        return float(median(_since_s(one.began, one.ended) for one in last))
    return _AROUND_S + float(job.request.get("time_limit_s", 0.0))


class Queue:
    """
    Jobs of all studies, so many at a time.

    Parameters
    ----------
    home
        The folder of studies.
    workers
        Jobs that run at once.
    threads
        Threads of each.
    done
        Told of each job that has ended and kept something; it returns at once.
    """

    def __init__(self, home: Path, workers: int, threads: int, done: Callable[[Job], None] = lambda job: None) -> None:
        self.home, self.workers, self.threads = home, workers, threads
        self._done = done
        self._jobs: dict[tuple[str, str], Job] = {}
        self._processes: dict[tuple[str, str], subprocess.Popen[bytes]] = {}
        self._ending: list[subprocess.Popen[bytes]] = []
        self._lock = threading.RLock()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Take up what was left, and begin."""
        self._read_all()
        self._thread = threading.Thread(target=self._work, name="jobs", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Begin nothing more; workers that run go on and are taken up by the next server."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join(timeout=5)
        for process in self._ending:  # these have written their outcome
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=5)

    def submit(self, study: str, kind: Kind, request: dict[str, Any]) -> Job:
        """Put a job at the end of the queue."""
        folder = self.home / study / HIDDEN / "jobs"
        with self._lock:
            taken = [int(one.name) for one in folder.iterdir() if one.name.isdigit()] if folder.is_dir() else []
            plans = self.home / study / "plans"
            taken += [int(one.name) for one in plans.iterdir() if one.name.isdigit()] if plans.is_dir() else []
            job = Job(str(max(taken, default=0) + 1), study, kind, request, made=now())
            self._keep(job)
            return job

    def get(self, study: str, ident: str) -> Job:
        """
        A job.

        Raises
        ------
        NotThereError
            There is none of this number.
        """
        with self._lock:
            job = self._jobs.get((study, ident))
        if job is None:
            raise NotThereError(f"There is no job {ident} in this study.")
        return job

    def of(self, study: str) -> list[Job]:
        """Jobs of a study, newest first."""
        with self._lock:
            return sorted((job for job in self._jobs.values() if job.study == study), key=lambda job: -int(job.id))

    def place(self, job: Job) -> int:
        """How many jobs are before a waiting one; 0 for one that is next, or runs."""
        with self._lock:
            waiting = self._waiting()
        keys = [(one.study, one.id) for one in waiting]
        return keys.index((job.study, job.id)) if (job.study, job.id) in keys else 0

    def begins_in_s(self, job: Job) -> float | None:
        """
        How long a waiting job is likely to wait, seconds; None for one that does not.

        What ran before tells: jobs of the same study and kind, else of the same kind, else what they are given.
        """
        if job.state != "waiting":
            return None
        with self._lock:
            jobs = list(self._jobs.values())
            waiting = self._waiting()
        running = [one for one in jobs if one.state == "running"]
        free = [max(_likely_s(one, jobs) - _since_s(one.began), _LEAST_S) for one in running]
        free = sorted(free + [0.0] * (self.workers - len(free)))
        for one in waiting:
            if (one.study, one.id) == (job.study, job.id):
                break
            free = sorted([*free[1:], free[0] + _likely_s(one, jobs)])
        return float(round(free[0] / 5) * 5)  # no finer than it can be known, so that pages are not told at every look

    def stop(self, study: str, ident: str, keep: bool) -> Job:
        """Ask a job to end: with the best it has, or with nothing."""
        with self._lock:
            job = self.get(study, ident)
            if job.ended_already:
                return job
            if job.state == "waiting":
                job = replace(job, state="cancelled", ended=now())
                self._keep(job)
                return job
            with written_whole(job_folder(self.home / study, ident) / STOP) as beside:
                beside.write_text("keep" if keep else "drop", encoding="utf-8")
            return job

    def events(self, job: Job, start: int) -> tuple[list[dict[str, Any]], int]:
        """What the worker wrote from byte ``start`` on, and where to go on from."""
        path = job_folder(self.home / job.study, job.id) / EVENTS
        try:
            with path.open("rb") as file:
                file.seek(start)
                body = file.read(1_000_000)
        except OSError:
            return [], start
        whole = body.rfind(b"\n") + 1
        return [json.loads(line) for line in body[:whole].splitlines() if line], start + whole

    def told(self, job: Job) -> dict[str, Any]:
        """A job as plain values, with its place and when it is likely to begin."""
        return asdict(job) | {"place": self.place(job), "begins_in_s": self.begins_in_s(job)}

    def newest_told(self, study: str, most: int) -> list[dict[str, Any]]:
        """The newest jobs of a study as plain values, all as of one moment."""
        with self._lock:
            return [self.told(job) for job in self.of(study)[:most]]

    def _keep(self, job: Job) -> None:
        self._jobs[(job.study, job.id)] = job
        write_json(job_folder(self.home / job.study, job.id) / JOB, asdict(job))

    def _waiting(self) -> list[Job]:
        waiting = [job for job in self._jobs.values() if job.state == "waiting"]
        return sorted(waiting, key=lambda job: (job.made, job.study, int(job.id)))

    def _read_all(self) -> None:
        if not self.home.is_dir():
            return
        for path in self.home.glob(f"*/{HIDDEN}/jobs/*/{JOB}"):
            with contextlib.suppress(OSError, ValueError, TypeError):
                job = Job(**json.loads(path.read_text(encoding="utf-8")))
                self._jobs[(path.parents[3].name, job.id)] = replace(job, study=path.parents[3].name)

    def _work(self) -> None:
        while not self._ended.wait(_PAUSE_S):
            with self._lock, contextlib.suppress(OSError):  # a full disk today may have room tomorrow
                self._ending = [process for process in self._ending if process.poll() is None]
                for job in [job for job in self._jobs.values() if job.state == "running"]:
                    self._look_after(job)
                running = sum(job.state == "running" for job in self._jobs.values())
                for job in self._waiting()[: max(0, self.workers - running)]:
                    self._begin(job)

    def _begin(self, job: Job) -> None:
        folder = job_folder(self.home / job.study, job.id)
        for name in (OUTCOME, STOP):
            (folder / name).unlink(missing_ok=True)
        (folder / ALIVE).touch()
        command = [
            sys.executable,
            "-m",
            "nearer.serve.worker",
            str(folder),
            str(self.home / job.study),
            str(self.threads),
        ]
        with (folder / "log.txt").open("ab") as log:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, close_fds=True
            )
        self._processes[(job.study, job.id)] = process
        self._keep(replace(job, state="running", began=now(), tries=job.tries + 1))

    def _look_after(self, job: Job) -> None:
        """Note that a job has ended, or that its worker is gone."""
        key, folder = (job.study, job.id), job_folder(self.home / job.study, job.id)
        process = self._processes.get(key)
        ended = process is not None and process.poll() is not None
        try:
            outcome = json.loads((folder / OUTCOME).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            outcome = None
        if outcome is not None:
            if (still := self._processes.pop(key, None)) is not None:
                self._ending.append(still)
            ended_job = replace(job, state=outcome.pop("state"), ended=now(), outcome=outcome)
            self._keep(ended_job)
            if ended_job.state in ("done", "stopped"):
                self._done(ended_job)
            return
        try:
            stale = time.time() - (folder / ALIVE).stat().st_mtime > STALE_S
        except OSError:
            stale = True
        if ended:
            self._processes.pop(key, None)
            text = "The worker ended without a word; there may not have been enough memory."
            self._keep(replace(job, state="failed", ended=now(), outcome={"error": text, "faults": []}))
        elif process is None and stale:  # of an earlier server, and gone with its machine
            state: State = "waiting" if job.tries < TRIES else "failed"
            self._keep(replace(job, state=state, outcome={"error": "It was cut off twice.", "faults": []}))
