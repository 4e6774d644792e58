"""Where the system sends people once centres are out and room is limited, and what to open first then."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from nearer.files import written_whole
from nearer.model import (
    CLOSED,
    FORBIDDEN,
    FREE,
    OPEN,
    Certificate,
    Instance,
    Rules,
    RulesCertificate,
    Status,
    relative_gap,
)
from nearer.model.build import build_instance
from nearer.model.check_rules import triples
from nearer.planning.access import sum_by
from nearer.planning.stress import Situation
from nearer.planning.stress_document import Sent
from nearer.progress import Progress, Stop
from nearer.solvers import solve
from nearer.units import MS_PER_MIN, BoolArray, FloatArray, IntArray, StrArray


@dataclass(frozen=True)
class Sending:
    """
    A sending as it is written down, who goes where, and the proof of its bound.

    Parameters
    ----------
    written
        What is told.
    load
        People sent to each site, float64 (n_sites,).
    speed_class, point, site, share
        Parts of the people of a class at a point and where they go; int32 and float64 (n_parts,).
    certificate
        None where the bound is the solver's own word.
    """

    written: Sent
    load: FloatArray
    speed_class: IntArray
    point: IntArray
    site: IntArray
    share: FloatArray
    certificate: Certificate | RulesCertificate | None

    def arrays(self) -> dict[str, IntArray | FloatArray]:
        """Who goes where, as it is saved."""
        return {"speed_class": self.speed_class, "point": self.point, "site": self.site, "share": self.share}


def sending_instance(
    situation: Situation, room: FloatArray, pool_mask: BoolArray, number: int, unreached_ms: int
) -> Instance:
    """The problem of opening ``number`` sites of a pool, and of sending people to all that are open, as room allows."""
    standing = np.where(situation.open_mask, OPEN, np.where(pool_mask, FREE, FORBIDDEN)).astype(np.int8)
    plain = build_instance(
        situation.demand, situation.class_times, standing, number, number, unreached_ms, cut=False, everyone=True
    )
    return replace(
        plain,
        capacity=room.reshape(-1, 1, 1),
        need=situation.demand.class_people[plain.row_group, plain.row_point][None, :],
        row_group=np.zeros_like(plain.row_group),
        rules=_opening(standing, number),
    )


def _opening(standing: IntArray, number: int) -> Rules:
    """Free sites open or stay closed, so many of them in all; what stands is open."""
    free = standing == FREE
    ptr = np.concatenate([[0], np.cumsum(np.where(free, 2, 1))]).astype(np.int64)
    level = np.full((ptr[-1], 1), CLOSED, dtype=np.int16)
    level[ptr[:-1][standing == OPEN]] = 0
    opens = ptr[:-1][free] + 1
    level[opens] = 0
    n_sides = int(bool(len(opens)))
    return Rules(
        option_ptr=ptr,
        option_level=level,
        option_cost=np.zeros(ptr[-1]),
        side_ptr=np.array([0, len(opens)][: n_sides + 1], dtype=np.int64),
        side_option=opens.astype(np.int32),
        side_value=np.ones(len(opens)),
        side_lower=np.full(n_sides, float(number)),
        side_upper=np.full(n_sides, float(number)),
        side_name=(f"open {number}",) * n_sides,
    )


def send(
    situation: Situation,
    room: FloatArray,
    pool_mask: BoolArray,
    number: int,
    unreached_ms: int,
    ids: StrArray,
    names: StrArray,
    *,
    gap: float,
    seed: int,
    threads: int,
    stop: Stop,
    progress: Progress,
) -> Sending | None:
    """
    Open so many sites of a pool and send people so that everybody together walks least, nobody beyond what has room.

    Parameters
    ----------
    situation
        Who lives where, and what is in service.
    room
        People each site can serve, float64 (n_sites,), ``inf`` = no limit.
    pool_mask
        Sites that may open, none of them in service, bool (n_sites,).
    number
        How many of them open; 0 sends people to what is in service.
    unreached_ms
        What a person without a place counts as.
    ids, names
        Of all sites.
    gap, seed, threads, stop, progress
        As for ``solve``.

    Returns
    -------
    Sending
        None where no sending was found in time.
    """
    number = min(number, int(pool_mask.sum()))
    instance = sending_instance(situation, room, pool_mask, number, unreached_ms)
    solution = solve(instance, gap=gap, seed=seed, threads=threads, stop=stop, progress=progress)
    if solution.status in (Status.INFEASIBLE, Status.UNKNOWN):
        return None
    row, site, share = triples(solution, 0)
    kept = share > 0
    row, site, share = row[kept], site[kept], share[kept]
    n_classes = len(situation.class_times)
    lives = situation.demand.class_people > 0
    speed_class = np.repeat(np.arange(n_classes, dtype=np.int32), lives.sum(axis=1))[row]
    people = instance.need_in(0)[row] * share
    load = sum_by(site, people, instance.n_sites)
    everyone = float(situation.demand.class_people.sum())
    walked = float((people * _time_of(instance, row, site)).sum())
    unmet = max(everyone - float(people.sum()), 0.0)
    value, bound = solution.objective / MS_PER_MIN, max(solution.bound, 0.0) / MS_PER_MIN
    chosen = np.flatnonzero(solution.open_mask & pool_mask)
    written = Sent(
        opened=[str(ids[at]) for at in chosen],
        opened_names=[str(names[at]) for at in chosen],
        pool=int(pool_mask.sum()),
        mean_min=(walked + unmet * unreached_ms) / max(everyone, 1e-9) / MS_PER_MIN,
        unmet=unmet,
        value=value,
        bound=min(bound, value),
        gap=relative_gap(value, min(bound, value)),
        status=_STATUS[solution.status],
        proof="solver" if solution.certificate is None else "certificate",
    )
    return Sending(
        written, load, speed_class, instance.row_point[row], site.astype(np.int32), share, solution.certificate
    )


_STATUS = {Status.OPTIMAL: "optimal", Status.GAP: "gap", Status.FEASIBLE: "feasible"}


def _time_of(instance: Instance, row: IntArray, site: IntArray) -> FloatArray:
    """Milliseconds of pairs that are stored, float64."""
    pair_row = np.repeat(np.arange(instance.n_rows), np.diff(instance.indptr))
    key = pair_row * instance.n_sites + instance.site_idx
    order = np.argsort(key, kind="stable")
    at = order[np.searchsorted(key, row.astype(np.int64) * instance.n_sites + site, sorter=order)]
    return np.asarray(instance.cost, dtype=np.float64)[at]


@dataclass(frozen=True)
class Parts:
    """Arrays that prove a value, as a file."""

    arrays: dict[str, IntArray | FloatArray]

    def save(self, path: Path) -> None:
        """Write them to a compressed ``.npz`` file, whole or not at all."""
        with written_whole(path) as beside, beside.open("wb") as file:
            np.savez_compressed(file, **self.arrays)  # type: ignore[arg-type]
