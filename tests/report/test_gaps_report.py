"""The page, the maps and the GeoPackage of gaps."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

import nearer
from nearer.planning.gapdoc import SizedLevel
from nearer.planning.gaps import Gaps
from nearer.report import gaps_table, gaps_text, tokens, write_gaps_gpkg
from nearer.report.gaphtml import gaps_html
from nearer.report.gapmap import NONE_NEAR, short_class, short_legend
from nearer.report.gapwords import enough, headline, reasons, sized

NASTY = '<script>alert("x")</script>'


def town(name: str = "Quarry Street hall", groups: bool = True) -> Gaps:
    """A row of 100 m squares: plenty in the west, crowded in the middle, nobody near in the east."""
    n = 60
    x = np.arange(n)
    people = pd.DataFrame({"id": [f"p{k}" for k in x], "population": np.where((x > 15) & (x < 35), 300.0, 40.0)})
    people["old"] = people["population"] / 4
    people = gpd.GeoDataFrame(people, geometry=gpd.points_from_xy(x * 0.0009, np.zeros(n)), crs=4326)
    sites = pd.DataFrame(
        {
            "id": ["a", "b", "o", "c", "d"],
            "name": ["West hall", "Middle hall", "Mission", name, "East school"],
            "status": ["existing", "existing", "other", "candidate", "candidate"],
        }
    )
    at = np.array([2, 25, 26, 22, 55]) * 0.0009
    sites = gpd.GeoDataFrame(sites, geometry=gpd.points_from_xy(at, np.zeros(5)), crs=4326)
    more: dict[str, Any] = {"groups": {"older_people": "old"}} if groups else {}
    return nearer.gaps(people, sites, minutes=10.0, standard_people=1_000.0, name="Row town", threads=1, **more).gaps


@pytest.fixture(scope="module")
def gaps() -> Gaps:
    return town()


class _Balanced(HTMLParser):
    VOID = frozenset({"meta", "link", "br", "img", "hr", "input"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: Any) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_one_file_and_says_what_the_document_says(gaps: Gaps) -> None:
    text = gaps_html(gaps)
    assert _Balanced(text).open == []
    assert not re.findall(r"(?:src|href)=\"(?!#)[^\"]*", text)
    assert "<script" not in text
    for gap in gaps.document.gaps:
        assert gap.name in text
    for centre in gaps.document.centres:
        assert centre.name in text
    for part in re.findall(r"<svg.*?</svg>", text, re.DOTALL):
        ElementTree.fromstring(part)


def test_ids_are_unique_and_every_reference_leads_somewhere(gaps: Gaps) -> None:
    text = gaps_html(gaps)
    ids = re.findall(r'\bid="([^"]+)"', text)
    assert len(ids) == len(set(ids))
    referred = set(re.findall(r'href="#([^"]+)"', text)) | set(re.findall(r"url\(#([^)]+)\)", text))
    assert referred <= set(ids)


def test_names_from_the_data_cannot_break_the_page() -> None:
    text = gaps_html(town(NASTY, groups=False))
    assert "<script" not in text
    assert "&lt;script&gt;" in text


def test_legend_classes_add_up_to_everybody(gaps: Gaps) -> None:
    counted = sum(row.people[0] for row in short_legend(gaps))
    assert counted == pytest.approx(gaps.document.measures.need)
    out = [row for row in short_legend(gaps) if row.mark == "m6"]
    assert out[0].people[0] == pytest.approx(gaps.document.measures.beyond)


def test_classes_of_shortfall_include_their_upper_end() -> None:
    supply = np.array([2.0, 1.0, 0.9, 0.75, 0.7, 0.5, 0.25, 0.1, 0.0])
    count = np.array([1, 1, 1, 1, 1, 1, 1, 1, 0])
    assert short_class(supply, count).tolist() == [0, 0, 1, 1, 2, 2, 3, 4, NONE_NEAR]


@pytest.mark.parametrize(
    ("ramp", "page"), [(tokens.SHORT_LIGHT, tokens.LIGHT["page"]), (tokens.SHORT_DARK, tokens.DARK["page"])]
)
def test_shortfall_grows_away_from_the_page_in_grey_too(ramp: tuple[str, ...], page: str) -> None:
    contrasts = [tokens.contrast(colour, page) for colour in ramp]
    assert contrasts == sorted(contrasts)
    assert len(ramp) == len(tokens.SHORT_BREAKS) + 1
    assert all(b / a >= 1.1 for a, b in pairwise(contrasts))


def test_the_geopackage_holds_areas_points_and_sites_with_styles(gaps: Gaps, tmp_path: Path) -> None:
    for name in ("one.gpkg", "two.gpkg"):
        write_gaps_gpkg(gaps, tmp_path / name)
    assert (tmp_path / "one.gpkg").read_bytes() == (tmp_path / "two.gpkg").read_bytes()
    areas = gpd.read_file(tmp_path / "one.gpkg", layer="gaps")
    assert areas["rank"].tolist() == [gap.rank for gap in gaps.document.gaps]
    assert areas.geometry.is_valid.all()
    people = gpd.read_file(tmp_path / "one.gpkg", layer="people")
    assert people["lacking"].sum() == pytest.approx(gaps.document.measures.lacking)
    inside = gpd.sjoin(people[people["gap"] == 1], areas[areas["rank"] == 1], predicate="within")
    assert len(inside) == gaps.document.gaps[0].points
    with closing(sqlite3.connect(tmp_path / "one.gpkg")) as base:
        styles = dict(base.execute("SELECT f_table_name, styleQML FROM layer_styles"))
    assert set(styles) == {"gaps", "people", "sites"}
    for style in styles.values():
        ElementTree.fromstring(style.split("\n", 1)[1])


def test_sentences_say_what_is_counted(gaps: Gaps) -> None:
    text = gaps_text(gaps)
    assert "one centre for 1,000 people within 10 minutes" in text
    header, rows = gaps_table(gaps)
    assert len(rows) == len(gaps.document.gaps)
    assert all(len(row) == len(header) for row in rows)


def _said(gaps: Gaps, **changes: Any) -> Any:
    return gaps.document.model_copy(update={"measures": gaps.document.measures.model_copy(update=changes)})


def test_either_reason_may_be_absent(gaps: Gaps) -> None:
    near = reasons(_said(gaps, beyond=0.0, crowded=20.0))
    assert near == "Nobody is farther than 10 minutes from a centre; 20 people have one, and too many to share it with."
    roomy = reasons(_said(gaps, beyond=1.0, crowded=0.0))
    assert roomy == "1 person has no centre within 10 minutes; whoever has one in reach finds a place there."


def test_no_centre_and_nobody_to_count_are_said_as_such(gaps: Gaps) -> None:
    assert enough(gaps.document.model_copy(update={"centres": []})) == "No centre is open today."
    asked = gaps.document.standard.model_copy(update={"group": "low_income"})
    nobody = _said(gaps, need=0.0, lacking=0.0).model_copy(update={"standard": asked})
    assert headline(nobody) == "There is nobody to count: the group low income has no people."


def test_ranges_are_said_with_their_level() -> None:
    assert sized([SizedLevel(level="", capacity=1, low=2, high=2)]) == "2"
    two = [SizedLevel(level="small", capacity=1, low=3, high=5), SizedLevel(level="large", capacity=2, low=2, high=2)]
    assert sized(two) == "3 to 5 small or 2 large"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if not found:
        pytest.skip("no Chromium; install it or set CHROMIUM to its path")
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        yield chromium
        chromium.close()


@pytest.mark.browser
@pytest.mark.parametrize("width", [360, 1280])
def test_the_page_fits_a_phone_and_a_desk_and_asks_for_nothing(
    browser: Any, gaps: Gaps, tmp_path: Path, width: int
) -> None:
    path = tmp_path / "gaps.html"
    path.write_text(gaps_html(gaps), encoding="utf-8")
    page = browser.new_page(viewport={"width": width, "height": 800})
    asked, said = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.goto(path.as_uri())
    assert asked == [path.as_uri()]
    assert said == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    letters = page.locator("svg.nearer-map .nr-letter").all_text_contents()
    assert set(letters) == set(page.locator("tbody .disc.letter").all_inner_texts())
    page.close()
