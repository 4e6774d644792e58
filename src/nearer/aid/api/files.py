"""Files over HTTP: spreadsheets and documents taken in, labels to print, a copy of the ledger."""

from __future__ import annotations

import dataclasses
import re
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, File, Form, Query, Response, UploadFile
from fastapi.responses import FileResponse, JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.background import BackgroundTask

from nearer.aid.api.errors import documented
from nearer.aid.api.gate import Gate, Person
from nearer.aid.api.parts import EVERY, Desk, Site
from nearer.aid.api.shape import OneShape
from nearer.aid.backup import backup
from nearer.aid.commands import CODE, LOT
from nearer.aid.households.cards import card_hash, new_token
from nearer.aid.households.labels import card_label, lot_labels, write_sheets
from nearer.aid.imports import Reading, gifts_from, items_from, post, read_spellings, receipts_from, stock_from
from nearer.aid.refusals import BusyError
from nearer.aid.store import Store
from nearer.errors import InputError, UsageError

MOST_FILE_BYTES = 8 * 2**20
"""No file that is taken in over HTTP is larger."""

_NAMED = re.compile(r"[\w .-]{1,80}")
_CODE = Annotated[str | None, Form(pattern=CODE)]


class ImportAnswer(BaseModel):
    """What a file says, and what was done with it: nothing yet where it was not applied."""

    applied: bool
    file: str
    rows: int
    notes: list[str]
    commands: list[dict[str, Any]]
    answers: list[dict[str, Any]]


class CardsAsked(BaseModel):
    """Cards to print."""

    model_config = ConfigDict(extra="forbid")

    cards: Annotated[list[Annotated[str, Field(max_length=200)]], Field(min_length=1, max_length=2400)]


def files_router(store: Store, gate: Gate) -> APIRouter:
    """``POST /imports/…``, ``GET /labels``, ``POST /labels/cards``, ``POST /labels/these`` and ``GET /backup``."""
    router = APIRouter(tags=["files"], route_class=OneShape)
    copying = threading.Semaphore(1)

    def imported(
        person: Person,
        what: Annotated[Literal["gifts", "stock", "items", "epcis"], Form(description="What the file holds.")],
        file: Annotated[UploadFile, File(description="CSV, XLSX, or an EPCIS document in JSON.")],
        units: Annotated[UploadFile | None, File(description="Further spellings: CSV, spelling and unit.")] = None,
        classes: Annotated[UploadFile | None, File(description="EPCIS: CSV with class and item.")] = None,
        site: _CODE = None,
        giver: _CODE = None,
        codes: Annotated[str | None, Form(max_length=10_000, description="Items: IFRC codes, with commas.")] = None,
        add_items: Annotated[bool, Form()] = False,
        add_organisations: Annotated[bool, Form()] = False,
        apply: Annotated[bool, Form(description="Do it; without, it is only told what would be done.")] = False,
        desk: Desk = "desk",
    ) -> JSONResponse:
        """Take in a file, or tell what it would do; a file that is sent twice counts once."""
        person.need(f"import-{what}")
        with tempfile.TemporaryDirectory(prefix="nearer-aid-") as folder, _by_their_names(Path(folder)):
            place = _kept(file, Path(folder), "file")
            if what == "epcis":
                if classes is None or site is None or giver is None:
                    raise UsageError("An EPCIS document needs classes, site and giver.")
                reading = receipts_from(store, place, _kept(classes, Path(folder), "classes"), site=site, giver=giver)
            else:
                spellings = read_spellings(None if units is None else _kept(units, Path(folder), "units"))
                if what == "gifts":
                    reading = gifts_from(
                        store,
                        place,
                        spellings,
                        site=site,
                        giver=giver,
                        add_items=add_items,
                        add_organisations=add_organisations,
                    )
                elif what == "stock":
                    reading = stock_from(store, place, spellings, site=site, add_items=add_items)
                else:
                    only = [code.strip() for code in (codes or "").split(",") if code.strip()]
                    reading = items_from(store, place, spellings, codes=only or None)
            return JSONResponse(_ended(store, reading, place.name, apply, person.code, desk))

    def lots(
        person: Person,
        lot: Annotated[list[Annotated[str, Query(pattern=LOT)]] | None, Query(max_length=2400)] = None,
        site: Site = None,
    ) -> Response:
        """Labels of lots, or of all that a site holds, as a PDF of A4 sheets of 24."""
        person.need("labels")
        if bool(lot) == (site is not None):
            raise UsageError("Labels of what? Name lots, or a site.")
        return _sheets(lot_labels(store, lot or (), site), secret=False)

    def cards(
        person: Person,
        count: Annotated[int, Query(ge=1, le=2400, description="How many new cards.")],
    ) -> Response:
        """New cards that nobody has yet, as a PDF of A4 sheets of 24; they are kept nowhere."""
        person.need("labels")
        return _sheets([card_label(new_token()) for _ in range(count)], secret=True)

    def these(asked: CardsAsked, person: Person) -> Response:
        """Cards that were told just now, as a PDF to print; they are kept nowhere."""
        person.need("labels")
        for token in asked.cards:
            card_hash(token)  # a mistyped card would be printed for nothing
        return _sheets([card_label(token) for token in asked.cards], secret=True)

    def copy(person: Person) -> Response:
        """The whole ledger as it is at one moment, packed; households, cards and keys are not in it."""
        person.need("backup")
        if not copying.acquire(timeout=1):
            raise BusyError("A copy is being made; try again when it is done.")
        try:
            folder = tempfile.TemporaryDirectory(prefix="nearer-aid-")
            try:
                file = Path(folder.name) / "ledger.nearer-aid.gz"
                made = backup(store.url.render_as_string(hide_password=False), file)
            except BaseException:
                folder.cleanup()
                raise
        finally:
            copying.release()
        name = f"ledger-{made['seq']}.gz"
        headers = {"Cache-Control": "no-store"}
        return FileResponse(
            file,
            headers=headers,
            media_type="application/gzip",
            filename=name,
            background=BackgroundTask(folder.cleanup),
        )

    json_told = documented(*EVERY, "unknown", "refused", "not-enough", "too-large", "disk")
    routes: tuple[tuple[str, str, Callable[..., Response], str, str | None], ...] = (
        ("/imports", "POST", imported, "import-file", None),
        ("/labels", "GET", lots, "get-labels", "application/pdf"),
        ("/labels/cards", "POST", cards, "make-cards", "application/pdf"),
        ("/labels/these", "POST", these, "print-cards", "application/pdf"),
        ("/backup", "GET", copy, "get-backup", "application/gzip"),
    )
    for path, method, function, name, media in routes:
        function.__annotations__["person"] = Annotated[Person, Depends(gate)]
        if media is None:
            more: dict[str, Any] = {"response_model": ImportAnswer, "responses": json_told}
        else:
            file = {"content": {media: {"schema": {"type": "string", "format": "binary"}}}}
            more = {
                "response_class": Response,
                "response_model": None,
                "responses": {200: file, **documented(*EVERY, "unknown", "refused", "disk")},
            }
        router.add_api_route(path, function, methods=[method], operation_id=name, **more)
    return router


def _kept(upload: UploadFile, folder: Path, part: str) -> Path:
    """A file that was sent, in a folder of its own, under the name that it had where that is harmless."""
    name = upload.filename or ""
    place = folder / part / (name if _NAMED.fullmatch(name) and name.strip(" .") else part)
    place.parent.mkdir()
    place.write_bytes(upload.file.read())
    return place


@contextmanager
def _by_their_names(folder: Path) -> Iterator[None]:
    """Faults name a file as whoever sent it does."""
    try:
        yield
    except InputError as error:
        named = [
            dataclasses.replace(fault, file=Path(fault.file).name)
            if fault.file is not None and fault.file.startswith(str(folder))
            else fault
            for fault in error.faults
        ]
        raise InputError(named) from None


def _ended(store: Store, reading: Reading, name: str, apply: bool, by: str, desk: str) -> dict[str, Any]:
    reading.file = name
    answers = post(store, reading, actor=by, desk=desk) if apply else []
    return {"applied": apply, **reading.as_json(), "answers": answers}


def _sheets(labels: Any, *, secret: bool) -> Response:
    with tempfile.TemporaryDirectory(prefix="nearer-aid-") as folder:
        file = Path(folder) / "labels.pdf"
        write_sheets(labels, file, secret=secret)
        return Response(file.read_bytes(), media_type="application/pdf", headers={"Cache-Control": "no-store"})
