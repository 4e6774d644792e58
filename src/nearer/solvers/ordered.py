"""
Several aims in order: each as good as can be while those before it keep what they reached, within tolerances.

"farthest" takes three turns: the fewest people out of reach, then the least worst time of those who are not, then, if
nothing else was asked after it, travel. A worst time of at most T is a limit on the people farther than T, which no
plan can lower further when nobody is needlessly out of reach; so each threshold is a maximal covering problem, and a
proof that fewer cannot be left out is a proof that the worst time is above T.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from nearer.errors import InfeasibleError
from nearer.model import FORBIDDEN, FREE, OPEN, Certificate, Instance, Solution, Status, TracePoint
from nearer.model.aims import Aim, coverage, times_to_open, unreached
from nearer.progress import Progress, Silent, Stop
from nearer.solvers.limited import Effort, Least, Limit, least, least_possible, priced
from nearer.solvers.pcenter import solve_pcenter
from nearer.units import MS_PER_MIN, BoolArray, FloatArray

_NEAR = 1e-12


@dataclass(frozen=True)
class Share:
    """
    So many people within a time, with the fewest new sites or at the least cost.

    Parameters
    ----------
    within_ms, share
        The time, and the part of all people, 0 … 1.
    price
        Cost of opening each site, float64 (n_sites,); None = their number counts.
    """

    within_ms: int
    share: float
    price: FloatArray | None = None


@dataclass(frozen=True)
class Question:
    """
    What is asked of some rows of times.

    Parameters
    ----------
    times
        Costs in milliseconds; rows may be cut at the nearest site that stands open. Standing sites include forced ones.
    people
        People of each row, float64 (n_rows,).
    limit_ms
        Longest time within reach.
    turns
        What to make good, first things first: an aim, "farthest", or a ``Share``, which comes first where it comes.
    tolerances
        What each may give up for those after it, as a part of its value; one per turn.
    everyone_ms
        Everybody whom any site could serve within so long must be; None = no such rule.
    existing
        Sites of today, bool (n_sites,); None = those that stand open.
    """

    times: Instance
    people: FloatArray
    limit_ms: int
    turns: tuple[Aim | Share | str, ...]
    tolerances: tuple[float, ...]
    everyone_ms: int | None = None
    existing: BoolArray | None = None

    @property
    def before(self) -> BoolArray:
        """Sites of today, bool (n_sites,)."""
        return np.asarray(self.times.standing == OPEN) if self.existing is None else self.existing


@dataclass(frozen=True)
class Turn:
    """
    What one turn reached.

    Parameters
    ----------
    name, unit, maximise
        Of the aim.
    found, bound
        The best value found in this turn, and what no plan within the limits of the turn can better; in ``unit``.
    tolerance
        Part of ``found`` that later turns may give up.
    optimal, reached
        Whether the two meet, and whether they are as near as was asked.
    proof, certificate
        "certificate", with the arrays, or "solver".
    prices
        Name and price of each limit that the certificate is made for.
    asked
        Whether the user named it, or it belongs to "farthest".
    before, final
        Value with the sites of today, and with the finished plan.
    """

    name: str
    unit: str
    maximise: bool
    found: float
    bound: float
    tolerance: float
    optimal: bool
    reached: bool
    proof: str
    certificate: Certificate | None
    prices: tuple[tuple[str, float], ...] = ()
    asked: bool = True
    before: float = math.nan
    final: float = math.nan


@dataclass(frozen=True)
class Answer:
    """The plan, and what each turn reached; ``trace`` is of the last turn, in its unit."""

    open_mask: BoolArray
    turns: tuple[Turn, ...]
    trace: tuple[TracePoint, ...] = ()
    work: int = 0
    seconds: float = 0.0


def farther_than(question: Question, within_ms: int, name: str, *, each: bool = False) -> Aim:
    """People, or with ``each`` rows, farther than so long; everyone who lives there counts once."""
    counted = (question.people > 0).astype(np.float64) if each else question.people
    return replace(coverage(counted, within_ms, within_ms, name), size_of=abs, value_of=float, maximise=False)


@dataclass
class OrderedRun:
    """The state of a run over all turns."""

    question: Question
    effort: Effort
    times: Instance
    limits: list[Limit] = field(default_factory=list)
    plans: list[BoolArray] = field(default_factory=list)
    turns: list[Turn] = field(default_factory=list)
    trace: tuple[TracePoint, ...] = ()

    def hardened(self, within_ms: int, name: str, most: float) -> Limit:
        """A limit on the people farther than a time; on rows, where only those are left whom no site can serve."""
        aim = farther_than(self.question, within_ms, name)
        if most <= least_possible(self.times, aim) * (1 + _NEAR):
            rows = farther_than(self.question, within_ms, name, each=True)
            return Limit(name, rows, least_possible(self.times, rows), hard=True)
        return Limit(name, aim, most)

    def everyone(self) -> None:
        """The rule that everyone is within a time, with a plan that keeps it."""
        within_ms = self.question.everyone_ms
        if within_ms is None:
            return
        aim = farther_than(self.question, within_ms, "everyone_within", each=True)
        unavoidable = least_possible(self.times, aim)
        found = least(self.times, aim, [], self.effort, goal=unavoidable)
        if found.open_mask is None or found.value > unavoidable:
            most = int(self.times.open_max[0])
            raise InfeasibleError(self._why_not_everyone(within_ms, found, unavoidable, most))
        self.limits.append(Limit("everyone_within", aim, unavoidable, hard=True))
        self.plans.append(found.open_mask)

    def _why_not_everyone(self, within_ms: int, found: Least, unavoidable: float, most: int) -> str:
        minutes = f"{within_ms / MS_PER_MIN:g}"
        if found.bound <= unavoidable:
            return (
                f"No plan was found in time that brings everyone within {minutes} minutes with {most} new sites, nor a "
                "proof that there is none: give more time, or ask for more sites."
            )
        left = ""
        if found.open_mask is not None:
            now = times_to_open(self.times, found.open_mask)
            possible = times_to_open(self.times, np.asarray(self.times.standing != FORBIDDEN))
            people = math.fsum(self.question.people[(now > within_ms) & (possible <= within_ms)])
            left = f" (the best that was found leaves {people:,.0f} people farther)"
        needed = self._sites_needed(within_ms)
        by = f"at least {needed} are needed: open {needed - most} more, or allow more minutes" if needed > most else (
            "allow more minutes, or more sites"
        )  # fmt: skip
        return f"{most} new sites cannot bring everyone within {minutes} minutes{left}; {by}."

    def _sites_needed(self, within_ms: int) -> int:
        """Sites that it takes at least to serve within a time everyone whom some site can serve so."""
        times = replace(self.times, open_min=np.array([0]), open_max=np.array([int(self.times.free_mask.sum())]))
        aim = farther_than(self.question, within_ms, "everyone_within", each=True)
        limit = Limit("everyone_within", aim, least_possible(times, aim), hard=True)
        usable = np.asarray(times.standing != FORBIDDEN)
        found = least(times, None, [limit], self.effort, start=[usable], site_price=(times.standing == FREE) * 1.0)
        return math.ceil(found.bound - 1e-6)

    def share(self, turn: Share, tolerance: float, part: Effort) -> None:
        """The fewest new sites, or the least cost, that puts a share of people within a time."""
        times, people = self.times, self.question.people
        aim = farther_than(self.question, turn.within_ms, "within_share")
        everyone = math.fsum(people)
        most = everyone - turn.share * everyone * (1 - 1e-12)
        usable = np.asarray(times.standing != FORBIDDEN)
        limit = Limit("within_share", aim, most)
        widest = replace(times, open_min=np.array([0]), open_max=np.array([times.free_mask.sum()]))
        if not limit.kept(widest, usable):
            best = 1 - aim.total(times_to_open(widest, usable)) / everyone
            raise InfeasibleError(
                f"Even with every candidate open only {100 * best:.4g} % of people are within "
                f"{turn.within_ms / MS_PER_MIN:g} minutes, and {100 * turn.share:g} % were asked: ask for at most "
                f"{math.floor(1e4 * best) / 1e4:g}, allow more minutes, or add candidates."
            )
        if turn.price is not None:
            self._cheapest(turn, limit, tolerance, part)
        else:
            self._fewest(limit, tolerance, part)
        if self.turns[-1].name == "cost" and self.plans:
            self.limits.append(limit)

    def _cheapest(self, turn: Share, limit: Limit, tolerance: float, part: Effort) -> None:
        assert turn.price is not None
        price = np.where(self.question.before, 0.0, turn.price)  # forced sites cost what they cost
        usable = np.asarray(self.times.standing != FORBIDDEN)
        found = least(self.times, None, [*self.limits, limit], part, start=[*self.plans[-1:], usable], site_price=price)
        if found.open_mask is None or int((found.open_mask & self.times.free_mask).sum()) > self.times.open_max[0]:
            raise InfeasibleError(
                f"{int(self.times.open_max[0])} new sites cannot put so many people within "
                f"{turn.within_ms / MS_PER_MIN:g} minutes: allow more sites."
            )
        self._note(found, "cost", "cost", False, found.value, found.bound, tolerance, limits=[*self.limits, limit])
        self.limits.append(Limit("cost", None, found.value * (1 + tolerance), price=price))

    def _fewest(self, limit: Limit, tolerance: float, part: Effort) -> None:
        """Halve between numbers of sites that are proven too few and that were found to do."""
        times, most_allowed = self.times, int(self.times.open_max[0])
        usable = np.asarray(times.standing != FORBIDDEN)
        low, high, plan = -1, int(times.free_mask.sum()), usable
        proof: Least | None = None
        while high - low > 1 and not part.over:
            middle = (low + high) // 2 if low >= 0 else min((low + high) // 2, max(2 * low + 4, 8))
            middle = max(middle, low + 1)
            asked = replace(times, open_min=np.array([0]), open_max=np.array([middle]))
            piece = part.part(0.5)
            found = least(asked, limit.aim, self.limits, piece, start=self.plans[-1:], goal=limit.most)
            part.take_back(piece)
            if found.open_mask is not None and limit.kept(asked, found.open_mask):
                plan = found.open_mask
                high = int((plan & times.free_mask).sum())
            elif found.bound > limit.most * (1 + _NEAR) or found.impossible:
                low, proof = middle, found
            else:
                break
        if high > most_allowed:
            needed = f"at least {low + 1} are needed" if low >= most_allowed else f"{high} would do"
            raise InfeasibleError(
                f"{most_allowed} new sites do not put so many people within reach: {needed}; raise open_max, or ask "
                "for a smaller share."
            )
        self.plans.append(plan)
        n_forced = int(np.count_nonzero((times.standing == OPEN) & ~self.question.before))
        found = proof or Least(plan, optimal=high == 0)
        self.turns.append(
            Turn(
                name="cost", unit="sites", maximise=False, found=float(high + n_forced),
                bound=float(low + 1 + n_forced), tolerance=tolerance,
                optimal=high == low + 1, reached=high - low - 1 <= self.effort.gap * high, proof=found.proof,
                certificate=found.certificate,
                prices=named(self.limits, found.prices),
            )
        )  # fmt: skip
        self.times = replace(
            times, open_min=np.array([0]), open_max=np.array([min(math.floor(high * (1 + tolerance)), most_allowed)])
        )

    def aim(self, aim: Aim, tolerance: float, part: Effort, *, asked: bool = True) -> None:
        """One aim, within the limits so far."""
        found = least(self.times, aim, self.limits, part, start=self.plans[-1:])
        if found.open_mask is None:
            raise InfeasibleError("No plan obeys the rules." if found.impossible else "No plan was found in time.")
        value, bound = aim.value_of(found.value), aim.bound_of(found.bound)
        self._note(found, aim.name, aim.unit, aim.maximise, value, bound, tolerance, asked=asked)
        self.trace = tuple(
            TracePoint(
                seconds,
                aim.value_of(total) if math.isfinite(total) else total,
                aim.bound_of(least_total) if math.isfinite(least_total) else least_total,
            )
            for seconds, total, least_total in found.trace
        )
        if aim.name == "unreached":
            self.limits.append(self.hardened(self.question.limit_ms, "unreached", found.value))
            return
        kept = value * (1 - tolerance) if aim.maximise else value * (1 + tolerance)
        most = max(aim.total_of(kept), found.value)
        hard = most <= least_possible(self.times, aim) * (1 + _NEAR) and aim.name == "coverage" and aim.unserved == 1.0
        if hard:
            rows = replace(aim, weight=(aim.weight > 0).astype(np.float64))
            self.limits.append(Limit(aim.name, rows, least_possible(self.times, rows), hard=True))
        else:
            tight = found.optimal and tolerance == 0 and priced(self.times, aim, [], []).whole
            self.limits.append(Limit(aim.name, aim, most, unit=1.0 if tight else 0.0))

    def _note(
        self, found: Least, name: str, unit: str, maximise: bool, value: float, bound: float, tolerance: float,
        *, asked: bool = True, limits: Sequence[Limit] | None = None,
    ) -> None:  # fmt: skip
        assert found.open_mask is not None
        self.plans.append(found.open_mask)
        bound = max(bound, value) if maximise else min(bound, value)
        self.turns.append(
            Turn(
                name, unit, maximise, value, bound, tolerance, found.optimal, found.reached, found.proof,
                found.certificate, named(self.limits if limits is None else limits, found.prices), asked,
            )
        )  # fmt: skip

    def farthest(self, tolerance: float, part: Effort) -> None:
        """The least worst time of those within reach, given how many people are out of it."""
        reach = next(limit for limit in reversed(self.limits) if limit.name == "unreached")
        plan = self.plans[-1]
        if reach.hard and all(limit.hard for limit in self.limits):
            found = self._center(plan, part)
        else:
            found = self._by_thresholds(plan, reach, part)
        assert found.open_mask is not None
        found.reached = found.optimal or found.value - found.bound <= self.effort.gap * found.value
        self._note(found, "farthest", "minutes", False, found.value / MS_PER_MIN, found.bound / MS_PER_MIN, tolerance)
        within_ms = math.floor(found.value * (1 + tolerance))
        self.limits.remove(reach)
        most = self.people_left(reach)
        self.limits.append(self.hardened(within_ms, "farthest", most))

    def measured(self, turn: Turn) -> Turn:
        """A turn with its values before and after."""
        before, final = (self._value_of(turn.name, mask) for mask in (self.question.before, self.plans[-1]))
        return replace(turn, before=before, final=final)

    def _value_of(self, name: str, open_mask: BoolArray) -> float:
        times, people = self.question.times, self.question.people
        opened = open_mask & ~self.question.before
        for asked in (unreached(people), *self.question.turns):
            if isinstance(asked, Share) and name == "cost":
                return float(np.count_nonzero(opened)) if asked.price is None else math.fsum(asked.price[opened])
            if isinstance(asked, Aim) and asked.name == name:
                return asked.value_of(asked.total(times_to_open(times, open_mask)))
        return _worst(times, people, open_mask) / MS_PER_MIN

    def people_left(self, reach: Limit) -> float:
        """People out of reach that a limit leaves."""
        everyone = farther_than(self.question, self.question.limit_ms, "unreached")
        return least_possible(self.times, everyone) if reach.hard else reach.most

    def _center(self, plan: BoolArray, part: Effort) -> Least:
        """As a p-center: everyone who can be reached is."""
        instance = centre_instance(self.times, self.question.people, self.limits)
        start = np.flatnonzero(plan & self.times.free_mask)
        solution = solve_pcenter(
            instance, gap=part.gap, seed=part.seed, work_limit=part.left, stop=part.stop, progress=part.progress,
            start=start,
        )  # fmt: skip
        part.spent += solution.work
        open_mask = solution.open_mask if math.isfinite(solution.objective) else plan
        worst = _worst(self.times, self.question.people, open_mask)
        if worst > _worst(self.times, self.question.people, plan):
            open_mask, worst = plan, _worst(self.times, self.question.people, plan)
        bound = min(max(solution.bound, 0.0), worst)
        certificate = solution.certificate if isinstance(solution.certificate, Certificate) else None
        return Least(open_mask, worst, bound, worst - bound < 1.0, certificate=certificate)

    def _by_thresholds(self, plan: BoolArray, reach: Limit, part: Effort) -> Least:
        """Halve between times that are proven too short and that were found to do."""
        most = self.people_left(reach)
        counts = self.question.people > 0
        before = times_to_open(self.times, np.asarray(self.times.standing == OPEN))[counts]
        pair = np.asarray(self.times.cost)[counts[np.repeat(np.arange(self.times.n_rows), np.diff(self.times.indptr))]]
        known = np.unique(np.concatenate([pair, before[np.isfinite(before)].astype(np.int64), [0]]))
        best = Least(plan, _worst(self.times, self.question.people, plan), 0.0)
        best.certificate = None
        others = [limit for limit in self.limits if limit is not reach]
        low, high = -1, int(np.searchsorted(known, best.value))
        while high - low > 1 and not part.over:
            middle = (low + high) // 2
            # whole milliseconds: nothing lies between this time and the next but its own proof
            asked_ms = int(known[middle + 1]) - 1
            aim = farther_than(self.question, asked_ms, "farthest")
            piece = part.part(0.34)
            found = least(self.times, aim, others, piece, start=[best.open_mask], goal=most * (1 + _NEAR))  # type: ignore[list-item]
            part.take_back(piece)
            if found.open_mask is not None and found.value <= most * (1 + _NEAR):
                best.open_mask = found.open_mask
                best.value = _worst(self.times, self.question.people, found.open_mask)
                high = int(np.searchsorted(known, best.value))
            elif found.bound > most * (1 + _NEAR):
                low = middle
                best.bound, best.proof = float(known[middle + 1]), found.proof
                best.certificate, best.prices = found.certificate, found.prices
            else:
                break
        if high == 0:
            best.bound = best.value
        best.bound = min(best.bound, best.value)
        best.optimal = best.value - best.bound < 1.0
        return best


def named(limits: Sequence[Limit], prices: Sequence[float]) -> tuple[tuple[str, float], ...]:
    """Price of each limit by name; those of a limit that has been replaced since stand last and are left out."""
    return tuple((limit.name, price) for limit, price in zip(limits, prices, strict=False))


def _worst(times: Instance, people: FloatArray, open_mask: BoolArray) -> float:
    """Longest time in milliseconds of anybody within reach; 0 where nobody is."""
    found = times_to_open(times, open_mask)[people > 0]
    return float(found[np.isfinite(found)].max(initial=0.0))


def centre_instance(times: Instance, people: FloatArray, limits: Sequence[Limit]) -> Instance:
    """The p-center of the rows that some site can serve; a row that must be near has only the sites that are."""
    rows = np.repeat(np.arange(times.n_rows), np.diff(times.indptr))
    usable = times.standing[times.site_idx] != FORBIDDEN
    keep = usable.copy()
    for limit in limits:
        if limit.aim is None or not limit.hard:
            continue
        cost = np.asarray(limit.aim.cost_of(times.cost))
        can = np.zeros(times.n_rows, dtype=bool)
        can[rows[usable & (cost == 0)]] = True
        keep &= ~can[rows] | (cost == 0)
    reached = np.bincount(rows[keep], minlength=times.n_rows) > 0
    return Instance(
        indptr=np.concatenate([[0], np.cumsum(np.bincount(rows[keep], minlength=times.n_rows))]).astype(np.int64),
        site_idx=times.site_idx[keep],
        cost=times.cost[keep],
        unserved=np.where(reached & (people > 0), np.inf, 0.0),
        weight=np.where(reached & (people > 0), 1.0, 0.0).reshape(1, -1),
        standing=times.standing,
        open_min=times.open_min,
        open_max=times.open_max,
        capacity=times.capacity,
        row_point=times.row_point,
        row_group=times.row_group,
        objective="max",
    )


def solve_ordered(
    question: Question,
    *,
    gap: float = 1e-4,
    seed: int = 0,
    threads: int = 1,
    work_limit: int | None = None,
    stop: Stop | None = None,
    progress: Progress | None = None,
) -> Answer:
    """
    Take the turns one after the other, each within what those before it keep.

    Parameters
    ----------
    question
        Rows of times, what to make good, and the rules.
    gap, seed, threads, work_limit, stop, progress
        As in ``solve_pmedian``; the limits are shared out over the turns.

    Raises
    ------
    InfeasibleError
        No plan keeps the rules, with the reason and by how much.
    """
    stop = stop or Stop()
    effort = Effort(stop, gap, seed, threads, work_limit, progress or Silent())
    began_s = stop.elapsed_s
    run = OrderedRun(question, effort, question.times)
    run.everyone()
    steps: list[tuple[Aim | Share | str, float, bool]] = []
    for turn, tolerance in zip(question.turns, question.tolerances, strict=True):
        if turn == "farthest":
            steps.append((unreached(question.people), 0.0, False))
        steps.append((turn, tolerance, True))
    for at, (turn, tolerance, asked) in enumerate(steps):
        part = effort.part(1.0 / (len(steps) - at))
        if isinstance(turn, Share):
            run.share(turn, tolerance, part)
        elif isinstance(turn, str):
            run.farthest(tolerance, part)
        else:
            run.aim(turn, tolerance, part, asked=asked)
        effort.take_back(part)
    return Answer(
        run.plans[-1],
        tuple(run.measured(turn) for turn in run.turns),
        run.trace,
        effort.spent,
        stop.elapsed_s - began_s,
    )


def solution_of(answer: Answer) -> Solution:
    """The answer as a ``Solution`` of its last turn: the sites, how the run ended, and the trace."""
    last, level = answer.turns[-1], np.where(answer.open_mask, 0, -1).astype(np.int16).reshape(1, -1)
    none = np.zeros(0, dtype=np.int32)
    return Solution(
        status=ended(answer.turns),
        level=level,
        row_idx=none,
        assigned_idx=none,
        share=np.zeros(0),
        objective=last.found,
        bound=last.bound,
        proof=last.proof,
        certificate=last.certificate,
        trace=answer.trace,
        seconds=answer.seconds,
        work=answer.work,
    )


def ended(turns: Sequence[Turn]) -> Status:
    """How a run over several turns ended: as its weakest turn did."""
    if all(turn.optimal for turn in turns):
        return Status.OPTIMAL
    return Status.GAP if all(turn.reached for turn in turns) else Status.FEASIBLE
