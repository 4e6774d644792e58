"""The page about the centres' days: one file, the figures of the tables, nothing a name can break."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from nearer import language as spoken_words
from nearer.cli import app
from nearer.language import LANGUAGES, language
from nearer.report.aidpage import aid_html, amount, shade
from nearer.report.sharepage import share_svg
from tests.report.test_report_html import Page
from tests.report.test_report_languages import Mirror, cells, loaded

FOUND: dict[str, Any] = {
    "first": "2026-03-02",
    "last": "2026-03-15",
    "visits": 31,
    "households": 28,
    "expected": 40,
    "coverage": 0.7,
    "least_fill": 0.5,
    "median_fill": 0.7,
    "days_to_hand_over": 6.5,
    "days_left": 12,
    "last_moment": 0.1,
    "traced": 1.0,
    "to_a_giver": 0.9,
    "money_out": {"chf": 5_000},
    "cost_per_household": {"chf": 178.6},
    "goods_value": {"chf": 900},
    "centres": [
        {"site": "a", "name": "<b>North</b>", "visits": 20, "households": 18, "first_here": 18,
         "fill": 0.9, "least_fill": 0.9},
        {"site": "b", "name": "شمال", "visits": 11, "households": 10, "first_here": 10, "fill": 0.5, "least_fill": 0.5},
    ],
    "items": [
        {"item": "rice", "name": "Rice", "unit": "g", "handed_over": 2_928_000, "wasted": 4, "waste_share": 0.000001,
         "unmet": 1_000, "fill": 0.7, "least_fill": 0.5, "median_fill": 0.7, "days_to_hand_over": 6.5, "days_left": 12},
    ],
    "fill": [
        {"site": site, "item": "rice", "unit": "g", "entitled": 10, "handed_over": 5, "unmet": 5, "fill": fill}
        for site, fill in (("a", 0.9), ("b", 0.5))
    ],
    "waste": [{"kind": "DAMAGED", "cause": "wet", "site": "a", "item": "rice", "quantity": 4, "unit": "g"}],
    "weeks": [
        {"week": "2026-W10", "from": "2026-03-02", "site": "a", "visits": 12, "households": 12},
        {"week": "2026-W11", "from": "2026-03-09", "site": "a", "visits": 19, "households": 19},
    ],
}  # fmt: skip


def page(**more: Any) -> str:
    return aid_html("Q & A", {**FOUND, **more}, [], {}, {"chf": ("CHF", 100)}, "nearer aid report")


def test_a_page_holds_its_figures_and_needs_no_network() -> None:
    text = page()
    assert page() == text
    for figure in ("28", "70\u202f% of 40 expected", "1.79", "CHF", "2,928\u202fkg", "4\u202fg"):
        assert figure in text, figure
    assert not re.search(r"(?:src|href)=|url\(|<script|@import", text)


CAUSES = (("EXPIRED", "use-by"), ("DAMAGED", "wet"), ("LOST", "theft"), ("VARIANCE", "miscount"))


def pages() -> list[str]:
    """Everything the page can tell of, with names that have no letters of ours, and days without anybody."""
    flows = [
        {"site": "a", "item": "rice", "unit": "g", "given": 5, "bought": 6, "arrived": 700_000, "handed_over": -20,
         "sent": -30, "opening": 100, "closing": 1_200},
    ]  # fmt: skip
    found = {
        **FOUND,
        "centres": [{**row, "name": "Ω"} for row in FOUND["centres"]],
        "items": [{**row, "name": "Φ"} for row in FOUND["items"]],
        "waste": [
            {"kind": kind, "cause": cause, "site": "a", "item": "rice", "quantity": 4 + n, "unit": "g"}
            for n, (kind, cause) in enumerate(CAUSES)
        ],
        "cost_per_household": {"chf": 178.6, "eur": 90_000.0},
    }
    empty: dict[str, Any] = {"visits": 0, "households": 0, "cost_per_household": {}, "coverage": None, "centres": []}
    empty |= {"items": [], "fill": [], "waste": [], "weeks": []}
    names, coins = {"a": "Ω", "rice": "Φ"}, {"chf": ("¤", 100), "eur": ("€", 100)}
    return [aid_html(None, one, flows, names, coins, "nearer aid report") for one in (found, {**found, **empty})]


def drawing() -> str:
    return share_svg([(0.0, 1_234.5, 1_300.0), (0.5, 1_200.0, 1_290.0), (1.0, 1_000.25, 1_000.25)])


def test_every_word_of_the_page_and_of_the_picture_goes_through_the_catalogue(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = Mirror(dict(loaded("report_words").texts()))
    monkeypatch.setattr(spoken_words, "catalogue", lambda code, of: {} if code == "en" else texts)
    with language("fa"):
        for text in (*pages(), drawing()):
            seen = re.sub(r"(?s)<style>.*?</style>|<code.*?</code>|<pre.*?</pre>", "", text)
            seen = " ".join([*Page(seen).words, *re.findall(r'aria-label="([^"]*)"', seen)])
            assert sorted(set(re.findall(r"[A-Za-z]{2,}", re.sub("nearer", "", seen)))) == []


@pytest.mark.parametrize("code", [code for code in LANGUAGES if code != "en"])
def test_the_page_in_another_language_has_the_same_figures(code: str) -> None:
    with language(code):
        others, picture = pages(), drawing()
    for text, english in zip(others, pages(), strict=True):
        assert f'<html lang="{code}" dir="{"rtl" if code == "fa" else "ltr"}">' in text
        assert cells(text) == cells(english)
        assert "{" not in re.sub(r"(?s)<style>.*?</style>", "", text)
    assert len(cells(others[0])) >= 20
    assert re.findall(r'cy="[^"]*"', picture) == re.findall(r'cy="[^"]*"', drawing())


def test_names_are_text_and_never_markup() -> None:
    text = page()
    assert "<b>North</b>" not in text
    assert "&lt;b&gt;North" in text
    assert "Q &amp; A" in text
    assert '<span dir="auto">شمال</span>' in text


def test_days_without_anybody_are_a_page_too() -> None:
    empty: dict[str, Any] = {
        name: [] if isinstance(value, list) else {} if isinstance(value, dict) else None
        for name, value in FOUND.items()
    }
    text = page(**{**empty, "visits": 0, "households": 0, "first": "2026-01-01", "last": "2026-01-02"})
    assert "Nobody was served in these days." in text
    assert "Nothing was written off." in text


@pytest.mark.parametrize(
    ("quantity", "unit", "text"),
    [
        (4, "g", "4 g"),
        (1_500, "g", "1.5 kg"),
        (12_345_678, "ml", "12,346 l"),
        (-250_000, "g", "-250 kg"),
        (7, "piece", "7 piece"),
    ],
)
def test_quantities_are_in_the_units_of_people(quantity: int, unit: str, text: str) -> None:
    assert amount(quantity, unit).replace("\u202f", " ") == text


def test_a_cell_is_as_dark_as_what_it_lacks() -> None:
    assert [shade(fill) for fill in (1.0, 0.95, 0.85, 0.5, 0.0)] == [0, 0, 1, 5, 5]


def test_the_command_writes_the_page_in_a_language(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NEARER_AID_LEDGER", raising=False)
    assert CliRunner().invoke(app, ["aid", "demo", "--households", "10"]).exit_code == 0
    done = CliRunner().invoke(app, ["aid", "report", "--title", "Ours", "--out", "out/ours.html"])
    assert done.exit_code == 0, done.output
    text = (tmp_path / "out" / "ours.html").read_text(encoding="utf-8")
    assert '<h1><span dir="auto">Ours</span></h1>' in text
    assert "nearer aid report --first 2025-01-01 --last 2025-12-31</pre>" in text
    done = CliRunner().invoke(app, ["aid", "report", "--language", "es"])
    assert done.exit_code == 0, done.output
    text = (tmp_path / "aid.html").read_text(encoding="utf-8")
    assert '<h1><span dir="auto">Los centros</span></h1>' in text
    assert "nearer aid report --first 2025-01-01 --last 2025-12-31 --language es</pre>" in text


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_browser_draws_it_on_a_phone_without_anything_sticking_out(scheme: str, tmp_path: Path) -> None:
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if not found:
        pytest.skip("no Chromium; install it or set CHROMIUM to its path")
    sync_api = pytest.importorskip("playwright.sync_api")
    path = tmp_path / "aid.html"
    path.write_text(page(), encoding="utf-8")
    complaints: list[str] = []
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        for width in (360, 1280):
            sheet = chromium.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
            sheet.on("console", lambda message: complaints.append(message.text))
            sheet.on("request", lambda request: request.url.startswith("file:") or complaints.append(request.url))
            sheet.goto(path.as_uri())
            assert sheet.evaluate("document.documentElement.scrollWidth") <= width
            assert sheet.locator("svg.plot").count() == 1
            ground = sheet.evaluate("getComputedStyle(document.body).backgroundColor")
            assert ground == {"light": "rgb(255, 255, 255)", "dark": "rgb(15, 20, 25)"}[scheme]
        chromium.close()
    assert complaints == []
