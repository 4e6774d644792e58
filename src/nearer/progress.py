"""How long work tells where it stands, and how it is asked to stop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol
from weakref import WeakSet


class Tick(Protocol):
    """
    Reports ``steps`` more done, with an optional short ``note`` ("gap 0.3 %").

    ``closing`` is the value and the bound of a search, in the solver's own unit; they may not be finite yet.
    """

    def __call__(self, steps: int = 1, note: str = "", closing: tuple[float, float] | None = None) -> None:
        """Report progress."""


class Progress(Protocol):
    """Where long work reports; the command line draws bars, a job writes events, tests collect."""

    def step(self, label: str, total: int | None = None) -> AbstractContextManager[Tick]:
        """Open one named step of ``total`` ticks (unknown if None); closing the context ends it."""


class Silent:
    """Says nothing."""

    @contextmanager
    def step(self, label: str, total: int | None = None) -> Iterator[Tick]:
        """Accept a step and ignore its ticks."""

        def tick(steps: int = 1, note: str = "", closing: tuple[float, float] | None = None) -> None:
            return None

        yield tick


class Stop:
    """
    The one place that long work asks whether to go on; called between pieces of at most 0.2 s.

    Parameters
    ----------
    time_limit_s
        Seconds from now after which the answer is yes; None for no limit.
    clock
        Seconds that only go forward; tests give their own.
    """

    def __init__(self, time_limit_s: float | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._start_s = clock()
        self._held_s: float | None = None
        self._limit_s = time_limit_s
        self._cancelled = threading.Event()
        self._full, self._filled = False, threading.Event()
        HOLDS.watch(self)

    def within(self, time_limit_s: float | None) -> Stop:
        """A stop with a time limit of its own, counted from now, that is cancelled when this one is."""
        part = Stop(time_limit_s, self._clock)
        part._cancelled, part._filled = self._cancelled, self._filled
        return part

    def cancel(self) -> None:
        """Ask the work to stop (Ctrl-C, a button)."""
        self._cancelled.set()

    @property
    def cancelled(self) -> bool:
        """Whether somebody asked to stop, as opposed to the clock."""
        return self._cancelled.is_set()

    def fill(self) -> None:
        """Ask the work under this stop, not what comes after it, to end with what it has, since memory runs short."""
        self._full = True
        self._filled.set()

    @property
    def full(self) -> bool:
        """Whether some work, here or in a part, ended since memory ran short."""
        return self._filled.is_set()

    @property
    def elapsed_s(self) -> float:
        """Seconds since this was made, but for those in which clocks were held."""
        held_s = self._held_s
        return (self._clock() if held_s is None else held_s) - self._start_s

    @property
    def remaining_s(self) -> float:
        """Seconds left, never below zero; ``inf`` without a limit."""
        return float("inf") if self._limit_s is None else max(0.0, self._limit_s - self.elapsed_s)

    def __call__(self) -> bool:
        """Whether to stop now."""
        return self.cancelled or self._full or self.remaining_s <= 0.0

    def hold(self) -> None:
        """Let the clock stand still."""
        self._held_s = self._clock()

    def go_on(self) -> None:
        """Let the clock run again."""
        if self._held_s is not None:
            self._start_s += self._clock() - self._held_s
            self._held_s = None


class Holds:
    """
    Holds the clocks of all stops while something is done that later runs need not do: compiling, once.

    Attributes
    ----------
    tell
        Called when clocks are held for the first time; None = nobody.
    """

    def __init__(self) -> None:
        self.tell: Callable[[], None] | None = None
        self._stops: WeakSet[Stop] = WeakSet()
        self._depth = 0
        self._guard = threading.RLock()

    def watch(self, stop: Stop) -> None:
        """Hold the clock of a stop too, now and later."""
        with self._guard:
            self._stops.add(stop)
            if self._depth:
                stop.hold()

    def begin(self) -> None:
        """Hold all clocks; holds may be nested."""
        with self._guard:
            self._depth += 1
            if self._depth == 1:
                for stop in self._stops:
                    stop.hold()
                if self.tell is not None:
                    self.tell()
                    self.tell = None

    def end(self) -> None:
        """Let all clocks run again, once the outermost hold ends."""
        with self._guard:
            self._depth -= 1
            if self._depth == 0:
                for stop in self._stops:
                    stop.go_on()


HOLDS = Holds()
