"""Reading streets from an extract, against pyrosm."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.child import Ran, drive
from benchmarks.environment import interpreter, peer_version
from benchmarks.given import AbsentError, Given
from benchmarks.table import Table, count, ratio, seconds

CITIES = (
    ("Porto Alegre", ("porto_alegre", "poa_osm.pbf")),
    ("Helsinki, centre", ("helsinki", "Helsinki.osm.pbf")),
)
HEADINGS = (
    "streets",
    "reader",
    "first s",
    "first CPU s",
    "later s",
    "later CPU s",
    "graph ready s",
    "nodes",
    "segments",
    "peak MB",
    "CPU ratio, first",
    "CPU ratio, later",
)


def tables(given: Given) -> Iterator[Table]:
    """Each city on foot and by car."""
    table = Table("Reading streets", HEADINGS)
    table.notes.append(
        "First: the import and one reading, as one run of a program pays; later: least of three more. Both give "
        "a table of nodes and one of segments; pyrosm's carries tags and geometries as well, and tag rules differ, so "
        "the numbers of streets do. Ratio: the peer's processor seconds over ours. Our peak includes the "
        "graph builder."
    )
    peer = None
    try:
        peer = f"pyrosm {peer_version(given, 'pyrosm')}"
    except AbsentError as absent:
        table.notes.append(f"pyrosm was not measured: {absent}.")
    for name, place in CITIES[:1] if given.small else CITIES:
        try:
            path = given.city(*place)
        except AbsentError as absent:
            table.notes.append(f"{name} was not read: {absent}.")
            continue
        for mode in ("walk", "drive"):
            ours, ran = _read("read_nearer", path, mode)
            table.rows.append(_row(f"{name}, {mode}", "nearer", ours, ran, None))
            if peer is not None:
                theirs, ran = _read("read_pyrosm", path, mode, python=interpreter(given))
                table.rows.append(_row(f"{name}, {mode}", peer, theirs, ran, ours))
    yield table


def _read(driver: str, path: Path, mode: str, **how: Any) -> tuple[dict[str, Any], Ran]:
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch) / "out.json"
        ran = drive(driver, path, mode, out, **how).checked()
        return json.loads(out.read_text()), ran


def _row(what: str, reader: str, noted: dict[str, Any], ran: Ran, ours: dict[str, Any] | None) -> tuple[str, ...]:
    return (
        what,
        reader,
        seconds(noted["first_s"]),
        seconds(noted["first_cpu_s"]),
        seconds(noted["read_s"]),
        seconds(noted["read_cpu_s"]),
        seconds(noted.get("ready_s")),
        count(noted["nodes"]),
        count(noted["segments"]),
        count(ran.peak_mb),
        ratio(noted["first_cpu_s"], ours and ours["first_cpu_s"]),
        ratio(noted["read_cpu_s"], ours and ours["read_cpu_s"]),
    )
