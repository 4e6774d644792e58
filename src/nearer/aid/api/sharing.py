"""
Sharing over HTTP: proposals made, shown with their reasons, and what became of them.

A proposal is approved by ``POST /commands/approve`` and declined by ``POST /commands/decline``.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from nearer.aid.api.errors import documented
from nearer.aid.api.gate import Gate, Person
from nearer.aid.api.paging import Cursor, Limit, Page, page_of
from nearer.aid.api.parts import EVERY, Desk, Key
from nearer.aid.api.shape import OneShape
from nearer.aid.commands import REFERENCE, Code, StateReason
from nearer.aid.refusals import BusyError, IdTakenError
from nearer.aid.sharing import propose
from nearer.aid.sharing.build import Wish
from nearer.aid.sharing.needs import SOURCES, open_requests
from nearer.aid.sharing.state import read_state
from nearer.aid.store import Store, sql_of
from nearer.progress import Stop

Source = Literal["requests", "targets", "enrolled"]
assert set(Source.__args__) == set(SOURCES)  # type: ignore[attr-defined]


class WishAsked(BaseModel):
    """Which days to plan from which needs; in a crisis, what is closed and where need grows (thousandths)."""

    model_config = ConfigDict(extra="forbid")

    first_day: Annotated[date, Field(ge=date(2000, 1, 1), lt=date(9000, 1, 1))] | None = Field(
        default=None, description="Today at the first hub without one."
    )
    days: Annotated[int, Field(ge=1, le=31)] = 7
    needs: Annotated[list[Source], Field(min_length=1, max_length=3)] = list(SOURCES)  # type: ignore[arg-type]
    rebalance: bool = Field(default=False, description="Centres give what they have above their targets.")
    closing: dict[Code, StateReason] = {}
    surges: dict[Code, Annotated[int, Field(ge=1, le=100_000)]] = {}
    as_of: Annotated[int, Field(ge=1, le=10**15)] | None = Field(default=None, description="Last transaction.")
    time_limit_s: Annotated[float, Field(gt=0, le=120)] = 60


class ProposalShown(BaseModel):
    """A kept proposal with its reasons, and what became of it."""

    model_config = ConfigDict(extra="allow")

    proposal: str
    kind: Literal["share", "crisis"]
    as_of: int
    first_day: str
    last_day: str
    inputs: str
    solver: str
    status: Literal["proven", "unproven", "stopped"]
    decision: dict[str, Any] | None
    stages: list[dict[str, Any]]
    lines: list[dict[str, Any]]
    shares: list[dict[str, Any]]
    closures: list[dict[str, Any]]
    surges: list[dict[str, Any]]
    takeovers: list[dict[str, Any]]


class FrontierRow(BaseModel):
    """Where every line keeps a part of its fair share: the lowest fill rate, what is served, what can be at most."""

    kept: float
    lowest: float
    served_kg: float
    bound_kg: float
    proven: bool


class Frontier(BaseModel):
    """What fairness costs."""

    points: list[FrontierRow]


class RequestRow(BaseModel):
    """A line of a request that is neither closed nor met: asked for, and what nothing has met yet, in base units."""

    request: str
    site: str
    item: str
    programme: str | None
    needed_by: str | None
    asked: int
    open: int
    seq: int


class DecisionRow(BaseModel):
    """A proposal: who made it, and who decided what on it, when."""

    proposal: str
    kind: str
    as_of: int
    first_day: str
    last_day: str
    status: str
    made_by: str
    made_at: str
    decision: str
    reason: str | None
    decided_by: str | None
    decided_at: str | None
    set_aside: int
    lines: int
    reversed_by: int | None


Name = Annotated[str, Path(pattern=REFERENCE, description="Such as A31.")]


def sharing_router(store: Store, gate: Gate) -> APIRouter:
    """``/proposals``, ``/frontier``, ``/decisions`` and ``/requests``."""
    router = APIRouter(tags=["sharing"], route_class=OneShape)
    turn = threading.Semaphore(1)

    @contextmanager
    def alone() -> Iterator[None]:
        """One allocation at a time: each takes a processor."""
        if not turn.acquire(timeout=1):
            raise BusyError("An allocation is being made; try again when it is done.")
        try:
            yield
        finally:
            turn.release()

    def make(asked: WishAsked, key: Key, person: Person, desk: Desk = "desk") -> JSONResponse:
        """Propose who gets what, fairly and with a reason for each line; nothing moves until a person approves it."""
        person.need("propose")
        with alone():
            wish = _wish(store, asked)
            name = _made(store, key, wish)
            if name is None:
                drafted = propose.draft(store, wish, as_of=asked.as_of, stop=Stop(asked.time_limit_s))
                name = store.do(drafted.command, id=key, actor=person.code, desk=desk)["proposal"]
        return JSONResponse(_shown(store, name))

    def frontier(asked: WishAsked, person: Person) -> JSONResponse:
        """What fairness costs: the most that can be served where every line keeps a part of its fair share."""
        person.need("propose")
        with alone():
            drafted = propose.draft(store, _wish(store, asked), as_of=asked.as_of, stop=Stop(asked.time_limit_s))
            points = propose.frontier(drafted.built, stop=Stop(asked.time_limit_s))
        return JSONResponse({"points": [asdict(point) for point in points]})

    def show(name: Name, person: Person) -> JSONResponse:
        """A proposal with its reasons, and what became of it."""
        person.need("proposal")
        return JSONResponse(_shown(store, name))

    def decisions(person: Person, limit: Limit = 100, cursor: Cursor = None) -> JSONResponse:
        """Every proposal: who made it, and who decided what on it, when."""
        person.need("decisions")
        rows = propose.decisions_of(store)
        return JSONResponse(page_of(rows, lambda row: [int(row["proposal"][1:])], limit, cursor))

    def requests(person: Person, limit: Limit = 100, cursor: Cursor = None) -> JSONResponse:
        """What centres ask for and nothing has met yet; ended by ``POST /commands/close-request``."""
        person.need("requests")
        with store.reading() as connection:
            sql = sql_of(connection)
            rows = [asdict(line) for line in open_requests(sql, read_state(sql))]
        return JSONResponse(page_of(rows, lambda row: [row["seq"], row["item"]], limit, cursor))

    routes: tuple[tuple[str, str, Callable[..., JSONResponse], str, Any, tuple[str, ...]], ...] = (
        ("/proposals", "POST", make, "propose-shares", ProposalShown, ("unknown", "refused", "id-taken", "disk")),
        ("/frontier", "POST", frontier, "get-frontier", Frontier, ("unknown", "refused")),
        ("/proposals/{name}", "GET", show, "get-proposal", ProposalShown, ("unknown",)),
        ("/requests", "GET", requests, "get-requests", Page[RequestRow], ()),
        ("/decisions", "GET", decisions, "get-decisions", Page[DecisionRow], ()),
    )
    for path, method, function, name, model, codes in routes:
        function.__annotations__["person"] = Annotated[Person, Depends(gate)]
        more = (*codes, "too-large") if method == "POST" else codes
        router.add_api_route(
            path,
            function,
            methods=[method],
            operation_id=name,
            response_model=model,
            responses=documented(*EVERY, *more),
        )
    return router


def _wish(store: Store, asked: WishAsked) -> Wish:
    crisis = bool(asked.closing or asked.surges)
    return Wish(
        asked.first_day or propose.today_of(store),
        asked.days,
        tuple(source for source in SOURCES if source in asked.needs),
        asked.rebalance or crisis,
        asked.closing,
        asked.surges,
    )


def _made(store: Store, id: str, wish: Wish) -> str | None:
    """
    The proposal that was made with an id; None where there is none yet.

    Asked again, the ledger has grown by the proposal itself: what would be proposed now is not what was.
    """
    with store.reading() as connection:
        sql = sql_of(connection)
        if sql.one("SELECT 1 FROM transactions WHERE id = ?", id) is None:
            return None
        row = sql.one("SELECT p.proposal FROM proposals p JOIN transactions t ON t.seq = p.seq WHERE t.id = ?", id)
    if row is not None:
        kept = propose.proposal_of(store, str(row[0]))
        days = kept["first_day"] == wish.first_day.isoformat() and kept["last_day"] == wish.last_day.isoformat()
        closing = {closure["site"]: closure["reason"] for closure in kept["closures"]}
        surges = {surge["site"]: surge["per_mille"] for surge in kept["surges"]}
        if days and closing == dict(wish.closing) and surges == dict(wish.surges):
            return str(row[0])
    raise IdTakenError("The id {id} stands for another command; make a new id for a new one.", id=id)


def _shown(store: Store, name: str) -> dict[str, Any]:
    kept = propose.proposal_of(store, name)
    for rows in (kept["stages"], kept["lines"]):
        for row in rows:
            row |= {key: bool(row[key]) for key in ("proven", "onward") if key in row}
    return kept
