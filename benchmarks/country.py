"""Travel times at the scale of a country: a million points, 10,000 sites, five million street nodes, in parts."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.child import drive
from benchmarks.given import AbsentError, Given
from benchmarks.table import Table, count, seconds

POINTS, SITES, MINUTES, SIDE, COPIES = 1_000_000, 10_000, 30, 1_340, 4
SMALL_POINTS, SMALL_SITES, SMALL_SIDE = 2_000, 100, 60
STEPS = {
    "graph": "graph from streets",
    "people joined": "people joined to streets",
    "sites joined": "sites joined to streets",
    "chains": "segments strung to chains",
    "laid out": "arrays written",
    "chunks": "sample of sites",
    "parts": "parts: searched, sorted, written",
    "rows": "rows from parts, sorted, written",
}
VARIANTS = {
    "every node": "on every node instead of junctions",
    "shuffled": "junctions numbered at random",
    "junctions": "as it is",
    "two threads": "as it is, two threads",
}


def tables(given: Given) -> Iterator[Table]:
    """The generated country, then Porto's streets in 4 × 4 copies."""
    size = (SMALL_POINTS, SMALL_SITES) if given.small else (POINTS, SITES)
    sources = {"generated": str(SMALL_SIDE if given.small else SIDE)}
    missing = []
    try:
        file = given.city("porto", "porto_portugal.osm.pbf")
        sources[f"Porto, {COPIES} × {COPIES} copies"] = f"{file}*{COPIES}"
    except AbsentError as absent:
        missing.append(f"Porto was not measured: {absent}.")
    noted = {name: _measured(source, *size) for name, source in sources.items()}
    title = f"Travel times in parts: {size[0]:,} points, {size[1]:,} sites, {MINUTES} minutes on foot"
    table = Table(title, ("step", *(f"{name}, {what}" for name in noted for what in ("CPU s", "peak MB"))))
    for step, what in STEPS.items():
        cells = [one["steps"][step] for one in noted.values()]
        table.rows.append(
            (what, *(text for cell in cells for text in (seconds(cell["cpu_s"]), count(cell["peak_mb"]))))
        )
    everything = [sum(one["steps"][step]["cpu_s"] for step in STEPS) for one in noted.values()]
    peaks = [max(one["steps"][step]["peak_mb"] for step in STEPS) for one in noted.values()]
    table.rows.append(
        ("**all**", *(text for s, mb in zip(everything, peaks, strict=True) for text in (seconds(s), count(mb))))
    )
    workers = (text for one in noted.values() for text in (seconds(one["worker_cpu_s"]), count(one["worker_mb"])))
    table.rows.append(("a worker of its own: start, one part", *workers))
    for name, one in noted.items():
        table.notes.append(
            f"{name}: {one['nodes']:,} nodes, {one['junctions']:,} junctions, {one['pairs']:,} pairs in {one['parts']} "
            f"parts of {one['parts_mb']:.0f} MB in all, laid out in {one['layout_mb']:.0f} MB."
        )
    yield table
    tried = min(one["tried"] for one in noted.values())
    table = Table(f"Searches from {tried:,} sites", ("CPU s (on the clock)", *noted))
    for variant, what in VARIANTS.items():
        cells = [one["variants"][variant] for one in noted.values()]
        table.rows.append((what, *(f"{seconds(cpu)} ({seconds(clock)})" for clock, cpu, _ in cells)))
    table.notes += [
        "On every node the sites are others, equally many.",
        "Two threads: the seconds on the clock mean something on idle processors only.",
        *missing,
    ]
    yield table


def _measured(source: str, points: int, sites: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as scratch:
        folder, out = Path(scratch) / "parts", Path(scratch) / "out.json"
        drive("country", source, str(points), str(sites), str(MINUTES), "1", folder, out).checked()
        noted: dict[str, Any] = json.loads(out.read_text())
        (layout,) = folder.iterdir()
        last = noted["joined"] // noted["parts"]
        worker = drive("country_part", layout, "0", str(last), Path(scratch)).checked()
    return noted | {"worker_cpu_s": worker.cpu_s, "worker_mb": worker.peak_mb}
