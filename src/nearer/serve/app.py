"""The server: pages, API, jobs."""

from __future__ import annotations

import contextlib
import json
import re
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from functools import cache, partial
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse

import nearer
from nearer.errors import InfeasibleError, InputError, NearerError, UsageError
from nearer.language import LANGUAGES, catalogue
from nearer.report import tokens
from nearer.report.mapstyle import CSS as MAP_CSS
from nearer.serve.guard import NOTHING_TOLD, Guard
from nearer.serve.jobs import Job, Queue
from nearer.serve.kept import Kept
from nearer.serve.maker import Maker
from nearer.serve.pages import Page, Static, page_of
from nearer.serve.shares import ByLink, Shares
from nearer.serve.shelf import Shelf
from nearer.serve.studies import NotThereError, Studies, plan_folders
from nearer.serve.wish import plan_state

if TYPE_CHECKING:
    from nearer.serve.desk import Desk

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
"""Names under which this machine reaches itself."""

STATIC = files("nearer.serve") / "static"
"""Where ``make web`` puts the pages."""

_FILE_PATH = re.compile(r"/api/studies/[^/]+/files/[^/]+")


@dataclass(frozen=True)
class Serving:
    """What all parts of the server share: studies, who makes their maps, jobs, what was answered, and links."""

    studies: Studies
    maker: Maker
    queue: Queue
    kept: Kept
    shares: Shares


def create_app(
    home: Path,
    *,
    only: str | None = None,
    hosts: frozenset[str] = LOOPBACK,
    workers: int = 1,
    threads: int = 1,
    desk: Desk | None = None,
    signed: bool = False,
    authority: Path | None = None,
    apart: bool = False,
) -> FastAPI:
    """
    The server as an ASGI application.

    Parameters
    ----------
    home
        The folder of studies.
    only
        The one study shown; None for all.
    hosts
        Names it answers to.
    workers, threads
        Jobs at once, and threads of each.
    desk
        The aid desk, under ``/aid`` and ``/api/aid``; None without a ledger. It is closed with the server.
    signed
        Whether everything else is only for who has signed in at the desk.
    authority
        The certificate that other devices are to trust, where the server made one.
    apart
        Whether maps are made in a process of their own, and the newest study's before anybody asks.
    """
    from nearer.serve import routes_files, routes_jobs, routes_map, routes_plans, routes_shares, routes_studies

    studies = Studies(home, only)
    maker = Maker(apart)
    queue = Queue(home, workers, threads, lambda job: _warm(studies, maker, job))
    serving = Serving(studies, maker, queue, Kept(Shelf()), Shares(studies))

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        queue.start()
        if apart:
            threading.Thread(target=_warm_newest, args=(studies, maker), daemon=True).start()
        yield
        queue.close()
        maker.close()
        if desk is not None:
            desk.close()

    app = FastAPI(
        title="nearer", version=nearer.__version__, lifespan=lifespan, docs_url=None, redoc_url=None,
        openapi_url="/api/openapi.json", telemetry=NOTHING_TOLD,
    )  # fmt: skip
    if signed:
        from nearer.serve.desk import SignedIn

        assert desk is not None
        app.add_middleware(SignedIn, desk=desk)
    app.add_middleware(ByLink, shares=serving.shares)
    app.add_middleware(Guard, hosts=hosts, file_path=lambda path: bool(_FILE_PATH.fullmatch(path)))
    for kind in (NearerError, RequestValidationError):
        app.add_exception_handler(kind, _refused)
    if desk is not None:
        app.mount("/api/aid", desk.app())
    # what is asked most is looked for first; the last takes any name
    for routes in (routes_map, routes_studies, routes_files, routes_jobs, routes_shares, routes_plans):
        app.include_router(routes.router(serving), prefix="/api")
    if authority is not None:
        app.add_api_route("/nearer-ca.crt", partial(_certificate, authority), include_in_schema=False)
    _add_pages(app, desk is not None, signed)
    return app


def _warm(studies: Studies, maker: Maker, job: Job) -> None:
    """Have the map of a new plan ready before it is looked at."""
    if plan := job.outcome.get("plan"):
        with contextlib.suppress(NearerError, OSError):
            folder = studies.folder(job.study)
            maker.warm(folder, plan_state(folder, str(plan)))


def _warm_newest(studies: Studies, maker: Maker) -> None:
    """The same for the newest plan of the study that was changed last: it is likely to be opened first."""
    with contextlib.suppress(NearerError, OSError):
        for study in studies.listed()[:1]:
            folder = studies.folder(study["id"])
            newest = next((ident for ident, _ in plan_folders(folder)), None)
            maker.warm(folder, plan_state(folder, newest) if newest else None)


def _add_pages(app: FastAPI, has_aid: bool, is_reached: bool) -> None:
    @app.get("/api/about")
    async def about() -> dict[str, object]:
        return {"version": nearer.__version__, "aid": has_aid, "reached": is_reached, "languages": LANGUAGES}

    @app.get("/api/words/{language}")
    async def words(language: str, request: Request) -> Response:
        return _words(language, "pages").answer(request.headers)

    @app.get("/api/words/{language}/faults")
    async def fault_words(language: str, request: Request) -> Response:
        return _words(language, "faults").answer(request.headers)

    @app.get("/tokens.css")
    async def style(request: Request) -> Response:
        return _style().answer(request.headers)

    static = Path(str(STATIC))
    app.add_api_route("/", partial(_page, static / "index.html"), include_in_schema=False)
    if has_aid:
        app.add_api_route("/aid", partial(_page, static / "aid.html"), include_in_schema=False)
    if STATIC.is_dir():
        app.mount("/", Static(directory=str(STATIC)), name="static")


@cache
def _words(language: str, of: str) -> Page:
    if language not in LANGUAGES:
        raise NotThereError(f"There is no language {language[:10]!r} here.")
    return Page.of(json.dumps(catalogue(language, of), ensure_ascii=False).encode(), "application/json")


@cache
def _style() -> Page:
    return Page.of(_tokens_css().encode(), "text/css")


async def _page(file: Path, request: Request) -> Response:
    if file.is_file():
        return await page_of(file, request.headers)
    text = "The pages are not built: run `make web` in the folder of the sources, or install the wheel."
    return Response(text, status_code=503, media_type="text/plain")


def _certificate(authority: Path) -> Response:
    return FileResponse(authority, media_type="application/x-x509-ca-cert", filename="nearer-ca.crt")


def _tokens_css() -> str:
    """Colours of both schemes: the reader's own, or the one they chose on the page."""
    dark = ";".join(f"{name}:{value}" for name, value in tokens.variables(True).items())
    light = ";".join(f"{name}:{value}" for name, value in tokens.variables(False).items())
    chosen = (
        f"@media screen{{:root[data-scheme=dark]{{color-scheme:dark;{dark}}}"
        f":root[data-scheme=light]{{color-scheme:light;{light}}}}}"
    )
    return f"{tokens.css()}{chosen}:root{{--font:{tokens.FONT}}}{MAP_CSS}"


def _refused(request: Request, error: Exception) -> JSONResponse:
    """What cannot be done, as a sentence and a list of faults."""
    if isinstance(error, InputError):
        faults = [asdict(fault) | {"text": str(fault)} for fault in error.faults]
        return JSONResponse({"error": str(error), "faults": faults}, 422)
    if isinstance(error, RequestValidationError):
        faults = [
            {"column": ".".join(map(str, one["loc"])), "message": one["msg"], "text": one["msg"]}
            for one in error.errors()
        ]
        return JSONResponse({"error": "The request is not understood.", "faults": faults}, 422)
    conflict = isinstance(error, UsageError | InfeasibleError)
    status = 404 if isinstance(error, NotThereError) else 409 if conflict else 400
    return JSONResponse({"error": str(error), "faults": []}, status)
