"""Two objectives against each other: a study folder in, the frontier of the two out."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

import nearer
from nearer.errors import UsageError
from nearer.kernels.jit import default_threads
from nearer.model import Certificate, RulesCertificate, relative_gap
from nearer.model.aims import times_to_open, unreached
from nearer.model.certificate import save_certificates
from nearer.planning.curvefiles import write_document
from nearer.planning.frontierdoc import FrontierAim, FrontierDocument, TradePoint
from nearer.progress import Progress, Silent, Stop
from nearer.report.frontierpage import write_frontier_page
from nearer.solvers.frontier import FrontierPoint, FrontierRun, frontier
from nearer.solvers.limited import Effort
from nearer.solvers.turns import Question
from nearer.study.asking import question_of
from nearer.study.frontier_money import MONEY, Bought, buy, turned
from nearer.study.limits import Run
from nearer.study.load import load_study
from nearer.study.parts import (
    from_to,
    machine_notes,
    override,
    read_study,
    study_folder,
    times_per_class,
    travel,
    weigh,
)
from nearer.study.settings import Study
from nearer.study.write import check_out, write_folder

FRONTIER_FILE, FRONTIER_PAGE = "frontier.json", "frontier.html"
FRONTIER_PROOF = "proof.npz"
SENDINGS = "sendings"
FRONTIER_FILES = (FRONTIER_PAGE, FRONTIER_PROOF, SENDINGS, "run.json", FRONTIER_FILE)
"""Everything a frontier's folder may hold; anything else in it is the user's and stays."""

_TRADED = ("travel", "coverage", "farthest", "equal", "cost")


def run_frontier(
    folder: str | Path,
    *,
    first: str = "travel",
    second: str = "farthest",
    points: int = 8,
    open: int | None = None,
    open_max: int | None = None,
    out: str | Path | None = None,
    time_limit_s: float | None = 300.0,
    gap: float = 1e-4,
    work_limit: int | None = None,
    seed: int | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
    stop: Stop | None = None,
) -> FrontierDocument:
    """
    Trade two objectives against each other and write the frontier's folder.

    Parameters
    ----------
    folder
        The study folder, or its ``nearer.toml``.
    first, second
        Objectives, each one of travel, coverage, farthest, equal and cost (cost not with farthest). Which is held to
        levels: farthest or cost, where one of them is asked for, else the first. With cost, phases, levels, money and
        agencies of the study hold in every point, and ``open = N`` is taken as at most N.
    points
        Points wanted, both ends included.
    open, open_max, seed
        Replace what ``nearer.toml`` says; None to leave it.
    out
        Where the frontier goes; default ``frontier`` inside the study folder.
    time_limit_s, gap, work_limit, threads, progress, stop
        As for ``run_study``, over all points together.

    Raises
    ------
    InputError
        Faults in the files or settings.
    UsageError
        The question makes no sense, or the frontier may not be written there.
    InfeasibleError
        No plan obeys the rules.
    """
    folder = Path(folder)
    out = study_folder(folder) / "frontier" if out is None else Path(out)
    run = Run(time_limit_s, gap, work_limit, threads or default_threads(), progress or Silent(), stop or Stop())
    check_out(out, FRONTIER_FILES, "a frontier")
    for name in (first, second):
        if name not in _TRADED:
            raise UsageError(f"{name} cannot be traded: give two of {', '.join(_TRADED)}.")
    if first == second:
        raise UsageError(f"{first} is named twice: give two different objectives.")
    if points < 2:
        raise UsageError("--points must be 2 or more: both ends belong to a frontier.")
    if MONEY in (first, second) and "farthest" in (first, second):
        raise UsageError("cost is traded against travel, coverage or equal: give one of them beside it.")
    wanted = {"plan.open": open, "plan.open_max": open_max, "plan.objective": (first, second), "study.seed": seed}
    given = load_study(folder)
    if given.staged and MONEY not in (first, second):
        raise UsageError(
            "In a study with phases, levels, money or rules across sites cost is traded against another objective: "
            "give --first cost, or two objectives in order in nearer.toml: "
            '[plan] objective = ["coverage", "travel"].'
        )
    study = _for_money(given, first, second, wanted) if MONEY in (first, second) else override(given, wanted)
    document: list[FrontierDocument] = []
    proofs: dict[str, Certificate | RulesCertificate] = {}

    def fill(fresh: Path) -> None:
        if MONEY in (first, second):
            made, sendings = _bought(study, folder, first == MONEY, points, run, proofs)
            document.append(made)
            if sendings:
                (fresh / SENDINGS).mkdir()
            for number, arrays in sendings.items():
                np.savez_compressed(fresh / SENDINGS / sending_name(number), **arrays)
        else:
            document.append(_solved(study, folder, points, run, proofs))
        if proofs:
            save_certificates(fresh / FRONTIER_PROOF, proofs)
        write_frontier_page(document[0], fresh / FRONTIER_PAGE)
        notes = machine_notes(run) | {"study_folder": from_to(out, study_folder(folder)), "gap": gap}
        (fresh / "run.json").write_text(json.dumps(notes, indent=1, default=str) + "\n", encoding="utf-8")
        write_document(document[0], fresh / FRONTIER_FILE)

    write_folder(out, FRONTIER_FILES, fill, "The frontier")
    return document[0]


def sending_name(number: int) -> str:
    """File that says who goes where in a point."""
    return f"point-{number}.npz"


def _for_money(given: Study, first: str, second: str, wanted: dict[str, Any]) -> Study:
    """The study as it is traded against money: exactly so many new centres becomes at most so many."""
    other = second if first == MONEY else first
    most = given.plan.open if wanted["plan.open_max"] is None and wanted["plan.open"] is None else wanted["plan.open"]
    asked = {key: value for key, value in wanted.items() if key != "plan.open"} | {"plan.objective": other}
    return override(given, asked | ({} if most is None else {"plan.open_max": most}))


def _bought(
    study: Study, folder: Path, money_first: bool, points: int, run: Run, proofs: dict[str, Any]
) -> tuple[FrontierDocument, dict[int, Any]]:
    """A frontier of money; its proofs are put into ``proofs``, and who goes where is returned by point."""
    with run.timed("read"):
        tables = read_study(folder, study, run)
    run.go_on()
    with run.timed("network"):
        network = travel(tables, study, run, study_folder(folder))
    run.go_on()
    demand = weigh(tables, study)
    with run.timed("solve"):
        times = times_per_class(network.times, study, demand)
        found = buy(study, tables, demand, times, study.aims[0], points, run)
    proofs.update({proof_name(number): proof for number, proof in found.proofs.items()})
    aims = (found.money, found.other) if money_first else (found.other, found.money)
    document = FrontierDocument(
        nearer=nearer.__version__,
        study=study.study.name,
        seed=study.study.seed,
        inputs={source.path: source.sha256 for source in tables.sources},
        settings=study.model_dump(mode="json"),
        first=aims[0],
        second=aims[1],
        held="cost",
        points=turned(found, money_first=money_first),
        complete=all(point.status != "feasible" for point in found.points),
        notes=_money_notes(study, found),
    )
    return document, found.sendings


def proof_name(number: int) -> str:
    """Name of a point's proof in ``proof.npz``; points are counted from 1."""
    return f"point-{number}"


def _solved(study: Study, folder: Path, points: int, run: Run, proofs: dict[str, Any]) -> FrontierDocument:
    """The frontier; its proofs are put into ``proofs``."""
    with run.timed("read"):
        tables = read_study(folder, study, run)
    run.go_on()
    with run.timed("network"):
        network = travel(tables, study, run, study_folder(folder))
    run.go_on()
    with run.timed("model"):
        demand = weigh(tables, study)
        question = question_of(study, tables, demand, times_per_class(network.times, study, demand))
    with run.timed("solve"):
        held, found = frontier(
            question,
            points=points,
            **run.effort(study.study.seed),
        )
    for number, point in enumerate(found, start=1):
        if point.proof == "certificate" and point.certificate is not None:
            proofs[proof_name(number)] = point.certificate
    names = study.aims
    ids = tables.sites.table["id"].to_numpy(dtype=object)
    return FrontierDocument(
        nearer=nearer.__version__,
        study=study.study.name,
        seed=study.study.seed,
        inputs={source.path: source.sha256 for source in tables.sources},
        settings=study.model_dump(mode="json"),
        first=_aim(question, names[0], 0),
        second=_aim(question, names[1], 1),
        held=held,
        unreached=_unreached(question, found) if held == "farthest" else None,
        points=[_point(point, held == names[0], ids, question.before) for point in found],
        complete=all(point.reached for point in found),
        notes=_notes(study, held, found),
    )


def _aim(question: Any, name: str, place: int) -> FrontierAim:
    turn = question.turns[place]
    unit = "minutes" if isinstance(turn, str) else turn.unit
    other = question.turns[1 - place]
    measured = FrontierRun(replace(question), turn, other, Effort(Stop(), 0.0, 0, 1, None, Silent()))
    return FrontierAim(
        name=name,
        unit=unit,
        before=measured.value(turn, question.before),
        larger_is_better=not isinstance(turn, str) and turn.maximise,
    )


def _unreached(question: Question, found: list[FrontierPoint]) -> float:
    """People out of reach in the points, the most of any."""
    lost = unreached(question.people)
    return max(lost.total(times_to_open(question.times, point.open_mask)) for point in found)


def _point(point: FrontierPoint, held_first: bool, ids: np.ndarray, before: np.ndarray) -> TradePoint:
    return TradePoint(
        first=point.held if held_first else point.value,
        second=point.value if held_first else point.held,
        level=point.level,
        bound=point.bound,
        gap=relative_gap(point.value, point.bound),
        status="optimal" if point.optimal else "gap" if point.reached else "feasible",
        proof="certificate" if point.proof == "certificate" and point.certificate is not None else "solver",
        prices={name: price for name, price in point.prices if price > 0},
        opened=[str(site) for site in ids[point.open_mask & ~before]],
    )


def _money_notes(study: Study, found: Bought) -> list[str]:
    """What a reader should know of a frontier of money."""
    notes = ["Levels of cost lie evenly between the least there can be and what the best plan of the other costs."]
    if found.money.unit == "money":
        notes.append("Cost is opening, upgrading and closing, and running over the years of all phases.")
    else:
        notes.append("Nothing costs anything in this study, so that cost is the number of new centres.")
    if len(study.plan.phases) > 1:
        notes.append("Every point is a plan over all phases; the other objective is that of all phases together.")
    if any(point.proof == "solver" for point in found.points):
        notes.append("Some bounds are the solver's own word (HiGHS).")
    return notes


def _notes(study: Study, held: str, found: list[FrontierPoint]) -> list[str]:
    """What a reader should know of a frontier of other objectives."""
    notes = [f"Levels of {held} lie evenly between what it can be at best and what it is where the other is at best."]
    if held == "farthest":
        notes.append("In every point as few people as possible are out of reach.")
    if any(point.proof == "solver" for point in found):
        notes.append("Some bounds are the solver's own word (HiGHS).")
    return notes
