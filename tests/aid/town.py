"""A small town to try the ledger on, and a desk that numbers its commands."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

from nearer.aid import commands as c
from nearer.aid.audit import audit
from nearer.aid.store import Store
from nearer.aid.views import balances_of

LEDGER = "00000000-0000-4000-8000-000000000001"
START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


class Ticking:
    """A clock that goes on by a second each time it is looked at."""

    def __init__(self, start: datetime = START) -> None:
        self.now = start

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


def tag(number: int) -> str:
    """The opaque tag of a household."""
    return f"{number:032x}"


def wanted(**amounts: int) -> tuple[c.Wanted, ...]:
    """So much of each item, in base units."""
    return tuple(c.Wanted(item=item, quantity=amount) for item, amount in amounts.items())


def store_size(store: Store) -> int:
    """Transactions so far."""
    with store.reading() as connection:
        return int(connection.exec_driver_sql("SELECT seq FROM head").scalar_one())


class Desk:
    """Sends commands with ids of their own."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._numbers = itertools.count(store_size(store) + 1)

    def do(self, command: c.Command, *, id: str | None = None, at: datetime | None = None) -> dict[str, Any]:
        if at is not None and isinstance(clock := self.store._clock, Ticking):
            clock.now = max(clock.now, at)  # time has passed
        return self.store.do(command, id=id or f"command-{next(self._numbers):06d}", actor="staff-1", at=at)

    def set_up(self) -> None:
        for command in TOWN:
            self.do(command)

    def give(self, site: str = "hub", giver: str = "mill", **gift: Any) -> str:
        """A gift of one lot; its code."""
        answer = self.do(c.Receive(site=site, giver=giver, lines=(c.Gift(**gift),)))
        return str(answer["lots"][0]["lot"])

    def held(self, kind: str = "STOCK", site: str | None = None) -> dict[str, int]:
        """Lot → quantity."""
        found: dict[str, int] = {}
        for row in balances_of(self.store, kind=kind, site=site):
            found[row["lot"]] = found.get(row["lot"], 0) + row["quantity"]
        return found

    def proven(self) -> None:
        """The audit finds nothing."""
        report = audit(self.store)
        assert report.holds, report.findings


TOWN: tuple[c.Command, ...] = (
    c.AddSite(site="hub", name="Central hub", type="hub", time_zone="Europe/Vaduz"),
    c.AddSite(site="north", name="Centre north", time_zone="Europe/Vaduz"),
    c.AddSite(site="south", name="Centre south", time_zone="America/Sao_Paulo"),
    c.AddParty(party="mill", organisation="The old mill"),
    c.AddParty(party="g-71"),
    c.AddItem(item="rice", name="Rice", unit="g", units={"kg": 1000, "sack": 25000}),
    c.AddItem(item="oil", name="Oil", unit="ml", units={"l": 1000}),
    c.AddItem(item="kit", name="Family kit", unit="piece"),
    c.AddItem(item="chf", name="Swiss franc", unit="rappen", type="money", units={"CHF": 100}),
    c.AddRecipe(recipe="family", item="kit", lines=wanted(rice=4000, oil=1000)),
    c.AddProgramme(programme="basics", name="Basics"),
    c.OpenPeriod(
        programme="basics",
        period="march",
        first_day="2026-03-01",
        last_day="2026-03-31",
        rules=(
            c.Rule(item="rice", quantity=2, unit="kg"),
            c.Rule(item="rice", quantity=5, unit="kg", size_from=3),
            c.Rule(item="kit", quantity=1),
        ),
    ),
)


def offline(lease: str, lot: str, quantity: int, **household: Any) -> c.HandOverOffline:
    """What a cut-off desk gave of one lot, two hours after the start."""
    lots = (c.LotAmount(lot=lot, quantity=quantity),)
    return c.HandOverOffline(lease=lease, moment=START + timedelta(hours=2), lots=lots, **household)


def every_command(desk: Desk) -> None:
    """A few weeks in which every command is used at least once, on a desk that is set up."""
    do = desk.do
    do(c.AddUnit(item="oil", unit="canister", base_units=20_000))
    do(c.AddProgramme(programme="baby", name="First year", visits=1))
    do(c.OpenPeriod(programme="basics", period="april", first_day="2026-04-01", last_day="2026-04-30", like="march"))
    gift = c.Gift(item="rice", quantity=4, unit="sack", use_by="2026-09-30", best_before="2026-06-30")
    oil = c.Gift(item="oil", quantity="30.5", unit="l", cold=True, value=9_000, currency="chf")
    rice, _ = do(c.Receive(site="hub", giver="mill", lines=(gift, oil)))["lots"]
    old = desk.give("south", item="rice", quantity=500, use_by="2026-03-04")
    pledge = do(c.Pledge(giver="g-71", item="chf", quantity=200, unit="CHF", for_programme="basics"))["pledge"]
    do(c.ReceivePledge(pledge=pledge, site="hub", quantity=150, unit="CHF"))
    bought = do(
        c.Buy(
            site="hub",
            money="chf",
            price=60,
            price_unit="CHF",
            item="oil",
            quantity=10,
            unit="l",
            for_programme="basics",
        )
    )
    do(c.Spend(site="hub", money="chf", amount="12.50", unit="CHF", reason="transport", for_programme="basics"))
    reserved = do(c.Reserve(site="hub", lines=wanted(rice=20_000), for_site="north"))["reservation"]
    do(c.Send(site="hub", to="north", reservation=reserved))
    spare = do(c.Reserve(site="hub", lines=wanted(rice=1_000)))["reservation"]
    do(c.Release(reservation=spare))
    sent = do(c.Send(site="hub", to="north", lines=wanted(rice=10_000, oil=5_000)))
    first, second = (line["lot"] for line in sent["lines"])
    do(
        c.Arrive(
            shipment=sent["shipment"],
            lines=(c.Arrived(lot=first, good=9_000, damaged=400), c.Arrived(lot=second, good=5_100)),
            damage="wet",
        )
    )
    do(c.Arrive(shipment=f"T{sent['transaction'] - 3}"))
    kits = do(c.Make(site="hub", recipe="family", times=3))
    do(c.Send(site="hub", to="north", lines=wanted(kit=3)))
    do(c.Arrive(shipment=f"T{kits['transaction'] + 1}"))
    do(c.HandOver(site="north", programme="basics", tag=tag(1), size=2, lines=wanted(rice=1_500)))
    served = do(c.HandOver(site="north", programme="basics", tag=tag(2), size=5, lines=wanted(rice=5_000, kit=1)))
    do(c.Reverse(transaction=served["transaction"]))
    do(
        c.HandOver(
            site="north",
            programme="basics",
            tag=tag(2),
            size=5,
            lines=wanted(kit=1),
            proof="witness",
            witness="staff-2",
        )
    )
    lent = do(
        c.Lease(
            site="north",
            desk="desk-3",
            programme="basics",
            period="march",
            until=START + timedelta(days=2),
            lines=wanted(rice=3_000),
            claims=(c.LeasedClaim(tag=tag(1), size=2), c.LeasedClaim(tag=tag(3), size=1)),
        )
    )
    taken = lent["lines"][0]["lot"]
    do(offline(lent["lease"], taken, 1_000, claim=2), at=START + timedelta(hours=2))
    do(offline(lent["lease"], taken, 200, mark=tag(99), tag=tag(4), size=1), at=START + timedelta(hours=2))
    do(c.EndLease(lease=lent["lease"]))
    given = do(
        c.HandOver(
            site="north", programme="basics", tag=tag(1), size=2, lines=wanted(rice=600, kit=5), already_given=True
        )
    )
    do(c.Resolve(conflict=given["conflicts"][0]["conflict"], reason="goods-found"))
    do(c.Reverse(transaction=given["transaction"]))
    do(c.Damage(site="north", lines=(c.LotAmount(lot=rice["lot"], quantity=100),), reason="pests"))
    do(c.Lose(site="north", lines=(c.LotAmount(lot=rice["lot"], quantity=10),), reason="theft"))
    do(c.GiveBack(site="hub", lines=(c.LotAmount(lot=bought["lot"], quantity=1_000),), reason="surplus"))
    do(c.Expire(site="south"), at=START + timedelta(days=4))
    assert desk.held("EXPIRED") == {old: 500}
    do(
        c.Stocktake(
            site="north",
            lines=(c.Counted(lot=rice["lot"], counted=20_000, reason="miscount"),),
            found=(c.Found(item="oil", quantity=2, unit="l"),),
        )
    )
    sharing(desk, rice["lot"])
    do(c.SetSiteState(site="south", state="closed", reason="flood"))
    do(c.Recall(lot=bought["lot"], reason="maker"))
    fortnight = START + timedelta(days=14)
    do(c.Publish(first_day="2026-03-02", last_day="2026-03-08", rows="programme"), at=fortnight)


def sharing(desk: Desk, lot: str) -> None:
    """Ask, say what sharing needs to know, propose, decline, and approve a crisis."""
    do = desk.do
    do(c.MeasureItem(item="rice", milligrams=1_000, cubic_mm=1_200, pack="kg"))
    do(
        c.SetHours(
            site="north", days=(c.OpenDay(weekday="mon"), c.OpenDay(weekday="fri", opens="09:00", closes="12:30"))
        )
    )
    do(c.SetCapacity(site="north", grams=2_000_000))
    do(c.SetVehicle(vehicle="van", site="hub", grams=800_000, trips=2))
    do(c.SetWays(lines=(c.Way(origin="hub", to="north", seconds=900), c.Way(origin="north", to="south", seconds=600))))
    do(c.SetTarget(site="north", item="rice", target=50, minimum=10, unit="kg"))
    asked = do(c.Ask(site="north", lines=wanted(rice=30_000), needed_by="2026-03-20"))["request"]
    do(c.CloseRequest(request=asked, outcome="withdrawn"))
    line = c.ProposedLine(
        day="2026-03-09", arrives="2026-03-09", lot=lot, origin="hub", to="north", for_site="north", quantity=2_000
    )
    share = c.ProposedShare(
        site="north", item="rice", asked=3_000, given=2_000, fair="0.7", bound="0.7", because="All that there is."
    )
    stage = c.ProposedStage(stage="fair shares", unit="lowest fill rate", value="0.7", bound="0.7", proven=True)
    plain: dict[str, Any] = {
        "as_of": store_size(desk.store),
        "first_day": "2026-03-09",
        "last_day": "2026-03-15",
        "inputs": "0" * 64,
        "solver": "by hand",
        "status": "proven",
        "lines": (line,),
        "shares": (share,),
        "stages": (stage,),
    }
    do(c.Decline(proposal=do(c.Propose(**plain))["proposal"], reason="impractical"))
    crisis = do(
        c.Propose(
            **plain,
            type="crisis",
            closures=(c.Closure(site="south", reason="flood"),),
            surges=(c.Surge(site="north", per_mille=1500),),
            takeovers=(c.Takeover(site="south", to="north", per_mille=1000),),
        )
    )["proposal"]
    loads = do(c.Approve(proposal=crisis))["loads"]
    do(c.Send(site="hub", to="north", reservation=loads[0]["reservation"]))
