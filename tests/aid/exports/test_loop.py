"""From running to planning: what a ledger exports, a study reads."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from nearer.aid import commands as c
from nearer.aid.migrate import create
from nearer.aid.store import Store
from nearer.cli import app

from ..town import Desk, Ticking, tag, wanted

Run = Callable[..., str]

MONTHS = range(1, 5)

VISITS = {"c1": (12, 13, 14, 15), "c2": (11, 11, 4, 12)}
"""Households by month; in March c2 has too few to be told."""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run ``nearer`` beside a ledger of two centres and four months."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NEARER_AID_LEDGER", raising=False)
    clock = Ticking(datetime(2026, 1, 1, tzinfo=UTC))
    create("aid.db", now=clock)
    with Store("aid.db", clock=clock) as store:
        desk = Desk(store)
        for command in (
            c.AddSite(site="hub", name="Hub", type="hub"),
            *(c.AddSite(site=site, name=site.upper()) for site in VISITS),
            c.AddParty(party="mill"),
            c.AddItem(item="rice", name="Rice", unit="g"),
            c.AddProgramme(programme="basics", name="Basics"),
        ):
            desk.do(command)
        rules = (c.Rule(item="rice", quantity=1),)
        for month in MONTHS:
            period = c.OpenPeriod(
                programme="basics",
                period=f"m{month}",
                first_day=f"2026-{month:02d}-01",
                last_day=f"2026-{month:02d}-28",
                rules=rules,
            )
            desk.do(period)
        for site in VISITS:
            desk.give(site, item="rice", quantity=1_000)
        for month in MONTHS:
            for site, numbers in VISITS.items():
                for number in range(numbers[month - 1]):
                    served = c.HandOver(
                        site=site,
                        programme="basics",
                        tag=tag(number + 100 * int(site[1])),
                        size=1,
                        lines=wanted(rice=1),
                    )
                    desk.do(served, at=datetime(2026, month, 5 + number % 20, 12, tzinfo=UTC))
        desk.do(c.SetSiteState(site="c1", state="open"), at=datetime(2026, 5, 2, tzinfo=UTC))

    def nearer(*arguments: object, exit: int = 0) -> str:
        done = CliRunner().invoke(app, [str(argument) for argument in arguments])
        assert done.exit_code == exit, done.output
        return done.output

    return nearer


def table(name: str) -> list[dict[str, Any]]:
    return list(csv.DictReader(Path(name).read_text(encoding="utf-8").splitlines()))


def test_a_curve_reads_the_visits_of_a_ledger(run: Run) -> None:
    assert "7 rows" in run("aid", "export-demand", "visits.csv")
    rows = table("visits.csv")
    assert {(row["centre"], row["period"]): int(row["visits"]) for row in rows} == {
        (site, f"2026-{month:02d}"): numbers[month - 1]
        for site, numbers in VISITS.items()
        for month in MONTHS
        if numbers[month - 1] >= 10
    }
    assert {row["centres"] for row in rows} == {"2"}
    run("new", "town")
    assert "Past visits: 4 periods" in run("curve", "town", "--to", "3", "--history", "visits.csv")


def test_a_plan_takes_a_ledger_s_visits_as_its_people(run: Run) -> None:
    Path("places.csv").write_text("id,lon,lat\nc1,9.50,47.10\nc2,9.52,47.12\n", encoding="utf-8")
    run("aid", "export-demand", "study/people.csv", "--places", "places.csv")
    assert [(row["id"], int(row["visits"])) for row in table("study/people.csv")] == [
        (site, sum(numbers)) for site, numbers in VISITS.items()
    ]
    Path("study/sites.csv").write_text("id,name,lon,lat\na,A,9.501,47.101\nb,B,9.53,47.13\n", encoding="utf-8")
    Path("study/nearer.toml").write_text(
        '[study]\nname = "From the ledger"\n[streets]\nmode = "straight"\nlimit_min = 120\n'
        '[people]\nfile = "people.csv"\ntotal = "visits"\n[[sites]]\nfile = "sites.csv"\nstatus = "candidate"\n'
        "[plan]\nopen = 1\n",
        encoding="utf-8",
    )
    run("plan", "study")
    (folder,) = [path.parent for path in Path("study").rglob("plan.json")]
    plan = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
    assert plan["measures"]["after"]["people"] == sum(map(sum, VISITS.values()))
    assert [site["id"] for site in plan["sites"] if site["status"] == "opened"] == ["a"]


def test_what_is_asked_wrongly_is_said(run: Run) -> None:
    assert "by month or week" in run("aid", "export-demand", "x.csv", "--by", "year", exit=2)
    assert "No centre served 900 households" in run("aid", "export-demand", "x.csv", "--least", "900", exit=2)
    Path("places.csv").write_text("id,lon,lat\nc1,east,47.10\nc2,9.52,470\n", encoding="utf-8")
    told = run("aid", "export-demand", "x.csv", "--places", "places.csv", exit=2)
    assert "row 2, column lon" in told
    assert "row 3, column lat" in told
    assert not Path("x.csv").exists()


def test_every_export_is_on_the_command_line(run: Run) -> None:
    run("aid", "publish", "--columns", "month", "--first", "2026-01-01", "--last", "2026-04-30", "--id", "publish-1")
    (release,) = json.loads(run("aid", "published", "--json"))
    assert "8 rows" in run("aid", "export-hxl", release["release"], "reached.csv")
    assert "events" in run("aid", "export-epcis", "events.json", "--first", "2026-02-01")
    assert "1 services" in run("aid", "export-hsds", "centres.json", "--organisation", "Town aid")
    assert "is written" in run("aid", "export-table", "balances", "balances.xlsx")
    assert "is written" in run("aid", "export-table", "sites", "sites.csv")
    assert [row["site"] for row in table("sites.csv")] == ["hub", "c1", "c2"]
    assert "There is no table prices" in run("aid", "export-table", "prices", "x.csv", exit=2)
    assert "no release 'B1'" in run("aid", "export-hxl", "B1", "x.csv", exit=1)
