"""Reasons and other plans in the user's ids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from nearer.model import FREE, Certificate, Instance, Solution
from nearer.planning.document import OtherPlan, OtherPlans, Otherwise, RejectedSite
from nearer.planning.plan import Plan
from nearer.solvers.choices import Alternatives
from nearer.solvers.reasons import Forced, Reasons
from nearer.units import MS_PER_MIN, BoolArray


def with_reasons(plan: Plan, instance: Instance, solution: Solution, found: Reasons) -> Plan:
    """
    Say of every candidate what it costs to decide it otherwise.

    The multipliers that bound those costs are added to the plan's proof, as a row that no leaf uses.

    Parameters
    ----------
    plan
        In the ids of the instance's sites, in their order.
    instance, solution, found
        Costs in milliseconds.
    """
    ids = _ids(plan)
    told = {ids[one.site]: _otherwise(one, instance, solution, ids) for one in found.forced}
    names = dict(zip(ids, plan.sites["name"].fillna(""), strict=True))
    left_out = [
        RejectedSite(id=ids[one.site], name=str(names[ids[one.site]]), forced=told[ids[one.site]])
        for one in sorted((f for f in found.forced if f.open), key=lambda f: (f.at_most, f.at_least, f.site))
    ]
    sites = [site.model_copy(update={"without": told.get(site.id)}) for site in plan.document.sites]
    frame = plan.sites.copy()
    for column, field in (
        ("otherwise_least_person_min", "at_least_person_min"),
        ("otherwise_most_person_min", "at_most_person_min"),
    ):
        values = [getattr(told[i], field) if i in told else None for i in ids]
        frame.insert(frame.columns.get_loc("replacement") + 1, column, np.array(values, dtype=np.float64))
    certificate = plan.certificate
    if isinstance(certificate, Certificate):
        certificate = replace(certificate, multipliers=np.vstack([certificate.multipliers, found.multipliers]))
    document = plan.document.model_copy(update={"sites": sites, "rejected": left_out})
    return replace(plan, document=document, sites=frame, certificate=certificate)


def with_alternatives(
    plan: Plan, instance: Instance, solution: Solution, found: Alternatives, *, count: int, differ: int, within: float
) -> Plan:
    """Tell of other plans by what they do otherwise, and which sites all of them open."""
    ids = _ids(plan)
    free = instance.free_mask
    in_all: BoolArray = free & solution.open_mask
    for other in found.plans:
        in_all = in_all & other.open_mask
    told = OtherPlans(
        count=count,
        differ=differ,
        within=within,
        plans=[
            OtherPlan(
                value=other.value / MS_PER_MIN,
                bound=max(other.bound, 0.0) / MS_PER_MIN,
                **_difference(solution.open_mask & free, other.open_mask & free, ids),
            )
            for other in found.plans
        ],
        no_more=found.no_more,
        in_all=_named(in_all, ids),
    )
    return replace(plan, document=plan.document.model_copy(update={"alternatives": told}))


def _ids(plan: Plan) -> list[str]:
    return [str(i) for i in plan.sites["id"]]


def _otherwise(one: Forced, instance: Instance, solution: Solution, ids: Sequence[str]) -> Otherwise:
    if one.plan is None:
        return Otherwise(at_least_person_min=None, at_most_person_min=None, searched=False)
    free = instance.standing == FREE
    return Otherwise(
        at_least_person_min=one.at_least / MS_PER_MIN,
        at_most_person_min=one.at_most / MS_PER_MIN,
        searched=one.searched,
        **_difference(solution.open_mask & free, one.plan & free, ids),
    )


def _difference(plan: BoolArray, other: BoolArray, ids: Sequence[str]) -> dict[str, list[str]]:
    return {"opens": _named(other & ~plan, ids), "closes": _named(plan & ~other, ids)}


def _named(mask: BoolArray, ids: Sequence[str]) -> list[str]:
    return [ids[site] for site in np.flatnonzero(mask).tolist()]
