"""The report as a browser draws it."""

from __future__ import annotations

import os
import shutil
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from nearer.planning.plan import Plan
from nearer.report import tokens, write_report

pytestmark = pytest.mark.browser

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--hide-scrollbars"]  # fmt: skip


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if not found:
        pytest.skip("no Chromium; install it or set CHROMIUM to its path")
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def report(plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("report") / "report.html"
    write_report(plan, path)
    return path.as_uri()


def pixels(png: bytes) -> list[tuple[int, ...]]:
    """Colours of an 8-bit PNG without interlace, row by row (PNG specification, section 9)."""
    place, data, width, channels = 8, b"", 0, 0
    while place < len(png):
        size, kind = struct.unpack(">I4s", png[place : place + 8])
        body = png[place + 8 : place + 8 + size]
        if kind == b"IHDR":
            width, channels = struct.unpack(">I", body[:4])[0], {2: 3, 6: 4}[body[9]]
        data += body if kind == b"IDAT" else b""
        place += size + 12
    raw, stride, above, found = zlib.decompress(data), width * channels, bytearray(width * channels), []
    for start in range(0, len(raw), stride + 1):
        kind, row = raw[start], bytearray(raw[start + 1 : start + 1 + stride])
        for n in range(stride):
            left, up = (row[n - channels] if n >= channels else 0), above[n]
            corner = above[n - channels] if n >= channels else 0
            guess = left + up - corner
            paeth = min((left, up, corner), key=lambda v: abs(guess - v))
            row[n] = (row[n] + (0, left, up, (left + up) // 2, paeth)[kind]) % 256
        above = row
        found += [tuple(row[n : n + 3]) for n in range(0, stride, channels)]
    return found


def rgb(colour: str) -> tuple[int, ...]:
    return tuple(int(colour[n : n + 2], 16) for n in (1, 3, 5))


def test_no_request_leaves_the_file_and_nothing_is_complained_of(browser: Any, report: str) -> None:
    page = browser.new_page()
    asked, said = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.goto(report)
    assert asked == [report]
    assert said == []
    page.close()


@pytest.mark.parametrize(
    ("scheme", "roles", "ramp"),
    [("light", tokens.LIGHT, tokens.MINUTES_LIGHT), ("dark", tokens.DARK, tokens.MINUTES_DARK)],
)
def test_the_maps_are_really_drawn_in_the_readers_scheme(
    browser: Any, report: str, scheme: str, roles: dict[str, str], ramp: tuple[str, ...]
) -> None:
    page = browser.new_page(color_scheme=scheme, viewport={"width": 1100, "height": 900})
    page.goto(report)
    maps = page.locator("main svg.nearer-map")
    assert maps.count() == 4
    box = maps.nth(1).bounding_box()
    assert box["width"] > 400
    assert box["height"] > 300
    before, after = (pixels(maps.nth(place).screenshot()) for place in (0, 1))
    counts = {colour: before.count(rgb(colour)) for colour in (*ramp[:5], roles["page"], roles["existing"])}
    assert all(count > 50 for count in counts.values()), counts
    assert after.count(rgb(roles["opened"])) > 50
    assert rgb(roles["opened"]) not in before
    assert len(set(after)) > 200
    page.close()


@pytest.mark.parametrize("width", [360, 800, 1400])
def test_nothing_sticks_out_at_the_side(browser: Any, build: Callable[..., Plan], tmp_path: Path, width: int) -> None:
    for place, options in enumerate([{}, {"scale": 40_000.0}, {"names": ("a_long_name_without_any_space_" * 3,)}]):
        path = tmp_path / f"{place}.html"
        write_report(build(**options), path)
        page = browser.new_page(viewport={"width": width, "height": 800})
        page.goto(path.as_uri())
        inner, outer = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
        assert inner <= outer
        page.close()


def test_nothing_sticks_out_on_a_right_to_left_page(browser: Any, report: str) -> None:
    page = browser.new_page(viewport={"width": 360, "height": 800})
    page.goto(report)
    page.evaluate("document.documentElement.dir = 'rtl'")
    inner, outer = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert inner <= outer
    figures = page.locator(".figure").first.bounding_box()
    assert figures["x"] > 150, "the first figure stands at the right"
    page.close()


def test_it_prints_light_on_few_pages(browser: Any, report: str) -> None:
    page = browser.new_page(color_scheme="dark")
    page.goto(report)
    paper = page.pdf(prefer_css_page_size=True, print_background=True)
    assert 4 <= paper.count(b"/Type /Page\n") <= 7
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    page.close()
