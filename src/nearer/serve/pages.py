"""The pages' own files, read and packed once, and answered without waiting for a thread."""

from __future__ import annotations

import gzip
import hashlib
import stat
from contextlib import suppress
from dataclasses import dataclass
from mimetypes import guess_type
from pathlib import Path

from anyio import to_thread
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from nearer.serve.remembered import Remembered

_SMALL = 400  # bytes that are sent as they are
_PACKED_ALREADY = ("image/png", "image/webp", "image/jpeg", "font/woff2", "application/gzip")


@dataclass(frozen=True)
class Page:
    """
    A file as it is sent.

    Parameters
    ----------
    body, packed
        Its bytes, and the same compressed; None where that saves nothing.
    tag
        Names its content.
    media_type
        What it is.
    """

    body: bytes
    packed: bytes | None
    tag: str
    media_type: str

    @classmethod
    def of(cls, body: bytes, media_type: str) -> Page:
        """Pack it."""
        small = len(body) < _SMALL or media_type in _PACKED_ALREADY
        packed = None if small else gzip.compress(body, 9, mtime=0)
        return cls(body, packed, f'"{hashlib.sha256(body).hexdigest()[:20]}"', media_type)

    def answer(self, asked: Headers) -> Response:
        """The response: nothing for who has it already."""
        headers = {"Vary": "Accept-Encoding", "ETag": self.tag}
        if has_already(asked, self.tag):
            return Response(status_code=304, headers=headers)
        if self.packed is None or "gzip" not in asked.get("accept-encoding", ""):
            return Response(self.body, media_type=self.media_type, headers=headers)
        return Response(self.packed, media_type=self.media_type, headers=headers | {"Content-Encoding": "gzip"})


def has_already(asked: Headers, tag: str) -> bool:
    """Whether who asks named this tag as what they have."""
    return tag in [one.strip().removeprefix("W/") for one in asked.get("if-none-match", "").split(",")]


def _read(file: Path) -> Page:
    return Page.of(file.read_bytes(), guess_type(file.name)[0] or "text/plain")


_pages = Remembered(_read)


async def page_of(file: Path, asked: Headers) -> Response:
    """A file's response; read and packed in a thread at the first asking."""
    page = _pages.held(file)
    if page is None:
        page = await to_thread.run_sync(_pages.of, file)
    return page.answer(asked)


class Static(StaticFiles):
    """A folder of pages; what is no plain file in it is answered as ever."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The response to a path inside the folder."""
        if scope["method"] in ("GET", "HEAD"):
            with suppress(OSError, ValueError):
                file, found = self.lookup_path(path)
                if found is not None and stat.S_ISREG(found.st_mode):
                    return await page_of(Path(file), Headers(scope=scope))
        return await super().get_response(path, scope)
