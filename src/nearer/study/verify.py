"""The independent check of a plan: everything it says, computed again another way."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from nearer.errors import CheckFailedError
from nearer.model import FREE, OPEN
from nearer.model.check import agrees, certified_bound, is_optimal
from nearer.planning.document import PlanDocument
from nearer.planning.files import PLAN_FILE, PROOF_FILE, read_document, read_run
from nearer.progress import Progress, Silent
from nearer.study import verify_choices as choices
from nearer.study.checks import (
    Check,
    Verdict,
)
from nearer.study.checks import alike as _alike
from nearer.study.checks import compare as _compare
from nearer.study.checks import equal as _equal
from nearer.study.checks import flat as _flat
from nearer.study.checks import load_certificate as _load_certificate
from nearer.study.checks import vector as _vector
from nearer.study.provenance import origin_of
from nearer.study.recount import Nearest, Recount
from nearer.study.retime import plane_of, retime
from nearer.study.verify_objectives import check_objectives
from nearer.study.verify_stages import verify_stages
from nearer.study.verify_twofold import check_backup
from nearer.units import BoolArray

_MS = 60_000.0


def verify_plan(plan_folder: Path, study_folder: Path | None = None, progress: Progress | None = None) -> Verdict:
    """
    Check a plan against its inputs.

    Inputs are read, and streets made into a graph and points joined to them, as for the plan; travel times come from
    SciPy, and all else (demand, value, rules, measures, gains, bound) is computed here in plain NumPy. Not checked are
    sentences, the drawing and naming of far places, how far points were moved to a street, and the files beside
    ``plan.json``, ``run.json`` and ``proof.npz``.

    Parameters
    ----------
    plan_folder
        What ``nearer plan`` wrote.
    study_folder
        Where the study lies; default what ``run.json`` says, else the folder around the plan.
    progress
        Where to report; default silent.

    Raises
    ------
    InputError
        There is no plan, an input is missing, or one has changed since, all of them named.
    """
    plan_folder = Path(plan_folder)
    plan_folder = plan_folder.parent if plan_folder.name == PLAN_FILE else plan_folder
    document = read_document(plan_folder)
    origin = origin_of(document, plan_folder, PLAN_FILE, study_folder, progress)
    study, tables = origin.study, origin.tables
    recount = Recount(study, tables, retime(tables, study.streets, origin.folder, progress))
    checks = [
        *origin.checks(document),
        _equal("seed", document.seed, study.study.seed),
        _equal("crs", document.crs, plane_of(tables).crs),
    ]
    with (progress or Silent()).step("Counting again"):
        if study.staged:
            return _verdict_on_stages(document, recount, plan_folder, checks)
        return _verdict(document, recount, plan_folder, checks, progress)


def _verdict(
    document: PlanDocument, recount: Recount, plan_folder: Path, checks: list[Check], progress: Progress | None
) -> Verdict:
    """Sites, value, bound, people and all else of a plan of one phase."""
    study = recount.study
    checks += _check_sites(document, recount)
    if not all(check.ok for check in checks if check.name.startswith("sites")):
        return Verdict(tuple(checks), ("The rest was not checked, since the sites are not those of the study.",))
    open_mask = _open_mask(document, recount)
    before, after = recount.nearest(recount.standing == OPEN), recount.nearest(open_mask)
    checks.append(_equal("kappa_per_min", document.kappa_per_min, recount.kappa_per_min))
    if study.is_plain:
        checks.append(_equal("objectives", len(document.objectives), 0))
        proof, notes = _check_proof(document, recount, plan_folder, before, after, progress)
    else:
        named = partial(_load_certificate, plan_folder / PROOF_FILE)
        found, told = check_objectives(document, recount, open_mask, named)
        proof, notes = [Check(name, bool(ok), *two) for name, ok, *two in found], tuple(told)
    checks += [
        *proof,
        *_check_people(document, recount, before, after),
        *check_backup(document, recount, before, after),
        *_check_gains(document, recount, after),
        *_check_far(document, recount, after, open_mask),
        *_check_choices(document, recount, plan_folder, after),
    ]
    return Verdict(tuple(checks), notes + choices.notes(document))


def _verdict_on_stages(document: PlanDocument, recount: Recount, plan_folder: Path, checks: list[Check]) -> Verdict:
    """Phases, levels and money, and then the picture of the last phase with today's people."""
    found, notes = verify_stages(document, recount.study, recount.tables, recount.class_pairs, plan_folder)
    checks = [*checks, *found]
    if not all(check.ok for check in found if check.name.startswith(("stages", "phases"))):
        return Verdict(tuple(checks), notes)
    closed = frozenset(site.id for site in document.sites if site.status == "closed")
    final = replace(recount, closed=closed)
    before = recount.nearest(recount.standing == OPEN)
    open_mask = _open_mask(document, final)
    after = final.nearest(open_mask)
    checks += [
        *_check_people(document, recount, before, after),
        *_check_gains(document, final, after),
        *_check_far(document, final, after, open_mask),
    ]
    return Verdict(tuple(checks), notes)


def _check_sites(document: PlanDocument, recount: Recount) -> Iterator[Check]:
    """Ids, names, places and standing of the sites, and how many are opened."""
    table = recount.tables.sites.table.set_index("id", drop=False)
    ids = [site.id for site in document.sites]
    unknown = [site for site in ids if site not in table.index]
    yield Check("sites: known", not unknown, ", ".join(unknown[:5]), "no such site" if unknown else "")
    yield Check("sites: named once", len(set(ids)) == len(ids), len(ids), len(set(ids)))
    if unknown:
        return
    existing = [str(i) for i in table.index[table["status"] == "existing"]]
    yield Check(
        "sites: existing",
        sorted(existing) == sorted(site.id for site in document.sites if site.status == "existing"),
        sum(site.status == "existing" for site in document.sites),
        len(existing),
    )
    standing = dict(zip(table.index, recount.standing, strict=True))
    opened = [site for site in document.sites if site.status == "opened"]
    barred = [site.id for site in opened if standing[site.id] != FREE]
    yield Check("sites: opened may open", not barred, ", ".join(barred[:5]), "candidates only")
    others = [site.id for site in document.sites if site.status not in ("existing", "opened")]
    yield Check("sites: status", not others, ", ".join(others[:5]), "existing or opened")
    low, high = recount.to_open
    yield Check("sites: number asked", low <= len(opened) <= high, len(opened), low if low == high else f"{low}–{high}")
    yield _equal("sites: number opened", document.opened, len(opened))
    places = table.loc[ids, ["name", "lon", "lat"]].itertuples(index=False, name=None)
    for site, (name, lon, lat) in zip(document.sites, places, strict=True):
        told, known = (site.name, site.lon, site.lat), (str(name), float(lon), float(lat))
        if told != known:
            yield Check(f"sites: name and place of {site.id}", False, str(told), str(known))
            return
    yield Check("sites: names and places", True)


def _open_mask(document: PlanDocument, recount: Recount) -> BoolArray:
    opened = {site.id for site in document.sites if site.status == "opened"}
    chosen = recount.tables.sites.table["id"].isin(opened).to_numpy()
    return np.asarray(chosen | (recount.standing == OPEN))


def _check_proof(
    document: PlanDocument,
    recount: Recount,
    plan_folder: Path,
    before: dict[str, Nearest],
    after: dict[str, Nearest],
    progress: Progress | None,
) -> tuple[list[Check], tuple[str, ...]]:
    """Value, bound, gaps and the word for them."""
    value_ms, before_ms = recount.value_ms(after), recount.value_ms(before)
    value, bound = document.objective.value, document.bound
    instance = recount.instance
    notes: tuple[str, ...] = ()
    proven_ms: float | str = -math.inf
    if document.proof == "certificate":
        try:
            certificate = _load_certificate(plan_folder / PROOF_FILE)
            proven_ms = certified_bound(instance, certificate, value_ms, progress)
        except CheckFailedError as error:
            proven_ms = str(error)
    else:
        proven_ms = value_ms
        notes = ("The bound is the solver's own word; it was compared with the value only.",)

    if isinstance(proven_ms, str):
        holds, proven = Check("bound", False, bound, proven_ms), -math.inf
    else:
        proven = proven_ms / _MS
        holds = Check("bound", bound >= 0.0 and (bound <= proven or agrees(bound, proven)), bound, proven)
    gap = abs(value - bound) / max(abs(value), 1e-9)
    gain = 0.0 if value == bound else abs(value - bound) / max(abs(document.before_value - bound), 1e-9)
    return [
        _equal("objective: value", value, value_ms / _MS),
        _equal("objective: value before", document.before_value, before_ms / _MS),
        _equal("objective: unit", document.objective.unit, "person-minutes"),
        holds,
        _equal("gap", document.gap, gap),
        _equal("gain_gap", document.gain_gap, gain),
        _check_status(document, value_ms, min(bound, proven) * _MS, instance.whole, gap, read_run(plan_folder)),
    ], notes


def _check_status(
    document: PlanDocument, value_ms: float, bound_ms: float, whole: bool, gap: float, run: dict[str, Any]
) -> Check:
    asked = run.get("gap")
    found = f"a gap of {gap:.2g}" if bound_ms > -math.inf else "no bound that holds"
    if document.status == "optimal":
        # a bound in minutes has lost its last bits
        return Check("status", is_optimal(value_ms, bound_ms * (1 + 1e-12), whole), "optimal", found)
    if document.status == "gap" and isinstance(asked, int | float):
        holds = bound_ms > -math.inf and gap <= asked * (1 + 1e-9)
        return Check("status", holds, f"a gap of at most {asked:g}", found)
    return Check("status", document.status in ("gap", "feasible"), document.status, "a plan")


def _check_choices(
    document: PlanDocument, recount: Recount, plan_folder: Path, after: dict[str, Nearest]
) -> Iterator[Check]:
    """Reasons and other plans."""
    if document.rejected or document.alternatives or any(site.without for site in document.sites):
        certificate = None
        with contextlib.suppress(CheckFailedError):  # that it proves nothing is said where the bound is checked
            certificate = _load_certificate(plan_folder / PROOF_FILE)
        for claim in choices.check_choices(document, recount, recount.instance, certificate, after):
            yield Check(*claim)


def _check_people(
    document: PlanDocument, recount: Recount, before: dict[str, Nearest], after: dict[str, Nearest]
) -> Iterator[Check]:
    """Measures, curve, areas and people per site."""
    for when, nearest, told in (
        ("before", before, document.measures.before),
        ("after", after, document.measures.after),
    ):
        yield from _compare(f"measures {when}", _flat(told.model_dump()), _flat(recount.access(nearest)))
    minutes = document.curve.minutes
    yield _vector("curve before", document.curve.before, recount.curve(before, minutes), minutes)
    yield _vector("curve after", document.curve.after, recount.curve(after, minutes), minutes)
    for group, told_curve in document.curve.groups.items():
        own = group if group in recount.class_pairs else ""
        for when, nearest in (("before", before), ("after", after)):
            found = _group_curve(recount, group, nearest[own], minutes)
            yield _vector(f"curve of {group} {when}", told_curve.get(when, []), found, minutes)
    yield _equal("curve: groups", sorted(document.curve.groups), sorted(recount.tables.people.groups))

    areas = recount.areas(before, after)
    yield _equal("areas: names", sorted(area.name for area in document.areas), sorted(areas))
    for area in document.areas:
        if area.name in areas:
            told_area = {key: value for key, value in area.model_dump().items() if key != "name"}
            keys = sorted(told_area)
            found = [areas[area.name][key] for key in keys]
            yield _vector(f"area {area.name}", [told_area[key] for key in keys], found, keys)

    position = {site: at for at, site in enumerate(recount.tables.sites.table["id"])}
    served = recount.people_per_site(after)
    ids = [site.id for site in document.sites]
    yield _vector("people per site", [site.people for site in document.sites], [served[position[i]] for i in ids], ids)


def _group_curve(recount: Recount, group: str, nearest: Nearest, minutes: Sequence[float]) -> list[float]:
    people = recount.group(group)
    total = math.fsum(people)
    return [math.fsum(people[nearest.first_ms <= round(m * _MS)]) / total if total else 0.0 for m in minutes]


def _check_gains(document: PlanDocument, recount: Recount, after: dict[str, Nearest]) -> Iterator[Check]:
    """What each opened site brings, in the order told, and what is lost without it or with its replacement."""
    opened = [site for site in document.sites if site.status == "opened"]
    position = {site: at for at, site in enumerate(recount.tables.sites.table["id"])}
    ids = [site.id for site in opened]
    yield _equal("gains: order", [site.order for site in opened], list(range(1, len(opened) + 1)))
    gains = recount.gains_in_order([position[i] for i in ids])
    yield _vector("gains", [site.gain_person_min for site in opened], [gain / _MS for gain in gains], ids)
    alone = [recount.without(position[i], after) for i in ids]
    yield _vector("losses", [site.loss_person_min for site in opened], [loss / _MS for loss, _ in alone], ids)
    yield _vector("people nearer", [site.people_nearer for site in opened], [people for _, people in alone], ids)
    taken = set(ids)
    for site in opened:
        if site.replacement is None:
            continue
        at = position.get(site.replacement)
        if at is None or recount.standing[at] != FREE or site.replacement in taken:
            yield Check(f"replacement of {site.id}", False, site.replacement, "no candidate left over")
            continue
        found = recount.without(position[site.id], after, at)[0] / _MS
        # a difference of two sums: as exact as the larger of them
        scale = abs(site.loss_person_min or 0.0) + abs(found)
        if not _alike(site.replaced_loss_person_min, found, scale):
            yield Check(f"replacement of {site.id}", False, site.replaced_loss_person_min, found)


def _check_far(
    document: PlanDocument, recount: Recount, after: dict[str, Nearest], open_mask: BoolArray
) -> Iterator[Check]:
    """Far places: how they are drawn is a choice, but their people are far, and what would mend them is left over."""
    coverage_ms = recount.study.plan.coverage_min * _MS
    far = math.fsum(math.fsum(recount.people[n][found.first_ms > coverage_ms]) for n, found in after.items())
    told = math.fsum(place.people for place in document.far)
    yield Check("far: people", told <= far or agrees(told, far), told, f"at most {far:g}")
    table = recount.tables.sites.table["id"]
    spare = set(table[(recount.standing == FREE) & ~open_mask]) | {None}
    reach = set(table[open_mask]) | {None}
    wrong = [p.mend for p in document.far if p.mend not in spare]
    wrong += [p.nearest_site for p in document.far if p.nearest_site not in reach]
    yield Check("far: sites", not wrong, ", ".join(map(str, wrong[:5])), "open ones, and candidates left over")
