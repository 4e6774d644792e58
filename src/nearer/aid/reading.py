"""Commands from plain values, from JSON lines, with every fault in a sentence."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from nearer.aid.commands import AMOUNT, CLOCK, CODE, COMMANDS, CONFLICT, LABEL, LOT, REFERENCE, TAG, UNIT, Command
from nearer.errors import Fault, InputError

_WORDS = {
    "missing": "is needed",
    "extra_forbidden": "is not known here",
    "too_short": "needs at least one entry",
}

_PATTERNS = {
    CODE: "must be a code: small letters, digits, dashes",
    LABEL: "must be a name of at most 120 letters that does not begin with a blank",
    UNIT: "must be a unit without blanks",
    LOT: "must be a lot such as L12-1",
    REFERENCE: "must be a number such as R12",
    CONFLICT: "must be a conflict such as X12-1",
    TAG: "must be an opaque tag of 32 to 64 hexadecimal digits",
    CLOCK: "must be a time such as 09:30",
    AMOUNT: 'must be a whole number, or a decimal text such as "1.5"',
}


def command_from(kind: str, fields: dict[str, Any], *, file: str | None = None, row: int | None = None) -> Command:
    """
    The command of a kind with these values.

    Raises
    ------
    InputError
        The kind is unknown, or a value is not what it must be; each fault names its place.
    """
    model = COMMANDS.get(kind)
    if model is None:
        known = f"there are {', '.join(COMMANDS)}"
        raise InputError([Fault(f"there is no command {kind!r}", file, row, "kind", known)])
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        raise InputError(faults_of(error.errors(include_url=False), file, row)) from None


@dataclass(frozen=True)
class Row:
    """
    One command of a file.

    Parameters
    ----------
    command, id, by, at
        What is asked, its own id, who asks and when it happened.
    place
        File and row, for people.
    """

    command: Command
    id: str
    by: str | None
    at: datetime | None
    place: str


def read_commands(file: Path) -> Iterator[Row]:
    """
    Commands of a file with one JSON object on each line, as they come; ``-`` reads standard input.

    Each object has ``id`` and ``kind``, may have ``by`` and ``at``, and the command's own keys.

    Raises
    ------
    InputError
        A line is no such object; what came before it stands.
    """
    name = "standard input" if str(file) == "-" else str(file)
    try:
        with sys.stdin if str(file) == "-" else file.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    yield _row(line, name, number)
    except OSError as error:
        raise InputError([Fault(f"cannot be read: {error.strerror}", name)]) from error
    except UnicodeDecodeError as error:
        raise InputError([Fault("is no UTF-8 text", name, remedy="save it as UTF-8")]) from error


def _row(line: str, file: str, number: int) -> Row:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError([Fault("is no JSON", file, number, remedy="write one object on each line")]) from error
    if not isinstance(found, dict):
        raise InputError([Fault("is no JSON object", file, number, remedy="write one object on each line")])
    for key in ("id", "kind"):
        if not isinstance(found.get(key), str):
            raise InputError([Fault("is needed, as text", file, number, key)])
    id, kind, by, at = found.pop("id"), found.pop("kind"), found.pop("by", None), found.pop("at", None)
    if by is not None and not isinstance(by, str):
        raise InputError([Fault("must be a staff code", file, number, "by")])
    moment = None
    if at is not None:
        try:
            moment = datetime.fromisoformat(at)
        except (ValueError, TypeError) as error:
            raise InputError([Fault("is no moment", file, number, "at", "write 2026-03-02T09:30+01:00")]) from error
        moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return Row(command_from(kind, found, file=file, row=number), id, by, moment, f"{file}, row {number}")


def faults_of(errors: Iterable[Mapping[str, Any]], file: str | None, row: int | None) -> list[Fault]:
    """What pydantic found wrong, in our words, each value once."""
    faults: dict[str, Fault] = {}
    for found in errors:
        # A quantity may be written in two ways; whichever was meant, it is one value with one fault.
        parts = [part for part in found["loc"] if not str(part).startswith("constrained-")]
        path = ".".join(map(str, parts))
        kind = found["type"]
        words = "must be a day such as 2026-03-31" if kind.startswith("date") else _WORDS.get(kind)
        words = words or _PATTERNS.get(str(found.get("ctx", {}).get("pattern")))
        words = words or (_PATTERNS[AMOUNT] if kind in ("int_from_float", "int_parsing", "int_type") else None)
        words = words or found["msg"].removeprefix("Value error, ")
        faults.setdefault(path, Fault(words[:1].lower() + words[1:], file, row, path or None))
    # Where an entry of a list is wrong, the list is not also too short.
    return [fault for path, fault in faults.items() if not any(other.startswith(f"{path}.") for other in faults)]
