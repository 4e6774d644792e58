"""Routes: the map of a study, and what changes when other sites are open."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Annotated, Any
from weakref import WeakKeyDictionary

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Path, Query, Request, Response

from nearer.errors import NearerError, UsageError
from nearer.serve import kept
from nearer.serve.scene import Scene
from nearer.serve.situation import Situation
from nearer.serve.tiles import Tiles

if TYPE_CHECKING:
    from nearer.serve.app import Serving

Z = Annotated[int, Path(ge=0, le=16)]
At = Annotated[str, Query(max_length=20_000)]

_TILE = "application/vnd.mapbox-vector-tile"
_AT_ONCE = 8  # threads that maps may have: who hands over meanwhile does not wait for one
_SOON_S = 4.0  # after the page has its first answers


def router(serving: Serving) -> APIRouter:
    """Routes under ``/api``."""
    routes = APIRouter()
    made: WeakKeyDictionary[Scene, Tiles] = WeakKeyDictionary()
    lock = threading.Lock()
    turns = CapacityLimiter(_AT_ONCE)

    def scene_of(study: str) -> Scene:
        return serving.scenes.get(serving.studies.folder(study))

    def tiles_of(scene: Scene) -> Tiles:
        with lock:
            if scene not in made:
                made[scene] = Tiles(scene)
            return made[scene]

    async def told(
        request: Request, study: str, asked: str, make: Callable[[Scene], bytes], media_type: str = "application/json",
        forever: bool = False,
    ) -> Response:  # fmt: skip
        """What follows from the study's data alone: made once, for everybody and for the next server."""

        def answer() -> Response:
            folder = serving.studies.folder(study)

            def made_of() -> bytes:
                return make(serving.scenes.get(folder))

            return kept.told(
                serving.kept, request, folder, serving.scenes.rev(folder), asked, made_of, media_type, forever=forever
            )

        return await to_thread.run_sync(answer, limiter=turns)

    @routes.get("/studies/{study}/scene")
    async def scene(study: str, request: Request) -> Response:
        found = await told(request, study, "scene", lambda scene: _json(scene.told()))
        await to_thread.run_sync(_read_soon, serving, serving.studies.folder(study))
        return found

    @routes.get("/studies/{study}/areas")
    async def outlines(study: str, request: Request) -> Response:
        return await told(request, study, "areas", lambda scene: scene.outlines().encode(), "application/geo+json")

    @routes.get("/studies/{study}/figures")
    async def figures(study: str, request: Request, at: At = "o") -> Response:
        situation = Situation.parse(at)
        return await told(request, study, f"figures {situation}", lambda scene: _json(scene.figures(situation)))

    @routes.get("/studies/{study}/point")
    def point(study: str, lon: float, lat: float, at: At = "o") -> dict[str, Any]:
        return scene_of(study).point_at(lon, lat, Situation.parse(at))

    @routes.get("/studies/{study}/legend")
    async def legend(study: str, request: Request, at: At = "o", before: At = "", group: str = "") -> Response:
        now, earlier = Situation.parse(at), Situation.parse(before) if before else None

        def make(scene: Scene) -> bytes:
            return _json({"people": tiles_of(scene).people_by_class(now, earlier, _group(scene, group))})

        return await told(request, study, f"legend {now} {earlier} {group}", make)

    @routes.get("/studies/{study}/tiles/{rev}/streets/{z}/{x}/{y}")
    async def streets(study: str, rev: str, z: Z, x: int, y: int, request: Request) -> Response:
        return await told(
            request, study, f"streets {z}/{x}/{y}", lambda scene: tiles_of(scene).streets(z, x, y), _TILE, forever=True
        )

    @routes.get("/studies/{study}/tiles/{rev}/people/{z}/{x}/{y}")
    async def people(
        study: str,
        rev: str,
        z: Z,
        x: int,
        y: int,
        request: Request,
        at: At = "o",
        before: At = "",
        group: str = "",
        only: int | None = None,
    ) -> Response:
        now, earlier = Situation.parse(at), Situation.parse(before) if before else None

        def make(scene: Scene) -> bytes:
            return tiles_of(scene).people(z, x, y, now, earlier, _group(scene, group), only)

        asked = f"people {z}/{x}/{y} {now} {earlier} {group} {only}"
        return await told(request, study, asked, make, _TILE, forever=True)

    return routes


def _json(values: Any) -> bytes:
    return json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode()


def _read_soon(serving: Serving, folder: FilePath) -> None:
    """
    Read a study in the background whose map was shown without: the next click may need it.

    A while later, so that the page comes first.
    """
    if serving.scenes.holds(folder):
        return

    def read() -> None:  # what is wrong with it is told to who asks
        with suppress(NearerError):
            serving.scenes.get(folder)

    timer = threading.Timer(_SOON_S, read)
    timer.daemon = True
    timer.start()


def _group(scene: Scene, group: str) -> str | None:
    if not group:
        return None
    if group not in scene.demand.groups:
        raise UsageError(f"There is no group {group!r} in this study.")
    return group
