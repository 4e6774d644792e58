"""Time and memory against the size of a problem: points, sites, sites to open, row length, with fitted exponents."""

from __future__ import annotations

import math
import multiprocessing
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

import numpy as np

from benchmarks.covering import SITES, CoverProblem
from benchmarks.given import Given
from benchmarks.table import NONE, Table, count, seconds
from nearer.inputs.point_stream import PricedPoints
from nearer.model import FREE, covering_instance
from nearer.model.center_plane import CenterPoints
from nearer.model.plane import PlaneRows
from nearer.progress import Stop
from nearer.solvers.center_plane import solve_center
from nearer.solvers.growing import solve_growing
from nearer.solvers.pmedian import solve_pmedian
from nearer.study.cover_points import merge_points

GAP = 5e-3
"""Relaxations of points spread evenly end some tenths of a per cent below the best plan: a proof is another matter."""

NOISE_MB = 5.0
LIMIT_S = 30.0
_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


@dataclass(frozen=True)
class Series:
    """
    One kind of problem at growing sizes, everything else being equal.

    Parameters
    ----------
    problem, grows, rest
        For the title: the problem, what grows, what stays.
    sizes
        Ascending.
    make
        From a size to what solves it.
    """

    problem: str
    grows: str
    rest: str
    sizes: Sequence[int]
    make: Callable[[int], Callable[[], object]]


@dataclass
class Curve:
    """What was measured of a series: CPU seconds and megabytes beyond those held before."""

    series: Series
    sizes: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    megabytes: list[float] = field(default_factory=list)


def uniform(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Points in a square."""
    x, y = np.random.default_rng((2026, seed)).uniform(0, 10_000, (2, n))
    return x, y


def _median(n: int, m: int, p: int) -> Callable[[], object]:
    x, y = uniform(n, 0)
    site_x, site_y = uniform(m, 1)
    rows = PlaneRows(x, y, np.ones(n), site_x, site_y, "exact")
    return lambda: solve_growing(rows, p, gap=GAP, stop=Stop(LIMIT_S, time.process_time))


def _row_length(n: int, m: int, p: int, k: int) -> Callable[[], object]:
    x, y = uniform(n, 0)
    site_x, site_y = uniform(m, 1)
    rows = PlaneRows(x, y, np.ones(n), site_x, site_y, "exact")
    reach = rows.reach_of(k)
    return lambda: solve_pmedian(rows.instance(reach, p), gap=GAP, stop=Stop(LIMIT_S, time.process_time))


def _center(n: int, p: int) -> Callable[[], object]:
    x, y = uniform(n, 2)
    points = CenterPoints(x, y, x, y, np.asarray, False)
    return lambda: solve_center(points, p, gap=0.05, stop=Stop(LIMIT_S, time.process_time))


def _merging(n: int, m: int) -> Callable[[], object]:
    x, y = np.random.default_rng((2026, 3)).uniform(0, 30, (2, m))
    return lambda: merge_points(CoverProblem(n).customers(), PricedPoints(x, y, None), 4.0)


def _covering(n: int, m: int, p: int) -> Callable[[], object]:
    x, y = np.random.default_rng((2026, 3)).uniform(0, 30, (2, m))
    sets = merge_points(CoverProblem(n).customers(), PricedPoints(x, y, None), 4.0)
    standing = np.full(m, FREE, dtype=np.int8)
    instance = covering_instance(sets.indptr, sets.site, sets.weight, standing, p, p)
    return lambda: solve_pmedian(instance, gap=GAP, stop=Stop(LIMIT_S, time.process_time))


def series(small: bool) -> list[Series]:
    """What is measured."""
    by = 10 if small else 1

    def sizes(*given: int) -> list[int]:
        return [max(size // by, 4) for size in given[: 2 if small else None]]

    n, m, p = 16_000 // by, 400 // by, 20 // by
    customers = 200_000 // by
    few, every = f"{n:,} points, {m} sites", "every one a site"
    center, merging = "p-center to 5 %", "max-cover, merging"
    many = sizes(250_000, 500_000, 1_000_000, 2_000_000)
    return [
        Series(
            "p-median",
            "points",
            f"{m} sites, {p} open",
            sizes(4_000, 8_000, 16_000, 32_000, 64_000),
            lambda k: _median(k, m, p),
        ),
        Series("p-median", "sites", f"{n:,} points, {p} open", sizes(200, 400, 800, 1_600), lambda k: _median(n, k, p)),
        Series("p-median", "open", few, sizes(10, 20, 40, 80), lambda k: _median(n, m, k)),
        Series(
            "p-median",
            "row length",
            f"{few}, {4 * p} open",
            sizes(20, 40, 80),
            lambda k: _row_length(n, m, 4 * p, k),
        ),
        Series(center, "points", f"{every}, 5 open", sizes(1_000, 4_000, 16_000, 64_000), lambda k: _center(k, 5)),
        Series(center, "open", f"{n:,} points, {every}", (2, 3) if small else (2, 3, 4, 5), lambda k: _center(n, k)),
        Series(merging, "customers", f"{SITES} sites", many, lambda k: _merging(k, SITES)),
        Series(
            "max-cover, solving",
            "sites",
            f"{customers:,} customers, 15 open",
            (20, 30) if small else (50, 100, 150),
            lambda k: _covering(customers, k, 15),
        ),
    ]


def tables(given: Given) -> Iterator[Table]:
    """All series, and their drawing beside the tables."""
    table = Table(
        "Time and memory against size",
        ("problem", "what grows", "the rest", "sizes", "CPU s", "MB more", "time grows with", "memory with"),
    )
    curves = []
    for one in series(given.small):
        curve = _measured(one)
        curves.append(curve)
        table.rows.append(
            (
                *(one.problem, one.grows, one.rest, ", ".join(map(count, curve.sizes))),
                *(", ".join(map(seconds, curve.seconds)), ", ".join(count(mb) for mb in curve.megabytes)),
                *(_power(curve.sizes, curve.seconds, 0.0), _power(curve.sizes, curve.megabytes, NOISE_MB)),
            )
        )
    table.notes += [
        f"One thread, CPU seconds to a gap of {100 * GAP:g} % where nothing else is said, {LIMIT_S:g} at most; points "
        "and sites uniform in a square. Memory: the most held beyond what was held before the solver began.",
        "Exponents are fitted by least squares to the logarithms; size^1 doubles where the size does. Differences of "
        f"memory below {NOISE_MB:g} MB are noise, and where most sizes stay below no exponent is given.",
    ]
    if (file := given.beside("scaling.svg")) is not None:
        file.write_text(svg(curves), encoding="utf-8", newline="\n")
    yield table


def _measured(one: Series) -> Curve:
    one.make(one.sizes[0])()  # compiles what must be compiled
    curve = Curve(one)
    for size in one.sizes:
        taken, held = _apart(one.make, size)
        curve.seconds.append(taken)
        curve.megabytes.append(held)
        curve.sizes.append(size)
    return curve


def _apart(make: Callable[[int], Callable[[], object]], size: int) -> tuple[float, float]:
    """
    CPU seconds, and megabytes beyond those held before, of one run.

    Each in a process of its own, a copy of this one with what is compiled, so that none finds the memory that another
    gave back; where a process cannot be copied, here.
    """

    def taken() -> tuple[float, float]:
        solve = make(size)
        before = _reset_peak()
        began = time.process_time()
        solve()
        return max(time.process_time() - began, 1e-4), max(_peak() - before, 0.0)

    if "fork" not in multiprocessing.get_all_start_methods():
        return taken()
    here, there = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("fork").Process(target=lambda: there.send(taken()))
    process.start()
    there.close()  # so that one which dies is seen
    try:
        return here.recv()
    finally:
        process.join()


def _reset_peak() -> float:
    """Megabytes held now, from which on the peak is counted; 0 where the system does not tell."""
    if not _STATUS.exists():
        return 0.0
    try:
        _RESET.write_text("5")
    except OSError:
        return _peak()  # what comes below the peak so far does not show
    return _field("VmRSS")


def _peak() -> float:
    return _field("VmHWM") if _STATUS.exists() else 0.0


def _field(name: str) -> float:
    line = next(line for line in _STATUS.read_text().splitlines() if line.startswith(name))
    return int(line.split()[1]) / 1024


def exponent(
    sizes: Sequence[float], values: Sequence[float], least: float = 0.0, most: float = math.inf
) -> float | None:
    """The power of the size that fits the values between ``least`` and ``most``; None with fewer than three of them."""
    pairs = zip(sizes, values, strict=True)
    some = [(math.log(size), math.log(value)) for size, value in pairs if least < value < most]
    if len(some) < 3:
        return None
    return float(np.polyfit(*zip(*some, strict=True), 1)[0])


def _power(sizes: Sequence[float], values: Sequence[float], least: float) -> str:
    """The exponent in words; ``least`` tells memory from times, of which those that the limit ended do not count."""
    power = exponent(sizes, values, least, math.inf if least else 0.97 * LIMIT_S)
    return NONE if power is None else f"size^{power:.2f}"


_WIDTH, _HIGH, _LEFT, _TOP, _FOOT, _ACROSS = 300, 230, 46, 44, 40, 4
_INK = {"CPU seconds": ("#0072b2", ""), "MB": ("#d55e00", "7 3")}  # Okabe, Ito: told apart by most eyes


def svg(curves: Sequence[Curve]) -> str:
    """A panel for each series, both axes in powers of ten; seconds and megabytes share the upright one."""
    rows = math.ceil(len(curves) / _ACROSS)
    width, high = _WIDTH * min(_ACROSS, len(curves)) + 16, 60 + rows * _HIGH
    caption = "CPU seconds and memory against the size of the problem"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {high}" width="{width}" height="{high}" '
        'font-family="system-ui, sans-serif" font-size="12" fill="#222" role="img">',
        f"<title>{caption}</title>",
        f'<rect width="{width}" height="{high}" fill="#fff"/>',
        f'<text x="{_LEFT}" y="20" font-size="13">{caption}</text>',
    ]
    for k, (name, (ink, dash)) in enumerate(_INK.items()):
        parts.append(f'<path d="M{_LEFT + 140 * k} 38h30" stroke="{ink}" stroke-width="2" stroke-dasharray="{dash}"/>')
        parts.append(f'<text x="{_LEFT + 140 * k + 36}" y="42">{name}</text>')
    for k, curve in enumerate(curves):
        place = f"translate({k % _ACROSS * _WIDTH} {52 + k // _ACROSS * _HIGH})"
        parts += [f'<g transform="{place}">', *_panel(curve), "</g>"]
    return "\n".join([*parts, "</svg>"]) + "\n"


def _panel(curve: Curve) -> Iterator[str]:
    right, foot = _WIDTH - 14, _HIGH - _FOOT
    known = {"CPU seconds": (curve.seconds, 0.0), "MB": (curve.megabytes, NOISE_MB)}
    lines = {
        name: [(size, value) for size, value in zip(curve.sizes, values, strict=True) if value > least]
        for name, (values, least) in known.items()
    }
    values = [value for line in lines.values() for _, value in line] or [1.0]
    low, top = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)) + 1e-9)
    first, last = math.log10(curve.sizes[0]), math.log10(curve.sizes[-1])

    def x(size: float) -> float:
        return _LEFT + (right - _LEFT) * (math.log10(size) - first) / max(last - first, 1e-9)

    def y(value: float) -> float:
        return foot - (foot - _TOP) * (math.log10(value) - low) / max(top - low, 1)

    yield f'<text x="{_LEFT}" y="16" font-weight="600">{escape(curve.series.problem)}: {curve.series.grows}</text>'
    yield f'<text x="{_LEFT}" y="32" fill="#555">{escape(curve.series.rest)}</text>'
    for power in range(low, top + 1):
        at = y(10.0**power)
        yield f'<path stroke="#ddd" d="M{_LEFT} {at:.1f}H{right}"/>'
        yield f'<text x="{_LEFT - 6}" y="{at + 4:.1f}" text-anchor="end">{10.0**power:g}</text>'
    for size in curve.sizes:
        yield f'<text x="{x(size):.1f}" y="{foot + 15}" text-anchor="middle">{_short(size)}</text>'
    for name, line in lines.items():
        ink, dash = _INK[name]
        path = "L".join(f"{x(size):.1f} {y(value):.1f}" for size, value in line)
        if line:
            yield f'<path fill="none" stroke="{ink}" stroke-width="2" stroke-dasharray="{dash}" d="M{path}"/>'
        for size, value in line:
            yield f'<circle cx="{x(size):.1f}" cy="{y(value):.1f}" r="2.5" fill="{ink}"/>'
    powers = [_power(curve.sizes, values, least) for values, least in known.values()]
    yield f'<text x="{_LEFT}" y="{foot + 31}">time {powers[0]}, memory {powers[1]}</text>'


def _short(size: int) -> str:
    for letter, unit in (("M", 1_000_000), ("k", 1_000)):
        if size >= unit:
            return f"{size / unit:g} {letter}"
    return str(size)
