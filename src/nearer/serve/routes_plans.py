"""Routes: plans and their files."""

from __future__ import annotations

import asyncio
import json
import shutil
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse

from nearer.errors import InputError
from nearer.language import LANGUAGES
from nearer.planning.files import PLAN_FILE
from nearer.serve import kept
from nearer.serve.answers import ANSWERS
from nearer.serve.gapshapes import gap_shapes
from nearer.serve.guard import REPORT_POLICY
from nearer.serve.rev import rev_of
from nearer.serve.studies import PLAN_DOWNLOADS, NotThereError, plan_folder
from nearer.serve.wish import Wish, plan_state

if TYPE_CHECKING:
    from nearer.serve.app import Serving


def router(serving: Serving) -> APIRouter:
    """Routes under ``/api``."""
    routes = APIRouter()
    studies = serving.studies

    @routes.get("/studies/{study}/plans/{plan}")
    async def one(study: str, plan: str, request: Request) -> Response:
        folder = studies.folder(study)
        where = plan_folder(folder, plan)

        def make() -> bytes:
            files = [name for name in PLAN_DOWNLOADS if (where / name).is_file()]
            more = json.dumps({"files": files, "folder": where.relative_to(studies.home).as_posix()})
            # the file as it is: reading and writing its megabytes anew would change nothing
            return b'{"plan":' + (where / PLAN_FILE).read_bytes() + b"," + more[1:].encode()

        wish = Wish(folder, rev_of(folder), "plan", plan_state(folder, plan))
        return await kept.told(
            *(serving.kept, request, folder, wish.rev, wish.asked),
            lambda: serving.kept.made_here(folder, wish.rev, wish.asked, make),
        )

    @routes.get("/studies/{study}/plans/{plan}/situations")
    async def situations(study: str, plan: str, request: Request) -> Response:
        """What is open with the plan, and at the end of each phase."""
        folder = studies.folder(study)
        wish = Wish(folder, rev_of(folder), "situations", plan_state(folder, plan))
        return await kept.told(
            *(serving.kept, request, folder, wish.rev, wish.asked),
            lambda: asyncio.wrap_future(serving.maker.make(wish)),
        )

    @routes.get("/studies/{study}/plans/{plan}/files/report.html")
    async def report(study: str, plan: str, request: Request, language: str = "", download: bool = False) -> Response:
        """The report in a language, made if nobody asked for it before; as it lies there where that cannot be."""
        folder = studies.folder(study)
        there = plan_folder(folder, plan) / "report.html"
        if language in LANGUAGES and there.is_file() and f'<html lang="{language}"' not in _start(there):
            wish = Wish(folder, rev_of(folder), "report", (language, *plan_state(folder, plan)))
            with suppress(InputError):  # the study has changed since
                found = await kept.told(
                    *(serving.kept, request, folder, wish.rev, wish.asked),
                    lambda: asyncio.wrap_future(serving.maker.make(wish)),
                    "text/html; charset=utf-8",
                )
                found.headers["Content-Security-Policy"] = REPORT_POLICY
                if download:
                    called = f"{study}-{plan}-report-{language}.html"
                    found.headers["Content-Disposition"] = f'attachment; filename="{called}"'
                return found
        return file(study, plan, "report.html", download)

    @routes.get("/studies/{study}/plans/{plan}/files/{name}")
    def file(study: str, plan: str, name: str, download: bool = False) -> Response:
        folder = plan_folder(studies.folder(study), plan)
        if name not in PLAN_DOWNLOADS or not (folder / name).is_file():
            raise NotThereError(f"There is no file {name!r} in this plan.")
        headers = {"Content-Security-Policy": REPORT_POLICY} if name.endswith(".html") else {}
        kind = "attachment" if download or not name.endswith(".html") else "inline"
        return FileResponse(
            folder / name, headers=headers, filename=f"{study}-{plan}-{name}", content_disposition_type=kind
        )

    @routes.delete("/studies/{study}/plans/{plan}", status_code=204)
    def remove(study: str, plan: str) -> Response:
        """Put a plan aside; it can be taken back from the folder ``.nearer/removed``."""
        folder = studies.folder(study)
        source = plan_folder(folder, plan)
        target = folder / ".nearer" / "removed" / plan
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists():
            shutil.rmtree(target)
        source.replace(target)
        return Response(status_code=204)

    @routes.get("/studies/{study}/plans/{plan}/stress/{job}/{name}")
    def stress(study: str, plan: str, job: int, name: str) -> Response:
        path = plan_folder(studies.folder(study), plan) / f"stress-{job}" / name
        if name not in ("stress.html", "stress.json", "stress.gpkg") or not path.is_file():
            raise NotThereError(f"There is no {name!r} yet.")
        headers = {"Content-Security-Policy": REPORT_POLICY} if name.endswith(".html") else {}
        return FileResponse(path, headers=headers)

    @routes.get("/studies/{study}/gaps/gaps.geojson")
    async def shapes(study: str, request: Request) -> Response:
        """Where the gaps are: drawn from the file that ``nearer gaps`` writes, whoever ran it."""
        folder = studies.folder(study)
        file = folder / "gaps" / "gaps.gpkg"
        if not file.is_file():
            raise NotThereError(f"There is no {file.name!r} yet.")
        state = file.stat()
        wish = Wish(folder, rev_of(folder), "gaps", (state.st_mtime_ns, state.st_size))
        return await kept.told(
            *(serving.kept, request, folder, wish.rev, wish.asked),
            lambda: serving.kept.made_here(folder, wish.rev, wish.asked, lambda: gap_shapes(file).encode()),
            "application/geo+json",
        )

    @routes.get("/studies/{study}/{what}/{name}")
    def page(study: str, what: str, name: str) -> Response:
        path = studies.folder(study) / what / name
        if name not in ANSWERS.get(what, ()) or not path.is_file():
            raise NotThereError(f"There is no {name!r} yet.")
        headers = {"Content-Security-Policy": REPORT_POLICY} if name.endswith(".html") else {}
        return FileResponse(path, headers=headers)

    return routes


def _start(file: Path) -> str:
    with file.open(encoding="utf-8") as text:
        return text.read(200)
