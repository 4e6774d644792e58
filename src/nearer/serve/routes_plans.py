"""Routes: plans and their files."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Response
from fastapi.responses import FileResponse

from nearer.planning.files import PLAN_FILE, read_document
from nearer.serve.guard import REPORT_POLICY
from nearer.serve.situation import Situation
from nearer.serve.studies import PLAN_DOWNLOADS, NotThereError, plan_folder

if TYPE_CHECKING:
    from nearer.serve.app import Serving

_PAGES = {
    "gaps": ("gaps.html", "gaps.json", "gaps.csv", "gaps.gpkg"),
    "curve": ("curve.html", "curve.json", "curve.csv"),
}


def router(serving: Serving) -> APIRouter:
    """Routes under ``/api``."""
    routes = APIRouter()
    studies = serving.studies

    @routes.get("/studies/{study}/plans/{plan}")
    def one(study: str, plan: str) -> dict[str, Any]:
        folder = plan_folder(studies.folder(study), plan)
        document: dict[str, Any] = json.loads((folder / PLAN_FILE).read_text(encoding="utf-8"))
        files = [name for name in PLAN_DOWNLOADS if (folder / name).is_file()]
        return {"plan": document, "files": files, "folder": folder.relative_to(studies.home).as_posix()}

    @routes.get("/studies/{study}/plans/{plan}/situations")
    def situations(study: str, plan: str) -> dict[str, Any]:
        """What is open with the plan, and at the end of each phase."""
        folder = studies.folder(study)
        document = read_document(plan_folder(folder, plan))
        scene = serving.scenes.get(folder)
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

        return {"plan": at(None), "phases": [{"name": name, "at": at(k)} for k, name in enumerate(order)]}

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

    @routes.get("/studies/{study}/{what}/{name}")
    def page(study: str, what: str, name: str) -> Response:
        path = studies.folder(study) / what / name
        if name not in _PAGES.get(what, ()) or not path.is_file():
            raise NotThereError(f"There is no {name!r} yet.")
        headers = {"Content-Security-Policy": REPORT_POLICY} if name.endswith(".html") else {}
        return FileResponse(path, headers=headers)

    return routes
