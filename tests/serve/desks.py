"""A town's ledger with staff and cards, served with its desk; and browsers that work at it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from nearer.aid import commands as c
from nearer.aid.audit import audit
from nearer.aid.households import book as b
from nearer.aid.households import staff
from nearer.aid.households.store import Households
from nearer.aid.migrate import create
from nearer.aid.store import Store
from nearer.aid.views import balances_of
from nearer.serve.app import create_app
from nearer.serve.desk import Desk

from ..aid.town import TOWN
from ..aid.town import Desk as Town
from .conftest import Server, is_foreign, served

WORDS = "four plain words here"
ROLES = {"boss-1": "coordinator", "desk-1": "desk", "desk-2": "desk", "stock-1": "stock", "view-1": "viewer"}
EXPECTED = ("status of 401", "status of 403", "status of 409", "net::ERR_", "ERR_INTERNET")
"""What a browser itself writes where an answer is a refusal or does not come; the page is to say it in words."""


@dataclass
class Served:
    """Where the desk is, its ledger, and cards of households of four."""

    server: Server
    ledger: str
    cards: list[str] = field(default_factory=list)
    places: tuple[str, Path] = ("", Path())

    def handed(self, item: str = "rice") -> int:
        """Base units that households have received, by the ledger."""
        with Store(self.ledger) as store:
            rows = balances_of(store, kind="HANDED_OVER")
        return sum(row["quantity"] for row in rows if row["item"] == item)

    def households(self) -> Households:
        """Its household database, opened beside the server."""
        return Households(*self.places)

    def proven(self) -> None:
        with Store(self.ledger) as store:
            report = audit(store)
        assert report.holds, report.findings


def make_ledger(ledger: str, households: str, keys: Path, *, cards: int, staffed: bool = True) -> list[str]:
    """Set the town up with a period around today; its cards."""
    create(ledger)
    today = date.today()
    with Store(ledger) as store, Households(households, keys, make=True) as people:
        town = Town(store)
        for command in TOWN:
            if isinstance(command, c.OpenPeriod):
                days = {"first_day": today - timedelta(days=9), "last_day": today + timedelta(days=20)}
                command = command.model_copy(update=days)
            town.do(command)
        town.give("north", item="rice", quantity=100_000)
        town.give("north", item="kit", quantity=40)
        if staffed:
            for code, role in ROLES.items():
                staff.add(people, code, role, WORDS)
        return [b.enrol(people, size=4, home="north", language="en", by="desk-1")[1] for _ in range(cards)]


@contextmanager
def serving(home: Path, ledger: str, households: str, keys: Path) -> Iterator[Server]:
    """The whole server in a thread."""
    desk = Desk(ledger, by="boss-1", households=households, keys=keys)
    with served(create_app(home, desk=desk)) as address:
        yield Server(address, home)


class Browsers:
    """Devices at desks; whatever the browser complains of is kept."""

    def __init__(self, browser: Any, server: Server) -> None:
        self._browser, self._server = browser, server
        self._contexts: list[Any] = []
        self.problems: list[str] = []

    def device(self, code: str | None = "desk-1", *, place: bool = True, path: str = "/aid", **options: Any) -> Any:
        """A device of its own; signed in, and told which desk it is."""
        given = {"viewport": {"width": 900, "height": 900}, "locale": "en-GB", "reduced_motion": "reduce"} | options
        context = self._browser.new_context(**given)
        self._contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("console", lambda one: one.type == "error" and self._complain(one.text))
        page.on("pageerror", lambda error: self._complain(str(error)))
        page.on("request", lambda one: is_foreign(one.url, self._server) and self.problems.append(one.url))
        if place:
            name = f"table-{len(self._contexts)}"
            page.add_init_script(
                "localStorage.getItem('nearer-desk-place') || localStorage.setItem('nearer-desk-place', "
                f"JSON.stringify({{site: 'north', programme: 'basics', desk: '{name}'}}))"
            )
        page.goto(self._server.address + path)
        if code is not None:
            page.locator("#staff").fill(code)
            page.locator("#password").fill(WORDS)
            page.locator("#password").press("Enter")
            page.locator("nav").wait_for()
        return page

    def _complain(self, text: str) -> None:
        if not any(expected in text for expected in EXPECTED):
            self.problems.append(text)

    def close(self) -> None:
        for context in self._contexts:
            context.close()
        assert self.problems == []


Device = Callable[..., Any]


def scan(page: Any, card: str, field: str = "#card") -> None:
    """What a scanner does: signs, fast, and Enter."""
    page.locator(field).focus()
    page.keyboard.insert_text(card)
    page.keyboard.press("Enter")
