"""The plan itself: the solver against other solvers, and Porto Alegre from files to report."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from benchmarks import expansion
from benchmarks.given import AbsentError, Given
from benchmarks.study import access, plan, steps_table, verify
from benchmarks.table import Table

EXISTING, OPEN = 112, 98
TITLE = "Porto Alegre, 112 → 210, from files to report"

STUDY = f"""\
[study]
name = "Porto Alegre: from 112 to 210 centres"

[streets]
file = "streets.osm.pbf"
mode = "walk"
limit_min = 30
snap_m = 2000

[people]
file = "people.csv"
total = "population"

[[sites]]
file = "sites.csv"

[plan]
open = {OPEN}
"""


def tables(given: Given) -> Iterator[Table]:
    """First the solver on its own, then the whole chain."""
    yield from expansion.table(given)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "porto_alegre"
        try:
            write_study(given, folder)
        except AbsentError as absent:
            yield Table(TITLE, (), notes=[f"Not measured: {absent}."])
            return
        runs = {name: plan(folder) for name in ("first run", "again")}
        _, verified = verify(folder)
    table = steps_table(TITLE, runs)
    table.notes += [
        "812,935 people in 1,124 populated cells, sites at the centres of all 1,227; 30 minutes on foot. What stays "
        "between the runs is what `nearer plan` itself keeps in the study folder; compiled code was there before both.",
        access(runs["again"]),
        verified,
    ]
    yield table


def write_study(given: Given, folder: Path) -> None:
    """
    Write the study: first by healthcare, people and id stand already, all other cells are candidates.

    Raises
    ------
    AbsentError
        The optional data folder is absent.
    """
    streets, grid = (given.city("porto_alegre", name) for name in ("poa_osm.pbf", "poa_hexgrid.csv"))
    folder.mkdir(parents=True)
    shutil.copyfile(streets, folder / "streets.osm.pbf")
    shutil.copyfile(grid, folder / "people.csv")
    cells = pd.read_csv(grid)
    ranked = cells.fillna({"healthcare": 0}).sort_values(
        ["healthcare", "population", "id"], ascending=[False, False, True], kind="stable"
    )
    sites = ranked[["id", "lon", "lat"]].copy()
    sites.insert(1, "name", "cell " + sites["id"])
    sites["status"] = ["existing"] * EXISTING + ["candidate"] * (len(sites) - EXISTING)
    sites.to_csv(folder / "sites.csv", index=False)
    (folder / "nearer.toml").write_text(STUDY, encoding="utf-8")
