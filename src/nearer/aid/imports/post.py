"""What a file would do, and doing it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from nearer.aid.commands import Command
from nearer.aid.imports.sheet import Sheet
from nearer.aid.refusals import IdTakenError, RefusedError
from nearer.aid.store import Store, sql_of
from nearer.errors import Fault, InputError


@dataclass(frozen=True)
class Planned:
    """
    One command that a file leads to.

    Parameters
    ----------
    id, command, at
        As the ledger takes them; ``id`` follows from the file's bytes and the row.
    row
        The row that it begins with.
    done
        Whether it was carried out before.
    """

    id: str
    command: Command
    row: int
    at: datetime | None = None
    done: bool = False


@dataclass
class Reading:
    """
    What a file says.

    Parameters
    ----------
    file
        Its name.
    rows
        How many rows were read.
    planned
        Commands, in order.
    notes
        What was left aside and why, one sentence each.
    """

    file: str
    rows: int
    planned: list[Planned] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """All of it as plain values."""
        commands = [
            {"id": one.id, "row": one.row, "done": one.done, "kind": one.command.kind, **one.command.body()}
            for one in self.planned
        ]
        return {"file": self.file, "rows": self.rows, "notes": self.notes, "commands": commands}


def id_for(sheet: Sheet, what: str, row: int) -> str:
    """The id of the command that a row of a file begins."""
    return f"import-{sheet.mark}-{what}{row}"


def look_up_done(store: Store, reading: Reading) -> None:
    """Mark what was carried out before."""
    with store.reading() as connection:
        sql = sql_of(connection)
        reading.planned = [
            replace(one, done=sql.one("SELECT 1 FROM transactions WHERE id = ?", one.id) is not None)
            for one in reading.planned
        ]


def post(store: Store, reading: Reading, *, actor: str, desk: str = "desk") -> list[dict[str, Any]]:
    """
    Carry out what a file says, in order; what was done before is answered and not done again.

    Returns
    -------
    answers
        As of ``Store.do``.

    Raises
    ------
    RefusedError
        The ledger refused a row; the rows before it stand, and the same file may be taken in again.
    """
    answers = []
    for one in reading.planned:
        try:
            answers.append(store.do(one.command, id=one.id, actor=actor, desk=desk, at=one.at))
        except IdTakenError as error:
            remedy = "it counts once; give the options that it was taken in with, or change the file"
            raise InputError(
                [Fault("was taken in before, in another reading", reading.file, one.row, None, remedy)]
            ) from error
        except RefusedError as error:
            place = f"{reading.file}, row {one.row}"
            raise type(error)(
                f"{place}: {error} What came before this row stands; mend it and take the file in again."
            ) from error
    return answers
