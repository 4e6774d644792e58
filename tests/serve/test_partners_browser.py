"""A newcomer brings files, sets two agencies and phases, plans, and takes the report home: all in a real browser."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nearer.study import run_study

from ..study.conftest import PEOPLE
from .conftest import Server, map_drawn
from .test_browser import violations

pytestmark = pytest.mark.browser

VENUES = """\
ref;title;longitude;latitude;owner;price
S;School;0;0.002;City;10
P;Parish hall;0;0.003;Parish;20
L;Library;0;0.010;City;30
G;Gym;0;0.011;Parish;5
"""


def workbook(path: Path) -> None:
    """The centres of today as an office keeps them: a title row is missing, a second sheet is empty."""
    from openpyxl import Workbook

    book = Workbook()
    book.active.append(["id", "name", "lon", "lat", "owner"])
    book.active.append(["H", "Town hall", 0, 0.0005, "City"])
    book.create_sheet("Notes")
    book.save(path)


def test_a_newcomer_plans_with_two_agencies_and_takes_the_report_home(
    visit: Callable[..., Any], server: Server, tmp_path: Path
) -> None:
    (tmp_path / "people.csv").write_text(PEOPLE, encoding="utf-8")
    (tmp_path / "venues.csv").write_text(VENUES, encoding="utf-8")
    workbook(tmp_path / "centres.xlsx")
    page = visit("/#/own")
    page.get_by_label("What is it called?").fill("Two partners")
    page.set_input_files("#files", [tmp_path / name for name in ("people.csv", "venues.csv", "centres.xlsx")])
    page.get_by_text("240 people, 1 centres of today, 4 places that could open.").wait_for()
    assert page.get_by_role("article", name="venues.csv").get_by_label("Whose it is").input_value() == "owner"
    page.get_by_label("New centres to begin with").fill("2")
    page.get_by_label("New centres to begin with").press("Tab")
    page.get_by_text("1 today and 2 new: 3 in all.").wait_for()
    assert violations(page) == []
    page.get_by_role("link", name="Open the map").click()
    map_drawn(page)
    page.get_by_text("Agencies: 2 in your files").click()
    page.get_by_role("button", name="Plan with these: City, Parish").click()
    page.get_by_text("1 centres today, 2 places that could open").wait_for()
    page.locator("#agencies-0-max_open").fill("1")
    page.locator("#agencies-0-budget").fill("15")
    page.locator("#agencies-1-max_open").fill("1")
    page.locator("#agencies-1-max_open").press("Tab")
    page.get_by_text("Phases: none").click()
    page.get_by_role("button", name="Add a phase").click()
    page.locator("#phases-0-name").fill("first")
    page.locator("#phases-0-open").fill("1")
    page.locator("#phases-0-open").press("Tab")
    page.get_by_role("button", name="Add a phase").click()
    page.locator("#phases-1-open").fill("1")
    page.locator("#phases-1-open").press("Tab")
    page.get_by_text("2 new centres in all.").wait_for()
    assert violations(page) == []
    page.get_by_role("button", name="Find the best places").click()
    page.get_by_role("tab", name="Agencies").click()
    row = page.get_by_role("row").filter(has_text="Parish")
    row.get_by_text("at most 1").wait_for()
    study = server.home / page.url.split("/study/")[1].split("?")[0]
    settings = tomllib.loads((study / "nearer.toml").read_text(encoding="utf-8"))
    assert settings["agencies"] == [{"name": "City", "max_open": 1, "budget": 15}, {"name": "Parish", "max_open": 1}]
    assert [one["open"] for one in settings["plan"]["phases"]] == [1, 1]
    assert settings["plan"]["phases"][0]["name"] == "first"
    assert "open" not in settings["plan"]
    made = json.loads((study / "plans" / "1" / "plan.json").read_text(encoding="utf-8"))
    again = run_study(study, out=tmp_path / "again", threads=1).document
    assert [site.id for site in again.sites] == [site["id"] for site in made["sites"]], "the command line repeats it"
    opened = {site["id"] for site in made["sites"] if site["status"] == "opened"}
    assert opened == {"S", "G"}, "City has no money for the library"
    page.get_by_role("tab", name="Phases").click()
    page.get_by_role("row").filter(has_text="first").wait_for()
    page.get_by_text("Download files").click()
    with page.expect_download() as caught:
        page.get_by_role("link", name="report.html").click()
    report = Path(caught.value.path()).read_text(encoding="utf-8")
    assert "Who opens, hosts and pays" in report
    assert "Parish" in report


def test_whose_a_place_is_and_who_pays_is_said_on_the_page_and_the_command_line_repeats_it(
    visit: Callable[..., Any], rows: str, server: Server, tmp_path: Path
) -> None:
    folder = server.home / rows
    sites = (folder / "sites.csv").read_text(encoding="utf-8").splitlines()
    costs = ("cost", "0", "10", "10", "20", "20")
    sites = [f"{line},{cost}" for line, cost in zip(sites, costs, strict=True)]
    (folder / "sites.csv").write_text("\n".join(sites) + "\n", encoding="utf-8")
    before = (folder / "sites.csv").read_bytes()
    page = visit(f"/#/study/{rows}")
    map_drawn(page)
    page.get_by_text("Agencies: none").click()
    for k, name in enumerate(("City", "Parish")):
        page.get_by_role("button", name="Add an agency").click()
        page.locator(f"#agencies-{k}-name").fill(name)
        page.locator(f"#agencies-{k}-name").press("Tab")
        page.get_by_role("group", name=name).wait_for()

    def settings() -> dict[str, Any]:
        return tomllib.loads((folder / "nearer.toml").read_text(encoding="utf-8"))

    def owned(site: str, agency: str) -> None:
        page.locator(f"[data-key='site-{site}']").click()
        page.locator("#card-name").wait_for()
        if page.locator("#owner").get_attribute("open") is None:
            page.locator("#owner summary").click()
        page.locator("#owner-agency").select_option(agency)
        page.locator("#owner summary strong").get_by_text(agency).wait_for()

    owned("S", "City")
    page.get_by_text("You changed whose School is, or who pays for it.").wait_for()
    owned("L", "Parish")
    assert settings()["owners"] == [{"site": "S", "agency": "City"}, {"site": "L", "agency": "Parish"}]
    assert violations(page) == []
    city, parish = page.locator("#owner-share-0"), page.locator("#owner-share-1")
    assert (city.input_value(), parish.input_value()) == ("0", "100")
    city.fill("60")
    city.press("Tab")
    page.get_by_text("The parts come to 160%; they must come to 100%.").wait_for()
    assert "shares" not in settings()["owners"][1], "what does not add up is not kept"
    parish.fill("40")
    parish.press("Tab")
    page.wait_for_function("() => document.querySelector('#owner-sum').textContent === ''")
    assert settings()["owners"][1]["shares"] == {"City": 0.6, "Parish": 0.4}
    page.locator("#card-close").focus()
    page.keyboard.press("Control+z")
    page.wait_for_function("() => document.querySelector('#owner-share-0').value === '0'")
    assert settings()["owners"][1] == {"site": "L", "agency": "Parish"}
    page.get_by_role("button", name="Redo").click()
    page.wait_for_function("() => document.querySelector('#owner-share-0').value === '60'")
    page.locator("#agencies-1-name").fill("Church")
    page.locator("#agencies-1-name").press("Tab")
    page.locator("#owner summary strong").get_by_text("Church").wait_for()
    assert settings()["owners"][1] == {"site": "L", "agency": "Church", "shares": {"City": 0.6, "Church": 0.4}}
    page.get_by_role("button", name="Find the best places").click()
    page.get_by_role("tab", name="Agencies").click()
    row = page.get_by_role("row").filter(has_text="Church")
    row.get_by_text("27%").wait_for()
    made = json.loads((folder / "plans" / "1" / "plan.json").read_text(encoding="utf-8"))
    assert {one["name"]: sum(one["spent"]) for one in made["agencies"]} == {"City": 22, "Church": 8}
    again = run_study(folder, out=tmp_path / "again", threads=1).document
    assert [(one.name, list(one.spent)) for one in again.agencies] == [
        (a["name"], a["spent"]) for a in made["agencies"]
    ]
    assert (folder / "sites.csv").read_bytes() == before
