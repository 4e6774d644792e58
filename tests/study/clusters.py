"""A real Dask cluster of separate processes on this machine, which tests may kill parts of."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Processes:
    """A scheduler and its workers, each with a nanny that starts it again."""

    folder: Path
    address: str = ""
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, *command: str, name: str) -> subprocess.Popen[bytes]:
        with (self.folder / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "dask", *command], stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )
        self.started.append(process)
        return process

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text(encoding="utf-8", errors="replace")

    def worker_pids(self) -> list[int]:
        """The processes that do the work, as opposed to their nannies."""
        nanny = self.started[1].pid
        found = []
        for entry in Path("/proc").iterdir():
            try:
                stat = (entry / "stat").read_text() if entry.name.isdigit() else ""
                line = (entry / "cmdline").read_bytes() if stat else b""
            except OSError:
                continue
            if stat and int(stat.rsplit(")", 1)[1].split()[1]) == nanny and b"spawn_main" in line:
                found.append(int(entry.name))
        return found

    def kill_scheduler(self) -> None:
        self.started[0].send_signal(signal.SIGKILL)

    def end(self) -> None:
        for process in self.started:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
            process.wait()


@contextmanager
def processes(folder: Path, workers: int = 2, *more: str) -> Iterator[Processes]:
    """A scheduler and workers of one thread each, ended with everything they started."""
    folder.mkdir(parents=True, exist_ok=True)
    made = Processes(folder)
    try:
        made.start("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", name="scheduler")
        wait(lambda: bool(re.search(r"Scheduler at:\s+tcp://", made.log("scheduler"))), made, "scheduler")
        match = re.search(r"Scheduler at:\s+(tcp://\S+)", made.log("scheduler"))
        assert match
        made.address = match[1]
        nthreads = () if "--nthreads" in more else ("--nthreads", "1")
        options = (*nthreads, "--nworkers", str(workers), "--no-dashboard", "--memory-limit", "2GB", *more)
        made.start("worker", made.address, "--host", "127.0.0.1", *options, name="workers")
        wait(lambda: made.log("workers").count("Registered to:") >= workers, made, "workers")
        yield made
    finally:
        made.end()


def wait(condition: Callable[[], bool], made: Processes, name: str, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, made.log(name)
        time.sleep(0.05)


@contextmanager
def once(condition: Callable[[], bool], act: Callable[[], object]) -> Iterator[list[object]]:
    """Act as soon as something is so, while the body runs; what the act returned is told."""
    told: list[object] = []
    ended = threading.Event()

    def watch() -> None:
        while not ended.is_set():
            if condition():
                told.append(act())
                return
            time.sleep(0.005)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield told
    finally:
        ended.set()
        thread.join()
