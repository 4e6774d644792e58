"""Household databases on both kinds of database, each test its own; and hashing that does not take long."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import argon2
import psycopg
import pytest

from nearer.aid.households import staff
from nearer.aid.households.store import Households

from ..town import Ticking

_NUMBERS = itertools.count()


@pytest.fixture(autouse=True)
def quick_hashing(monkeypatch: pytest.MonkeyPatch) -> None:
    """argon2 with as little work as it allows."""
    quick = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(staff, "_HASHER", quick)
    monkeypatch.setattr(staff, "_NOBODY", quick.hash("nobody has this password"))


@pytest.fixture(params=["sqlite", "postgresql"])
def people_place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a household database can be made, on one kind and then on the other."""
    if request.param == "sqlite":
        return str(tmp_path / "aid-households.db")
    address: str = request.getfixturevalue("postgres")
    name = f"people_{next(_NUMBERS)}"
    with psycopg.connect(address.format("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")  # type: ignore[arg-type]
    return address.format(name)


@pytest.fixture
def clock() -> Ticking:
    return Ticking()


@pytest.fixture
def people(people_place: str, tmp_path: Path, clock: Ticking) -> Iterator[Households]:
    """An empty household database with its key folder."""
    with Households(people_place, tmp_path / "aid-keys", make=True, clock=clock) as book:
        yield book
