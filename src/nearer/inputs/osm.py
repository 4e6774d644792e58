"""Streets from an OpenStreetMap extract, as the tag rules of one mode leave them."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import osmium

from nearer.errors import Faults, InputError
from nearer.inputs.geo import lengths_m
from nearer.inputs.tables import Streets
from nearer.inputs.tags import WAY_KEYS, ferry_kmh, node_closed, street_class, way_kind, way_speeds
from nearer.progress import Progress, Silent
from nearer.units import BoolArray, IntArray

SUFFIXES = (".osm.pbf", ".pbf", ".osm", ".osm.bz2", ".osm.gz")
"""File names that are taken for OpenStreetMap extracts."""

Bounds = tuple[float, float, float, float]
"""West, south, east, north, degrees."""

_UNKNOWN = 2_147_483_647  # how osmium marks a node whose place it does not know, in units of 1e-7 degrees
_PER_DEGREE = 1e7
_TICK_WAYS = 5_000
_MODE_WORDS = {"walk": "walking", "bike": "cycling", "drive": "driving"}


def read_streets(
    path: Path,
    mode: str,
    *,
    speed_kmh: float | None = None,
    bounds: Bounds | None = None,
    name: str | None = None,
    progress: Progress | None = None,
) -> Streets:
    """
    Read the street segments that are open to one mode.

    Ways join where they share a node of the same OSM id. A way that runs out of the extract keeps the stretches whose
    nodes are in it. A barrier that stops the mode (see `tags.node_closed`) parts the way there, but only where no third
    stretch meets: at a junction nobody can tell which arm it closes.

    Parameters
    ----------
    path
        ``.osm.pbf``, ``.osm``, ``.osm.bz2`` or ``.osm.gz``.
    mode
        "walk", "bike" or "drive".
    speed_kmh
        Speed on plain ground, km/h; default by mode, ignored driving.
    bounds
        West, south, east, north in degrees: segments whose box does not touch it are left out. None keeps all.
    name
        How the file is called in messages; default its name.
    progress
        Where to report; default silent.

    Returns
    -------
    Streets
        Segments in the order of the file; nodes in the order of their OSM ids, then those made where a barrier parts a
        way. The same file gives the same arrays.

    Raises
    ------
    InputError
        The file is missing, not an extract, damaged, or holds no street for the mode.
    """
    name = name or path.name
    refs, xs, ys = array("q"), array("q"), array("q")
    counts, classes = array("q"), array("B")
    forward, backward = array("d"), array("d")
    way_names: list[str] = []
    closed_nodes: set[int] = set()
    ways_seen = 0
    barriers, ways = osmium.filter.KeyFilter("barrier"), osmium.filter.KeyFilter(*WAY_KEYS)
    barriers.enable_for(osmium.osm.NODE)
    ways.enable_for(osmium.osm.WAY)  # relations pass too, and are few

    with (progress or Silent()).step(f"Reading {name}") as tick, opened_extract(path, name) as processor:
        for entity in processor.with_locations("flex_mem").with_filter(barriers).with_filter(ways):
            if isinstance(entity, osmium.osm.Node):
                if node_closed(dict(entity.tags), mode):
                    closed_nodes.add(entity.id)
                continue
            if not isinstance(entity, osmium.osm.Way):
                continue
            tags = dict(entity.tags)
            if way_kind(tags) is None or entity.deleted:
                continue
            ways_seen += 1
            if ways_seen % _TICK_WAYS == 0:
                tick(_TICK_WAYS)
            speeds = way_speeds(tags, mode, speed_kmh)
            if speeds == (0.0, 0.0):
                continue
            nodes = [(node.ref, (spot := node.location).x, spot.y) for node in entity.nodes]
            if len(nodes) < 2:
                continue
            if "duration" in tags and way_kind(tags) == "ferry":
                timed = ferry_kmh(tags, _length_m(nodes))
                speeds = (timed * (speeds[0] > 0), timed * (speeds[1] > 0))
            way_refs, way_xs, way_ys = zip(*nodes, strict=True)
            refs.extend(way_refs)
            xs.extend(way_xs)
            ys.extend(way_ys)
            counts.append(len(nodes))
            forward.append(speeds[0])
            backward.append(speeds[1])
            classes.append(street_class(tags))
            way_names.append(tags.get("name") or tags.get("ref") or "")

    if not counts:
        _raise_empty(name, mode, ways_seen)
    way_of_end = np.repeat(np.arange(len(counts), dtype=np.int32), np.asarray(counts))
    ref, x, y = np.asarray(refs), np.asarray(xs), np.asarray(ys)
    known = (x != _UNKNOWN) & (y != _UNKNOWN)
    _check_places(ref, known, name)
    keep = (way_of_end[:-1] == way_of_end[1:]) & known[:-1] & known[1:] & (ref[:-1] != ref[1:])
    if bounds is not None:
        keep &= _touching(x, y, bounds)
    start = np.flatnonzero(keep)
    if not len(start):
        _raise_unplaced(name, mode, bounds)

    ends = np.concatenate((start, start + 1))
    unique_ref, first, nodes_of_ends = np.unique(ref[ends], return_index=True, return_inverse=True)
    node_of_end, extra = _parted(nodes_of_ends, np.isin(unique_ref, np.fromiter(closed_nodes, np.int64)))
    place = np.concatenate((ends[first], ends[extra]))
    used_ways, way_idx = np.unique(way_of_end[start], return_inverse=True)
    speeds_kmh: Any = np.asarray((forward, backward), dtype=np.float32)[:, used_ways[way_idx]]
    return Streets(
        lon=x[place] / _PER_DEGREE,
        lat=y[place] / _PER_DEGREE,
        from_idx=node_of_end[: len(start)].astype(np.int32),
        to_idx=node_of_end[len(start) :].astype(np.int32),
        forward_kmh=speeds_kmh[0],
        backward_kmh=speeds_kmh[1],
        way_idx=way_idx.astype(np.int32),
        street_class=np.frombuffer(classes, dtype=np.uint8)[used_ways[way_idx]],
        way_names=tuple(way_names[way] for way in used_ways.tolist()),
        mode=mode,
    )


@contextmanager
def opened_extract(path: Path, name: str | None = None) -> Iterator[osmium.FileProcessor]:
    """
    Open an extract and turn whatever goes wrong while it is read into faults.

    Parameters
    ----------
    path, name
        The file, and how it is called in messages.

    Yields
    ------
    osmium.FileProcessor
        To be read within the context.

    Raises
    ------
    InputError
        The file is missing, empty, not what its name says, a change file, unsorted, damaged or cut off.
    """
    name = name or path.name
    _check_file(path, name)
    faults = Faults(name)
    try:
        processor = osmium.FileProcessor(str(path))
        if processor.header.has_multiple_object_versions:
            faults.add("holds changes or a history, not a map", remedy="give an extract of one day (.osm.pbf)")
        faults.raise_if_any()
        yield processor
    except UnicodeDecodeError as error:
        faults.add(f"holds text that is not UTF-8 ({error.reason})", remedy="download the extract again")
        raise InputError(faults.found) from error
    except (RuntimeError, osmium.InvalidLocationError) as error:
        said = str(error).rstrip(".")
        if "out of order" in said:
            faults.add(f"is not sorted ({said})", remedy="sort it (osmium sort)")
        else:
            faults.add(f"is damaged or cut off ({said})", remedy="download the extract again and compare its size")
        raise InputError(faults.found) from error


def _check_file(path: Path, name: str) -> None:
    """Refuse what cannot be an extract before osmium sees it, in words a person can act on."""
    faults = Faults(name)
    if not path.is_file():
        faults.add(
            "is a folder" if path.is_dir() else "does not exist",
            remedy="check the path; it starts at the folder of the study",
        )
        faults.raise_if_any()
    lower = path.name.lower()
    if not lower.endswith(SUFFIXES):
        faults.add(
            "has no ending of an OpenStreetMap extract",
            remedy="give a file that ends in .osm.pbf, .osm or .osm.bz2",
        )
        faults.raise_if_any()
    try:
        with path.open("rb") as file:
            head = file.read(64)
    except OSError as error:
        faults.add(f"cannot be opened ({error.strerror})", remedy="check who may read it")
        raise InputError(faults.found) from error
    looks = _looks_like(head)
    if not head:
        faults.add("is empty", remedy="download the extract again")
    elif looks != (expected := _expected(lower)):
        faults.add(
            f"is not {expected} as its name says, but {looks}",
            remedy="download the extract again"
            if looks == "something else"
            else "download the extract again or rename it",
        )
    faults.raise_if_any()


def _expected(lower_name: str) -> str:
    for suffix, kind in ((".pbf", "pbf"), (".bz2", "bzip2"), (".gz", "gzip")):
        if lower_name.endswith(suffix):
            return kind
    return "XML"


def _looks_like(head: bytes) -> str:
    """What the first bytes of a file are."""
    if b"OSMHeader" in head:
        return "pbf"
    if head.startswith(b"BZh"):
        return "bzip2"
    if head.startswith(b"\x1f\x8b"):
        return "gzip"
    return "XML" if head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<") else "something else"


def _raise_empty(name: str, mode: str, ways_seen: int) -> None:
    faults = Faults(name)
    if ways_seen:
        faults.add(
            f"none of its {ways_seen:,} ways is open for {_MODE_WORDS[mode]}",
            remedy="choose another mode or an extract with such streets",
        )
    else:
        faults.add("holds no streets", remedy="give an extract with ways tagged highway=*")
    faults.raise_if_any()


def _raise_unplaced(name: str, mode: str, bounds: Bounds | None) -> None:
    faults = Faults(name)
    if bounds is None:
        faults.add(
            "holds streets but not the nodes they run through",
            remedy="make it with complete ways and nodes first (osmium extract, osmium sort)",
        )
    else:
        west, south, east, north = bounds
        faults.add(
            f"has no street for {_MODE_WORDS[mode]} between {west:.3f}, {south:.3f} and {east:.3f}, {north:.3f}",
            remedy="check that the extract and the boundary cover the same ground",
        )
    faults.raise_if_any()


def _check_places(ref: IntArray, known: BoolArray, name: str) -> None:
    """Refuse files edited but never uploaded: osmium places no node with a negative id."""
    if bool(np.any((ref < 0) & ~known)):
        faults = Faults(name)
        faults.add(
            "holds nodes with negative ids, as editors give to what was never uploaded",
            remedy="number them anew (osmium renumber)",
        )
        faults.raise_if_any()


def _touching(x: IntArray, y: IntArray, bounds: Bounds) -> BoolArray:
    """Which stretches between consecutive nodes have a box that touches the bounds."""
    west, south, east, north = (round(value * _PER_DEGREE) for value in bounds)
    return np.asarray(
        (np.maximum(x[:-1], x[1:]) >= west)
        & (np.minimum(x[:-1], x[1:]) <= east)
        & (np.maximum(y[:-1], y[1:]) >= south)
        & (np.minimum(y[:-1], y[1:]) <= north)
    )


def _parted(node_of_end: IntArray, closed: BoolArray) -> tuple[IntArray, IntArray]:
    """
    Give the two stretches that meet at a closed node an end of their own each.

    Parameters
    ----------
    node_of_end
        Node of each segment end, int64 (2 n_segments,).
    closed
        Which nodes stop the mode, bool (n_nodes,).

    Returns
    -------
    node_of_end
        With new nodes numbered from n_nodes.
    extra
        End whose place each new node takes, int64.
    """
    through = closed & (np.bincount(node_of_end, minlength=len(closed)) == 2)
    at = np.flatnonzero(through[node_of_end])
    order = at[np.argsort(node_of_end[at], kind="stable")]
    extra = order[1::2]  # the first of each two keeps the node
    node_of_end = node_of_end.copy()
    node_of_end[extra] = len(closed) + np.arange(len(extra))
    return node_of_end, extra


def _length_m(nodes: list[tuple[int, int, int]]) -> float:
    """Length of a way, metres; 0 where a node is missing, since then it is not known."""
    places = np.array(nodes, dtype=np.int64)
    if bool(np.any(places[:, 1:] == _UNKNOWN)):
        return 0.0
    lon, lat = places[:, 1] / _PER_DEGREE, places[:, 2] / _PER_DEGREE
    return float(lengths_m(lon[:-1], lat[:-1], lon[1:], lat[1:]).sum())
