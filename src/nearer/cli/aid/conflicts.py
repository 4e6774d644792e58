"""What is with cut-off desks, and hand-overs that went beyond the books."""

from __future__ import annotations

from typing import Annotated

import typer

from nearer.cli.aid.shared import AsJson, At, Id, answering, asker_of, do, rows_table
from nearer.cli.console import say, say_json


def leases(
    context: typer.Context,
    everything: Annotated[bool, typer.Option("--all", help="Ended leases too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show which desks are away with goods and households, and what that can cost at most."""
    with answering(as_json):
        from nearer.aid.offline.away import leases_of, most_extra
        from nearer.aid.store import Store

        with Store(asker_of(context).ledger) as store:
            rows, extra = leases_of(store, open_only=not everything), most_extra(store)
        if as_json:
            say_json(rows)
            return
        if rows:
            rows_table(rows)
        say(
            "No desk is away."
            if not extra
            else f"{extra} desk{' is' if extra == 1 else 's are'} away: a household whose card was not on their lists "
            f"can be served there {'once' if extra == 1 else f'{extra} times'} more than it is entitled to, at most."
        )


def end_lease(
    context: typer.Context,
    lease: Annotated[str, typer.Argument(metavar="LEASE", help="Such as K12.")],
    expired: Annotated[
        bool, typer.Option("--expired", help="Its time is over and the desk has not come back.")
    ] = False,
    id: Id = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """End a lease: its goods go back to the stock, its households may be served everywhere."""
    with answering(as_json):
        fields = {"lease": lease, "how": "expired" if expired else None}
        do(context, "end-lease", fields, id=id, at=at, as_json=as_json, said="{lease} has ended.")


def conflicts(
    context: typer.Context,
    everything: Annotated[bool, typer.Option("--all", help="Those that are resolved too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show hand-overs that have happened and went beyond goods, dates, lists or entitlement."""
    with answering(as_json):
        from nearer.aid.offline.away import conflicts_of
        from nearer.aid.store import Store

        with Store(asker_of(context).ledger) as store:
            rows = conflicts_of(store, open_only=not everything)
        if as_json:
            say_json(rows)
        elif rows:
            rows_table(rows)
        else:
            say("Nothing is open.")


def resolve(
    context: typer.Context,
    conflict: Annotated[str, typer.Argument(metavar="CONFLICT", help="Such as X12-1.")],
    reason: Annotated[
        str,
        typer.Option(
            "--as",
            metavar="REASON",
            help="emergency, goods-found, goods-not-booked, entry-mistake, card-replaced, clock, put-right or other.",
        ),
    ],
    id: Id = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Close a conflict that was looked at, with a reason."""
    with answering(as_json):
        fields = {"conflict": conflict, "reason": reason}
        do(context, "resolve", fields, id=id, at=at, as_json=as_json, said="{conflict} is resolved as {reason}.")


COMMANDS = {"leases": leases, "end-lease": end_lease, "conflicts": conflicts, "resolve": resolve}
