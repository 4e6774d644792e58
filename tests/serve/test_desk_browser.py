"""The aid desk in a real browser: hand-overs with and without a connection, and the pages around them."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import argon2
import psycopg
import pytest
import segno
from PIL import Image

from nearer.aid.households import staff
from nearer.serve.app import STATIC

from ..aid.postgres import cluster, why_not
from .conftest import launch
from .desks import WORDS, Browsers, Served, make_ledger, scan, serving
from .test_browser import violations

pytestmark = pytest.mark.browser

SHARE = 5_000
"""Grams of rice that a household of four gets; and one kit."""


@pytest.fixture(autouse=True)
def quick_hashing(monkeypatch: pytest.MonkeyPatch) -> None:
    quick = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(staff, "_HASHER", quick)


@pytest.fixture
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Served]:
    """On SQLite, unless a test names another."""
    if not (STATIC / "aid.html").is_file():
        pytest.skip("the pages are not built: run `make web`")
    keys = tmp_path / "aid-keys"
    with ExitStack() as held:
        ledger, households = str(tmp_path / "aid.db"), str(tmp_path / "aid-households.db")
        if getattr(request, "param", "sqlite") == "postgresql":
            ledger, households = held.enter_context(databases())
        cards = make_ledger(ledger, households, keys, cards=4)
        with serving(tmp_path / "studies", ledger, households, keys) as server:
            yield Served(server, ledger, cards, (households, keys))


@contextmanager
def databases() -> Iterator[tuple[str, str]]:
    """Two empty databases of a private PostgreSQL."""
    if reason := why_not():
        pytest.skip(reason)
    with cluster() as address:
        with psycopg.connect(address.format("postgres"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE desk")
            connection.execute("CREATE DATABASE desk_households")
        yield address.format("desk"), address.format("desk_households")


@pytest.fixture
def browsers(chromium: Any, desk: Served) -> Iterator[Browsers]:
    found = Browsers(chromium, desk.server)
    yield found
    found.close()


def said(page: Any, word: str) -> Any:
    """Wait for the large yes or no."""
    verdict = page.locator(".verdict", has_text=word)
    verdict.wait_for()
    return verdict


def test_a_hand_over_takes_a_scan_and_one_tap_and_a_second_claim_elsewhere_is_refused(
    desk: Served, browsers: Browsers
) -> None:
    first, second = browsers.device("desk-1"), browsers.device("desk-2")
    scan(first, desk.cards[0])
    assert "5 kg Rice" in said(first, "Yes").inner_text()
    assert violations(first) == []
    scan(second, desk.cards[0])
    said(second, "Yes")
    first.locator("#give").click()
    said(first, "Handed over")
    second.locator("#give").click()
    assert "has had its share" in said(second, "No").inner_text()
    scan(second, desk.cards[0])
    assert "has had its share" in said(second, "No").inner_text()
    assert desk.handed() == SHARE
    assert desk.handed("kit") == 1
    desk.proven()


def test_the_card_again_confirms_and_another_card_does_not(desk: Served, browsers: Browsers) -> None:
    page = browsers.device()
    scan(page, desk.cards[0])
    said(page, "Yes")
    page.get_by_role("button", name="Less Rice").click()
    scan(page, desk.cards[1], "#again")
    page.wait_for_timeout(200)
    said(page, "Yes")
    assert desk.handed() == 0
    for _ in range(2):
        page.get_by_role("button", name="Less Rice").click()
    scan(page, desk.cards[1].lower().replace("-", ""), "#again")
    assert "3 kg Rice" in said(page, "Handed over").inner_text()
    assert desk.handed() == 3_000
    page.locator("#card").fill("4J7K-NO-CARD")
    page.keyboard.press("Enter")
    assert "a sign is wrong" in said(page, "This is no card").inner_text()


@pytest.mark.parametrize("desk", ["sqlite", "postgresql"], indirect=True)
def test_hand_overs_go_on_without_a_connection_and_count_once_when_it_is_back(desk: Served, browsers: Browsers) -> None:
    away, other = browsers.device("desk-1"), browsers.device("desk-2")
    away.goto(desk.server.address + "/aid#/away")
    away.get_by_label("Item").select_option("rice")
    away.get_by_label("Quantity").fill("20")
    away.get_by_label("Unit").select_option("kg")
    away.get_by_role("button", name="Take along").click()
    away.get_by_text("4 households are on its list.").wait_for()
    scan_at = desk.server.address + "/aid#/give"
    away.goto(scan_at)
    away.evaluate("navigator.serviceWorker.ready.then(() => true)")
    scan(other, desk.cards[0])
    assert "on the list of another desk" in said(other, "No").inner_text()

    away.context.set_offline(True)
    for card in desk.cards[:2]:
        scan(away, card)
        said(away, "Yes")
        away.locator("#give").click()
        assert "Kept on this device" in said(away, "Handed over").inner_text()
    away.reload()
    away.get_by_text("2 hand-overs wait on this device.").wait_for()
    scan(away, desk.cards[0])
    assert "has had what this desk can give it" in said(away, "No").inner_text()
    assert violations(away) == []
    assert desk.handed() == 0

    # The connection is back for what is sent and gone before the answer: it is sent again, and counts once.
    lost: list[int] = []

    def lose(route: Any) -> None:
        if lost:
            route.continue_()
            return
        lost.append(route.fetch().status)
        route.abort()

    away.context.route("**/api/aid/journals", lose)
    away.context.set_offline(False)
    away.get_by_text("Everything from this device is in the ledger.").wait_for()
    assert lost == [200]
    assert desk.handed() == 2 * SHARE
    scan(away, desk.cards[2])
    said(away, "Yes")
    away.locator("#give").click()
    said(away, "Handed over")
    for _ in range(100):
        if desk.handed() == 3 * SHARE:
            break
        away.wait_for_timeout(100)
    away.get_by_text("Everything from this device is in the ledger.").wait_for()
    away.goto(desk.server.address + "/aid#/away")
    away.get_by_role("button", name="Give back and erase").click()
    away.get_by_text("List and journal are erased from this device.").wait_for()
    scan(other, desk.cards[3])
    said(other, "Yes")
    assert desk.handed() == 3 * SHARE
    desk.proven()


PAGES = {
    "coordinator": "give enrol cards intake stock transfers requests sharing count conflicts away record files "
    "staff place",
    "desk": "give enrol cards stock requests conflicts away record files place",
    "viewer": "stock requests record files place",
}


def test_each_role_sees_its_pages_and_all_of_them_are_accessible_on_a_phone(desk: Served, browsers: Browsers) -> None:
    phone = {"viewport": {"width": 360, "height": 740}}
    for code, role in (("boss-1", "coordinator"), ("desk-1", "desk"), ("view-1", "viewer")):
        page = browsers.device(code, **phone)
        shown = page.eval_on_selector_all("nav a", "all => all.map(one => one.hash.slice(2))")
        assert shown == PAGES[role].split()
        for name in shown if role == "coordinator" else ():
            page.goto(f"{desk.server.address}/aid#/{name}")
            page.locator(f'nav a[aria-current][href="#/{name}"]').wait_for()
            page.locator("main h1").wait_for()
            assert violations(page) == [], name
            assert page.evaluate("document.documentElement.scrollWidth") == 360, name


def test_a_hand_over_by_keyboard_alone_right_to_left_in_the_dark_is_confirmed_by_a_witness(
    desk: Served, browsers: Browsers
) -> None:
    page = browsers.device("desk-1", locale="fa-IR", color_scheme="dark", viewport={"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.dir") == "rtl"
    page.keyboard.insert_text(desk.cards[0])  # the field has the focus
    page.keyboard.press("Enter")
    verdict = said(page, "بله")
    sign, text = verdict.locator(".sign").bounding_box(), verdict.locator(".word").bounding_box()
    assert sign["x"] > text["x"]
    assert violations(page) == []

    def tab_to(selector: str) -> None:
        for _ in range(20):
            if page.evaluate("wanted => document.activeElement.matches(wanted)", selector):
                return
            page.keyboard.press("Tab")
        raise AssertionError(selector)

    tab_to("summary")
    page.keyboard.press("Enter")
    tab_to("#witness")
    page.keyboard.insert_text("desk-2")
    tab_to("#witness-password")
    page.keyboard.insert_text(WORDS)
    page.keyboard.press("Enter")
    said(page, "تحویل شد")
    assert desk.handed() == SHARE


def test_what_a_centre_asks_for_is_shared_approved_sent_and_counted(desk: Served, browsers: Browsers) -> None:
    page = browsers.device("boss-1")

    def go(name: str) -> None:
        page.goto(f"{desk.server.address}/aid#/{name}")
        page.locator(f'nav a[aria-current][href="#/{name}"]').wait_for()

    go("intake")
    page.get_by_label("Site", exact=True).select_option("hub")
    page.get_by_label("Quantity").fill("2")
    page.get_by_label("Unit").select_option("sack")
    page.get_by_role("button", name="Take in").click()
    page.get_by_text("Lots for the labels:").wait_for()
    go("requests")
    page.get_by_label("Site", exact=True).select_option("south")
    page.get_by_label("Quantity").fill("30")
    page.get_by_label("Unit").select_option("kg")
    page.get_by_role("button", name="Ask").click()
    page.get_by_text("Done.").wait_for()
    go("sharing")
    page.get_by_role("button", name="Propose").click()
    page.get_by_text("No other sharing is fairer: proven.").wait_for()
    assert violations(page) == []
    assert "30 kg" in page.get_by_role("region", name="Journeys of").inner_text()
    page.get_by_role("button", name="Approve").click()
    page.get_by_role("cell", name="approved").wait_for()
    go("transfers")
    page.get_by_label("From").select_option("hub")
    page.get_by_label("To", exact=True).select_option("south")
    page.get_by_label("Quantity").fill("10")
    page.get_by_label("Unit").select_option("kg")
    page.get_by_role("button", name="Send").click()
    page.get_by_label("Damaged, g").fill("1000")
    page.get_by_label("Arrived in good state, g").fill("9000")
    page.get_by_role("button", name="It has arrived").click()
    page.get_by_text("Nothing is on the way.").wait_for()
    go("stock")
    page.get_by_label("Site", exact=True).select_option("south")
    page.get_by_role("cell", name="9 kg").first.wait_for()
    go("count")
    page.get_by_label("Counted, g").fill("94000")
    page.get_by_role("button", name="Keep the count").click()
    page.get_by_text("Done.").wait_for()
    go("record")
    page.get_by_role("button", name="Prove the ledger").click()
    page.get_by_text("nothing is wrong").wait_for()
    desk.proven()


def test_an_answer_that_is_lost_is_asked_for_again_and_counts_once(desk: Served, browsers: Browsers) -> None:
    page = browsers.device("boss-1")
    lost: list[int] = []

    def lose(route: Any) -> None:
        if lost:
            route.continue_()
            return
        lost.append(route.fetch().status)
        route.abort()

    page.route("**/api/aid/cards/hand-over*", lose)
    scan(page, desk.cards[0])
    said(page, "Yes")
    page.locator("#give").click()
    said(page, "Not confirmed yet")
    assert "confirmed after all" in said(page, "Handed over").inner_text()
    assert lost == [200]
    assert desk.handed() == SHARE
    page.locator("#undo").click()
    said(page, "Taken back")
    assert desk.handed() == 0
    desk.proven()


def test_a_card_before_the_camera_is_read(desk: Served, playwright: Any, tmp_path: Path) -> None:
    film = tmp_path / "card.mjpeg"
    with io.BytesIO() as code, io.BytesIO() as picture:
        segno.make_qr(desk.cards[0], error="q").save(code, kind="png", scale=8, border=8)
        whole = Image.new("RGB", (640, 480), "white")
        whole.paste(Image.open(code).convert("RGB"), (130, 40))
        whole.save(picture, "jpeg", quality=95)
        film.write_bytes(picture.getvalue())
    fake = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
    browser = launch(playwright, *fake, f"--use-file-for-fake-video-capture={film}")
    browsers = Browsers(browser, desk.server)
    page = browsers.device("desk-1", permissions=["camera"])
    page.get_by_role("button", name="Use the camera").click()
    assert "5 kg Rice" in said(page, "Yes").inner_text()
    browsers.close()
    browser.close()
