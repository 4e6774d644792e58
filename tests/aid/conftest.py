"""Ledgers on both databases, each test its own."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from nearer.aid.migrate import create
from nearer.aid.store import Store

from .town import LEDGER, Desk, Ticking

NewPlace = Callable[..., str]

_NUMBERS = itertools.count()


def fill(places: dict[str, str]) -> None:
    """An empty ledger and one of a town."""
    for name, place in places.items():
        create(place, ledger=LEDGER, now=Ticking())
        if name == "town":
            with Store(place, clock=Ticking()) as store:
                Desk(store).set_up()


@pytest.fixture(scope="session")
def sqlite_templates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Ledgers to copy."""
    folder = tmp_path_factory.mktemp("ledgers")
    places = {name: str(folder / f"{name}.db") for name in ("bare", "town")}
    fill(places)
    return places


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """Address of a private server with the databases ``bare`` and ``town``."""
    from .postgres import cluster, why_not

    if reason := why_not():
        pytest.skip(reason)
    with cluster() as address:
        with psycopg.connect(address.format("postgres"), autocommit=True) as connection:
            for name in ("bare", "town"):
                connection.execute(f"CREATE DATABASE {name}")  # type: ignore[arg-type]
        fill({name: address.format(name) for name in ("bare", "town")})
        yield address


@pytest.fixture(params=["sqlite", "postgresql"])
def new_place(request: pytest.FixtureRequest, tmp_path: Path) -> NewPlace:
    """Makes places with a ledger of a town (or a bare one), on one database and then on the other."""
    if request.param == "sqlite":
        templates: dict[str, str] = request.getfixturevalue("sqlite_templates")

        def copy(what: str = "town") -> str:
            return str(shutil.copy(templates[what], tmp_path / f"ledger-{next(_NUMBERS)}.db"))

        return copy
    address: str = request.getfixturevalue("postgres")

    def clone(what: str = "town") -> str:
        name = f"ledger_{next(_NUMBERS)}"
        with psycopg.connect(address.format("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {what}")  # type: ignore[arg-type]
        return address.format(name)

    return clone


@pytest.fixture
def place(new_place: NewPlace) -> str:
    """Where a town's ledger is."""
    return new_place()


@pytest.fixture
def town(place: str) -> Iterator[Desk]:
    """A desk with a hub, two centres, givers, rice, oil, kits, money and a programme with a period."""
    with Store(place, clock=Ticking()) as store:
        yield Desk(store)


@pytest.fixture(scope="session")
def year(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger with a made-up year of thirty households; for reading only."""
    from nearer.aid.demo import make_demo

    file = tmp_path_factory.mktemp("year") / "year.db"
    make_demo(str(file), households=30)
    return file
