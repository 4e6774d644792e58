"""The desk over HTTP."""

from __future__ import annotations

from typing import Annotated

import typer

from nearer.cli.aid.shared import answering, asker_of
from nearer.cli.console import say

PORT = 8765


def serve(
    context: typer.Context,
    port: Annotated[int, typer.Option(metavar="N", min=0, max=65535, help="Port; 0 takes a free one.")] = PORT,
) -> None:
    """Answer over HTTP, on this machine alone; whoever asks is the one of --by. Ctrl-C ends it."""
    with answering():
        from nearer.aid.api.gate import alone
        from nearer.aid.api.serving import serve as served
        from nearer.aid.store import Store

        asker = asker_of(context)
        with Store(asker.ledger) as store:
            served(
                store,
                alone(asker.by),
                host="127.0.0.1",
                port=port,
                said=lambda address: say(f"The desk answers at {address}; what it can do: {address}/openapi.json"),
            )


COMMANDS = {"serve": serve}
