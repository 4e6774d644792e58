"""Hand-overs, and corrections."""

from __future__ import annotations

from typing import Annotated

import typer

from nearer.cli.aid.shared import AsJson, At, Id, Wanted, answering, do, wanted_from


def hand_over(
    context: typer.Context,
    site: Annotated[str, typer.Argument(metavar="SITE", help="Where.")],
    lines: Wanted,
    programme: Annotated[str, typer.Option(metavar="CODE", help="Which programme.")],
    tag: Annotated[str, typer.Option(metavar="TAG", help="The household's opaque tag of this period.")],
    size: Annotated[int, typer.Option(min=1, help="People in the household; asked at its first visit, not kept.")],
    proof: Annotated[str, typer.Option(help="How the receiver confirmed: tap, pin or witness.")] = "tap",
    reservation: Annotated[str | None, typer.Option(metavar="RESERVATION", help="From what was set aside.")] = None,
    already_given: Annotated[
        bool,
        typer.Option("--already-given", help="It has happened: keep it, and flag what goes beyond stock or share."),
    ] = False,
    id: Id = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Hand goods to a household, within what it is entitled to."""
    with answering(as_json):
        fields = {
            "site": site,
            "lines": wanted_from(lines),
            "programme": programme,
            "tag": tag,
            "size": size,
            "proof": proof,
            "reservation": reservation,
            "already_given": already_given or None,
        }
        do(context, "hand-over", fields, id=id, at=at, as_json=as_json, said="Handed over: {handover}, in {period}.")


def reverse(
    context: typer.Context,
    transaction: Annotated[int, typer.Argument(metavar="NUMBER", min=1, help="Which transaction.")],
    id: Id = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Undo a transaction by its opposite; nothing is deleted."""
    with answering(as_json):
        said = "Transaction {reverses} is undone by {transaction}."
        do(context, "reverse", {"transaction": transaction}, id=id, at=at, as_json=as_json, said=said)


COMMANDS = {"hand-over": hand_over, "reverse": reverse}
