"""Further questions, each asked with a click and answered over the map, in a real browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from .conftest import Server, map_drawn
from .test_browser import CAMERA, violations

pytestmark = pytest.mark.browser


def test_curve_sensitivity_and_two_goals_are_asked_and_answered_with_a_click(
    visit: Callable[..., Any], planned: str, server: Server
) -> None:
    toml = server.home / planned / "nearer.toml"
    toml.write_text(toml.read_text(encoding="utf-8") + "coverage_min = 5\n", encoding="utf-8")
    page = visit(f"/#/study/{planned}?plan=1&{CAMERA}")
    page.set_default_timeout(60_000)
    map_drawn(page)

    def asked(name: str) -> Any:
        page.get_by_role("button", name=name).click()
        page.get_by_role("heading", name=name).wait_for()
        return page.locator(".sheet")

    sheet = asked("What does each further centre bring?")
    sheet.get_by_text("From 1 to 3 centres the average way falls from 4.0 to 0.2 minutes.").wait_for()
    assert sheet.locator("svg.chart .dot").count() == 3
    assert sheet.get_by_role("row").count() == 4
    assert violations(page) == []
    page.reload()
    sheet.get_by_text("From 1 to 3 centres").wait_for()
    page.get_by_role("button", name="Back to the map").click()
    map_drawn(page)
    sheet = asked("Which places stand if things turn out otherwise?")
    sheet.get_by_text("2 of 2 places are in the best plan whatever comes.").wait_for()
    assert sheet.get_by_role("row").filter(has_text="Library").get_by_text("100%").count() == 1
    assert violations(page) == []
    sheet.locator("tbody button").first.click()
    assert not sheet.is_visible(), "the name leads to the map"
    page.get_by_label("The other goal").select_option("coverage")
    sheet = asked("What does one goal cost the other?")
    sheet.get_by_role("columnheader", name="people near a centre").wait_for()
    sheet.get_by_role("button", name="Answer it again").click()
    page.get_by_text("The answer is ready.").wait_for()
    with page.context.expect_page() as opened:
        sheet.get_by_role("link", name="Open the whole page").click()
    opened.value.get_by_role("heading").first.wait_for()


def test_what_each_agency_brings_is_a_table_in_the_page(visit: Callable[..., Any], rows: str, server: Server) -> None:
    folder = server.home / rows
    sites = (folder / "sites.csv").read_text(encoding="utf-8").replace("owner", "agency")
    (folder / "sites.csv").write_text(sites, encoding="utf-8")
    page = visit(f"/#/study/{rows}")
    page.set_default_timeout(60_000)
    map_drawn(page)
    page.get_by_text("Agencies: 3 in your files").click()
    page.get_by_role("button", name="Plan with these: city, schools, parish").click()
    page.get_by_role("button", name="What does each agency bring?").click()
    sheet = page.locator(".sheet")
    sheet.get_by_text("Together the agencies save everybody 15 hours against today.").wait_for()
    assert sheet.get_by_role("row").filter(has_text="city, schools, parish").filter(has_text="School, Library").count()
    assert sheet.get_by_role("row").filter(has_text="nobody").count() == 1
    assert violations(page) == []
    page.get_by_role("button", name="Back to the map").click()
    page.locator("#agencies-0-max_open").fill("1")
    page.locator("#agencies-0-max_open").press("Tab")
    page.get_by_role("button", name="What does each agency bring?").click()
    page.get_by_text("The study's settings have changed since this was answered").wait_for()
