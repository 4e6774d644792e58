"""
Pictures of the aid desk for the documentation: ``python tools/desk_screenshots.py``.

Starts a server with a practice desk, hands over in a headless Chromium, writes ``docs/images/desk-*``.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from typing import Any

from playwright.sync_api import sync_playwright
from screenshots import FLAGS, save

PHONE = {"viewport": {"width": 390, "height": 844}}
LOOK = {"viewport": {"width": 640, "height": 720}}


def desk(browser: Any, address: str, path: str = "", locale: str = "en-GB", **options: Any) -> Any:
    """The desk on a device of its own."""
    page = browser.new_context(locale=locale, reduced_motion="reduce", **options).new_page()
    page.set_default_timeout(60_000)
    page.goto(f"{address}/aid{path}")
    page.locator("nav").wait_for()
    page.wait_for_timeout(1_000)
    return page


def household(page: Any, number: int) -> None:
    """Tap a card to practise with."""
    page.locator(".practice-cards button").nth(number).click()
    page.locator(".verdict").wait_for()
    page.wait_for_timeout(500)


def take(browser: Any, address: str) -> None:
    """Every picture."""
    page = desk(browser, address, **PHONE)
    page.locator(".practice-cards").wait_for()
    save(page, "desk-practice")
    page = desk(browser, address, **LOOK)
    household(page, 0)
    save(page, "desk-yes")
    page.locator("#give").click()
    page.locator(".last").first.wait_for()
    page = desk(browser, address, locale="fa-IR", color_scheme="dark", viewport={"width": 360, "height": 620})
    household(page, 0)
    save(page, "desk-no-fa")
    page = desk(browser, address, "#/cards", "es-ES", color_scheme="dark", viewport={"width": 900, "height": 900})
    token = page.evaluate("fetch('/api/aid/session').then((one) => one.json()).then((one) => one.practice[0].token)")
    page.locator("main input").first.fill(token)
    page.keyboard.press("Enter")
    page.get_by_text("4 personas").wait_for()
    save(page, "desk-cards-es")
    page = desk(browser, address, "#/away", **LOOK)
    page.get_by_label("Quantity").fill("1")
    page.get_by_role("button", name="Take along").click()
    page.get_by_text("households are on its list.").wait_for()
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    page.context.set_offline(True)
    page.get_by_role("link", name="Hand over").click()
    household(page, 2)
    page.locator("#give").click()
    page.get_by_text("Kept on this device").wait_for()
    page.wait_for_timeout(1_500)
    save(page, "desk-away")
    page.set_viewport_size(PHONE["viewport"])
    household(page, 4)
    page.get_by_text("An emergency").click()
    save(page, "desk-emergency")


def main() -> None:
    """Start, take, end."""
    with tempfile.TemporaryDirectory() as name:
        command = [sys.executable, "-m", "nearer", "serve", name, "--practice", "--port", "0", "--no-open"]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            assert server.stdout is not None
            found = re.search(r"http://[^/\s]+", server.stdout.readline())
            assert found is not None
            with sync_playwright() as playwright:
                chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
                browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
                take(browser, found[0])
                browser.close()
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    main()
