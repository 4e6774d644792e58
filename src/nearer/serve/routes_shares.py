"""Routes: links to read a study, made, listed and withdrawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Response

if TYPE_CHECKING:
    from nearer.serve.app import Serving


def router(serving: Serving) -> APIRouter:
    """Routes under ``/api``."""
    routes = APIRouter()
    shares = serving.shares

    @routes.get("/studies/{study}/shares")
    def listed(study: str) -> dict[str, Any]:
        return {"shares": shares.listed(study)}

    @routes.post("/studies/{study}/shares", status_code=201)
    def make(study: str) -> dict[str, Any]:
        return shares.make(study)

    @routes.delete("/studies/{study}/shares/{ident}", status_code=204)
    def withdraw(study: str, ident: str) -> Response:
        shares.withdraw(study, ident)
        return Response(status_code=204)

    return routes
