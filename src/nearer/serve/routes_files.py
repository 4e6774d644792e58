"""Routes: one's own files brought in, said what they are, checked, and mended."""

from __future__ import annotations

import os
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import tomlkit
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from nearer.errors import InputError
from nearer.files import written_whole
from nearer.serve import intake
from nearer.serve.intake import Columns, Role, Said
from nearer.serve.settings_file import as_items
from nearer.serve.studies import NotThereError
from nearer.serve.workbook import WORKBOOK_SUFFIX, as_csv
from nearer.study.check import check_study
from nearer.study.load import STUDY_FILE, check_settings

if TYPE_CHECKING:
    from nearer.serve.app import Serving


class PickedColumns(BaseModel):
    """Which column is what."""

    model_config = ConfigDict(extra="forbid")

    total: str | None = None
    id: str | None = None
    name: str | None = None
    lon: str | None = None
    lat: str | None = None
    agency: str | None = None
    cost: str | None = None


class OneFile(BaseModel):
    """What a person says of a file."""

    model_config = ConfigDict(extra="forbid")

    name: str
    role: Role
    columns: PickedColumns = PickedColumns()
    groups: dict[str, str] = Field(default={}, max_length=40)
    crs: str | None = None


class AllFiles(BaseModel):
    """What a person says of all files of a draft."""

    model_config = ConfigDict(extra="forbid")

    files: list[OneFile] = Field(max_length=100)
    mode: Literal["walk", "bike", "drive", "straight"]
    limit_min: float = Field(30.0, gt=0, le=600)
    open: int = Field(1, ge=0, le=100_000)


class Mending(BaseModel):
    """One cell, or without a value one row to leave out."""

    model_config = ConfigDict(extra="forbid")

    row: int = Field(ge=1)
    column: str | None = None
    value: str | None = Field(None, max_length=10_000)


def router(serving: Serving) -> APIRouter:
    """Routes under ``/api``."""
    routes = APIRouter()
    studies = serving.studies

    @routes.get("/studies/{study}/draft")
    def draft(study: str) -> dict[str, Any]:
        folder = studies.folder(study)
        return {"name": intake.draft_name(folder), "files": [asdict(one) for one in intake.brought(folder)]}

    @routes.put("/studies/{study}/files/{name}", status_code=201)
    async def bring(study: str, name: str, request: Request) -> dict[str, Any]:
        folder = studies.folder(study)
        intake.draft_name(folder)
        path = intake.file_path(folder, name)
        handle, beside = tempfile.mkstemp(prefix=".part-", dir=folder)
        size = 0
        try:
            with os.fdopen(handle, "wb") as file:
                async for part in request.stream():
                    file.write(part)
                    size += len(part)
            Path(beside).chmod(0o644)
            if path.suffix.casefold() == WORKBOOK_SUFFIX:
                made = await run_in_threadpool(as_csv, Path(beside), path)
                return {"name": name, "size": size, "made": made}
            Path(beside).replace(path)
        finally:
            Path(beside).unlink(missing_ok=True)
        return {"name": name, "size": size, "made": [name]}

    @routes.delete("/studies/{study}/files/{name}", status_code=204)
    def take_out(study: str, name: str) -> Response:
        folder = studies.folder(study)
        intake.draft_name(folder)
        path = intake.file_path(folder, name)
        if not path.is_file():
            raise NotThereError(f"There is no file {name!r} here.")
        path.unlink()
        return Response(status_code=204)

    @routes.post("/studies/{study}/files/{name}/mend")
    def mend(study: str, name: str, mending: Mending) -> dict[str, str]:
        folder = studies.folder(study)
        intake.draft_name(folder)
        path = intake.file_path(folder, name)
        if not path.is_file():
            raise NotThereError(f"There is no file {name!r} here.")
        intake.mend_cell(path, mending.row, mending.column, mending.value)
        return {"name": name}

    @routes.post("/studies/{study}/draft/check")
    def check(study: str, said: AllFiles) -> dict[str, Any]:
        """Write the study file and check everything: what was found, or all faults, which can then be mended."""
        folder = studies.folder(study)
        name = intake.draft_name(folder)
        files = [
            Said(one.name, one.role, Columns(**one.columns.model_dump()), one.groups, one.crs or None)
            for one in said.files
        ]
        settings = intake.settings_of(name, files, said.mode, said.limit_min, said.open)
        try:
            check_settings(settings, STUDY_FILE)
            text = tomlkit.dumps(as_items(settings))
            with written_whole(folder / STUDY_FILE) as beside:
                beside.write_text(text, encoding="utf-8", newline="\n")
            report = check_study(folder)
        except InputError as error:
            return {"report": None, "faults": intake.with_cells(error, folder)}
        return {"report": report.as_json(), "faults": []}

    return routes
