"""A small made-up ledger to practise with: two centres with goods, a promise that holds today, and cards to scan."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path

from nearer.aid import commands as c
from nearer.aid.clock import Clock, now
from nearer.aid.households import book as b
from nearer.aid.households.staff import hash_of_pin
from nearer.aid.households.store import Households
from nearer.aid.migrate import STEPS, create
from nearer.aid.store import Store
from nearer.files import written_whole

ZONE = "UTC"
DAYS = 60
"""How long the promise holds; then everything is made anew."""

PIN = "4711"
"""Of the one household that has one."""

_SIZES = (4, 1, 6, 2, 3)
_TOLD = "practice.json"


@dataclass(frozen=True)
class Card:
    """
    A card to practise with.

    Parameters
    ----------
    token
        As it would be printed.
    size
        People in its household.
    pin
        Its PIN, where it has one.
    lost
        Whether it was replaced, so that the desk says no.
    """

    token: str
    size: int
    pin: str | None = None
    lost: bool = False


@dataclass(frozen=True)
class Practice:
    """
    Where the ledger is, and the cards.

    Parameters
    ----------
    ledger, households
        Files.
    keys
        Folder of the periods' keys.
    cards
        To scan.
    """

    ledger: Path
    households: Path
    keys: Path
    cards: tuple[Card, ...]


def practice(folder: Path, clock: Clock = now) -> Practice:
    """
    The practice ledger in a folder: the one that is there, or a new one where there is none or its promise is over.

    Parameters
    ----------
    folder
        Belongs to it alone; what is in it may be deleted.
    clock
        What time it is; tests give their own.
    """
    ledger, households, keys = folder / "aid.db", folder / "aid-households.db", folder / "aid-keys"
    today = clock().date()
    try:
        told = json.loads((folder / _TOLD).read_text(encoding="utf-8"))
        if told["form"] == STEPS.newest() and today.isoformat() <= told["last_day"]:
            return Practice(ledger, households, keys, tuple(Card(**card) for card in told["cards"]))
    except (OSError, ValueError, KeyError, TypeError):
        pass  # there is none yet, or one that was cut off while it was made
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    last_day = today + timedelta(days=DAYS)
    create(str(ledger))
    with Store(str(ledger), clock=clock) as store, Households(str(households), keys, make=True, clock=clock) as people:
        for number, command in enumerate(_commands(today, last_day)):
            store.do(command, id=f"practice-{number:04d}", actor="practice")
        cards = tuple(_cards(people))
    kept = {"form": STEPS.newest(), "last_day": last_day.isoformat(), "cards": [asdict(card) for card in cards]}
    with written_whole(folder / _TOLD, secret=True) as beside:
        beside.write_text(json.dumps(kept), encoding="utf-8")
    return Practice(ledger, households, keys, cards)


def _commands(first: date, last: date) -> list[c.Command]:
    def line(item: str, quantity: int, unit: str) -> dict[str, object]:
        return {"item": item, "quantity": quantity, "unit": unit}

    rules = [
        {"item": item, "quantity": quantity, "unit": unit, "size_from": size}
        for item, unit, steps in (
            ("rice", "kg", ((1, 2), (3, 5))),
            ("beans", "kg", ((1, 1), (3, 2))),
            ("soap", "piece", ((1, 2),)),
        )
        for size, quantity in steps
    ]
    made: list[tuple[type[c.Command], dict[str, object]]] = [
        (c.AddSite, {"site": "harbour", "name": "Harbour", "time_zone": ZONE}),
        (c.AddSite, {"site": "market", "name": "Market hall", "time_zone": ZONE}),
        (c.AddSite, {"site": "hub", "name": "Warehouse", "type": "hub", "time_zone": ZONE}),
        (c.AddParty, {"party": "mill", "organisation": "The old mill"}),
        (c.AddItem, {"item": "rice", "name": "Rice", "unit": "g", "units": {"kg": 1000, "sack": 25_000}}),
        (c.AddItem, {"item": "beans", "name": "Beans", "unit": "g", "units": {"kg": 1000}}),
        (c.AddItem, {"item": "soap", "name": "Soap", "unit": "piece", "units": {"box": 48}}),
        (c.AddProgramme, {"programme": "basics", "name": "Basics", "visits": 3}),
        (
            c.OpenPeriod,
            {"programme": "basics", "period": "practice", "first_day": first, "last_day": last, "rules": rules},
        ),
    ]
    gift = [line("rice", 100, "kg"), line("beans", 40, "kg"), line("soap", 96, "piece")]
    for site in ("harbour", "market", "hub"):
        made.append((c.Receive, {"site": site, "giver": "mill", "lines": gift}))
    return [kind.model_validate(values) for kind, values in made]


def _cards(people: Households) -> list[Card]:
    found = []
    for number, size in enumerate(_SIZES):
        pin = PIN if number == 1 else None
        needs = ("no-meat",) if number == 2 else ()
        household, token = b.enrol(
            people, size=size, home="harbour", language="en", needs=needs, by="practice",
            pin_hash=None if pin is None else hash_of_pin(pin),
        )  # fmt: skip
        lost = number == len(_SIZES) - 1
        if lost:
            b.replace_card(people, household.number, by="practice")
        found.append(Card(token, size, pin, lost))
    return found
