"""The independent check of phases, levels, money and agencies: every figure again, from the tables as read."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nearer.errors import CheckFailedError
from nearer.inputs.tables import Tables
from nearer.model import RulesCertificate
from nearer.model.check import agrees
from nearer.model.evaluate_rules import rules_bound
from nearer.network import TravelTimes
from nearer.planning.document import PlanDocument
from nearer.planning.files import PROOF_FILE
from nearer.study.checks import Check, alike, equal
from nearer.study.parts import weigh
from nearer.study.retime_pairs import Pairs
from nearer.study.settings import Study
from nearer.study.stages import LevelSettings, PhaseSettings
from nearer.study.staging import Staged, stage
from nearer.study.venues import read_venues
from nearer.study.verify_people import People, at_most
from nearer.study.verify_steps import Story, check_steps, number_in, story_of, text_in
from nearer.units import FloatArray, minutes_to_ms


def verify_stages(
    document: PlanDocument, study: Study, tables: Tables, pairs: dict[str, Pairs], folder: Path
) -> tuple[list[Check], tuple[str, ...]]:
    """
    Check everything that a plan in stages says beyond the picture of its last phase.

    Levels, counts, money, districts, distances, loads, promises and values are computed here from the tables, site by
    site and rule by rule. The bound is that of the multipliers in ``proof.npz`` on an instance made as for the plan,
    from travel times computed here.

    Parameters
    ----------
    document, study, tables
        The plan and what it was made from.
    pairs
        Times by speed class.
    folder
        Where ``proof.npz`` and ``assignment.npz`` lie.

    Returns
    -------
    checks, notes
        What was compared, and what could not be.
    """
    phases = study.plan.phases or (PhaseSettings(name="plan"),)
    table = tables.sites.table.set_index("id", drop=False)
    story = story_of(document.sites, study, table, phases)
    checks = list(_check_story(document, study, table, phases, story))
    if not all(check.ok for check in checks):
        return checks, ("The rest was not checked, since the sites do not take the levels that the study allows.",)
    checks += list(check_counts(study, table, phases, story))
    checks += list(_check_money(document, study, table, phases, story))
    checks += list(check_places(study, tables, table, phases, story))
    met = People(study, tables, pairs, phases, story, folder)
    checks += list(met.check(document))
    if len(study.aims) > 1:
        from nearer.study.verify_turns import check_turns

        proof, notes = check_turns(document, study, tables, pairs, story, folder)
    else:
        checks.append(equal("objectives", len(document.objectives), 0))
        proof, notes = _check_bound(document, study, tables, pairs, folder, met.value)
    return [*checks, *proof], notes


def _check_story(
    document: PlanDocument, study: Study, table: pd.DataFrame, phases: Sequence[PhaseSettings], story: Story
) -> Iterator[Check]:
    """Steps, and what each phase says of them."""
    yield check_steps(study, table, story)
    closed = [site for site in story.today if site not in story.level[-1]]
    most = study.plan.close_max
    yield Check("stages: closures", len(closed) <= most, len(closed), f"at most {most}")
    for t, (phase, told) in enumerate(zip(phases, document.phases, strict=False)):
        earlier = story.today if t == 0 else story.level[t - 1]
        now = story.level[t]
        yield equal(f"{phase.name}: opened", sorted(told.opened), sorted(set(now) - set(earlier)))
        raised = sorted(site for site in now if site in earlier and now[site] != earlier[site])
        yield equal(f"{phase.name}: upgraded", sorted(told.upgraded), raised)
        yield equal(f"{phase.name}: closed", sorted(told.closed), sorted(set(earlier) - set(now)))
        yield equal(f"{phase.name}: centres", told.centres, len(now))
    yield equal("phases", [phase.name for phase in document.phases], [phase.name for phase in phases])


def check_counts(study: Study, table: pd.DataFrame, phases: Sequence[PhaseSettings], story: Story) -> Iterator[Check]:
    """Numbers opened in each phase, in all, and by each agency."""
    plan, total = study.plan, 0
    for t, phase in enumerate(phases):
        opened = len(set(story.level[t]) - set(story.today if t == 0 else story.level[t - 1]))
        total += opened
        if phase.open is not None:
            yield equal(f"{phase.name}: number opened", opened, phase.open)
        if phase.open_max is not None:
            yield Check(f"{phase.name}: number opened", opened <= phase.open_max, opened, f"at most {phase.open_max}")
    if plan.open is not None:
        yield equal("number opened", total, plan.open)
    if plan.open_max is not None:
        yield Check("number opened", total <= plan.open_max, total, f"at most {plan.open_max}")
    new = [site for site in story.level[-1] if site not in story.today]
    for agency in study.agencies:
        mine = sum(text_in(table.loc[site].get("agency")) == agency.name for site in new)
        low, high = agency.min_open or 0, math.inf if agency.max_open is None else agency.max_open
        yield Check(f"venues opened of {agency.name}", low <= mine <= high, mine, f"{low} to {high}")


def money_of(
    study: Study, table: pd.DataFrame, phases: Sequence[PhaseSettings], story: Story
) -> tuple[FloatArray, FloatArray]:
    """Money spent, and for running, in each phase: by all, then by each agency; float64 (n_phases, 1 + n_agencies)."""
    levels = {level.name: level for level in study.levels}
    agencies = [agency.name for agency in study.agencies]
    spent = np.zeros((len(phases), 1 + len(agencies)))
    running = np.zeros((len(phases), 1 + len(agencies)))
    for t in range(len(phases)):
        earlier = story.today if t == 0 else story.level[t - 1]
        for site in {**earlier, **story.level[t]}:
            row = table.loc[site]
            part = np.array([1.0, *parts_of(row, agencies)])
            if site in story.level[t]:
                level = levels.get(story.level[t][site])
                running[t] += part * (_or_nothing(row, "running") + (level.running if level else 0.0))
            spent[t] += part * _step(row, levels, earlier.get(site), story.level[t].get(site))
    return spent, running


def _check_money(
    document: PlanDocument, study: Study, table: pd.DataFrame, phases: Sequence[PhaseSettings], story: Story
) -> Iterator[Check]:
    """What each phase and each agency spends, against their budgets."""
    spent, running = money_of(study, table, phases, story)
    agencies = [agency.name for agency in study.agencies]
    for t, (phase, told) in enumerate(zip(phases, document.phases, strict=True)):
        yield equal(f"{phase.name}: spent", told.spent, float(spent[t, 0]))
        yield equal(f"{phase.name}: running", told.running, float(running[t, 0]))
        if phase.budget is not None:
            yield at_most(f"{phase.name}: budget", spent[t, 0], phase.budget)
        for most in (phase.running_budget, study.plan.running_budget):
            if most is not None:
                yield at_most(f"{phase.name}: running budget", running[t, 0], most)
    if study.plan.budget is not None:
        yield at_most("budget", spent[:, 0].sum(), study.plan.budget)
    yield equal("agencies", [agency.name for agency in document.agencies], agencies)
    for a, (agency, told_agency) in enumerate(zip(study.agencies, document.agencies, strict=False), start=1):
        yield _same(f"{agency.name}: spent", told_agency.spent, spent[:, a])
        yield _same(f"{agency.name}: running", told_agency.running, running[:, a])
        if agency.budget is not None:
            yield at_most(f"{agency.name}: budget", spent[:, a].sum(), agency.budget)
        if agency.running_budget is not None:
            yield at_most(f"{agency.name}: running budget", running[:, a].max(), agency.running_budget)


def parts_of(row: Any, agencies: Sequence[str]) -> list[float]:
    """Part of a site's money that each agency pays."""
    said = text_in(row.get("shares"))
    parts: dict[str, float] = {text_in(row.get("agency")): 1.0}
    if said:
        pieces = [piece.rpartition(":") for piece in said.split(";") if piece.strip()]
        parts = {name.strip(): float(number) for name, _, number in pieces}
    return [parts.get(name, 0.0) for name in agencies]


def _or_nothing(row: Any, column: str) -> float:
    value = number_in(row, column)
    return 0.0 if math.isnan(value) else value


def _step(row: Any, levels: dict[str, LevelSettings], before: str | None, now: str | None) -> float:
    """Money that it takes for a site to come from one level to another; None is closed."""
    if before == now:
        return 0.0
    if now is None:
        return _or_nothing(row, "closing_cost")
    if before is None:
        return _or_nothing(row, "cost") + (levels[now].cost if now in levels else 0.0)
    if levels[now].upgrade_cost is not None:
        return float(levels[now].upgrade_cost or 0.0)
    return max(levels[now].cost - levels[before].cost, 0.0)


def _same(name: str, told: Sequence[float], found: FloatArray) -> Check:
    ok = len(told) == len(found) and all(alike(a, float(b)) for a, b in zip(told, found, strict=True))
    return Check(name, ok, str(list(told)), str([float(x) for x in found]))


def check_places(
    study: Study, tables: Tables, table: pd.DataFrame, phases: Sequence[PhaseSettings], story: Story
) -> Iterator[Check]:
    """Districts and distances."""
    venues = read_venues(study, tables)
    place = {str(i): at for at, i in enumerate(table.index)}
    for district in study.plan.districts:
        n = sum(venues.district[place[site]] == district.name for site in story.level[-1])
        low, high = district.min or 0, math.inf if district.max is None else district.max
        yield Check(f"centres in {district.name}", low <= n <= high, n, f"{low} to {high}")
    if study.plan.separation_m is not None:
        near = [f"{a} and {b}" for a, b in too_near(study, venues.xy, place, story)]
        yield Check("centres apart", not near, "; ".join(near[:5]), f"none nearer than {study.plan.separation_m:g} m")


def too_near(study: Study, xy: FloatArray, place: dict[str, int], story: Story) -> list[tuple[str, str]]:
    """Pairs of ours, at least one of them new, that stand open together nearer than ``separation_m``."""
    near: list[tuple[str, str]] = []
    for now in story.level:
        at = np.array([place[site] for site in now], dtype=np.int64)
        new = np.array([site not in story.today for site in now], dtype=bool)
        apart = np.hypot(*(xy[at][:, None] - xy[at][None]).transpose(2, 0, 1))
        i, j = np.nonzero(np.triu(apart < (study.plan.separation_m or 0.0), 1) & (new[:, None] | new[None]))
        ids = list(now)
        near += [(ids[a], ids[b]) for a, b in zip(i, j, strict=True)]
    return near


def _check_bound(
    document: PlanDocument, study: Study, tables: Tables, pairs: dict[str, Pairs], folder: Path, found: float
) -> tuple[list[Check], tuple[str, ...]]:
    value, bound = document.objective.value, document.bound
    gap = abs(value - bound) / max(abs(value), 1e-9)
    checks = [equal("gap", document.gap, gap)]
    if document.status == "optimal":
        checks.append(Check("status", gap <= 1e-9 * (1 + 1e-3), "optimal", f"a gap of {gap:.2g}"))
    if document.proof != "certificate":
        beyond = found - bound if study.aims[0] == "coverage" else bound - found
        checks.append(Check("bound", beyond <= 1e-9 * abs(found) + 1e-9, bound, f"not beyond {found:g}"))
        return checks, ("The bound is the solver's own word; it was compared with the value only.",)
    try:
        certificate = load_rules_certificate(folder / PROOF_FILE)
        staged = staged_again(study, tables, pairs)
        proven = staged.goal.whole.bound_of(rules_bound(staged.instance, certificate))
    except CheckFailedError as error:
        return [*checks, Check("bound", False, bound, str(error))], ()
    beyond = proven - bound if study.aims[0] == "coverage" else bound - proven
    holds = beyond <= 1e-9 * abs(proven) + 1e-12 or agrees(bound, proven)
    return [*checks, Check("bound", holds, bound, proven)], ()


def load_rules_certificate(path: Path, name: str = "") -> RulesCertificate:
    """
    Read a proof that may have come from anywhere; ``name`` where it is not the main one of its file.

    Raises
    ------
    CheckFailedError
        It cannot be read, and so proves nothing.
    """
    if path.is_file() and zipfile.is_zipfile(path):
        with suppress(Exception):
            return RulesCertificate.load(path, name)
    raise CheckFailedError(f"{path.name} is missing or cannot be read")


def staged_again(study: Study, tables: Tables, pairs: dict[str, Pairs], found: Sequence[float] = ()) -> Staged:
    """The instance of a study, made as for the plan, from times computed by the check."""
    limit_ms = minutes_to_ms(study.streets.limit_min)
    times = [
        TravelTimes.from_pairs(one.point, one.site, one.time_ms, tables.people.n, tables.sites.n, limit_ms)
        for one in pairs.values()
    ]
    return stage(study, tables, weigh(tables, study), times, found)
