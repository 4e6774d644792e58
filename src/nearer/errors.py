"""
The errors a person can meet, drawn as a tree.

::

    NearerError                exit code 1
    ├── InputError             2  faults in the files or settings given, all of them at once
    ├── UsageError             2  a request that cannot be carried out as asked
    ├── OutputError            2  a file that cannot be written: a full disk, a folder without permission
    ├── InfeasibleError        1  no plan obeys the rules, with the reason
    ├── CheckFailedError       1  an independent check disagrees
    └── StoppedError           3  asked to stop before there was anything to show
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

COMMAND_LINE = "the command line"
"""What stands for a file where a setting was given as an option."""


@dataclass(frozen=True)
class Fault:
    """
    One thing wrong with what was given.

    Parameters
    ----------
    message
        What is wrong, one clause without a full stop.
    file, row, column
        Where: file name as the user wrote it, row as a spreadsheet counts it (the header is row 1) or line of
        ``nearer.toml``, column name, dotted key of ``nearer.toml`` or option of the command line.
    remedy
        What would mend it, one clause.
    """

    message: str
    file: str | None = None
    row: int | None = None
    column: str | None = None
    remedy: str | None = None

    def __str__(self) -> str:
        settings = self.file is None or self.file == COMMAND_LINE or self.file.endswith(".toml")
        place = ", ".join(
            part
            for part in (
                self.file,
                None if self.row is None else f"{'line' if settings else 'row'} {self.row}",
                self.column if settings or self.column is None else f"column {self.column}",
            )
            if part
        )
        text = f"{place}: {self.message}" if place else self.message
        return f"{text}; {self.remedy}." if self.remedy else f"{text}."


class NearerError(Exception):
    """Anything this program says instead of an answer."""

    exit_code = 1


class InputError(NearerError, ValueError):
    """
    The files or settings given have faults.

    Parameters
    ----------
    faults
        All that was found, in the order of the file.
    """

    exit_code = 2

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))

    def __reduce__(self) -> tuple[type[InputError], tuple[tuple[Fault, ...]]]:
        return type(self), (self.faults,)  # whole from one process to another


class UsageError(NearerError, ValueError):
    """The request cannot be carried out as asked; the message says what to ask instead."""

    exit_code = 2


class OutputError(NearerError):
    """
    A file cannot be written where it was asked for; nothing is left behind, and what was there stands.

    Parameters
    ----------
    what
        The file or folder, as the user knows it.
    reason
        What the system says ("No space left on device").
    """

    exit_code = 2

    def __init__(self, what: object, reason: object) -> None:
        self.what, self.reason = str(what), str(reason)
        super().__init__(f"{what} could not be written: {self.reason}; free some room or give another folder.")

    def __reduce__(self) -> tuple[type[OutputError], tuple[str, str]]:
        return type(self), (self.what, self.reason)


class InfeasibleError(NearerError):
    """No plan obeys all the rules; the message names those that conflict."""


class CheckFailedError(NearerError):
    """An independent check disagrees with the result it checked."""


class StoppedError(NearerError):
    """The work was asked to stop before there was anything to show."""

    exit_code = 3


class Faults:
    """Collects faults so that a file's are reported all at once; long runs of one kind are counted, not repeated."""

    def __init__(self, file: str | None = None) -> None:
        self.file = file
        self.found: list[Fault] = []

    def add(
        self,
        message: str,
        *,
        row: int | None = None,
        column: str | None = None,
        remedy: str | None = None,
        file: str | None = None,
    ) -> None:
        """Note one fault."""
        self.found.append(Fault(message, file or self.file, row, column, remedy))

    def extend(self, error: InputError) -> None:
        """Take over what another reader found, once where two readers of a file found the same."""
        self.found.extend(fault for fault in error.faults if fault not in self.found)

    def raise_if_any(self) -> None:
        """
        End the reading if anything was found.

        Raises
        ------
        InputError
            With every fault noted so far.
        """
        if self.found:
            raise InputError(self.found)
