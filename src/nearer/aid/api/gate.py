"""
Who asks.

A gate is a function from a request to a person; it is the one dependency that every address has.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fastapi import Request

from nearer.aid.api.errors import RefusedHere

READ = "read"
"""What a person must be allowed to do to ask a question; a command needs its own kind."""


@dataclass(frozen=True)
class Person:
    """
    Whoever asks.

    Parameters
    ----------
    code
        Staff code, as it is written beside what they do.
    may
        Whether they may do something: a command's kind, or ``READ``.
    """

    code: str
    may: Callable[[str], bool]

    def need(self, what: str) -> None:
        """Refuse what the person may not do."""
        if not self.may(what):
            raise RefusedHere("not-yours")


Gate = Callable[..., Any]
"""A FastAPI dependency that gives a ``Person`` or refuses."""

_NAMES = ("localhost", "127.0.0.1", "[::1]")


def alone(by: str) -> Gate:
    """
    Whoever sits at this machine is ``by`` and may do everything; nobody else is let in.

    The name that the browser asked for must be this machine's too, so that a page from elsewhere whose name was made to
    point here cannot ask.
    """
    person = Person(by, lambda _: True)

    def gate(request: Request) -> Person:
        name = request.headers.get("host", "").rpartition(":")[0] or request.headers.get("host", "")
        host = request.client.host if request.client else ""
        if name not in _NAMES or not _is_this_machine(host):
            raise RefusedHere("sign-in", "Without staff and passwords the desk answers this machine alone.")
        return person

    return gate


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
