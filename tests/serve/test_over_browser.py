"""What lies over the people: areas with too few places, and how often a place is chosen, on the map and in a table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nearer.report import tokens
from nearer.study.gaps import find_gaps
from nearer.study.sensitivity import run_sensitivity

from .conftest import Server, colours, map_drawn
from .test_browser import CAMERA, blind, pixel, rgb, violations  # noqa: F401  (blind is a fixture)

pytestmark = pytest.mark.browser


def near(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    return max(abs(a - b) for a, b in zip(one, other, strict=True)) <= 3


def drawn_in(page: Any, colour: str) -> bool:
    """Whether a colour is really on the map's part of the screen."""
    return any(near(rgb(colour), one) for one in colours(page.locator(".middle .map").first.screenshot()))


def laid_out(page: Any, what: str) -> None:
    page.wait_for_selector(f".middle .map[data-over='{what}']")
    page.wait_for_timeout(400)


@pytest.fixture
def gapped(rows: str, server: Server) -> str:
    """The study of two rows with its gap, the people around the library; its name."""
    find_gaps(server.home / rows, minutes=5, threads=1)
    return rows


def test_gaps_lie_on_the_map_and_a_click_leads_from_it_to_the_table_and_back(
    visit: Callable[..., Any], rows: str, server: Server
) -> None:
    toml = server.home / rows / "nearer.toml"
    toml.write_text(toml.read_text(encoding="utf-8") + "coverage_min = 5\n", encoding="utf-8")
    page = visit(f"/#/study/{rows}?{CAMERA}")
    page.set_default_timeout(60_000)
    map_drawn(page)
    assert not drawn_in(page, tokens.LIGHT["closed"])
    page.get_by_role("button", name="Where are crowded areas without a centre?").click()
    page.get_by_role("tab", name="Gaps", selected=True).wait_for()
    page.get_by_text("70 people lack a place; 70 of them have no centre that near.").wait_for()
    laid_out(page, "gaps")
    assert drawn_in(page, tokens.LIGHT["closed"]), "the area is drawn"
    page.get_by_text("People by minutes to the nearest centre").click()
    legend = page.locator(".legend").get_by_role("listitem").filter(has_text="one area where people lack a place today")
    assert "70" in legend.inner_text()
    assert violations(page) == []
    row = page.get_by_role("row").filter(has_text="What would help: Library")
    assert page.locator("article.gap").count() == 0
    page.mouse.click(*pixel(page, 0.0002, 0.0105))
    card = page.get_by_role("article", name="1. Library")
    card.get_by_text("70 of them lack a place, 70 have no centre within 5 minutes.").wait_for()
    assert "here" in row.get_attribute("class")
    assert "gap=1" in page.url
    assert violations(page) == []
    card.get_by_role("button", name="Library").click()
    page.get_by_role("heading", name="Library", exact=True).wait_for()
    page.go_back()
    page.locator("#gap-close").click()
    card.wait_for(state="detached")
    before = page.url.split("map=")[1].split("&")[0]
    row.get_by_role("button").focus()
    page.keyboard.press("Enter")
    card.wait_for()
    page.wait_for_function("was => !location.hash.includes(was)", arg=before)
    page.reload()
    card.wait_for()
    laid_out(page, "gaps")
    page.get_by_label("Over it").select_option("")
    page.get_by_role("tab", name="Centres", selected=True).wait_for()
    page.wait_for_selector(".middle .map[data-over='']")
    page.wait_for_timeout(400)
    assert not drawn_in(page, tokens.LIGHT["closed"])


@pytest.mark.parametrize("language", ["fa", "es"])
def test_gaps_are_shown_in_the_dark_and_from_the_right(visit: Callable[..., Any], gapped: str, language: str) -> None:
    locale = {"fa": "fa-IR", "es": "es-ES"}[language]
    page = visit(f"/#/study/{gapped}?over=gaps&tab=gaps&gap=1&{CAMERA}", color_scheme="dark", locale=locale)
    laid_out(page, "gaps")
    assert drawn_in(page, tokens.DARK["closed"])
    page.locator("article.gap").wait_for()
    for text in ("Gaps", "Lack a place", "lack a place", "would help", "Over it"):
        assert text not in page.locator("#page").inner_text()
    inner, outer = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert inner <= outer
    assert violations(page) == []


def test_without_webgl_gaps_are_drawn_plainly(blind: Callable[..., Any], gapped: str) -> None:  # noqa: F811
    page = blind(f"/#/study/{gapped}?over=gaps&tab=gaps")
    page.locator(".plain-gap").click()
    page.get_by_role("article", name="1. Library").wait_for()
    assert page.locator(".plain-gap.picked").count() == 1


def test_how_often_a_place_is_chosen_lies_on_the_map(visit: Callable[..., Any], planned: str, server: Server) -> None:
    run_sensitivity(server.home / planned, threads=1)
    page = visit(f"/#/study/{planned}?plan=1&about=sensitivity&{CAMERA}")
    page.get_by_role("button", name="Show it on the map").click()
    page.get_by_role("tab", name="How often", selected=True).wait_for()
    laid_out(page, "choices")
    page.get_by_text("cases were planned.").wait_for()
    page.get_by_text("People by minutes to the nearest centre").click()
    page.locator(".legend").get_by_text("in every case").wait_for()
    row = page.get_by_role("row").filter(has_text="Library")
    assert "100%" in row.inner_text()
    row.get_by_role("button").click()
    page.get_by_role("heading", name="Library", exact=True).wait_for()
    assert violations(page) == []
    x, y = pixel(page, 0, 0.010)
    ring = page.screenshot(clip={"x": x - 24, "y": y - 24, "width": 48, "height": 48})
    assert any(near(rgb(tokens.GAIN_LIGHT[5]), one) for one in colours(ring))


def test_the_shapes_of_gaps_are_those_of_the_file_and_none_is_an_answer_too(tmp_path: Path) -> None:
    import json

    import geopandas as gpd
    import httpx

    from nearer.serve.app import create_app

    from .conftest import served, write_rows

    write_rows(tmp_path / "rows")
    write_rows(tmp_path / "well")
    find_gaps(tmp_path / "rows", minutes=5, threads=1)
    find_gaps(tmp_path / "well", minutes=30, threads=1)
    with served(create_app(tmp_path)) as address, httpx.Client(base_url=address) as client:
        found = client.get("/api/studies/rows/gaps/gaps.geojson")
        assert found.headers["content-type"] == "application/geo+json"
        (shape,) = found.json()["features"]
        assert shape["properties"] == {"rank": 1}
        there = gpd.read_file(tmp_path / "rows" / "gaps" / "gaps.gpkg", layer="gaps").geometry.iloc[0]
        shown = gpd.GeoDataFrame.from_features(found.json()).geometry.iloc[0]
        assert shown.symmetric_difference(there).area < 0.02 * there.area
        assert client.get("/api/studies/well/gaps/gaps.geojson").json()["features"] == []
        token = client.post("/api/studies/rows/shares").json()["token"]
        assert client.get(f"/api/shared/{token}/gaps/gaps.geojson").json() == found.json()
        (tmp_path / "rows" / "gaps" / "gaps.gpkg").write_bytes(b"no map")
        refused = client.get("/api/studies/rows/gaps/gaps.geojson")
        assert refused.status_code == 400
        assert json.loads(refused.text)["error"].startswith("The map of gaps cannot be read")
