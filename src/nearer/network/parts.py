"""
Travel times in parts on disk: a chunk of sites → one Parquet file, so that a run of any size can be cut and resumed.

The work is three pure functions, paths in and paths out, that any number of processes or machines may share a folder
for, since each file is written beside and renamed, and named by everything that decides what it holds:

1. :func:`lay_out` writes the streets and the points on them once, as arrays that a process maps rather than reads;
2. :func:`travel_part` computes the times to one chunk of sites, unless they are there;
3. :func:`read_rows` puts parts together as sparse rows.

:func:`times_in_parts` does all three on this machine.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nearer.errors import OutputError, StoppedError, UsageError
from nearer.files import clear_left, new_folder, written_whole
from nearer.kernels.jit import run_chunks
from nearer.kernels.rows import sort_rows
from nearer.network.cache import content_key
from nearer.network.graph import StreetGraph
from nearer.network.reach import Reach, reach_of
from nearer.network.search import SEARCH_FILE, Search, Workspace, checksum
from nearer.network.snap import Snap
from nearer.network.times import TravelTimes
from nearer.progress import Progress, Silent, Stop
from nearer.units import IntArray

PAIRS_PER_PART = 4_000_000
"""About how many pairs a part should hold: some 30 MB while it is made, and a second or so of work."""

SITES_PER_PART = 4_096
"""Most sites of a part, where few people live within reach."""

LAYOUTS_KEPT = 3
"""Of a study folder; the ones used last."""

_NAME = 24
_ROWS = ("indptr", "site_idx", "time_ms")
_ROWS_PER_CALL = 20_000


def lay_out(
    graph: StreetGraph, people: Snap, sites: Snap, limit_ms: int, folder: Path, search: Search | None = None
) -> Path:
    """
    Write everything that parts are computed from, once.

    Parameters
    ----------
    graph, people, sites, limit_ms
        As for :func:`nearer.network.travel_times`.
    folder
        Where all parts of the study go.
    search
        What they make together, where that is known already.

    Returns
    -------
    layout
        ``folder/HASH``: a folder of ``.npy`` arrays. The hash is of the streets' segments with their times in both
        directions (so that another mode, speed or slope, or a hazard that closes streets, is another layout), of where
        people and sites join them and how long they walk to get there, and of the limit.

    Raises
    ------
    UsageError
        As :func:`nearer.network.travel_times`.
    OutputError
        The folder cannot be written, or the disk is full.
    """
    layout = Path(folder) / layout_name(graph, people, sites, limit_ms)
    if not (layout / SEARCH_FILE).is_file():
        search = search or Search.over(graph, people, sites, limit_ms)
        with _folder_beside(layout) as beside:
            search.save(beside)
    return layout


def layout_name(graph: StreetGraph, people: Snap, sites: Snap, limit_ms: int) -> str:
    """Name of the layout of these streets and points; see :func:`lay_out`."""
    streets = (graph.n_nodes, graph.from_idx, graph.to_idx, graph.forward_ms, graph.backward_ms)
    points = (array for snap in (people, sites) for array in (snap.segment_idx, snap.fraction, snap.access_ms))
    return content_key("layout", *streets, *points, int(limit_ms))[:_NAME]


def chunks(layout: Path, pairs: int = PAIRS_PER_PART, reach: Reach | None = None) -> list[tuple[int, int]]:
    """
    Cut the sites of a layout into chunks of about so many pairs each.

    A chunk is ``(first, last)``, the last not included, of the sites in the order of the layout, which follows the
    streets: neighbours are in one chunk, and sites that no street is near to are in none. The length of rows is that of
    a few sites tried out (``reach``, where that is known already), the same ones each time, and so are the chunks.
    """
    reach = reach or reach_of(Search.open(layout))
    n = reach.n_joined
    size = int(min(max(pairs / max(reach.pairs() / max(n, 1), 1.0), 1.0), SITES_PER_PART))
    return [(first, min(first + size, n)) for first in range(0, n, size)]


def travel_part(layout: Path, first: int, last: int, folder: Path, *, stop: Stop | None = None) -> Path:
    """
    Times from all people to the sites ``first`` to ``last`` of a layout, as one Parquet file.

    The same arguments give the same file, byte for byte with the same version of pyarrow, wherever it is computed; one
    that is there and whole is not computed again. It is written beside and renamed, so that two processes that compute
    the same part do no harm, and one that is killed leaves at most a file whose name begins with a dot.

    Parameters
    ----------
    layout
        What :func:`lay_out` returned; its folder may have been copied elsewhere, under the same name.
    first, last
        The chunk, the last not included; see :func:`chunks`.
    folder
        Where the part goes, usually the layout itself.
    stop
        Asked within 0.2 s.

    Returns
    -------
    part
        ``folder/part-HASH.parquet``, with the columns ``point``, ``site`` (positions of the caller's people and sites)
        and ``time_ms``, all int32, sorted by point, then time, then site. The hash is of the layout's name, which
        stands for the streets, a hazard, how people travel, the points and the limit, and of the sites of the chunk.

    Raises
    ------
    UsageError
        There is no such chunk, or pyarrow is not installed.
    StoppedError
        ``stop`` said yes.
    OutputError
        The folder cannot be written, or the disk is full.
    """
    search = Search.open(layout)
    if not 0 <= first < last <= search.n_joined:
        raise UsageError(f"There are no sites {first} to {last} in {layout}, which has {search.n_joined}.")
    part = Path(folder) / part_name(layout.name, search.site_idx[first:last])
    if not _is_whole(part):
        keys = search.keys(range(first, last), Workspace.sized(search), stop or _never)
        write_part(part, search, keys)
    return part


def part_name(layout_name: str, site_idx: IntArray) -> str:
    """Name of a part with these sites; see :func:`travel_part`."""
    return f"part-{content_key('part', layout_name, site_idx.astype(np.int64))[:_NAME]}.parquet"


def write_part(part: Path, search: Search, keys: Sequence[IntArray]) -> None:
    """Write packed pairs as a part."""
    pa, parquet = _pyarrow()
    packed = np.concatenate(keys)
    rows = search.packing.unpack(packed)
    point = np.repeat(np.arange(rows.n_points, dtype=np.int32), np.diff(rows.indptr))
    table = pa.table({"point": point, "site": rows.site_idx, "time_ms": rows.time_ms})
    with written_whole(part) as beside:
        parquet.write_table(
            table,
            beside,
            compression="zstd",
            use_dictionary=["site"],
            column_encoding={"point": "DELTA_BINARY_PACKED", "time_ms": "PLAIN"},
            write_page_checksum=True,
        )


def read_part(part: Path) -> tuple[IntArray, IntArray, IntArray]:
    """
    Point, site and milliseconds of a part, int32 (n_pairs,) each.

    Raises
    ------
    OSError
        A byte of it was changed.
    """
    table = _pyarrow()[1].read_table(part, memory_map=True, page_checksum_verification=True)
    point, site, time_ms = (table.column(name).to_numpy() for name in ("point", "site", "time_ms"))
    return point, site, time_ms


def part_span(part: Path) -> tuple[int, int, int]:
    """How many pairs a part holds, and its lowest and highest point, from its footer alone; -1 where it holds none."""
    footer = _pyarrow()[1].read_metadata(part)
    groups = [footer.row_group(k).column(0).statistics for k in range(footer.num_row_groups)]
    if not footer.num_rows:
        return 0, -1, -1
    return footer.num_rows, min(int(one.min) for one in groups), max(int(one.max) for one in groups)


def read_rows(layout: Path, parts: Sequence[Path], rows: Path | None = None, threads: int = 1) -> TravelTimes:
    """
    Put parts together as sparse rows, each point's sorted by time, then site.

    Parameters
    ----------
    layout
        What the parts were computed from.
    parts
        Each chunk once, in any order: the result is the same.
    rows
        Folder that the rows are written to, and mapped from then on, so that of 8 bytes a pair the system holds what is
        looked at and may let go of it again; what is there already is read. None to hold them in memory.
    threads
        Threads that sort rows.

    Raises
    ------
    OutputError
        ``rows`` cannot be written, or the disk is full.
    """
    numbers = json.loads((layout / SEARCH_FILE).read_text(encoding="utf-8"))
    n_points, n_sites, limit_ms = (int(numbers[name]) for name in ("n_points", "n_sites", "limit_ms"))
    if rows is None:
        return TravelTimes(*_gathered(parts, n_points, None, threads), n_sites, limit_ms)
    if not _rows_are_whole(rows):
        shutil.rmtree(rows, ignore_errors=True)
        with _folder_beside(rows) as beside:
            arrays = dict(zip(_ROWS, _gathered(parts, n_points, beside, threads), strict=True))
            sums = {name: checksum(array) for name, array in arrays.items()}
            (beside / "sums.json").write_text(json.dumps(sums), encoding="utf-8")
    indptr, site_idx, time_ms = (
        np.asarray(np.load(rows / f"{name}.npy", mmap_mode="c", allow_pickle=False)) for name in _ROWS
    )
    return TravelTimes(indptr, site_idx, time_ms, n_sites, limit_ms)


def times_in_parts(
    graph: StreetGraph,
    people: Snap,
    sites: Snap,
    limit_ms: int,
    folder: Path,
    *,
    search: Search | None = None,
    reach: Reach | None = None,
    threads: int = 1,
    progress: Progress | None = None,
    stop: Stop | None = None,
) -> TravelTimes:
    """
    Travel times as :func:`nearer.network.travel_times` gives them, by way of parts on disk.

    What an interrupted run computed is read by the next one, and a repeated run computes nothing. Beside the streets
    themselves no more is held in memory than a part for each thread; the result is mapped from disk.

    Parameters
    ----------
    graph, people, sites, limit_ms, threads, progress, stop
        As there.
    folder
        Where layouts, parts and rows are kept, each layout in a folder of its own, only the few used last.
    search, reach
        What the streets and points make together, and a sample of it, where that is known already.

    Raises
    ------
    StoppedError
        ``stop`` said yes; parts that were finished stay.
    UsageError
        As there, or pyarrow is not installed.
    OutputError
        The folder cannot be written, or the disk is full.
    """
    _pyarrow()
    layout = Path(folder) / layout_name(graph, people, sites, limit_ms)
    if layout.is_dir() and not Search.is_whole(layout):
        shutil.rmtree(layout, ignore_errors=True)
    lay_out(graph, people, sites, limit_ms, folder, search)
    _keep_newest(layout)
    rows = layout / "rows"
    if _rows_are_whole(rows):
        return read_rows(layout, (), rows)
    todo = chunks(layout, reach=reach)
    parts = []
    with (progress or Silent()).step("travel times", todo[-1][1] if todo else 0) as tick:

        def work(chunk: tuple[int, int]) -> Path:
            return travel_part(layout, *chunk, layout, stop=stop)

        for (first, last), part in zip(todo, run_chunks(work, todo, threads), strict=True):
            parts.append(part)
            tick(last - first)
    if stop is not None and stop():
        raise StoppedError("Stopped before the travel times were complete.")
    return read_rows(layout, parts, rows, threads)


def _keep_newest(layout: Path) -> None:
    """Remove all but the few layouts that were used last, this one among them."""
    try:
        os.utime(layout)
        beside = [old for old in layout.parent.iterdir() if (old / SEARCH_FILE).is_file() and old != layout]
        beside.sort(key=lambda old: (old.stat().st_mtime, old.name), reverse=True)
    except OSError:
        return
    for old in beside[LAYOUTS_KEPT - 1 :]:
        shutil.rmtree(old, ignore_errors=True)


def _gathered(
    parts: Sequence[Path], n_points: int, folder: Path | None, threads: int
) -> tuple[IntArray, IntArray, IntArray]:
    """Rows from parts, in memory or in files of a folder: first counted, then put in place, then sorted."""
    counts = np.zeros(n_points, dtype=np.int64)
    for part in parts:
        counts += np.bincount(read_part(part)[0], minlength=n_points)
    indptr = np.zeros(n_points + 1, dtype=np.int64)
    np.cumsum(counts, out=indptr[1:])
    n_pairs = int(indptr[-1])
    site_idx, time_ms = (_room(folder, name, n_pairs) for name in ("site_idx", "time_ms"))
    filled = indptr[:-1].copy()
    for part in parts:
        point, site, ms = read_part(part)
        count = np.bincount(point, minlength=n_points)
        # the k-th pair of a part stands so far behind the first of its point
        place = (filled - (np.cumsum(count) - count))[point] + np.arange(len(point))
        site_idx[place], time_ms[place] = site, ms
        filled += count
    ranges = [(first, min(first + _ROWS_PER_CALL, n_points)) for first in range(0, n_points, _ROWS_PER_CALL)]
    for _ in run_chunks(lambda rows: sort_rows(indptr, site_idx, time_ms, *rows), ranges, threads):
        pass
    if folder is not None:
        np.save(folder / "indptr.npy", indptr)
    return indptr, np.asarray(site_idx), np.asarray(time_ms)


def _rows_are_whole(rows: Path) -> bool:
    """Whether rows are there, and no byte of them has changed since."""
    try:
        sums = json.loads((rows / "sums.json").read_text(encoding="utf-8"))
        arrays = {name: np.load(rows / f"{name}.npy", mmap_mode="r", allow_pickle=False) for name in _ROWS}
    except (OSError, ValueError):
        return False
    return bool(sums == {name: checksum(array) for name, array in arrays.items()})


def _room(folder: Path | None, name: str, n: int) -> NDArray[Any]:
    if folder is None or n == 0:  # an empty file cannot be mapped
        array = np.empty(n, dtype=np.int32)
        if folder is not None:
            np.save(folder / f"{name}.npy", array)
        return array
    return np.lib.format.open_memmap(folder / f"{name}.npy", mode="w+", dtype=np.int32, shape=(n,))


@contextmanager
def _folder_beside(folder: Path) -> Iterator[Path]:
    """A new folder to fill, renamed to ``folder`` when all went well; if another process was faster, its own stays."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        clear_left(folder.parent)
        with new_folder(folder.parent) as scratch:
            beside = scratch / folder.name
            beside.mkdir()
            yield beside
            try:
                beside.replace(folder)
            except OSError:
                if not folder.is_dir():
                    raise
    except OSError as error:
        raise OutputError(folder, error.strerror or error) from error


def _is_whole(part: Path) -> bool:
    """Whether a part is there, and no byte of it has changed since."""
    pa, parquet = _pyarrow()
    try:
        parquet.read_table(part, page_checksum_verification=True)
    except (OSError, pa.lib.ArrowException):
        return False
    return True


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow  # type: ignore[import-untyped, unused-ignore]
        import pyarrow.parquet  # type: ignore[import-untyped, unused-ignore]
    except ImportError as error:
        raise UsageError('Travel times in parts need pyarrow: pip install "nearer[scale]".') from error
    return pyarrow, pyarrow.parquet


def _never() -> bool:
    return False
