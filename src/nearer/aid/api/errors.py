"""What goes wrong, in one JSON shape: ``{"error": {"code", "message", "remedy", "field"?, "faults"?}}``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException

from nearer.aid.reading import faults_of
from nearer.aid.refusals import BusyError, ClaimError, IdTakenError, NotEnoughError, RefusedError, UnknownError
from nearer.aid.store import trouble_of
from nearer.errors import Fault, InputError, NearerError, OutputError, UsageError


class FaultFound(BaseModel):
    """One of several things that are wrong with what was sent."""

    message: str
    field: str | None = Field(default=None, description="Dotted path of the value.")
    remedy: str | None = None


class Trouble(BaseModel):
    """Why there is no answer."""

    code: str = Field(description="For programs; see the table of codes.")
    message: str = Field(description="A sentence for people.")
    remedy: str = Field(description="What to do.")
    text: str | None = Field(
        default=None, description="The sentence with names of values in braces, as catalogues have it."
    )
    values: dict[str, str | int] | None = Field(default=None, description="What stands for the names in ``text``.")
    field: str | None = Field(default=None, description="Dotted path of the first value that is wrong.")
    faults: list[FaultFound] | None = Field(default=None, description="All that is wrong, where it is more than one.")


class Refusal(BaseModel):
    """The one shape of every answer that is not 2xx."""

    error: Trouble


CODES: dict[str, tuple[int, str, str]] = {
    "invalid": (422, "A value that was sent is not what it must be.", "Mend what is named and send it again."),
    "sign-in": (401, "Nobody is signed in.", "Sign in, and send it again with the session."),
    "not-yours": (403, "This role may not do that.", "Ask somebody whose role allows it."),
    "unknown": (404, "What was named is not there.", "Look at the lists for what there is."),
    "no-such-address": (404, "There is nothing at this address.", "Look at openapi.json for what there is."),
    "no-such-method": (405, "The address knows no such method.", "Look at openapi.json for what there is."),
    "refused": (409, "The rules of the ledger forbid it; nothing was written.", "Do what the message says."),
    "not-enough": (409, "There is not as much; nothing was written.", "Ask for less, or count what is there."),
    "claim": (
        409,
        "The household is not entitled to so much in this period; nothing was written.",
        "Give what is left.",
    ),
    "id-taken": (409, "The key stands for another command.", "Make a new key for a new command."),
    "too-large": (413, "More was sent than any command needs.", "Send it in parts."),
    "too-often": (429, "A wrong password was given too often.", "Wait as long as Retry-After says."),
    "fault": (
        500,
        "Something unexpected went wrong.",
        "Send the same again with the same key; tell whoever runs the server.",
    ),
    "busy": (503, "Too many ask at once.", "Send the same again with the same key: it counts once."),
    "disk": (507, "The ledger cannot be written.", "Tell whoever runs the server: the disk is full or read-only."),
}
"""Every code: its status, when it comes, and what to do."""


class RefusedHere(Exception):  # noqa: N818 - becomes an answer
    """An answer that the HTTP side gives by itself."""

    def __init__(
        self,
        code: str,
        message: str | None = None,
        headers: dict[str, str] | None = None,
        refused: RefusedError | None = None,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.message = message
        self.headers = headers
        self.refused = refused


def documented(*codes: str) -> dict[int | str, dict[str, Any]]:
    """What an address tells about its refusals in the OpenAPI document."""
    found: dict[int | str, dict[str, Any]] = {}
    for code in codes:
        status, when, _ = CODES[code]
        entry = found.setdefault(status, {"model": Refusal, "description": ""})
        entry["description"] = f"{entry['description']} `{code}`: {when}".strip()
    return found


def refusal(
    code: str,
    message: str | None = None,
    faults: Iterable[Fault] = (),
    headers: dict[str, str] | None = None,
    *,
    refused: RefusedError | None = None,
) -> JSONResponse:
    """The answer for a code; of a refusal also its text and values, for other languages."""
    status, when, remedy = CODES[code]
    error: dict[str, Any] = {"code": code, "message": message or when, "remedy": remedy}
    if refused is not None:
        error["text"] = refused.text
        error["values"] = {k: v if isinstance(v, int) else str(v) for k, v in refused.values.items()}
    told = list(faults)
    if told:
        first = told[0]
        error["message"] = str(first)
        error["remedy"] = f"{first.remedy[:1].upper()}{first.remedy[1:]}." if first.remedy else remedy
        if first.column:
            error["field"] = first.column
    if len(told) > 1:
        error["faults"] = [
            {
                name: value
                for name, value in (("message", str(f)), ("field", f.column), ("remedy", f.remedy))
                if value is not None
            }
            for f in told
        ]
    if code == "busy":
        headers = {"Retry-After": "1", **(headers or {})}
    return JSONResponse({"error": error}, status, headers)


_OURS: tuple[tuple[type[NearerError], str], ...] = (
    (NotEnoughError, "not-enough"),
    (ClaimError, "claim"),
    (IdTakenError, "id-taken"),
    (BusyError, "busy"),
    (UnknownError, "unknown"),
    (RefusedError, "refused"),
    (OutputError, "disk"),
    (UsageError, "invalid"),
    (InputError, "invalid"),
)


def code_of(error: NearerError) -> str:
    """The code for an error of ours."""
    return next((code for kind, code in _OURS if isinstance(error, kind)), "refused")


def answer_to(error: Exception) -> JSONResponse | None:
    """The answer to an error that has a place among the codes; None where it is a fault of ours."""
    if isinstance(error, NearerError):
        faults = error.faults if isinstance(error, InputError) else ()
        refused = error if isinstance(error, RefusedError) else None
        return refusal(code_of(error), str(error), faults, refused=refused)
    if isinstance(error, RefusedHere):
        return refusal(error.code, error.message, headers=error.headers, refused=error.refused)
    if isinstance(error, RequestValidationError):
        return _of_validation(error)
    if isinstance(error, HTTPException):
        return _of_http(error)
    if isinstance(error, SQLAlchemyError):
        code = {"busy": "busy", "full": "disk"}.get(trouble_of(error) or "")
        return None if code is None else refusal(code)
    return None


def _of_validation(error: RequestValidationError) -> JSONResponse:
    found = []
    for one in error.errors():
        where, *path = one["loc"]
        if where == "body" and one["type"] == "json_invalid":
            return refusal("invalid", faults=[Fault("the body is no JSON", remedy="send one JSON object")])
        if where == "body" and not path:
            return refusal("invalid", faults=[Fault("the body must be a JSON object", remedy="send one JSON object")])
        found.append({**one, "loc": tuple(path)})
    return refusal("invalid", faults=faults_of(found, None, None))


def _of_http(error: HTTPException) -> JSONResponse:
    headers = dict(error.headers) if error.headers else None
    codes = {401: "sign-in", 403: "not-yours", 404: "no-such-address", 405: "no-such-method", 413: "too-large"}
    code = codes.get(error.status_code)
    if code is None:
        return refusal("invalid" if error.status_code < 500 else "fault", headers=headers)
    return refusal(code, headers=headers)


def _of_known(request: Request, error: Exception) -> JSONResponse:
    return answer_to(error) or refusal("fault")


def answer_in_one_shape(app: FastAPI) -> None:
    """Let an application tell what concerns no address of the desk in the one shape too."""
    for kind in (RequestValidationError, HTTPException, Exception):
        app.add_exception_handler(kind, _of_known)
