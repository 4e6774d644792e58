"""What the roles of a desk need beside handing over: lost cards, requests answered, staff, files, crises."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from .desks import WORDS, Browsers, Served, scan
from .test_browser import violations
from .test_desk_browser import browsers, desk, quick_hashing, said

__all__ = ["browsers", "desk", "quick_hashing"]

pytestmark = pytest.mark.browser


def go(page: Any, desk: Served, name: str) -> None:
    page.goto(f"{desk.server.address}/aid#/{name}")
    page.locator(f'nav a[aria-current][href="#/{name}"]').wait_for()
    page.locator("main h1").wait_for()


def test_a_lost_card_is_replaced_and_the_old_one_is_refused_from_then_on(
    desk: Served, browsers: Browsers, tmp_path: Path
) -> None:
    page = browsers.device("desk-1")
    go(page, desk, "enrol")
    page.get_by_label("People in the household").fill("4")
    page.get_by_role("button", name="Enrol", exact=True).click()
    card, number = (page.locator(".token").nth(k).inner_text() for k in (0, 1))
    go(page, desk, "cards")
    scan(page, number, "#whose")
    page.get_by_text("4 people, Centre north.").wait_for()
    assert violations(page) == []
    page.get_by_role("button", name="Replace the card").click()
    page.get_by_text("The card is replaced.").wait_for()
    new = page.locator(".token").first.inner_text()
    assert new != card
    with page.expect_download() as printed:
        page.get_by_role("button", name="Print the card").click()
    printed.value.save_as(tmp_path / "card.pdf")
    assert (tmp_path / "card.pdf").read_bytes().startswith(b"%PDF")
    go(page, desk, "give")
    scan(page, card)
    assert "may have been replaced or blocked" in said(page, "No").inner_text()
    scan(page, new)
    said(page, "Yes")


def test_a_request_is_answered_from_its_list_and_is_gone(desk: Served, browsers: Browsers) -> None:
    page = browsers.device("boss-1")
    go(page, desk, "requests")
    page.get_by_label("Site", exact=True).select_option("south")
    page.get_by_label("Item").select_option("rice")
    page.get_by_label("Quantity").fill("30")
    page.get_by_label("Unit").select_option("kg")
    page.get_by_role("button", name="Ask", exact=True).click()
    page.get_by_role("link", name="Send Rice to Centre south").click()
    page.locator('nav a[aria-current][href="#/transfers"]').wait_for()
    assert page.get_by_label("To", exact=True).input_value() == "south"
    assert page.get_by_label("Quantity").input_value() == "30"
    assert page.get_by_label("Unit").input_value() == "kg"
    page.get_by_label("From").select_option("north")
    page.get_by_label("Quantity").fill("20")
    page.get_by_role("button", name="Send", exact=True).click()
    page.get_by_role("button", name="It has arrived").wait_for()
    go(page, desk, "requests")
    page.get_by_role("cell", name="10 kg", exact=False).wait_for()
    page.get_by_role("button", name="Not needed any more").click()
    page.get_by_text("Nobody waits for anything.").wait_for()
    go(page, desk, "stock")
    first = page.locator("table").nth(1).locator("tbody tr").first.inner_text()
    assert "sent" in first
    assert "80 kg" in first  # what was there then


def test_a_coordinator_adds_staff_takes_files_away_and_acts_in_a_crisis(desk: Served, browsers: Browsers) -> None:
    page = browsers.device("boss-1")
    go(page, desk, "staff")
    page.get_by_text("signed in").first.wait_for()
    page.locator("summary", has_text="Somebody new").click()
    form = page.get_by_role("form", name="Somebody new")
    form.get_by_label("Staff code").fill("stock-9")
    form.get_by_label("Role").select_option("stock")
    form.get_by_label("Password").fill(WORDS)
    form.get_by_role("button", name="Add").click()
    page.get_by_role("cell", name="stock-9").wait_for()
    assert violations(page) == []
    browsers.device("stock-9")
    go(page, desk, "files")
    with page.expect_download() as taken:
        page.get_by_role("link", name="What is where, CSV").click()
    assert "rice" in taken.value.path().read_text(encoding="utf-8")
    page.get_by_role("button", name="Sign the head").click()
    page.get_by_text("without a key that signs heads").wait_for()
    go(page, desk, "sharing")
    page.locator("summary", has_text="What fairness costs").click()
    page.get_by_role("button", name="Find out").wait_for()
    page.locator("summary", has_text="A crisis").click()
    page.get_by_role("group", name="Centre north").get_by_label("Is out because").select_option("flood")
    page.get_by_role("button", name="Propose what to do").click()
    page.get_by_text("Centre north is closed.").wait_for()
    assert violations(page) == []


def test_what_the_ledger_refuses_is_said_in_the_readers_language(desk: Served, browsers: Browsers) -> None:
    for locale, wanted in (
        ("es-ES", "tiene 100.000 rice para esto, no 500.000"),
        ("fa-IR", "برای این ۱۰۰٬۰۰۰ rice دارد"),
    ):
        page = browsers.device("boss-1", locale=locale)
        go(page, desk, "transfers")
        page.locator("#f-site").select_option("north")
        page.locator("#f-to").select_option("south")
        page.locator("#f-item-1").select_option("rice")
        page.locator("#f-quantity-1").fill("500")
        page.locator("#f-unit-1").select_option("kg")
        page.locator("form.command button.primary").last.click()
        page.locator(".said small").wait_for()
        said = page.locator(".said small")
        text = said.inner_text().translate({0x2068: None, 0x2069: None})
        assert wanted in text, text
        assert said.get_attribute("lang") == locale[:2]
        assert violations(page) == []
