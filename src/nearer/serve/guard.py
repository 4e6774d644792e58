"""What every request must be before anything reads it: for this host, from these pages, and not too large."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

if TYPE_CHECKING:
    from fastapi.telemetry import TelemetryConfig

JSON_LIMIT = 2_000_000
"""Bytes of a request that is no file."""

FILE_LIMIT = 4_000_000_000
"""Bytes of a file that is brought in: the extract of a large country."""

PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "worker-src 'self' blob:; font-src 'self'; manifest-src 'self'; frame-src 'self'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'self'"
)
"""Nothing inline, nothing from elsewhere."""

REPORT_POLICY = "sandbox allow-popups; default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'"
"""For reports, which carry their styles in themselves and no script."""

NOTHING_TOLD: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False}
"""What is asked here goes to no watcher; FastAPI would look for one at every request, a sixth of what it costs."""

SAFE = ("GET", "HEAD", "OPTIONS")


class Guard:
    """
    ASGI middleware.

    Parameters
    ----------
    app
        What comes after.
    hosts
        Names this server answers to, lower case, without port: a page elsewhere that points its own name here (DNS
        rebinding) sends another.
    file_path
        Tells paths that take files from those that do not.
    """

    def __init__(self, app: ASGIApp, hosts: frozenset[str], file_path: Callable[[str], bool]) -> None:
        self.app, self.hosts, self.file_path = app, hosts, file_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or hand on with the safety headers added."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if problem := self._problem(scope, headers):
            await _refuse(send, *problem)
            return
        limit = FILE_LIMIT if self.file_path(scope["path"]) else JSON_LIMIT
        length = headers.get("content-length", "0")
        if not length.isdigit() or int(length) > limit:
            await _refuse(send, 413, f"That is more than {limit / 1e6:,.0f} MB, the most that is taken here.")
            return
        taken = 0

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > limit:
                raise HTTPException(413, f"More than {limit / 1e6:,.0f} MB.")
            return message

        async def headed(message: Message) -> None:
            if message["type"] == "http.response.start":
                _add_headers(MutableHeaders(scope=message))
            await send(message)

        await self.app(scope, counted, headed)

    def _problem(self, scope: Scope, headers: Headers) -> tuple[int, str] | None:
        host = headers.get("host", "")
        if _name(host) not in self.hosts:
            return 421, "This server does not answer to that name."
        if scope["method"] in SAFE:
            return None
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc.casefold() != host.casefold():
            return 403, "Only this server's own pages may change anything here."
        if origin is None and headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
            return 403, "Only this server's own pages may change anything here."
        return None


def _name(host: str) -> str:
    """The name of a Host header without its port."""
    try:
        return (urlsplit(f"//{host}").hostname or "").casefold()
    except ValueError:
        return ""


def _add_headers(headers: MutableHeaders) -> None:
    headers.setdefault("Content-Security-Policy", PAGE_POLICY)
    headers.setdefault("Cache-Control", "no-cache")
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "no-referrer"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    headers["Permissions-Policy"] = "geolocation=(), microphone=()"


async def _refuse(send: Send, status: int, text: str) -> None:
    body = json.dumps({"error": text, "faults": []}).encode()
    start: dict[str, Any] = {
        "type": "http.response.start",
        "status": status,
        "headers": [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())],
    }
    _add_headers(MutableHeaders(scope=start))
    await send(start)
    await send({"type": "http.response.body", "body": body})
