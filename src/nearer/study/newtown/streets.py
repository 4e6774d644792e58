"""Newtown's street network: main roads filled in with side streets, cut by water and rails."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components, minimum_spanning_tree
from scipy.spatial import KDTree

from nearer.study.newtown.ground import INNER, OLD, OLD_DEPTH, TOWERS, VILLA, VILLAGE, Curve, Ground
from nearer.study.newtown.neighbours import gabriel, nearest
from nearer.study.newtown.roads import (
    FOOTWAY,
    LIVING,
    PEDESTRIAN,
    PRIMARY,
    RESIDENTIAL,
    STEPS,
    Roads,
)
from nearer.units import BoolArray, FloatArray, IntArray

LONGEST_M = 290.0  # no side street runs farther without a crossing

# One line per kind of quarter, in the order of `ground`: block sides (m), jitter over the block, share of the streets
# kept beside those that hold the network together, share of the bent ones, share of one-way streets.
FABRIC = np.array(
    [
        [60.0, 60.0, 0.34, 0.86, 0.5, 0.25],  # old centre
        [80.0, 112.0, 0.07, 0.93, 0.0, 0.25],  # inner quarters
        [75.0, 155.0, 0.07, 0.86, 0.0, 0.10],  # terraces
        [125.0, 140.0, 0.06, 0.55, 0.2, 0.02],  # towers
        [100.0, 135.0, 0.26, 0.40, 0.8, 0.0],  # villas
        [170.0, 230.0, 0.06, 0.90, 0.0, 0.05],  # industry
        [92.0, 118.0, 0.28, 0.45, 0.7, 0.0],  # villages
    ]
)


@dataclass(frozen=True)
class Network:
    """
    Streets as a graph of crossings, metres.

    Parameters
    ----------
    x, y
        Nodes, float64 (n_nodes,).
    edges
        Ends of each piece of street, int64 (n_edges, 2).
    rank
        Street class, int64 (n_edges,), positions in ``roads.HIGHWAY``.
    road_idx
        Main road each piece belongs to, int64 (n_edges,), -1 for side streets.
    bridge, oneway
        bool (n_edges,).
    quarter_idx
        Quarter of each piece, int64 (n_edges,).
    middle
        A bend half-way along a piece, float64 (n_edges, 2), NaN where it is straight.
    """

    x: FloatArray
    y: FloatArray
    edges: IntArray
    rank: IntArray
    road_idx: IntArray
    bridge: BoolArray
    oneway: BoolArray
    quarter_idx: IntArray
    middle: FloatArray


def make_streets(ground: Ground, roads: Roads, seed: int) -> Network:
    """Draw the side streets around the main roads and keep what hangs together."""
    rng = np.random.default_rng([seed, 3])
    x, y, address = _crossings(ground, roads, rng)
    side = _blocks(gabriel(x, y, LONGEST_M), address)
    open_mask, foot = _side_streets(ground, roads, x, y, side, rng)
    main_open, bridge = _main_roads(ground, roads)

    edges = np.vstack([roads.edges[main_open], side[open_mask]])
    n_main, n_side = int(main_open.sum()), int(open_mask.sum())
    rank = np.concatenate([roads.rank[roads.road_idx[main_open]], foot[open_mask]])
    road_idx = np.concatenate([roads.road_idx[main_open], np.full(n_side, -1)])
    over_water = _over(ground.river, x, y, side[open_mask]) | _over(ground.railway, x, y, side[open_mask])
    bridge = np.concatenate([bridge[main_open], over_water])

    mid_x, mid_y = x[edges].mean(axis=1), y[edges].mean(axis=1)
    quarter_idx = ground.quarter(mid_x, mid_y)
    kind = ground.kind_at(mid_x, mid_y, quarter_idx)
    length = np.hypot(*(np.diff(c[edges], axis=1)[:, 0] for c in (x, y)))
    is_side = np.arange(len(edges)) >= n_main
    luck = rng.uniform(size=(3, len(edges)))
    rank = np.where((rank == RESIDENTIAL) & (kind == OLD) & (luck[0] < 0.25), PEDESTRIAN, rank)
    rank = np.where((rank == RESIDENTIAL) & ((kind == VILLA) | (kind == TOWERS)) & (luck[0] < 0.25), LIVING, rank)
    rank = np.where(is_side & (kind == OLD) & (length < 55.0) & (luck[1] < 0.06), STEPS, rank)
    oneway = (rank == RESIDENTIAL) & (luck[2] < FABRIC[kind, 5])
    bent = is_side & ~bridge & (rng.uniform(size=len(edges)) < FABRIC[kind, 4])
    aside = np.where(bent, rng.uniform(-0.13, 0.13, len(edges)), np.nan)
    i, j = edges.T
    middle = np.column_stack([mid_x - aside * (y[j] - y[i]), mid_y + aside * (x[j] - x[i])])
    return _largest(Network(x, y, edges, rank, road_idx, bridge, oneway, quarter_idx, middle))


def _crossings(ground: Ground, roads: Roads, rng: np.random.Generator) -> tuple[FloatArray, FloatArray, IntArray]:
    """
    Nodes of the main roads, then the crossings of side streets: a turned lattice in every quarter, all of it bent.

    Returns
    -------
    x, y
        float64 (n_nodes,).
    address
        Lattice of each crossing, its row and its column, int64 (n_nodes, 3); -1 for nodes of main roads.
    """
    places = ground.places
    spacing_m = np.asarray(KDTree(places).query(places, k=[2])[0])[:, 0]
    found, addresses = [], []
    for place, kind in enumerate(ground.kind.tolist()):
        radius_m = 1.6 * ground.village_m * ground.size[place] if kind == VILLAGE else 2.4 * spacing_m[place]
        points, address = _lattice(places[place], FABRIC[kind], min(radius_m, ground.city_m), rng)
        found.append(points)
        addresses.append(np.column_stack([np.full(len(points), place), address]))
    # The old centre is drawn across the quarters it lies in.
    points, address = _lattice(places[0], FABRIC[OLD], 0.25 * ground.city_m, rng)
    found.append(points)
    addresses.append(np.column_stack([np.full(len(points), len(places)), address]))

    xy, address = _bend(np.vstack(found), ground.wobble), np.vstack(addresses)
    x, y = xy.T
    quarter_idx = ground.quarter(x, y)
    is_old = ground.depth(x, y) < OLD_DEPTH
    keep = np.where(address[:, 0] == len(places), is_old, (quarter_idx == address[:, 0]) & ~is_old)
    x, y, address, quarter_idx = x[keep], y[keep], address[keep], quarter_idx[keep]
    kind_at = ground.kind_at(x, y, quarter_idx)
    from_road_m = nearest(np.column_stack([roads.x, roads.y]), x, y)[0]
    clear = from_road_m > np.minimum(0.55 * FABRIC[kind_at, 0], 48.0)
    keep = clear & ground.built_up(x, y, quarter_idx)
    return (
        np.concatenate([roads.x, x[keep]]),
        np.concatenate([roads.y, y[keep]]),
        np.vstack([np.full((len(roads.x), 3), -1), address[keep]]),
    )


def _lattice(
    middle: FloatArray, fabric: FloatArray, radius_m: float, rng: np.random.Generator
) -> tuple[FloatArray, IntArray]:
    width, depth, jitter = fabric[:3]
    n_columns, n_rows = int(radius_m / width), int(radius_m / depth)
    columns, rows = np.meshgrid(np.arange(-n_columns, n_columns + 1), np.arange(-n_rows, n_rows + 1))
    column, row = columns.ravel(), rows.ravel()
    inside = np.hypot(column * width, row * depth) <= radius_m
    column, row = column[inside], row[inside]
    u = (column + rng.uniform(-jitter, jitter, len(column))) * width
    v = (row + rng.uniform(-jitter, jitter, len(row))) * depth
    turn = rng.uniform(0.0, np.pi / 2)
    x = middle[0] + u * np.cos(turn) - v * np.sin(turn)
    y = middle[1] + u * np.sin(turn) + v * np.cos(turn)
    return np.column_stack([x, y]), np.column_stack([row, column])


def _bend(points: FloatArray, wobble: FloatArray) -> FloatArray:
    """Push points aside by long waves, so that no street runs dead straight through a quarter."""
    x, y = points.T
    east = 85.0 * np.sin(2 * np.pi * y / 1900.0 + wobble[0]) + 60.0 * np.sin(2 * np.pi * (x + y) / 1300.0 + wobble[1])
    north = 85.0 * np.sin(2 * np.pi * x / 2100.0 + wobble[2]) + 60.0 * np.sin(2 * np.pi * (x - y) / 1500.0 + wobble[0])
    return np.column_stack([x + east, y + north])


def _blocks(edges: IntArray, address: IntArray) -> IntArray:
    """Edges without those that would cut a block of a lattice across, and without those between main roads."""
    a, b = address[edges[:, 0]], address[edges[:, 1]]
    beside = np.abs(a[:, 1:] - b[:, 1:]).sum(axis=1) == 1
    between_roads = (a[:, 0] < 0) & (b[:, 0] < 0)
    return np.asarray(edges[((a[:, 0] != b[:, 0]) | beside) & ~between_roads])


def _side_streets(
    ground: Ground, roads: Roads, x: FloatArray, y: FloatArray, side: IntArray, rng: np.random.Generator
) -> tuple[BoolArray, IntArray]:
    """Which possible side streets exist, and the class of each."""
    i, j = side.T
    mid_x, mid_y = (x[i] + x[j]) / 2, (y[i] + y[j]) / 2
    length = np.hypot(x[i] - x[j], y[i] - y[j])
    n_road_nodes = len(roads.x)
    to_road = (i < n_road_nodes) | (j < n_road_nodes)
    over_river, over_rails = _over(ground.river, x, y, side), _over(ground.railway, x, y, side)
    in_park = np.zeros(len(side), dtype=np.bool_)
    for t in (0.25, 0.5, 0.75):
        in_park |= ground.parks.covers(x[i] + t * (x[j] - x[i]), y[i] + t * (y[j] - y[i]))
    possible = ~(over_river | over_rails | in_park)

    kind = ground.kind_at(mid_x, mid_y, ground.quarter(mid_x, mid_y))
    graph = csr_array(
        (np.where(possible, rng.uniform(0.5, 1.0, len(side)) * length, 1e9), (i, j)), shape=(len(x), len(x))
    )
    tree = minimum_spanning_tree(graph).tocoo()
    holds = np.isin(
        i * len(x) + j, np.minimum(tree.row, tree.col).astype(np.int64) * len(x) + np.maximum(tree.row, tree.col)
    )
    luck = rng.uniform(size=len(side))
    open_mask = possible & (holds | (luck < FABRIC[kind, 3] * np.where(to_road, 0.6, 1.0)))
    rank = np.full(len(side), RESIDENTIAL)
    # Between towers and behind villas what is closed to cars is a path.
    path = possible & ~open_mask & (luck > 1.0 - np.where(kind == TOWERS, 0.35, np.where(kind == VILLA, 0.12, 0.04)))
    central = ground.depth(mid_x, mid_y) < 0.95
    for curve, over, gap_m in ((ground.river, over_river, 1500.0), (ground.railway, over_rails, 1000.0)):
        could = np.flatnonzero(over & central & ~in_park & ((kind == OLD) | (kind == INNER) | (luck < 0.5)))
        u = curve.along(mid_x[could], mid_y[could])
        taken = curve.along(*_middle(roads)[_main_crossings(ground, roads, curve)].T)
        path[could[_spaced(u, length[could], gap_m, taken)]] = True
    rank[path] = FOOTWAY
    return open_mask | path, rank


def _main_roads(ground: Ground, roads: Roads) -> tuple[BoolArray, BoolArray]:
    """Which pieces of main road exist, and which of them are bridges."""
    bridge = np.zeros(len(roads.edges), dtype=np.bool_)
    bridge[_main_crossings(ground, roads, ground.railway)] = True
    open_mask = bridge | ~_sides(ground.railway, roads.x, roads.y, roads.edges)
    # A bridge is as long as the road is over water: pieces follow each other along a road, so it is a run of them.
    wet = _over(ground.river, roads.x, roads.y, roads.edges)
    run = np.cumsum(np.diff(wet * (roads.road_idx + 1), prepend=-1) != 0)
    spans = wet & np.isin(run, run[_main_crossings(ground, roads, ground.river)])
    return (open_mask & ~wet) | spans, bridge | spans


def _main_crossings(ground: Ground, roads: Roads, curve: Curve) -> IntArray:
    """Pieces of main road that are given a crossing: the important first, then at a distance from each other."""
    at = np.flatnonzero(_sides(curve, roads.x, roads.y, roads.edges))
    road = roads.road_idx[at]
    x, y = _middle(roads)[at].T
    gap_m = np.where(roads.rank[road] == PRIMARY, 250.0, np.where(ground.depth(x, y) < 0.5, 500.0, 1200.0))
    order = np.where(roads.ring[road] >= 0, -1.0, 0.0) + roads.rank[road].astype(np.float64)
    return at[_spaced(curve.along(x, y), order, gap_m, np.zeros(0))]


def _middle(roads: Roads) -> FloatArray:
    return np.column_stack([roads.x[roads.edges].mean(axis=1), roads.y[roads.edges].mean(axis=1)])


def _sides(curve: Curve, x: FloatArray, y: FloatArray, edges: IntArray) -> BoolArray:
    """Which edges join the two sides of a line."""
    left = np.signbit(curve.across(x, y))
    return np.asarray(left[edges[:, 0]] != left[edges[:, 1]])


def _over(curve: Curve, x: FloatArray, y: FloatArray, edges: IntArray) -> BoolArray:
    """Which edges cross a line or enter its width."""
    v = curve.across(x, y)
    near = np.abs(v) < curve.half_m
    return np.asarray(near[edges[:, 0]] | near[edges[:, 1]] | _sides(curve, x, y, edges))


def _spaced(u: FloatArray, order: FloatArray, gap_m: float | FloatArray, taken: FloatArray) -> IntArray:
    """Positions chosen in the order given, each at least the gap away from all chosen before and from those taken."""
    gaps = np.broadcast_to(np.asarray(gap_m, dtype=np.float64), u.shape)
    chosen: list[int] = []
    at = np.sort(taken)
    for k in np.lexsort((u, order)):
        place = int(np.searchsorted(at, u[k]))
        beside = at[max(0, place - 1) : place + 1]
        if not len(beside) or np.min(np.abs(beside - u[k])) >= gaps[k]:
            chosen.append(int(k))
            at = np.insert(at, place, u[k])
    return np.array(chosen, dtype=np.int64)


def _largest(network: Network) -> Network:
    """The largest connected part, nodes renumbered from west to east so that neighbours lie close in the file."""
    n = len(network.x)
    i, j = network.edges.T
    part = connected_components(csr_array((np.ones(len(i)), (i, j)), shape=(n, n)), directed=False)[1]
    keep_node = part == np.argmax(np.bincount(part))
    keep = keep_node[i]
    new_idx = np.cumsum(keep_node) - 1
    return Network(
        network.x[keep_node],
        network.y[keep_node],
        new_idx[network.edges[keep]],
        network.rank[keep],
        network.road_idx[keep],
        network.bridge[keep],
        network.oneway[keep],
        network.quarter_idx[keep],
        network.middle[keep],
    )
