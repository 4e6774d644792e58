"""
What the ledger answers instead of doing what it was asked.

::

    NearerError
    └── RefusedError       1  the rules forbid it; nothing was written
        ├── NotEnoughError 1  a bounded account would go below zero
        ├── ClaimError     1  the household has had its share, or is entitled to none of this
        ├── UnknownError   1  a code names nothing
        ├── IdTakenError   2  the id was used for another command
        └── BusyError      3  too many at once; the same command may be sent again with the same id

Each has its text and the values in it apart, so that a page can say it in the reader's language: the text is the key of
the pages' catalogues (``nearer.serve.locale``), and a test fails where one is missing.
"""

from __future__ import annotations

from nearer.errors import NearerError


class RefusedError(NearerError):
    """
    The rules forbid the command; nothing was written.

    Parameters
    ----------
    text
        A sentence with the names of its values in braces.
    values
        What stands for them.
    """

    def __init__(self, text: str, /, **values: object) -> None:
        self.text = text
        self.values = values
        super().__init__(text.format(**values) if values else text)


class NotEnoughError(RefusedError):
    """An account that may not go below zero holds less than was asked for."""


class ClaimError(RefusedError):
    """A household has drawn what it may in this period, or is entitled to none of it."""


class IdTakenError(RefusedError):
    """The client-made id already stands for another command."""

    exit_code = 2


class BusyError(RefusedError):
    """The ledger could not be had in time; the same command may be sent again with the same id."""

    exit_code = 3


class UnknownError(RefusedError):
    """A code names nothing."""


def unknown(what: str, code: str, remedy: str) -> UnknownError:
    """The refusal for a code that names nothing; the remedy is for the command line and in English alone."""
    found = UnknownError("There is no {what} {code!r}; {remedy}.", what=what, code=code, remedy=remedy)
    found.text, found.values = "There is no {what} {code}.", {"what": what, "code": code}
    return found
