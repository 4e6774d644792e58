"""The independent check of what agencies gain together: every coalition's value again, from the steps of its sites."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, permutations
from pathlib import Path

import numpy as np
import pandas as pd

from nearer.errors import CheckFailedError
from nearer.inputs.tables import Tables
from nearer.model.check import agrees
from nearer.model.evaluate_rules import rules_bound
from nearer.planning.agencydoc import AgenciesDocument, CoalitionPlan
from nearer.planning.curvefiles import read_as
from nearer.solvers.coalitions import without_others
from nearer.study.agencies import AGENCY_FILE, PROOFS, proof_name
from nearer.study.checks import Check, Verdict, equal
from nearer.study.provenance import origin_of
from nearer.study.retime import retime
from nearer.study.retime_pairs import Pairs
from nearer.study.settings import Study
from nearer.study.stages import PhaseSettings
from nearer.study.staging import Staged
from nearer.study.venues import read_venues
from nearer.study.verify_people import SLACK, People, Promised
from nearer.study.verify_sending import send_best
from nearer.study.verify_stages import load_rules_certificate, money_of, parts_of, staged_again, too_near
from nearer.study.verify_steps import Story, check_steps, story_of, text_in

_MS = 60_000.0
_MOST_AGENCIES = 5  # up to so many, every coalition is there


def verify_agencies(agencies_folder: Path, study_folder: Path | None = None) -> Verdict:
    """
    Check a comparison of agencies against its inputs.

    For each coalition the sites' steps are held against who may change what and against every ceiling, and people are
    sent out again: to the nearest, or by a linear programme of SciPy's where room is limited. Sums are formed anew over
    all orders in which agencies could join. Bounds are those of the multipliers beside the file, as for plans in
    stages. Not checked are sentences and the files beside ``agencies.json``.

    Raises
    ------
    InputError
        There is no comparison, an input is missing, or one has changed since.
    """
    agencies_folder = Path(agencies_folder)
    agencies_folder = agencies_folder.parent if agencies_folder.name == AGENCY_FILE else agencies_folder
    document = read_as(AgenciesDocument, agencies_folder / AGENCY_FILE, "run `nearer agencies` again")
    origin = origin_of(document, agencies_folder, AGENCY_FILE, study_folder)
    study, tables = origin.study, origin.tables
    facts = AgencyFacts(study, tables, retime(tables, study.streets, origin.folder), agencies_folder)
    checks = [
        *origin.checks(document),
        equal("seed", document.seed, study.study.seed),
        equal("unit", document.unit, "person-minutes"),
        equal("agencies", [one.name for one in document.agencies], facts.names),
        *_check_promises(facts, document),
        equal("coalitions", [one.members for one in document.coalitions], _expected(facts.names)),
    ]
    if not all(check.ok for check in checks[-2:]):
        return Verdict(tuple(checks), ("The rest was not checked, since the coalitions are not those of the study.",))
    for at, one in enumerate(document.coalitions):
        checks += list(_check_coalition(facts, one, at))
    if not all(check.ok for check in checks):
        return Verdict(tuple(checks), ("Sums were not checked, since what they are made of differs.",))
    checks += [*_check_order(document), *_check_sums(document), *_check_separate(facts, document)]
    return Verdict(tuple(checks), tuple(_notes(study, document)))


def _check_promises(facts: AgencyFacts, document: AgenciesDocument) -> Iterator[Check]:
    """Promises as the study states them."""
    today = story_of([], facts.study, facts.table, facts.phases)
    found = [(one.whose, one.name, one.least, one.most) for one in facts.promised(today)]
    names = [(one.agency, one.name) for one in document.promises]
    yield Check("promises", names == [one[:2] for one in found], str(names), str([one[:2] for one in found]))
    for told, (_, name, least, most) in zip(document.promises, found, strict=False):
        ends = (-math.inf if told.least is None else told.least, math.inf if told.most is None else told.most)
        same = all(a == b or _near(a, b) for a, b in zip(ends, (least, most), strict=True))
        yield Check(f"{name}: promised", same, str(ends), str((least, most)))


def _notes(study: Study, document: AgenciesDocument) -> Iterator[str]:
    if any(one.proof == "solver" for one in document.coalitions):
        yield "Some bounds are the solver's own word; they were compared with the values only."
    if study.plan.whole:
        yield "Points go whole to one place: values were compared with what splitting them would allow."


def _expected(names: list[str]) -> list[list[str]]:
    """Coalitions that a comparison holds, in order."""
    if len(names) <= _MOST_AGENCIES:
        return [list(some) for size in range(len(names) + 1) for some in combinations(names, size)]
    return [[], *([name] for name in names), *([b for b in names if b != a] for a in names), names]


@dataclass(frozen=True)
class AgencyFacts:
    """A study, its times, and what its agencies own."""

    study: Study
    tables: Tables
    pairs: dict[str, Pairs]
    folder: Path

    @cached_property
    def names(self) -> list[str]:
        """Names of the agencies."""
        return [agency.name for agency in self.study.agencies]

    @cached_property
    def phases(self) -> tuple[PhaseSettings, ...]:
        """As asked, or one."""
        return self.study.plan.phases or (PhaseSettings(name="plan"),)

    @cached_property
    def table(self) -> pd.DataFrame:
        """Sites with their ids as index."""
        return self.tables.sites.table.set_index("id", drop=False)

    @cached_property
    def payers(self) -> dict[str, set[str]]:
        """Agencies that own a site or pay a part of it."""
        found = {}
        for site, row in self.table.iterrows():
            parts = parts_of(row, self.names)
            owner = text_in(row.get("agency"))
            found[str(site)] = {name for name, part in zip(self.names, parts, strict=True) if part > 0 or name == owner}
        return found

    @cached_property
    def staged(self) -> Staged:
        """The instance that proofs are evaluated on."""
        return staged_again(self.study, self.tables, self.pairs)

    def promised(self, story: Story) -> list[Promised]:
        """Where agencies' promises stand if everybody goes to the nearest."""
        people = People(self.study, self.tables, self.pairs, self.phases, story, self.folder)
        met = [people.met_at_nearest(t) for t in range(len(self.phases))]
        return [one for one in people.promises(met) if one.whose]

    def value(self, story: Story) -> float:
        """Weighted person-minutes of the best way to send people to what is open."""
        people = People(self.study, self.tables, self.pairs, self.phases, story, self.folder)
        send_best(people)
        return people.value_over_phases()


def _check_coalition(facts: AgencyFacts, one: CoalitionPlan, at: int) -> Iterator[Check]:
    """Sites, ceilings, value and bound of one coalition."""
    who = " and ".join(one.members) or "nobody"
    table = facts.table
    unknown = [site.id for site in one.sites if site.id not in table.index]
    yield Check(f"{who}: sites", not unknown, ", ".join(unknown[:5]), "no such site" if unknown else "")
    if unknown:
        return
    wrong = [
        site.id
        for site in one.sites
        if (site.name, site.agency or "")
        != (str(table.loc[site.id, "name"]), text_in(table.loc[site.id].get("agency")))
    ]
    yield Check(f"{who}: names and owners", not wrong, ", ".join(wrong[:5]), "as in the table")
    # a site that must open does so whoever takes part
    foreign = [
        site.id
        for site in one.sites
        if facts.payers[site.id] - set(one.members) and site.id not in facts.study.plan.force
    ]
    yield Check(
        f"{who}: only their own venues change", not foreign, ", ".join(foreign[:5]), "paid by members or nobody"
    )
    story = story_of(one.sites, facts.study, table, facts.phases)
    stages = check_steps(facts.study, table, story)
    yield Check(f"{who}: levels and openings", stages.ok, stages.claimed, stages.found)
    if not stages.ok:
        return
    over = [name for name, taken, most in ceilings(facts, story) if taken > most + SLACK * max(1.0, abs(taken))]
    yield Check(f"{who}: ceilings", not over, ", ".join(over[:5]), "kept")
    value = facts.value(story)
    if facts.study.plan.whole:
        yield Check(f"{who}: value", one.value >= value * (1 - SLACK), one.value, f"at least {value:g}")
    else:
        yield Check(f"{who}: value", _near(one.value, value), one.value, value)
    found = facts.promised(story)
    yield equal(f"{who}: number of promises", len(one.promises), len(found))
    for told, stand in zip(one.promises, found, strict=False):
        yield Check(f"{who}: {stand.name}", _near(told, stand.value), told, stand.value)
    gap = abs(one.value - one.bound) / max(abs(one.value), 1e-9)
    yield equal(f"{who}: gap", one.gap, gap)
    yield _check_bound(facts, one, at, who)


def _check_bound(facts: AgencyFacts, one: CoalitionPlan, at: int, who: str) -> Check:
    name = f"{who}: bound"
    if one.proof == "solver":
        return Check(name, 0.0 <= one.bound <= one.value * (1 + 1e-9), one.bound, f"at most {one.value:g}")
    members = tuple(facts.names.index(name) for name in one.members)
    staged = facts.staged
    ids = [str(site) for site in facts.tables.sites.table["id"]]
    payer = np.array([[agency in facts.payers[site] for site in ids] for agency in facts.names])
    try:
        certificate = load_rules_certificate(facts.folder / PROOFS / proof_name(at))
        instance = without_others(staged.instance, staged.terms.today, payer, members)
        proven = rules_bound(instance, certificate) / _MS
    except CheckFailedError as error:
        return Check(name, False, one.bound, str(error))
    return Check(name, one.bound <= max(proven, 0.0) or agrees(one.bound, proven), one.bound, proven)


def ceilings(facts: AgencyFacts, story: Story) -> Iterator[tuple[str, float, float]]:
    """Name, what is taken, and the most that may be, of every rule that sets an upper end."""
    study, plan, phases = facts.study, facts.study.plan, facts.phases
    opened = [len(set(now) - set(story.today if t == 0 else story.level[t - 1])) for t, now in enumerate(story.level)]
    for number, phase in zip(opened, phases, strict=True):
        if phase.open is not None:
            yield f"open {phase.open} in {phase.name}", number, phase.open
        elif phase.open_max is not None:
            yield f"open at most {phase.open_max} in {phase.name}", number, phase.open_max
    if plan.open is not None:
        yield f"open {plan.open}", sum(opened), plan.open
    elif plan.open_max is not None:
        yield f"open at most {plan.open_max}", sum(opened), plan.open_max
    closed = sum(site not in story.level[-1] for site in story.today)
    yield f"close at most {plan.close_max}", closed, plan.close_max
    yield from _money_ceilings(facts, story)
    new = [site for site in story.level[-1] if site not in story.today]
    for agency in study.agencies:
        if agency.max_open is not None:
            mine = sum(text_in(facts.table.loc[site].get("agency")) == agency.name for site in new)
            yield f"venues opened of {agency.name}", mine, agency.max_open
    venues = read_venues(study, facts.tables)
    place = {str(site): at for at, site in enumerate(facts.table.index)}
    for district in plan.districts:
        if district.max is not None:
            here = sum(venues.district[place[site]] == district.name for site in story.level[-1])
            yield f"centres in {district.name}", here, district.max
    if plan.separation_m is not None:
        for pair in too_near(study, venues.xy, place, story):
            a, b = sorted(pair, key=lambda site: place[site])
            yield f"{a} and {b} lie nearer than {plan.separation_m:g} m", 2, 1


def _money_ceilings(facts: AgencyFacts, story: Story) -> Iterator[tuple[str, float, float]]:
    plan = facts.study.plan
    spent, running = money_of(facts.study, facts.table, facts.phases, story)
    for t, phase in enumerate(facts.phases):
        if phase.budget is not None:
            yield f"budget of {phase.name}", float(spent[t, 0]), phase.budget
        most = min((b for b in (phase.running_budget, plan.running_budget) if b is not None), default=None)
        if most is not None:
            yield f"running budget in {phase.name}", float(running[t, 0]), most
    if plan.budget is not None:
        yield "budget", float(spent[:, 0].sum()), plan.budget
    for a, agency in enumerate(facts.study.agencies, start=1):
        if agency.budget is not None:
            yield f"budget of {agency.name}", float(spent[:, a].sum()), agency.budget
        if agency.running_budget is not None:
            for t, phase in enumerate(facts.phases):
                yield f"running budget of {agency.name} in {phase.name}", float(running[t, a]), agency.running_budget


def _check_order(document: AgenciesDocument) -> Iterator[Check]:
    """Nobody is better off with fewer partners, and the figures of all and of nobody are those of their plans."""
    for one in document.coalitions:
        better = [
            " and ".join(other.members) or "nobody"
            for other in document.coalitions
            if set(other.members) < set(one.members) and other.value < one.value * (1 - 1e-9)
        ]
        who = " and ".join(one.members) or "nobody"
        yield Check(f"{who}: no worse than fewer partners", not better, ", ".join(better[:3]), "none better")
        yield _same(f"{who}: saves", one.saves, document.coalitions[0].value - one.value, document.today_value)
    nobody, everyone = document.coalitions[0], document.coalitions[-1]
    yield equal("today_value", document.today_value, nobody.value)
    yield equal("joint_value", document.joint_value, everyone.value)
    yield equal("joint_bound", document.joint_bound, everyone.bound)


def _check_sums(document: AgenciesDocument) -> Iterator[Check]:
    """What each agency brings, from the values and bounds told, which were checked before."""
    of = {frozenset(one.members): one for one in document.coalitions}
    names = [agency.name for agency in document.agencies]
    everyone, scale = frozenset(names), document.today_value
    orders = list(permutations(names)) if len(of) == 2 ** len(names) else []
    for agency in document.agencies:
        whole, without = of[everyone], of[everyone - {agency.name}]
        found: dict[str, float | None] = {
            "alone_saves": of[frozenset()].value - of[frozenset({agency.name})].value,
            "contribution": without.value - whole.value,
            "contribution_least": max(without.bound - whole.value, 0.0),
            "contribution_most": max(without.value - whole.bound, 0.0),
            **dict.fromkeys(("shapley", "shapley_least", "shapley_most")),
        }
        if orders:
            before = [of[frozenset(order[: order.index(agency.name)])] for order in orders]
            joined = [of[frozenset({*one.members, agency.name})] for one in before]
            found |= {
                "shapley": _mean([a.value - b.value for a, b in zip(before, joined, strict=True)]),
                "shapley_least": _mean([max(a.bound - b.value, 0.0) for a, b in zip(before, joined, strict=True)]),
                "shapley_most": _mean([max(a.value - b.bound, 0.0) for a, b in zip(before, joined, strict=True)]),
            }
        for key, value in found.items():
            yield _same(f"{agency.name}: {key}", getattr(agency, key), value, scale)
    if orders:
        total = math.fsum(agency.shapley or 0.0 for agency in document.agencies)
        yield _same("shares add up", total, of[frozenset()].value - of[everyone].value, scale)


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def _check_separate(facts: AgencyFacts, document: AgenciesDocument) -> Iterator[Check]:
    """Each alone, side by side: what people meet, and which ceilings that breaks."""
    order = ["", *(level.name for level in facts.study.levels)]
    alone = [one for one in document.coalitions if len(one.members) == 1]
    stories = [story_of(one.sites, facts.study, facts.table, facts.phases) for one in alone]
    changed = {site.id for one in alone for site in one.sites}
    levels = []
    for t in range(len(facts.phases)):
        now = dict(stories[0].today)
        for site in sorted(changed):
            # who leaves a site as it is has no say in it
            said = [
                story.level[t].get(site)
                for story, one in zip(stories, alone, strict=True)
                if site in {each.id for each in one.sites}
            ]
            highest = max(said, key=lambda level: -1 if level is None else order.index(level))
            now.pop(site, None)
            if highest is not None:
                now[site] = highest
        levels.append(now)
    story = Story(tuple(levels), stories[0].today)
    possible = check_steps(facts.study, facts.table, story).ok
    value = facts.value(story) if possible else None
    told = document.separate_value
    if told is None or value is None or not facts.study.plan.whole:
        same = told is value is None or (told is not None and value is not None and _near(told, value))
        yield Check("separate_value", same, told, value)
    else:
        yield Check("separate_value", told >= value * (1 - SLACK), told, f"at least {value:g}")
    over = [name for name, taken, most in ceilings(facts, story) if taken > most + SLACK * max(1.0, abs(taken))]
    breaks = sorted(set(over)) if possible else []
    yield equal("separate_breaks", sorted(set(document.separate_breaks)), breaks)
    gain = None if told is None or document.separate_breaks else told - document.joint_value
    yield _same("joint_gain", document.joint_gain, gain, document.today_value)


def _near(told: float, found: float) -> bool:
    """Sums over shares that two solvers rounded."""
    return abs(told - found) <= SLACK * max(abs(told), abs(found), 1.0)


def _same(name: str, told: float | None, found: float | None, scale: float) -> Check:
    """Differences of large sums are as exact as those."""
    if told is None or found is None:
        return Check(name, told is found, told, found)
    return Check(name, abs(told - found) <= 1e-9 * max(abs(scale), 1.0), told, found)
