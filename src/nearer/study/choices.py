"""What people ask beyond one plan: reasons, other plans, and a start from an earlier one."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nearer.errors import UsageError
from nearer.inputs.tables import Tables
from nearer.model import FREE, Certificate, Instance, Solution
from nearer.planning.choices import with_alternatives, with_reasons
from nearer.planning.files import PROOF_FILE, read_document
from nearer.planning.plan import Plan
from nearer.solvers.choices import other_plans, spread
from nearer.solvers.reasons import reasons
from nearer.solvers.vicinity import Vicinity
from nearer.study.limits import Run
from nearer.study.settings import Study


@dataclass(frozen=True)
class Wish:
    """
    What is asked beyond one plan.

    Parameters
    ----------
    alternatives
        Other plans wanted.
    differ
        Sites that each must open and no plan before it does; None for a tenth of what the plan opens.
    within
        How much dearer they may be, as a share of the plan's value.
    start
        Folder of a plan to start from.

    Raises
    ------
    UsageError
        A number that means nothing.
    """

    alternatives: int = 0
    differ: int | None = None
    within: float = 0.01
    start: Path | None = None

    def __post_init__(self) -> None:
        if self.alternatives < 0 or (self.differ is not None and self.differ < 1) or not self.within >= 0:
            raise UsageError("Other plans must differ in 1 site or more, and may not be required to be better.")


def check_wish(wish: Wish, study: Study) -> None:
    """
    Make sure that what is asked beyond one plan can be answered, before anything is computed.

    Raises
    ------
    UsageError
        It cannot.
    """
    if wish.alternatives and (study.staged or not study.is_plain):
        raise UsageError(
            "--alternatives: other plans are found for the objective travel, without phases, levels, money or rules, "
            "and nowhere else yet."
        )
    if wish.start is not None and (study.staged or not study.is_plain):
        raise UsageError(
            "--from: a study with phases, levels, money, rules or other objectives than travel cannot start from an "
            "earlier plan yet."
        )


def warm_start(wish: Wish, tables: Tables, instance: Instance) -> dict[str, Any]:
    """
    Sites and multipliers of an earlier plan, as options of ``solve``.

    Sites that are no candidates any more are passed over. Multipliers are taken where the rows are as many as then;
    whatever changed, they prove something, and the proof of the new plan is evaluated anew.

    Raises
    ------
    InputError
        There is no plan to start from.
    """
    if wish.start is None:
        return {}
    folder = wish.start.parent if wish.start.suffix == ".json" else wish.start
    opened = {site.id for site in read_document(folder).sites if site.status == "opened"}
    known = tables.sites.table["id"].isin(opened).to_numpy() & (instance.standing == FREE)
    options: dict[str, Any] = {"start": np.flatnonzero(known).astype(np.int32)}
    if Vicinity.holds(instance):
        with contextlib.suppress(Exception):  # a proof is a help here, and nothing depends on it
            rows = Certificate.load(folder / PROOF_FILE).multipliers
            if rows.ndim == 2 and rows.shape[1] == instance.n_rows and np.isfinite(rows).all():
                options["multipliers"] = spread(rows)
    return options


def with_choices(plan: Plan, instance: Instance, solution: Solution, run: Run, wish: Wish) -> Plan:
    """Add reasons, and other plans where they are asked for; the plan as it is where neither is known."""
    if plan.document.objective.name != "travel" or not Vicinity.holds(instance):
        return plan
    with run.timed("reasons"):
        found = reasons(
            instance,
            solution,
            threads=run.threads,
            stop=run.stop.within(run.time_limit_s),
            progress=run.progress,
        )
        plan = with_reasons(plan, instance, solution, found)
    if not wish.alternatives:
        return plan
    differ = wish.differ or max(1, int(np.count_nonzero(solution.open_mask & instance.free_mask)) // 10)
    with run.timed("alternatives"):
        others = other_plans(
            instance,
            solution,
            count=wish.alternatives,
            differ=differ,
            within=wish.within,
            gap=run.gap,
            threads=run.threads,
            stop=run.stop.within(run.time_limit_s),
            progress=run.progress,
        )
    return with_alternatives(
        plan, instance, solution, others, count=wish.alternatives, differ=differ, within=wish.within
    )
