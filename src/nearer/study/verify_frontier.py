"""The independent check of a frontier: both values of every point counted again, every bound evaluated again."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np

from nearer.errors import CheckFailedError
from nearer.model import FREE, OPEN
from nearer.model.check import agrees
from nearer.planning.curvefiles import read_as
from nearer.planning.document import Turn
from nearer.planning.files import read_run
from nearer.planning.frontierdoc import FrontierDocument, TradePoint
from nearer.study.checks import Check, Verdict, equal, load_certificate
from nearer.study.frontier import FRONTIER_FILE, FRONTIER_PROOF, proof_name
from nearer.study.provenance import origin_of
from nearer.study.recount import Recount
from nearer.study.retime import retime
from nearer.study.verify_agencies import AgencyFacts
from nearer.study.verify_facts import Facts, Kept
from nearer.study.verify_limits import evaluated, everyone_kept, next_limits, no_farther
from nearer.units import BoolArray, minutes_to_ms

_MS = 60_000.0
_NEAR = 1e-9


def verify_frontier(frontier_folder: Path, study_folder: Path | None = None) -> Verdict:
    """
    Check a frontier against its inputs, as ``verify_plan`` does a plan with several objectives.

    Not checked are sentences and the picture. That no plan leaves fewer people out of reach than a frontier of
    "farthest" says is the solver's own word.

    Raises
    ------
    InputError
        There is no frontier, an input is missing, or one has changed since.
    """
    frontier_folder = Path(frontier_folder)
    frontier_folder = frontier_folder.parent if frontier_folder.name == FRONTIER_FILE else frontier_folder
    document = read_as(FrontierDocument, frontier_folder / FRONTIER_FILE, "run `nearer frontier` again")
    origin = origin_of(document, frontier_folder, FRONTIER_FILE, study_folder)
    study, tables = origin.study, origin.tables
    if "cost" in (document.first.name, document.second.name):
        from nearer.study.verify_frontier_money import check_money_frontier

        facts_of = AgencyFacts(study, tables, retime(tables, study.streets, origin.folder), frontier_folder)
        of_money, said = check_money_frontier(document, facts_of, read_run(frontier_folder).get("gap"))
        return Verdict((*origin.checks(document), equal("seed", document.seed, study.study.seed), *of_money), said)
    recount = Recount(study, tables, retime(tables, study.streets, origin.folder))
    names = (document.first.name, document.second.name)
    checks = [
        *origin.checks(document),
        equal("seed", document.seed, study.study.seed),
        equal("objectives", list(names), list(study.aims)),
        equal("held", document.held, "farthest" if "farthest" in names else names[0]),
        *_check_sites(document, recount),
    ]
    if not all(check.ok for check in checks if check.name.startswith(("sites", "objectives", "held"))):
        return Verdict(tuple(checks), ("The rest was not checked, since sites or objectives are not the study's.",))
    facts = Facts(recount, np.asarray(recount.standing == OPEN))
    notes = []
    checks += [*_check_aims(document, facts), *_check_list(document, read_run(frontier_folder).get("gap"))]
    for number, point in enumerate(document.points, start=1):
        checks += list(_check_point(document, facts, point, number))
        checks.append(_check_bound(document, facts, point, number, frontier_folder))
    if any(point.proof == "solver" for point in document.points):
        notes.append("Some bounds are the solver's own word; they were compared with the values only.")
    if document.held == "farthest":
        notes.append("That no plan leaves fewer people out of reach is the solver's own word.")
    return Verdict(tuple(checks), tuple(notes))


def _check_sites(document: FrontierDocument, recount: Recount) -> Iterator[Check]:
    free = {str(site) for site in recount.tables.sites.table["id"][recount.standing == FREE]}
    low, high = recount.to_open
    for number, point in enumerate(document.points, start=1):
        strange = [site for site in point.opened if site not in free]
        twice = len(set(point.opened)) != len(point.opened)
        yield Check(f"sites of point {number}", not strange and not twice, ", ".join(strange[:5]), "candidates, once")
        asked = low <= len(point.opened) <= high
        yield Check(f"sites of point {number}: number", asked, len(point.opened), f"{low} to {high}")
        left = [site for site in recount.study.plan.force if site not in point.opened]
        yield Check(f"sites of point {number}: forced", not left, ", ".join(left[:5]), "all open")


def _check_aims(document: FrontierDocument, facts: Facts) -> Iterator[Check]:
    nothing = np.zeros_like(facts.forced)
    for which, aim in (("first", document.first), ("second", document.second)):
        yield equal(f"{which}: before", aim.before, facts.value(aim.name, facts.before, nothing))
        units = {"travel": "person-minutes", "coverage": "people"}
        yield equal(f"{which}: unit", aim.unit, units.get(aim.name, "minutes"))
        yield equal(f"{which}: larger is better", aim.larger_is_better, aim.name == "coverage")
    yield equal("unreached: told", document.unreached is not None, document.held == "farthest")


def _sign(name: str) -> float:
    """−1 where larger values are better."""
    return -1.0 if name == "coverage" else 1.0


def _values(document: FrontierDocument, point: TradePoint) -> tuple[str, float, str, float]:
    """Name and value of the held objective, and of the other."""
    first, second = (document.first.name, point.first), (document.second.name, point.second)
    return (*first, *second) if document.held == document.first.name else (*second, *first)


def _check_list(document: FrontierDocument, asked: float | None) -> Iterator[Check]:
    """The points trade one objective for the other, and none is worse than another in both."""
    yield Check("points", bool(document.points), len(document.points), "at least one")
    for number, (one, other) in enumerate(pairwise(document.points), start=1):
        held, before, free, was = _values(document, one)
        _, after, _, now = _values(document, other)
        ok = _sign(held) * after > _sign(held) * before and _sign(free) * now < _sign(free) * was
        yield Check(f"points {number} and {number + 1} trade", ok, f"{before:g}, {was:g}", f"{after:g}, {now:g}")
    reached = all(point.status != "feasible" for point in document.points)
    yield equal("complete", document.complete, reached)
    for number, point in enumerate(document.points, start=1):
        _, _, _, value = _values(document, point)
        gap = abs(value - point.bound) / max(abs(value), 1e-9)
        yield equal(f"point {number}: gap", point.gap, gap)
        if point.status == "gap" and asked is not None:
            # the solver measures a gap on its own scale, which is never wider
            yield Check(f"point {number}: status", gap <= asked * (1 + 1e-6) + _NEAR, f"at most {asked:g}", gap)


def _check_point(document: FrontierDocument, facts: Facts, point: TradePoint, number: int) -> Iterator[Check]:
    chosen = facts.recount.tables.sites.table["id"].isin(point.opened).to_numpy()
    open_mask: BoolArray = np.asarray(chosen | (facts.recount.standing == OPEN))
    times = facts.times_to(open_mask)
    for which, name, told in (
        ("first", document.first.name, point.first),
        ("second", document.second.name, point.second),
    ):
        yield _alike(f"point {number}: {which}", told, facts.value(name, times, np.asarray(chosen)))
    held, value, _, _ = _values(document, point)
    kept = _sign(held) * value <= _sign(held) * point.level + _NEAR * max(abs(point.level), 1.0)
    yield Check(f"point {number}: level", kept, value, f"within {point.level:g}")
    within_min = facts.recount.study.plan.everyone_within_min
    if within_min is not None:
        within = minutes_to_ms(within_min)
        far = math.fsum(facts.people[(times > within) & (facts.possible <= within)])
        yield Check(f"point {number}: everyone within", far == 0, "nobody who could be nearer", f"{far:g} people")
    if document.unreached is not None:
        lost = math.fsum(facts.people[np.isinf(times)])
        yield Check(
            f"point {number}: out of reach", lost <= document.unreached * (1 + _NEAR) + _NEAR, document.unreached, lost
        )
    if point.status == "optimal":
        _, _, free, best = _values(document, point)
        whole = bool(np.all(facts.weight % 1 == 0)) and free in ("travel", "coverage")
        unit = 1.0 / _MS if free == "travel" else 1.0
        decay = facts.recount.study.plan.decay_min
        if free == "coverage" and decay:
            unit = 1.0 / (_MS * (decay[1] - decay[0]))
        short = _sign(free) * (best - point.bound)
        close = short <= _NEAR * abs(best) * (1 + 1e-6) or (whole and short < unit)
        yield Check(f"point {number}: optimal", close, best, point.bound)


def _alike(name: str, told: float, found: float) -> Check:
    return Check(name, agrees(told, found) or abs(told - found) <= 1e-12, told, found)


def _check_bound(document: FrontierDocument, facts: Facts, point: TradePoint, number: int, folder: Path) -> Check:
    """The bound is no better than the value, and what the multipliers prove of every plan that keeps the level."""
    name = f"point {number}: bound"
    held, _, free, value = _values(document, point)
    sign = _sign(free)
    if sign * point.bound > sign * value and not agrees(point.bound, value):
        return Check(name, False, point.bound, f"no better than {value:g}")
    if point.proof == "solver":
        return Check(name, True, point.bound, value)
    try:
        certificate = load_certificate(folder / FRONTIER_PROOF, proof_name(number))
    except CheckFailedError as error:
        return Check(name, False, point.bound, str(error))
    proven = -math.inf
    reason = "proves nothing"
    for limits in _ways(document, facts, point, held):
        try:
            total = evaluated(facts, facts.term(free), limits, point.prices, certificate, None)
            proven = max(proven, total)
        except CheckFailedError as error:
            reason = str(error)
    if not math.isfinite(proven):
        return Check(name, False, point.bound, reason)
    found = facts.in_unit(free, max(proven, 0.0))
    return Check(name, sign * point.bound <= sign * found or agrees(point.bound, found), point.bound, found)


def _ways(document: FrontierDocument, facts: Facts, point: TradePoint, held: str) -> Iterator[list[Kept]]:
    """
    Ways to say which plans keep a point's level, each of them true of all that do.

    Multipliers prove something of each; the best of that holds.
    """
    base = everyone_kept(facts)
    if held == "farthest":
        most = document.unreached or 0.0
        limit_ms = minutes_to_ms(facts.recount.study.streets.limit_min)
        reach = no_farther(facts, "unreached", limit_ms, most)
        left = facts.term("unreached").paid(facts.possible) if reach.hard else most
        yield [*base, no_farther(facts, "farthest", math.floor(round(point.level * _MS, 3)), left)]
        yield [*base, reach]
        return
    yield [*base, Kept(held, facts.term(held), facts.out_of_unit(held, point.level))]
    turn = Turn(
        name=held, unit="", before=0.0, value=point.level, found=point.level, bound=point.level, gap=0.0,
        tolerance=0.0, status="optimal", proof="solver",
    )  # fmt: skip
    yield next_limits(facts, turn, base, None)[0]
    yield base
