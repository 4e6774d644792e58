"""What happens to a plan in a crisis: a plan folder in, a stress folder out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

import nearer
from nearer.cluster import Batch, Cluster
from nearer.files import sha256
from nearer.kernels.jit import default_threads
from nearer.language import language
from nearer.model import FREE
from nearer.planning.access import Access
from nearer.planning.areas import area_of_sites
from nearer.planning.far import Surroundings, far_places, surroundings
from nearer.planning.files import PLAN_FILE, read_document
from nearer.planning.measures import measure_access, people_cut_off, thresholds
from nearer.planning.replan import Replanned, loss_of_each, moves, replan
from nearer.planning.stress import (
    Seated,
    Situation,
    arriving,
    cut_off_groups,
    flows,
    longer_mask,
    newly_cut_off,
    only,
    seat,
    served_by,
    stressed_areas,
    with_room,
)
from nearer.planning.stress_document import SiteLoss, StressDocument, StressedSite
from nearer.planning.stress_result import Stress, stress_of
from nearer.progress import Progress, Silent, Stop
from nearer.report.stress_words import touches_nothing
from nearer.study.limits import Run, Task, apart, side_by_side
from nearer.study.load import check_settings
from nearer.study.parts import from_to, machine_notes, read_study, standing, times_per_class, travel, weigh
from nearer.study.provenance import check_inputs, find_study
from nearer.study.stress_ask import Happened, ask
from nearer.study.stress_further import check_question, look_further
from nearer.study.stress_ground import Ground, Question
from nearer.study.stress_room import SentOut, capacities, send_out
from nearer.study.stress_write import check_stress_out, write_stress
from nearer.units import MS_PER_MIN, BoolArray, FloatArray, IntArray

N_CRITICAL = 20
"""Centres whose own loss is written down, dearest first."""


def run_stress(
    plan: Path,
    question: Question,
    *,
    study: Path | None = None,
    out: Path | None = None,
    time_limit_s: float | None = 60.0,
    gap: float = 1e-4,
    threads: int | None = None,
    cluster: Cluster | None = None,
    progress: Progress | None = None,
    stop: Stop | None = None,
) -> Stress:
    """
    Put a plan to the test, and write the stress folder.

    Parameters
    ----------
    plan
        The plan folder.
    question
        What happens and what is asked.
    study
        The study folder; default what the plan notes.
    out
        Where the answer goes; default ``stress`` inside the plan folder.
    time_limit_s, gap, threads, cluster, progress, stop
        As for ``run_study``; the time limit holds for each problem that is solved.

    Raises
    ------
    InputError
        There is no plan, an input has changed since, or the question names what is not there.
    """
    plan = Path(plan)
    plan = plan.parent if plan.name == PLAN_FILE else plan
    out = plan / "stress" if out is None else Path(out)
    run = Run(
        *(time_limit_s, gap, None, threads or default_threads(), progress or Silent(), stop or Stop()), cluster=cluster
    )
    check_stress_out(out)
    check_question(question)
    ground = prepare(plan, study, run)
    made = answer(ground, question, run)
    notes = {"plan_folder": from_to(out, plan)}
    if question.hazard is not None:
        notes["hazard"] = from_to(out, question.hazard)
    write_stress(replace(made, run=made.run | notes), out, run)
    return made


def prepare(plan: Path, study_folder: Path | None, run: Run) -> Ground:
    """Read a plan and its inputs, and the travel times kept from when it was made."""
    document = read_document(plan)
    folder = find_study(plan, study_folder)
    check_inputs(document, folder)
    study = check_settings(document.settings, f"{PLAN_FILE}, settings")
    with run.timed("read"):
        tables = read_study(folder, study, run)
    run.go_on()
    with run.timed("network"):
        network = travel(tables, study, run, folder)
        demand = weigh(tables, study)
        times = times_per_class(network.times, study, demand)
    table = tables.sites.table
    told = {site.id: site.status for site in document.sites}
    status = np.array(
        ["other" if s == "other" else told.get(i, "") for i, s in zip(table["id"], table["status"], strict=True)],
        dtype=object,
    )
    closed = status == "closed"
    status[closed] = ""
    open_mask = status != ""
    return Ground(
        document=document,
        plan_sha=sha256(plan / PLAN_FILE),
        study=study,
        tables=tables,
        network=network,
        situation=Situation(demand, times, open_mask),
        ours_mask=open_mask & (status != "other"),
        status=status,
        spare_mask=~open_mask & (closed | (standing(tables) == FREE)),
    )


def answer(ground: Ground, question: Question, run: Run) -> Stress:
    """Let something happen to a plan: who is cut off, who takes over, what to open first, what could be worse."""
    check_question(question)
    asked = ask(ground, question, run)
    after, unreached_ms = asked.situation, ground.unreached_ms
    table = ground.tables.sites.table
    ids, names = table["id"].to_numpy(dtype=object), table["name"].to_numpy(dtype=object)
    was, now = ground.situation.access(), after.access()
    capacity = capacities(ground)
    seated = None if capacity is None else seat(after, capacity)

    def opening(pool: BoolArray) -> Task:
        def ask_for(batch: Batch | None) -> Replanned | None:
            return replan(
                *(after, pool, question.replan, unreached_ms, ids, names),
                gap=run.gap,
                seed=question.seed,
                threads=run.threads,
                stop=run.stop.within(run.time_limit_s),
                progress=run.progress,
                elsewhere=apart(batch),
            )

        return ask_for

    with run.timed("replan"):
        pools = {"reopen": asked.back_mask, "open": asked.spare_mask}
        found = side_by_side(run, {name: opening(pool) for name, pool in pools.items()})
        replanned: dict[str, Replanned] = {name: one for name, one in found.items() if one is not None}
        moved = moves(after, ground.ours_mask, asked.spare_mask, question.replan, unreached_ms, ids)
    further = look_further(ground, asked, question, run)
    sent = SentOut()
    if capacity is not None:
        with run.timed("send"):
            lost = None if further.worst is None else further.worst.sites
            sent = send_out(ground, asked, question, capacity, lost, run)
    with run.timed("measure"):
        critical = loss_of_each(after, ground.ours_mask, unreached_ms)
        around, _ = surroundings(ground.tables, asked.spare_mask)
        written = StressDocument(
            nearer=nearer.__version__,
            study=ground.document.study,
            plan=ground.plan_sha,
            seed=question.seed,
            inputs=ground.document.inputs,
            asked=asked.written,
            capacity="unlimited" if capacity is None else "given",
            value_before=ground.situation.value_ms(unreached_ms, was) / MS_PER_MIN,
            value_after=after.value_ms(unreached_ms, now) / MS_PER_MIN,
            **_measured(ground, asked, was, now, around),
            sites=_sites(ground, asked, was, now, capacity, seated, sent, around),
            flows=flows(ids.tolist(), _with_people_of(was, now), now),
            with_room=None if seated is None else with_room(seated, around.areas, after, unreached_ms),
            sent=None if sent.now is None else sent.now.written,
            reopen_sent=sent.reopen,
            open_sent=sent.open,
            reopen=replanned["reopen"].written if "reopen" in replanned else None,
            open=replanned["open"].written if "open" in replanned else None,
            moves=moved,
            critical=[
                SiteLoss(id=str(ids[site]), name=str(names[site]), loss_person_min=loss, cut_off=cut)
                for site, loss, cut in zip(*critical, strict=True)
            ][:N_CRITICAL],
            random=further.random,
            worst=None if further.worst is None else further.worst.model_copy(update={"sent": sent.worst}),
            harden=further.harden,
            stock=further.stock,
            notes=_notes(ground, asked, capacity, question.worst is not None or question.stock is not None),
        )
    proofs = {name: one.certificate for name, one in replanned.items() if one.certificate is not None}
    return stress_of(
        written,
        ground.document,
        replace(ground.tables, people=replace(ground.tables.people, table=asked.people)),
        _with_people_of(was, now),
        now,
        {**proofs, **further.proofs, **sent.proofs},
        machine_notes(run) | {"gap": run.gap, "time_limit_s": run.time_limit_s},
        ground.situation.demand.total,
        asked.ground,
    )


def _with_people_of(was: Access, now: Access) -> Access:
    """The walks of before, of the people there are now."""
    return replace(was, people=now.people)


def _measured(ground: Ground, asked: Happened, was: Access, now: Access, around: Surroundings) -> dict[str, Any]:
    """People before and after, by group, area and place."""
    after, study, unreached_ms = asked.situation, ground.study, ground.unreached_ms
    demand = after.demand
    minutes = thresholds(study.plan.coverage_min, after.class_times[0].limit_ms)
    then = _with_people_of(was, now)
    cut, longer = newly_cut_off(then, now), longer_mask(then, now)
    usable = standing(ground.tables) >= FREE
    return {
        "before": measure_access(
            ground.situation.demand,
            was,
            minutes,
            unreached_ms,
            people_cut_off(ground.situation.demand, ground.situation.class_times, usable),
        ),
        "after": measure_access(demand, now, minutes, unreached_ms, people_cut_off(demand, after.class_times, usable)),
        "people_more": float(now.people.sum() - was.people.sum()),
        "cut_off": float(now.people[cut].sum()),
        "cut_off_groups": cut_off_groups(demand, cut),
        "longer": float(now.people[longer].sum()),
        "areas": stressed_areas(around.areas, then, now, unreached_ms),
        "places": far_places(around, after.class_times, only(now, longer), study.plan.coverage_min, unreached_ms),
    }


def _sites(
    ground: Ground,
    asked: Happened,
    was: Access,
    now: Access,
    capacity: FloatArray | None,
    seated: Seated | None,
    sent: SentOut,
    around: Surroundings,
) -> list[StressedSite]:
    """Every centre of the plan, in the order of the table."""
    table = ground.tables.sites.table
    n = len(table)
    before, after, new = served_by(was, n), served_by(now, n), arriving(was, now, n)
    area = area_of_sites(ground.tables, around.people_xy, around.sites_xy)
    rows: IntArray = np.flatnonzero(ground.situation.open_mask)
    found = []
    for site in rows.tolist():
        limit = np.inf if capacity is None else float(capacity[site])
        row = table.iloc[site]
        found.append(
            StressedSite(
                id=str(row["id"]),
                name=str(row["name"]),
                status=ground.status[site],
                lon=float(row["lon"]),
                lat=float(row["lat"]),
                area=area[site],
                out="hazard" if asked.inside_mask[site] else "outage" if asked.out_mask[site] else None,
                people_before=float(before[site]),
                people_after=float(after[site]),
                arriving=float(new[site]),
                capacity=None if np.isinf(limit) else limit,
                over=max(0.0, float(after[site]) - limit),
                people_with_room=None if seated is None else float(seated.served[site]),
                people_sent=None if sent.now is None else float(sent.now.load[site]),
            )
        )
    return found


def _notes(ground: Ground, asked: Happened, capacity: FloatArray | None, asked_worse: bool) -> list[str]:
    """What a reader should know, one sentence each."""
    unreached = ground.study.unreached_min
    found = [
        "Everybody is taken to go to the nearest centre in service; a person out of reach counts as "
        f"{unreached:g} minutes in averages and in what is minimised.",
        "Groups are counted at the points where their members live.",
    ]
    if capacity is None:
        found.append("No site has a capacity, so every centre is taken to serve whoever comes.")
    else:
        known = int(np.isfinite(capacity[ground.situation.open_mask]).sum())
        found.append(
            f"Capacities are known for {known} of {int(ground.situation.open_mask.sum())} open centres; the others are "
            "taken to serve whoever comes. Where a centre is full, those who live nearest to it are served first and "
            "the rest go on to the next with room. Where the system sends people, everybody together walks least "
            "within what has room; groups' weights count there as in the plan."
        )
        if ground.study.levels:
            found.append("A site that is opened or brought back is taken to open at its highest level.")
        if asked_worse:
            found.append(
                "The worst loss, what to make safe and where to keep stock are found for centres without limits on "
                "room. With limits a loss never costs less; what the worst one found costs then is told beside it, and "
                "another loss may cost more."
            )
    if asked.written.hazard is not None:
        found.append(
            "Ground in the hazard cannot be used: sites inside are out and cannot open, streets that touch it are cut, "
            "and people who live inside, or whose walk to the street would touch it, reach no centre."
            if ground.network.graph is not None
            else "Sites and people inside the hazard are cut off, and so are straight lines that touch it."
            if ground.tables.times is None
            else "Sites and people inside the hazard are cut off; the ready table of times knows no streets to cut."
        )
    with language("en"):  # what is kept is in English; a page finds the sentence again by its form
        if said := touches_nothing(asked.written):
            found.append(said)
    if any(surge.what == "group" for surge in asked.written.surge):
        found.append("A surge of one group adds its members to everybody; other groups stay as they are.")
    if ground.study.staged:
        found.append("The plan is taken as it stands after its last phase, with the people of today.")
    return found
