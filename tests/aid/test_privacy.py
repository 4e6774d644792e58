"""The ledger has no room for a person: no column, no command field; tags stay where they belong."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

import pytest
from pydantic import BaseModel, ValidationError

from nearer.aid import commands as c
from nearer.aid.store import Store
from nearer.aid.tables import metadata

from .town import Desk, every_command, tag, wanted

PERSON = re.compile(
    r"name|surname|birth|age|sex|gender|address|street|phone|mail|passport|document|photo|image|picture|face|finger|"
    r"biometric|nation|religion|ethnic|race|income|health|disab|latitude|longitude|lat|lon|note|comment|remark|text|"
    r"score|rank|rating|risk|priority|token|card|household|head|size|members",
)
PARTS = re.compile(r"[a-z]+")

ALLOWED = {
    # Places, goods and promises have names; people have none.
    "sites.name",
    "items.name",
    "programmes.name",
    # From which size of household on a rule holds: a rule, not a household.
    "entitlement_rules.size_from",
}


def test_no_column_can_hold_a_person_or_a_score() -> None:
    suspicious = {
        f"{table.name}.{column.name}"
        for table in metadata.sorted_tables
        for column in table.columns
        if any(PERSON.fullmatch(part) for part in PARTS.findall(column.name))
    }
    assert suspicious == ALLOWED


def test_the_schema_test_sees_columns_that_would_be_wrong() -> None:
    for name in ("first_name", "phone", "birth_date", "risk_score", "card_token", "home_address", "free_text"):
        assert any(PERSON.fullmatch(part) for part in PARTS.findall(name)), name


def fields(model: type[BaseModel]) -> set[str]:
    found = set(model.model_fields)
    for name, field in model.model_fields.items():
        for inner in re.findall(r"\w+", str(field.annotation)):
            kind = getattr(c, inner, None)
            if isinstance(kind, type) and issubclass(kind, BaseModel) and kind is not model:
                found |= {f"{name}.{field}" for field in fields(kind)}
    return found


def test_no_command_asks_for_a_person() -> None:
    suspicious = {
        f"{kind}.{name}"
        for kind, command in c.COMMANDS.items()
        for name in fields(command)
        if any(PERSON.fullmatch(part) for part in PARTS.findall(name))
    }
    assert suspicious == {
        "add-site.name",
        "add-item.name",
        "add-programme.name",
        "open-period.rules.size_from",
        # Used to open the account, not kept.
        "hand-over.size",
        "hand-over-offline.size",
        "lease.claims.size",
    }


def test_a_private_giver_has_a_code_and_no_name(town: Desk) -> None:
    town.do(c.AddParty(party="g-9"))
    with town.store.reading() as connection:
        rows = connection.exec_driver_sql("SELECT kind, organisation FROM parties WHERE party = 'g-9'").all()
    assert [tuple(row) for row in rows] == [("private", None)]


@pytest.mark.parametrize("tag", ["Maria", "card 17", "0123", "z" * 32, "a" * 65])
def test_a_tag_is_opaque(tag: str) -> None:
    with pytest.raises(ValidationError):
        c.HandOver(site="north", programme="basics", tag=tag, size=1, lines=wanted(rice=1))


CLAIMS = {"claims", "grants", "draws", "handovers", "lease_claims", "allowances"}


def test_a_tag_is_found_in_no_answer_and_no_table_but_those_of_claims(town: Desk) -> None:
    every_command(town)
    with town.store.engine.connect() as connection:
        for table in metadata.sorted_tables:
            found = any(tag(1) in str(value) for row in connection.execute(table.select()) for value in row)
            assert found == (table.name in CLAIMS), table.name


def test_the_size_of_a_household_is_not_kept(sqlite_templates: dict[str, str], tmp_path: Path) -> None:
    """Two sizes that are entitled to the same leave the same rows behind."""
    kept = []
    for size in (3, 17):
        import shutil

        from .town import Ticking

        file = str(shutil.copy(sqlite_templates["town"], tmp_path / f"{size}.db"))
        with Store(file, clock=Ticking()) as store:
            desk = Desk(store)
            desk.give("north", item="rice", quantity=5_000)
            desk.do(c.HandOver(site="north", programme="basics", tag=tag(1), size=size, lines=wanted(rice=10)))
        with sqlite3.connect(file) as connection:
            rows = {t.name: connection.execute(f"SELECT * FROM {t.name}").fetchall() for t in metadata.sorted_tables}
        del rows["chain"], rows["head"], rows["transactions"]  # they hold hashes of the command
        kept.append(rows)
    assert kept[0] == kept[1]
