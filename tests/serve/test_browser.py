"""The planning map in a real browser."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nearer.report import tokens

from .conftest import Server, map_drawn

pytestmark = pytest.mark.browser


def rgb(colour: str) -> tuple[int, ...]:
    return tuple(int(colour[n : n + 2], 16) for n in (1, 3, 5))


def test_a_first_visit_ends_with_a_proven_plan_of_liechtenstein(visit: Callable[..., Any], server: Server) -> None:
    page = visit()
    page.get_by_role("button", name="Open the example").click()
    page.get_by_role("heading", name="Liechtenstein: eight more neighbourhood centres").wait_for()
    seen = map_drawn(page)
    assert len(seen) > 500, "people in shades under streets and names"
    assert rgb(tokens.LIGHT["existing"]) in seen
    page.get_by_text("Today 43% of all people have a centre within 15 minutes").wait_for()
    page.get_by_role("button", name="Find the best places").click()
    page.get_by_text("No other choice of 8 places is better: proven.").wait_for(timeout=60_000)
    page.wait_for_function("document.querySelector('.legend .mark-opened')")
    page.wait_for_timeout(300)
    assert rgb(tokens.LIGHT["opened"]) in map_drawn(page)
    study = page.url.split("/study/")[1].split("?")[0]
    plan = json.loads((server.home / study / "plans" / "1" / "plan.json").read_text(encoding="utf-8"))
    rows = page.get_by_role("row").filter(has_text="new centre")
    assert rows.count() == plan["opened"] == 8
    first = next(site for site in plan["sites"] if site["order"] == 1)
    assert first["name"] in rows.first.inner_text()
    report: Path = server.home / study / "plans" / "1" / "report.html"
    assert report.is_file()
    page.get_by_role("button", name="What changes").click()
    page.get_by_text("newly within reach").wait_for()
