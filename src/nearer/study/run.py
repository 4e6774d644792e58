"""The main job: a study folder in, a plan folder out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from nearer.cluster import Cluster
from nearer.errors import InfeasibleError
from nearer.inputs.tables import Tables
from nearer.kernels.jit import default_threads
from nearer.model import OPEN, Status
from nearer.model.build import build_instance
from nearer.planning.make import make_plan
from nearer.planning.plan import Plan
from nearer.progress import Progress, Silent, Stop
from nearer.solvers import solve
from nearer.solvers.backup import solve_backup
from nearer.solvers.ordered import solve_ordered
from nearer.solvers.turns import Answer, solution_of
from nearer.study.asking import backup_of, question_of
from nearer.study.choices import Wish, check_wish, warm_start, with_choices
from nearer.study.limits import Run
from nearer.study.load import load_study
from nearer.study.parts import (
    default_out,
    from_to,
    number_to_open,
    override,
    read_study,
    run_notes,
    snapping,
    standing,
    study_folder,
    times_per_class,
    travel,
    weigh,
)
from nearer.study.regional import by_regions, may_spread, plan_by_regions
from nearer.study.settings import Study
from nearer.study.staged_run import plan_stages
from nearer.study.write import check_out, write_plan
from nearer.units import MS_PER_MIN, minutes_to_ms


def run_study(
    folder: Path,
    *,
    out: Path | None = None,
    open: int | None = None,
    open_max: int | None = None,
    budget: float | None = None,
    objective: str | Sequence[str] | None = None,
    limit_min: float | None = None,
    merge_m: float | None = None,
    time_limit_s: float | None = 60.0,
    gap: float = 1e-4,
    work_limit: int | None = None,
    seed: int | None = None,
    threads: int | None = None,
    cluster: Cluster | None = None,
    wish: Wish | None = None,
    progress: Progress | None = None,
    stop: Stop | None = None,
    say: Callable[[str], None] | None = None,
) -> Plan:
    """
    Read a study, plan, and write the plan folder.

    Parameters
    ----------
    folder
        The study folder, or its ``nearer.toml``.
    out
        Where the plan goes; default ``plan`` inside the study folder.
    open, open_max, budget, objective, limit_min, merge_m, seed
        Replace what ``nearer.toml`` says; None to leave it. Several objectives in order as a list, or with commas.
    time_limit_s
        Seconds for the solver; None for no limit.
    gap
        Relative gap at which the plan is good enough.
    work_limit
        Units of work after which the solver ends, the same on every machine; None for no limit.
    threads
        Threads; None for as many as there are processors.
    cluster
        Who shares the work beyond this machine, from ``nearer.cluster.joined``; the answer is the same, byte for byte.
    wish
        Other plans wanted, and a plan to start from.
    progress, stop
        Where to report, and who may ask to stop; a stop keeps the best plan found.
    say
        Told a sentence about seconds and memory before a run that takes long.

    Raises
    ------
    InputError
        Faults in the files or settings, all that could be found.
    UsageError
        The plan may not be written there, or the run would not fit into the memory that is free.
    InfeasibleError
        No plan obeys the rules.
    NearerError
        Stopped before there was a plan, or the plan could not be written; an earlier plan stands as it was.
    """
    folder = Path(folder)
    out = default_out(folder) if out is None else Path(out)
    run = Run(
        *(time_limit_s, gap, work_limit, threads or default_threads(), progress or Silent(), stop or Stop()),
        say=say,
        cluster=cluster,
    )
    named = objective if objective is None or isinstance(objective, str) else tuple(objective)
    wanted = {
        "plan.open": open,
        "plan.open_max": open_max,
        "plan.budget": budget,
        "plan.objective": named,
        "streets.limit_min": limit_min,
        "people.merge_m": merge_m,
        "study.seed": seed,
    }

    check_out(out)
    study = override(load_study(folder), wanted)
    with run.timed("read"):
        tables = read_study(folder, study, run)
    plan = plan_tables(tables, study, run=run, folder=study_folder(folder), wish=wish)
    write_plan(replace(plan, run=plan.run | {"study_folder": from_to(out, study_folder(folder))}), out, run)
    return plan


def plan_tables(
    tables: Tables, study: Study, *, run: Run, folder: Path | None = None, wish: Wish | None = None
) -> Plan:
    """
    Plan on tables that were read: network → demand → model → solve → plan.

    Parameters
    ----------
    tables, study
        What was read and what is asked.
    run
        Limits, threads, progress.
    folder
        The study folder, where what is slow to make is kept between runs; None to keep nothing.
    wish
        What is asked beyond one plan.
    """
    wish = wish or Wish()
    check_wish(wish, study)
    unreached_ms = minutes_to_ms(study.unreached_min)
    run.go_on()
    with run.timed("network"):
        network = travel(tables, study, run, folder, spread=may_spread(study, wish))
    run.go_on()
    with run.timed("model"):
        demand = weigh(tables, study)
    if by_regions(network, study, wish):
        return plan_by_regions(tables, study, network, demand, run=run)
    with run.timed("model"):
        times = times_per_class(network.times, study, demand)
    if study.staged:
        return plan_stages(tables, study, network, demand, times, run=run)
    open_min, open_max = number_to_open(study, tables)
    with run.timed("model"):
        instance = build_instance(demand, times, standing(tables, study), open_min, open_max, unreached_ms)
        twice = None if study.plan.second_share is None else backup_of(study, tables, demand, times)
        question = None if study.is_plain or twice is not None else question_of(study, tables, demand, times)
        start = warm_start(wish, tables, instance)
    answer: Answer | None = None
    limits = run.effort(study.study.seed)
    with run.timed("solve"):
        if twice is not None:
            answer = solve_backup(twice, standing(tables, study) == OPEN, **limits)
            solution = solution_of(answer)
        elif question is None:
            solution = solve(instance, **limits, **start)
        else:
            answer = solve_ordered(question, **limits)
            solution = solution_of(answer)
    if solution.status in (Status.INFEASIBLE, Status.UNKNOWN):
        raise InfeasibleError(f"There is no plan that opens {open_max} sites and obeys the rules.")
    with run.timed("plan"):
        plan = make_plan(
            name=study.study.name,
            settings=study.model_dump(mode="json"),
            seed=study.study.seed,
            tables=tables,
            demand=demand,
            class_times=times,
            instance=instance,
            solution=solution,
            unreached_ms=unreached_ms,
            coverage_min=study.plan.coverage_min,
            crs=network.plane.crs,
            snapping=snapping(network, tables, study),
            run=run_notes(run, solution, 1.0 if answer else MS_PER_MIN),
            answer=answer,
            everyone_ms=None if question is None else question.everyone_ms,
            second_share=study.plan.second_share,
        )
    return plan if answer is not None else with_choices(plan, instance, solution, run, wish)
