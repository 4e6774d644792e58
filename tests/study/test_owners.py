"""``[[owners]]``: whose a place is, said in the study, is what every command goes by."""

from __future__ import annotations

from pathlib import Path

import pytest

from nearer.errors import InputError
from nearer.study import run_study
from nearer.study.load import load_study
from nearer.study.verify import verify_plan

from .conftest import PEOPLE, SITES, TOML

AGENCIES = """
[[agencies]]
name = "city"
max_open = 1

[[agencies]]
name = "parish"
budget = 12
"""

OWNERS = """
[[owners]]
site = "S"
agency = "city"

[[owners]]
site = "L"
agency = "parish"
shares = { city = 0.6, parish = 0.4 }
"""


def study(folder: Path, owners: str = "", sites: str = SITES) -> Path:
    folder.mkdir(parents=True)
    (folder / "nearer.toml").write_text(TOML + AGENCIES + owners, encoding="utf-8")
    (folder / "people.csv").write_text(PEOPLE, encoding="utf-8")
    (folder / "sites.csv").write_text(sites, encoding="utf-8")
    return folder


def with_column(name: str, values: dict[str, str], sites: str = SITES) -> str:
    head, *rows = sites.splitlines()
    return "\n".join([f"{head},{name}", *(f"{row},{values.get(row.split(',')[0], '')}" for row in rows)]) + "\n"


def test_owners_in_the_study_are_as_good_as_columns_of_the_table(tmp_path: Path) -> None:
    cost = with_column("cost", {"S": "10", "P": "10", "L": "20", "G": "25"})
    owner = {"S": "city", "L": "parish"}
    table = with_column("shares", {"L": "city:0.6; parish:0.4"}, with_column("agency", owner, cost))
    written = run_study(study(tmp_path / "table", sites=table), out=tmp_path / "table" / "plan", threads=1).document
    said = run_study(study(tmp_path / "said", OWNERS, cost), out=tmp_path / "said" / "plan", threads=1).document
    assert {site.id: site.agency for site in said.sites if site.agency} == owner
    assert said.sites == written.sites
    assert said.agencies == written.agencies
    assert [sum(one.spent) for one in said.agencies] == pytest.approx([22, 8]), "the city pays 10 + 12, the parish 8"
    assert verify_plan(tmp_path / "said" / "plan").ok


def test_an_entry_stands_in_place_of_all_that_the_table_says(tmp_path: Path) -> None:
    table = with_column("agency", {"S": "city", "L": "city"}, with_column("cost", {"S": "10", "L": "10"}))
    table = with_column("shares", {"L": "city:0.5; parish:0.5"}, table)
    owners = '\n[[owners]]\nsite = "L"\nagency = "parish"\n'
    plan = run_study(study(tmp_path / "a", owners, table), out=tmp_path / "a" / "plan", threads=1).document
    assert [sum(one.spent) for one in plan.agencies] == [10, 10]


@pytest.mark.parametrize(
    ("owners", "column", "message"),
    [
        ('[[owners]]\nsite = "S"\nagency = "church"', "owners[1].agency", '"church" is none of the agencies'),
        ('[[owners]]\nsite = "S"\n[[owners]]\nsite = "S"', "owners[2].site", "is named twice"),
        ('[[owners]]\nsite = "S"\nshares = { city = 0.5 }', "owners[1].shares", "the parts come to 0.5"),
        ('[[owners]]\nsite = "S"\nshares = { city = 1.5, parish = -0.5 }', "owners[1].shares", "the parts come to 1"),
        ('[[owners]]\nsite = "S"\nshares = { church = 1 }', "owners[1].shares", '"church" is none of the agencies'),
    ],
)
def test_what_does_not_fit_is_refused_at_once(tmp_path: Path, owners: str, column: str, message: str) -> None:
    with pytest.raises(InputError, match="owners") as caught:
        load_study(study(tmp_path / "a", "\n" + owners + "\n"))
    (fault,) = caught.value.faults
    assert fault.column == column
    assert message in fault.message


def test_an_owner_of_a_place_that_is_not_there_is_named_with_the_nearest_id(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no site 'LL'; did you mean 'L'") as caught:
        run_study(study(tmp_path / "a", '\n[[owners]]\nsite = "LL"\n'), out=tmp_path / "plan", threads=1)
    assert caught.value.faults[0].column == "owners[1].site"
