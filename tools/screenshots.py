"""
Pictures of the browser pages for the documentation: ``python tools/screenshots.py``.

Starts a server on a folder of its own, plans Liechtenstein in a headless Chromium, writes ``docs/images/browser-*``.

Those of the aid desk: ``tools/desk_screenshots.py``.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import sync_playwright

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"
FLAGS = ["--no-sandbox", "--disable-quic", "--no-first-run", "--hide-scrollbars", "--enable-unsafe-swiftshader"]
WAIT_MS = 240_000

PEOPLE = "residents,lon,lat\n100,9.52,47.14\n1,9.521,47.141\n50,9.52,95\n"
VENUES = "id,name,lon,lat\nS,School,9.52,47.14\nS,Library,9.53,47.15\n"


def save(page: Any, name: str) -> None:
    """A screenshot in 256 colours, which text and flat maps do with."""
    image = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    few = image.quantize(256, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    few.save(IMAGES / f"{name}.png", optimize=True)


def open_plan(context: Any, address: str, more: str = "", study: str = "liechtenstein") -> Any:
    """The page of the plan, drawn."""
    page = context.new_page()
    page.set_default_timeout(WAIT_MS)
    page.goto(f"{address}/#/study/{study}?plan=1{more}")
    page.wait_for_selector(".map[data-drawn][data-sites]")
    page.wait_for_selector(".figures")
    page.wait_for_timeout(1_500)  # for the eye: tiles and names settle
    return page


AGENCIES = """
[[agencies]]
name = "municipality"
max_open = 70

[[agencies]]
name = "Newtown Aid"
max_open = 40
"""


def two_agencies(studies: Path) -> None:
    """Newtown from 112 to 210 centres with two agencies, planned."""
    nearer = [sys.executable, "-m", "nearer"]
    folder = studies / "newtown"
    subprocess.run([*nearer, "new", str(folder), "--example", "newtown", "--people", "400000"], check=True)
    with (folder / "nearer.toml").open("a", encoding="utf-8") as file:
        file.write(AGENCIES)
    subprocess.run([*nearer, "plan", str(folder), "--out", str(folder / "plans" / "1")], check=False)


def take_further(browser: Any, address: str, wide: dict[str, Any]) -> None:
    """Agencies, two plans compared, a flood, a further question, and what a reader sees."""
    page = open_plan(browser.new_context(**wide), address, "&tab=agencies", "newtown")
    page.locator("#list-agencies summary").click()
    page.locator("#list-agencies").evaluate("one => one.scrollIntoView()")
    save(page, "browser-agencies")
    page = open_plan(browser.new_context(**wide), address)
    page.locator("#curve").click()
    page.get_by_role("heading", name="What does each further centre bring?").wait_for()
    page.wait_for_timeout(5_000)
    save(page, "browser-curve")
    page.locator("#sheet-close").click()
    page.locator("#gaps").click()
    page.wait_for_selector(".middle .map[data-over=gaps]")
    page.locator("[data-key=gap-3]").click()
    page.wait_for_timeout(3_000)
    save(page, "browser-gaps")
    page = open_plan(browser.new_context(**wide), address)
    page.locator("#sharing summary").click()
    page.locator("#share-make").click()
    link = page.locator("#share-link-0").input_value()
    page.locator("#draw").click()
    box = page.locator(".middle .map").first.bounding_box()
    for right, down in ((-60, -40), (20, -60), (70, 30), (-30, 70)):
        page.mouse.click(box["x"] + box["width"] / 2 + right, box["y"] + box["height"] / 2 + down)
    page.get_by_role("button", name="Done drawing").click()
    page.locator("#stress").scroll_into_view_if_needed()
    page.wait_for_timeout(1_500)
    save(page, "browser-crisis")
    page.locator("#number").fill("5")
    page.get_by_role("button", name="Find the best places").click()
    page.get_by_text("No other choice of 5 places is better").wait_for()
    page = open_plan(browser.new_context(**wide), address, "&against=4")
    page.wait_for_selector(".swipe .map[data-drawn]")
    page.wait_for_timeout(1_500)
    save(page, "browser-compare")
    reader = browser.new_context(**wide).new_page()
    reader.set_default_timeout(WAIT_MS)
    reader.goto(link)
    reader.wait_for_selector(".map[data-drawn][data-sites]")
    reader.wait_for_timeout(1_500)
    save(reader, "browser-share")


def take(browser: Any, address: str, folder: Path) -> None:
    """Every picture."""
    wide = {"viewport": {"width": 1280, "height": 800}, "locale": "en-GB"}
    first = browser.new_context(**wide).new_page()
    first.set_default_timeout(WAIT_MS)
    first.goto(address)
    first.get_by_role("button", name="Open the example").wait_for()
    save(first, "browser-start")
    first.get_by_role("button", name="Open the example").click()
    first.get_by_role("button", name="Find the best places").click()
    first.get_by_text("No other choice of 8 places is better").wait_for()

    page = open_plan(browser.new_context(**wide), address)
    save(page, "browser-plan")
    page.get_by_role("button", name="Post Ruggell").click()
    page.get_by_role("button", name="Take it out").click()
    page.get_by_role("button", name="What changes").click()
    page.wait_for_timeout(2_000)
    save(page, "browser-changed")
    save(open_plan(browser.new_context(**wide, color_scheme="dark"), address, "&show=change"), "browser-dark")
    save(open_plan(browser.new_context(**(wide | {"locale": "fa-IR"})), address), "browser-persian")
    phone = {"viewport": {"width": 360, "height": 740}, "is_mobile": True, "has_touch": True, "locale": "en-GB"}
    save(open_plan(browser.new_context(**phone), address), "browser-phone")

    own = browser.new_context(viewport={"width": 1000, "height": 1040}, locale="en-GB").new_page()
    own.set_default_timeout(WAIT_MS)
    own.goto(f"{address}/#/own")
    own.get_by_label("What is it called?").fill("My town")
    for name, text in (("people.csv", PEOPLE), ("schools.csv", VENUES)):
        (folder / name).write_text(text, encoding="utf-8")
    own.set_input_files("#files", [folder / "people.csv", folder / "schools.csv"])
    own.get_by_text("things are to be mended").wait_for()
    own.evaluate("scrollTo(0, 200)")
    own.wait_for_timeout(300)
    save(own, "browser-own-files")
    two_agencies(folder / "studies")
    take_further(browser, address, wide)


def persian_report(browser: Any, studies: Path) -> None:
    """The first page of a report in Persian."""
    nearer = [sys.executable, "-m", "nearer"]
    folder = studies / "liechtenstein"
    subprocess.run([*nearer, "report", str(folder / "plans" / "1"), "--language", "fa"], check=True)
    page = browser.new_page(viewport={"width": 1080, "height": 1240})
    page.goto((folder / "plans" / "1" / "report-fa.html").as_uri())
    image = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    few = image.quantize(256, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    few.save(IMAGES / "report-persian.png", optimize=True)
    page.close()


def main() -> None:
    """Start, take, end."""
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    with tempfile.TemporaryDirectory() as name:
        command = [sys.executable, "-m", "nearer", "serve", f"{name}/studies", "--port", "0", "--no-open"]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            assert server.stdout is not None
            found = re.search(r"http://[^/\s]+", server.stdout.readline())
            assert found is not None
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
                take(browser, found[0], Path(name))
                persian_report(browser, Path(name) / "studies")
                browser.close()
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    main()
