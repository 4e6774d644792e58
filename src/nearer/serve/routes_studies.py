"""Routes: studies, their settings and what they hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from nearer.serve.answers import answers_told
from nearer.serve.remembered import settings_of
from nearer.serve.settings_file import change_settings
from nearer.serve.studies import plans_told
from nearer.study.check import check_study
from nearer.study.load import load_study

if TYPE_CHECKING:
    from nearer.serve.app import Serving

_AT_ONCE = 4  # threads of their own: who looks at a study waits for none that looks up a card


class NewStudy(BaseModel):
    """A study to make: from an example, or empty for one's own files."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=200)
    example: Literal["liechtenstein", "newtown"] | None = None
    people: int | None = Field(None, ge=1_000, le=5_000_000)


class Changes(BaseModel):
    """Keys of ``nearer.toml`` to change; null takes a key out."""

    model_config = ConfigDict(extra="forbid")

    values: dict[str, Any] = Field(max_length=100)


def router(serving: Serving) -> APIRouter:
    """Routes under ``/api``."""
    routes = APIRouter()
    studies = serving.studies
    turns = CapacityLimiter(_AT_ONCE)

    @routes.get("/studies")
    async def listed() -> dict[str, Any]:
        return await to_thread.run_sync(lambda: {"studies": studies.listed(), "only": studies.only}, limiter=turns)

    @routes.post("/studies", status_code=201)
    def create(new: NewStudy) -> dict[str, str]:
        if new.example is None:
            from nearer.serve.intake import new_draft

            return {"id": new_draft(studies, new.name)}
        return {"id": studies.create(new.name, new.example, new.people if new.example == "newtown" else None)}

    @routes.get("/studies/{study}")
    async def one(study: str) -> dict[str, Any]:
        return await to_thread.run_sync(told, study, limiter=turns)

    def told(study: str) -> dict[str, Any]:
        folder = studies.folder(study)
        settings = settings_of(folder)
        return {
            "id": study,
            "settings": settings.model_dump(mode="json"),
            "unreached_min": settings.unreached_min,
            "staged": settings.staged,
            "plans": plans_told(folder),
            "answers": answers_told(folder),
            "jobs": serving.queue.newest_told(study, 20),
        }

    @routes.patch("/studies/{study}/settings")
    def change(study: str, changes: Changes) -> dict[str, Any]:
        folder = studies.folder(study)
        change_settings(folder, changes.values)
        return {"settings": load_study(folder).model_dump(mode="json")}

    @routes.post("/studies/{study}/check")
    def check(study: str) -> dict[str, Any]:
        return check_study(studies.folder(study)).as_json()

    return routes
