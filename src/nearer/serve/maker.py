"""Who makes what maps say: one at a time, what somebody waits for first, in a process of its own beside the server."""

from __future__ import annotations

import contextlib
import itertools
import pickle
import queue
import subprocess
import sys
import threading
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from nearer.errors import NearerError
from nearer.serve.rev import rev_of
from nearer.serve.wish import Wish

if TYPE_CHECKING:
    from nearer.serve.making import Making

NOW, SOON = 0, 1
"""Somebody waits; or what a visit that is to come will need."""

_READ_S = 4.0
"""A study whose map was shown without is read so long after, so that the page comes first."""


class Maker:
    """
    A line of wishes and who fulfils them.

    Parameters
    ----------
    apart
        Whether in a process of its own, which begins with the first wish; else in a thread.
    """

    def __init__(self, apart: bool = False) -> None:
        self._apart = apart
        self._wishes: queue.PriorityQueue[tuple[int, int, Wish | None, Future[Any]]] = queue.PriorityQueue()
        self._count = itertools.count()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._making: Making | None = None
        self._read: dict[Path, str] = {}
        self._ended = False

    @property
    def pid(self) -> int | None:
        """Number of its process; None where it has none yet."""
        return None if self._process is None else self._process.pid

    def make(self, wish: Wish) -> Future[bytes]:
        """What is wished for, compressed; the future raises what kept it from being made."""
        return cast("Future[bytes]", self._ask(NOW, wish))

    def warm(self, folder: Path, plan: tuple[str, int, int] | None = None) -> None:
        """Have ready what the first visit to a study, or to a plan of it, will ask for."""
        with contextlib.suppress(NearerError, OSError):  # what is wrong with it is told to who asks
            wish = Wish(folder, rev_of(folder), "first", plan or ())
            self._ask(SOON, wish).add_done_callback(self._go_on)

    def read_soon(self, folder: Path) -> None:
        """Read a study whose map may have come from the shelf: the next click may need it."""
        with contextlib.suppress(NearerError, OSError):
            rev = rev_of(folder)
            if self._read.get(folder) == rev:
                return
            self._read[folder] = rev
            timer = threading.Timer(_READ_S, lambda: self._ask(SOON, Wish(folder, rev, "read")))
            timer.daemon = True
            timer.start()

    def close(self) -> None:
        """Make nothing more."""
        with self._lock:
            self._ended = True
            thread, process = self._thread, self._process
        self._wishes.put((NOW, -1, None, Future()))
        if process is not None:
            process.kill()  # what it writes is written whole or not at all
        if thread is not None:
            thread.join(timeout=10)

    def _go_on(self, done: Future[Any]) -> None:
        if not done.cancelled() and done.exception() is None:
            for wish in done.result():
                self._ask(SOON, wish)

    def _ask(self, when: int, wish: Wish) -> Future[Any]:
        future: Future[Any] = Future()
        with self._lock:
            if self._ended:
                future.cancel()
                return future
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="maps", daemon=True)
                self._thread.start()
        self._wishes.put((when, next(self._count), wish, future))
        return future

    def _work(self) -> None:
        while True:
            _, _, wish, future = self._wishes.get()
            if wish is None:
                break
            if future.set_running_or_notify_cancel():
                true, what = self._there(wish) if self._apart else self._here(wish)
                if true:
                    future.set_result(what)
                else:
                    future.set_exception(what)
        with contextlib.suppress(queue.Empty):
            while True:
                self._wishes.get_nowait()[3].cancel()
        self._end()

    def _here(self, wish: Wish) -> tuple[bool, Any]:
        from nearer.serve.making import Making, answered

        if self._making is None:
            self._making = Making()
        return answered(self._making, wish)

    def _there(self, wish: Wish) -> tuple[bool, Any]:
        try:
            process = self._begun()
            assert process.stdin is not None
            assert process.stdout is not None
            pickle.dump(wish, process.stdin)
            process.stdin.flush()
            return cast("tuple[bool, Any]", pickle.load(process.stdout))
        except (OSError, EOFError, pickle.UnpicklingError):
            self._end()
            text = "The map could not be made: its process ended. There may not be enough memory; try again."
            return False, NearerError(text)

    def _begun(self) -> subprocess.Popen[bytes]:
        with self._lock:
            if self._process is None and not self._ended:
                command = [sys.executable, "-m", "nearer.serve.making"]
                # a session of its own, so that Ctrl-C in the server's window is the server's to deal with
                self._process = subprocess.Popen(
                    command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
                )
            if self._process is None:
                raise EOFError
            return self._process

    def _end(self) -> None:
        with self._lock:
            process, self._process = self._process, None
            self._read.clear()
        if process is not None:
            process.kill()
            process.wait()
            for end in (process.stdin, process.stdout):
                with contextlib.suppress(OSError):
                    if end is not None:
                        end.close()
