"""Looking back over HTTP: flows, movement cards, indicators, published tables, demand; and what a giver may know."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from nearer.aid.api.errors import RefusedHere, documented
from nearer.aid.api.gate import Gate, Person
from nearer.aid.api.paging import Cursor, Limit, Page, page_of
from nearer.aid.api.parts import EVERY, Item, Lot, Site
from nearer.aid.api.shape import OneShape
from nearer.aid.api.slowing import MOST, net_of
from nearer.aid.commands import CODE, REFERENCE
from nearer.aid.driver import Sql
from nearer.aid.exports.demand import history_rows
from nearer.aid.publishing import Release, releases
from nearer.aid.publishing.giver import gift_of
from nearer.aid.refusals import unknown
from nearer.aid.seeing import Indicators, Span, flows, indicators, span_of, stock_card
from nearer.aid.store import Store, sql_of

First = Annotated[date | None, Query(description="First day; the first there is without one.")]
Last = Annotated[date | None, Query(description="Last day; the last there is without one.")]

THANKS, PER_S = 30, 60
"""So many questions about gifts from an address in so many seconds."""


class Rows(BaseModel):
    """All rows of a table."""

    rows: list[dict[str, Any]]


class StockCard(BaseModel):
    """A movement card in base units: opening, what came and went, closing."""

    site: str
    item: str | None
    lot: str | None
    first: str
    last: str
    opening: int
    lines: list[dict[str, Any]]
    closing: int


class ReleaseRow(BaseModel):
    """A published table: what it counts by, over which days."""

    release: str
    rows: str
    columns: str
    first: str
    last: str
    least: int


class ReleaseShown(ReleaseRow):
    """A published table with its cells; a hidden count is null."""

    cells: list[dict[str, Any]]


class GiftRow(BaseModel):
    """One lot of a gift: given and handed over, and where and when as far as nobody is recognised by it."""

    item: str
    name: str
    unit: str
    given: int
    handed_over: int
    places: list[dict[str, Any]]


class Gift(BaseModel):
    """What became of a gift."""

    thanks: str
    until: str
    least: int
    gifts: list[GiftRow]


def seeing_router(store: Store, gate: Gate) -> APIRouter:
    """``/flows``, ``/stock-card``, ``/indicators``, ``/published`` and ``/exports/demand``."""
    router = APIRouter(tags=["looking back"], route_class=OneShape)

    def get_flows(person: Person, site: Site = None, first: First = None, last: Last = None) -> JSONResponse:
        """What each site held at the beginning and the end of some days, and what came and went between."""
        person.need("flows")
        with store.reading() as connection:
            sql = sql_of(connection)
            return JSONResponse({"rows": flows(sql, days_of(sql, first, last), site=site)})

    def get_card(
        person: Person,
        site: Annotated[str, Query(pattern=CODE, description="Where.")],
        item: Item = None,
        lot: Lot = None,
        first: First = None,
        last: Last = None,
    ) -> JSONResponse:
        """The movement card of one item or one lot at a site; what is set aside is there."""
        person.need("stock-card")
        with store.reading() as connection:
            sql = sql_of(connection)
            return JSONResponse(stock_card(sql, days_of(sql, first, last), site, item=item, lot=lot))

    def get_indicators(
        person: Person,
        first: First = None,
        last: Last = None,
        expected: Annotated[int | None, Query(ge=1, le=10**9, description="Households to be reached.")] = None,
    ) -> JSONResponse:
        """How some days went: who was reached, how fairly, how fast, what was wasted and what it cost."""
        person.need("indicators")
        with store.reading() as connection:
            sql = sql_of(connection)
            return JSONResponse(indicators(sql, days_of(sql, first, last), expected=expected).as_json())

    def get_published(person: Person, limit: Limit = 100, cursor: Cursor = None) -> JSONResponse:
        """Which tables were published."""
        person.need("published")
        with store.reading() as connection:
            rows = [_line(found) for found in releases(sql_of(connection))]
        return JSONResponse(page_of(rows, lambda row: [int(row["release"][1:])], limit, cursor))

    def get_release(
        person: Person, name: Annotated[str, Path(pattern=REFERENCE, description="Such as B120.")]
    ) -> JSONResponse:
        """A published table; a hidden count is null."""
        person.need("published")
        with store.reading() as connection:
            found = next((one for one in releases(sql_of(connection)) if one.name == name), None)
        if found is None:
            raise unknown("release", name, "see the list of published tables")
        return JSONResponse({**_line(found), "cells": found.as_rows()})

    def get_demand(
        person: Person,
        by: Literal["month", "week"] = "month",
        first: First = None,
        last: Last = None,
        least: Annotated[int, Query(ge=3, le=10**6, description="Households that a row needs.")] = 10,
    ) -> JSONResponse:
        """Past visits by centre and period, as a planning study reads them; what is too small is left out."""
        person.need("export-demand")
        with store.reading() as connection:
            sql = sql_of(connection)
            return JSONResponse({"rows": history_rows(sql, days_of(sql, first, last), by=by, least=least)})

    routes: tuple[tuple[str, Callable[..., JSONResponse], Any], ...] = (
        ("/flows", get_flows, Rows),
        ("/stock-card", get_card, StockCard),
        ("/indicators", get_indicators, Indicators),
        ("/published", get_published, Page[ReleaseRow]),
        ("/published/{name}", get_release, ReleaseShown),
        ("/exports/demand", get_demand, Rows),
    )
    for path, function, model in routes:
        function.__annotations__["person"] = Annotated[Person, Depends(gate)]
        router.add_api_route(
            path,
            function,
            methods=["GET"],
            operation_id=function.__name__.replace("_", "-"),
            response_model=model,
            responses=documented(*EVERY, "unknown"),
        )
    return router


def thanks_router(store: Store, now: Callable[[], float]) -> APIRouter:
    """``GET /thanks/{number}``: for everybody who has a number, without signing in."""
    router = APIRouter(tags=["givers"], route_class=OneShape)
    asked = _Asked(now)

    @router.get(
        "/thanks/{number}",
        operation_id="get-thanks",
        response_model=Gift,
        responses=documented("unknown", "invalid", "too-often", "fault", "busy"),
    )
    def get_thanks(
        number: Annotated[str, Path(pattern=r"^T[0-9A-F]{15}$", description="The thank-you number.")], request: Request
    ) -> JSONResponse:
        """How much of a gift was handed over, and where and when as far as nobody is recognised by it."""
        asked.count(request.client.host if request.client else "")
        return JSONResponse(gift_of(store, number))

    return router


class _Asked:
    """Counts questions by address, in bounded memory."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._since: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def count(self, address: str) -> None:
        now, net = self._now(), net_of(address)
        with self._lock:
            begun, asked = self._since.pop(net, (now, 0))
            if now - begun >= PER_S:
                begun, asked = now, 0
            self._since[net] = begun, asked + 1
            while len(self._since) > MOST:
                self._since.popitem(last=False)
        if asked >= THANKS:
            wait = str(max(1, round(begun + PER_S - now)))
            message = f"You have asked {THANKS} times; wait {wait} seconds."
            raise RefusedHere("too-often", message, {"Retry-After": wait})


def days_of(sql: Sql, first: date | None, last: date | None) -> Span:
    """As text, so that days that no ledger has are refused."""
    return span_of(sql, None if first is None else first.isoformat(), None if last is None else last.isoformat())


def _line(found: Release) -> dict[str, Any]:
    return {
        "release": found.name,
        "rows": found.rows,
        "columns": found.columns,
        "first": str(found.span.first),
        "last": str(found.span.last),
        "least": found.least,
    }
