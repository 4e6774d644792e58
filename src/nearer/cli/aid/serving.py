"""The desk over HTTP."""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import Annotated

import typer

from nearer.cli.aid.doorkeeper import are_people, open_people
from nearer.cli.aid.shared import answering, asker_of
from nearer.cli.console import say
from nearer.cli.options import HeadKeyOption

PORT = 8765


def serve(
    context: typer.Context,
    port: Annotated[int, typer.Option(metavar="N", min=0, max=65535, help="Port; 0 takes a free one.")] = PORT,
    head_key: HeadKeyOption = None,
) -> None:
    """Answer over HTTP, on this machine. Where there is staff they sign in; else whoever asks is the one of --by."""
    with answering(), ExitStack() as held:
        from nearer.aid.api.app import desk_api
        from nearer.aid.api.gate import alone
        from nearer.aid.api.serving import serve as served
        from nearer.aid.api.sessions import Sessions
        from nearer.aid.households.staff import any_staff
        from nearer.aid.store import Store

        asker = asker_of(context)
        store = held.enter_context(Store(asker.ledger))
        people = held.enter_context(open_people(context)) if are_people(context) else None
        if people is not None and any_staff(people):
            sessions = Sessions(people, time.monotonic)
            app = desk_api(store, sessions.gate(), people, sessions, head_key)
        else:
            app = desk_api(store, alone(asker.by), people, head_key=head_key)
        served(
            app,
            host="127.0.0.1",
            port=port,
            said=lambda address: say(f"The desk answers at {address}; what it can do: {address}/openapi.json"),
        )


COMMANDS = {"serve": serve}
