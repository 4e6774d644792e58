"""From a ledger's needs and stock to a proposal, and from a person's approval to reservations, on both databases."""

from __future__ import annotations

import itertools
import threading
from datetime import date
from typing import Any

import pytest

from nearer.aid import commands as c
from nearer.aid.audit import audit
from nearer.aid.desk import sharing
from nearer.aid.refusals import RefusedError
from nearer.aid.sharing.build import Wish
from nearer.aid.sharing.needs import open_requests
from nearer.aid.sharing.propose import Draft, decisions_of, draft, proposal_of
from nearer.aid.sharing.state import read_state
from nearer.aid.store import Store, sql_of

from ..conftest import NewPlace
from ..town import Desk, Ticking, every_command, store_size, wanted

TODAY = date(2026, 3, 2)


def propose(desk: Desk, **wish: Any) -> tuple[str, Draft]:
    made = draft(desk.store, Wish(TODAY, **wish))
    return str(desk.do(made.command)["proposal"]), made


def still_open(desk: Desk) -> dict[str, int]:
    with desk.store.reading() as connection:
        sql = sql_of(connection)
        return {line.request: line.open for line in open_requests(sql, read_state(sql))}


def test_a_request_is_met_by_what_is_promised_after_it_and_by_nothing_before(town: Desk) -> None:
    town.give(item="rice", quantity=10_000)
    town.do(c.Send(site="hub", to="north", lines=wanted(rice=1_000)))
    first = town.do(c.Ask(site="north", lines=wanted(rice=5_000)))["request"]
    sooner = town.do(c.Ask(site="north", lines=wanted(rice=2_000), needed_by="2026-03-04"))["request"]
    assert still_open(town) == {first: 5_000, sooner: 2_000}
    held = town.do(c.Reserve(site="hub", lines=wanted(rice=3_000), for_site="north"))["reservation"]
    assert still_open(town) == {first: 4_000}
    sent = town.do(c.Send(site="hub", to="north", reservation=held))
    assert still_open(town) == {first: 4_000}
    lot = sent["lines"][0]["lot"]
    town.do(c.Arrive(shipment=sent["shipment"], lines=(c.Arrived(lot=lot, good=2_500, damaged=100),)))
    assert still_open(town) == {first: 4_500}
    town.do(c.CloseRequest(request=first, outcome="withdrawn"))
    assert still_open(town) == {}


def test_the_ledger_is_read_as_it_was_after_any_transaction(town: Desk) -> None:
    seen = []
    do = town.do

    def watched(command: c.Command, **more: Any) -> dict[str, Any]:
        answer = do(command, **more)
        with town.store.reading() as connection:
            seen.append(read_state(sql_of(connection)))
        return answer

    town.do = watched  # type: ignore[method-assign]
    every_command(town)
    with town.store.reading() as connection:
        for state in seen[::7]:
            assert read_state(sql_of(connection), state.as_of) == state


def test_what_is_approved_is_set_aside_where_it_lies_for_where_it_goes(town: Desk) -> None:
    lot = town.give(item="rice", quantity=9_000)
    town.do(c.Ask(site="north", lines=wanted(rice=8_000)))
    town.do(c.Ask(site="south", lines=wanted(rice=4_000)))
    name, made = propose(town)
    assert {share.site: share.given for share in made.command.shares} == {"north": 6_000, "south": 3_000}
    assert all(share.because for share in made.command.shares)
    assert town.held() == {lot: 9_000}
    line = next(n for n, line in enumerate(made.command.lines, start=1) if line.to == "south")
    answer = town.do(c.Approve(proposal=name, without=(line,)))
    assert town.held() == {lot: 3_000}
    assert town.held("RESERVED", "hub") == {lot: 6_000}
    assert sorted(still_open(town).values()) == [2_000, 4_000]
    town.do(c.Send(site="hub", to="north", reservation=answer["loads"][0]["reservation"]))
    (row,) = decisions_of(town.store)
    assert (row["decision"], row["decided_by"], row["set_aside"], row["lines"]) == ("approved", "staff-1", 1, 2)
    town.proven()


def test_shares_are_those_of_trying_all_divisions(town: Desk) -> None:
    """Five packs of a kilogram for wishes of different size: no division has higher sorted rates."""
    town.do(c.MeasureItem(item="rice", milligrams=1_000, pack="kg"))
    for stock, north, south in ((5, 7, 3), (4, 3, 3), (6, 2, 9), (3, 5, 1)):
        lot = town.give(item="rice", quantity=stock * 1_000)
        asked = [town.do(c.Ask(site=at, lines=wanted(rice=1_000 * n)))["request"] for at, n in
                 (("north", north), ("south", south))]  # fmt: skip
        _, made = propose(town)
        got = {share.site: share.given for share in made.command.shares}
        best = max(
            sorted((min(a, north) / north, min(b, south) / south))
            for a, b in itertools.product(range(stock + 1), repeat=2)
            if a + b <= stock
        )
        assert sorted((got["north"] / north / 1_000, got["south"] / south / 1_000)) == pytest.approx(best)
        for request in asked:
            town.do(c.CloseRequest(request=request, outcome="withdrawn"))
        town.do(c.Lose(site="hub", lines=(c.LotAmount(lot=lot, quantity=stock * 1_000),), reason="other"))


def test_of_two_proposals_that_count_on_the_same_goods_one_is_refused_and_says_which_line(town: Desk) -> None:
    town.give(item="rice", quantity=9_000)
    town.do(c.Ask(site="north", lines=wanted(rice=8_000)))
    (first, _), (second, _) = propose(town), propose(town)
    town.do(c.Approve(proposal=first))
    with pytest.raises(RefusedError, match=r"line 1: hub has 1000 of L[0-9]+-1 free, not 8000"):
        town.do(c.Approve(proposal=second))
    with pytest.raises(RefusedError, match=f"{first} was approved already"):
        town.do(c.Approve(proposal=first))
    town.do(c.Decline(proposal=second, reason="out-of-date"))
    town.proven()


def test_of_approvals_at_the_same_moment_one_wins(place: str) -> None:
    with Store(place, clock=Ticking()) as store:
        desk = Desk(store)
        desk.give(item="rice", quantity=9_000)
        desk.do(c.Ask(site="north", lines=wanted(rice=8_000)))
        names = [propose(desk)[0] for _ in range(4)]
    told: list[str] = []
    barrier = threading.Barrier(len(names))

    def approve(name: str) -> None:
        with Store(place) as mine:
            barrier.wait()
            try:
                mine.do(c.Approve(proposal=name), id=f"approve-{name}", actor="staff-2")
                told.append("approved")
            except RefusedError as error:
                told.append("refused" if "free, not 8000" in str(error) else str(error))

    threads = [threading.Thread(target=approve, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told) == ["approved", "refused", "refused", "refused"]
    with Store(place) as store:
        assert audit(store).holds


def test_an_approval_without_its_stock_its_site_or_its_day_is_refused(town: Desk) -> None:
    lot = town.give(item="rice", quantity=9_000, use_by="2026-03-20")
    town.do(c.Ask(site="north", lines=wanted(rice=8_000)))
    name, _ = propose(town)
    size = store_size(town.store)
    town.do(c.SetSiteState(site="north", state="closed", reason="flood"))
    with pytest.raises(RefusedError, match="line 1: north is closed"):
        town.do(c.Approve(proposal=name))
    town.do(c.SetSiteState(site="north", state="open"))
    town.do(c.Recall(lot=lot, reason="maker"))
    with pytest.raises(RefusedError, match=f"line 1: {lot} is recalled"):
        town.do(c.Approve(proposal=name))
    assert store_size(town.store) == size + 3


def test_a_crisis_moves_stock_off_the_closed_site_and_its_need_to_who_takes_over(town: Desk) -> None:
    town.do(c.AddSite(site="east", name="Centre east"))
    ways = [("hub", "south", 600), ("hub", "east", 900), ("north", "south", 600), ("north", "east", 1_200)]
    town.do(c.SetWays(lines=tuple(c.Way(origin=a, to=b, seconds=s) for a, b, s in ways)))
    stranded = town.give("north", item="rice", quantity=3_000)
    town.give(item="rice", quantity=6_000)
    town.do(c.Ask(site="north", lines=wanted(rice=9_000)))
    town.do(c.Ask(site="south", lines=wanted(rice=2_000)))
    name, made = propose(town, rebalance=True, closing={"north": "flood"}, surges={"south": 1_500})
    kept = proposal_of(town.store, name)
    assert {row["to"]: row["per_mille"] for row in kept["takeovers"]} == {"south": 667, "east": 333}
    asked = {share.site: share.asked for share in made.command.shares}
    assert asked == {"south": 6_003 + 3_000, "east": 2_997}
    assert {line.origin for line in made.command.lines} == {"hub", "north"}
    assert town.do(c.Approve(proposal=name))["closed"] == ["north"]
    assert town.held("STOCK", "north") == {}
    assert town.held("RESERVED", "north") == {stranded: 3_000}
    with pytest.raises(RefusedError, match="closed"):
        town.do(c.Send(site="hub", to="north", lines=wanted(rice=1)))
    # The next day's need is still that of the crisis, without what is on its way.
    _, later = propose(town)
    assert {share.site for share in later.command.shares} <= {"south", "east"}
    # Of 12,000 asked for 9,000 are on their way; a surge is of what is open, and the south's own request is met.
    assert sum(share.asked for share in later.command.shares) == pytest.approx(12_000 - 9_000 - 1_000, abs=3)
    town.proven()


def test_a_need_that_nobody_takes_over_is_named(town: Desk) -> None:
    town.do(c.SetWays(lines=(c.Way(origin="hub", to="north", seconds=60),)))
    town.do(c.Ask(site="north", lines=wanted(rice=9_000)))
    _, made = propose(town, closing={"north": "fire"})
    assert [share.because for share in made.command.shares] == [
        "north is closed, and no open centre in reach takes over its 9000 rice."
    ]


def test_targets_ask_for_what_is_missing_and_the_minimum_comes_first(town: Desk) -> None:
    town.give(item="rice", quantity=4_000)
    town.give("south", item="rice", quantity=1_000)
    town.do(c.SetTarget(site="south", item="rice", target=9_000, minimum=4_000))
    town.do(c.SetTarget(site="north", item="rice", target=8_000))
    _, made = propose(town)
    shares = {share.site: share for share in made.command.shares}
    assert shares["south"].asked == 8_000
    assert shares["south"].given >= 3_000
    assert shares["south"].given + shares["north"].given == 4_000


def test_the_audit_names_an_approval_that_set_aside_something_else(
    new_place: NewPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = sharing.accounts.reserved
    with Store(new_place(), clock=Ticking()) as store:
        desk = Desk(store)
        desk.give(item="rice", quantity=9_000)
        desk.do(c.Ask(site="north", lines=wanted(rice=8_000)))
        name, _ = propose(desk)
        monkeypatch.setattr(sharing.accounts, "reserved", lambda site, load: real("south", load))
        seq = desk.do(c.Approve(proposal=name))["transaction"]
        monkeypatch.undo()
        report = audit(store)
        assert (report.findings[0].seq, report.findings[0].table) == (seq, "decisions")
