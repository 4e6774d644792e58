"""Tables and documents to take away over HTTP, and heads signed with the key that the server was given."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path as FilePath
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Response
from fastapi.responses import JSONResponse

from nearer.aid.api.errors import documented
from nearer.aid.api.gate import Gate, Person
from nearer.aid.api.parts import EVERY
from nearer.aid.api.reads import ExportedHead
from nearer.aid.api.seeing import First, Last, days_of
from nearer.aid.api.shape import OneShape
from nearer.aid.commands import REFERENCE
from nearer.aid.driver import Sql
from nearer.aid.exports.demand import history_rows
from nearer.aid.exports.epcis import epcis_document
from nearer.aid.exports.hsds import hsds_services
from nearer.aid.exports.hxl import hxl_text
from nearer.aid.exports.sheets import csv_text, workbook
from nearer.aid.heads import export_head
from nearer.aid.publishing import releases
from nearer.aid.refusals import BusyError, RefusedError, unknown
from nearer.aid.store import Store, sql_of
from nearer.aid.views import LISTED, Listed, balances_of, listed, movements_of

CSV, JSON, JSON_LD = "text/csv", "application/json", "application/ld+json"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

_BYTES = {"type": "string", "format": "binary"}
_SCHEMAS: dict[str, dict[str, str]] = {JSON_LD: {"type": "object"}, JSON: {"type": "array"}}
"""What is JSON is described by whose form it has; here only what it is on the outside."""

What = Literal["balances", "movements"] | Listed
Least = Annotated[int, Query(ge=3, le=10**6, description="Households that a row needs.")]


def exports_router(store: Store, gate: Gate) -> APIRouter:
    """Addresses under ``/exports`` that give a file."""
    router = APIRouter(prefix="/exports", tags=["exports"], route_class=OneShape)
    turn = threading.Semaphore(1)

    @contextmanager
    def view() -> Iterator[tuple[Sql, str]]:
        """One export at a time: each can be as large as the ledger."""
        if not turn.acquire(timeout=5):
            raise BusyError("Another table is being written; try again when it is done.")
        try:
            with store.reading() as connection:
                yield sql_of(connection), store.ledger(connection)
        finally:
            turn.release()

    def epcis(person: Person, first: First = None, last: Last = None) -> Response:
        """The goods' way as EPCIS 2.0 events; hand-overs are summed up by centre and day."""
        person.need("export-epcis")
        with view() as (sql, ledger):
            return _file(_json(epcis_document(sql, days_of(sql, first, last), ledger)), JSON_LD, "epcis.jsonld")

    def hxl(
        person: Person, name: Annotated[str, Path(pattern=REFERENCE, description="A published table, such as B120.")]
    ) -> Response:
        """A published table as CSV with HXL tags; a hidden count is empty."""
        person.need("export-hxl")
        with view() as (sql, _):
            found = next((one for one in releases(sql) if one.name == name), None)
            if found is None:
                raise unknown("release", name, "see the list of published tables")
            return _file(hxl_text(sql, found), CSV, f"{name}.csv")

    def hsds(
        person: Person,
        organisation: Annotated[str, Query(min_length=1, max_length=200, pattern=r"\S", description="Who offers.")],
    ) -> Response:
        """The directory of programmes and centres in the form of Open Referral (HSDS 3)."""
        person.need("export-hsds")
        with view() as (sql, ledger):
            return _file(_json(hsds_services(sql, ledger, organisation, None)), JSON, "services.json")

    def demand(
        person: Person,
        by: Literal["month", "week"] = "month",
        first: First = None,
        last: Last = None,
        least: Least = 10,
    ) -> Response:
        """Past visits by centre and period, as ``nearer curve --history`` reads them."""
        person.need("export-demand")
        with view() as (sql, _):
            rows = history_rows(sql, days_of(sql, first, last), by=by, least=least)
            if not rows:
                raise RefusedError("No centre served {least} households in those days; give more days.", least=least)
            return _file(csv_text(rows), CSV, "demand.csv")

    def table_csv(person: Person, what: What) -> Response:
        """Balances, movements or a list of what was set up, as CSV."""
        return _file(csv_text(rows_of(person, what)), CSV, f"{what}.csv")

    def table_xlsx(person: Person, what: What) -> Response:
        """Balances, movements or a list of what was set up, as XLSX."""
        return _file(workbook({what: rows_of(person, what)}), XLSX, f"{what}.xlsx")

    def rows_of(person: Person, what: str) -> list[dict[str, Any]]:
        person.need("export-table")
        with view():
            if what == "balances":
                return balances_of(store)
            return listed(store, what) if what in LISTED else movements_of(store)

    routes: tuple[tuple[str, Callable[..., Response], str], ...] = (
        ("/epcis", epcis, JSON_LD),
        ("/hxl/{name}", hxl, CSV),
        ("/hsds", hsds, JSON),
        ("/demand.csv", demand, CSV),
        ("/tables/{what}.csv", table_csv, CSV),
        ("/tables/{what}.xlsx", table_xlsx, XLSX),
    )
    for path, function, kind in routes:
        function.__annotations__["person"] = Annotated[Person, Depends(gate)]
        content = {kind: {"schema": _SCHEMAS.get(kind, _BYTES)}}
        router.add_api_route(
            path,
            function,
            methods=["GET"],
            operation_id=f"export-{function.__name__.replace('_', '-')}",
            response_class=Response,
            response_model=None,
            responses={200: {"content": content}, **documented(*EVERY, "unknown", "refused")},
        )
    return router


def heads_router(store: Store, gate: Gate, key: FilePath | None) -> APIRouter:
    """``POST /heads``."""
    router = APIRouter(tags=["exports"], route_class=OneShape)

    def sign(person: Person) -> JSONResponse:
        """The chain's head as it is now, signed, to be kept elsewhere; ``POST /audit`` takes it."""
        person.need("head")
        if key is None:
            raise RefusedError("The server was started without a key that signs heads; start it with --head-key FILE.")
        return JSONResponse(export_head(store, key), headers={"Cache-Control": "no-store"})

    sign.__annotations__["person"] = Annotated[Person, Depends(gate)]
    router.add_api_route(
        "/heads", sign, methods=["POST"], operation_id="sign-head", response_model=ExportedHead,
        responses=documented(*EVERY, "refused"),
    )  # fmt: skip
    return router


def _file(content: str | bytes, kind: str, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(content, headers={**headers, "Content-Type": kind})  # without the charset that Starlette adds


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"
