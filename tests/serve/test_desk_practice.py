"""Somebody who has never seen it hands over a parcel; and a week at a desk, on a phone, with a bad connection."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from nearer.aid.clock import now
from nearer.aid.demo.practice import DAYS, practice
from nearer.errors import UsageError
from nearer.language import catalogue
from nearer.serve.app import STATIC, create_app
from nearer.serve.desk import Desk
from nearer.serve.running import Ledger, run_server

from .conftest import Server, served
from .desks import Browsers, Served, scan
from .test_browser import violations
from .test_desk_browser import SHARE, browsers, desk, quick_hashing, said
from .test_desk_roles import go

__all__ = ["browsers", "desk", "quick_hashing"]


def test_the_practice_ledger_stays_until_its_promise_is_over(tmp_path: Path) -> None:
    first = practice(tmp_path / "practice")
    assert practice(tmp_path / "practice") == first
    (tmp_path / "practice" / "mine").write_text("of the old one", encoding="utf-8")
    later = practice(tmp_path / "practice", lambda: now() + timedelta(days=DAYS + 1))
    assert later.cards != first.cards
    assert not (tmp_path / "practice" / "mine").exists()
    with pytest.raises(UsageError, match="not both"):
        run_server(
            tmp_path, host="127.0.0.1", port=0, workers=1, open_page=False, say=print, note=print,
            ledger=Ledger("aid.db", "desk"), practice=True,
        )  # fmt: skip


@pytest.fixture
def playground(tmp_path: Path) -> Iterator[Server]:
    if not (STATIC / "aid.html").is_file():
        pytest.skip("the pages are not built: run `make web`")
    made = practice(tmp_path / "practice")
    desk = Desk(str(made.ledger), by="practice", households=str(made.households), keys=made.keys, practice=made.cards)
    with served(create_app(tmp_path / "studies", desk=desk)) as address:
        yield Server(address, tmp_path)


@pytest.mark.browser
def test_a_newcomer_hands_over_a_parcel_without_reading_anything_and_then_without_a_connection(
    chromium: Any, playground: Server
) -> None:
    found = Browsers(chromium, playground)
    page = found.device(None, place=False, path="/", viewport={"width": 360, "height": 740})
    page.get_by_role("link", name="Aid desk").click()
    page.get_by_text("nothing here is real").wait_for()
    page.get_by_role("button", name="Household of 4").click()
    assert "5 kg Rice" in said(page, "Yes").inner_text()
    assert violations(page) == []
    page.locator("#give").click()
    said(page, "Handed over")
    page.get_by_role("button", name="A card that was lost").click()
    assert "replaced or blocked" in said(page, "No").inner_text()
    assert violations(page) == []
    page.get_by_role("link", name="Away").click()
    page.get_by_label("Quantity").fill("2")
    assert page.get_by_label("Unit").input_value() == "sack"
    page.get_by_role("button", name="Take along").click()
    page.get_by_text("households are on its list.").wait_for()
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    page.context.set_offline(True)
    page.get_by_role("link", name="Hand over").click()
    page.get_by_role("button", name="Household of 6").click()
    said(page, "Yes")
    page.locator("#give").click()
    assert "Kept on this device" in said(page, "Handed over").inner_text()
    page.context.set_offline(False)
    page.get_by_text("Everything from this device is in the ledger.").wait_for()
    found.close()


@pytest.mark.parametrize("language", ["es", "fa"])
def test_every_name_of_the_practice_ledger_is_in_the_catalogues(tmp_path: Path, language: str) -> None:
    made, known = practice(tmp_path / "practice"), catalogue(language, "pages")
    asked = (
        "SELECT name FROM sites UNION SELECT name FROM items UNION SELECT unit FROM items"
        " UNION SELECT unit FROM item_units UNION SELECT name FROM programmes UNION SELECT organisation FROM parties"
    )
    with closing(sqlite3.connect(made.ledger)) as ledger:
        names = {str(row[0]) for row in ledger.execute(asked)}
    assert {"Rice", "sack", "Market hall", "The old mill"} <= names
    assert names - known.keys() == set()


@pytest.mark.browser
def test_the_practice_desk_speaks_the_readers_language_down_to_its_goods(chromium: Any, playground: Server) -> None:
    found = Browsers(chromium, playground)
    page = found.device(None, place=False, path="/aid", locale="fa-IR", viewport={"width": 360, "height": 740})
    page.get_by_text("بندر · نیازهای پایه").wait_for()
    page.locator(".practice-cards button").first.click()
    page.locator(".verdict.yes").wait_for()
    text = page.locator("#page").inner_text()
    assert "۵ کیلوگرم برنج" in text.replace("\u2068", "").replace("\u2069", "")
    assert [name for name in ("Rice", "Beans", "Soap", "kg", "piece", "Harbour", "Basics") if name in text] == []
    found.close()


@pytest.mark.browser
@pytest.mark.parametrize("desk", ["sqlite", "postgresql"], indirect=True)
def test_a_week_at_the_desk_on_a_phone_with_a_slow_and_broken_connection(desk: Served, browsers: Browsers) -> None:
    phone = browsers.device("desk-1", viewport={"width": 360, "height": 740})
    other = browsers.device("desk-2")
    slow = phone.context.new_cdp_session(phone)
    slow.send("Network.enable")
    line = {"offline": False, "latency": 300, "downloadThroughput": 50_000, "uploadThroughput": 20_000}
    slow.send("Network.emulateNetworkConditions", line)

    # Monday: two desks look at the same card and both tap; one gives, the other is told no.
    for page in (phone, other):
        scan(page, desk.cards[0])
        said(page, "Yes")
    phone.evaluate("document.querySelector('#give').click()")
    other.evaluate("document.querySelector('#give').click()")
    words = []
    for page in (phone, other):
        page.locator(".last, .verdict.no").first.wait_for()
        words.append(page.locator(".verdict .word").first.inner_text())
    assert sorted(words) == ["Handed over", "No"]
    assert desk.handed() == SHARE

    # Tuesday, by keyboard alone: the card again confirms. The connection is cut before the request leaves.
    phone.locator("#card").focus()
    phone.keyboard.insert_text(desk.cards[1])
    phone.keyboard.press("Enter")
    said(phone, "Yes")
    slow.send("Network.emulateNetworkConditions", {**line, "offline": True})
    phone.keyboard.insert_text(desk.cards[1])
    phone.keyboard.press("Enter")
    said(phone, "Not confirmed yet")
    assert desk.handed() == SHARE
    slow.send("Network.emulateNetworkConditions", line)
    assert "confirmed after all" in said(phone, "Handed over").inner_text()
    assert desk.handed() == 2 * SHARE

    # Wednesday: away, and cut off between two hand-overs; Thursday: back, and the journal goes in by itself.
    go(phone, desk, "away")
    phone.get_by_label("Item").select_option("rice")
    phone.get_by_label("Quantity").fill("20")
    phone.get_by_label("Unit").select_option("kg")
    phone.get_by_role("button", name="Take along").click()
    phone.get_by_text("households are on its list.").wait_for()
    go(phone, desk, "give")
    phone.evaluate("navigator.serviceWorker.ready.then(() => true)")
    for card in desk.cards[2:4]:
        scan(phone, card)
        said(phone, "Yes")
        phone.locator("#give").click()
        said(phone, "Handed over")
        phone.context.set_offline(True)
    assert violations(phone) == []
    phone.context.set_offline(False)
    phone.get_by_text("Everything from this device is in the ledger.").wait_for()
    go(phone, desk, "away")
    phone.get_by_role("button", name="Give back and erase").click()
    phone.get_by_text("List and journal are erased from this device.").wait_for()
    assert desk.handed() == 4 * SHARE

    # Friday: what is there is counted, and the ledger proven.
    boss = browsers.device("boss-1")
    go(boss, desk, "count")
    boss.get_by_label("Counted, g").fill("80000")
    boss.get_by_role("button", name="Keep the count").click()
    boss.get_by_text("Done.").wait_for()
    go(boss, desk, "record")
    boss.get_by_role("button", name="Prove the ledger").click()
    boss.get_by_text("nothing is wrong").wait_for()
    desk.proven()
