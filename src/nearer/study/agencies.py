"""What agencies gain by planning together: a study folder in, an agencies folder out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

import nearer
from nearer.errors import InfeasibleError, UsageError
from nearer.files import written_whole
from nearer.inputs.tables import Tables
from nearer.kernels.jit import default_threads
from nearer.model import CLOSED, Instance, RulesCertificate, Solution, Status, relative_gap
from nearer.model.evaluate_rules import rules_of
from nearer.model.rules import ServiceLimit, limit_costs
from nearer.planning.access import first_two
from nearer.planning.agencydoc import AgenciesDocument, AgencyPromise, AgencyWorth, CoalitionPlan, CoalitionSite
from nearer.planning.document import SiteStep
from nearer.planning.staged import promise
from nearer.progress import Progress, Silent, Stop
from nearer.report.agencies import agencies_csv, agencies_html
from nearer.solvers import solve
from nearer.solvers.coalitions import (
    Coalition,
    broken_ceilings,
    coalitions,
    contributions,
    shapley,
    solve_coalitions,
    union_level,
    value_of,
)
from nearer.study.limits import Run
from nearer.study.load import load_study
from nearer.study.parts import from_to, machine_notes, read_study, study_folder, times_per_class, travel, weigh
from nearer.study.settings import Study
from nearer.study.staging import Staged, stage
from nearer.study.write import check_out, write_folder
from nearer.units import MS_PER_MIN, IntArray

AGENCY_FILE, PROOFS = "agencies.json", "proofs"
AGENCY_FILES = ("agencies.csv", "agencies.html", PROOFS, "run.json", AGENCY_FILE)
"""Every file an agencies folder may hold; anything else in it is the user's and stays."""

NOTES = (
    "Venues of an agency that takes no part stay as they are; a venue that several pay for changes only if all "
    "of them take part; venues without an agency are open to every coalition.",
    "Numbers that must at least be opened, and promises to groups, are left out here, since a smaller "
    "coalition cannot be held to what all were asked for; budgets and other ceilings hold. Where agencies' own "
    "promises would stand is told, as if everybody went to the nearest centre.",
    "Without any agency, only venues that belong to none may change.",
)
"""What a reader should know, one sentence each."""


def compare_agencies(
    folder: Path,
    *,
    out: Path | None = None,
    time_limit_s: float | None = 60.0,
    gap: float = 1e-4,
    threads: int | None = None,
    progress: Progress | None = None,
    stop: Stop | None = None,
) -> AgenciesDocument:
    """
    Solve a study for every coalition of its agencies and write what each brings.

    Parameters
    ----------
    folder
        The study folder, or its ``nearer.toml``.
    out
        Where the files go; default ``agencies`` inside the study folder.
    time_limit_s
        Seconds for the solver, for each coalition; None for no limit.
    gap
        Relative gap at which a coalition's plan is good enough.
    threads, progress, stop
        As for ``run_study``.

    Raises
    ------
    InputError
        Faults in the files or settings.
    UsageError
        The study has fewer than two agencies, or another objective than travel.
    InfeasibleError
        A coalition has no plan, or none was found in time.
    """
    folder = Path(folder)
    out = default_agencies_out(folder) if out is None else Path(out)
    run = Run(time_limit_s, gap, None, threads or default_threads(), progress or Silent(), stop or Stop())
    check_out(out, AGENCY_FILES, "agencies")
    study = load_study(folder)
    if len(study.agencies) < 2:
        raise UsageError("There is nothing to compare: the study names fewer than two [[agencies]].")
    if study.aims != ("travel",):
        raise UsageError(
            f"Agencies are compared for the objective travel, and the study goes for {' and '.join(study.aims)}: "
            'set objective = "travel".'
        )
    tables = read_study(folder, study, run)
    network = travel(tables, study, run, study_folder(folder))
    demand = weigh(tables, study)
    staged = stage(study, tables, demand, times_per_class(network.times, study, demand))
    document, proofs = _document(study, tables, staged, run)

    def fill(fresh: Path) -> None:
        if proofs:
            (fresh / PROOFS).mkdir()
        for at, proof in proofs.items():
            proof.save(fresh / PROOFS / proof_name(at))
        notes = machine_notes(run) | {"study_folder": from_to(out, study_folder(folder)), "gap": gap}
        for name, text in (
            ("run.json", json.dumps(notes, indent=1, default=str) + "\n"),
            (AGENCY_FILE, document.model_dump_json(by_alias=True, indent=1) + "\n"),
            ("agencies.html", agencies_html(document)),
            ("agencies.csv", agencies_csv(document)),
        ):
            with written_whole(fresh / name) as beside:
                beside.write_text(text, encoding="utf-8", newline="\n")

    write_folder(out, AGENCY_FILES, fill, "The comparison of agencies")
    return document


def proof_name(at: int) -> str:
    """File of the proof of a coalition's bound, by its place in the list."""
    return f"coalition-{at}.npz"


def default_agencies_out(path: Path) -> Path:
    """Where the comparison goes unless told otherwise."""
    return study_folder(path) / "agencies"


def _document(
    study: Study, tables: Tables, staged: Staged, run: Run
) -> tuple[AgenciesDocument, dict[int, RulesCertificate]]:
    """What is told, and the proof of each coalition that has one, by its place."""
    names = [agency.name for agency in study.agencies]
    owner = staged.venues.agency
    payer = (staged.venues.share > 0) | (owner[None, :] == np.array(names, dtype=object)[:, None])
    today = staged.terms.today
    n_runs = sum(1 for _ in coalitions(len(names))) + 1
    with run.progress.step("Planning for each coalition", n_runs) as tick:

        def within(instance: Instance) -> Solution:
            run.go_on()
            solution = solve(
                instance,
                gap=run.gap,
                seed=study.study.seed,
                threads=run.threads,
                stop=run.stop.within(run.time_limit_s),
            )
            tick(1)
            if solution.status is Status.INFEASIBLE:
                raise InfeasibleError("Not every coalition of agencies has a plan: some rules conflict without others.")
            if solution.status is Status.UNKNOWN:
                raise InfeasibleError("No plan was found in time for one of the coalitions: give more --time-limit.")
            return solution

        found = solve_coalitions(staged.instance, today, payer, within)
        alone = [one for one in found if len(one.members) == 1]
        separate_level = union_level(alone, staged.instance, today)
        separate = value_of(staged.instance, separate_level, within)
    breaks = broken_ceilings(staged.instance, separate_level)
    nobody, joint = found[0], found[-1]
    shares = shapley(found, len(names))
    separate_min = separate / MS_PER_MIN if np.isfinite(separate) else None
    proofs = {at: one.certificate for at, one in enumerate(found) if one.certificate is not None}
    document = AgenciesDocument(
        nearer=nearer.__version__,
        study=study.study.name,
        seed=study.study.seed,
        inputs={source.path: source.sha256 for source in tables.sources},
        settings=study.model_dump(mode="json"),
        today_value=nobody.value / MS_PER_MIN,
        joint_value=joint.value / MS_PER_MIN,
        joint_bound=joint.bound / MS_PER_MIN,
        separate_value=separate_min,
        separate_breaks=breaks,
        joint_gain=None if separate_min is None or breaks else separate_min - joint.value / MS_PER_MIN,
        agencies=[_worth(a, name, found, shares) for a, name in enumerate(names)],
        promises=[
            AgencyPromise(agency=limit.whose, name=limit.name, least=one.lower, most=one.upper)
            for limit, one in ((limit, promise(limit, 0.0)) for limit in _promises(staged))
        ],
        coalitions=[_coalition(one, names, tables, staged, nobody.value) for one in found],
        notes=list(NOTES),
    )
    return document, proofs


def _worth(a: int, name: str, found: list[Coalition], shares: Any) -> AgencyWorth:
    by_members = {one.members: one for one in found}
    everyone = max(by_members, key=len)
    least, most = contributions(found, a)
    value = by_members[tuple(b for b in everyone if b != a)].value - by_members[everyone].value
    part: dict[str, float] = {}
    if shares is not None:
        keys = ("shapley", "shapley_least", "shapley_most")
        part = {key: float(one[a]) / MS_PER_MIN for key, one in zip(keys, shares, strict=True)}
    return AgencyWorth(
        name=name,
        alone_saves=(found[0].value - by_members[(a,)].value) / MS_PER_MIN,
        contribution=value / MS_PER_MIN,
        contribution_least=least / MS_PER_MIN,
        contribution_most=most / MS_PER_MIN,
        **part,
    )


def changed_sites(level: IntArray, tables: Tables, staged: Staged) -> list[CoalitionSite]:
    """Sites that some levels change against today, and how; ``level`` is int16 (n_phases, n_sites)."""
    table, before = tables.sites.table, staged.terms.today
    sites = []
    for at in np.flatnonzero(np.any(level != before[None, :], axis=0)):
        steps, stands = [], int(before[at])
        for t, phase in enumerate(staged.phases):
            now = int(level[t, at])
            if now != stands:
                name = None if now == CLOSED else staged.level_names[now]
                steps.append(SiteStep(phase=phase.name, level=name))
                stands = now
        sites.append(
            CoalitionSite(
                id=str(table["id"].iloc[at]),
                name=str(table["name"].iloc[at]),
                agency=str(staged.venues.agency[at]) or None,
                steps=steps,
            )
        )
    return sites


def _coalition(one: Coalition, names: list[str], tables: Tables, staged: Staged, today_value: float) -> CoalitionPlan:
    return CoalitionPlan(
        members=[names[a] for a in one.members],
        value=one.value / MS_PER_MIN,
        bound=max(one.bound, 0.0) / MS_PER_MIN,
        gap=relative_gap(one.value, max(one.bound, 0.0)),
        proof="solver" if one.certificate is None else "certificate",
        saves=(today_value - one.value) / MS_PER_MIN,
        sites=changed_sites(one.level, tables, staged),
        promises=[promise(limit, _met(staged, one, limit)).value for limit in _promises(staged)],
    )


def _promises(staged: Staged) -> list[ServiceLimit]:
    """What agencies promise."""
    return [limit for limit in rules_of(staged.instance).limits if limit.whose]


def _met(staged: Staged, one: Coalition, limit: ServiceLimit) -> float:
    """Total of a promise if everybody goes to the nearest open site."""
    rows, total = staged.rows, 0.0
    for t, level in enumerate(one.level):
        first, _ = first_two(rows.indptr, rows.site_idx, level != CLOSED)
        cost = np.where(first >= 0, staged.instance.cost[first], staged.instance.unserved)
        counted = limit_costs(limit, np.where(first >= 0, cost, np.inf) if limit.beyond is not None else cost)
        total += float(limit.factor[t] @ counted)
    return total
