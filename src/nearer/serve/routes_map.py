"""Routes: the map of a study, and what changes when other sites are open."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Annotated, Any
from weakref import WeakKeyDictionary

from fastapi import APIRouter, Path, Query, Response

from nearer.errors import UsageError
from nearer.serve.scene import Scene
from nearer.serve.situation import Situation
from nearer.serve.tiles import Tiles

if TYPE_CHECKING:
    from nearer.serve.app import Serving

Z = Annotated[int, Path(ge=0, le=16)]
At = Annotated[str, Query(max_length=20_000)]

_FOREVER = {"Cache-Control": "private, max-age=86400, immutable"}


def router(serving: Serving) -> APIRouter:
    """Routes under ``/api``."""
    routes = APIRouter()
    made: WeakKeyDictionary[Scene, Tiles] = WeakKeyDictionary()
    lock = threading.Lock()

    def scene_of(study: str) -> Scene:
        return serving.scenes.get(serving.studies.folder(study))

    def tiles_of(study: str) -> Tiles:
        scene = scene_of(study)
        with lock:
            if scene not in made:
                made[scene] = Tiles(scene)
            return made[scene]

    @routes.get("/studies/{study}/scene")
    def scene(study: str) -> dict[str, Any]:
        return scene_of(study).told()

    @routes.get("/studies/{study}/areas")
    def outlines(study: str) -> Response:
        return Response(scene_of(study).outlines(), media_type="application/geo+json")

    @routes.get("/studies/{study}/figures")
    def figures(study: str, at: At = "o") -> dict[str, Any]:
        return scene_of(study).figures(Situation.parse(at))

    @routes.get("/studies/{study}/point")
    def point(study: str, lon: float, lat: float, at: At = "o") -> dict[str, Any]:
        return scene_of(study).point_at(lon, lat, Situation.parse(at))

    @routes.get("/studies/{study}/legend")
    def legend(study: str, at: At = "o", before: At = "", group: str = "") -> dict[str, Any]:
        tiles = tiles_of(study)
        earlier = Situation.parse(before) if before else None
        return {"people": tiles.people_by_class(Situation.parse(at), earlier, _group(tiles.scene, group))}

    @routes.get("/studies/{study}/tiles/{rev}/streets/{z}/{x}/{y}")
    def streets(study: str, rev: str, z: Z, x: int, y: int) -> Response:
        return _tile(tiles_of(study).streets(z, x, y))

    @routes.get("/studies/{study}/tiles/{rev}/people/{z}/{x}/{y}")
    def people(
        study: str,
        rev: str,
        z: Z,
        x: int,
        y: int,
        at: At = "o",
        before: At = "",
        group: str = "",
        only: int | None = None,
    ) -> Response:
        tiles = tiles_of(study)
        earlier = Situation.parse(before) if before else None
        return _tile(tiles.people(z, x, y, Situation.parse(at), earlier, _group(tiles.scene, group), only))

    return routes


def _tile(body: bytes) -> Response:
    if not body:
        return Response(status_code=204, headers=_FOREVER)
    return Response(body, media_type="application/vnd.mapbox-vector-tile", headers=_FOREVER)


def _group(scene: Scene, group: str) -> str | None:
    if not group:
        return None
    if group not in scene.demand.groups:
        raise UsageError(f"There is no group {group!r} in this study.")
    return group
