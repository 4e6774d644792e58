"""What happens in the made-up year, day by day: gifts, purchases, trucks, hand-overs, counts and mishaps."""

from __future__ import annotations

import random
import sqlite3
import uuid
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from nearer.aid import commands as c
from nearer.aid.demo import network as n
from nearer.aid.demo import sharing
from nearer.aid.migrate import create
from nearer.aid.store import Store, url_of
from nearer.aid.views import balances_of
from nearer.errors import UsageError
from nearer.files import written_whole
from nearer.progress import Progress, Silent

YEAR = 2025
"""The year that is made up."""

HOUSEHOLDS = 240


def make_demo(
    place: str, *, seed: int = 1, year: int = YEAR, households: int = HOUSEHOLDS, progress: Progress | None = None
) -> dict[str, Any]:
    """
    Make a ledger and fill it with the year.

    Parameters
    ----------
    place
        Path of a file that is not there, or ``postgresql://…`` of an empty database.
    seed, year, households
        What the year follows from.
    progress
        Where progress is shown.

    Returns
    -------
    dict
        ``ledger`` (its number), ``transactions`` and ``hash`` of the head.

    Raises
    ------
    UsageError
        There is a ledger already.
    """
    url = url_of(place)
    if url.get_backend_name() == "postgresql":
        return _made(place, seed, year, households, progress)
    if Path(place).exists():
        raise UsageError(f"{place} is there already; give another name, or work with it as it is.")
    with written_whole(Path(place)) as beside:
        return _made(str(beside), seed, year, households, progress)


def _made(place: str, seed: int, year: int, households: int, progress: Progress | None) -> dict[str, Any]:
    clock = _Clock(datetime(year, 1, 1, 6, 0, tzinfo=UTC))
    ledger = str(uuid.UUID(bytes=random.Random(f"ledger-{seed}").randbytes(16), version=4))
    create(place, ledger=ledger, now=clock)
    with Store(place, clock=clock) as store:
        if not store.is_postgres:
            _need_no_disk(store.engine)
        fill(store, clock, seed=seed, year=year, households=households, progress=progress)
        with store.reading() as connection:
            seq, hashed = connection.exec_driver_sql("SELECT seq, hash FROM head").one()
    return {"ledger": ledger, "transactions": int(seq), "hash": str(hashed)}


def _need_no_disk(engine: sa.Engine) -> None:
    """What is made up can be made up again: nobody waits for the disk, and the file is renamed when done."""

    @sa.event.listens_for(engine, "connect")
    def hurry(driver: sqlite3.Connection, _: object) -> None:
        driver.execute("PRAGMA synchronous = OFF")

    engine.dispose()


def in_packs(item: str, amount: float) -> int:
    """As many base units as whole packs hold."""
    return int(amount) // n.STEP.get(item, 1) * n.STEP.get(item, 1)


class _Clock:
    """Shows the time that it was set to."""

    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def __call__(self) -> datetime:
        return self.moment


def fill(
    store: Store, clock: _Clock, *, seed: int, year: int, households: int, progress: Progress | None = None
) -> None:
    """Carry out the year's commands in an empty ledger whose clock is ``clock``."""
    town = _Town(store, clock, seed, households)
    for command in (*n.set_up(year), *sharing.set_up()):
        town.do(command, 6 * 60, by="office")
    day, last = date(year, 1, 2), date(year, 12, 31)
    with (progress or Silent()).step("a year of hand-overs", (last - day).days + 1) as tick:
        while day <= last:
            town.live(day)
            day += timedelta(days=1)
            tick()


class _Town:
    """The network on its way through the year."""

    def __init__(self, store: Store, clock: _Clock, seed: int, households: int) -> None:
        self.store, self.clock, self.seed = store, clock, seed
        self.rng = random.Random(f"year-{seed}")
        self.day = clock.moment.date()
        self.number = 0
        self.households = n.households_of(seed, households)
        self.scale = households / HOUSEHOLDS
        self.coming: dict[tuple[str, str, int], dict[str, int]] = {}
        self.visits: dict[date, list[tuple[int, n.Household, str, str]]] = defaultdict(list)
        self.under_way: list[dict[str, Any]] = []

    def do(self, command: c.Command, minute: int, by: str = "staff-1", desk: str = "desk") -> dict[str, Any]:
        """Carry out a command today, so many minutes after midnight in UTC."""
        self.number += 1
        moment = datetime(self.day.year, self.day.month, self.day.day, tzinfo=UTC) + timedelta(minutes=minute)
        self.clock.moment = max(self.clock.moment, moment) + timedelta(seconds=1)
        return self.store.do(command, id=f"demo-{self.seed}-{self.number:06d}", actor=by, desk=desk)

    def live(self, day: date) -> None:
        """One day."""
        self.day = day
        if (day.month, day.day) == (1, 2):
            self.opening_stock()
        if day.day == 1 or (day.month, day.day) == (1, 2):
            self.plan_visits()
        self.floods()
        weekday = day.weekday()
        if weekday == 6:
            return
        if weekday == 0:
            self.gifts()
            self.write_off()
        if sharing.is_first_monday(day):
            sharing.share(self)
        if weekday == 1:
            self.buy()
            self.trucks()
        if weekday == 2:
            self.arrivals()
        if weekday == 4 and day.month in (1, 9, 10) and day.day <= 14:
            self.kits()
        if weekday == 5 and day.month % 3 == 0 and day.day > 24:
            self.count()
        for minute, household, programme, period in sorted(
            self.visits.pop(day, []), key=lambda visit: (visit[0], visit[1].number, visit[2])
        ):
            self.hand_over(minute, household, programme, period)

    def free(self, site: str, programme: str | None = None, to: str | None = None) -> dict[str, int]:
        """What can be taken of each item at a site today."""
        found: dict[str, int] = defaultdict(int)
        with self.store.reading() as connection:
            rows = connection.exec_driver_sql(
                "SELECT l.item, b.quantity, l.use_by, l.for_programme, l.for_site, r.lot FROM balances b "
                "JOIN lots l ON l.lot = b.lot LEFT JOIN recalls r ON r.lot = b.lot "
                f"WHERE b.account = 'STOCK:{site}:' AND b.quantity > 0"
            ).all()
        for item, quantity, use_by, for_programme, for_site, recalled in rows:
            if recalled is not None or (use_by is not None and use_by < self.day.isoformat()):
                continue
            if for_programme in (None, programme) and for_site in (None, to or site):
                found[item] += int(quantity)
        return found

    # What comes in

    def opening_stock(self) -> None:
        """On the first working day everything that lies there is counted in."""
        for site, share in {n.HUB: 0.6, **{centre: 0.4 * share for centre, share in n.SHARES.items()}}.items():
            found = [
                c.Found(item=item, quantity=max(1, int(amount * share * self.scale)), use_by=self.keeps(item, 0.6))
                for item, amount in n.MONTHLY.items()
            ]
            self.do(c.Stocktake(site=site, found=tuple(found)), 7 * 60, by="office")

    def keeps(self, item: str, share: float) -> date | None:
        """Until when something keeps that has so much of its life before it."""
        days = n.GOODS[item][3]
        return None if days is None else self.day + timedelta(days=max(3, int(days * share)))

    def gifts(self) -> None:
        """What came in over the week; more in December, less in summer."""
        season = {7: 0.6, 8: 0.55, 11: 1.2, 12: 1.7}.get(self.day.month, 1.0)
        for giver in self.rng.sample([*n.ORGANISATIONS, *n.PRIVATE], 3):
            big = giver in n.ORGANISATIONS
            lines = []
            for item in self.rng.sample(list(n.MONTHLY), 3 if big else 1):
                amount = n.MONTHLY[item] * self.scale * season * self.rng.uniform(0.1, 0.32 if big else 0.16)
                amount = max(1, int(amount) // 10 * 10)
                baby = item in ("milk", "nappies") and self.rng.random() < 0.3
                site = "hillside" if not big and self.rng.random() < 0.1 else None
                lines.append(
                    c.Gift(
                        item=item,
                        quantity=amount,
                        use_by=self.keeps(item, self.rng.uniform(0.15, 1.0)),
                        value=amount * n.GOODS[item][4] // 1000,
                        currency=n.MONEY,
                        for_programme="baby" if baby else None,
                        for_site=site,
                    )
                )
            self.do(c.Receive(site=n.HUB, giver=giver, lines=tuple(lines)), 8 * 60 + self.rng.randrange(120))
        if self.day.month in (1, 9) and self.day.day <= 14:
            count = int(n.HOUSEHOLDS_PER_BALE * self.scale * self.rng.uniform(0.8, 1.1)) * 20
            gift = c.Gift(item="blanket", quantity=max(20, count), value=count * 1400, currency=n.MONEY)
            self.do(c.Receive(site=n.HUB, giver="school", lines=(gift,)), 8 * 60 + 150)
        if self.day.day <= 7:
            promised = self.do(
                c.Pledge(giver="bakers", item=n.MONEY, quantity=int(90_000 * self.scale), for_programme="baby"), 11 * 60
            )["pledge"]
            self.do(
                c.ReceivePledge(pledge=promised, site=n.HUB, quantity=int(80_000 * self.scale)),
                11 * 60 + 5,
                by="office",
            )
            gift = c.Gift(item=n.MONEY, quantity=int(160_000 * self.scale * self.rng.uniform(0.8, 1.3)))
            self.do(c.Receive(site=n.HUB, giver=self.rng.choice(n.PRIVATE), lines=(gift,)), 11 * 60 + 10, by="office")

    def buy(self) -> None:
        """Once a month the money becomes what is scarcest, and pays for the van."""
        if not 8 <= self.day.day <= 14:
            return
        money = self.free(n.HUB)[n.MONEY]
        stock = self.free(n.HUB, "baby")
        if money > 2_000:
            self.do(c.Spend(site=n.HUB, money=n.MONEY, amount=money // 8, reason="transport"), 9 * 60, by="office")
        for item, programme, part in (("rice", None, 3), ("oil", None, 3), ("milk", "baby", 1)):
            money = self.free(n.HUB, programme)[n.MONEY] // part
            price = n.GOODS[item][4]
            amount = min(money * 1000 // price, int(1.5 * n.MONTHLY[item] * self.scale)) // 1000 * 1000
            enough = 0.4 if item == "milk" else 1.0
            if amount > 0 and stock[item] < enough * n.MONTHLY[item] * self.scale:
                self.do(
                    c.Buy(
                        site=n.HUB,
                        money=n.MONEY,
                        price=amount * price // 1000,
                        item=item,
                        quantity=amount,
                        use_by=self.keeps(item, 0.9),
                        for_programme=programme,
                    ),
                    9 * 60 + 10,
                    by="office",
                )

    def kits(self) -> None:
        """Blankets and soap become winter kits."""
        free = self.free(n.HUB)
        times = min(free["blanket"] // 2, free["soap"] // 2)
        if times:
            self.do(c.Make(site=n.HUB, recipe="winter", times=times), 10 * 60)

    # What moves

    def need(self, centre: str) -> dict[str, float]:
        """Base units that a centre needs in a month, by item."""
        found: dict[str, float] = defaultdict(float)
        for household in self.households:
            if household.centre == centre:
                for programme in household.programmes:
                    share = 0.45 if programme == "winter" else 1.0
                    for item, amount in n.entitled(programme, household.size).items():
                        found[item] += amount * share
        return found

    def trucks(self) -> None:
        """Each open centre gets its share of what the hub has, up to a bit more than a week's need."""
        closed = self.closed()
        for programme in (None, "baby"):
            hub = self.free(n.HUB, programme)
            needs = {centre: self.need(centre) for centre in n.CENTRES}
            wants: dict[str, dict[str, float]] = {}
            for centre in n.CENTRES:
                if centre == closed or (centre == n.FAR and self.day.isocalendar().week % 2):
                    continue
                there = self.free(centre, programme)
                mine = needs[centre]
                if closed and centre == n.CLOSED[1]:
                    mine = {item: amount + needs[closed].get(item, 0) for item, amount in mine.items()}
                wants[centre] = {
                    item: max(0.0, amount / 4.3 * 1.4 - there[item])
                    for item, amount in mine.items()
                    if (item in ("milk", "nappies")) == (programme == "baby")
                }
            for centre, wanted in wants.items():
                lines = []
                for item, amount in wanted.items():
                    all_want = sum(other.get(item, 0.0) for other in wants.values())
                    share = min(amount, 0.7 * hub[item] * amount / all_want if all_want else 0.0)
                    share = in_packs(item, share)
                    if share > 0:
                        lines.append(c.Wanted(item=item, quantity=share))
                if lines:
                    sent = self.do(
                        c.Send(site=n.HUB, to=centre, lines=tuple(lines), for_programme=programme),
                        10 * 60 + len(self.under_way),
                        by="driver",
                    )
                    self.under_way.append(sent)

    def arrivals(self) -> None:
        """Shipments come in: most in full, some short, over or wet."""
        for k, sent in enumerate(self.under_way):
            arrived = []
            mishap = self.rng.random()
            for position, line in enumerate(sent["lines"]):
                good, damaged = line["quantity"], 0
                if position == 0 and mishap < 0.04:
                    good -= good // 20
                elif position == 0 and mishap < 0.08:
                    damaged = good // 25
                    good -= damaged
                elif position == 0 and mishap > 0.99:
                    good += 1
                arrived.append(c.Arrived(lot=line["lot"], good=good, damaged=damaged))
            self.do(c.Arrive(shipment=sent["shipment"], lines=tuple(arrived), damage="wet"), 8 * 60 + k, by="staff-2")
        self.under_way = []

    def closed(self) -> str | None:
        """The centre that is closed today."""
        centre, _, first, last = n.CLOSED
        return centre if first <= (self.day.month, self.day.day) < last else None

    def floods(self) -> None:
        """The centre by the water closes and opens again."""
        centre, _, first, last = n.CLOSED
        today = (self.day.month, self.day.day)
        if today == first:
            self.do(c.SetSiteState(site=centre, state="closed", reason="flood"), 6 * 60, by="office")
        elif today == last:
            self.do(c.SetSiteState(site=centre, state="open"), 6 * 60, by="office")

    # What is lost

    def write_off(self) -> None:
        """What is past its day goes; now and then something breaks, is stolen or is called back."""
        for site in (n.HUB, *n.CENTRES):
            rows = balances_of(self.store, site=site, kind="STOCK")
            if any(row["use_by"] is not None and row["use_by"] < self.day.isoformat() for row in rows):
                self.do(c.Expire(site=site), 7 * 60)
            rows = [row for row in rows if row["item"] != n.MONEY and row["quantity"] > 20]
            rows = [row for row in rows if row["use_by"] is None or row["use_by"] >= self.day.isoformat()]
            if rows and self.rng.random() < 0.06:
                row = self.rng.choice(rows)
                part = c.LotAmount(lot=row["lot"], quantity=max(1, row["quantity"] // 30))
                if self.rng.random() < 0.7:
                    reason = self.rng.choice(("broken", "pests", "packaging"))
                    self.do(c.Damage(site=site, lines=(part,), reason=reason), 7 * 60 + 10)
                else:
                    self.do(c.Lose(site=site, lines=(part,), reason="missing"), 7 * 60 + 10)
        if (self.day.month, self.day.day // 8) == (5, 1):
            milk = [row for row in balances_of(self.store, site=n.HUB, kind="STOCK") if row["item"] == "milk"]
            if milk:
                self.do(c.Recall(lot=milk[0]["lot"], reason="maker"), 7 * 60 + 20, by="office")

    def count(self) -> None:
        """Quarterly counts: a few lots differ a little."""
        for site in (n.HUB, *n.CENTRES):
            rows = balances_of(self.store, site=site, kind="STOCK")
            lines = []
            for row in rows:
                if row["item"] == n.MONEY:
                    continue
                counted, reason = row["quantity"], "unexplained"
                if self.rng.random() < 0.08:
                    counted = max(0, counted + self.rng.choice((-1, -1, 1)) * max(1, counted // 60))
                    reason = "miscount"
                lines.append(c.Counted(lot=row["lot"], counted=counted, reason=reason))
            if lines:
                self.do(c.Stocktake(site=site, lines=tuple(lines)), 15 * 60, by="office")

    # Who comes

    def plan_visits(self) -> None:
        """Which households come on which day of this month, and to what."""
        first = self.day
        days = [first + timedelta(days=k) for k in range(31)]
        days = [day for day in days if day.month == first.month and day.weekday() in (2, 3, 4, 5)]
        for household in self.households:
            for programme, period in self._periods(household):
                comes = {"basics": 0.88, "baby": 0.9, "winter": 0.35}[programme]
                if self.rng.random() >= comes:
                    continue
                times = 2 if programme == "basics" and self.rng.random() < 0.3 else 1
                for day in sorted(self.rng.sample(days, times)):
                    minute = 9 * 60 + self.rng.randrange(6 * 60)
                    self.visits[day].append((minute, household, programme, period))

    def _periods(self, household: n.Household) -> list[tuple[str, str]]:
        today = self.day
        return [
            (programme, period)
            for programme, period, first, last in n.periods_of(today.year)
            if programme in household.programmes and first <= today <= last
        ]

    def hand_over(self, minute: int, household: n.Household, programme: str, period: str) -> None:
        """A household comes and is given what it may have and what is there; now and then the desk undoes it."""
        site = n.CLOSED[1] if household.centre == self.closed() else household.centre
        key = (programme, period, household.number)
        left = self.coming.get(key)
        if left is None:
            left = dict(n.entitled(programme, household.size))
        elif programme == "winter":
            return
        free = self.free(site, programme)
        part = 0.5 if key not in self.coming and self.rng.random() < 0.25 else 1.0
        lines = []
        for item, amount in left.items():
            take = min(in_packs(item, amount * part), in_packs(item, free[item]))
            if take > 0:
                lines.append(c.Wanted(item=item, quantity=take))
        if not lines:
            return
        given = self.do(
            c.HandOver(
                site=site,
                programme=programme,
                tag=n.tag_of(self.seed, programme, period, household.number),
                size=household.size,
                lines=tuple(lines),
                proof=self.rng.choices(("tap", "pin", "witness"), (80, 15, 5))[0],
            ),
            minute,
            by=f"staff-{1 + household.number % 3}",
            desk=site,
        )
        self.coming[key] = given["left"]
        if self.rng.random() < 0.004:
            self.do(c.Reverse(transaction=given["transaction"]), minute, by="staff-1", desk=site)
            self.coming[key] = {**left}
