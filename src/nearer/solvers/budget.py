"""When a solver stops: the clock, a person, or a deterministic amount of work."""

from __future__ import annotations

from dataclasses import dataclass, field

from nearer.progress import Stop

LP_ITERATION_WORK = 2_000
"""Work of one simplex iteration, in entries scanned by a kernel: roughly equal seconds."""


@dataclass
class Budget:
    """
    Work done so far against what may be done.

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

    def spend(self, work: int) -> None:
        """Count work done."""
        self.spent += int(work)

    def exhausted(self) -> bool:
        """Whether to end now."""
        return (self.limit is not None and self.spent >= self.limit) or self.stop()

    def left(self) -> Budget:
        """A budget of its own of what is left, for work that others do at the same time."""
        return Budget(self.stop, None if self.limit is None else max(self.limit - self.spent, 0))
