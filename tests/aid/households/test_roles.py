"""On PostgreSQL the household database belongs to a role that sees nothing of the ledger."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from nearer.aid.households import book as b
from nearer.aid.households.retain import retain
from nearer.aid.households.serving import look
from nearer.aid.households.store import Households
from nearer.aid.store import Store

from ..town import Ticking


def test_on_postgres_the_households_have_a_role_of_their_own(postgres: str, tmp_path: Path) -> None:
    """As docs/aid-households.md makes it."""
    with psycopg.connect(postgres.format("postgres"), autocommit=True) as connection:
        for statement in (
            "CREATE DATABASE roles TEMPLATE town",
            "CREATE ROLE cards LOGIN",
            "CREATE DATABASE roles_households OWNER cards",
            "REVOKE CONNECT ON DATABASE roles, roles_households FROM PUBLIC",
        ):
            connection.execute(statement)  # type: ignore[arg-type]
    theirs = postgres.format("roles_households").replace("nearer@", "cards@")
    with pytest.raises(psycopg.OperationalError, match="permission denied"):
        psycopg.connect(postgres.format("roles").replace("nearer@", "cards@"))
    clock = Ticking()
    with (
        Store(postgres.format("roles"), clock=clock) as store,
        Households(theirs, tmp_path / "keys", make=True, clock=clock) as people,
    ):
        _, token = b.enrol(people, size=1, home="north", language="pt", by="desk-1")
        assert look(store, people, token, site="north", programme="basics", by="desk-1").may
        assert retain(store, people, log_days=0, unseen_days=0).log_lines == 2
        assert b.reads_of(people) == []
