"""Travel times against SciPy and pandana: what ``travel.py`` measures, as one of the tables."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks import travel
from benchmarks.child import drive
from benchmarks.environment import interpreter, peer_version
from benchmarks.given import AbsentError, Given
from benchmarks.table import Table

PANDANA_S = 120.0
"""pandana is stopped after so long: on some graphs its preparation takes many minutes."""

MINUTES = [10.0, 30.0, 60.0, 120.0, 300.0]


def tables(given: Given) -> Iterator[Table]:
    """A generated town of a million nodes, then Porto Alegre."""
    table = Table("Travel times, people to sites", tuple(travel.HEADINGS))
    table.rows += map(tuple, travel.on_grid(60, 40, [10.0]) if given.small else travel.on_grid(1_000, 1_000, MINUTES))
    table.notes.append(
        "Reached: nodes within the limit of a site; people: points within it. Ratio: SciPy's bounded Dijkstra on all "
        "nodes, or on junctions only, over ours, processor seconds of one thread. 2 threads: seconds on the clock with "
        "one thread over those with two, which means something on idle processors only."
    )
    try:
        city = given.city("porto_alegre").parents[1]
        table.rows += map(tuple, travel.on_porto_alegre(city))
        table.notes.append(_with_pandana(given, city))
    except AbsentError as absent:
        table.notes.append(f"Porto Alegre was not measured: {absent}.")
    yield table


def _with_pandana(given: Given, data: Path) -> str:
    try:
        version = peer_version(given, "pandana")
        ran = drive("times_pandana", data, interpreter(given), limit_s=PANDANA_S)
    except AbsentError as absent:
        return f"pandana was not measured: {absent}."
    if ran.code is None:
        return f"pandana {version} on Porto Alegre on foot was stopped after {PANDANA_S:g} s, without a result."
    ran.checked()
    return f"pandana {version}: " + "; ".join(
        line for line in ran.said.splitlines() if line.startswith(("ours", "pandana"))
    )
