"""Newtown's centres of today and the venues that could become one."""

from __future__ import annotations

import numpy as np
import pandas as pd

from nearer.errors import UsageError
from nearer.study.newtown.ground import Ground
from nearer.study.newtown.names import distinct, street_names
from nearer.study.newtown.neighbours import nearest
from nearer.study.newtown.population import Cells
from nearer.study.newtown.streets import Network
from nearer.units import FloatArray, IntArray

AGENCIES = ("municipality", "Newtown Aid")

# kind, agency, how common, cost of fitting it out
KINDS = (
    ("school", 0, 26, 42_000),
    ("municipal office", 0, 8, 24_000),
    ("library", 0, 8, 30_000),
    ("sports hall", 0, 10, 36_000),
    ("clinic", 0, 8, 55_000),
    ("parish hall", 1, 13, 28_000),
    ("church", 1, 9, 33_000),
    ("mosque", 1, 7, 33_000),
    ("community hall", 1, 11, 26_000),
)

# Centres per person, by kind of quarter in the order of `ground`: the old quarters got theirs long ago.
PROVISION = np.array([8.0, 2.4, 0.35, 0.02, 0.35, 0.0, 0.8])

CLUSTER, SPREAD = 6.0, 2.2  # blocks per site (see `_spread`): centres crowd where they are, venues lie everywhere


def make_sites(
    ground: Ground, network: Network, cells: Cells, quarters: list[str], n_centres: int, n_venues: int, seed: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """
    Place today's centres unevenly and the venues where people live.

    Returns
    -------
    centres, venues
        ``id``, ``name``, ``agency``, ``kind``, ``cost`` (venues only), ``quarter`` and ``x``, ``y`` in metres; ids and
        names are distinct over both.

    Raises
    ------
    UsageError
        More sites are asked for than there are cells.
    """
    rng = np.random.default_rng([seed, 8])
    people = cells.table["population"].to_numpy(np.float64)
    if max(n_centres, n_venues) > len(people):
        raise UsageError(f"{n_centres + n_venues:,} sites do not fit {len(people):,} populated cells; ask for fewer.")
    luck = rng.lognormal(0.0, 0.8, len(ground.places))[cells.quarter_idx]
    centre_idx = _spread(cells, people * PROVISION[cells.kind] * luck, n_centres, CLUSTER, rng)
    venue_idx = _spread(cells, people**0.6, n_venues, SPREAD, rng)

    stock = street_names(1500, seed)
    kind = rng.choice(len(KINDS), n_venues, p=np.array([k[2] for k in KINDS]) / sum(k[2] for k in KINDS))
    cost = np.array([k[3] for k in KINDS])[kind] * rng.lognormal(0.0, 0.2, n_venues)
    street = rng.integers(len(stock), size=n_venues)
    centre_quarter = [quarters[k] for k in cells.quarter_idx[centre_idx]]
    venue_quarter = [quarters[k] for k in cells.quarter_idx[venue_idx]]
    names = distinct(
        [
            *(f"{quarter} Centre" for quarter in centre_quarter),
            *(
                _name(KINDS[k][0], stock[s], quarter)
                for k, s, quarter in zip(kind.tolist(), street.tolist(), venue_quarter, strict=True)
            ),
        ]
    )
    x, y = _on_street(network, cells, np.concatenate([centre_idx, venue_idx]), rng)
    centres = pd.DataFrame(
        {
            "id": [f"C{k + 1:04d}" for k in range(n_centres)],
            "name": names[:n_centres],
            "agency": [AGENCIES[k] for k in rng.choice(2, n_centres, p=[0.7, 0.3])],
            "quarter": centre_quarter,
            "x": x[:n_centres],
            "y": y[:n_centres],
        }
    )
    venues = pd.DataFrame(
        {
            "id": [f"V{k + 1:05d}" for k in range(n_venues)],
            "name": names[n_centres:],
            "agency": [AGENCIES[KINDS[k][1]] for k in kind],
            "kind": [KINDS[k][0] for k in kind],
            "cost": (np.round(cost / 500.0) * 500).astype(np.int64),
            "quarter": venue_quarter,
            "x": x[n_centres:],
            "y": y[n_centres:],
        }
    )
    return centres, venues


def _spread(cells: Cells, weight: FloatArray, n: int, blocks: float, rng: np.random.Generator) -> IntArray:
    """
    Draw n cells by weight, at most one per block, where a block's chance is the weight of all its cells.

    ``blocks`` is the number of blocks for each draw: few keep sites apart, many let them crowd.
    """
    block_m = max(cells.side_m, float(np.sqrt(len(weight) * cells.side_m**2 / (blocks * n))))
    while True:
        code = np.floor(cells.x / block_m).astype(np.int64) * 2**24 + np.floor(cells.y / block_m).astype(np.int64)
        block, group = np.unique(code, return_inverse=True)
        mass = np.bincount(group, weights=weight)
        if np.sum(mass > 0) >= n or block_m <= cells.side_m:
            break
        block_m = max(cells.side_m, 0.8 * block_m)
    # The first of independent exponential clocks, with rates as the weights, is a draw without replacement.
    with np.errstate(divide="ignore"):
        clock = rng.exponential(size=len(block)) / mass
        own_clock = rng.exponential(size=len(weight)) / weight
    first = np.argsort(clock, kind="stable")[:n]
    by_block = np.lexsort((own_clock, group))
    start = np.searchsorted(group[by_block], np.arange(len(block)))
    return np.sort(by_block[start[first]])


def _on_street(
    network: Network, cells: Cells, cell_idx: IntArray, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """A spot beside the crossing nearest to each cell."""
    nodes = np.column_stack([network.x, network.y])
    node_idx = nearest(nodes, cells.x[cell_idx], cells.y[cell_idx])[1]
    theta, r = rng.uniform(0.0, 2 * np.pi, len(cell_idx)), rng.uniform(6.0, 25.0, len(cell_idx))
    return nodes[node_idx, 0] + r * np.cos(theta), nodes[node_idx, 1] + r * np.sin(theta)


def _name(kind: str, street: str, quarter: str) -> str:
    match kind:
        case "school" | "library" | "clinic" | "mosque" | "church":
            return f"{street} {kind.capitalize()}, {quarter}"
        case "municipal office":
            return f"{quarter} Municipal Office, {street}"
        case _:
            return f"{quarter} {kind.capitalize()}, {street}"
