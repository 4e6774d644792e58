"""A card at a desk, hand-overs, and corrections."""

from __future__ import annotations

import uuid
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nearer.cli.aid.doorkeeper import allowed, checked_and_kept, open_people, secret, token_from
from nearer.cli.aid.shared import (
    AsJson,
    At,
    Id,
    Wanted,
    answering,
    asker_of,
    do,
    moment_from,
    rows_table,
    wanted_from,
)
from nearer.cli.console import say, say_json
from nearer.errors import UsageError

if TYPE_CHECKING:
    from nearer.aid.households.serving import Claimant


def look(
    context: typer.Context,
    card: Annotated[str, typer.Argument(metavar="CARD", help="The card; - reads it from standard input.")],
    site: Annotated[str, typer.Option(metavar="CODE", help="Where.")],
    programme: Annotated[str, typer.Option(metavar="CODE", help="Which programme.")],
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Show whether a card's household may have something now, and how much."""
    with answering(as_json):
        from dataclasses import asdict

        from nearer.aid.households.serving import look as looked
        from nearer.aid.store import Store

        asker = asker_of(context)
        moment = None if at is None else moment_from(at)
        with Store(asker.ledger) as store, open_people(context) as people:
            found = looked(store, people, token_from(card), site=site, programme=programme, by=asker.by, at=moment)
        if as_json:
            say_json(asdict(found))
            return
        say(f"{programme}, {found.period}: {'yes' if found.may else f'no, {found.why}'}.")
        if found.shares:
            rows_table([asdict(share) for share in found.shares])
        if found.visits_left is not None:
            say(f"Visits left: {found.visits_left}")
        say(f"Needs: {', '.join(found.needs) or 'none'}. Spoken to in {found.language}.")


def hand_over(
    context: typer.Context,
    site: Annotated[str, typer.Argument(metavar="SITE", help="Where.")],
    lines: Wanted,
    programme: Annotated[str, typer.Option(metavar="CODE", help="Which programme.")],
    card: Annotated[
        str | None, typer.Option(metavar="TOKEN", help="The household's card; - reads it from standard input.")
    ] = None,
    tag: Annotated[
        str | None, typer.Option(metavar="TAG", help="Without a card: the household's opaque tag of this period.")
    ] = None,
    size: Annotated[
        int | None,
        typer.Option(min=1, help="With a tag: people in the household; asked at its first visit, not kept."),
    ] = None,
    proof: Annotated[
        str, typer.Option(help="How the receiver confirmed: tap, pin (asked for, or NEARER_AID_PIN) or witness.")
    ] = "tap",
    witness: Annotated[
        str | None, typer.Option(metavar="CODE", help="Staff code of the second who saw it; gives a password too.")
    ] = None,
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
        fields: dict[str, Any] = {
            "site": site,
            "lines": wanted_from(lines),
            "programme": programme,
            "proof": proof,
            "reservation": reservation,
            "already_given": already_given or None,
        }
        id = id or str(uuid.uuid4())
        if card is None:
            if tag is None or size is None:
                raise UsageError("Whose is it? Give --card, or --tag with --size.")
            allowed(context, "hand-over")
            fields |= {"tag": tag, "size": size}
        else:
            if tag is not None or size is not None:
                raise UsageError("A card needs no tag and no size.")
            who = _claimant(context, card, site, programme, id, proof, witness, at)
            fields |= {"tag": who.tag, "size": who.size, "witness": witness}
            at = who.at.isoformat()
        do(context, "hand-over", fields, id=id, at=at, as_json=as_json, said="Handed over: {handover}, in {period}.")


def _claimant(
    context: typer.Context,
    card: str,
    site: str,
    programme: str,
    id: str,
    proof: str,
    witness: str | None,
    at: str | None,
) -> Claimant:
    from nearer.aid.households.serving import claimant
    from nearer.aid.households.staff import any_staff
    from nearer.aid.store import Store

    asker = asker_of(context)
    token = token_from(card)
    pin = secret("PIN", "NEARER_AID_PIN") if proof == "pin" else None
    moment = None if at is None else moment_from(at)
    with Store(asker.ledger) as store, open_people(context) as people:
        password = None
        if witness is not None and any_staff(people):
            password = secret(f"Password of {witness}", "NEARER_AID_WITNESS_PASSWORD")
        return claimant(
            store,
            people,
            token,
            site=site,
            programme=programme,
            by=asker.by,
            id=id,
            proof=proof,
            pin=pin,
            witness=witness,
            witness_password=password,
            at=moment,
            check=partial(checked_and_kept, way="witness"),
        )


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


COMMANDS = {"look": look, "hand-over": hand_over, "reverse": reverse}
