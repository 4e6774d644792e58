"""How every kernel is compiled, and how kernels are run over chunks on several threads."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any, TypeVar

import numba

Chunk = TypeVar("Chunk")
Result = TypeVar("Result")

# Serial and cached: numba's parallel=True cannot be cached safely, so threads are ours (see `run_chunks`).
kernel: Callable[..., Any] = numba.njit(cache=True, nogil=True, error_model="numpy")


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
