"""The made-up year: the same for a seed, proven by the audit, and with something of everything."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from nearer.aid.audit import audit
from nearer.aid.demo import make_demo
from nearer.aid.store import Store
from nearer.aid.tables import transactions
from nearer.cli import app
from nearer.errors import UsageError

HOUSEHOLDS = 30


def test_the_same_seed_has_the_same_bytes_and_another_seed_has_not(year: Path, tmp_path: Path) -> None:
    again, other = tmp_path / "again.db", tmp_path / "other.db"
    make_demo(str(again), households=HOUSEHOLDS)
    assert again.read_bytes() == year.read_bytes()
    made = make_demo(str(other), households=10, seed=2)
    assert made["hash"] != make_demo(str(tmp_path / "third.db"), households=10, seed=3)["hash"]
    with pytest.raises(UsageError, match="there already"):
        make_demo(str(other), households=10)


def test_the_year_is_proven_and_uses_nearly_every_command(year: Path) -> None:
    with Store(str(year)) as store:
        assert audit(store).holds
        with store.reading() as connection:
            kinds = {kind for (kind,) in connection.execute(sa.select(transactions.c.kind).distinct())}
    assert kinds >= {
        "receive", "pledge", "receive-pledge", "buy", "spend", "send", "arrive", "expire", "damage", "make",
        "stocktake", "hand-over", "set-site-state", "recall", "open-period", "add-recipe",
        "ask", "propose", "approve",
    }  # fmt: skip


def test_a_year_is_made_on_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["aid", "--ledger", "y.db", "demo", "--households", "10", "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["transactions"] > 500
    again = CliRunner().invoke(app, ["aid", "--ledger", "y.db", "demo"])
    assert again.exit_code == 2
    assert "there already" in again.output
    assert [path.name for path in tmp_path.iterdir()] == ["y.db"]
