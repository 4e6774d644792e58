"""
Newtown, a generated city of any size: the proof of scale.

A walled old centre, inner quarters, terraces, villas on one side, industry along the railway, crowded new towers at the
edge, suburbs and villages around, a river and a railway that few streets cross. Its centres were built where the city
was when they were built, so the new quarters lack them. Coordinates lie in the open ocean: no real place is meant.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from nearer.errors import UsageError
from nearer.files import written_whole
from nearer.inputs.geo import LocalPlane
from nearer.progress import Progress, Silent
from nearer.study.newtown.ground import PEOPLE, Ground, make_ground
from nearer.study.newtown.maps import area_features, district_features
from nearer.study.newtown.names import quarter_names
from nearer.study.newtown.population import PEOPLE_PER_CELL, Cells, make_people
from nearer.study.newtown.roads import Roads, make_roads
from nearer.study.newtown.streets import Network, make_streets
from nearer.study.newtown.venues import make_sites
from nearer.study.newtown.ways import write_streets

CENTRES, VENUES, OPEN = 112, 1_000, 98
"""Sites and openings for 400,000 people; other sizes in proportion."""

PLANE = LocalPlane(-30.0, 40.0)
FEWEST_PEOPLE, MOST_PEOPLE = 5_000, 50_000_000
PEOPLE_PER_POINT = 4


def write_newtown(
    folder: Path,
    *,
    people: int = PEOPLE,
    seed: int = 0,
    points: int | None = None,
    sites: int | None = None,
    progress: Progress = Silent(),  # noqa: B008 (says nothing, holds nothing)
) -> None:
    """
    Write Newtown as a study folder, ready to run; the same arguments give the same bytes.

    Parameters
    ----------
    folder
        Where; it is made if need be, and files of an earlier Newtown are replaced.
    people
        Inhabitants, at least 5,000. Ground grows with them: 85 km² of city for 400,000, suburbs around.
    seed
        Another number, another city.
    points
        Populated cells; default one of 100 m for every 20 people. More or fewer make the cells smaller or larger.
    sites
        Centres of today and venues together; default 112 and 1,000 for 400,000 people, and always in that proportion.
    progress
        Where the steps are reported.

    Raises
    ------
    UsageError
        A number is too small or does not fit the others; the message says what would.
    """
    _check(people, seed, points, sites)
    n_points = people // PEOPLE_PER_CELL if points is None else points
    n_sites = round((CENTRES + VENUES) * people / PEOPLE) if sites is None else sites
    n_centres = max(1, round(n_sites * CENTRES / (CENTRES + VENUES)))
    n_venues = n_sites - n_centres
    n_open = min(n_venues, max(1, round(n_centres * OPEN / CENTRES)))

    with progress.step("Newtown", 6) as tick:
        ground, roads, network, cells = _settle(people, n_points, seed)
        tick(3, note="streets and people")
        quarters = quarter_names(len(ground.places), seed)
        centres, venues = make_sites(ground, network, cells, quarters, n_centres, n_venues, seed)
        tick(note="sites")
        write_streets(folder / "streets.osm.pbf", ground, roads, network, quarters, PLANE, seed)
        tick(note="streets written")
        at = pd.DataFrame({"x": cells.x, "y": cells.y})
        _write_table(folder / "people.csv", pd.concat([cells.table, at], axis=1))
        _write_table(folder / "centres.csv", centres)
        _write_table(folder / "venues.csv", venues)
        _write_features(folder / "districts.geojson", district_features(ground, quarters, PLANE))
        for name, features in area_features(ground, PLANE).items():
            _write_features(folder / name, features)
        with written_whole(folder / "nearer.toml") as beside:
            counts = {"before": n_centres, "after": n_centres + n_open, "open": n_open, "people": people}
            text = STUDY.format(**counts, seed=seed, cell_m=cells.side_m)
            beside.write_text(text, encoding="utf-8", newline="\n")
        tick(note="done")


def _settle(people: int, points: int, seed: int) -> tuple[Ground, Roads, Network, Cells]:
    """Lay out ground and streets and settle the people; where room is short, villages grow."""
    ground = make_ground(people, seed)
    roads = make_roads(ground, seed)
    for _ in range(7):
        network = make_streets(ground, roads, seed)
        try:
            return ground, roads, network, make_people(ground, network, people, points, seed)
        except UsageError:
            ground = replace(ground, village_m=1.15 * ground.village_m)
    return ground, roads, network, make_people(ground, network, people, points, seed)


def _check(people: int, seed: int, points: int | None, sites: int | None) -> None:
    if people < FEWEST_PEOPLE:
        raise UsageError(f"Newtown needs at least {FEWEST_PEOPLE:,} people, not {people:,}.")
    if people > MOST_PEOPLE:
        raise UsageError(f"Newtown has room for {MOST_PEOPLE:,} people at most, not {people:,}.")
    if seed < 0:
        raise UsageError(f"The seed is a whole number from 0 on, not {seed}.")
    if points is not None and not 100 <= points <= people // PEOPLE_PER_POINT:
        raise UsageError(
            f"{people:,} people fill 100 to {people // PEOPLE_PER_POINT:,} points; for {points:,} points ask for "
            f"{PEOPLE_PER_CELL * max(points, 100):,} people."
        )
    if sites is not None and sites < 2:
        raise UsageError(f"A plan needs at least one centre and one venue, not {sites} sites.")


def _write_table(path: Path, table: pd.DataFrame) -> None:
    """Write a table, metres turned to degrees of about 0.1 m."""
    lon, lat = PLANE.to_lonlat(table["x"].to_numpy(), table["y"].to_numpy())
    out = table.drop(columns=["x", "y"])
    after = 1 if "population" in out else 2
    out.insert(after, "lon", lon)
    out.insert(after + 1, "lat", lat)
    with written_whole(path) as beside:
        out.to_csv(beside, index=False, lineterminator="\n", float_format="%.6f", encoding="utf-8")


def _write_features(path: Path, features: list[dict[str, Any]]) -> None:
    text = json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False, separators=(",", ":"))
    with written_whole(path) as beside:
        beside.write_text(text + "\n", encoding="utf-8", newline="\n")


STUDY = """\
# Newtown is invented: {people:,} people, generated from seed {seed}. Its coordinates lie in the open ocean.

[study]
name = "Newtown: from {before:,} to {after:,} centres"
seed = 0

[area]
districts = "districts.geojson"   # named quarters and villages, for tables and maps
# river.geojson and parks.geojson lie beside it, for maps

[streets]
file = "streets.osm.pbf"          # an OpenStreetMap extract; or mode = "straight"
mode = "walk"                     # walk | bike | drive | straight
limit_min = 30                    # farther counts as out of reach; access walks at both ends included

[people]
file = "people.csv"               # one row per populated cell
cell_m = {cell_m:g}                      # side of a cell, to draw it
total = "population"
groups = {{ children = "age_0_14", youth = "age_15_24", older = "age_65_plus", low_income = "low_income" }}

[[sites]]
file = "centres.csv"              # the centres of today
status = "existing"

[[sites]]
file = "venues.csv"               # schools, halls, places of worship … of two agencies that could be shared
status = "candidate"

[plan]
open = {open}                         # exactly so many of the candidates; or open_max = at most
objective = "travel"              # the least walking for everyone together
coverage_min = 15                 # minutes that count as near in tables and sentences
# unreached_min = 60              # what a person out of reach counts as; default 2 × limit_min
# group_weights = {{ children = 2.0 }}   # count children's minutes twice
"""
