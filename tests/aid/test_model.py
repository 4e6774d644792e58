"""Any sequence of commands does what a dictionary does, on both databases, and the audit agrees."""

from __future__ import annotations

import inspect
import itertools
import shutil
import tempfile
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from nearer.aid import commands as c
from nearer.aid.refusals import RefusedError
from nearer.aid.store import Store
from nearer.aid.views import balances_of

from .town import START, Desk, Ticking, tag

SITES = ("hub", "north", "south")
ENDS = (None, "2026-03-01", "2026-03-02", "2026-04-01")  # one is past, one today
ENTITLED = {1: {"rice": 2000, "kit": 1}, 4: {"rice": 5000, "kit": 1}}

site = st.sampled_from(SITES)
amount = st.integers(1, 3000)
goods = st.sampled_from(("rice", "oil"))
_NUMBERS = itertools.count()

Place = tuple[str, str, str]

STEPS: dict[str, dict[str, Any]] = {
    "receive": {
        "at": site,
        "item": goods,
        "quantity": amount,
        "end": st.sampled_from(ENDS),
        "giver": st.sampled_from(("mill", "g-71")),
    },
    "send": {"at": site, "to": site, "item": goods, "quantity": amount},
    "arrive": {},
    "reserve": {"at": site, "item": goods, "quantity": amount},
    "approve": {"at": site, "to": site, "item": goods, "quantity": amount},
    "release": {},
    "make": {"at": site, "times": st.integers(1, 2)},
    "hand_over": {
        "at": site,
        "who": st.integers(1, 3),
        "size": st.sampled_from((1, 4)),
        "item": st.sampled_from(("rice", "rice", "kit", "oil")),
        "quantity": amount,
    },
    "write_off": {"at": site, "quantity": amount, "how": st.sampled_from(("damage", "lose", "give_back"))},
    "expire": {"at": site},
    "count": {"at": site, "difference": st.integers(-5, 5)},
    "lease": {"at": site, "item": goods, "quantity": amount, "who": st.sets(st.integers(1, 3), max_size=2)},
    "end_lease": {},
    "give_offline": {"quantity": amount, "beyond": st.sampled_from((0, 0, 5)), "stranger": st.integers(-3, 4)},
    "already_given": {"at": site, "who": st.integers(1, 3), "item": goods, "quantity": amount},
    "resolve": {},
    "reverse": {},
    "send_again": {},
}
"""Every kind of command, and what is drawn for it."""


class Model:
    """What there should be: (kind, site, reference), lot → quantity."""

    def __init__(self) -> None:
        self.held: Counter[tuple[Place, str]] = Counter()
        self.lots: dict[str, tuple[str, str | None, int]] = {}  # item, use-by day, order of coming
        self.left: dict[int, dict[str, int]] = {}
        self.done: dict[int, dict[str, Any]] = {}  # transaction → moves and draws
        self.reversed: set[int] = set()
        self.shipments: dict[str, tuple[str, str]] = {}
        self.reservations: dict[str, str] = {}
        self.leases: dict[str, tuple[str, list[int]]] = {}  # site and households on the list
        self.open_leases: set[str] = set()
        self.conflicts: list[str] = []

    def leased(self, who: int) -> bool:
        return any(who in self.leases[name][1] for name in self.open_leases)

    def draw(self, who: int, given: dict[str, int]) -> tuple[dict[str, int], list[tuple[str, str, int]]]:
        """What is drawn of what was given, and the conflicts about the rest; the account goes down."""
        left = self.left.get(who, {})
        drawn = {item: part for item, amount in given.items() if (part := min(amount, left.get(item, 0)))}
        for item, part in drawn.items():
            left[item] -= part
        rest = {item: amount - drawn.get(item, 0) for item, amount in given.items()}
        return drawn, [("claim", item, amount) for item, amount in rest.items() if amount]

    def fefo(self, place: Place, item: str, quantity: int) -> list[tuple[str, int]] | None:
        """The naive way: one unit of quantity range at a time from the sorted lots."""
        lots = [
            (end or "9999-12-31", order, lot)
            for lot, (kind, end, order) in self.lots.items()
            if kind == item and self.held[place, lot] > 0 and (end is None or end >= "2026-03-02")
        ]
        taken = []
        for _, _, lot in sorted(lots):
            part = min(quantity, self.held[place, lot])
            if part:
                taken.append((lot, part))
                quantity -= part
        return None if quantity else taken

    def apply(
        self, seq: int, moves: list[tuple[str, int, Place, Place]], draws: tuple[int, dict[str, int]] | None
    ) -> None:
        for lot, quantity, source, target in moves:
            self.held[source, lot] -= quantity
            self.held[target, lot] += quantity
        self.done[seq] = {"moves": moves, "draws": draws, "for_good": False}


def stock(at: str) -> Place:
    return ("STOCK", at, "")


class Ledger(RuleBasedStateMachine):
    """Commands to the ledger and to the model."""

    new_place: Any = None

    def __init__(self) -> None:
        super().__init__()
        self.store = Store(type(self).new_place(), clock=Ticking())
        self.desk = Desk(self.store)
        self.model = Model()
        self.last: tuple[c.Command, str, dict[str, Any]] | None = None

    def attempt(self, command: c.Command, possible: bool, at: datetime | None = None) -> dict[str, Any] | None:
        """Do it, or see it refused, as the model says."""
        id = f"model-{next(_NUMBERS):08d}"
        if not possible:
            with pytest.raises(RefusedError):
                self.desk.do(command, id=id)
            return None
        answer = self.desk.do(command, id=id, at=at)
        self.last = (command, id, answer)
        return answer

    @rule(data=st.data())
    def step(self, data: st.DataObject) -> None:
        """One command; all kinds as often, which rules of their own would not be."""
        name = data.draw(st.sampled_from(sorted(STEPS)))
        method = getattr(self, name)
        drawn = {key: data.draw(strategy) for key, strategy in STEPS[name].items()}
        if "data" in inspect.signature(method).parameters:
            drawn["data"] = data
        method(**drawn)

    @initialize()
    def begin(self) -> None:
        """Something everywhere, so that most commands find what they ask for."""
        for at in SITES:
            for item, quantity in (("rice", 9_000), ("oil", 4_000)):
                self.receive(at, item, quantity, "2026-06-01", "mill")

    def receive(self, at: str, item: str, quantity: int, end: str | None, giver: str) -> None:
        gift = c.Gift(item=item, quantity=quantity, use_by=end)
        answer = self.attempt(c.Receive(site=at, giver=giver, lines=(gift,)), True)
        assert answer is not None
        lot = answer["lots"][0]["lot"]
        self.model.lots[lot] = (item, end, len(self.model.lots))
        self.model.apply(answer["transaction"], [(lot, quantity, ("DONOR", "", giver), stock(at))], None)

    def send(self, at: str, to: str, item: str, quantity: int) -> None:
        if at == to:
            return
        taken = self.model.fefo(stock(at), item, quantity)
        command = c.Send(site=at, to=to, lines=(c.Wanted(item=item, quantity=quantity),))
        answer = self.attempt(command, taken is not None)
        if answer is not None and taken is not None:
            name = answer["shipment"]
            self.model.shipments[name] = (at, to)
            moves = [(lot, part, stock(at), ("TRANSIT", "", name)) for lot, part in taken]
            self.model.apply(answer["transaction"], moves, None)

    def arrive(self, data: st.DataObject) -> None:
        if not self.model.shipments:
            return
        name = data.draw(st.sampled_from(sorted(self.model.shipments)))
        sender, target = self.model.shipments[name]
        way = ("TRANSIT", "", name)
        due = {lot: quantity for (place, lot), quantity in self.model.held.items() if place == way and quantity}
        lines, moves = [], []
        for lot, quantity in due.items():
            good = max(0, quantity - data.draw(st.integers(-2, 4)))
            damaged = data.draw(st.integers(0, 3))
            lines.append(c.Arrived(lot=lot, good=good, damaged=damaged))
            came, spoilt = min(good, quantity), min(damaged, quantity - min(good, quantity))
            over = good + damaged - came - spoilt
            moves += [
                (lot, came, way, stock(target)),
                (lot, spoilt, way, ("DAMAGED", target, "")),
                (lot, quantity - came - spoilt, way, ("LOST", sender, "")),
                (lot, over, ("VARIANCE", target, ""), stock(target)),
                (lot, damaged - spoilt, stock(target), ("DAMAGED", target, "")),
            ]
        answer = self.attempt(c.Arrive(shipment=name, lines=tuple(lines)), bool(due))
        if answer is not None:
            self.model.apply(answer["transaction"], moves, None)

    def reserve(self, at: str, item: str, quantity: int) -> None:
        taken = self.model.fefo(stock(at), item, quantity)
        answer = self.attempt(c.Reserve(site=at, lines=(c.Wanted(item=item, quantity=quantity),)), taken is not None)
        if answer is not None and taken is not None:
            name = answer["reservation"]
            self.model.reservations[name] = at
            moves = [(lot, part, stock(at), ("RESERVED", at, name)) for lot, part in taken]
            self.model.apply(answer["transaction"], moves, None)

    def approve(self, at: str, to: str, item: str, quantity: int) -> None:
        """A proposal of one line for each lot that would be picked, or of one lot too much."""
        taken = self.model.fefo(stock(at), item, quantity)
        if at == to or not self.model.lots:
            return
        lots = taken or [(min(self.model.lots), 10**9)]
        day = "2026-03-02"
        lines = tuple(
            c.ProposedLine(day=day, arrives=day, lot=lot, origin=at, to=to, for_site=to, quantity=part)
            for lot, part in lots
        )
        made = self.attempt(
            c.Propose(
                as_of=1, first_day=day, last_day=day, inputs="0" * 64, solver="by hand", status="proven", lines=lines
            ),
            True,
        )
        assert made is not None
        answer = self.attempt(c.Approve(proposal=made["proposal"]), taken is not None)
        if answer is not None and taken is not None:
            name = answer["loads"][0]["reservation"]
            self.model.reservations[name] = at
            moves = [(lot, part, stock(at), ("RESERVED", at, name)) for lot, part in taken]
            self.model.apply(answer["transaction"], moves, None)
        with pytest.raises(RefusedError):
            self.desk.do(c.Approve(proposal=made["proposal"]), id=f"model-{next(_NUMBERS):08d}")

    def release(self, data: st.DataObject) -> None:
        if not self.model.reservations:
            return
        name = data.draw(st.sampled_from(sorted(self.model.reservations)))
        at = self.model.reservations[name]
        aside = ("RESERVED", at, name)
        there = [(lot, quantity) for (place, lot), quantity in self.model.held.items() if place == aside and quantity]
        answer = self.attempt(c.Release(reservation=name), bool(there))
        if answer is not None:
            self.model.apply(answer["transaction"], [(lot, q, aside, stock(at)) for lot, q in there], None)

    def make(self, at: str, times: int) -> None:
        oil, rice = self.model.fefo(stock(at), "oil", 1000 * times), self.model.fefo(stock(at), "rice", 4000 * times)
        answer = self.attempt(c.Make(site=at, recipe="family", times=times), oil is not None and rice is not None)
        if answer is not None and oil is not None and rice is not None:
            lot = answer["lot"]
            ends = [self.model.lots[part][1] for part, _ in oil + rice]
            self.model.lots[lot] = ("kit", min((end for end in ends if end), default=None), len(self.model.lots))
            convert = ("CONVERT", at, "")
            moves = [(part, quantity, stock(at), convert) for part, quantity in oil + rice]
            self.model.apply(answer["transaction"], [*moves, (lot, times, convert, stock(at))], None)

    def hand_over(self, at: str, who: int, size: int, item: str, quantity: int) -> None:
        quantity = 1 if item == "kit" else quantity
        left = self.model.left.get(who, ENTITLED[size])
        taken = self.model.fefo(stock(at), item, quantity)
        possible = taken is not None and quantity <= left.get(item, 0) and not self.model.leased(who)
        command = c.HandOver(
            site=at, programme="basics", tag=tag(who), size=size, lines=(c.Wanted(item=item, quantity=quantity),)
        )
        answer = self.attempt(command, possible)
        if answer is not None and taken is not None:
            self.model.left[who] = {**left, item: left[item] - quantity}
            assert answer["left"] == self.model.left[who]
            target = ("HANDED_OVER", at, "basics/march")
            moves = [(lot, part, stock(at), target) for lot, part in taken]
            self.model.apply(answer["transaction"], moves, (who, {item: quantity}))

    def write_off(self, data: st.DataObject, at: str, quantity: int, how: str) -> None:
        lot = data.draw(st.sampled_from(sorted(self.model.lots)))
        lines = (c.LotAmount(lot=lot, quantity=quantity),)
        command, kind = {
            "damage": (c.Damage(site=at, lines=lines, reason="wet"), "DAMAGED"),
            "lose": (c.Lose(site=at, lines=lines, reason="theft"), "LOST"),
            "give_back": (c.GiveBack(site=at, lines=lines, reason="surplus"), "RETURNED"),
        }[how]
        answer = self.attempt(command, self.model.held[stock(at), lot] >= quantity)
        if answer is not None:
            self.model.apply(answer["transaction"], [(lot, quantity, stock(at), (kind, at, ""))], None)

    def expire(self, at: str) -> None:
        gone = [
            (lot, quantity, place)
            for (place, lot), quantity in self.model.held.items()
            if place[0] in ("STOCK", "RESERVED")
            and place[1] == at
            and not place[2].startswith("K")  # with a desk that is away
            and quantity
            and (self.model.lots[lot][1] or "9999") < "2026-03-02"
        ]
        answer = self.attempt(c.Expire(site=at), True)
        assert answer is not None
        self.model.apply(answer["transaction"], [(lot, q, place, ("EXPIRED", at, "")) for lot, q, place in gone], None)

    def count(self, data: st.DataObject, at: str, difference: int) -> None:
        lot = data.draw(st.sampled_from(sorted(self.model.lots)))
        free = self.model.held[stock(at), lot]
        there = free + sum(
            quantity
            for (place, held), quantity in self.model.held.items()
            if held == lot and place[0] == "RESERVED" and place[1] == at and not place[2].startswith("K")
        )
        counted = max(0, there + difference)
        command = c.Stocktake(site=at, lines=(c.Counted(lot=lot, counted=counted),))
        answer = self.attempt(command, there - counted <= free)
        if answer is not None:
            move = (lot, counted - there, ("VARIANCE", at, ""), stock(at))
            self.model.apply(answer["transaction"], [move], None)

    def lease(self, at: str, item: str, quantity: int, who: set[int]) -> None:
        households = sorted(who)
        taken = self.model.fefo(stock(at), item, quantity)
        away = any(self.model.leases[name][0] == at for name in self.model.open_leases)
        command = c.Lease(
            site=at,
            desk=f"desk-{at}",
            programme="basics",
            period="march",
            until=START + timedelta(days=1),
            lines=(c.Wanted(item=item, quantity=quantity),),
            claims=tuple(c.LeasedClaim(tag=tag(number), size=1) for number in households),
        )
        answer = self.attempt(command, taken is not None and not away and not any(map(self.model.leased, households)))
        if answer is not None and taken is not None:
            name = answer["lease"]
            self.model.leases[name] = (at, households)
            self.model.open_leases.add(name)
            for number, line in zip(households, answer["claims"], strict=True):
                assert line["left"] == self.model.left.setdefault(number, dict(ENTITLED[1]))
            moves = [(lot, part, stock(at), ("RESERVED", at, name)) for lot, part in taken]
            self.model.apply(answer["transaction"], moves, None)
            self.model.done[answer["transaction"]]["for_good"] = True

    def end_lease(self, data: st.DataObject) -> None:
        if not self.model.leases:
            return
        name = data.draw(st.sampled_from(sorted(self.model.leases)))
        at = self.model.leases[name][0]
        away = ("RESERVED", at, name)
        there = [(lot, quantity) for (place, lot), quantity in self.model.held.items() if place == away and quantity]
        answer = self.attempt(c.EndLease(lease=name), name in self.model.open_leases or bool(there))
        if answer is not None:
            self.model.open_leases.discard(name)
            self.model.apply(answer["transaction"], [(lot, q, away, stock(at)) for lot, q in there], None)
            self.model.done[answer["transaction"]]["for_good"] = True

    def give_offline(self, data: st.DataObject, quantity: int, beyond: int, stranger: int) -> None:
        """A household of the list (its number from 0 down), one of three that is not, or a card that nobody knows."""
        if not self.model.leases:
            return
        name = data.draw(st.sampled_from(sorted(self.model.leases)))
        lot = data.draw(st.sampled_from(sorted(self.model.lots)))
        at, households = self.model.leases[name]
        listed = -stranger < len(households) and stranger <= 0
        who = households[-stranger] if listed else max(1, stranger)
        household: dict[str, Any] = {"claim": 1 - stranger}
        kinds = []
        if not listed:
            household = {"mark": tag(who), "tag": tag(who), "size": None if who == 4 else 4}
            kinds = [("unknown-card" if who == 4 else "unleased", None, None)]
            if who != 4:
                self.model.left.setdefault(who, dict(ENTITLED[4]))
        item, end, _ = self.model.lots[lot]
        target, missing, moves = ("HANDED_OVER", at, "basics/march"), quantity, []
        for source in (("RESERVED", at, name), stock(at)):
            part = min(missing, self.model.held[source, lot])
            moves.append((lot, part, source, target))
            missing -= part
        if missing:
            moves.append((lot, missing, ("VARIANCE", at, ""), target))
            kinds.append(("stock", item, missing))
        if (end or "9999") < "2026-03-02":
            kinds.append(("use-by", item, quantity))
        given = {item: quantity}
        more = (c.ItemAmount(item="rice", quantity=beyond),) if beyond else ()
        if beyond:
            given["rice"] = given.get("rice", 0) + beyond
            kinds.append(("stock", "rice", beyond))
        drawn, over = self.model.draw(who, given)
        lots = (c.LotAmount(lot=lot, quantity=quantity),)
        command = c.HandOverOffline(lease=name, moment=START, lots=lots, beyond=more, **household)
        answer = self.attempt(command, True, at=START)
        assert answer is not None
        if beyond:
            self.found(answer, "rice", beyond, at, moves)
        self.conflicts_are(answer, kinds + over)
        self.model.apply(answer["transaction"], moves, (who, drawn))

    def already_given(self, at: str, who: int, item: str, quantity: int) -> None:
        kinds = [("leased-out", None, None)] if self.model.leased(who) else []
        self.model.left.setdefault(who, dict(ENTITLED[1]))
        there = sum(
            held
            for (place, lot), held in self.model.held.items()
            if place == stock(at)
            and self.model.lots[lot][0] == item
            and (self.model.lots[lot][1] or "9") >= "2026-03-02"
        )
        target = ("HANDED_OVER", at, "basics/march")
        taken = self.model.fefo(stock(at), item, min(there, quantity))
        assert taken is not None
        moves = [(lot, part, stock(at), target) for lot, part in taken]
        beyond = max(0, quantity - there)
        if beyond:
            kinds.append(("stock", item, beyond))
        drawn, over = self.model.draw(who, {item: quantity})
        lines = (c.Wanted(item=item, quantity=quantity),)
        command = c.HandOver(site=at, programme="basics", tag=tag(who), size=1, lines=lines, already_given=True)
        answer = self.attempt(command, True)
        assert answer is not None
        if beyond:
            self.found(answer, item, beyond, at, moves)
        self.conflicts_are(answer, kinds + over)
        self.model.apply(answer["transaction"], moves, (who, drawn))

    def found(self, answer: dict[str, Any], item: str, beyond: int, at: str, moves: list[Any]) -> None:
        """Goods that no lot accounted for are a lot of their own."""
        lot = answer["lines"][-1]["lot"]
        self.model.lots[lot] = (item, None, len(self.model.lots))
        moves.append((lot, beyond, ("VARIANCE", at, ""), ("HANDED_OVER", at, "basics/march")))

    def conflicts_are(self, answer: dict[str, Any], expected: list[tuple[str, str | None, int | None]]) -> None:
        there = answer.get("conflicts", [])
        told = Counter((row["kind"], row.get("item"), row.get("quantity")) for row in there)
        assert told == Counter(expected)
        self.model.conflicts += [row["conflict"] for row in there]

    def resolve(self, data: st.DataObject) -> None:
        if self.model.conflicts:
            name = data.draw(st.sampled_from(self.model.conflicts))
            self.model.conflicts.remove(name)
            self.attempt(c.Resolve(conflict=name, reason="other"), True)
            self.attempt(c.Resolve(conflict=name, reason="emergency"), False)

    def reverse(self, data: st.DataObject) -> None:
        seq = data.draw(st.sampled_from(sorted(self.model.done)))
        done = self.model.done[seq]
        after = Counter(self.model.held)
        moves = [(lot, quantity, target, source) for lot, quantity, source, target in done["moves"]]
        for lot, quantity, source, target in moves:
            after[source, lot] -= quantity
            after[target, lot] += quantity
        bounded = all(q >= 0 or place[0] in ("DONOR", "VARIANCE", "CONVERT") for (place, _), q in after.items())
        moved = any(quantity for _, quantity, _, _ in moves)
        answer = self.attempt(
            c.Reverse(transaction=seq), bounded and moved and seq not in self.model.reversed and not done["for_good"]
        )
        if answer is not None:
            self.model.reversed.add(seq)
            self.model.held = after
            if done["draws"] is not None:
                who, drawn = done["draws"]
                for item, quantity in drawn.items():
                    self.model.left[who][item] += quantity

    def send_again(self) -> None:
        if self.last is None:
            return
        command, id, answer = self.last
        assert self.desk.do(command, id=id) == answer

    @invariant()
    def balances_are_the_model_s(self) -> None:
        there = {
            ((row["kind"], row["site"], row["reference"]), row["lot"]): row["quantity"]
            for row in balances_of(self.store)
        }
        assert there == {key: quantity for key, quantity in self.model.held.items() if quantity}

    @invariant()
    def households_have_left_what_the_model_says(self) -> None:
        with self.store.reading() as connection:
            rows = connection.exec_driver_sql("SELECT tag, item, left_over FROM allowances").all()
        there: dict[int, dict[str, int]] = {}
        for household, item, left in rows:
            there.setdefault(int(household, 16), {})[item] = left
        assert there == self.model.left

    def teardown(self) -> None:
        self.desk.proven()
        self.store.close()


def run(new_place: Any, examples: int, steps: int) -> None:
    machine = type("Ledger", (Ledger,), {"new_place": staticmethod(new_place)})
    bounds = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(machine, settings=bounds)


def sqlite_places(templates: dict[str, str], folder: Path) -> Any:
    # In memory where there is room: a thousand small commits need no disk here.
    shared = Path("/dev/shm")
    target = Path(tempfile.mkdtemp(dir=shared if shared.is_dir() else folder))
    return target, lambda: str(shutil.copy(templates["town"], target / f"{next(_NUMBERS)}.db"))


def postgres_places(address: str) -> Any:
    def clone() -> str:
        name = f"model_{next(_NUMBERS)}"
        with psycopg.connect(address.format("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE town")  # type: ignore[arg-type]
        return address.format(name)

    return clone


def test_any_commands_do_on_sqlite_what_a_dictionary_does(sqlite_templates: dict[str, str], tmp_path: Path) -> None:
    folder, new = sqlite_places(sqlite_templates, tmp_path)
    try:
        run(new, 40, 40)
    finally:
        shutil.rmtree(folder)


def test_any_commands_do_on_postgres_what_a_dictionary_does(postgres: str) -> None:
    run(postgres_places(postgres), 5, 20)


@pytest.mark.long
def test_many_commands_do_on_sqlite_what_a_dictionary_does(sqlite_templates: dict[str, str], tmp_path: Path) -> None:
    folder, new = sqlite_places(sqlite_templates, tmp_path)
    try:
        run(new, 500, 50)
    finally:
        shutil.rmtree(folder)


@pytest.mark.long
def test_many_commands_do_on_postgres_what_a_dictionary_does(postgres: str) -> None:
    run(postgres_places(postgres), 60, 50)
