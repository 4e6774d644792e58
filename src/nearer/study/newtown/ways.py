"""Newtown's streets as OpenStreetMap ways, and the file they are written to."""

from __future__ import annotations

from itertools import chain
from pathlib import Path

import numpy as np
import osmium
from osmium.osm.mutable import Node, Way

from nearer.files import written_whole
from nearer.inputs.geo import LocalPlane
from nearer.study.newtown.ground import VILLAGE, Curve, Ground
from nearer.study.newtown.names import street_names
from nearer.study.newtown.roads import FOOTWAY, HIGHWAY, LIVING, PRIMARY, STEPS, TERTIARY, Roads
from nearer.study.newtown.streets import Network
from nearer.units import IntArray

STRAIGHT = 0.8  # cosine: a street goes on where it turns by less than 37°
LONGEST_WAY = 400  # pieces


def strokes(network: Network) -> list[list[int]]:
    """
    Pieces of street joined where they run on, as ways of one class and main road each.

    At every crossing the two ends that run on straightest are joined, if each is the other's straightest (R. C.
    Thomson, "The 'stroke' concept in geographic network generalization and analysis", 2006).

    Returns
    -------
    Signed positions: piece e walked forwards is 2e, backwards 2e + 1.
    """
    mate = _mates(network)
    done = bytearray(len(network.edges))
    partner = mate.tolist()
    found: list[list[int]] = []
    # First the streets that end somewhere, then those that run in a circle; forwards first, for one-way streets.
    ends = np.arange(len(mate))
    for start in np.lexsort((ends, ends % 2, mate >= 0)).tolist():
        if done[start >> 1]:
            continue
        stroke: list[int] = []
        end = start
        while end >= 0 and not done[end >> 1] and len(stroke) < LONGEST_WAY:
            done[end >> 1] = 1
            stroke.append(end)
            end = partner[end ^ 1]
        found.append(stroke)
    return found


def write_streets(
    path: Path, ground: Ground, roads: Roads, network: Network, quarters: list[str], plane: LocalPlane, seed: int
) -> None:
    """Write streets, river and railway as an OpenStreetMap extract; the same streets give the same bytes."""
    bent = np.flatnonzero(np.isfinite(network.middle[:, 0]))
    mid_id = np.zeros(len(network.edges), dtype=np.int64)
    n = len(network.x)
    mid_id[bent] = n + 1 + np.arange(len(bent))
    lon, lat = plane.to_lonlat(
        np.concatenate([network.x, network.middle[bent, 0]]), np.concatenate([network.y, network.middle[bent, 1]])
    )
    lines = [_line(ground.river, ground, plane), _line(ground.railway, ground, plane)]
    stock = street_names(1500, seed)
    rng = np.random.default_rng([seed, 6])
    with written_whole(path) as beside:
        header = osmium.io.Header()
        header.set("generator", "nearer newtown")  # so that no reader credits OpenStreetMap
        writer = osmium.SimpleWriter(str(beside), header=header)
        try:
            streets = zip(lon.tolist(), lat.tolist(), strict=True)
            for node_id, at in enumerate(chain.from_iterable([streets, *lines]), start=1):
                writer.add_node(Node(id=node_id, location=at))
            way_id, first = 0, n + len(bent) + 1
            for line, tags in zip(
                lines, ({"waterway": "river", "name": "Newtown River"}, {"railway": "rail"}), strict=True
            ):
                way_id += 1
                writer.add_way(Way(id=way_id, nodes=list(range(first, first + len(line))), tags=tags))
                first += len(line)
            ends, middle = network.edges.tolist(), mid_id.tolist()
            pieces = strokes(network)
            told = rng.integers(len(stock), size=len(pieces)).tolist()
            for stroke, name in zip(pieces, told, strict=True):
                way_id += 1
                nodes = [ends[stroke[0] >> 1][stroke[0] & 1] + 1]
                for end in stroke:
                    if middle[end >> 1]:
                        nodes.append(middle[end >> 1])
                    nodes.append(ends[end >> 1][1 - (end & 1)] + 1)
                tags = _tags(network, roads, ground, quarters, stroke[0] >> 1, stock[name])
                writer.add_way(Way(id=way_id, nodes=nodes, tags=tags))
        finally:
            writer.close()


def _mates(network: Network) -> IntArray:
    """For each end of a piece (2e at its first node, 2e + 1 at its second) the end it runs on to, -1 for none."""
    i, j = network.edges.T
    n_ends = 2 * len(i)
    node = np.column_stack([i, j]).ravel()
    dx, dy = network.x[j] - network.x[i], network.y[j] - network.y[i]
    length = np.maximum(np.hypot(dx, dy), 1e-9)
    ux, uy = np.column_stack([dx, -dx]).ravel(), np.column_stack([dy, -dy]).ravel()
    ux, uy = ux / np.repeat(length, 2), uy / np.repeat(length, 2)
    label = ((network.rank * 2 + network.bridge) * 2 + network.oneway) * (int(network.road_idx.max()) + 2)
    label = np.repeat(label + network.road_idx + 1, 2)
    # One-way streets may only be joined head to tail.
    oneway = np.repeat(network.oneway, 2)
    order = np.argsort(node, kind="stable")
    firsts, seconds, scores = [], [], []
    for step in range(1, int(np.bincount(node).max(initial=1))):
        a, b = order[:-step], order[step:]
        score = -(ux[a] * ux[b] + uy[a] * uy[b])
        fits = (node[a] == node[b]) & (label[a] == label[b]) & (score > STRAIGHT) & (~oneway[a] | ((a ^ b) & 1 == 1))
        firsts.append(a[fits])
        seconds.append(b[fits])
        scores.append(score[fits])
    mate = np.full(n_ends, -1, dtype=np.int64)
    if not firsts:
        return mate
    a, b, score = np.concatenate(firsts), np.concatenate(seconds), np.concatenate(scores)
    best = np.full(n_ends, -np.inf)
    np.maximum.at(best, a, score)
    np.maximum.at(best, b, score)
    mutual = (best[a] == score) & (best[b] == score)
    a, b = a[mutual], b[mutual]
    once = np.bincount(np.concatenate([a, b]), minlength=n_ends) == 1  # exact ties are left unjoined
    both = once[a] & once[b]
    mate[a[both]], mate[b[both]] = b[both], a[both]
    return mate


def _line(curve: Curve, ground: Ground, plane: LocalPlane) -> list[tuple[float, float]]:
    x, y = curve.line(1.3 * ground.outer_m, 120.0)
    inside = np.hypot(x, y) < ground.outer_m * ground.outline(np.arctan2(y, x))
    lon, lat = plane.to_lonlat(x[inside], y[inside])
    return list(zip(lon.tolist(), lat.tolist(), strict=True))


def _tags(network: Network, roads: Roads, ground: Ground, quarters: list[str], edge: int, name: str) -> dict[str, str]:
    rank, road = int(network.rank[edge]), int(network.road_idx[edge])
    tags = {"highway": HIGHWAY[rank]}
    if road >= 0:
        tags["name"] = road_name(roads, road, quarters)
        built_up = ground.kind[network.quarter_idx[edge]] != VILLAGE
        tags["maxspeed"] = ("50" if built_up else "80") if rank <= TERTIARY - 1 else ("40" if built_up else "60")
        tags["sidewalk"] = "both"
        if rank == PRIMARY and built_up:
            tags["lanes"] = "4"
    elif rank not in (FOOTWAY, STEPS):
        tags["name"] = name
        if rank < LIVING:
            tags["maxspeed"] = "30"
    if network.oneway[edge]:
        tags["oneway"] = "yes"
    if network.bridge[edge]:
        tags |= {"bridge": "yes", "layer": "1"}
    return tags


def road_name(roads: Roads, road: int, quarters: list[str]) -> str:
    """Main roads are called after the place they lead to, rings after themselves."""
    if roads.ring[road] >= 0:
        return ("Inner Ring", "Outer Ring")[int(roads.ring[road])]
    farther = int(roads.ends[road].max())
    return f"{quarters[farther]} Road" if farther < len(quarters) else "Country Road"
