"""Without a connection: emergencies, witnesses and PINs as the ledger's rules allow, resolved by a coordinator."""

from __future__ import annotations

from typing import Any

import pytest

from nearer.aid.households import book as b
from nearer.aid.households.staff import hash_of_pin
from nearer.aid.store import Store

from .desks import WORDS, Browsers, Served, scan
from .test_browser import violations
from .test_desk_browser import SHARE, browsers, desk, quick_hashing, said
from .test_desk_roles import go

__all__ = ["browsers", "desk", "quick_hashing"]

pytestmark = pytest.mark.browser


def take_along(page: Any, desk: Served, kilograms: int) -> None:
    go(page, desk, "away")
    page.get_by_label("Item").select_option("rice")
    page.get_by_label("Quantity").fill(str(kilograms))
    page.get_by_label("Unit").select_option("kg")
    page.get_by_role("button", name="Take along").click()
    page.get_by_text("households are on its list.").wait_for()


def until_handed(page: Any, desk: Served, grams: int) -> None:
    for _ in range(100):
        if desk.handed() == grams:
            return
        page.wait_for_timeout(100)
    raise AssertionError(desk.handed())


def rows_of(desk: Served, statement: str) -> list[Any]:
    with Store(desk.ledger) as store, store.reading() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(statement)]


def test_an_unlisted_card_is_served_once_in_an_emergency_and_a_coordinator_resolves_it(
    desk: Served, browsers: Browsers
) -> None:
    page = browsers.device("desk-1")
    take_along(page, desk, 7)
    people = desk.households()
    with people:
        late = b.enrol(people, size=4, home="south", language="en", by="desk-1")[1]
    go(page, desk, "give")
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    page.context.set_offline(True)
    scan(page, late)
    said(page, "No connection.")
    page.locator("summary", has_text="An emergency").click()
    page.get_by_label("People in the household").fill("4")
    assert violations(page) == []
    page.get_by_role("button", name="Serve it once").click()
    assert "5 kg Rice" in said(page, "Yes").inner_text()
    page.locator("#give").click()
    assert "with a flag for a coordinator" in said(page, "Handed over").inner_text()
    scan(page, late)
    assert "in an emergency it is served once" in said(page, "No").inner_text()
    # Two kilograms are left of what was taken along: what is missing is given from what is at hand, and flagged.
    scan(page, desk.cards[0])
    assert "2 kg Rice" in said(page, "Yes").inner_text()
    page.locator("#give").click()
    said(page, "Handed over")
    scan(page, desk.cards[1])
    said(page, "No")
    page.locator("summary", has_text="An emergency").click()
    page.get_by_role("button", name="Give what is at hand").click()
    assert "5 kg Rice" in said(page, "Yes").inner_text()
    page.locator("#give").click()
    said(page, "Handed over")
    page.get_by_text("3 hand-overs wait on this device.").wait_for()
    page.context.set_offline(False)
    page.get_by_text("Everything from this device is in the ledger.").wait_for()
    page.get_by_text("In step").wait_for()
    until_handed(page, desk, 2 * SHARE + 2_000)
    boss = browsers.device("boss-1")
    go(boss, desk, "conflicts")
    boss.get_by_text("A card that was not on the list").wait_for()
    boss.get_by_text("More goods than the books had").first.wait_for()
    assert violations(boss) == []
    while boss.get_by_role("button", name="Resolve").count():
        before = boss.get_by_role("button", name="Resolve").count()
        boss.get_by_role("button", name="Resolve").first.click()
        boss.wait_for_function("n => document.querySelectorAll('form.command').length < n", arg=before)
    boss.get_by_text("Nothing is open.").wait_for()
    assert len(rows_of(desk, "SELECT * FROM resolutions")) >= 2
    desk.proven()


def test_a_witness_confirms_without_a_connection_and_stands_in_the_ledger_and_a_pin_waits_for_one(
    desk: Served, browsers: Browsers
) -> None:
    people = desk.households()
    with people:
        card = b.enrol(people, size=4, home="north", language="en", pin_hash=hash_of_pin("4711"), by="desk-1")[1]
    page = browsers.device("desk-1")
    take_along(page, desk, 20)
    page.locator("summary", has_text="Another witness").click()
    page.get_by_label("Staff code of a second person").fill("desk-2")
    page.get_by_label("Their password").fill(WORDS)
    page.get_by_role("button", name="Know them here").click()
    page.get_by_text("desk-2", exact=True).wait_for()
    assert violations(page) == []
    go(page, desk, "give")
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    page.context.set_offline(True)
    scan(page, desk.cards[0])
    said(page, "Yes")
    page.locator("summary", has_text="Confirm in another way").click()
    page.locator("#pin").fill("4711")
    page.get_by_role("button", name="Hand over with the PIN").click()
    page.get_by_text("A PIN can be checked with a connection only").wait_for()
    for password, answer in (("the wrong words here", "do not go together"), (WORDS, "Handed over")):
        page.locator("#witness").fill("desk-2")
        page.locator("#witness-password").fill(password)
        page.get_by_role("button", name="Hand over with a witness").click()
        page.get_by_text(answer).first.wait_for()
    page.context.set_offline(False)
    until_handed(page, desk, SHARE)
    assert rows_of(desk, "SELECT staff FROM witnesses") == [("desk-2",)]
    scan(page, card)
    said(page, "Yes")
    page.locator("summary", has_text="Confirm in another way").click()
    page.locator("#pin").fill("1234")
    page.get_by_role("button", name="Hand over with the PIN").click()
    page.get_by_text("The PIN is wrong").wait_for()
    page.locator("#pin").fill("4711")
    page.get_by_role("button", name="Hand over with the PIN").click()
    said(page, "Handed over")
    until_handed(page, desk, 2 * SHARE)
    assert sorted(rows_of(desk, "SELECT proof FROM handovers")) == [("pin",), ("witness",)]
    go(page, desk, "away")
    page.get_by_role("button", name="Give back and erase").click()
    page.get_by_text("List and journal are erased from this device.").wait_for()
    kept = page.evaluate(
        "new Promise(done => { const asked = indexedDB.open('nearer-desk'); asked.onsuccess = () => {"
        "const all = asked.result.transaction(['lease', 'journal', 'witnesses']);"
        "Promise.all(['lease', 'journal', 'witnesses'].map(name => new Promise(one => {"
        "const count = all.objectStore(name).count(); count.onsuccess = () => one(count.result); }))).then(done); } })"
    )
    assert kept == [0, 0, 0]
    desk.proven()
