"""The world of a seed: sites, desks, clocks, a network, crashes; and everything it does, step by step."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from nearer.aid import commands as c
from nearer.aid.clock import moment_text
from nearer.aid.offline import sync
from nearer.aid.offline.away import conflicts_of, leases_of
from nearer.aid.offline.document import Card, LeaseDocument, plain, take_lease
from nearer.aid.offline.journal import OfflineDesk
from nearer.aid.reading import command_from
from nearer.aid.refusals import RefusedError
from nearer.aid.store import Store

from ..town import START, TOWN, Desk, tag
from .reference import Given, Reference

SITES = ("north", "south", "east")
HOUSEHOLDS = range(1, 7)
STRANGERS = (91, 92)
ENTITLED = {1: {"rice": 2000, "kit": 1}, 4: {"rice": 5000, "kit": 1}}
STEPS = 70


class CrashError(Exception):
    """The power of one machine is gone."""


def card(who: int) -> str:
    """The hash of a household's card."""
    return hashlib.sha256(f"card {who}".encode()).hexdigest()


def size_of(who: int) -> int:
    return 1 if who % 2 else 4


CARDS = {card(who): who for who in (*HOUSEHOLDS, *STRANGERS)}


def known(found: str, programme: str, period: str) -> tuple[str, int] | None:
    who = CARDS.get(found)
    return (tag(who), size_of(who)) if who in HOUSEHOLDS else None


def set_up(store: Store) -> None:
    """The town with a third centre."""
    desk = Desk(store)
    for command in (*TOWN, c.AddSite(site="east", name="Centre east", time_zone="Europe/Vaduz")):
        desk.do(command)


class FrailStore(Store):
    """A ledger whose machine can lose its power before a commit."""

    doomed = False

    def _write(self, *arguments: Any) -> Any:
        done = super()._write(*arguments)
        if self.doomed:
            raise CrashError
        return done


class Frail:
    """A desk's file whose machine loses its power at the next commit: before it, or just after."""

    def __init__(self, sql: Any, after: bool) -> None:
        self._sql, self._after, self._dead = sql, after, False

    @property
    def in_transaction(self) -> bool:
        return not self._dead and bool(self._sql.in_transaction)

    def execute(self, statement: str, *values: Any) -> Any:
        if statement != "COMMIT":
            return self._sql.execute(statement, *values)
        if self._after:
            self._sql.execute("COMMIT")
        self._dead = True
        raise CrashError

    def close(self) -> None:
        self._sql.close()


class Away:
    """A desk that takes leases, and the person at it."""

    def __init__(self, world: World, name: str, site: str, folder: Path) -> None:
        self.world, self.name, self.site, self.folder = world, name, site, folder
        draw = world.random
        # Most clocks are some minutes off; a few are wrong by years.
        self.off = timedelta(seconds=draw.randint(-120, 120))
        self.wrong = draw.random() < 0.05
        if self.wrong:
            self.off = timedelta(days=draw.choice((-4000, 4000)))
        self.desk: OfflineDesk | None = None
        self.waits: dict[str, Any] | None = None  # for a lease
        self.listed: list[int] = []
        self.returning = False
        self.again: tuple[str, int, dict[str, int], bool] | None = None  # a hand-over that crashed

    def now(self) -> datetime:
        return self.world.time + self.off

    def open(self) -> None:
        self.desk = OfflineDesk(self.folder, now=self.now, new_id=self.world.new_id)

    def want_lease(self) -> None:
        draw = self.world.random
        if self.desk is not None:
            return
        if self.waits is None:
            listed = [who for who in HOUSEHOLDS if draw.random() < 0.4]
            lines = {"rice": draw.randint(1, 6_000), **({"kit": 1} if draw.random() < 0.3 else {})}
            until = self.world.time + timedelta(minutes=draw.choice((30, 90, 300)))
            self.listed = listed
            self.waits = {
                "id": self.world.new_id(),
                "desk": self.name,
                "site": self.site,
                "cards": listed,
                "lines": lines,
                "until": until.isoformat(),
            }
        self.world.send("server", self.name, {"what": "lease", **self.waits})

    def has_lease(self, message: dict[str, Any]) -> None:
        if self.waits is None or message["id"] != self.waits["id"] or self.desk is not None:
            return  # of an earlier time
        if "refused" in message:
            self.waits = None
            return
        document = LeaseDocument.model_validate(message["lease"])
        self.waits = None
        self.returning = False
        if self.wrong:
            self.world.reference.loose.add(document.lease)
        OfflineDesk.begin(self.folder, document)
        self.open()

    def give(self) -> None:
        if self.desk is None or self.returning:
            return
        draw = self.world.random
        if self.again is not None and draw.random() < 0.7:
            id, who, wanted, emergency = self.again
        else:
            id, who = self.world.new_id(), draw.choice((*self.listed, *self.listed, *HOUSEHOLDS, *STRANGERS))
            wanted = {"rice": draw.choice((draw.randint(1, 800), draw.randint(1, 3_000)))}
            if draw.random() < 0.3:
                wanted["kit"] = 1
            emergency = draw.random() < 0.5
        self.again = None
        desk = self.desk
        lease = desk.lease.lease
        listed = desk.look(card(who))["listed"]
        crash = draw.random() < 0.1
        if crash:
            desk._sql = Frail(desk._sql, after=draw.random() < 0.5)  # type: ignore[assignment]
        done = False
        try:
            desk.hand_over(card(who), wanted, by="staff-2", size=size_of(who), emergency=emergency, id=id)
            done = True
        except RefusedError as error:
            self.world.told(f"{self.name} refuses: {error}")
        except CrashError:
            self.crash()
            desk = self.desk
            done = any(row["entry"]["id"] == id for row in desk.journal())
            if not done:
                self.again = (id, who, wanted, emergency)
        if crash and self.desk is desk and isinstance(desk._sql, Frail):
            self.crash()  # refused before it came to the commit
        if done:
            self.world.gave(id, Given(who, wanted, lease=lease, listed=listed))

    def crash(self) -> None:
        self.world.told(f"{self.name} crashes")
        if self.desk is not None:
            self.desk.close()
            self.open()

    def bring(self) -> None:
        if self.desk is None:
            return
        message = self.desk.message(self.world.random.randint(1, 5))
        if message is not None:
            self.world.random.shuffle(message["entries"])
            self.world.send("server", self.name, {"what": "sync", "message": message})
        elif self.returning:
            lease = self.desk.lease
            command = {"lease": lease.lease}
            id = f"give-back-{lease.lease}-{lease.salt}"
            self.world.send("server", self.name, {"what": "do", "kind": "end-lease", "id": id, "body": command})

    def hears(self, message: dict[str, Any]) -> None:
        if message["what"] == "lease":
            self.has_lease(message)
        elif self.desk is None:
            return
        elif message["what"] == "sync":
            self.desk.confirmed(message["answer"])
        elif message["id"] == f"give-back-{self.desk.lease.lease}-{self.desk.lease.salt}":
            self.desk.forget()
            self.desk = None


class World:
    """
    Everything of one seed.

    Parameters
    ----------
    seed
        Decides everything.
    template, folder
        A ledger that is set up, and an empty folder.
    tell
        Takes a line for each thing that happens.
    """

    def __init__(self, seed: int, template: Path, folder: Path, tell: Callable[[str], None] | None = None) -> None:
        self.random = random.Random(seed)
        self.told = tell or (lambda line: None)
        self.time = START + timedelta(hours=1)
        self.place = str(shutil.copy(template, folder / "aid.db"))
        self.store = FrailStore(self.place, clock=self.now)
        self.reference = Reference({who: ENTITLED[size_of(who)] for who in HOUSEHOLDS}, {w: tag(w) for w in HOUSEHOLDS})
        self.desks = [Away(self, f"desk-{n}", site, folder / f"desk-{n}") for n, site in enumerate((*SITES, "north"))]
        self.net: list[tuple[str, str, str]] = []
        self.outbox: dict[str, dict[str, Any]] = {}
        self.reliable = False

    def now(self) -> datetime:
        self.time += timedelta(milliseconds=1)
        return self.time

    def new_id(self) -> str:
        return f"{self.random.getrandbits(64):016x}"

    def gave(self, id: str, given: Given) -> None:
        self.told(f"given {id}: {given}")
        self.reference.given[id] = given

    # The network

    def send(self, to: str, sender: str, message: dict[str, Any]) -> None:
        copies = 1 if self.reliable else self.random.choice((0, 1, 1, 1, 1, 2))
        if sender == "centres":
            copies = min(copies, 1)
        self.net += [(to, sender, json.dumps(message))] * copies

    def deliver(self) -> None:
        """
        Any message that is on its way, however long it has been.

        But a centre's tries of one command arrive in their order, and it listens to the answer of the last one alone: a
        refusal leaves nothing behind, so a copy that came after it would count, and nobody would know.
        """
        if not self.net:
            return
        to, sender, text = self.net[self.random.randrange(len(self.net))]
        if sender == "centres":
            id = json.loads(text)["id"]
            to, sender, text = next(
                sent for sent in self.net if sent[1] == "centres" and json.loads(sent[2])["id"] == id
            )
        self.net.remove((to, sender, text))
        message = json.loads(text)
        self.told(f"{sender} → {to}: {message['what']} {message.get('id', '')}")
        if to == "server":
            self.serve(sender, message)
        elif to == "centres":
            self.hears(message)
        else:
            next(desk for desk in self.desks if desk.name == to).hears(message)

    # The server

    def serve(self, sender: str, message: dict[str, Any]) -> None:
        self.store.doomed = not self.reliable and self.random.random() < 0.05
        try:
            answer = self.answer(message)
        except CrashError:
            self.crash()
            return
        finally:
            self.store.doomed = False
        if not self.reliable and self.random.random() < 0.03:
            self.crash()  # after the commit: the answer is lost
            return
        told = {key: message[key] for key in ("what", "id", "attempt") if key in message}
        self.send(sender, "server", told | answer)

    def answer(self, message: dict[str, Any]) -> dict[str, Any]:
        if message["what"] == "sync":
            return {"answer": sync.receive(self.store, message["message"], known)}
        try:
            if message["what"] == "lease":
                return {"lease": plain(self.lease(message))}
            command = command_from(message["kind"], message["body"])
            return {"done": self.store.do(command, id=message["id"], actor="staff-1")}
        except RefusedError as error:
            return {"refused": str(error)}

    def lease(self, message: dict[str, Any]) -> LeaseDocument:
        return take_lease(
            self.store,
            [Card(card(who), tag(who), size_of(who)) for who in message["cards"]],
            site=message["site"],
            desk=message["desk"],
            programme="basics",
            period="march",
            until=datetime.fromisoformat(message["until"]),
            lines=[c.Wanted(item=item, quantity=amount) for item, amount in message["lines"].items()],
            id=message["id"],
            actor="staff-1",
            new_salt=lambda: self.random.randbytes(16),
        )

    def crash(self) -> None:
        self.told("the server crashes")
        self.store.close()
        self.store = FrailStore(self.place, clock=self.now)

    # Centres with a connection

    def ask(self, kind: str, body: dict[str, Any], given: Given | None = None) -> None:
        id = self.new_id()
        if given is not None and given.forced:
            self.gave(id, given)
        elif given is not None:
            self.reference.asked[id] = given
        self.outbox[id] = {"what": "do", "kind": kind, "id": id, "body": body, "attempt": 0}
        self.try_again(id)

    def try_again(self, id: str) -> None:
        self.outbox[id]["attempt"] += 1
        self.send("server", "centres", self.outbox[id])

    def hears(self, message: dict[str, Any]) -> None:
        if message["attempt"] != self.outbox.get(message["id"], {}).get("attempt"):
            return
        del self.outbox[message["id"]]
        given = self.reference.asked.pop(message["id"], None)
        if "refused" in message:
            self.told(f"refused: {message['refused']}")
        elif given is not None:
            self.gave(message["id"], given)

    def centre_gives(self) -> None:
        who = self.random.choice(HOUSEHOLDS)
        items = {"rice": self.random.choice((self.random.randint(1, 800), self.random.randint(1, 5_000)))}
        if self.random.random() < 0.3:
            items["kit"] = 1
        forced = self.random.random() < 0.15
        body = {
            "site": self.random.choice(SITES),
            "programme": "basics",
            "tag": tag(who),
            "size": size_of(who),
            "lines": [{"item": item, "quantity": amount} for item, amount in items.items()],
            "already_given": forced,
            "proof": "tap",
        }
        self.ask("hand-over", body, Given(who, items, forced=forced))

    def gift(self) -> None:
        item, amount = self.random.choice((("rice", self.random.randint(500, 6_000)), ("kit", 2)))
        lines = [{"item": item, "quantity": amount}]
        if self.random.random() < 0.2:
            lines[0]["use_by"] = "2026-03-02"
        self.ask("receive", {"site": self.random.choice(("hub", *SITES)), "giver": "mill", "lines": lines})

    def move(self) -> None:
        to = self.random.choice(SITES)
        self.ask(
            "send", {"site": "hub", "to": to, "lines": [{"item": "rice", "quantity": self.random.randint(1, 3_000)}]}
        )
        with self.store.reading() as connection:
            found = connection.exec_driver_sql(
                "SELECT a.reference FROM balances b JOIN accounts a ON a.account = b.account "
                "WHERE a.kind = 'TRANSIT' AND b.quantity > 0 ORDER BY 1"
            ).scalars()
            names = list(found)
        if names:
            self.ask("arrive", {"shipment": self.random.choice(names)})

    def tidy(self) -> None:
        """What a coordinator does: end what is over, lose, expire, recall, look at conflicts."""
        for row in leases_of(self.store, open_only=True):
            if row["state"] == "over" and self.random.random() < 0.5:
                self.ask("end-lease", {"lease": row["lease"], "how": "expired"})
        what = self.random.random()
        if what < 0.2:
            self.ask("expire", {"site": self.random.choice(SITES)})
        elif what < 0.4:
            with self.store.reading() as connection:
                lots = list(connection.exec_driver_sql("SELECT lot FROM lots ORDER BY seq, line").scalars())
            if lots:
                lot, site = self.random.choice(lots), self.random.choice(SITES)
                lines = [{"lot": lot, "quantity": self.random.randint(1, 400)}]
                self.ask(
                    *(
                        ("recall", {"lot": lot, "reason": "maker"})
                        if what < 0.23
                        else ("lose", {"site": site, "lines": lines, "reason": "missing"})
                    )
                )
        elif open_ones := conflicts_of(self.store):
            row = self.random.choice(open_ones)
            self.ask("resolve", {"conflict": row["conflict"], "reason": "other"})

    def look_at_leases(self) -> None:
        """A lease that is over while its desk is away can be served by others at the same time."""
        with self.store.reading() as connection:
            over = connection.exec_driver_sql(
                "SELECT lease FROM leases WHERE until <= ? AND lease NOT IN (SELECT lease FROM lease_ends)",
                (moment_text(self.time),),
            )
            self.reference.loose.update(over.scalars())

    # Steps

    def step(self) -> None:
        draw = self.random
        desk = draw.choice(self.desks)
        # Desks at their work: whoever has a lease gives, whoever has none asks for one.
        at_work = desk.desk is not None
        deeds: list[tuple[float, Callable[[], None]]] = [
            (6, desk.give if at_work else desk.want_lease),
            (2, desk.bring),
            (0.4, desk.crash),
            (0.4 if at_work else 0, lambda: setattr(desk, "returning", True)),
            (2, self.centre_gives),
            (0.5, self.gift),
            (0.3, self.move),
            (0.8, self.tidy),
            (0.2, self.crash),
            (0.5, self.ask_again),
        ]
        (deed,) = draw.choices([deed for _, deed in deeds], [weight for weight, _ in deeds])
        self.time += timedelta(minutes=draw.choice((0, 0, 0, 1, 5, 20)))
        self.look_at_leases()
        deed()
        for _ in range(draw.choice((0, 0, 1, 2, 3))):
            self.deliver()
        self.reference.after_a_step(self.store)

    def ask_again(self) -> None:
        if self.outbox:
            self.try_again(self.random.choice(sorted(self.outbox)))

    def run(self, steps: int = STEPS) -> None:
        """Live, then let everything arrive, and hold the ledger against what happened."""
        for item, amount in (("rice", 12_000), ("kit", 4)):
            for site in ("hub", *SITES):
                self.ask("receive", {"site": site, "giver": "mill", "lines": [{"item": item, "quantity": amount}]})
        for _ in range(8):
            self.deliver()
        for _ in range(steps):
            self.step()
        self.settle()
        self.reference.at_the_end(self.store)
        self.store.close()

    def settle(self) -> None:
        """The connection is good again: messages arrive, desks come back."""
        self.reliable = True
        for _ in range(100):
            for id in sorted(self.outbox):
                self.try_again(id)
            for desk in self.desks:
                desk.returning = True
                if desk.waits is not None:
                    desk.want_lease()
                desk.bring()
            if not self.net:
                break
            while self.net:
                self.look_at_leases()
                self.deliver()
        # A lease that was made, and whose desk heard of it too late, is ended by somebody.
        for row in leases_of(self.store, open_only=True):
            self.store.do(c.EndLease(lease=row["lease"]), id=self.new_id(), actor="staff-1")
