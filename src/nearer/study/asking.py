"""What a study asks, as a question to the solvers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from nearer.demand import Demand
from nearer.errors import Fault, InputError
from nearer.inputs.tables import Tables
from nearer.model import OPEN, Instance
from nearer.model.aims import Aim, coverage, equal, kappa_of, times_to_open, travel
from nearer.model.build import build_instance
from nearer.model.covering import covering_instance
from nearer.network import TravelTimes
from nearer.planning.access import Access
from nearer.solvers.turns import Question, Share
from nearer.study.load import STUDY_FILE
from nearer.study.parts import number_to_open, standing
from nearer.study.settings import Study
from nearer.units import MS_PER_MIN, FloatArray, minutes_to_ms


def question_of(study: Study, tables: Tables, demand: Demand, class_times: Sequence[TravelTimes]) -> Question:
    """
    Rows of times with everyone in them, and the objectives and rules of a study.

    Raises
    ------
    InputError
        More are to open than may, or some candidates have a cost and others none.
    """
    base = standing(tables, study)
    low, high = number_to_open(study, tables)
    forced = tables.sites.table["id"].isin(study.plan.force).to_numpy()
    unreached_ms = minutes_to_ms(study.unreached_min)
    # cut at the sites of today, which forced ones are not: what stands before is measured on the same rows
    times = build_instance(demand, class_times, base, low, high, unreached_ms, everyone=True)
    n_forced = int(forced.sum())
    times = replace(
        times,
        standing=np.where(forced, OPEN, base).astype(np.int8),
        open_min=np.array([low - n_forced]),
        open_max=np.array([high - n_forced]),
    )
    people = demand.class_people[times.row_group, times.row_point]
    everyone_min = study.plan.everyone_within_min
    return Question(
        times=times,
        people=people,
        limit_ms=class_times[0].limit_ms,
        turns=tuple(_turn(name, study, tables, times, demand, class_times, base == OPEN) for name in study.aims),
        tolerances=study.tolerances,
        everyone_ms=None if everyone_min is None else minutes_to_ms(everyone_min),
        existing=np.asarray(base == OPEN),
    )


def backup_of(study: Study, tables: Tables, demand: Demand, class_times: Sequence[TravelTimes]) -> Instance:
    """
    Who would be covered once and twice by which sites, as ``[plan] second_share`` asks; rows as in ``question_of``.

    Rows are not cut at the sites of today: a farther site may be the second one.
    """
    base = standing(tables, study)
    low, high = number_to_open(study, tables)
    forced = tables.sites.table["id"].isin(study.plan.force).to_numpy()
    everybody = build_instance(
        demand, class_times, base, low, high, minutes_to_ms(study.unreached_min), cut=False, everyone=True
    )
    near = np.asarray(everybody.cost) <= minutes_to_ms(study.plan.coverage_min)
    return covering_instance(
        np.concatenate([[0], np.cumsum(near)])[everybody.indptr],
        everybody.site_idx[near],
        np.asarray(everybody.weight[0]),
        np.where(forced, OPEN, base).astype(np.int8),
        low - int(forced.sum()),
        high - int(forced.sum()),
        second_share=study.plan.second_share,
    )


def kappa_before(study: Study, demand: Demand, before: Access) -> float:
    """κ per minute of today's times."""
    minutes = before.counted_ms(minutes_to_ms(study.unreached_min)) / MS_PER_MIN
    return kappa_of(demand.class_people.ravel(), minutes.ravel())


def _turn(
    name: str,
    study: Study,
    tables: Tables,
    times: Instance,
    demand: Demand,
    class_times: Sequence[TravelTimes],
    existing: np.ndarray,
) -> Aim | Share | str:
    weight, unreached_ms = np.asarray(times.weight[0]), minutes_to_ms(study.unreached_min)
    near = study.plan.coverage_min
    if name == "travel":
        return travel(weight, unreached_ms)
    if name == "coverage":
        full, none = study.plan.decay_min or (near, near)
        return coverage(weight, minutes_to_ms(full), minutes_to_ms(none))
    if name == "equal":
        kappa = kappa_before(study, demand, Access.to_open(demand, class_times, existing))
        before_ms = np.minimum(times_to_open(times, existing), unreached_ms)
        return equal(weight, kappa, int(before_ms.max(initial=0.0)), unreached_ms)
    if name == "cost":
        return Share(minutes_to_ms(near), study.plan.within_share or 0.0, _prices(tables))
    return "farthest"


def _prices(tables: Tables) -> FloatArray | None:
    """Cost of opening each site, float64 (n_sites,); None where no candidate has one."""
    table = tables.sites.table
    candidate = (table["status"] == "candidate").to_numpy()
    if "cost" not in table:
        return None
    cost = pd.to_numeric(table["cost"], errors="coerce").to_numpy(dtype=np.float64)
    known = np.isfinite(cost)
    if not known[candidate].any():
        return None
    if bad := [str(site) for site in table["id"][candidate & ~(known & (cost >= 0))]]:
        message = f"{len(bad)} candidates have no cost, or one below 0 (the first is {bad[0]!r}), and others have one"
        raise InputError(
            [Fault(message, file=STUDY_FILE, column="plan.objective", remedy="give each candidate a cost, or none")]
        )
    return np.where(known & candidate, cost, 0.0)
