"""When a solver stops: the clock, a person, a deterministic amount of work, or memory that runs short."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from nearer.memory import free_bytes, held_bytes
from nearer.progress import Stop

LP_ITERATION_WORK = 2_000
"""Work of one simplex iteration, in entries scanned by a kernel: roughly equal seconds."""

_LOOK_S = 0.5  # between looks at memory
_SPARE = 256_000_000  # bytes left free; and a search that did not take so many is not what fills the machine


@dataclass
class Budget:
    """
    Work done so far against what may be done.

    A search that has filled the memory it found, but for what it takes to write its proof, ends with the bound it has,
    as if its time were up: ``stop.full`` tells.

    Parameters
    ----------
    stop
        The clock and Ctrl-C.
    limit
        Entries of sparse rows that may be scanned (about a hundred million a second); None for no limit. Unlike
        seconds it ends a run at the same point on every machine.
    """

    stop: Stop
    limit: int | None = None
    spent: int = field(default=0, init=False)
    ahead: Callable[[], int] | None = field(default=None, init=False)
    """Bytes that it will take to put together and write what was found, as far as it got."""
    _look_at_s: float = field(default=0.0, init=False)
    _held_before: int | None = field(default=None, init=False)

    def spend(self, work: int) -> None:
        """Count work done."""
        self.spent += int(work)

    def exhausted(self) -> bool:
        """Whether to end now."""
        return (self.limit is not None and self.spent >= self.limit) or self.stop() or self._short()

    def _short(self) -> bool:
        now_s = self.stop.elapsed_s
        if now_s < self._look_at_s:
            return False
        self._look_at_s = now_s + _LOOK_S
        held, free = held_bytes(), free_bytes()
        if held is None or free is None:
            return False
        if self._held_before is None:
            self._held_before = held
        if held - self._held_before >= _SPARE and free < _SPARE + (0 if self.ahead is None else self.ahead()):
            self.stop.fill()
        return self.stop()

    def left(self) -> Budget:
        """A budget of its own of what is left, for work that others do at the same time."""
        return Budget(self.stop, None if self.limit is None else max(self.limit - self.spent, 0))
