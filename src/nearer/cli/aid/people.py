"""Staff: codes with a role and a password."""

from __future__ import annotations

from typing import Annotated

import typer

from nearer.cli.aid.doorkeeper import open_people, secret
from nearer.cli.aid.shared import AsJson, answering, asker_of, rows_table
from nearer.cli.console import say, say_json
from nearer.errors import UsageError

Code = Annotated[str, typer.Argument(metavar="CODE", help="Short code: small letters, digits, dashes; no name.")]

NEW_PASSWORD = "NEARER_AID_NEW_PASSWORD"


def add_staff(
    context: typer.Context,
    code: Code,
    role: Annotated[str, typer.Option(help="viewer, desk, stock, coordinator or auditor.")],
    as_json: AsJson = False,
) -> None:
    """Add somebody who works here; the first is a coordinator, and from then on passwords are asked for."""
    with answering(as_json):
        from nearer.aid.households import staff

        password = secret(f"Password for {code}", NEW_PASSWORD, confirm=True)
        with open_people(context, make=True) as people:
            staff.add(people, code, role, password)
        if as_json:
            say_json({"staff": code, "role": role})
        else:
            say(f"{code} is there, as {role}.")


def change_staff(
    context: typer.Context,
    code: Code,
    role: Annotated[str | None, typer.Option(help="viewer, desk, stock, coordinator or auditor.")] = None,
    disable: Annotated[bool, typer.Option("--disable", help="Let them in no more.")] = False,
    enable: Annotated[bool, typer.Option("--enable", help="Let them in again.")] = False,
    new_password: Annotated[bool, typer.Option("--new-password", help="Give them a new password.")] = False,
    as_json: AsJson = False,
) -> None:
    """Give somebody another role or a new password, or disable them; nobody is deleted."""
    with answering(as_json):
        from nearer.aid.households import staff

        if disable and enable:
            raise UsageError("Give --disable or --enable, not both.")
        if not (disable or enable or new_password or role):
            raise UsageError("Say what to change: --role, --disable, --enable or --new-password.")
        password = secret(f"Password for {code}", NEW_PASSWORD, confirm=True) if new_password else None
        with open_people(context) as people:
            staff.change(people, code, role=role, disabled=disable if disable or enable else None)
            if password is not None:
                staff.set_password(people, code, password)
        if as_json:
            say_json({"staff": code})
        else:
            say(f"{code} is changed.")


def password(context: typer.Context, as_json: AsJson = False) -> None:
    """Give yourself a new password."""
    with answering(as_json):
        from nearer.aid.households import staff

        by = asker_of(context).by
        with open_people(context) as people:
            staff.set_password(people, by, secret(f"New password for {by}", NEW_PASSWORD, confirm=True))
        if as_json:
            say_json({"staff": by})
        else:
            say(f"{by} has a new password.")


def show_staff(context: typer.Context, as_json: AsJson = False) -> None:
    """Show who works here, with which role, since and until when."""
    with answering(as_json):
        from nearer.aid.households import staff

        with open_people(context) as people:
            rows = staff.listed(people)
        if as_json:
            say_json(rows)
        elif rows:
            rows_table(rows)
        else:
            say("Nobody.")


def sign_ins(
    context: typer.Context,
    most: Annotated[int, typer.Option(min=1, max=100_000, metavar="N", help="So many of the newest.")] = 100,
    as_json: AsJson = False,
) -> None:
    """Show who signed in, was refused, waited or signed out: when, how, and from which network; the newest first."""
    with answering(as_json):
        from nearer.aid.households import signins

        with open_people(context) as people:
            rows = signins.newest(people, most)
        if as_json:
            say_json(rows)
        elif rows:
            rows_table([row | {"staff": row["staff"] or "?"} for row in rows])
            if any(row["staff"] is None for row in rows):
                say("?: what was typed is no staff code, and is not kept.")
        else:
            say("Nothing.")


COMMANDS = {
    "add-staff": add_staff,
    "change-staff": change_staff,
    "password": password,
    "staff": show_staff,
    "sign-ins": sign_ins,
}
