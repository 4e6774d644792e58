"""The application: commands, questions, sessions, and what bounds them."""

from __future__ import annotations

import time
from pathlib import Path as FilePath
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Path, Query
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from nearer import __version__
from nearer.aid.api import reads
from nearer.aid.api.cards import cards_router
from nearer.aid.api.enrolling import enrolling_router
from nearer.aid.api.errors import CODES, answer_in_one_shape, documented
from nearer.aid.api.exports import exports_router, heads_router
from nearer.aid.api.files import MOST_FILE_BYTES, files_router
from nearer.aid.api.gate import READ, Gate, Person
from nearer.aid.api.offline import offline_router
from nearer.aid.api.paging import Cursor, Limit, Page
from nearer.aid.api.parts import EVERY, Answer, At, Desk, Id, Item, Key, Lot, Site
from nearer.aid.api.people import people_router
from nearer.aid.api.seeing import seeing_router, thanks_router
from nearer.aid.api.sessions import Sessions
from nearer.aid.api.shape import OneShape
from nearer.aid.api.sharing import sharing_router
from nearer.aid.audit import audit
from nearer.aid.commands import COMMANDS, Command, HandOver
from nearer.aid.heads import checked_head
from nearer.aid.households.store import Households
from nearer.aid.store import Store
from nearer.aid.trace import trace
from nearer.aid.views import Listed

MOST_BYTES = 1_000_000
"""No body is larger: a thousand lines of a gift have 200 kB."""


def desk_api(
    store: Store,
    gate: Gate,
    people: Households | None = None,
    sessions: Sessions | None = None,
    head_key: FilePath | None = None,
) -> FastAPI:
    """
    The desk over HTTP, as an application.

    Parameters
    ----------
    store, gate, people, sessions, head_key
        As for ``desk_router``.

    Returns
    -------
    FastAPI
        To be served alone.
    """
    app = FastAPI(
        title="nearer aid",
        version=__version__,
        summary="The ledger of what centres hold and hand over, from the giver to the household.",
        description=_description(),
        docs_url=None,  # would fetch its scripts from elsewhere
        redoc_url=None,
    )
    answer_in_one_shape(app)
    app.add_middleware(Bounded)
    app.include_router(desk_router(store, gate, people, sessions, head_key))
    return app


def desk_router(
    store: Store,
    gate: Gate,
    people: Households | None = None,
    sessions: Sessions | None = None,
    head_key: FilePath | None = None,
) -> APIRouter:
    """
    The addresses of the desk, to be included in any application; put ``Bounded`` before it.

    Parameters
    ----------
    store
        The ledger; it is not closed here.
    gate
        Who asks (``nearer.aid.api.gate``).
    people
        Households and cards, where there are any.
    sessions
        To sign in to, where there is staff; ``gate`` is then theirs.
    head_key
        File of the private key that signs heads; without one none is signed here.
    """
    router = APIRouter()
    if sessions is not None:
        router.include_router(sessions.router())
    router.include_router(_commands(store, gate))
    if people is not None:
        router.include_router(cards_router(store, people, gate, sessions))
        router.include_router(enrolling_router(store, people, gate))
        router.include_router(people_router(store, people, gate, sessions))
    router.include_router(offline_router(store, people, gate))
    router.include_router(sharing_router(store, gate))
    router.include_router(seeing_router(store, gate))
    router.include_router(thanks_router(store, time.monotonic))
    router.include_router(files_router(store, gate))
    router.include_router(exports_router(store, gate))
    router.include_router(heads_router(store, gate, head_key))
    router.include_router(_questions(store, gate))
    return router


def _description() -> str:
    rows = "\n".join(f"| {status} | `{code}` | {when} | {remedy} |" for code, (status, when, remedy) in CODES.items())
    return (
        "Quantities are whole base units, or decimal text of a unit. Moments need a time zone. "
        "Every command needs an `Idempotency-Key`.\n\n"
        f"| status | code | when | remedy |\n| --- | --- | --- | --- |\n{rows}"
    )


def _commands(store: Store, gate: Gate) -> APIRouter:
    """One address for each kind of command."""
    router = APIRouter(prefix="/commands", tags=["commands"], route_class=OneShape)
    for kind, model in COMMANDS.items():
        router.add_api_route(
            f"/{kind}",
            _endpoint(store, gate, model),
            methods=["POST"],
            name=kind,
            operation_id=kind,
            summary=(model.__doc__ or "").strip().splitlines()[0],
            response_model=Answer,
            response_description="It is done, now or when the key was first sent.",
            responses=documented(*EVERY, "unknown", "refused", "not-enough", "claim", "id-taken", "too-large", "disk"),
        )
    return router


def _endpoint(store: Store, gate: Gate, model: type[Command]) -> Any:
    def endpoint(
        command: Any,
        key: Key,
        person: Annotated[Person, Depends(gate)],
        desk: Desk = "desk",
        at: At = None,
    ) -> JSONResponse:
        person.need("hand-over-by-tag" if model is HandOver else model.kind)  # its own rule: it knows no card
        return JSONResponse(store.do(command, id=key, actor=person.code, desk=desk, at=at))

    endpoint.__annotations__ = {
        "command": model,
        "key": Key,
        "person": Annotated[Person, Depends(gate)],
        "desk": Desk,
        "at": At,
        "return": JSONResponse,
    }
    return endpoint


def _questions(store: Store, gate: Gate) -> APIRouter:
    def reader(person: Annotated[Person, Depends(gate)]) -> Person:
        person.need(READ)
        return person

    reader.__annotations__["person"] = Annotated[Person, Depends(gate)]
    router = APIRouter(
        tags=["questions"], dependencies=[Depends(reader)], responses=documented(*EVERY), route_class=OneShape
    )

    @router.get("/head", operation_id="get-head")
    def get_head() -> reads.Head:
        """Where the chain ends; signed heads are made where the key is (``nearer aid head``)."""
        return reads.Head.model_validate(reads.head(store))

    @router.get("/lists/{table}", operation_id="get-list", response_model=Page[dict[str, Any]])
    def get_list(table: Listed, limit: Limit = 100, cursor: Cursor = None) -> JSONResponse:
        """What was set up, in the order of its making."""
        return JSONResponse(reads.list_page(store, table, limit, cursor))

    @router.get("/balances", operation_id="get-balances", response_model=Page[reads.BalanceRow])
    def get_balances(
        kind: reads.AccountKind | None = None,
        site: Site = None,
        item: Item = None,
        lot: Lot = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> JSONResponse:
        """What is where, in base units; in each place what ends first."""
        return JSONResponse(reads.balances_page(store, limit, cursor, kind=kind, site=site, item=item, lot=lot))

    @router.get("/movements", operation_id="get-movements", response_model=Page[reads.MovementRow])
    def get_movements(
        kind: reads.AccountKind | None = None,
        site: Site = None,
        item: Item = None,
        lot: Lot = None,
        newest: Annotated[bool, Query(description="The newest first.")] = False,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> JSONResponse:
        """Every posting in order, and what its account then held."""
        only = {"kind": kind, "site": site, "item": item, "lot": lot}
        return JSONResponse(reads.movements_page(store, limit, cursor, newest=newest, **only))

    @router.get("/transactions", operation_id="get-transactions", response_model=Page[reads.TransactionRow])
    def get_transactions(limit: Limit = 100, cursor: Cursor = None) -> JSONResponse:
        """Every command that was carried out, with its answer."""
        return JSONResponse(reads.transactions_page(store, limit, cursor))

    @router.get(
        "/transactions/{id}",
        operation_id="get-transaction",
        response_model=reads.TransactionRow,
        responses=documented("unknown"),
    )
    def get_transaction(id: Annotated[Id, Path(description="The command's Idempotency-Key.")]) -> JSONResponse:
        """The command that a key stands for: whether it was carried out, and its answer."""
        return JSONResponse(reads.transaction(store, id))

    @router.get("/trace/{name}", operation_id="get-trace", response_model=reads.Traced, responses=documented("unknown"))
    def get_trace(
        name: Annotated[
            str,
            Path(pattern=r"^[A-Za-z0-9-]{1,40}$", description="A lot, a transaction's number or a thank-you number."),
        ],
    ) -> JSONResponse:
        """Lots back to their givers and forward to where they went."""
        return JSONResponse(trace(store, name))

    @router.post("/audit", operation_id="audit", response_model=reads.AuditReport, responses=documented("too-large"))
    def post_audit(heads: list[reads.ExportedHead] | None = None) -> JSONResponse:
        """Prove the ledger, and that it contains the exported heads; minutes for millions of postings."""
        checked = [checked_head(head.model_dump(), f"heads.{number}") for number, head in enumerate(heads or [])]
        return JSONResponse(audit(store, checked).as_json())

    return router


class Bounded:
    """Refuses bodies that are larger than any command, or than a file may be."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, counting what it sends."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        got = 0
        most = MOST_FILE_BYTES if scope["path"].endswith("/imports") else MOST_BYTES

        async def bounded() -> Message:
            nonlocal got
            message = await receive()
            got += len(message.get("body", b""))
            if got > most:
                raise HTTPException(413, headers={"Connection": "close"})
            return message

        await self._app(scope, bounded, send)
