"""Links that let somebody read one study and change nothing; each can be withdrawn."""

from __future__ import annotations

import json
import re
import secrets
import threading
import time
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from nearer.files import written_whole
from nearer.serve.guard import SAFE
from nearer.serve.jobs import now
from nearer.serve.studies import HIDDEN, NotThereError, Studies

SHARES = "shares.json"
SHARED = "/api/shared/"
"""Where a link reads: ``/api/shared/TOKEN/…`` is ``/api/studies/STUDY/…`` without what may be changed or is private."""

READER = "nearer.reader"
"""Key of an ASGI scope that came by a link, so that nobody need have signed in."""

_READ = re.compile(
    r"|/(?:scene|areas|figures|point|legend|tiles/.+|plans/[^/]+|plans/[^/]+/(?:situations|served|files/[^/]+|stress/.+))"
    r"|/(?:gaps|curve|frontier|sensitivity|agencies)/[^/]+"
)
"""What follows the token and may be read; jobs, drafts and the list of links are not among it."""

_LOOK_AGAIN_S = 1.0


class Shares:
    """
    The links of all studies, each kept in its study's hidden folder.

    Parameters
    ----------
    studies
        The folder of studies.
    """

    def __init__(self, studies: Studies) -> None:
        self._studies = studies
        self._known: dict[str, str] = {}
        self._looked_s = -1e9
        self._lock = threading.Lock()

    def listed(self, study: str) -> list[dict[str, Any]]:
        """Links of a study, oldest first: ``id``, ``token``, ``made``."""
        return [{"id": _ident(one["token"])} | one for one in _read(self._studies.folder(study))]

    def make(self, study: str) -> dict[str, Any]:
        """A new link."""
        folder = self._studies.folder(study)
        one = {"token": secrets.token_urlsafe(24), "made": now()}
        with self._lock:
            _write(folder, [*_read(folder), one])
            self._known[one["token"]] = study
        return {"id": _ident(one["token"])} | one

    def withdraw(self, study: str, ident: str) -> None:
        """
        End a link; who reads by it is refused from the next request on.

        Raises
        ------
        NotThereError
            There is none of this id.
        """
        folder = self._studies.folder(study)
        with self._lock:
            there = _read(folder)
            left = [one for one in there if _ident(one["token"]) != ident]
            if len(left) == len(there):
                raise NotThereError("There is no such link; it may have been withdrawn already.")
            _write(folder, left)

    def study_of(self, token: str) -> str | None:
        """The study that a link reads; None where there is no such link."""
        study = self._known.get(token)
        if study is None:
            with self._lock:
                if time.monotonic() - self._looked_s > _LOOK_AGAIN_S and self._studies.home.is_dir():
                    self._looked_s = time.monotonic()
                    for path in self._studies.home.glob(f"*/{HIDDEN}/{SHARES}"):
                        for one in _read(path.parents[1]):
                            self._known[one["token"]] = path.parents[1].name
            study = self._known.get(token)
        if study is None:
            return None
        try:
            there = any(secrets.compare_digest(one["token"], token) for one in _read(self._studies.folder(study)))
        except NotThereError:
            return None
        return study if there else None


class ByLink:
    """
    ASGI middleware: what is asked by a link is asked of its study, if it only reads.

    Parameters
    ----------
    app
        What comes after.
    shares
        The links there are.
    """

    def __init__(self, app: ASGIApp, shares: Shares) -> None:
        self._app, self._shares = app, shares

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or hand on."""
        path = scope.get("path", "")
        if scope["type"] != "http" or not path.startswith(SHARED):
            await self._app(scope, receive, send)
            return
        token, slash, rest = path[len(SHARED) :].partition("/")
        study = self._shares.study_of(token) if token.isascii() else None
        status, text = 0, ""
        if study is None:
            status, text = 404, "This link leads nowhere: it may have been withdrawn."
        elif scope["method"] not in SAFE:
            status, text = 403, "This link is for reading; nothing can be changed by it."
        elif not _READ.fullmatch(slash + rest) or ".." in rest:
            status, text = 403, "This link does not show that."
        if status or study is None:
            await JSONResponse({"error": text, "faults": []}, status)(scope, receive, send)
            return
        there = f"/api/studies/{study}{slash}{rest}"
        asked = dict(scope) | {"path": there, "raw_path": quote(there).encode(), READER: True}
        await self._app(asked, receive, send)


def _ident(token: str) -> str:
    return sha256(token.encode()).hexdigest()[:12]


def _read(folder: Path) -> list[dict[str, str]]:
    try:
        found: list[dict[str, str]] = json.loads((folder / HIDDEN / SHARES).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    return found


def _write(folder: Path, shares: list[dict[str, str]]) -> None:
    with written_whole(folder / HIDDEN / SHARES, secret=True) as beside:
        beside.write_text(json.dumps(shares), encoding="utf-8")
