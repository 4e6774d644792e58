"""Routes: jobs, their progress as it happens, and their end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from nearer.serve.jobs import Kind
from nearer.study.load import load_study

if TYPE_CHECKING:
    from nearer.serve.app import Serving

_LOOK_S, _WAIT_S, _BEAT_S = 0.2, 1.0, 15.0


class Ask(BaseModel):
    """What a job is to do."""

    model_config = ConfigDict(extra="forbid")

    kind: Kind = "plan"
    time_limit_s: float = Field(60.0, ge=0, le=86_400)
    to: int | None = Field(None, ge=0, description="curve: our centres at the end")
    minutes: float | None = Field(None, gt=0, le=600, description="gaps: how far people go")
    against: Literal["travel", "coverage", "farthest", "equal", "cost"] | None = Field(
        None, description="frontier: what is traded against the study's own objective"
    )
    plan: str | None = Field(None, max_length=40, description="stress: the plan put to the test")
    hazard: list[list[tuple[float, float]]] | None = Field(
        None, max_length=50, description="stress: rings of longitude and latitude that nobody can use or cross"
    )
    out_of_service: list[str] = Field([], max_length=1_000, description="stress: ids of centres that are out")
    language: Literal["en", "es", "fa"] = Field("en", description="of the page that it writes")


class End(BaseModel):
    """How a job is to end."""

    model_config = ConfigDict(extra="forbid")

    keep: bool = Field(description="keep the best found so far, or nothing")


def router(serving: Serving) -> APIRouter:
    """Routes under ``/api``."""
    routes = APIRouter()
    studies, queue = serving.studies, serving.queue

    @routes.post("/studies/{study}/jobs", status_code=201)
    def submit(study: str, ask: Ask) -> dict[str, Any]:
        load_study(studies.folder(study))  # faults in the settings show at once, not at the end of the queue
        request = ask.model_dump(mode="json", exclude={"kind"}, exclude_none=True)
        return queue.told(queue.submit(study, ask.kind, request))

    @routes.get("/studies/{study}/jobs/{job}")
    def one(study: str, job: str) -> dict[str, Any]:
        studies.folder(study)
        return queue.told(queue.get(study, job))

    @routes.post("/studies/{study}/jobs/{job}/stop")
    def stop(study: str, job: str, end: End) -> dict[str, Any]:
        studies.folder(study)
        return queue.told(queue.stop(study, job, end.keep))

    @routes.get("/studies/{study}/jobs/{job}/events")
    async def events(study: str, job: str, request: Request) -> StreamingResponse:
        studies.folder(study)
        queue.get(study, job)

        async def stream() -> AsyncIterator[str]:
            at, last, quiet_s = 0, "", 0.0
            while not await request.is_disconnected():
                now = queue.get(study, job)
                found, at = queue.events(now, at) if now.state != "waiting" else ([], 0)
                told = json.dumps(queue.told(now))
                if found:
                    yield f"event: progress\ndata: {json.dumps(found)}\n\n"
                if told != last:
                    yield f"event: job\ndata: {told}\n\n"
                    last = told
                if now.ended_already:
                    return
                look_s = _LOOK_S if now.state == "running" else _WAIT_S
                quiet_s = 0.0 if found else quiet_s + look_s
                if quiet_s > _BEAT_S:
                    yield ": still here\n\n"
                    quiet_s = 0.0
                await asyncio.sleep(look_s)

        return StreamingResponse(stream(), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})

    return routes
