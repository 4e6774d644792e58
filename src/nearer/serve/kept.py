"""Answers about a study, made once for everybody: held in memory, named, and answered without waiting for a thread."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from pathlib import Path

from anyio import CapacityLimiter, to_thread
from fastapi import Request, Response

from nearer.serve.pages import has_already
from nearer.serve.shelf import Shelf

MOST_HELD_BYTES = 16_000_000
"""Of all studies in memory: some three thousand tiles; what was not asked for lately is read from the shelf again."""

_SMALL = 400  # bytes that are sent as they are
_FOREVER = {"Cache-Control": "private, max-age=86400, immutable"}
_AT_ONCE = 4  # threads that look on disk: who hands over meanwhile does not wait for one

Key = tuple[Path, str, str]


class Kept:
    """
    Answers by study, state of its data, and what was asked; for one event loop.

    Parameters
    ----------
    shelf
        Where the next server finds them.
    most_held
        Bytes in memory.
    """

    def __init__(self, shelf: Shelf, most_held: int = MOST_HELD_BYTES) -> None:
        self.shelf = shelf
        self._most_held = most_held
        self._held: OrderedDict[Key, bytes] = OrderedDict()
        self._size = 0
        self._making: dict[Key, asyncio.Task[bytes]] = {}
        self._threads = CapacityLimiter(_AT_ONCE)

    def held(self, study: Path, rev: str, asked: str) -> bytes | None:
        """An answer that is in memory, compressed; None for one that is not."""
        key = (study, rev, asked)
        found = self._held.get(key)
        if found is not None:
            self._held.move_to_end(key)
        return found

    async def packed(self, study: Path, rev: str, asked: str, make: Callable[[], Awaitable[bytes]]) -> bytes:
        """
        An answer, compressed; who asks while it is being made waits for the same one.

        Parameters
        ----------
        study
            Its folder.
        rev
            Names the data it follows from.
        asked
            Names it among those of the study.
        make
            Makes it, puts it on the shelf and returns it compressed; called where nobody asked for it before.
        """
        if (found := self.held(study, rev, asked)) is not None:
            return found
        key = (study, rev, asked)
        task = self._making.get(key)
        if task is None:
            task = asyncio.create_task(self._found_or_made(key, make))
            self._making[key] = task
            task.add_done_callback(lambda done: self._ended(key, done))
        return await asyncio.shield(task)  # one who leaves takes nothing from the others

    async def made_here(self, study: Path, rev: str, asked: str, make: Callable[[], bytes]) -> bytes:
        """Make something that is quickly made, in a thread, and put it on the shelf."""
        return await to_thread.run_sync(lambda: self.shelf.put(study, rev, asked, make()), limiter=self._threads)

    async def _found_or_made(self, key: Key, make: Callable[[], Awaitable[bytes]]) -> bytes:
        found = await to_thread.run_sync(self.shelf.read, *key, limiter=self._threads)
        if found is None:
            found = await make()
        self._held[key] = found
        self._size += len(found)
        while self._size > self._most_held and len(self._held) > 1:
            self._size -= len(self._held.popitem(last=False)[1])
        return found

    def _ended(self, key: Key, task: asyncio.Task[bytes]) -> None:
        del self._making[key]
        if not task.cancelled():
            task.exception()  # told to whoever waited; nobody may have


async def told(
    kept: Kept,
    request: Request,
    study: Path,
    rev: str,
    asked: str,
    make: Callable[[], Awaitable[bytes]],
    media_type: str = "application/json",
    forever: bool = False,
) -> Response:
    """
    The response to a question whose answer follows from a study's data alone.

    Parameters
    ----------
    kept, study, rev, asked, make
        As for ``Kept.packed``.
    request
        What the browser has already, and what it can unpack.
    media_type
        Of the bytes; none are a 204.
    forever
        Whether the address names the data, so that a browser need not ask again.
    """
    # The tag follows from the data and from what was asked: nothing is made to tell that nothing has changed.
    tag = f'"{hashlib.sha256(f"{rev} {asked}".encode()).hexdigest()[:20]}"'
    headers = {"Vary": "Accept-Encoding"} | (_FOREVER if forever else {"ETag": tag})
    if not forever and has_already(request.headers, tag):
        return Response(status_code=304, headers=headers)
    packed = await kept.packed(study, rev, asked, make)
    if len(packed) < _SMALL or "gzip" not in request.headers.get("accept-encoding", ""):
        body = gzip.decompress(packed)
        return Response(body, media_type=media_type, headers=headers) if body else Response(None, 204, headers)
    return Response(packed, media_type=media_type, headers={"Content-Encoding": "gzip", **headers})
