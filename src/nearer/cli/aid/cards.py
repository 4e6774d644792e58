"""Households and their cards: enrolling, showing, replacing, labels; and what is deleted when."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nearer.cli.aid.doorkeeper import open_people, secret, token_from
from nearer.cli.aid.shared import AsJson, answering, asker_of, rows_table
from nearer.cli.console import say, say_json
from nearer.errors import UsageError

if TYPE_CHECKING:
    from nearer.aid.households.book import Household

Size = Annotated[int | None, typer.Option(min=1, max=100, help="People in the household.")]
Home = Annotated[str | None, typer.Option(metavar="CODE", help="The centre it goes to.")]
Language = Annotated[str | None, typer.Option(metavar="CODE", help="What it is spoken to in, such as pt.")]
Needs = Annotated[
    list[str] | None,
    typer.Option("--need", help="infant, no-cooking, no-gluten, no-meat or carry-help; repeatable."),
]
Pin = Annotated[bool, typer.Option("--pin", help="Ask for a PIN (or take it from NEARER_AID_PIN).")]
NewCard = Annotated[
    str | None,
    typer.Option(
        "--card",
        metavar="TOKEN",
        help="A card that is printed already; - reads it from standard input.",
        show_default="a new one",
    ),
]
Card = Annotated[
    str, typer.Argument(metavar="CARD", help="A card or a household's number; - reads it from standard input.")
]


def enrol(
    context: typer.Context,
    size: Annotated[int, typer.Option(min=1, max=100, help="People in the household.")],
    home: Annotated[str, typer.Option(metavar="CODE", help="The centre it goes to.")],
    language: Annotated[str, typer.Option(metavar="CODE", help="What it is spoken to in, such as pt.")] = "en",
    needs: Needs = None,
    pin: Pin = False,
    card: NewCard = None,
    as_json: AsJson = False,
) -> None:
    """Give a household a card. The card is shown once and kept nowhere."""
    with answering(as_json):
        from nearer.aid.households import book as b
        from nearer.aid.households.staff import hash_of_pin
        from nearer.aid.store import Store
        from nearer.aid.views import listed

        asker = asker_of(context)
        with Store(asker.ledger) as store:
            if home not in {row["site"] for row in listed(store, "sites")}:
                raise UsageError(f"There is no site {home}; see `nearer aid list sites`.")
        token = None if card is None else token_from(card)
        hashed = hash_of_pin(secret("PIN", "NEARER_AID_PIN", confirm=True)) if pin else None
        with open_people(context, make=True) as people:
            household, token = b.enrol(
                people,
                size=size,
                home=home,
                language=language,
                needs=needs or (),
                pin_hash=hashed,
                token=token,
                by=asker.by,
            )
        _tell_card(token, household.number, as_json)


def card(
    context: typer.Context,
    action: Annotated[str, typer.Argument(metavar="ACTION", help="show, replace or block.")],
    card: Card,
    new: NewCard = None,
    as_json: AsJson = False,
) -> None:
    """Show what a card stands for, replace a lost one, or block it."""
    with answering(as_json):
        from nearer.aid.households import book as b

        if action not in ("show", "replace", "block"):
            raise UsageError(f"A card is shown, replaced or blocked: show, replace or block, not {action}.")
        if new is not None and action != "replace":
            raise UsageError("A printed card is given to replace another.")
        by = asker_of(context).by
        with open_people(context) as people:
            household = b.household_by(people, token_from(card), by=by, act=action)
            if action == "replace":
                token = b.replace_card(people, household.number, token=None if new is None else token_from(new), by=by)
                _tell_card(token, household.number, as_json)
                return
            if action == "block":
                count = b.block_cards(people, household.number, by=by)
                if as_json:
                    say_json({"blocked": count})
                else:
                    say("The card is blocked." if count else "There was no card to block.")
                return
            cards = b.cards_of(people, household.number)
        _tell_household(household, cards, as_json)


def change_household(
    context: typer.Context,
    card: Card,
    size: Size = None,
    home: Home = None,
    language: Language = None,
    needs: Needs = None,
    no_needs: Annotated[bool, typer.Option("--no-needs", help="It has no special needs any more.")] = False,
    pin: Pin = False,
    as_json: AsJson = False,
) -> None:
    """Change what is kept of a household. What it was granted in an open period stays."""
    with answering(as_json):
        from nearer.aid.households import book as b
        from nearer.aid.households.staff import hash_of_pin

        by = asker_of(context).by
        token = token_from(card)
        hashed = hash_of_pin(secret("PIN", "NEARER_AID_PIN", confirm=True)) if pin else None
        wanted = () if no_needs else needs
        with open_people(context) as people:
            household = b.household_by(people, token, by=by, act="show")
            household = b.change(
                people,
                household.number,
                size=size,
                home=home,
                language=language,
                needs=wanted,
                pin_hash=hashed,
                by=by,
            )
            cards = b.cards_of(people, household.number)
        _tell_household(household, cards, as_json)


def labels(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The PDF that is written.")],
    lots: Annotated[list[str] | None, typer.Argument(metavar="LOT…", help="Lots, such as L12-1.")] = None,
    site: Annotated[str | None, typer.Option(metavar="CODE", help="All lots that this site holds.")] = None,
    cards: Annotated[int | None, typer.Option(min=1, max=2400, help="So many new cards, to be enrolled later.")] = None,
    as_json: AsJson = False,
) -> None:
    """Print labels on A4 sheets of 24: for lots, or new cards that nobody has yet."""
    with answering(as_json):
        from nearer.aid.households import labels as made
        from nearer.aid.households.cards import new_token

        if (cards is not None) + bool(lots) + (site is not None) != 1:
            raise UsageError("Labels of what? Name lots, or give --site or --cards.")
        if cards is not None:
            wanted = [made.card_label(new_token()) for _ in range(cards)]
        else:
            from nearer.aid.store import Store

            with Store(asker_of(context).ledger) as store:
                wanted = made.lot_labels(store, lots or (), site)
        sheets = made.write_sheets(wanted, file, secret=cards is not None)
        if as_json:
            say_json({"labels": len(wanted), "sheets": sheets})
        else:
            say(f"{file}: {len(wanted)} labels on {sheets} sheet{'s' if sheets > 1 else ''}.")


def retain(
    context: typer.Context,
    disputes: Annotated[int, typer.Option(metavar="DAYS", min=0, help="A period's key goes so long after it.")] = 30,
    unseen: Annotated[int, typer.Option(metavar="DAYS", min=0, help="Households not seen for so long go.")] = 365,
    log: Annotated[int, typer.Option(metavar="DAYS", min=0, help="Lines of the access log so old go.")] = 90,
    as_json: AsJson = False,
) -> None:
    """Delete what is no longer needed: keys of periods, retired cards, households not seen, old access log."""
    with answering(as_json):
        from nearer.aid.households.retain import retain as retained
        from nearer.aid.store import Store

        with Store(asker_of(context).ledger) as store, open_people(context) as people:
            gone = retained(store, people, disputes_days=disputes, unseen_days=unseen, log_days=log)
        if as_json:
            say_json(gone.as_json())
        else:
            say(
                f"Gone: keys of periods {gone.keys}, retired cards {gone.cards}, households {gone.households}, "
                f"lines of the access log {gone.log_lines}, sign-ins {gone.sign_ins}."
            )


def access_log(context: typer.Context, as_json: AsJson = False) -> None:
    """Show who read which household when, by the hash of its card."""
    with answering(as_json):
        from nearer.aid.households.book import reads_of

        with open_people(context) as people:
            rows = reads_of(people)
        if as_json:
            say_json(rows)
        elif rows:
            rows_table(rows)
        else:
            say("Nothing.")


def _tell_card(token: str, number: str, as_json: bool) -> None:
    from nearer.aid.households.labels import on_terminal

    if as_json:
        say_json({"card": token, "household": number})
        return
    if sys.stdout.isatty():
        say(on_terminal(token))
    say(f"Card: {token}")
    say(f"Household's number, to be kept apart from the card: {number}")
    say("The card is kept nowhere here; print it or write it down now.")


def _tell_household(household: Household, cards: list[dict[str, str]], as_json: bool) -> None:
    if as_json:
        say_json(
            {
                "household": household.number,
                "size": household.size,
                "home": household.home,
                "language": household.language,
                "needs": list(household.needs),
                "has_pin": household.has_pin,
                "cards": cards,
            }
        )
        return
    people = "1 person" if household.size == 1 else f"{household.size} people"
    say(f"{people}, {household.home}, spoken to in {household.language}.")
    say(f"Needs: {', '.join(household.needs) or 'none'}. {'It has a PIN' if household.has_pin else 'No PIN'}.")
    rows_table([dict(card) for card in cards])


COMMANDS = {
    "enrol": enrol,
    "card": card,
    "change-household": change_household,
    "labels": labels,
    "retain": retain,
    "access-log": access_log,
}
