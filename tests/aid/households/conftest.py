"""Household databases on both kinds of database, each test its own; and hashing that does not take long."""

from __future__ import annotations

import itertools
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import argon2
import psycopg
import pytest
from typer.testing import CliRunner

from nearer.aid.households import staff
from nearer.aid.households.store import Households
from nearer.aid.store import Store
from nearer.cli import app

from ..town import Desk, Ticking

_NUMBERS = itertools.count()


@pytest.fixture(autouse=True)
def quick_hashing(monkeypatch: pytest.MonkeyPatch) -> None:
    """argon2 with as little work as it allows."""
    quick = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(staff, "_HASHER", quick)
    monkeypatch.setattr(staff, "_NOBODY", quick.hash("nobody has this password"))


@pytest.fixture(params=["sqlite", "postgresql"])
def places(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str]:
    """A town's ledger, and where its household database can be made; on one kind and then on the other."""
    if request.param == "sqlite":
        templates: dict[str, str] = request.getfixturevalue("sqlite_templates")
        return str(shutil.copy(templates["town"], tmp_path / "aid.db")), str(tmp_path / "aid-households.db")
    address: str = request.getfixturevalue("postgres")
    name = f"cards_{next(_NUMBERS)}"
    with psycopg.connect(address.format("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE town")  # type: ignore[arg-type]
        connection.execute(f"CREATE DATABASE {name}_households")  # type: ignore[arg-type]
    return address.format(name), address.format(f"{name}_households")


@pytest.fixture
def clock() -> Ticking:
    return Ticking()


@pytest.fixture
def people(places: tuple[str, str], tmp_path: Path, clock: Ticking) -> Iterator[Households]:
    """An empty household database with its key folder."""
    with Households(places[1], tmp_path / "aid-keys", make=True, clock=clock) as book:
        yield book


@pytest.fixture
def town(places: tuple[str, str], clock: Ticking) -> Iterator[Desk]:
    """The town's ledger, with rice at the centre north."""
    with Store(places[0], clock=clock) as store:
        desk = Desk(store)
        desk.give("north", item="rice", quantity=100_000)
        yield desk


Run = Callable[..., Any]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sqlite_templates: dict[str, str]) -> Run:
    """Run ``nearer aid …`` in a folder with a town's ledger; what was printed, or the JSON of it with ``--json``."""
    monkeypatch.chdir(tmp_path)
    for name in ("LEDGER", "BY", "HOUSEHOLDS", "KEYS", "PASSWORD", "NEW_PASSWORD", "PIN", "WITNESS_PASSWORD"):
        monkeypatch.delenv(f"NEARER_AID_{name}", raising=False)
    monkeypatch.delenv("NEARER_DEBUG", raising=False)
    shutil.copy(sqlite_templates["town"], tmp_path / "aid.db")

    def nearer(*arguments: object, exit: int = 0, input: str = "", **environment: str) -> Any:
        given = {f"NEARER_AID_{name.upper()}": value for name, value in environment.items()}
        words = [part for argument in arguments for part in str(argument).split(" ")]
        result = CliRunner().invoke(app, ["aid", *words], input=input, env=given)
        assert result.exit_code == exit, result.output
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return json.loads(result.stdout) if "--json" in words and not exit else result.output

    nearer("receive north rice=4sack --giver mill --at 2026-03-02T09:00+01:00")
    return nearer
