"""Routes: the map of a study, and what changes when other sites are open."""

from __future__ import annotations

import asyncio
import gzip
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response

from nearer.serve import kept
from nearer.serve.rev import rev_of
from nearer.serve.situation import Situation
from nearer.serve.wish import Wish

if TYPE_CHECKING:
    from nearer.serve.app import Serving

Z = Annotated[int, Path(ge=0, le=16)]
At = Annotated[str, Query(max_length=20_000)]

_TILE = "application/vnd.mapbox-vector-tile"


def router(serving: Serving) -> APIRouter:
    """Routes under ``/api``."""
    routes = APIRouter()

    async def told(
        request: Request, study: str, kind: str, *args: Any, media_type: str = "application/json", forever: bool = False
    ) -> Response:
        """What follows from the study's data alone: made once, for everybody and for the next server."""
        folder = serving.studies.folder(study)
        wish = Wish(folder, rev_of(folder), kind, args)
        return await kept.told(
            *(serving.kept, request, folder, wish.rev, wish.asked),
            lambda: asyncio.wrap_future(serving.maker.make(wish)),
            media_type,
            forever=forever,
        )

    @routes.get("/studies/{study}/scene")
    async def scene(study: str, request: Request) -> Response:
        found = await told(request, study, "scene")
        serving.maker.read_soon(serving.studies.folder(study))
        return found

    @routes.get("/studies/{study}/areas")
    async def outlines(study: str, request: Request) -> Response:
        return await told(request, study, "areas", media_type="application/geo+json")

    @routes.get("/studies/{study}/figures")
    async def figures(study: str, request: Request, at: At = "o") -> Response:
        return await told(request, study, "figures", _plain(at))

    @routes.get("/studies/{study}/point")
    async def point(study: str, lon: float, lat: float, at: At = "o") -> Response:
        folder = serving.studies.folder(study)
        wish = Wish(folder, rev_of(folder), "point", (lon, lat, _plain(at)))
        packed = await asyncio.wrap_future(serving.maker.make(wish))
        return Response(gzip.decompress(packed), media_type="application/json")

    @routes.get("/studies/{study}/legend")
    async def legend(study: str, request: Request, at: At = "o", before: At = "", group: str = "") -> Response:
        return await told(request, study, "legend", _plain(at), before and _plain(before), group)

    @routes.get("/studies/{study}/tiles/{rev}/streets/{z}/{x}/{y}")
    async def streets(study: str, rev: str, z: Z, x: int, y: int, request: Request) -> Response:
        return await told(request, study, "streets", z, x, y, media_type=_TILE, forever=True)

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
        asked = (z, x, y, _plain(at), before and _plain(before), group, only)
        return await told(request, study, "people", *asked, media_type=_TILE, forever=True)

    return routes


def _plain(situation: str) -> str:
    """A situation as it is always written, so that the same is made once."""
    return str(Situation.parse(situation))
