"""The aid desk in a real browser: hand-overs with and without a connection, and the pages around them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import argon2
import pytest

from nearer.aid.households import staff
from nearer.serve.app import STATIC

from .desks import Browsers, Served, make_ledger, scan, serving
from .test_browser import violations

pytestmark = pytest.mark.browser

SHARE = 5_000
"""Grams of rice that a household of four gets; and one kit."""


@pytest.fixture(autouse=True)
def quick_hashing(monkeypatch: pytest.MonkeyPatch) -> None:
    quick = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(staff, "_HASHER", quick)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Served]:
    if not (STATIC / "aid.html").is_file():
        pytest.skip("the pages are not built: run `make web`")
    ledger, households, keys = str(tmp_path / "aid.db"), str(tmp_path / "aid-households.db"), tmp_path / "aid-keys"
    cards = make_ledger(ledger, households, keys, cards=4)
    with serving(tmp_path / "studies", ledger, households, keys) as server:
        yield Served(server, ledger, cards)


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
