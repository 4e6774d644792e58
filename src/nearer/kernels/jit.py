"""How every kernel is compiled, and how kernels are run over chunks on several threads."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import numba
from numba.core import event

from nearer.progress import HOLDS

Chunk = TypeVar("Chunk")
Result = TypeVar("Result")

# Serial and cached: numba's parallel=True cannot be cached safely, so threads are ours (see `run_chunks`).
_compiled: Callable[..., Any] = numba.njit(cache=True, nogil=True, error_model="numpy")


class _Compiling(event.Listener):
    """Holds all clocks while something is compiled: a first run has the limits and the seconds of later ones."""

    def on_start(self, event: Any) -> None:
        """One function, perhaps within another."""
        HOLDS.begin()

    def on_end(self, event: Any) -> None:
        """It is compiled, or will not be."""
        HOLDS.end()


event.register("numba:compile", _Compiling())  # type: ignore[no-untyped-call]


def kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function at its first call, or take what an earlier run compiled from the same sources."""
    made: Callable[..., Any] = _compiled(function)
    if hasattr(made, "stats"):  # not where numba is told to compile nothing
        _forget_stale(Path(made.stats.cache_path))
    return made


@cache
def _forget_stale(folder: Path) -> None:
    """
    Forget what was compiled from other sources of any kernel.

    Numba looks at the file of a kernel alone, not at those of the kernels that it calls, which are compiled into it,
    nor at the order of a named tuple's fields. An upgrade that leaves a file as it was would go on with old code.
    """
    sources = hashlib.sha256()
    for file in sorted(Path(__file__).parent.glob("*.py")):
        sources.update(file.name.encode() + b"\0" + file.read_bytes())
    stamp = folder / "sources"
    if stamp.exists() and stamp.read_text() == sources.hexdigest():
        return
    try:
        for index in folder.glob("*.nbi"):
            index.unlink(missing_ok=True)
        folder.mkdir(parents=True, exist_ok=True)
        beside = folder / f"sources-{os.getpid()}"
        beside.write_text(sources.hexdigest())
        beside.replace(stamp)
    except PermissionError:  # Windows, while another process reads them: the next start tries again
        return


def default_threads() -> int:
    """Processors this process may use."""
    try:
        return max(1, len(os.sched_getaffinity(0)))
    except AttributeError:  # not every system tells
        return max(1, os.cpu_count() or 1)


def run_chunks(work: Callable[[Chunk], Result], chunks: Iterable[Chunk], threads: int = 1) -> Iterator[Result]:
    """
    Apply ``work`` to each chunk and yield the results in the order of the chunks, whatever the threads.

    At most ``2 × threads`` chunks are under way or waiting, so memory stays bounded; closing the iterator early leaves
    the chunks not yet begun undone.
    """
    if threads <= 1:
        yield from map(work, chunks)
        return
    todo = iter(chunks)
    with ThreadPoolExecutor(threads) as pool:
        pending = [pool.submit(work, chunk) for chunk in islice(todo, 2 * threads)]
        try:
            while pending:
                result = pending.pop(0).result()
                pending.extend(pool.submit(work, chunk) for chunk in islice(todo, 1))
                yield result
        finally:
            for future in pending:
                future.cancel()
