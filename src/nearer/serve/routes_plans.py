"""Routes: plans and their files."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse

from nearer.planning.document import PlanDocument
from nearer.planning.files import PLAN_FILE, read_document
from nearer.serve import kept
from nearer.serve.answers import ANSWERS
from nearer.serve.gapshapes import gap_shapes
from nearer.serve.guard import REPORT_POLICY
from nearer.serve.scene import Scene
from nearer.serve.sent import sending_of
from nearer.serve.situation import Situation
from nearer.serve.studies import PLAN_DOWNLOADS, NotThereError, plan_folder

if TYPE_CHECKING:
    from nearer.serve.app import Serving


def router(serving: Serving) -> APIRouter:
    """Routes under ``/api``."""
    routes = APIRouter()
    studies = serving.studies

    def told(request: Request, study: str, plan: str, asked: str, make: Callable[[Path], bytes]) -> Response:
        """What follows from a plan and from the study's data."""
        folder = studies.folder(study)
        where = plan_folder(folder, plan)
        state = (where / PLAN_FILE).stat()
        named = f"{asked} {plan} {state.st_mtime_ns} {state.st_size}"
        return kept.told(
            serving.kept, request, folder, serving.scenes.rev(folder), named, lambda: make(where), "application/json"
        )

    @routes.get("/studies/{study}/plans/{plan}")
    def one(study: str, plan: str, request: Request) -> Response:
        def make(folder: Path) -> bytes:
            files = [name for name in PLAN_DOWNLOADS if (folder / name).is_file()]
            more = json.dumps({"files": files, "folder": folder.relative_to(studies.home).as_posix()})
            # the file as it is: reading and writing its megabytes anew would change nothing
            return b'{"plan":' + (folder / PLAN_FILE).read_bytes() + b"," + more[1:].encode()

        return told(request, study, plan, "plan", make)

    @routes.get("/studies/{study}/plans/{plan}/situations")
    def situations(study: str, plan: str, request: Request) -> Response:
        """What is open with the plan, and at the end of each phase."""

        def make(folder: Path) -> bytes:
            scene = serving.scenes.get(studies.folder(study))
            sending = sending_of(studies.folder(study), plan)
            return json.dumps(situations_of(read_document(folder), scene, sending)).encode()

        return told(request, study, plan, "situations", make)

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
    def shapes(study: str, request: Request) -> Response:
        """Where the gaps are: drawn from the file that ``nearer gaps`` writes, whoever ran it."""
        folder = studies.folder(study)
        file = folder / "gaps" / "gaps.gpkg"
        if not file.is_file():
            raise NotThereError(f"There is no {file.name!r} yet.")
        state = file.stat()
        named = f"gaps {state.st_mtime_ns} {state.st_size}"
        return kept.told(
            *(serving.kept, request, folder, serving.scenes.rev(folder), named, lambda: gap_shapes(file).encode()),
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


def situations_of(document: PlanDocument, scene: Scene, sending: str = "") -> dict[str, Any]:
    """
    What is open with a plan, and at the end of each of its phases, in a study's own positions.

    With a ``sending``, room is limited: ``sent`` is the plan with everybody where they are sent.
    """
    place = {str(ident): k for k, ident in enumerate(scene.tables.sites.table["id"])}
    order = [phase.name for phase in document.phases]

    def at(last: int | None) -> str:
        opened, closed = [], []
        for site in document.sites:
            if site.id not in place:
                continue
            known = site.phase in order
            if known and last is not None and order.index(str(site.phase)) > last:
                continue
            if site.status == "opened":
                opened.append(place[site.id])
            elif site.status == "closed":
                closed.append(place[site.id])
        return str(Situation(tuple(sorted(opened)), tuple(sorted(closed))))

    sent = f"{at(None)}~{sending}" if sending else None
    return {"plan": at(None), "sent": sent, "phases": [{"name": name, "at": at(k)} for k, name in enumerate(order)]}
