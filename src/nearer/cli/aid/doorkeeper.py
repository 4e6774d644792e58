"""Who may do what on the command line; and how secrets are asked for, so that they are in no list of arguments."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import typer

from nearer.cli.aid.shared import Asker, answering, asker_of
from nearer.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from nearer.aid.households.store import Households

KINDS = {
    "add-giver": "add-party",
    "site-state": "set-site-state",
    "count": "stocktake",
    "allocate": "propose",
    "crisis": "propose",
}
"""Commands that are called otherwise in the ledger."""

OPEN = ("init", "demo")
"""Commands that are there before anybody is."""

_MAKING = ("add-staff", "enrol", "restore", "restore-households")
_ANY_FORM = ("upgrade", "backup-households")
_ROLE = "nearer.aid.role"


def guarded(name: str, function: Callable[..., None]) -> Callable[..., None]:
    """The command, done only for who may do it; where there is no staff, for everybody."""

    @functools.wraps(function)
    def checked(*arguments: Any, **options: Any) -> None:
        if name not in OPEN:
            with answering(bool(options.get("as_json"))):
                _let_in(options["context"], name)
        function(*arguments, **options)

    return checked


def allowed(context: typer.Context, kind: str, by: str | None = None) -> None:
    """
    Refuse what the role of who asks may not do, or what is done in another's name.

    Raises
    ------
    RefusedError
        It may not.
    """
    from nearer.aid.households import staff
    from nearer.aid.refusals import RefusedError

    role = context.meta.get(_ROLE)
    if kind == "hand-over":
        kind = "hand-over-by-tag"  # the ledger's own command knows no card
    staff.need(role, kind)
    asker = asker_of(context)
    if role is not None and by is not None and by != asker.by:
        raise RefusedError(f"You are {asker.by} and cannot act as {by}.")


def are_people(context: typer.Context) -> bool:
    """
    Whether there is a household database: one that was named must be there, the one beside the ledger may be missing.

    Raises
    ------
    UsageError
        It cannot be told: the server does not answer.
    """
    from nearer.aid.households.store import is_beside

    asker = asker_of(context)
    return asker.households is not None or is_beside(asker.ledger)


def place_of_people(context: typer.Context) -> str:
    """Where the household database that goes with the ledger is, or would be."""
    return _places(asker_of(context))[0]


def open_people(context: typer.Context, *, make: bool = False, any_form: bool = False) -> Households:
    """
    The household database and keys that go with the ledger.

    Raises
    ------
    UsageError
        It is not there, and with ``make`` cannot be made; or it is of another form (but for ``any_form``).
    """
    from nearer.aid.households.store import Households

    asker = asker_of(context)
    return Households(*_places(asker), make=make, any_form=any_form)


def secret(what: str, variable: str, *, confirm: bool = False) -> str:
    """
    A password or PIN: from the environment, from whoever sits at the terminal, or the next line of standard input.

    Raises
    ------
    UsageError
        There is none.
    """
    if value := os.environ.get(variable):
        return value
    if sys.stdin.isatty():
        return str(typer.prompt(what, hide_input=True, confirmation_prompt=confirm, err=True))
    if value := sys.stdin.readline().strip():
        return value
    raise UsageError(f"{what} is needed: set {variable}, or give it on standard input.")


def token_from(text: str) -> str:
    """A card from the command line; ``-`` reads a line of standard input, which no list of processes shows."""
    if text != "-":
        return text
    if sys.stdin.isatty():
        return str(typer.prompt("Card", hide_input=True, err=True))
    return sys.stdin.readline().strip()


def checked_and_kept(people: Households, code: str, password: str, way: str = "terminal") -> str:
    """As ``staff.check``; what came of it is kept, with the way that it was."""
    from nearer.aid.households import signins, staff
    from nearer.aid.refusals import RefusedError

    try:
        role = staff.check(people, code, password)
    except RefusedError:
        signins.keep(people, code, "refused", way, signins.TERMINAL)
        raise
    signins.keep(people, code, "in", way, signins.TERMINAL)
    return role


def _places(asker: Asker) -> tuple[str, Path | None]:
    from nearer.aid.households.store import beside

    place, keys = beside(asker.ledger)
    return asker.households or place, asker.keys or keys


def _let_in(context: typer.Context, name: str) -> None:
    """Ask for the password of who asks, once there is staff, and see whether the role may do this."""
    from nearer.aid.households import staff
    from nearer.aid.households.store import Households, has_tables

    if not are_people(context):
        return
    asker = asker_of(context)
    place, keys = _places(asker)
    if name in _MAKING and not has_tables(place):
        return
    with Households(place, keys, any_form=name in _ANY_FORM) as people:
        if not staff.any_staff(people):
            return
        # Where tables of an earlier release are at hand there is no room for what came of it.
        check = staff.check if name in _ANY_FORM else checked_and_kept
        role = check(people, asker.by, _password(asker))
    context.find_root().meta[_ROLE] = role
    staff.need(role, KINDS.get(name, name))


def _password(asker: Asker) -> str:
    if value := os.environ.get("NEARER_AID_PASSWORD"):
        return value
    if sys.stdin.isatty():
        return str(typer.prompt(f"Password of {asker.by}", hide_input=True, err=True))
    raise UsageError(f"The password of {asker.by} is needed: set NEARER_AID_PASSWORD.")
