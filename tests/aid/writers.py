"""
Processes of their own that write to a ledger, as ``python -m tests.aid.writers WHAT PLACE …``.

Each prints one line for each command that was acknowledged, at once.
"""

from __future__ import annotations

import os
import sqlite3
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy as sa

from nearer.aid import commands as c
from nearer.aid.refusals import NotEnoughError
from nearer.aid.store import Store, url_of

from .town import wanted

ROOT = Path(__file__).resolve().parents[2]
ROOT_ENV: dict[str, Any] = {
    "cwd": ROOT,
    "env": os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])},
}
"""Where such a process is started, and what it must know."""

SEND_ONE = c.Send(site="hub", to="north", lines=wanted(rice=1))


def draw(place: str, name: str, most: int) -> None:
    """Draw one at a time through the ledger until there is nothing, or ``most`` were tried."""
    with Store(place, wait_s=60) as store:
        start()
        for number in range(most):
            try:
                store.do(SEND_ONE, id=f"{name}-{number:08d}", actor="staff-1")
            except NotEnoughError:
                break
            told(f"{name}-{number:08d}")


def draw_wrongly(place: str, name: str, most: int) -> None:
    """The same as many programs do it: read what there is, then write what is left."""
    url = url_of(place)
    connection: sqlite3.Connection | psycopg.Connection
    if url.get_backend_name() == "sqlite":
        connection = sqlite3.connect(str(url.database), isolation_level=None, timeout=60)
    else:
        connection = psycopg.connect(place, autocommit=True)
    start()
    for number in range(most):
        row = connection.execute("SELECT held FROM wrong").fetchone()
        assert row is not None
        if row[0] < 1:
            break
        time.sleep(0.001)  # somebody looks at the screen
        connection.execute(f"UPDATE wrong SET held = {int(row[0]) - 1}")
        told(f"{name}-{number:08d}")


def write(place: str, name: str, most: int) -> None:
    """Send one gram after the other."""
    with Store(place, wait_s=60) as store:
        start()
        for number in range(most):
            store.do(SEND_ONE, id=f"{name}-{number:08d}", actor="staff-1")
            told(f"{name}-{number:08d}")


def write_synced(place: str, name: str, most: int, synchronous: str = "") -> None:
    """Send one gram after the other, with checkpoints so often that some fall in; perhaps with another setting."""
    with Store(place, wait_s=60) as store:

        @sa.event.listens_for(store.engine, "checkout")
        def set_up(driver: sqlite3.Connection, *_: object) -> None:
            driver.execute("PRAGMA wal_autocheckpoint = 60")
            if synchronous:
                driver.execute(f"PRAGMA synchronous = {synchronous}")

        start()
        for number in range(most):
            store.do(SEND_ONE, id=f"{name}-{number:08d}", actor="staff-1")
            told(f"{name}-{number:08d}")


def start() -> None:
    """Say that all is set, and wait for the word."""
    told("ready")
    sys.stdin.readline()


def told(line: str) -> None:
    """Print at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


WRITERS: dict[str, Callable[[str, str, int], None]] = {
    "draw": draw,
    "draw_wrongly": draw_wrongly,
    "write": write,
    "write_FULL": write_synced,
    "write_NORMAL": partial(write_synced, synchronous="NORMAL"),
    "write_OFF": partial(write_synced, synchronous="OFF"),
}

if __name__ == "__main__":
    WRITERS[sys.argv[1]](sys.argv[2], sys.argv[3], int(sys.argv[4]))
