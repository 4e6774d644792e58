"""Limited room after an outage: how much each site has, where the system sends people, what to open first then."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from nearer.errors import Fault, InputError
from nearer.planning.sending import Parts, Sending, send
from nearer.planning.stress_document import Sent
from nearer.planning.stress_result import Proof
from nearer.study.limits import Run
from nearer.study.stress_ask import Happened
from nearer.study.stress_ground import Ground, Question
from nearer.units import BoolArray, FloatArray

_PART = 1 / 12  # of the time limit, for each sending: a crisis has no minute to spare


@dataclass(frozen=True)
class SentOut:
    """Where the system sends people: to what is in service, and with the best sets opened; None where not asked."""

    now: Sending | None = None
    reopen: Sent | None = None
    open: Sent | None = None
    worst: Sent | None = None
    proofs: dict[str, Proof] = field(default_factory=dict)


def capacities(ground: Ground) -> FloatArray | None:
    """
    People each site can serve, float64 (n_sites,), ``inf`` where none is given; None where no site has a capacity.

    What the plan says of a site's room goes before the column ``capacity`` of the site's own table. A site that is not
    open has the room of its highest level, and no more than its own ``capacity``.

    Raises
    ------
    InputError
        A capacity is no number, or is below zero.
    """
    table = ground.tables.sites.table
    room = {site.id: site.room for site in ground.document.sites if site.room is not None}
    given = table["capacity"] if "capacity" in table.columns else [None] * len(table)
    stated = table["level"] if "level" in table.columns else [None] * len(table)
    faults, found = [], np.full(len(table), np.inf)
    for at, (site, value, level) in enumerate(zip(table["id"], given, stated, strict=True)):
        text = "" if value is None or value != value else str(value).strip()
        try:
            found[at] = room.get(site, float(text) if text else np.inf)
        except ValueError:
            found[at] = -1.0
        if not found[at] >= 0:
            remedy = "give people it can serve, or leave it empty"
            faults.append(Fault(f'site "{site}" has the capacity "{text}"', column="capacity", remedy=remedy))
        if ground.spare_mask[at]:
            found[at] = min(found[at], _highest(ground, "" if level is None or level != level else str(level).strip()))
    if faults:
        raise InputError(faults)
    return None if np.isinf(found).all() else found


def _highest(ground: Ground, stated: str) -> float:
    """Room at the level that a site's table states, else at the highest there is; ``inf`` without levels or limit."""
    levels = {level.name: level.capacity for level in ground.study.levels}
    last = next(reversed(levels), "")
    room = levels.get(stated or last)
    return np.inf if room is None else room


def send_out(
    ground: Ground, asked: Happened, question: Question, room: FloatArray, lost: list[str] | None, run: Run
) -> SentOut:
    """
    Send everybody so that all together walk least and nobody beyond what has room, and choose what to open first.

    Parameters
    ----------
    room
        As ``capacities`` gives it.
    lost
        More centres out, as the worst loss found; None where that was not asked.
    """
    table = ground.tables.sites.table
    ids, names = table["id"].to_numpy(dtype=object), table["name"].to_numpy(dtype=object)
    proofs: dict[str, Proof] = {}

    def sent(name: str, happened: Happened, pool: BoolArray, number: int) -> Sending | None:
        if name in ("reopen-sent", "open-sent") and not (number and pool.any()):
            return None
        found = send(
            happened.situation,
            room,
            pool,
            number,
            ground.unreached_ms,
            ids,
            names,
            gap=run.gap,
            seed=question.seed,
            threads=run.threads,
            stop=run.stop.within(None if run.time_limit_s is None else run.time_limit_s * _PART),
            progress=run.progress,
        )
        if found is not None:
            proofs[f"{name}-people"] = Parts(found.arrays())
            if found.certificate is not None:
                proofs[name] = found.certificate
        return found

    nothing = np.zeros(len(table), dtype=bool)
    now = sent("sent", asked, nothing, 0)
    back = sent("reopen-sent", asked, asked.back_mask, question.replan)
    new = sent("open-sent", asked, asked.spare_mask, question.replan)
    hurt = None
    if lost is not None:
        left = asked.situation.open_mask & ~np.isin(ids, np.array(lost, dtype=object))
        hurt = sent("worst-sent", replace(asked, situation=replace(asked.situation, open_mask=left)), nothing, 0)
    written = [None if one is None else one.written for one in (back, new, hurt)]
    return SentOut(now, written[0], written[1], written[2], proofs)
