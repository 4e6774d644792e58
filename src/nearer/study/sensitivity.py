"""What stands if things turn out otherwise: a study in, a plan for each scenario and one for all out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import geopandas as gpd
import numpy as np
import pandas as pd

import nearer
from nearer.cluster import Cluster
from nearer.errors import Faults, UsageError
from nearer.inputs.geo import WGS84
from nearer.inputs.tables import Tables
from nearer.kernels.jit import default_threads
from nearer.model import FREE, OPEN, Certificate, Instance, Solution, Status, relative_gap
from nearer.model.build import build_instance
from nearer.network import TravelTimes, base_speed_kmh, scaled
from nearer.planning.areas import area_of_sites
from nearer.planning.curvefiles import write_document
from nearer.planning.document import SourceFile
from nearer.planning.far import surroundings
from nearer.planning.gains import compute_gains
from nearer.planning.notes import notes
from nearer.planning.sensdoc import PlanInAll, RobustPlan, ScenarioPlan, SensitivityDocument, SiteChoice
from nearer.progress import Progress, Silent, Stop
from nearer.report.senspage import write_choices_csv, write_sensitivity_page
from nearer.report.sitesmap import Drawn
from nearer.solvers.apart import in_order
from nearer.solvers.choices import warm_multipliers
from nearer.solvers.minmax import Robust, Scenario, Scenarios, solve_robust
from nearer.solvers.pmedian import solve_pmedian
from nearer.study.limits import Run, elsewhere
from nearer.study.load import STUDY_FILE, load_study
from nearer.study.parts import (
    from_to,
    machine_notes,
    number_to_open,
    override,
    read_study,
    standing,
    study_folder,
    times_near,
    travel,
)
from nearer.study.ready import left_aside
from nearer.study.scenarios import AS_GIVEN, ScenarioSettings, demand_in, lost_in, standard_scenarios
from nearer.study.settings import Study, most_opened
from nearer.study.write import check_out, write_folder
from nearer.units import MS_PER_MIN, BoolArray, minutes_to_ms

SENS_FILE, SENS_PAGE, SENS_CSV, PROOFS = "sensitivity.json", "sensitivity.html", "sites.csv", "proofs"
SENS_FILES = (SENS_CSV, SENS_PAGE, PROOFS, "run.json", SENS_FILE)
"""Everything a sensitivity folder may hold; anything else in it is the user's and stays."""

ROBUST_PROOF = "robust.npz"
_LOST = 3  # opened sites whose loss is tried where a study gives no scenarios

Goal = Literal["regret", "value"]


def proof_name(scenario: int) -> str:
    """File of the proof of one scenario, in the folder of proofs."""
    return f"scenario-{scenario:03d}.npz"


def run_sensitivity(
    folder: str | Path,
    *,
    open: int | None = None,
    percent: float = 20.0,
    goal: Goal = "regret",
    out: str | Path | None = None,
    time_limit_s: float | None = 300.0,
    gap: float = 1e-4,
    work_limit: int | None = None,
    seed: int | None = None,
    threads: int | None = None,
    cluster: Cluster | None = None,
    progress: Progress | None = None,
    stop: Stop | None = None,
) -> SensitivityDocument:
    """
    Plan a study under every scenario, and once for all of them together.

    Parameters
    ----------
    folder
        The study folder, or its ``nearer.toml``; ``[[scenarios]]`` says what may turn out otherwise.
    open
        Candidates to open; default what the study says.
    percent
        Without ``[[scenarios]]``: by how much people of each group and area, and speeds, are changed.
    goal
        What the robust plan makes least: the worst regret, or the worst value.
    out
        Where the answer goes; default ``sensitivity`` inside the study folder.
    time_limit_s
        Seconds for all runs together; None for no limit.
    gap, work_limit
        Of each run; the robust plan's gap is in the unit of its goal.
    seed, threads, cluster, progress, stop
        As for ``run_study``.

    Raises
    ------
    InputError
        Faults in the files or settings.
    UsageError
        The question does not fit the study, or the answer may not be written there.
    """
    folder = Path(folder)
    out = study_folder(folder) / "sensitivity" if out is None else Path(out)
    run = Run(
        *(time_limit_s, gap, work_limit, threads or default_threads(), progress or Silent(), stop or Stop()),
        cluster=cluster,
    )
    check_out(out, SENS_FILES, "a sensitivity answer")
    if not 0 < percent < 100:
        raise UsageError("--percent must be more than 0 and less than 100.")
    study = override(load_study(folder), {"study.seed": seed, "plan.open": open})
    with run.timed("read"):
        tables = read_study(folder, study, run)
    check_scenarios(study, tables)
    most = most_opened(study)
    if study.plan.open is None and study.plan.open_max is None and most is not None:
        study = override(study, {"plan.open": most})  # phases say it one by one
    if study.plan.open is None and study.plan.open_max is None:
        raise UsageError("The study does not say how many sites are to open: give --open N.")
    made: list[SensitivityDocument] = []

    def fill(fresh: Path) -> None:
        (fresh / PROOFS).mkdir()
        document = _answer(study, tables, percent, goal, run, study_folder(folder), fresh / PROOFS)
        ground = Drawn(
            sites=_points(tables.sites.table),
            people=_points(tables.people.table),
            streets=tables.streets,
            boundary=tables.boundary,
            districts=tables.districts,
            shapes=tables.people.shapes,
            cell_m=tables.people.cell_m,
        )
        write_choices_csv(document, fresh / SENS_CSV)
        write_sensitivity_page(document, ground, fresh / SENS_PAGE)
        write_document(document, fresh / SENS_FILE)
        told = machine_notes(run) | {"study_folder": from_to(out, study_folder(folder)), "gap": gap}
        (fresh / "run.json").write_text(json.dumps(told, indent=1, default=str) + "\n", encoding="utf-8")
        made.append(document)

    write_folder(out, SENS_FILES, fill, "The answer")
    return made[0]


def _points(table: pd.DataFrame) -> gpd.GeoDataFrame:
    """A table with its places as points."""
    return gpd.GeoDataFrame(
        table.drop(columns=["geometry"], errors="ignore").reset_index(drop=True),
        geometry=gpd.points_from_xy(table["lon"], table["lat"]),
        crs=WGS84,
    )


def check_scenarios(study: Study, tables: Tables) -> None:
    """
    Make sure that areas and sites of scenarios are there.

    Raises
    ------
    InputError
        With every one that is not.
    """
    faults = Faults(STUDY_FILE)
    areas, ids = set(tables.people.table["area"]), set(tables.sites.table["id"])
    for number, scenario in enumerate(study.scenarios, start=1):
        for area in scenario.areas:
            if area not in areas:
                listed = ", ".join(sorted(areas - {""})[:8]) or "none"
                faults.add(
                    f"there is no area {area!r}", column=f"scenarios[{number}].areas", remedy=f"there are: {listed}"
                )
        for site in scenario.lost:
            if site not in ids:
                faults.add(f"there is no site {site!r}", column=f"scenarios[{number}].lost", remedy="give ids of sites")
    faults.raise_if_any()


class _Builder:
    """Builds scenarios on shared grounds: one for each speed and set of lost sites."""

    def __init__(self, study: Study, tables: Tables, opened: int, run: Run, folder: Path) -> None:
        self.study, self.tables, self.opened, self.run, self.folder = study, tables, opened, run, folder
        self.standing = standing(tables, study)
        self.own = tuple(study.streets.group_speeds_kmh)
        self.unreached_ms = minutes_to_ms(study.unreached_min)

    def scenarios(self, settings: list[ScenarioSettings]) -> Scenarios:
        """All scenarios of some settings, rows that any of a ground's scenarios weighs in it."""
        fastest = max(one.speed for one in settings)
        wide = self.study.streets.model_copy(update={"limit_min": self.study.streets.limit_min * max(1.0, fastest)})
        study = self.study.model_copy(update={"streets": wide})
        network = travel(self.tables, study, self.run, self.folder, near=True)
        never_lost = ~np.any([lost_in(one, self.tables) for one in settings], axis=0)
        near = times_near(network, (self.standing == OPEN) & never_lost, self.run)
        keys: dict[tuple[float, tuple[str, ...]], list[int]] = {}
        for place, one in enumerate(settings):
            keys.setdefault((one.speed, tuple(sorted(one.lost))), []).append(place)
        demands = [demand_in(one, self.tables, dict(self.study.plan.group_weights), self.own) for one in settings]
        grounds: list[Instance] = []
        cases: list[Scenario | None] = [None] * len(settings)
        for (speed, _), members in keys.items():
            lost = lost_in(settings[members[0]], self.tables)
            any_weight = np.sum([demands[place].class_weight for place in members], axis=0)
            demand = replace(demands[members[0]], class_weight=np.where(any_weight > 0, 1.0, 0.0))
            times = [without(one, lost) for one in class_times(near, self.study, demand.class_names, speed)]
            ground = build_instance(demand, times, self.standing, self.opened, self.opened, self.unreached_ms)
            for place in members:
                weight = demands[place].class_weight[ground.row_group, ground.row_point]
                cases[place] = Scenario(len(grounds), np.asarray(weight), lost)
            grounds.append(ground)
        return Scenarios(tuple(grounds), tuple(case for case in cases if case is not None))


def class_times(times: TravelTimes, study: Study, names: tuple[str, ...], speed: float) -> list[TravelTimes]:
    """Times of each class of people who go ``speed`` times as fast as they do."""
    limit_ms = minutes_to_ms(study.streets.limit_min)
    base, own = base_speed_kmh(study.streets), study.streets.group_speeds_kmh
    return [scaled(times, (base / own[name] if name else 1.0) / speed, limit_ms) for name in names]


def without(times: TravelTimes, lost: BoolArray) -> TravelTimes:
    """Times without those to some sites."""
    if not lost.any():
        return times
    keep = ~lost[times.site_idx]
    kept_before = np.concatenate([[0], np.cumsum(keep)])
    return TravelTimes(
        kept_before[times.indptr], times.site_idx[keep], times.time_ms[keep], times.n_sites, times.limit_ms
    )


def _answer(
    study: Study, tables: Tables, percent: float, goal: Goal, run: Run, folder: Path, proofs: Path
) -> SensitivityDocument:
    _, high = number_to_open(study, tables)
    stop = run.stop.within(run.time_limit_s)
    builder = _Builder(study, tables, high, run, folder)
    given = ScenarioSettings(name=AS_GIVEN)
    settings = [given, *study.scenarios]
    solved: dict[str, Solution] = {}
    areas = sorted({str(name) for name in tables.people.table["area"]} - {""})
    if not study.scenarios:
        alone = builder.scenarios([given])
        solved[AS_GIVEN] = _solve(alone, 0, None, study, run, stop)
        settings += standard_scenarios(list(tables.people.groups), areas, percent)
        settings += _losses(alone.alone(0), solved[AS_GIVEN].open_mask, tables)
    with run.timed("network"):
        scenarios = builder.scenarios(settings)
    answers: list[Solution] = []
    with run.timed("solve"), run.progress.step("Planning each scenario", len(settings)) as tick:
        for answer in _solve_all(scenarios, solved.get(AS_GIVEN), study, run, stop):
            place = len(answers)
            answers.append(answer)
            tick(1, f"{settings[place].name}, gap {100 * answer.gap:.2g} %")
            if isinstance(answer.certificate, Certificate):
                answer.certificate.save(proofs / proof_name(place))
    for one, answer in zip(settings, answers, strict=True):
        if answer.objective <= 0.0:
            raise UsageError(f'Nobody has any way to go in the scenario "{one.name}", so that nothing can be compared.')
    # whether a site can be had is known before it opens, so that nobody need plan against it unless asked to
    hedged = np.array([bool(study.scenarios) or not one.lost for one in settings])
    best = np.array([answer.objective for answer in answers])[hedged]
    if goal == "regret":
        scale, offset = 1.0 / best, np.ones(len(best))
    else:
        scale, offset = np.full(len(best), 1.0 / best[0]), np.zeros(len(best))
    with run.timed("robust"), run.progress.step("One plan for all"):
        robust = solve_robust(
            scenarios.only(hedged),
            scale,
            offset,
            [answer.open_mask for answer in answers],
            **run.limits(study.study.seed),
            stop=stop if run.time_limit_s is None else run.stop.within(max(stop.remaining_s, 0.2 * run.time_limit_s)),
        )
    if robust.certificate is not None:
        robust.certificate.save(proofs / ROBUST_PROOF)
    return _document(study, tables, settings, scenarios, answers, hedged, robust, goal, high)


def _solve_all(scenarios: Scenarios, ready: Solution | None, study: Study, run: Run, stop: Stop) -> Iterator[Solution]:
    """
    Every scenario in order: the first by itself, each other from the first one's plan, on a cluster all at a time.

    Rows of a ground may be more than those of the scenario alone, so that a plan that is ready is solved anew.
    """
    first = _solve(scenarios, 0, ready, study, run, stop)
    yield first
    done, others = 1, range(1, len(scenarios.cases))
    with elsewhere(run, "sensitivity") as workers:
        if workers is not None:
            for place in others:
                workers.ask(place, **_question(scenarios, place, first, study, run))
            for _, solution in in_order(workers.answers(stop), others):
                done += 1
                yield solution
    for place in others[done - 1 :]:
        yield _solve(scenarios, place, first, study, run, stop)


def _solve(scenarios: Scenarios, place: int, near: Solution | None, study: Study, run: Run, stop: Stop) -> Solution:
    return solve_pmedian(stop=stop, **_question(scenarios, place, near, study, run))


def _question(scenarios: Scenarios, place: int, near: Solution | None, study: Study, run: Run) -> dict[str, Any]:
    """One scenario, from the plan and the multipliers of another."""
    instance = scenarios.alone(place)
    warm: dict[str, Any] = {}
    if near is not None:
        warm["start"] = np.flatnonzero(near.open_mask & (instance.standing == FREE)).astype(np.int32)
        given = warm_multipliers(near)
        if given and given["multipliers"].shape[1] == instance.n_rows:
            warm |= given
    return {"instance": instance, **run.limits(study.study.seed), **warm}


def _losses(instance: Instance, open_mask: BoolArray, tables: Tables) -> list[ScenarioSettings]:
    """One scenario for each of the opened sites that would be missed most."""
    gains = compute_gains(instance, open_mask)
    order = np.argsort(-gains.loss, kind="stable")[:_LOST]
    table = tables.sites.table
    return [
        ScenarioSettings(name=f"without {table['name'].iloc[site]}", lost=(str(table["id"].iloc[site]),))
        for site in gains.site_idx[order]
    ]


def _document(
    study: Study,
    tables: Tables,
    settings: list[ScenarioSettings],
    scenarios: Scenarios,
    answers: list[Solution],
    hedged: BoolArray,
    robust: Robust,
    goal: Goal,
    opened: int,
) -> SensitivityDocument:
    table = tables.sites.table
    ids = table["id"].to_numpy(dtype=object)
    free = scenarios.grounds[0].standing == FREE
    today = np.asarray(scenarios.grounds[0].standing == OPEN)
    bounds = [min(max(answer.bound, 0.0), answer.objective) for answer in answers]

    def named(mask: BoolArray) -> list[str]:
        return sorted(str(ids[site]) for site in np.flatnonzero(mask & free))

    demands = [
        demand_in(one, tables, dict(study.plan.group_weights), tuple(study.streets.group_speeds_kmh))
        for one in settings
    ]
    told = [
        ScenarioPlan(
            name=one.name,
            what=in_words(one),
            settings=one.model_dump(mode="json"),
            hedged=bool(hedged[place]),
            people=float(demand.class_people.sum()),
            before=scenarios.value(place, today) / MS_PER_MIN,
            value=answer.objective / MS_PER_MIN,
            bound=bounds[place] / MS_PER_MIN,
            gap=relative_gap(answer.objective, bounds[place]),
            status=answer.status.value,
            sites=named(answer.open_mask),
        )
        for place, (one, demand, answer) in enumerate(zip(settings, demands, answers, strict=True))
    ]
    mix = np.zeros(len(settings))
    mix[hedged] = robust.mix
    rows: list[PlanInAll] = []
    masks = [(one.name, answer.open_mask) for one, answer in zip(settings, answers, strict=True)]
    for name, mask in [*masks, ("robust", robust.open_mask)]:
        sites = named(mask)
        if name != "robust" and any(row.sites == sites for row in rows):
            continue
        values = scenarios.values(mask)
        regret = [float(v) / answer.objective - 1.0 for v, answer in zip(values, answers, strict=True)]
        worst = int(np.argmax(np.where(hedged, regret, -np.inf)))
        rows.append(
            PlanInAll(
                name=name,
                sites=sites,
                values=[float(v) / MS_PER_MIN for v in values],
                regret=regret,
                regret_most=[float(v) / max(b, 1e-9) - 1.0 for v, b in zip(values, bounds, strict=True)],
                worst=regret[worst],
                worst_in=settings[worst].name,
            )
        )
    return SensitivityDocument(
        nearer=nearer.__version__,
        study=study.study.name,
        seed=study.study.seed,
        inputs={source.path: source.sha256 for source in tables.sources},
        settings=study.model_dump(mode="json"),
        objective="travel",
        open=opened,
        today=int((table["status"] == "existing").sum()),
        complete=all(answer.status is not Status.FEASIBLE for answer in answers),
        scenarios=told,
        choices=_choices(tables, settings, [answer.open_mask & free for answer in answers], robust.open_mask),
        plans=rows,
        robust=RobustPlan(
            goal=goal,
            value=robust.value,
            bound=robust.bound,
            proof="certificate" if robust.proof == "certificate" else "solver",
            mix=[float(part) for part in mix],
            mix_bound=robust.mix_bound,
            price=rows[-1].regret[0],
            sites=named(robust.open_mask),
        ),
        sources=[
            SourceFile(path=source.path, sha256=source.sha256, kind=source.kind, licence=source.licence)
            for source in tables.sources
        ],
        notes=[
            *left_aside(study),
            *notes(
                tables,
                demands[0],
                study.plan.coverage_min,
                minutes_to_ms(study.streets.limit_min),
                minutes_to_ms(study.unreached_min),
            ),
        ],
    )


def _choices(
    tables: Tables, settings: list[ScenarioSettings], masks: list[BoolArray], robust: BoolArray
) -> list[SiteChoice]:
    around, _ = surroundings(tables, np.zeros(tables.sites.n, dtype=bool))
    area = area_of_sites(tables, around.people_xy, around.sites_xy)
    table = tables.sites.table
    candidate = (table["status"] == "candidate").to_numpy()
    count = np.sum(masks, axis=0)
    rows = []
    for site in np.flatnonzero(((count > 0) | robust) & candidate):
        row = table.iloc[int(site)]
        can = sum(str(row["id"]) not in one.lost for one in settings)
        n = int(count[site])
        rows.append(
            SiteChoice(
                id=str(row["id"]),
                name=str(row["name"]),
                area=area[int(site)],
                lon=float(row["lon"]),
                lat=float(row["lat"]),
                count=n,
                share=n / can if can else 0.0,
                kind="every" if n == can and n else "most" if 2 * n >= can and n else "few",
                as_given=bool(masks[0][site]),
                robust=bool(robust[site]),
            )
        )
    return sorted(rows, key=lambda one: (-one.share, -one.count, one.id))


def in_words(scenario: ScenarioSettings) -> str:
    """What is otherwise, in one line."""
    parts = []
    if scenario.people != 1:
        parts.append(f"people everywhere × {scenario.people:g}")
    parts += [f"people of {group} × {factor:g}" for group, factor in scenario.groups.items()]
    parts += [f"people in {area} × {factor:g}" for area, factor in scenario.areas.items()]
    if scenario.speed != 1:
        parts.append(f"speed × {scenario.speed:g}")
    if scenario.group_weights is not None:
        weighed = ", ".join(f"{group} {weight:g}" for group, weight in scenario.group_weights.items())
        parts.append(f"weights: {weighed or 'everybody alike'}")
    if scenario.lost:
        parts.append(f"without {', '.join(scenario.lost)}")
    return "; ".join(parts) or "nothing otherwise"
