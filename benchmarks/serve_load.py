"""One server under load: 200 desks that hand over, 50 planners who read, and plans that are made meanwhile."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import count as counting
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.child import ROOT, run
from benchmarks.given import Given
from benchmarks.machine import load
from benchmarks.study import plan as planned
from benchmarks.table import Table, count
from nearer.aid import commands as c
from nearer.aid.audit import audit
from nearer.aid.households import book, staff
from nearer.aid.households.store import Households, beside
from nearer.aid.migrate import create
from nearer.aid.store import Store

PASSWORD = "four plain words here"
STAFF, CENTRES = 20, 20
RICE, OIL = 5_000, 1_000
"""Base units that a household gets at its visit."""

SECONDS = "NEARER_SERVE_SECONDS"


@dataclass(frozen=True)
class Size:
    """
    How much is asked of the server.

    Parameters
    ----------
    people
        Of Newtown, whose plan is looked at and made anew.
    desks, desk_every_s, planners, planner_every_s
        How many of each, and how often each works.
    workers, solve_s
        Plans at once, and the time limit of each.
    seconds
        How long it lasts.
    """

    people: int = 400_000
    desks: int = 200
    desk_every_s: float = 10.0
    planners: int = 50
    planner_every_s: float = 5.0
    workers: int = 1
    solve_s: float = 10.0
    seconds: float = 300.0

    @property
    def visits(self) -> int:
        """Households that are served, with some to spare."""
        return int(self.desks * (self.seconds / self.desk_every_s + 2))


SMALL = Size(people=6_000, desks=20, desk_every_s=1.0, planners=5, planner_every_s=1.0, solve_s=2.0, seconds=6.0)


def tables(given: Given) -> Iterator[Table]:
    """The load with no plan being made, then with; NEARER_SERVE_SECONDS says how long each lasts (300)."""
    size = SMALL if given.small else Size(seconds=float(os.environ.get(SECONDS, "300")))
    # a plan that was told to stop may still be writing
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        town = make(Path(scratch), size)
        yield table(size, measured(town, size))


@dataclass(frozen=True)
class Town:
    """A folder of studies with a plan, a ledger and the cards of its households."""

    home: Path
    ledger: Path
    study: str
    cards: list[str]


def make(folder: Path, size: Size) -> Town:
    """Newtown with a plan of it, and a ledger of twenty centres with staff, goods and households."""
    home = folder / "studies"
    run(["-m", "nearer", "new", str(home / "newtown"), "--example", "newtown", "--people", str(size.people)]).checked()
    planned(home / "newtown", "--time-limit", str(size.solve_s))
    ledger = folder / "aid.db"
    create(str(ledger))
    place, keys = beside(str(ledger))
    today, numbers = date.today(), counting()
    with Store(str(ledger)) as store, Households(place, keys, make=True) as people:
        for command in (
            *(c.AddSite(site=f"c{n}", name=f"Centre {n}", time_zone="Europe/Vaduz") for n in range(CENTRES)),
            c.AddParty(party="mill", organisation="The old mill"),
            c.AddItem(item="rice", name="Rice", unit="g", units={"kg": 1000}),
            c.AddItem(item="oil", name="Oil", unit="ml", units={"l": 1000}),
            c.AddProgramme(programme="basics", name="Basics"),
            c.OpenPeriod(
                programme="basics", period="now", first_day=today - timedelta(days=9),
                last_day=today + timedelta(days=20),
                rules=(c.Rule(item="rice", quantity=RICE), c.Rule(item="oil", quantity=OIL)),
            ),
            *(
                c.Receive(site=f"c{n}", giver="mill", lines=tuple(
                    c.Gift(item=item, quantity=each * size.visits) for item, each in (("rice", RICE), ("oil", OIL))
                ))
                for n in range(CENTRES)
            ),
        ):  # fmt: skip
            store.do(command, id=f"set-up-{next(numbers):04d}", actor="boss")
        staff.add(people, "boss", "coordinator", PASSWORD)
        for number in range(min(STAFF, size.desks)):
            staff.add(people, f"desk-{number}", "desk", PASSWORD)
        cards = [
            book.enrol(people, size=4, home=f"c{n % CENTRES}", language="en", by="boss")[1] for n in range(size.visits)
        ]
    return Town(home, ledger, "newtown", cards)


@dataclass
class Watched:
    """Memory and processor of a server and of the process that makes its maps, looked at every second."""

    pid: int
    resident_mb: list[float] = field(default_factory=list)
    server_mb: list[float] = field(default_factory=list)

    def cpu_s(self) -> tuple[float, float, float]:
        """Processor seconds of the server itself, of its map maker, and of its children that have ended."""
        own, ended = _cpu_s(self.pid)
        maker = self._maker()
        return own, 0.0 if maker is None else _cpu_s(maker)[0], ended

    def look(self) -> None:
        """Note what they hold now."""
        maker = self._maker()
        self.server_mb.append(_resident_mb(self.pid))
        self.resident_mb.append(self.server_mb[-1] + (0.0 if maker is None else _resident_mb(maker)))

    def _maker(self) -> int | None:
        for path in Path(f"/proc/{self.pid}/task").glob("*/children"):
            for child in path.read_text().split():
                with suppress(OSError):
                    if b"nearer.serve.making" in Path(f"/proc/{child}/cmdline").read_bytes():
                        return int(child)
        return None


def _cpu_s(pid: int) -> tuple[float, float]:
    """Of a process, and of its children that have ended."""
    ticks = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:15]
    own, ended = sum(map(int, ticks[:2])), sum(map(int, ticks[2:]))
    return own / os.sysconf("SC_CLK_TCK"), ended / os.sysconf("SC_CLK_TCK")


def _resident_mb(pid: int) -> float:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1]) / 1024
    return 0.0


@dataclass(frozen=True)
class Measured:
    """What the clients say, and what the server used."""

    told: dict[str, Any]
    server_cpu_s: float
    maps_cpu_s: float
    solves_cpu_s: float
    resident_mb: list[float]
    server_mb: list[float]
    handed_over: int
    load: tuple[float, float]


def measured(town: Town, size: Size) -> Measured:
    """Start the server and the clients, wait, and count what is in the ledger at the end."""
    asked = {
        "cards": town.cards, "study": town.study, "plan": "plan", "password": PASSWORD,
        "staff": min(STAFF, size.desks), "sites": [f"c{n}" for n in range(CENTRES)],
        "lines": [{"item": "rice", "quantity": RICE}, {"item": "oil", "quantity": OIL}],
        **{name: getattr(size, name) for name in (
            "desks", "desk_every_s", "planners", "planner_every_s", "workers", "solve_s", "seconds")},
    }  # fmt: skip
    before = load() or 0.0
    with serving(town, size.workers) as (pid, address):
        file = town.home.parent / "asked.json"
        file.write_text(json.dumps(asked | {"address": address}))
        command = [sys.executable, "-m", "benchmarks.serve_clients", str(file)]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as clients:
            assert clients.stdout is not None
            if not clients.stdout.readline():
                raise RuntimeError("the clients did not begin")
            watched, ended = Watched(pid), threading.Event()
            before_s = watched.cpu_s()

            def look() -> None:
                while not ended.wait(1.0):
                    watched.look()

            thread = threading.Thread(target=look)
            thread.start()
            try:
                line = clients.stdout.readline()
            finally:
                ended.set()
                thread.join()
            spent_s = [after - one for after, one in zip(watched.cpu_s(), before_s, strict=True)]
        told = json.loads(line)
    with Store(str(town.ledger)) as store:
        report = audit(store)
        assert report.holds, report.findings[:3]
        with store.reading() as connection:
            statement = "SELECT count(*) FROM transactions WHERE kind = 'hand-over'"
            handed_over = int(connection.exec_driver_sql(statement).scalar_one())
    return Measured(
        told, *spent_s, watched.resident_mb, watched.server_mb, handed_over, (before, load() or 0.0)
    )  # fmt: skip


@contextmanager
def serving(town: Town, workers: int) -> Iterator[tuple[int, str]]:
    """The real server in a process of its own: its number and its address."""
    command = [
        sys.executable, "-m", "nearer", "serve", str(town.home), "--ledger", str(town.ledger), "--port", "0",
        "--no-open", "--workers", str(max(1, workers)),
    ]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            found = re.search(r"(http://[^/\s]+)/", process.stdout.readline())
            if found is None:
                raise RuntimeError("the server did not begin")
            yield process.pid, found[1]
        finally:
            process.terminate()
            process.wait(timeout=30)


READS = ("study", "plan", "scene", "areas", "page", "figures", "legend", "tile of streets", "tile of people", "studies")


def table(size: Size, found: Measured) -> Table:
    """Percentiles of each kind, and what it took."""
    told = found.told
    spent: dict[str, list[float]] = told["spent_ms"]
    title = (
        f"One server, {size.desks} desks and {size.planners} planners for {told['seconds']:.0f} s"
        f"{', plans being made' if size.workers else ''}"
    )
    rows = Table(title, ("what", "answers", "p50 ms", "p95 ms", "p99 ms", "most ms"))
    rows.rows.append(_row("hand-overs", spent.get("hand-over", [])))
    rows.rows.append(_row("cards looked at", spent.get("card looked at", [])))
    rows.rows.append(_row("reads, all", [one for kind in READS for one in spent.get(kind, [])]))
    rows.rows += [_row(f"  of {visit} visits", told["visits_ms"].get(visit, [])) for visit in ("first", "later")]
    rows.rows += [_row(f"  {kind}", spent[kind]) for kind in READS if kind in spent]
    rows.rows += [_row(kind, spent[kind]) for kind in ("jobs seen", "job asked for") if kind in spent]
    answers = sum(len(ones) for ones in spent.values())
    solves = ", ".join(f"{n} {name}" for name, n in sorted(told["counted"].items()) if name.startswith("solves"))
    rows.notes += [
        f"Errors: {'none' if not told['wrong'] else '; '.join(f'{n} × {what}' for what, n in told['wrong'].items())}.",
        f"Handed over: {count(told['counted'].get('handed over', 0))} answered with yes, {count(found.handed_over)} in "
        "the ledger, whose audit holds.",
        f"Processor: the server {found.server_cpu_s:.1f} s ({1000 * found.server_cpu_s / max(answers, 1):.2f} ms an "
        f"answer, {100 * found.server_cpu_s / told['seconds']:.0f} % of one core), maps in a process of their own "
        f"{found.maps_cpu_s:.1f} s, the clients {told['cpu_s']:.1f} s, "
        f"plans that ended {found.solves_cpu_s:.1f} s ({solves or 'none asked for'}).",
        f"Memory of the server and of the process that makes maps: {_memory(found.resident_mb)}. Of the server alone: "
        f"{_memory(found.server_mb)}.",
        f"{told['bytes'] / 1e6:.0f} MB were sent; {count(told['unchanged'])} answers were 304.",
        f"The machine's load was {found.load[0]:.1f} before and {found.load[1]:.1f} after; this load is about 1 to 2.",
    ]
    return rows


def _memory(resident_mb: list[float]) -> str:
    """At each minute, and how much more a minute after the first; one look a second."""
    if not resident_mb:
        return "not looked at"
    said = f"{', '.join(f'{mb:.0f}' for mb in (*resident_mb[::60], resident_mb[-1]))} MB at each minute and at the end"
    later = resident_mb[60:]
    if len(later) < 60:
        return f"{said}, at most {max(resident_mb):.0f}"
    slope = float(np.polyfit(np.arange(len(later)) / 60, later, 1)[0])
    return f"{said}, at most {max(resident_mb):.0f}; after the first minute {slope:+.1f} MB a minute"


def _row(name: str, spent: list[float]) -> tuple[str, ...]:
    if not spent:
        return (name, "0", "–", "–", "–", "–")
    ordered = sorted(spent)
    at = (ordered[min(len(ordered) - 1, int(len(ordered) * share))] for share in (0.5, 0.95, 0.99))
    return (name, count(len(spent)), *(f"{one:.0f}" for one in (*at, ordered[-1])))
