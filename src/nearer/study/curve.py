"""What each further centre brings: a study folder in, the best network of every size out."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

import nearer
from nearer.cluster import Cluster
from nearer.errors import Fault, InputError, UsageError
from nearer.files import sha256
from nearer.inputs.frames import read_frame
from nearer.inputs.history import Past, past_of
from nearer.kernels.jit import default_threads
from nearer.model import Certificate, Status
from nearer.planning.access import Access
from nearer.planning.curvedoc import CurveDocument, CurveSize, History
from nearer.planning.curvefiles import CURVE_CSV, CURVE_FILE, PROOFS, write_curve_csv, write_document
from nearer.planning.document import SourceFile
from nearer.planning.notes import notes
from nearer.planning.sizecurve import Measurer, curve_sizes, falloff
from nearer.planning.volume import describe
from nearer.progress import Progress, Silent, Stop
from nearer.report.curvepage import write_curve_page
from nearer.solvers.sizes import Sizes, solving_order
from nearer.study.limits import Run, elsewhere
from nearer.study.load import load_study
from nearer.study.parts import from_to, machine_notes, override, study_folder
from nearer.study.ready import Ready, get_ready, left_aside
from nearer.study.settings import most_opened
from nearer.study.write import check_out, write_folder
from nearer.units import minutes_to_ms

CURVE_PAGE = "curve.html"
CURVE_FILES = (CURVE_CSV, CURVE_PAGE, PROOFS, "run.json", CURVE_FILE)
"""Everything a curve's folder may hold; anything else in it is the user's and stays."""


def run_curve(
    folder: str | Path,
    *,
    to: int | None = None,
    step: int = 1,
    out: str | Path | None = None,
    history: str | Path | None = None,
    time_limit_s: float | None = 300.0,
    gap: float = 1e-4,
    work_limit: int | None = None,
    seed: int | None = None,
    threads: int | None = None,
    cluster: Cluster | None = None,
    progress: Progress | None = None,
    stop: Stop | None = None,
) -> CurveDocument:
    """
    Find the best network of every size from today's to a number of centres, and write the curve's folder.

    Parameters
    ----------
    folder
        The study folder, or its ``nearer.toml``.
    to
        Our own centres at the end, those of today included; default what the study's plan leads to.
    step
        Solve every ``step``-th size; those between get the best nested network and a bound all the same.
    out
        Where the curve goes; default ``curve`` inside the study folder.
    history
        Table of past volume: ``centre``, ``period``, ``visits`` or ``units``, and maybe ``centres`` open.
    time_limit_s
        Seconds for all sizes together; None for no limit.
    gap, work_limit
        Of each size: relative gap that is good enough, and units of work after which its run ends.
    seed, threads, cluster, progress, stop
        As for ``run_study``; a stop keeps the sizes done.

    Returns
    -------
    CurveDocument
        What ``curve.json`` holds; ``complete`` says whether every size was solved.

    Raises
    ------
    InputError
        Faults in the files or settings.
    UsageError
        The question does not fit the study, or the curve may not be written there.
    """
    folder = Path(folder)
    out = study_folder(folder) / "curve" if out is None else Path(out)
    run = Run(
        *(time_limit_s, gap, work_limit, threads or default_threads(), progress or Silent(), stop or Stop()),
        cluster=cluster,
    )
    check_out(out, CURVE_FILES, "a curve")
    study = override(load_study(folder), {"study.seed": seed})
    past = None if history is None else read_past(Path(history), study_folder(folder))
    ready = get_ready(study, folder, run, past=past is not None)
    most = _most(ready, to)
    if step < 1:
        raise UsageError("--step must be 1 or more.")

    def fill(fresh: Path) -> None:
        document_holder.append(_solve_into(fresh, ready, most, step, run, past))
        run_notes = machine_notes(run) | {"study_folder": from_to(out, study_folder(folder)), "gap": gap}
        (fresh / "run.json").write_text(json.dumps(run_notes, indent=1, default=str) + "\n", encoding="utf-8")

    document_holder: list[CurveDocument] = []
    write_folder(out, CURVE_FILES, fill, "The curve")
    return document_holder[0]


def _most(ready: Ready, to: int | None) -> int:
    """How many candidates the largest network opens."""
    may_open = int(ready.instance.free_mask.sum())
    if to is None:
        asked = most_opened(ready.study)
        if asked is None:
            raise UsageError("The study does not say how many centres there are to be: give --to N.")
        return min(asked, may_open)
    if to < ready.ours:
        raise UsageError(f"{ready.ours} centres stand today; give --to that number or more, not {to}.")
    if to - ready.ours > may_open:
        message = f"{to} centres are asked for; {ready.ours} stand and only {may_open} candidates may open"
        remedy = f"give --to {ready.ours + may_open} at most, or add candidates"
        raise InputError([Fault(message, column="--to", remedy=remedy)])
    return to - ready.ours


def _solve_into(
    fresh: Path, ready: Ready, most: int, step: int, run: Run, past: tuple[Past, str] | None
) -> CurveDocument:
    """Solve, store the proofs in a folder as they are made, and write what was found."""
    proofs = fresh / PROOFS
    proofs.mkdir()
    with run.timed("solve"), elsewhere(run, "curve") as others:
        sizes = Sizes(
            ready.instance,
            most,
            **run.limits(ready.study.study.seed),
            stop=run.stop.within(run.time_limit_s),
            elsewhere=others,
        )
        wanted = solving_order(most, step)
        for size in sizes.run(wanted, run.progress):
            sizes.proofs.pop(size).save(proofs / proof_name(ready.ours + size))
    with run.timed("measure"):
        document = curve_document(ready, sizes, step, complete=_complete(sizes, len(wanted)), past=past)
    for one in sizes.known():
        if one.multipliers is not None:
            Certificate.root_only(one.multipliers).save(proofs / proof_name(ready.ours + one.opened))
    write_curve_csv(document, fresh / CURVE_CSV)
    write_curve_page(document, fresh / CURVE_PAGE)
    write_document(document, fresh / CURVE_FILE)
    return document


def _complete(sizes: Sizes, wanted: int) -> bool:
    """Whether every size asked for reached a proof or the gap asked for."""
    return len(sizes.solved) == wanted and all(one.status is not Status.FEASIBLE for one in sizes.solved.values())


def proof_name(centres: int) -> str:
    """File of the proof of one size, in the folder of proofs."""
    return f"{centres:05d}.npz"


def read_past(file: Path, folder: Path) -> tuple[Past, str]:
    """
    A table of past volume and its hash, named as seen from the study's folder.

    Raises
    ------
    InputError
        With every fault of the file.
    """
    if not file.is_file():
        raise InputError([Fault("there is no such file", file=str(file), remedy="give --history a table of visits")])
    return past_of(read_frame(file, name=from_to(folder, file), section="--history")), sha256(file)


def _history(past: tuple[Past, str], ready: Ready, to: int) -> History:
    """What a table of past volume says, with the people nearest to each centre in each period."""
    table, digest = past
    position = {site: at for at, site in enumerate(ready.tables.sites.table["id"])}
    at = np.array([position.get(centre, -1) for centre in table.centre], dtype=np.int64)
    others = (ready.tables.sites.table["status"] == "other").to_numpy()
    reach = np.zeros(len(at))
    for period in range(len(table.periods)):
        here = np.flatnonzero((table.period == period) & (at >= 0))
        is_open = others.copy()
        is_open[at[here]] = True
        access = Access.to_open(ready.demand, ready.times, is_open)
        reach[here] = access.people_per_site(len(is_open))[at[here]]
    unmatched = sorted({str(centre) for centre, place in zip(table.centre, at, strict=True) if place < 0})
    return describe(table, reach, at >= 0, unmatched, digest, to)


def curve_document(
    ready: Ready, sizes: Sizes, step: int, complete: bool, past: tuple[Past, str] | None = None
) -> CurveDocument:
    """Everything ``curve.json`` holds."""
    study, tables = ready.study, ready.tables
    ids = tables.sites.table["id"].to_numpy(dtype=object)
    coverage_min = study.plan.coverage_min
    measured = Measurer(ready.demand, ready.times, ready.standing, coverage_min, ready.unreached_ms)
    found: list[CurveSize] = curve_sizes(sizes, ids, ready.ours, measured)
    limit_ms = minutes_to_ms(study.streets.limit_min)
    return CurveDocument(
        nearer=nearer.__version__,
        study=study.study.name,
        seed=study.study.seed,
        inputs={source.path: source.sha256 for source in tables.sources},
        settings=study.model_dump(mode="json"),
        objective="travel",
        today=ready.ours,
        to=ready.ours + sizes.most,
        step=step,
        complete=complete,
        coverage_min=coverage_min,
        unreached_min=study.unreached_min,
        people=float(ready.demand.class_people.sum()),
        weight=float(ready.demand.class_weight.sum()),
        sizes=found,
        greedy=[str(ids[site]) for site in sizes.greedy.site],
        backwards=[] if sizes.backwards is None else [str(ids[site]) for site in sizes.backwards.site],
        falloff=falloff(found),
        history=None if past is None else _history(past, ready, ready.ours + sizes.most),
        sources=[
            SourceFile(path=source.path, sha256=source.sha256, kind=source.kind, licence=source.licence)
            for source in tables.sources
        ],
        notes=[*left_aside(study), *notes(tables, ready.demand, coverage_min, limit_ms, ready.unreached_ms)],
    )
