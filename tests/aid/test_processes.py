"""Several processes at one lot, and processes that are killed in the middle."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nearer.aid.audit import audit
from nearer.aid.store import Store

from .conftest import NewPlace
from .town import Desk
from .writers import SEND_ONE

ROOT = Path(__file__).resolve().parents[2]


def begin(what: str, place: str, name: str, most: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.aid.writers", what, place, name, str(most)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])},
    )


def go(processes: list[subprocess.Popen[str]]) -> None:
    """Wait until all are ready, and let them go at once."""
    for process in processes:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line == "ready\n", line + (process.stderr.read() if process.stderr else "")
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()


def raced(what: str, place: str, processes: int, most: int) -> int:
    """How many draws were acknowledged in all."""
    running = [begin(what, place, f"writer-{number}", most) for number in range(processes)]
    try:
        go(running)
        ended = [process.communicate(timeout=600) for process in running]
    finally:
        for process in running:
            process.kill()
    assert all(process.returncode == 0 for process in running), [error for _, error in ended]
    return sum(len(out.split()) for out, _ in ended)


def race(place: str, processes: int, most: int, stock: int) -> None:
    """Draw more than there is from one lot: exactly what there is comes out."""
    with Store(place) as store:
        desk = Desk(store)
        lot = desk.give(item="rice", quantity=stock)
        assert raced("draw", place, processes, most) == stock
        assert desk.held("STOCK") == {}
        assert desk.held("TRANSIT") == {lot: stock}
        desk.proven()


def test_processes_that_draw_on_one_lot_never_get_more_than_there_is(place: str) -> None:
    race(place, 3, 60, 120)


def test_the_same_race_finds_the_fault_of_reading_first_and_writing_then(place: str) -> None:
    with Store(place) as store, store.engine.connect() as connection:
        connection.exec_driver_sql("CREATE TABLE wrong (held INTEGER)")
        connection.exec_driver_sql("INSERT INTO wrong VALUES (120)")
        connection.commit()
    assert raced("draw_wrongly", place, 3, 100) > 120


@pytest.mark.long
def test_eight_processes_draw_ten_thousand_each(place: str) -> None:
    race(place, 8, 10_000, 79_990)


def killed(place: str, rounds: int, seed: int) -> tuple[int, int]:
    """
    Kill a writer again and again at a random moment.

    Returns
    -------
    acknowledged, in_flight
        Commands whose answer came, and rounds in which one more had been written whose answer did not come.
    """
    draw = random.Random(seed)
    acknowledged: list[str] = []
    in_flight = 0
    with Store(place) as store:
        desk = Desk(store)
        lot = desk.give(item="rice", quantity=10**9)
    for number in range(rounds):
        process = begin("write", place, f"round-{number}", 10**6)
        try:
            go([process])
            time.sleep(draw.uniform(0.01, 0.4))
        finally:
            process.send_signal(signal.SIGKILL)
        out, _ = process.communicate(timeout=60)
        # A line that was cut off is an answer that did not come.
        mine = [line for line in out.splitlines(keepends=True) if line.endswith("\n")]
        acknowledged += [line.strip() for line in mine]
        with Store(place) as store, store.reading() as connection:
            there = [row[0] for row in connection.exec_driver_sql("SELECT id FROM transactions WHERE kind = 'send'")]
        assert len(there) == len(set(there))
        assert set(acknowledged) <= set(there)
        written = [id for id in there if id.startswith(f"round-{number}-")]
        assert len(written) - len(mine) in (0, 1)
        in_flight += len(written) - len(mine)
        # Whoever got no answer sends the same id again, and it counts once.
        with Store(place) as store:
            desk = Desk(store)
            store.do(SEND_ONE, id=f"round-{number}-{len(mine):08d}", actor="staff-1")
            acknowledged.append(f"round-{number}-{len(mine):08d}")
            assert desk.held("TRANSIT") == {lot: len(acknowledged)}
            assert audit(store).holds
    return len(acknowledged), in_flight


def test_what_was_acknowledged_before_a_kill_is_there_once(place: str) -> None:
    acknowledged, _ = killed(place, 3, seed=5)
    assert acknowledged > 10


@pytest.mark.long
def test_what_was_acknowledged_before_two_hundred_kills_is_there_once(new_place: NewPlace) -> None:
    acknowledged, in_flight = killed(new_place(), 200, seed=6)
    print(f"{acknowledged} acknowledged, {in_flight} rounds with one more written and not answered")
