"""The side that asks: workers are checked, jobs handed out, answers taken as they come."""

from __future__ import annotations

import logging
import re
import shutil
import uuid
from collections.abc import Callable, Hashable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Lock
from typing import Any

from nearer.cluster.jobs import (
    Answer,
    Job,
    answer_file,
    checked,
    fingerprint,
    look_around,
    perform,
    read_answer,
    versions,
)
from nearer.cluster.shelf import Message, Shelf, key_of
from nearer.errors import NearerError, UsageError
from nearer.files import written_whole
from nearer.progress import Stop

CONNECT_S = 15
"""Seconds in which a scheduler must answer and a first worker be there."""

_ADDRESS = re.compile(r"(\w+://)?[^\s/]+:[0-9]{1,5}/?")
_POLL_S = 0.1
_ASK_AGAIN_S = 5.0
_LINGER_S = 30.0  # how long jobs under way may take to end once they are asked to


class ClusterError(NearerError):
    """The cluster was lost on the way; what was done stands in the study folder, and the same command goes on."""

    exit_code = 3


class Cluster:
    """
    The workers of a Dask cluster that share a folder with us; see ``joined``.

    Parameters
    ----------
    client
        A connected ``distributed.Client``.
    address
        Of the scheduler, for messages.
    folder
        Where everything that is sent lies.
    """

    def __init__(self, client: Any, address: str, folder: Path) -> None:
        self.client, self.address, self.folder = client, address, folder
        self.session = uuid.uuid4().hex
        self.jobs = self.stood = 0  # asked for, and of those the ones whose answers lay there already
        self.counting = Lock()
        self.rounds = 0  # in which all workers were asked together
        self._known: list[str] = []
        self._ask_again = Stop(_ASK_AGAIN_S)

    @property
    def n_workers(self) -> int:
        """Workers that are there now."""
        return len(self._workers())

    def check(self) -> None:
        """
        Make sure that every worker sees the folder, runs this very program, and does one thing at a time.

        Raises
        ------
        UsageError
            With every worker that does not, and what would mend it.
        """
        token = self.folder / f"here-{self.session}"
        with written_whole(token) as beside:
            beside.write_text(self.session, encoding="utf-8")
        try:
            with self.reachable():
                seen = self.client.run(look_around, str(token), on_error="return")
                workers = self.client.scheduler_info(n_workers=-1)["workers"]
        finally:
            token.unlink(missing_ok=True)
        threads = {name: int(one["nthreads"]) for name, one in workers.items()}
        self._known = sorted(threads)
        wrong: dict[str, list[str]] = {}
        for name, found in sorted(seen.items()):
            if fault := self._fault(found, threads.get(name, 1)):
                wrong.setdefault(fault, []).append(name)
        if wrong:
            raise UsageError("\n".join(f"{_named(workers)} {fault}" for fault, workers in wrong.items()))

    def _fault(self, found: Any, threads: int) -> str | None:
        if isinstance(found, BaseException):
            return f"cannot run nearer ({found}); install nearer[scale] there, in the version used here."
        if found["token"] != self.session:
            return f"does not see {self.folder}; put the study on a folder that all machines share under one path."
        mine = versions()
        for name, own in mine.items():
            if (theirs := found["versions"].get(name)) != own:
                if name == "source":
                    return f"has a nearer {mine['nearer']} of another making; install the same one and start it again."
                return f"has {name} {theirs}, and {own} is used here; install the same and start it again."
        if threads != 1:
            return f"runs {threads} jobs at a time; start workers with --nthreads 1, one for each processor."
        return None

    def place(self, function: Callable[..., Any], calls: Sequence[tuple[Any, ...]]) -> list[Any]:
        """
        Let workers make one thing for each call, and keep it for ``together``.

        A thing is made anew where its worker is lost. It is not bound to a worker by name, since Dask never takes such
        a task up again once the last of these is gone: it says it is large, and work goes to where it lies.
        """
        with self.reachable():
            return [self.client.submit(function, *call, pure=False) for call in calls]

    def together(self, function: Callable[..., Any], placed: Sequence[Any], *more: Any) -> list[Any]:
        """
        What a function makes of each placed thing, all at a time, in their order.

        Raises
        ------
        ClusterError
            The cluster was lost.
        """
        self.rounds += 1
        with self.reachable():
            futures = [
                self.client.submit(checked, fingerprint(), function, thing, *more, pure=False) for thing in placed
            ]
            found: list[Any] = self.client.gather(futures, errors="skip")
        for future in futures:
            if future.status != "finished":
                raise self.failure(future)
        return found

    @contextmanager
    def reachable(self) -> Iterator[None]:
        """
        Whatever the loss of the scheduler comes up as in here, say that it was lost.

        Raises
        ------
        ClusterError
            It was: the connection broke (OSError), futures were given up (CancelledError), or the client has closed,
            for which Dask has no kind of error of its own.
        """
        try:
            yield
        except (OSError, CancelledError) as error:
            raise self.failure(None) from error
        except Exception as error:
            if self.client.status == "running":
                raise
            raise self.failure(None) from error

    def failure(self, future: Any) -> NearerError:
        """What to say of a job that did not end well."""
        again = "what is done stands in the study folder, and the same command goes on from there"
        if future is None or future.status != "error":
            return ClusterError(f"The scheduler at {self.address} was lost; {again}.")
        error = future.exception()
        if isinstance(error, NearerError):
            return error
        if type(error).__name__ == "KilledWorker":
            return ClusterError(
                f"A job ended several workers one after the other, most often for want of memory; {again}. Give "
                "workers more memory, or take a smaller question."
            )
        return ClusterError(f"A job failed on a worker ({type(error).__name__}: {error}); {again}.")

    def _workers(self) -> list[str]:
        """Addresses of the workers, asked for anew every few seconds."""
        if not self._known or self._ask_again():
            with self.reachable():
                self._known = sorted(self.client.scheduler_info(n_workers=-1)["workers"])
            self._ask_again = Stop(_ASK_AGAIN_S)
        return self._known

    def notes(self) -> dict[str, int]:
        """What it did so far, for ``run.json``."""
        return {"workers": len(self._known), "jobs": self.jobs, "stood_already": self.stood, "rounds": self.rounds}

    @contextmanager
    def batch(self, kind: str, *parts: object, keep: bool = True) -> Iterator[Batch]:
        """
        Jobs of one question, in a folder of their own that is taken away once all went well.

        Parameters
        ----------
        kind, parts
            Names of the folder: the same question asked again finds what was answered before.
        keep
            Whether the folder stays where not all went well.
        """
        batch = Batch(self, self.folder / f"{kind}-{key_of(*parts)[:16]}")
        done = False
        try:
            yield batch
            done = True
        finally:
            batch.stop_all()
            if not keep or (done and not batch.stopped):
                shutil.rmtree(batch.folder, ignore_errors=True)


class Batch:
    """
    Jobs of one question.

    Parameters
    ----------
    cluster
        Who does them.
    folder
        Where what they are told and what they answer lies.
    """

    def __init__(self, cluster: Cluster, folder: Path) -> None:
        self.cluster, self.folder, self.shelf = cluster, folder, Shelf(folder)
        self._stop_file = folder / f"stop-{uuid.uuid4().hex}"
        self._done: SimpleQueue[tuple[Hashable, Any]] = SimpleQueue()
        self._futures: dict[Hashable, Any] = {}
        self.stopped = False
        """Whether jobs were asked to end before they were done."""

    def ask(self, name: Hashable, function: Job, message: Message) -> None:
        """Hand out a job; ``answers`` tells its answer under this name."""
        key = key_of(fingerprint(), f"{function.__module__}.{function.__qualname__}", message)
        path = answer_file(self.folder, key)
        stands = path.exists() and read_answer(path) is not None
        with self.cluster.counting:
            self.cluster.jobs += 1
            self.cluster.stood += stands
        if stands:
            self._futures[name] = None
            self._done.put((name, str(path)))
            return
        with self.cluster.reachable():
            future = self.cluster.client.submit(
                *(perform, function, str(self.folder), message, key, str(self._stop_file), fingerprint()),
                key=f"{function.__name__}-{key[:16]}-{self._stop_file.name[-8:]}",
                pure=False,
            )
        self._futures[name] = future
        future.add_done_callback(lambda done: self._done.put((name, done)))

    def answers(self, stop: Stop) -> Iterator[tuple[Any, Answer]]:
        """
        Answers as they come, for as long as any are awaited; more may be asked on the way.

        Once ``stop`` says yes, jobs under way end early and their answers are told; those not begun are dropped.

        Raises
        ------
        ClusterError
            The scheduler was lost, or a job ended its workers again and again.
        """
        stopped: Stop | None = None
        while self._futures:
            if stopped is None and stop():
                self.stop_all()
                stopped = Stop(_LINGER_S)
            if stopped is not None and stopped():
                return
            try:
                name, done = self._done.get(timeout=_POLL_S)
            except Empty:
                continue
            self._futures.pop(name)
            path = done if isinstance(done, str) else self._path_of(done)
            if path is None:
                continue
            answer = read_answer(Path(path))
            if answer is None:
                raise ClusterError(f"A worker's answer cannot be read here: {path}.")
            yield name, answer

    def stop_all(self) -> None:
        """Ask jobs under way to end, and drop those that wait."""
        if self._futures and not self.stopped and self.folder.exists():
            self.stopped = True
            with written_whole(self._stop_file) as beside:
                beside.write_text("", encoding="utf-8")

    def _path_of(self, future: Any) -> str | None:
        if future.status != "finished":
            raise self.cluster.failure(future)
        with self.cluster.reachable():  # done, but the scheduler may be gone that would hand it over
            path: str | None = future.result()
        return path


def _named(workers: list[str]) -> str:
    """A few workers by name, the rest counted."""
    if len(workers) == 1:
        return f"The worker {workers[0]}"
    return f"Each of {len(workers)} workers ({', '.join(workers[:3])}{' …' if len(workers) > 3 else ''})"


@contextmanager
def joined(address: str | None, folder: Path) -> Iterator[Cluster | None]:
    """
    The cluster at an address, its workers checked; None without an address.

    Parameters
    ----------
    address
        Of the scheduler: ``tcp://HOST:8786``.
    folder
        The study folder, which all workers see under the same path.

    Raises
    ------
    UsageError
        Dask is not installed, nobody answers there, there is no worker, or one cannot do this work.
    """
    if address is None:
        yield None
        return
    if not folder.is_dir():
        raise UsageError(f"There is no folder {folder}.")
    try:
        import distributed
    except ImportError as error:
        raise UsageError(f"A cluster needs {error.name}; install it with pip install 'nearer[scale]'.") from None
    if _ADDRESS.fullmatch(address) is None:  # a client that is given one keeps trying until the program ends
        raise UsageError(f"{address!r} is no address of a scheduler: give such as tcp://192.168.0.5:8786.")
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # we say ourselves what was lost
    connect: Any = distributed.Client
    try:
        client = connect(address, timeout=CONNECT_S, set_as_default=False, name="nearer")
    except (OSError, ValueError, TypeError) as error:
        raise UsageError(
            f"No scheduler answers at {address} ({type(error).__name__}); start one with `dask scheduler` and give "
            "the address it prints."
        ) from None
    try:
        try:
            client.wait_for_workers(1, timeout=CONNECT_S)
        except TimeoutError:
            raise UsageError(
                f"The scheduler at {address} has no workers; start some with `dask worker {address} --nthreads 1`."
            ) from None
        cluster = Cluster(client, address, folder.resolve() / ".nearer" / "cluster")
        cluster.check()
        yield cluster
    finally:
        client.close(timeout=2)
