"""Who lives where in Newtown: square cells near streets, whole people, groups within them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.ndimage import distance_transform_edt

from nearer.errors import UsageError
from nearer.study.newtown.ground import INDUSTRY, VILLAGE, Ground
from nearer.study.newtown.streets import Network
from nearer.units import BoolArray, FloatArray, IntArray

CELL_M = 100.0
PEOPLE_PER_CELL = 20
FARTHEST_M = 150.0  # no one lives farther from a street

# One line per kind of quarter, in the order of `ground`: people per km², then shares of children (0-14), youth (15-24),
# older people (65+) and people on a low income.
CENSUS = np.array(
    [
        [13_500.0, 0.10, 0.17, 0.19, 0.17],  # old centre
        [10_500.0, 0.13, 0.15, 0.18, 0.19],  # inner quarters
        [5_600.0, 0.16, 0.12, 0.20, 0.16],  # terraces
        [13_500.0, 0.24, 0.15, 0.08, 0.33],  # towers
        [1_500.0, 0.15, 0.10, 0.27, 0.04],  # villas
        [40.0, 0.12, 0.14, 0.12, 0.30],  # industry
        [520.0, 0.17, 0.11, 0.22, 0.11],  # villages
    ]
)


@dataclass(frozen=True)
class Cells:
    """
    Populated cells.

    Parameters
    ----------
    x, y
        Middle of each cell, float64 (n_cells,), metres.
    side_m
        Side of a cell, metres.
    kind, quarter_idx
        Kind of ground and quarter, int64 (n_cells,).
    table
        ``id``, ``population`` and the groups, int64 (n_cells,) each.
    """

    x: FloatArray
    y: FloatArray
    side_m: float
    kind: IntArray
    quarter_idx: IntArray
    table: pd.DataFrame


def make_people(ground: Ground, network: Network, people: int, points: int, seed: int) -> Cells:
    """
    Settle exactly so many people in exactly so many cells.

    Cells are 100 m wide at 20 people to a cell; other numbers of points change their side, not the ground they cover.

    Raises
    ------
    UsageError
        There are not so many cells near streets.
    """
    rng = np.random.default_rng([seed, 7])
    side_m = float(np.floor(CELL_M * np.sqrt(people / (PEOPLE_PER_CELL * points))))
    half = int(np.ceil(1.2 * ground.outer_m / side_m))
    away_m = _from_street(network, side_m, half)
    row, column = np.nonzero(away_m <= FARTHEST_M)
    away_m = away_m[row, column]
    x = np.asarray((column - half + 0.5) * side_m, dtype=np.float64)
    y = np.asarray((row - half + 0.5) * side_m, dtype=np.float64)
    quarter_idx = ground.quarter(x, y)
    kind = ground.kind_at(x, y, quarter_idx)
    free = (ground.built_up(x, y, quarter_idx) | (kind == VILLAGE) & _open_country(ground, x, y)) & (kind != INDUSTRY)
    row, column, x, y, away_m, quarter_idx, kind = (a[free] for a in (row, column, x, y, away_m, quarter_idx, kind))
    if len(x) < points:
        raise UsageError(f"Newtown has {len(x):,} cells near streets, not {points:,}; ask for fewer points.")

    density = _density(ground, x, y, kind, quarter_idx, rng) * np.exp(-away_m / 80.0)
    settled = np.sort(np.argsort(-density, kind="stable")[:points])
    row, column, x, y, quarter_idx, kind = (a[settled] for a in (row, column, x, y, quarter_idx, kind))
    total = _whole(density[settled], people)
    width = len(str(2 * half))
    names = [f"{r:0{width}d}-{c:0{width}d}" for r, c in zip(row.tolist(), column.tolist(), strict=True)]
    table = pd.DataFrame({"id": names, "population": total} | _groups(total, kind, quarter_idx, rng))
    return Cells(x, y, side_m, kind, quarter_idx, table)


def _from_street(network: Network, side_m: float, half: int) -> FloatArray:
    """Distance of each cell's middle from a cell with a street in it, metres, float64 (2 half, 2 half)."""
    touched = np.zeros((2 * half, 2 * half), dtype=np.bool_)
    i, j = network.edges.T
    length = np.hypot(network.x[i] - network.x[j], network.y[i] - network.y[j])
    n_steps = int(np.ceil(length.max() / (0.6 * side_m))) + 1
    for t in np.linspace(0.0, 1.0, n_steps):
        column = np.floor((network.x[i] + t * (network.x[j] - network.x[i])) / side_m).astype(np.int64) + half
        row = np.floor((network.y[i] + t * (network.y[j] - network.y[i])) / side_m).astype(np.int64) + half
        touched[row.clip(0, 2 * half - 1), column.clip(0, 2 * half - 1)] = True
    return np.asarray(distance_transform_edt(~touched)) * side_m


def _open_country(ground: Ground, x: FloatArray, y: FloatArray) -> BoolArray:
    """Ground along country roads, where farms and single houses stand."""
    dry = np.abs(ground.river.across(x, y)) > ground.river.half_m + 60.0
    inside = np.hypot(x, y) < 0.97 * ground.outer_m * ground.outline(np.arctan2(y, x))
    return np.asarray(dry & inside & ~ground.parks.covers(x, y) & (np.abs(ground.railway.across(x, y)) > 40.0))


def _density(
    ground: Ground, x: FloatArray, y: FloatArray, kind: IntArray, quarter_idx: IntArray, rng: np.random.Generator
) -> FloatArray:
    """People per km², before they are made whole."""
    from_middle = np.hypot(x - ground.places[quarter_idx, 0], y - ground.places[quarter_idx, 1])
    quarter_luck = rng.lognormal(0.0, 0.22, len(ground.places))[quarter_idx]
    density = CENSUS[kind, 0] * quarter_luck * rng.lognormal(0.0, 0.35, len(x))
    village = kind == VILLAGE
    reach = ground.village_m * ground.size[quarter_idx]
    # Villages thin out from the church to the last house; larger ones are denser.
    fade = 2.2 * np.exp(-1.6 * from_middle / reach) * np.sqrt(ground.size[quarter_idx])
    density = np.where(village, density * fade, density)
    # So does the edge of the city.
    thin = np.clip((1.12 - ground.depth(x, y)) / 0.2, 0.25, 1.0)
    return np.asarray(np.where(village, density, density * thin))


def _whole(density: FloatArray, people: int) -> IntArray:
    """Share people out by density, at least one to each cell, the largest remainders rounded up."""
    exact = density * ((people - len(density)) / density.sum())
    whole = np.floor(exact).astype(np.int64)
    short = people - len(density) - int(whole.sum())
    whole[np.argsort(whole - exact, kind="stable")[:short]] += 1
    return np.asarray(whole + 1)


def _groups(total: IntArray, kind: IntArray, quarter_idx: IntArray, rng: np.random.Generator) -> dict[str, IntArray]:
    n_quarters = int(quarter_idx.max()) + 1
    luck = rng.lognormal(0.0, 0.15, (4, n_quarters))[:, quarter_idx]
    share = (CENSUS[kind, 1:].T * luck).clip(0.0, 0.5)
    children = rng.binomial(total, share[0])
    youth = rng.binomial(total - children, (share[1] / (1.0 - share[0])).clip(0.0, 1.0))
    older = rng.binomial(total - children - youth, (share[2] / (1.0 - share[0] - share[1])).clip(0.0, 1.0))
    poor = rng.binomial(total, share[3])
    return {"age_0_14": children, "age_15_24": youth, "age_65_plus": older, "low_income": poor}
