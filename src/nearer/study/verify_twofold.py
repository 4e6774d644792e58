"""The check of twofold cover: who has one open site near and who two, counted pair by pair; the bound anew."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from nearer.model import OPEN, Certificate, single_phase
from nearer.model.check import certified_bound
from nearer.planning.document import PlanDocument
from nearer.study.checks import Check, compare, flat
from nearer.study.recount import Nearest, Recount
from nearer.units import BoolArray, FloatArray, IntArray, minutes_to_ms

if TYPE_CHECKING:
    from nearer.study.verify_facts import Facts


def _near_pairs(facts: Facts) -> tuple[IntArray, IntArray]:
    """Row and site of each pair within ``coverage_min``."""
    row, site, time_ms = facts.pairs
    near = time_ms <= minutes_to_ms(facts.recount.study.plan.coverage_min)
    return row[near], site[near]


def covered_twice(facts: Facts, open_mask: BoolArray) -> float:
    """Weight covered: 1 − s of each row with its first open site near, the rest with its second."""
    share = facts.second_share or 0.0
    row, site = _near_pairs(facts)
    near = np.bincount(row[open_mask[site]], minlength=len(facts.people))
    return math.fsum(facts.weight[near >= 1] * (1 - share)) + math.fsum(facts.weight[near >= 2] * share)


def proven_twice(facts: Facts, certificate: Certificate) -> float:
    """The most weight that a certificate leaves possible."""
    row, site = _near_pairs(facts)
    order = np.lexsort((site, row))
    low, high = facts.recount.to_open
    n_forced, n_rows = int(facts.forced.sum()), len(facts.people)
    once = single_phase(
        np.concatenate([[0], np.cumsum(np.bincount(row, minlength=n_rows))]),
        site[order],
        np.zeros(len(row), dtype=np.int32),
        facts.weight,
        np.ones(n_rows),
        np.where(facts.forced, OPEN, facts.recount.standing),
        low - n_forced,
        high - n_forced,
    )
    instance = replace(once, second_share=np.full(n_rows, facts.second_share))
    left = certified_bound(instance, certificate)
    if instance.whole and math.isfinite(left):
        left = float(math.ceil(left - 1e-9 * max(abs(left), 1.0)))
    return math.fsum(facts.weight) - max(left, 0.0)


def check_backup(
    document: PlanDocument, recount: Recount, before: dict[str, Nearest], after: dict[str, Nearest]
) -> Iterator[Check]:
    """Shares of people with one centre near, and with two."""
    share, told = recount.study.plan.second_share, document.backup
    if share is None or told is None:
        yield Check("backup", (share is None) == (told is None), str(told is not None), str(share is not None))
        return
    found = {
        "second_share": share,
        "minutes": recount.study.plan.coverage_min,
        "before": _covered(recount, before),
        "after": _covered(recount, after),
    }
    yield from compare("backup", flat(told.model_dump()), flat(found))


def _covered(recount: Recount, nearest: dict[str, Nearest]) -> dict[str, object]:
    near_ms = minutes_to_ms(recount.study.plan.coverage_min)

    def shares(parts: list[tuple[FloatArray, Nearest]]) -> dict[str, float]:
        everyone = math.fsum(math.fsum(people) for people, _ in parts)
        once = math.fsum(math.fsum(people[one.first_ms <= near_ms]) for people, one in parts)
        twice = math.fsum(math.fsum(people[one.second_ms <= near_ms]) for people, one in parts)
        return {"once": once / everyone, "twice": twice / everyone} if everyone > 0 else {"once": 0.0, "twice": 0.0}

    return {
        **shares([(recount.people[name], one) for name, one in nearest.items()]),
        "groups": {
            name: shares([(recount.group(name), nearest[name if name in nearest else ""])])
            for name in recount.tables.people.groups
        },
    }
