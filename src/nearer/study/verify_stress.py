"""The independent check of a plan put to the test: everything it says, computed again in plain NumPy and SciPy."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from nearer.errors import CheckFailedError, Fault, InputError
from nearer.files import sha256
from nearer.inputs.area import boundary_of
from nearer.inputs.frames import read_frame
from nearer.model import FORBIDDEN, FREE, OPEN
from nearer.model.check import agrees, certified_bound
from nearer.planning.files import PLAN_FILE, read_document, read_run
from nearer.planning.stress_document import Replan, StressDocument
from nearer.planning.stress_files import STRESS_FILE, read_stress
from nearer.study.checks import Check, Verdict, compare, equal, flat, load_certificate, vector
from nearer.study.provenance import origin_of
from nearer.study.recount import Nearest, Recount
from nearer.study.retime import retime
from nearer.study.retime_hazard import retime_around
from nearer.study.verify_losses import check_harden, check_random, check_stock, check_worst
from nearer.study.verify_stress_room import Case, capacities_of, check_sendings
from nearer.units import BoolArray, IntArray

_MS = 60_000.0
_FAR = 2**40


@dataclass(frozen=True)
class Opening(Recount):
    """
    A recount in which some sites stand open and so many of others are to open.

    Parameters
    ----------
    stands, number
        ``OPEN``, ``FREE`` or ``FORBIDDEN`` per site, and how many to open.
    """

    stands: IntArray | None = None
    number: int = 0

    @property
    def standing(self) -> IntArray:
        """What was given."""
        assert self.stands is not None
        return self.stands

    @property
    def to_open(self) -> tuple[int, int]:
        """What was given."""
        return self.number, self.number


def verify_stress(folder: Path, study_folder: Path | None = None) -> Verdict:
    """
    Check an answer of ``nearer stress`` against the plan and its inputs.

    Not checked are sentences, how places are drawn and named, and the files beside ``stress.json`` and the proofs.

    Parameters
    ----------
    folder
        What ``nearer stress`` wrote.
    study_folder
        Where the study lies; default what the plan notes.

    Raises
    ------
    InputError
        There is no answer or no plan, or an input is missing or has changed since.
    """
    folder = Path(folder)
    folder = folder.parent if folder.name == STRESS_FILE else folder
    document = read_stress(folder)
    plan_folder = _find_plan(folder)
    plan = read_document(plan_folder)
    if sha256(plan_folder / PLAN_FILE) != document.plan:
        raise InputError([Fault("has changed since", file=str(plan_folder / PLAN_FILE), remedy="run stress again")])
    origin = origin_of(plan, plan_folder, PLAN_FILE, study_folder)
    study, tables = origin.study, origin.tables
    before = Recount(study, tables, retime(tables, study.streets, origin.folder))
    table = tables.sites.table
    named = {site.id for site in plan.sites if site.status != "closed"}
    was_open = (table["id"].isin(named) | (table["status"] == "other")).to_numpy()
    checks, after, inside = _happened(document, before, origin.folder, folder)
    named_out = table["id"].isin(document.asked.out_of_service).to_numpy()
    out = named_out | (inside & was_open)
    is_open = was_open & ~out
    case = Case(
        *(document, plan, folder, before, after, was_open, is_open, inside),
        before.nearest(was_open),
        after.nearest(is_open),
    )
    return Verdict(
        (
            equal("study", document.study, plan.study),
            equal("out of service", int(was_open[named_out].sum()), len(document.asked.out_of_service)),
            *checks,
            *_check_people(case),
            *_check_sites(case),
            *_check_flows(case),
            *_check_room(case),
            *check_sendings(case),
            *_check_replan(case, "reopen", document.reopen, named_out & ~inside),
            *_check_replan(case, "open", document.open, case.spare),
            *_check_moves(case),
            *_check_critical(case),
            *_check_further(case),
        )
    )


def _happened(
    document: StressDocument, before: Recount, study_at: Path, folder: Path
) -> tuple[list[Check], Recount, BoolArray]:
    """People and ways after what happened, and the sites inside the hazard."""
    tables, asked = before.tables, document.asked
    table = tables.people.table
    count = {name: table[name].to_numpy(dtype=np.float64).tolist() for name in ("total", *tables.people.groups)}
    areas = table["area"].tolist()
    for surge in asked.surge:
        for row in range(len(table)):
            if surge.what == "group":
                members = count[surge.name][row]
                count["total"][row] += members * (surge.factor - 1.0)
                count[surge.name][row] = members * surge.factor
            elif surge.what == "all" or areas[row] == surge.name:
                for column in count.values():
                    column[row] *= surge.factor
    people = replace(tables.people, table=table.assign(**count))
    after = Recount(before.study, replace(tables, people=people), before.class_pairs)
    inside = np.zeros(tables.sites.n, dtype=bool)
    if asked.hazard is None:
        return [], after, inside
    path = folder / str(read_run(folder).get("hazard", asked.hazard.file))
    if not path.is_file() or sha256(path) != asked.hazard.sha256:
        what = "has changed since" if path.is_file() else "is not there"
        raise InputError([Fault(what, file=str(path), remedy="restore the file, or run stress again")])
    around = retime_around(tables, before.study.streets, study_at, boundary_of(read_frame(path, name=path.name)))
    inside = around.sites_mask
    n_other = int(inside.sum()) - len(asked.hazard.sites)
    drowned = math.fsum(np.array(count["total"])[around.people_mask])
    checks = [
        equal("hazard: segments cut", asked.hazard.segments, around.segments),
        equal("hazard: people inside", asked.hazard.people_inside, drowned),
        equal("hazard: sites that cannot open", asked.hazard.candidates, n_other),
    ]
    return checks, replace(after, class_pairs=around.class_pairs), inside


def _check_further(case: Case) -> Iterator[Check]:
    document = case.document
    parts = (case.after, case.is_open, case.ours, case.ids)
    if document.random is not None:
        yield from check_random(document.random, *parts, document.seed)
    if document.worst is not None:
        yield from check_worst(document.worst, *parts, case.folder)
    if document.harden is not None:
        yield from check_harden(document.harden, *parts, case.folder)
    if document.stock is not None:
        yield from check_stock(document.stock, *parts, case.folder)


def _find_plan(folder: Path) -> Path:
    noted = read_run(folder).get("plan_folder")
    if isinstance(noted, str) and (folder / noted).is_dir():
        return folder / noted
    return folder.resolve().parent


def _check_people(case: Case) -> Iterator[Check]:
    document, before, after = case.document, case.before, case.after
    yield from compare("before", flat(document.before.model_dump()), flat(before.access(case.was, evenly=False)))
    yield from compare("after", flat(document.after.model_dump()), flat(after.access(case.now, evenly=False)))
    yield equal("value before", document.value_before, before.value_ms(case.was) / _MS)
    yield equal("value after", document.value_after, after.value_ms(case.now) / _MS)
    more = math.fsum(math.fsum(people) for people in after.people.values())
    more -= math.fsum(math.fsum(people) for people in before.people.values())
    yield Check("people more", abs(document.people_more - more) <= 1e-6, document.people_more, more)
    lost = {name: case.was[name].reached & ~found.reached for name, found in case.now.items()}
    slower = {name: found.first_ms > case.was[name].first_ms for name, found in case.now.items()}
    yield equal("cut off", document.cut_off, math.fsum(math.fsum(after.people[n][mask]) for n, mask in lost.items()))
    yield equal("longer", document.longer, math.fsum(math.fsum(after.people[n][mask]) for n, mask in slower.items()))
    groups = {g: math.fsum(after.group(g)[lost[g if g in lost else ""]]) for g in after.tables.people.groups}
    yield from compare("cut off", document.cut_off_groups, groups)
    areas = after.tables.people.table["area"].to_numpy(dtype=object)
    told = {area.name: area for area in document.areas}
    names = sorted({str(name) for name in areas} - {""})
    people = after.people
    names = [name for name in names if math.fsum(math.fsum(p[areas == name]) for p in people.values()) > 0]
    yield equal("areas: names", sorted(told), names)
    for name in names:
        if name not in told:
            continue
        here = areas == name
        total = math.fsum(math.fsum(p[here]) for p in people.values())
        walks = [
            math.fsum(
                math.fsum(people[n][here] * np.minimum(f.first_ms[here], after.unreached_ms)) for n, f in to.items()
            )
            for to in (case.was, case.now)
        ]
        found = [
            total,
            math.fsum(math.fsum(people[n][here & mask]) for n, mask in lost.items()),
            math.fsum(math.fsum(people[n][here & mask]) for n, mask in slower.items()),
            walks[0] / total / _MS,
            walks[1] / total / _MS,
        ]
        area = told[name]
        claimed = [area.people, area.cut_off, area.longer, area.before_mean_min, area.after_mean_min]
        keys = ["people", "cut off", "longer", "minutes before", "minutes after"]
        yield vector(f"area {name}", claimed, found, keys)


def _check_sites(case: Case) -> Iterator[Check]:
    document, ids = case.document, case.ids
    rows = np.flatnonzero(case.was_open)
    yield equal("sites: ids", [site.id for site in document.sites], [ids[row] for row in rows])
    if [site.id for site in document.sites] != [ids[row] for row in rows]:
        return
    gone = [site.id for site in document.sites if site.out is not None]
    yield equal("sites: out", gone, [ids[row] for row in rows if not case.is_open[row]])
    drowned = [ids[row] for row in rows if case.inside[row]]
    yield equal("sites: in the hazard", [site.id for site in document.sites if site.out == "hazard"], drowned)
    told = [] if document.asked.hazard is None else document.asked.hazard.sites
    yield equal("hazard: centres inside", told, drowned)
    labels = [ids[row] for row in rows]
    before, after = case.before.people_per_site(case.was)[rows], case.after.people_per_site(case.now)[rows]
    yield vector("people before", [site.people_before for site in document.sites], before.tolist(), labels)
    yield vector("people after", [site.people_after for site in document.sites], after.tolist(), labels)
    new = np.zeros(len(ids))
    for name, found in case.now.items():
        moved = found.reached & (found.site != case.was[name].site)
        np.add.at(new, found.site[moved], case.after.people[name][moved])
    yield vector("arriving", [site.arriving for site in document.sites], new[rows].tolist(), labels)
    room = capacities_of(case)
    claimed = [math.inf if site.capacity is None else site.capacity for site in document.sites]
    yield equal("capacities", claimed, room[rows].tolist())
    yield vector(
        "too many", [site.over for site in document.sites], np.maximum(after - room[rows], 0.0).tolist(), labels
    )


def _check_flows(case: Case) -> Iterator[Check]:
    """Every flow told, and that none larger was left out."""
    sums: dict[tuple[str | None, str | None], float] = {}
    names: list[str | None] = [*case.ids, None]  # the last stands for NO_SITE, -1
    for name, found in case.now.items():
        people = case.after.people[name]
        for start, end, n in zip(case.was[name].site, found.site, people, strict=True):
            if start != end and n > 0:
                key = (names[start], names[end])
                sums[key] = sums.get(key, 0.0) + float(n)
    told = {(flow.from_, flow.to): flow.people for flow in case.document.flows}
    wrong = [key for key, n in told.items() if not agrees(n, sums.get(key, 0.0))]
    least = min(told.values(), default=0.0)
    missing = [key for key, n in sums.items() if key not in told and (len(told) < 200 or n > least * (1 + 1e-9))]
    yield Check("flows", not wrong and not missing, str((wrong + missing)[:3]), "people who change between centres")


def _check_room(case: Case) -> Iterator[Check]:
    """Everyone at the nearest site with room, nearest first: all pairs in the order of their times, one by one."""
    document, room = case.document, np.where(case.is_open, capacities_of(case), 0.0)
    known = bool(np.isfinite(capacities_of(case)).any())
    yield equal("capacity", document.capacity, "given" if known else "unlimited")
    if not known or document.with_room is None:
        yield equal("with room", document.with_room is None, not known)
        return
    n = len(case.after.tables.people.table)
    left = np.concatenate([case.after.people[name] for name in case.after.class_pairs])
    rows, sites, times = [], [], []
    for c, pairs in enumerate(case.after.class_pairs.values()):
        usable = case.is_open[pairs.site]
        rows.append(c * n + pairs.point[usable])
        sites.append(pairs.site[usable])
        times.append(pairs.time_ms[usable])
    row, site, time_ms = np.concatenate(rows), np.concatenate(sites), np.concatenate(times)
    served, walked = np.zeros(len(room)), 0.0
    for e in np.lexsort((site, row, time_ms)).tolist():
        part = min(left[row[e]], room[site[e]])
        if part > 0:
            left[row[e]] -= part
            room[site[e]] -= part
            served[site[e]] += part
            walked += part * time_ms[e]
    reached = np.zeros(len(left), dtype=bool)
    reached[row] = True
    total = math.fsum(served)
    yield equal("served", document.with_room.served, total)
    unmet = math.fsum(left[reached])
    yield Check(
        "without room", abs(document.with_room.unmet - unmet) <= 1e-6 * max(1.0, total), document.with_room.unmet, unmet
    )
    yield equal("minutes of those served", document.with_room.mean_min_served, walked / total / _MS if total else None)
    everyone = math.fsum(math.fsum(people) for people in case.after.people.values())
    mean = (walked + max(everyone - total, 0.0) * case.after.unreached_ms) / everyone / _MS if everyone else None
    same = mean is document.with_room.mean_min or abs((mean or 0.0) - (document.with_room.mean_min or 0.0)) <= 1e-9
    yield Check("minutes with room", same, document.with_room.mean_min, mean)
    rows_open = np.flatnonzero(case.was_open)
    told = [site_.people_with_room for site_ in document.sites]
    yield vector("people with room", told, served[rows_open].tolist(), [case.ids[at] for at in rows_open])


def _check_replan(case: Case, name: str, told: Replan | None, pool: BoolArray) -> Iterator[Check]:
    """Steps, best set and bound of a re-plan."""
    if told is None:
        return
    wanted = case.mask([step.id for step in told.steps])
    best = case.mask(told.best)
    yield Check(f"{name}: pool", told.pool == int(pool.sum()), told.pool, int(pool.sum()))
    fits = not (wanted & ~pool).any() and not (best & ~pool).any()
    yield Check(f"{name}: sites may open", fits, ", ".join(told.best[:5]), "sites of the pool")
    called = dict(zip(case.ids, case.before.tables.sites.table["name"].astype(str), strict=True))
    yield equal(f"{name}: names", told.best_names, [called.get(site) for site in told.best])
    numbers = [len(told.steps), len(told.best), int(best.sum())]
    yield equal(f"{name}: number", numbers, [told.number] * 3)
    position = {site: at for at, site in enumerate(case.ids)}
    is_open, gains, back = case.is_open.copy(), [], []
    value = case.after.value_ms(case.now)
    reached = _people_reached(case.now, case.after)
    for step in told.steps:
        is_open[position[step.id]] = True
        found = case.after.nearest(is_open)
        value, gain = case.after.value_ms(found), value - case.after.value_ms(found)
        there = _people_reached(found, case.after)
        gains.append(gain / _MS)
        back.append(there - reached)
        reached = there
    labels = [step.id for step in told.steps]
    scale = max(1.0, case.document.value_after)
    near = [abs(a.gain_person_min - b) <= 1e-9 * scale for a, b in zip(told.steps, gains, strict=True)]
    yield Check(f"{name}: gains", all(near), labels[near.index(False)] if False in near else None, math.fsum(gains))
    close = [abs(a.people_back - b) <= 1e-6 for a, b in zip(told.steps, back, strict=True)]
    yield Check(
        f"{name}: people back", all(close), labels[close.index(False)] if False in close else None, math.fsum(back)
    )
    yield equal(f"{name}: value of the order", told.order_value, value / _MS)
    best_ms = case.after.value_ms(case.after.nearest(case.is_open | best))
    yield equal(f"{name}: value of the best set", told.value, best_ms / _MS)
    stands = np.where(case.is_open, OPEN, np.where(pool, FREE, FORBIDDEN)).astype(np.int8)
    after = case.after
    opening = Opening(after.study, after.tables, after.class_pairs, stands=stands, number=told.number)
    try:
        certificate = load_certificate(case.folder / f"{name}-proof.npz")
        proven = certified_bound(opening.instance, certificate, cutoff=best_ms) / _MS
        holds = told.bound <= proven or agrees(told.bound, proven)
        yield Check(f"{name}: bound", holds, told.bound, proven)
    except CheckFailedError as error:
        yield Check(f"{name}: bound", False, told.bound, str(error))
    yield equal(f"{name}: gap", told.gap, abs(told.value - told.bound) / max(abs(told.value), 1e-9))
    proven_best = told.value - told.bound <= max(1e-9 * abs(told.value), 1.0 / _MS)
    yield Check(f"{name}: status", told.status != "optimal" or proven_best, told.status, f"a gap of {told.gap:.2g}")


def _people_reached(found: dict[str, Nearest], recount: Recount) -> float:
    return math.fsum(math.fsum(recount.people[name][one.reached]) for name, one in found.items())


def _check_moves(case: Case) -> Iterator[Check]:
    position = {site: at for at, site in enumerate(case.ids)}
    is_open, value = case.is_open.copy(), case.after.value_ms(case.now)
    for move in case.document.moves:
        start, end = position.get(move.from_, -1), position.get(move.to, -1)
        fits = start >= 0 and end >= 0 and bool(is_open[start] and case.ours[start] and case.spare[end])
        yield Check(f"move {move.from_}: may", fits, move.to, "from a centre in service to a place that may open")
        if not fits:
            return
        is_open[start], is_open[end] = False, True
        then = case.after.value_ms(case.after.nearest(is_open))
        scale = max(1.0, case.document.value_after)
        gain = (value - then) / _MS
        yield Check(
            f"move {move.from_}: gain", abs(gain - move.gain_person_min) <= 1e-9 * scale, move.gain_person_min, gain
        )
        value = then


def _check_critical(case: Case) -> Iterator[Check]:
    losses = np.zeros(len(case.ids))
    alone = np.zeros(len(case.ids))
    for name, found in case.now.items():
        at = found.site[found.reached]
        first = np.minimum(found.first_ms, case.after.unreached_ms)[found.reached]
        second = np.minimum(found.second_ms, case.after.unreached_ms)[found.reached]
        np.add.at(losses, at, case.after.weight[name][found.reached] * (second - first))
        np.add.at(alone, at, np.where(found.second_ms >= _FAR, case.after.people[name], 0.0)[found.reached])
    told = case.document.critical
    position = {site: at for at, site in enumerate(case.ids)}
    rows = [position[site.id] for site in told]
    labels: list[Any] = [site.id for site in told]
    yield vector("losses of one more", [site.loss_person_min for site in told], (losses[rows] / _MS).tolist(), labels)
    yield vector("cut off by one more", [site.cut_off for site in told], alone[rows].tolist(), labels)
    left = case.ours & case.is_open
    left[rows] = False
    least = min((site.loss_person_min for site in told), default=math.inf)
    most = float(losses[left].max(initial=0.0)) / _MS
    yield Check("losses of one more: none dearer left out", most <= least * (1 + 1e-9), least, most)
