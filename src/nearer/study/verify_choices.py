"""Reasons and other plans of a plan, computed again."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from nearer.model import FREE, OPEN, Certificate, Instance
from nearer.model.check import agrees
from nearer.model.evaluate import decided_bounds
from nearer.planning.document import OtherPlans, Otherwise, PlanDocument
from nearer.study.recount import Nearest, Recount
from nearer.units import BoolArray, FloatArray

_MS = 60_000.0

Claim = tuple[str, bool, Any, Any]
"""Name, whether it agrees, what is claimed, what was found."""


def check_choices(
    document: PlanDocument,
    recount: Recount,
    instance: Instance,
    certificate: Certificate | None,
    after: dict[str, Nearest],
) -> Iterator[Claim]:
    """Every claim of ``rejected``, ``without`` and ``alternatives``; see ``notes`` for what is taken on trust."""
    opened = {site.id for site in document.sites if site.status == "opened"}
    about = {site.id: (False, site.without) for site in document.sites if site.without is not None}
    about |= {site.id: (True, site.forced) for site in document.rejected}
    if about:
        yield from _check_reasons(document, recount, instance, certificate, after, opened, about)
    if document.alternatives is not None:
        yield from _check_alternatives(document, document.alternatives, recount, opened)


def notes(document: PlanDocument) -> tuple[str, ...]:
    """What is not proven by anything in the folder."""
    said = [site.without for site in document.sites if site.without] + [site.forced for site in document.rejected]
    found = []
    if any(one.searched for one in said):
        found.append(
            "What some sites cost at least, decided otherwise, is a search's own word; it was compared with the plan "
            "that it names only."
        )
    if document.alternatives is not None and document.alternatives.plans:
        found.append(
            "The bounds of the other plans are the solver's own word; they were compared with the values only."
        )
    return tuple(found)


def _free_ids(recount: Recount) -> set[str]:
    return {str(i) for i in recount.tables.sites.table["id"][recount.standing == FREE]}


def _check_reasons(
    document: PlanDocument,
    recount: Recount,
    instance: Instance,
    certificate: Certificate | None,
    after: dict[str, Nearest],
    opened: set[str],
    about: dict[str, tuple[bool, Otherwise]],
) -> Iterator[Claim]:
    free = _free_ids(recount)
    missing = sorted((free - opened) ^ {site.id for site in document.rejected})
    yield "reasons: candidates left out", not missing, ", ".join(missing[:5]), "those of the study"
    missing = sorted(opened ^ {i for i, (is_out, _) in about.items() if not is_out})
    yield "reasons: opened sites", not missing, ", ".join(missing[:5]), "those of the plan"
    position = {str(site): at for at, site in enumerate(recount.tables.sites.table["id"])}
    low, high = recount.to_open
    value = recount.value_ms(after)
    closed, forced = _proven(instance, certificate)
    spare = free - opened
    for site, (must_open, one) in about.items():
        moved = one.opens if must_open else one.closes
        no_plan = one.at_most_person_min is None and not one.opens and not one.closes
        if not no_plan and not (_well_formed(one.opens, one.closes, opened, spare) and site in moved):
            yield f"reasons: plan of {site}", False, f"opens {one.opens}, closes {one.closes}", "another choice"
            return
        if one.at_most_person_min is None:
            left = high == 0 if must_open else len(free) - 1 < low
            if not left:
                yield f"reasons: {site}", False, "no plan is left", "some are"
                return
            continue
        number = len(opened) + len(one.opens) - len(one.closes)
        if not low <= number <= high:
            yield f"reasons: number of {site}", False, number, low if low == high else f"{low}–{high}"
            return
        rise = _rise(recount, after, value, position, opened, one.opens, one.closes) / _MS
        if not _near(one.at_most_person_min, rise, value / _MS):
            yield f"reasons: at most, {site}", False, one.at_most_person_min, rise
            return
        least = one.at_least_person_min
        if least is None or least > one.at_most_person_min * (1 + 1e-9) + 1e-9 * value / _MS:
            yield f"reasons: at least, {site}", False, least, one.at_most_person_min
            return
        if not one.searched and least < one.at_most_person_min:
            proven = max(float((forced if must_open else closed)[position[site]]) / _MS, document.bound) - value / _MS
            if least > proven and not _near(least, proven, value / _MS):
                yield f"reasons: at least, {site}", False, least, proven
                return
    yield "reasons: figures", True, len(about), len(about)


def _near(claimed: float, found: float, scale: float) -> bool:
    """Whether two differences of sums agree, as exactly as the sums do."""
    return agrees(claimed, found) or abs(claimed - found) <= 1e-9 * scale


def _proven(instance: Instance, certificate: Certificate | None) -> tuple[FloatArray, FloatArray]:
    """The best bounds of multipliers that no leaf and no fixing uses, site closed and site open."""
    none = np.full(instance.n_sites, -math.inf)
    closed, opened = none, none
    if certificate is None or certificate.multipliers.shape[1:] != (instance.n_rows,):
        return closed, opened
    used = set(certificate.node_multiplier.tolist()) | set(certificate.fix_multiplier.tolist())
    for row in sorted(set(range(len(certificate.multipliers))) - used):
        found = decided_bounds(instance, certificate.multipliers[row])
        closed, opened = np.fmax(closed, found[0]), np.fmax(opened, found[1])
    return closed, opened


def _well_formed(opens: Iterable[str], closes: Iterable[str], opened: set[str], spare: set[str]) -> bool:
    opens, closes = list(opens), list(closes)
    return (
        len(set(opens)) == len(opens)
        and len(set(closes)) == len(closes)
        and set(opens) <= spare
        and set(closes) <= opened
    )


def _rise(
    recount: Recount,
    after: dict[str, Nearest],
    value: float,
    position: dict[str, int],
    opened: set[str],
    opens: list[str],
    closes: list[str],
) -> float:
    """How much a plan with these changes costs more, weight × ms."""
    if len(opens) <= 1 and len(closes) == 1:
        return recount.without(position[closes[0]], after, position[opens[0]] if opens else None)[0]
    return recount.value_ms(recount.nearest(_mask(recount, (opened - set(closes)) | set(opens)))) - value


def _mask(recount: Recount, opened: set[str]) -> BoolArray:
    chosen = recount.tables.sites.table["id"].isin(opened).to_numpy()
    return np.asarray(chosen | (recount.standing == OPEN))


def _check_alternatives(
    document: PlanDocument, told: OtherPlans, recount: Recount, opened: set[str]
) -> Iterator[Claim]:
    free = _free_ids(recount)
    low, high = recount.to_open
    value = document.objective.value
    limit = value + told.within * abs(value)
    earlier = [opened]
    yield "alternatives: number", len(told.plans) <= told.count, len(told.plans), told.count
    for number, other in enumerate(told.plans, start=1):
        name = f"alternative {number}"
        if not _well_formed(other.opens, other.closes, opened, free - opened):
            yield f"{name}: sites", False, f"opens {other.opens}, closes {other.closes}", "another choice"
            return
        chosen = (opened - set(other.closes)) | set(other.opens)
        fewest = min(len(chosen - one) for one in earlier)
        asked = low if low == high else f"{low}–{high}"
        yield f"{name}: number asked", low <= len(chosen) <= high, len(chosen), asked
        yield f"{name}: differs", fewest >= told.differ, f"at least {told.differ}", fewest
        found = recount.value_ms(recount.nearest(_mask(recount, chosen))) / _MS
        yield f"{name}: value", agrees(other.value, found), other.value, found
        yield f"{name}: within", found <= limit or agrees(found, limit), limit, found
        yield f"{name}: bound", other.bound <= other.value or agrees(other.bound, other.value), other.bound, found
        earlier.append(chosen)
    in_all = set.intersection(*earlier)
    yield "alternatives: in all", set(told.in_all) == in_all, len(told.in_all), len(in_all)
