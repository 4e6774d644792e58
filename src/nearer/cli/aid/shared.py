"""What the desk's commands share: where the ledger is, who asks, quantities as people write them, answers as tables."""

from __future__ import annotations

import re
import unicodedata
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from nearer.cli import console
from nearer.cli.console import note, say, say_json
from nearer.errors import UsageError

DEFAULT_LEDGER = "aid.db"

AsJson = Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")]
Id = Annotated[
    str | None,
    typer.Option("--id", metavar="ID", help="The command's own id, to send it again.", show_default="a new one"),
]
At = Annotated[
    str | None,
    typer.Option("--at", metavar="TIME", help="When it happened, as 2026-03-02T09:30+01:00.", show_default="now"),
]
Wanted = Annotated[list[str], typer.Argument(metavar="ITEM=QUANTITY…", help="Items, such as rice=20kg.")]
LotAmounts = Annotated[list[str], typer.Argument(metavar="LOT=QUANTITY…", help="Lots, such as L12-1=40 base units.")]
Programme = Annotated[
    str | None, typer.Option("--for-programme", metavar="CODE", help="What it is for; earmarked gifts go there.")
]
UseBy = Annotated[str | None, typer.Option("--use-by", metavar="DAY", help="Last day on which it may be given.")]
BestBefore = Annotated[str | None, typer.Option("--best-before", metavar="DAY", help="It may be given after that day.")]
Cold = Annotated[bool, typer.Option("--cold", help="It is to be kept cold.")]

_EXTRA = (
    "sqlalchemy",
    "alembic",
    "psycopg",
    "cryptography",
    "argon2",
    "segno",
    "fpdf",
    "fastapi",
    "uvicorn",
)

_COLUMNS = (
    "conflict",
    "kind",
    "day",
    "from",
    "to",
    "reservation",
    "lot",
    "item",
    "quantity",
    "good",
    "damaged",
    "over",
    "short",
    "expected",
    "counted",
    "variance",
)

_AMOUNT = re.compile(r"(?P<what>[A-Za-z0-9-]+)=(?P<quantity>[0-9]+(?:\.[0-9]+)?)\s*(?P<unit>[^\W\d_][\w./-]*)?")


@dataclass(frozen=True)
class Asker:
    """
    Where a command goes and who sends it.

    Parameters
    ----------
    ledger
        Path or address.
    by, desk
        Staff code and desk.
    households, keys
        Place of the household database and folder of the keys, where they are not beside the ledger.
    """

    ledger: str
    by: str
    desk: str
    households: str | None = None
    keys: Path | None = None


@contextmanager
def answering(as_json: bool = False) -> Iterator[None]:
    """As ``nearer.cli.console.answering``, and say what to install where the desk's packages are missing."""
    with console.answering(as_json):
        try:
            yield
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] not in _EXTRA:
                raise
            raise UsageError(f"The desk needs {error.name}; install it with pip install 'nearer[serve]'.") from None


def asker_of(context: typer.Context) -> Asker:
    """Who asks, from the options before the command's name."""
    found = context.find_object(Asker)
    assert found is not None
    return found


def do(
    context: typer.Context,
    kind: str,
    fields: dict[str, Any],
    *,
    id: str | None,
    at: str | None,
    as_json: bool,
    said: str = "",
) -> None:
    """Build a command from plain values, carry it out and print the answer."""
    from nearer.aid.reading import command_from
    from nearer.aid.refusals import BusyError
    from nearer.aid.store import Store

    asker = asker_of(context)
    command = command_from(kind, {name: value for name, value in fields.items() if value is not None})
    moment = None if at is None else moment_from(at)
    id = id or str(uuid.uuid4())
    with Store(asker.ledger) as store:
        try:
            answer = store.do(command, id=id, actor=asker.by, desk=asker.desk, at=moment)
        except BusyError:
            note(f"The id was {id}; give it with --id.")
            raise
    if as_json:
        say_json({"id": id, **answer})
    else:
        say(said.format(**answer) if said else f"Done: {kind}, transaction {answer['transaction']}.")
        tell(answer)


def tell(answer: dict[str, Any]) -> None:
    """Print the lines of an answer as tables, and further figures."""
    for name, value in answer.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            if name == "conflicts":
                say("Kept, with a flag for a coordinator:")
            rows_table([{key: row[key] for key in _COLUMNS if key in row} for row in value])
        elif name == "thanks":
            say(f"Thank-you number: {value}")
        elif name == "left" and isinstance(value, dict):
            say(
                "Left in this period: " + (", ".join(f"{amount} {item}" for item, amount in value.items()) or "nothing")
            )


def rows_table(rows: list[dict[str, Any]]) -> None:
    """Print rows as a table, without columns that hold nothing."""
    every = dict.fromkeys(name for row in rows for name in row)
    names = [name for name in every if any(row.get(name) not in (None, "") for row in rows)]
    cells = [names, *(["" if row.get(name) is None else str(row[name]) for name in names] for row in rows)]
    is_number = [all(isinstance(row.get(name), int | None) for row in rows) for name in names]
    widths = [max(len(line[column]) for line in cells) for column in range(len(names))]
    for line in cells:
        aligned = (
            text.rjust(width) if right else text.ljust(width)
            for text, width, right in zip(line, widths, is_number, strict=True)
        )
        say("  ".join(aligned).rstrip())


def amounts_from(texts: Iterable[str]) -> list[tuple[str, str, str | None]]:
    """
    What stands before and after the sign, and the unit: ``rice=1.5kg`` → ``("rice", "1.5", "kg")``.

    Raises
    ------
    UsageError
        A text is no such thing.
    """
    found = []
    for text in texts:
        digits = "".join(str(unicodedata.decimal(sign, sign)) for sign in text)  # ۱۰kg is 10kg
        match = _AMOUNT.fullmatch(digits.strip())
        if match is None:
            raise UsageError(f"{text!r} is no quantity; write such as rice=20kg, oil=3 or L12-1=40.")
        found.append((match["what"], match["quantity"], match["unit"]))
    return found


def wanted_from(texts: Iterable[str]) -> list[dict[str, Any]]:
    """Items with quantities and units."""
    return [
        {"item": item, "quantity": quantity} | ({} if unit is None else {"unit": unit})
        for item, quantity, unit in amounts_from(texts)
    ]


def lots_from(texts: Iterable[str]) -> list[dict[str, Any]]:
    """Lots with quantities in base units."""
    return [{"lot": lot, "quantity": whole(lot, quantity, unit)} for lot, quantity, unit in amounts_from(texts)]


def whole(lot: str, quantity: str, unit: str | None) -> int:
    """A quantity of a lot, which is in whole base units."""
    if unit is not None or "." in quantity:
        raise UsageError(f"Lots are in whole base units: write {lot}=40, without a unit.")
    return int(quantity)


def quantity_from(text: str) -> dict[str, Any]:
    """``20kg`` or ``20 kg`` → quantity and unit."""
    ((_, quantity, unit),) = amounts_from([f"x={text}"])
    return {"quantity": quantity} | ({} if unit is None else {"unit": unit})


def moment_from(text: str) -> datetime:
    """
    A moment; without a zone, UTC.

    Raises
    ------
    UsageError
        It is none.
    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"{text!r} is no moment; write 2026-03-02T09:30+01:00.") from error
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def place_of(ledger: str) -> str:
    """How a ledger is called in a sentence."""
    if "://" in ledger:
        from nearer.aid.store import url_of

        return url_of(ledger).render_as_string(hide_password=True)
    return str(Path(ledger))
