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
"""

from __future__ import annotations

from nearer.errors import NearerError


class RefusedError(NearerError):
    """The rules forbid the command; nothing was written."""


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
    """The refusal for a code that names nothing."""
    return UnknownError(f"There is no {what} {code!r}; {remedy}.")
