"""
The check of plans with several objectives or rules: every value and limit by its definition, every bound anew.

Only the certificates' own evaluation is shared with the plain check.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from nearer.errors import CheckFailedError
from nearer.model import Certificate
from nearer.model.check import agrees
from nearer.planning.document import PlanDocument, Turn
from nearer.study.recount import Recount
from nearer.study.verify_facts import Facts
from nearer.study.verify_limits import everyone_kept, next_limits, proven
from nearer.units import BoolArray, minutes_to_ms

_MS = 60_000.0
_NEAR = 1e-9


Found = tuple[str, bool, float | str | None, float | str | None]


def check_objectives(
    document: PlanDocument,
    recount: Recount,
    open_mask: BoolArray,
    certificate_of: Callable[[str], Certificate],
) -> tuple[list[Found], list[str]]:
    """
    Compare what a plan says of its objectives and rules with what they come to.

    Parameters
    ----------
    certificate_of
        The certificate of an objective by name; raises ``CheckFailedError`` or ``KeyError`` where there is none.

    Returns
    -------
    list of (name, agrees, claimed, found), list of str
        Everything compared, and what could not be.
    """
    facts = Facts(recount, open_mask)
    study = recount.study
    names = [part for name in study.aims for part in (("unreached", name) if name == "farthest" else (name,))]
    told = [turn.name for turn in document.objectives]
    checks: list[Found] = [("objectives: order", told == names, ", ".join(told), ", ".join(names))]
    if told != names:
        return checks, []
    checks += list(_rules(facts))
    checks += list(_unservable(document, facts))
    first = document.objectives[names.index(study.aims[0])]
    for key, one, other in (
        ("name", document.objective.name, first.name),
        ("unit", document.objective.unit, first.unit),
        ("value", document.objective.value, first.value),
        ("value before", document.before_value, first.before),
        ("bound", document.bound, first.bound),
        ("gap", document.gap, first.gap),
        ("proof", document.proof, first.proof),
    ):
        checks.append((f"objective: {key}", one == other, one, other))
    gain = 0.0
    if first.value != first.bound:
        gain = abs(first.value - first.bound) / max(abs(first.before - first.bound), 1e-9)
    checks.append(("gain_gap", agrees(document.gain_gap, gain), document.gain_gap, gain))
    worst = next((s for s in ("feasible", "gap") if any(turn.status == s for turn in document.objectives)), "optimal")
    checks.append(("status", document.status == worst, document.status, worst))
    notes: list[str] = []
    limits = everyone_kept(facts)
    most_open: int | None = None
    tolerances = dict(zip(study.aims, study.tolerances, strict=True))
    for turn in document.objectives:
        main = turn is first
        checks += list(_values(facts, turn, tolerances.get(turn.name, 0.0)))
        if turn.proof == "solver":
            notes.append(f"The bound of {turn.name} is the solver's own word; it was compared with the value only.")
        else:
            try:
                at_best = proven(facts, turn, limits, most_open, partial(certificate_of, "" if main else turn.name))
                sign = -1.0 if turn.name == "coverage" else 1.0
                holds = sign * turn.bound <= sign * at_best or agrees(turn.bound, at_best)
                checks.append((f"{turn.name}: bound", holds, turn.bound, at_best))
            except (CheckFailedError, KeyError) as error:
                checks.append((f"{turn.name}: bound", False, turn.bound, str(error)))
        limits, most_open = next_limits(facts, turn, limits, most_open)
    return checks, notes


def _rules(facts: Facts) -> Iterator[Found]:
    plan, ids = facts.recount.study.plan, facts.recount.tables.sites.table["id"]
    left = [str(site) for site in ids[facts.forced & ~facts.opened]]
    yield "rule: forced sites open", not left, ", ".join(left[:5]), "all"
    if plan.everyone_within_min is not None:
        within = minutes_to_ms(plan.everyone_within_min)
        far = math.fsum(facts.people[(facts.after > within) & (facts.possible <= within)])
        yield "rule: everyone within", far == 0, "nobody who could be nearer", f"{far:g} people farther"
    if plan.within_share is not None:
        near = math.fsum(facts.people[facts.after <= minutes_to_ms(plan.coverage_min)]) / math.fsum(facts.people)
        yield "rule: share within", near >= plan.within_share - _NEAR, plan.within_share, near


def _unservable(document: PlanDocument, facts: Facts) -> Iterator[Found]:
    """Who makes it impossible that everyone is near."""
    within_min, told = facts.recount.study.plan.everyone_within_min, document.unservable
    if within_min is None:
        yield "unservable", not told and document.unservable_people == 0, len(told), 0
        return
    far = facts.possible > minutes_to_ms(within_min)
    people = math.fsum(facts.people[far])
    yield "unservable: people", agrees(document.unservable_people, people), document.unservable_people, people
    point = np.concatenate([np.flatnonzero(lives) for lives in facts.lives.values()])
    here = np.bincount(point[far], weights=facts.people[far], minlength=len(facts.recount.tables.people.table))
    known = dict(zip(facts.recount.tables.people.table["id"], here, strict=True))
    wrong = [one.id for one in told if not agrees(known.get(one.id, 0.0), one.people)]
    listed = min(int(np.count_nonzero(here)), 100)
    yield "unservable: places", not wrong and len(told) == listed, ", ".join(wrong[:5]) or len(told), listed


def _values(facts: Facts, turn: Turn, tolerance: float) -> Iterator[Found]:
    value = facts.value(turn.name, facts.after, facts.opened)
    before = facts.value(turn.name, facts.before, np.zeros_like(facts.opened))
    yield f"{turn.name}: value", _alike(turn.value, value), turn.value, value
    yield f"{turn.name}: value before", _alike(turn.before, before), turn.before, before
    yield f"{turn.name}: tolerance", turn.tolerance == tolerance, turn.tolerance, tolerance
    sign = -1.0 if turn.name == "coverage" else 1.0
    most = turn.found + sign * tolerance * turn.found
    kept = sign * value <= sign * most or _alike(value, most)
    yield f"{turn.name}: kept by later objectives", kept, value, most
    gap = abs(turn.value - turn.bound) / max(abs(turn.value), 1e-9)
    yield f"{turn.name}: gap", agrees(turn.gap, gap), turn.gap, gap
    short = sign * (turn.found - turn.bound)
    sound = short >= 0 or agrees(turn.found, turn.bound)
    yield f"{turn.name}: bound is no better than found", sound, turn.bound, turn.found
    if turn.status == "optimal":
        parts = facts.weight * (facts.second_share or 1.0)
        whole = bool(np.all(facts.weight % 1 == 0) and np.all(parts % 1 == 0)) and turn.name in ("travel", "coverage")
        decay = facts.recount.study.plan.decay_min if turn.name == "coverage" else None
        unit = 1.0 / _MS if turn.name in ("travel", "farthest") else 1.0
        if decay:
            unit = 1.0 / (_MS * (decay[1] - decay[0]))
        close = short <= _NEAR * abs(turn.found) * (1 + 1e-6) or (
            (whole or turn.name == "farthest" or (turn.name == "cost" and facts.price is None)) and short < unit
        )
        yield f"{turn.name}: optimal", close, turn.found, turn.bound


def _alike(one: float, other: float) -> bool:
    return agrees(one, other) or abs(one - other) <= 1e-12
