"""Seconds and memory of a run, estimated before the long part of it begins."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nearer.errors import UsageError
from nearer.inputs.merge import cells_of
from nearer.inputs.tables import Tables
from nearer.memory import free_bytes, held_bytes
from nearer.network.compute import PARTS_FROM_PAIRS
from nearer.network.reach import Reach
from nearer.solvers.pmedian import LP_ENTRIES
from nearer.solvers.regional import BROUGHT_HERE
from nearer.study.limits import Run
from nearer.study.settings import Study

SHOWN_FROM_S = 20.0
"""Shorter runs begin without a word."""

SURE = 0.7
"""Part of the estimated memory that a run takes at least: one that does not fit even so is not begun."""

MERGE_M = (50, 100, 150, 200, 300, 400, 500, 750, 1_000)
"""Sides of cells that are offered."""

MB = 1e6

# Measured on generated cities of 400,000 to 4 million people (see docs/limits.md): seconds of an idle processor, bytes.
_READ_S, _READ_POINT_S, _READ_SITE_S, _READ_NODE_S = 0.1, 2.8e-5, 5e-5, 4e-6
_START_S, _PAIR_S, _POINT_S = 0.3, 2e-7, 6.5e-5
_START_B, _SORT_B, _PAIR_B, _KEPT_B, _POINT_B = 20 * MB, 16.0, 8.0, 30.0, 1_400.0
_RELAXED_B, _TREE_B_S = 150.0, 8 * MB  # of an entry of the relaxation, and of a second of branching
_UNLIMITED_S = 600.0  # of branching that is counted with where there is no limit
_SPEED = (0.25, 40.0)  # times as slow as that machine
_SPREAD = 1.5  # sites nearer than the nearest existing one, times sites for each existing one
_HELD_B = 350 * MB  # where the system does not tell


@dataclass(frozen=True)
class Estimate:
    """
    What a run will take.

    Parameters
    ----------
    pairs
        People and sites within reach of each other.
    seconds
        Of what is still to come, the solver apart.
    solver_s
        Most seconds of the solver; None without a limit.
    peak_bytes
        Most memory held at once, until a proof branches.
    most_bytes
        As that, were the solver to branch to the end of its time.
    """

    pairs: float
    seconds: float
    solver_s: float | None
    peak_bytes: float
    most_bytes: float

    @property
    def text(self) -> str:
        """One sentence for people."""
        solver = "as long as the solver needs" if self.solver_s is None else f"up to {_duration(self.solver_s)}"
        most = "" if self.most_bytes < 1.1 * self.peak_bytes else f", up to {_size(self.most_bytes)} while it is proven"
        return (
            f"About {_duration(self.seconds)} and {solver} of solving to go, with about {_size(self.peak_bytes)} of "
            f"memory{most}: {_count(self.pairs)} pairs of people and sites lie within reach of each other."
        )


def estimate(
    reach: Reach,
    study: Study,
    run: Run,
    *,
    existing: int,
    classes: int = 1,
    share: float = 1.0,
    limit_ms: int | None = None,
    spread: bool = False,
    near: bool = False,
) -> Estimate:
    """
    Seconds and memory of a plan by streets.

    Pairs are those of a sample of sites; how fast the machine is, and how busy, is told by how long it took to read the
    study's files and to search around the sample.

    Parameters
    ----------
    reach
        The sample.
    study, run
        What is asked, and the seconds of what was done already.
    existing
        Sites that stand open: where they stay open, sites farther than the nearest of them are left out of a row.
    classes
        Speed classes of people.
    share, limit_ms
        Part of the points that is left when they are summed up in cells, and a lower limit than the study's.
    spread
        Whether the workers of the run's cluster hold the rows where there are many.
    near
        Whether they leave out what lies farther than the nearest site that stands open.
    """
    pairs = reach.pairs(limit_ms) * classes * share
    points, sites = reach.n_points * share, reach.n_sites
    kept = pairs
    if existing and not study.staged:
        kept = min(pairs, points * classes * (1.0 + _SPREAD * sites / existing))
    read_s = _READ_S + points * _READ_POINT_S + sites * _READ_SITE_S + reach.n_junctions * _READ_NODE_S
    slower = min(max(run.seconds.get("read", read_s) / read_s, _SPEED[0]), _SPEED[1])
    search_s = reach.seconds / max(reach.sampled, 1) * reach.n_joined / run.threads
    rest_s = _START_S + pairs * _PAIR_S + points * _POINT_S
    held = (held_bytes() or _HELD_B) + _START_B
    elsewhere = run.cluster is not None and pairs >= PARTS_FROM_PAIRS
    if spread and elsewhere:
        kept = min(kept, BROUGHT_HERE + 2 * points)
    else:
        held += (kept if near and elsewhere else pairs) * _PAIR_B
    sorting = 0.0 if pairs >= PARTS_FROM_PAIRS else pairs * (_SORT_B - _PAIR_B)
    relaxed = 0.0 if study.staged else min(kept, LP_ENTRIES) * _RELAXED_B
    peak = held + max(sorting, kept * _KEPT_B + points * _POINT_B + relaxed)
    branching_s = (_UNLIMITED_S if run.time_limit_s is None else run.time_limit_s) / slower if relaxed else 0.0
    return Estimate(pairs, search_s + slower * rest_s, run.time_limit_s, peak, peak + branching_s * _TREE_B_S)


def foreseen(
    tables: Tables, study: Study, run: Run, folder: Path | None, *, spread: bool = False, near: bool = False
) -> Callable[[Reach], None]:
    """
    What to do once the reach of a few sites is known: tell what a long run takes, and do not begin one too large.

    ``spread`` and ``near`` are as for ``estimate``.

    Raises
    ------
    UsageError
        (By what is returned.) The run would not fit into the memory that is free; the message offers one that would.
    """
    existing = int((tables.sites.table["status"] != "candidate").sum())
    classes = 1 + len(study.streets.group_speeds_kmh)
    how: dict[str, Any] = {"existing": existing, "classes": classes, "spread": spread, "near": near}

    def fits(reach: Reach, room: float, share: float = 1.0, limit_ms: int | None = None) -> bool:
        less = estimate(reach, study, run, share=share, limit_ms=limit_ms, **how)
        return less.peak_bytes <= SURE * room

    def coarser(reach: Reach, room: float) -> str:
        place, offers = folder or "STUDY", []
        for minutes in range(math.ceil(study.streets.limit_min) - 1, 0, -1):
            if fits(reach, room, limit_ms=round(minutes / study.streets.limit_min * reach.limit_ms)):
                offers.append(
                    f"A limit of {minutes} minutes fits: limit_min = {minutes} under [streets] in nearer.toml, "
                    f"or for a plan alone: nearer plan {place} --limit-min {minutes}"
                )
                break
        people = tables.people.table
        for side_m in MERGE_M:
            cells = int(cells_of(people["lon"].to_numpy(), people["lat"].to_numpy(), side_m).max()) + 1
            if cells < reach.n_points and fits(reach, room, share=cells / reach.n_points):
                offers.append(
                    f"People summed up in cells of {side_m} m fit: merge_m = {side_m} under [people] in nearer.toml, "
                    f"or for a plan alone: nearer plan {place} --merge-m {side_m}"
                )
                break
        return "\n".join(offers) or "Plan a part of the area."

    def foresee(reach: Reach) -> None:
        found = estimate(reach, study, run, **how)
        run.foreseen |= {"seconds": round(found.seconds, 1), "memory_mb": round(found.peak_bytes / MB)}
        run.foreseen["memory_most_mb"] = round(found.most_bytes / MB)
        free = free_bytes()
        room = None if free is None else free + (held_bytes() or 0)
        if room is not None and SURE * found.peak_bytes > room:
            text = (
                f"This run needs about {_size(found.peak_bytes)} of memory, and {_size(room)} are free: "
                f"{_count(reach.n_points)} points and {_count(reach.n_sites)} sites make about {_count(found.pairs)} "
                f"pairs within {study.streets.limit_min:g} minutes."
            )
            raise UsageError(f"{text}\n{coarser(reach, room)}")
        if run.say is not None and found.seconds > SHOWN_FROM_S:
            run.say(found.text)

    return foresee


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{max(5, 5 * round(seconds / 5))} seconds"
    return f"{round(seconds / 60)} minutes" if seconds < 5_400 else f"{seconds / 3_600:.1f} hours"


def _size(amount: float) -> str:
    return f"{amount / 1e9:.1f} GB" if amount >= 1e9 else f"{100 * math.ceil(amount / 1e8)} MB"


def _count(number: float) -> str:
    return f"{number / 1e6:,.1f} million" if number >= 1e6 else f"{number:,.0f}"
