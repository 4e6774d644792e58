"""The desk under load: hand-overs, traces and audit of a large ledger, commands over HTTP, servers killed."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.aid_town import EACH, ITEMS, Town, day_of, grow, tag_of
from benchmarks.given import Given
from benchmarks.table import Table, count
from nearer.aid import commands as c
from nearer.aid.audit import audit
from nearer.aid.store import Store
from nearer.aid.trace import trace

ROOT = Path(__file__).resolve().parents[1]


def tables(given: Given) -> Iterator[Table]:
    """Hand-overs, traces and audit on SQLite; NEARER_AID_PERIODS says how many periods the ledger has (3; 14: 10 M)."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "aid.db"
        periods = 2 if given.small else int(os.environ.get("NEARER_AID_PERIODS", "3"))
        yield _large(file, Town(200 if given.small else 100_000, periods), 50 if given.small else 2_000)
        yield _http(Path(folder) / "http.db", 1 if given.small else 10)
        yield _killed(Path(folder) / "killed.db", 2 if given.small else 200)


def _large(file: Path, town: Town, visits: int) -> Table:
    table = Table("A large ledger, SQLite", ("what", "seconds", "CPU s", "p50 ms", "p99 ms"))
    table.notes.append(
        f"{count(town.postings)} postings of {count(town.households)} households at {town.centres} centres, written in "
        "bulk with the same rows and chain as hand-overs one by one; the audit proves it."
    )
    grow(file, town)
    period = town.periods - 1
    noon = datetime.combine(day_of(period), datetime.min.time(), UTC) + timedelta(hours=12)
    lines = tuple(c.Wanted(item=item, quantity=EACH) for item in ITEMS)
    with Store(str(file), clock=lambda: noon) as store:
        spent, cpu = [], time.process_time()
        for household in range(visits):
            command = c.HandOver(
                site=f"c{household % town.centres}",
                programme="basics",
                tag=tag_of(household, period),
                size=3,
                lines=lines,
            )
            start = time.perf_counter()
            store.do(command, id=f"measured-{household:08d}", actor="bench")
            spent.append(time.perf_counter() - start)
        table.rows.append(_row(f"{count(visits)} hand-overs of {len(ITEMS)} items", spent, time.process_time() - cpu))
        lots = [row["lot"] for row in trace(store, str(_last(store)))["lots"]]
        spent, cpu = [], time.process_time()
        for lot in lots:
            start = time.perf_counter()
            trace(store, lot)
            spent.append(time.perf_counter() - start)
        table.rows.append(_row(f"{len(lots)} traces of a lot", spent, time.process_time() - cpu))
    # In a process of its own: its memory is then the audit's.
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.aid_load", str(file)], cwd=ROOT, check=True, capture_output=True, text=True
    )
    seconds, busy, megabytes, postings = done.stdout.split()
    table.rows.append((f"audit of {count(int(postings))} postings", seconds, busy, "–", "–"))
    table.notes.append(f"The audit's process had {megabytes} MB at most.")
    return table


def _last(store: Store) -> int:
    with store.reading() as connection:
        return int(connection.exec_driver_sql("SELECT seq FROM head").scalar_one())


def _row(name: str, spent: list[float], cpu: float) -> tuple[str, ...]:
    ordered = sorted(spent)
    half, most = ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.99)]
    return name, f"{sum(spent):.2f}", f"{cpu:.2f}", f"{1000 * half:.2f}", f"{1000 * most:.2f}"


def _http(file: Path, seconds: float) -> Table:
    from tests.aid.clients import Load
    from tests.aid.server import Nursery

    from benchmarks.aid import _stock
    from nearer.aid.migrate import create

    table = Table("Transfers over HTTP, 8 clients", ("where", "per second", "server CPU ms each"))
    memory = Path("/dev/shm")
    for where, place in (("the disk", file), ("memory", memory / f"nearer-bench-{os.getpid()}.db")):
        if where == "memory" and not memory.is_dir():
            continue
        create(str(place))
        with Store(str(place)) as store:
            _stock(store)
        nursery = Nursery(str(place))
        try:
            load = Load(nursery.start(), 8, "bench-00")
            load.ready(50)
            before, begun, busy = len(load.acknowledged), time.perf_counter(), nursery.cpu_s()
            time.sleep(seconds)
            done = len(load.acknowledged) - before
            spent, busy = time.perf_counter() - begun, nursery.cpu_s() - busy
            load.end()
            nursery.kill()
        finally:
            nursery.close()
            if where == "memory":
                for left in memory.glob(f"{place.name}*"):
                    left.unlink()
        table.rows.append((where, count(done / spent), f"{1000 * busy / done:.2f}"))
    table.notes.append("The real server, on one core at most; the clients are threads of one process beside it.")
    return table


def _killed(file: Path, rounds: int) -> Table:
    from tests.aid.test_kills import killed_servers
    from tests.aid.town import Desk

    from nearer.aid.migrate import create

    create(str(file))
    with Store(str(file)) as store:
        Desk(store).set_up()
    start = time.perf_counter()
    told = killed_servers(str(file), rounds, 8, seed=8)
    table = Table(
        "Servers killed (kill -9) under load of 8 clients, SQLite",
        ("kills", "with a command in flight", "acknowledged", "lost", "unanswered", "of these written", "seconds"),
    )
    table.rows.append(
        (
            *(count(told[name]) for name in ("rounds", "in_flight", "acknowledged")),
            "0",
            *(count(told[name]) for name in ("unanswered", "written")),
            f"{time.perf_counter() - start:.0f}",
        )
    )
    table.notes.append("After each kill every acknowledged command was there once and the audit held; else this fails.")
    return table


if __name__ == "__main__":
    begun, busy_before = time.perf_counter(), time.process_time()
    with Store(sys.argv[1]) as opened:
        report = audit(opened)
    assert report.holds, report.findings[:3]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{time.perf_counter() - begun:.1f}", f"{time.process_time() - busy_before:.1f}", round(peak), report.postings
    )
