"""The independent check of a sensitivity answer: every plan in every scenario counted again, every bound evaluated."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from nearer.errors import CheckFailedError
from nearer.inputs.tables import Tables
from nearer.inputs.tags import WALK_KMH
from nearer.model import FORBIDDEN, FREE, OPEN, Instance, single_phase
from nearer.model.check import agrees, certified_bound, is_optimal, recompute_value
from nearer.planning.curvefiles import read_as
from nearer.planning.files import read_run
from nearer.planning.sensdoc import ScenarioPlan, SensitivityDocument
from nearer.study.checks import Check, Verdict, equal, load_certificate, vector
from nearer.study.provenance import origin_of
from nearer.study.recount import Recount
from nearer.study.retime import retime
from nearer.study.retime_pairs import Pairs
from nearer.study.scenarios import ScenarioSettings
from nearer.study.sensitivity import PROOFS, ROBUST_PROOF, SENS_FILE, proof_name
from nearer.study.settings import Study
from nearer.units import BoolArray, FloatArray, minutes_to_ms

_MS = 60_000.0


def verify_sensitivity(folder: Path, study_folder: Path | None = None) -> Verdict:
    """
    Check a sensitivity answer against its inputs, as ``verify_plan`` does a plan.

    Scenarios are applied to people, times and sites anew, in plain NumPy. Not checked are sentences and pictures.

    Raises
    ------
    InputError
        There is no answer, an input is missing, or one has changed since.
    """
    folder = Path(folder)
    folder = folder.parent if folder.name == SENS_FILE else folder
    told = read_as(SensitivityDocument, folder / SENS_FILE, "run `nearer sensitivity` again")
    origin = origin_of(told, folder, SENS_FILE, study_folder)
    study, tables = origin.study, origin.tables
    standing = Recount(study, tables, {}).standing
    checks = [
        *origin.checks(told),
        *_check_sites(told, tables, standing == FREE),
    ]
    if not all(check.ok for check in checks if check.name.startswith("sites")):
        return Verdict(tuple(checks), ("The rest was not checked, since the sites are not those of the study.",))
    worlds = _worlds(told, study, tables, origin.folder)
    asked = read_run(folder).get("gap")
    checks += _check_values(told, worlds, tables)
    checks += _check_bounds(told, worlds, tables, folder, asked if isinstance(asked, int | float) else None)
    robust, notes = _check_robust(told, worlds, folder)
    checks += [*robust, *_check_choices(told)]
    return Verdict(tuple(checks), notes)


class _World:
    """One scenario: its problem with every pair and weights of its own."""

    def __init__(self, ground: int, instance: Instance, people: float) -> None:
        self.ground, self.instance, self.people = ground, instance, people


def _worlds(told: SensitivityDocument, study: Study, tables: Tables, home: Path) -> list[_World]:
    settings = [ScenarioSettings.model_validate(_tuples(one.settings)) for one in told.scenarios]
    source = study.streets
    on_foot = source.mode in ("walk", "straight")
    base_kmh = source.speed_kmh if on_foot and source.speed_kmh is not None else WALK_KMH
    own = source.group_speeds_kmh if on_foot and tables.times is None else {}
    quickest = max([1.0, *(kmh / base_kmh for kmh in own.values())]) * max(one.speed for one in settings)
    wide = source.model_copy(update={"limit_min": source.limit_min * max(1.0, quickest) + 1, "group_speeds_kmh": {}})
    raw = retime(tables, wide, home)[""]
    limit_ms = minutes_to_ms(source.limit_min)
    weights = [_weights(one, study, tables, list(own)) for one in settings]
    keys: dict[tuple[float, tuple[str, ...]], list[int]] = {}
    for place, one in enumerate(settings):
        keys.setdefault((one.speed, tuple(sorted(one.lost))), []).append(place)
    worlds: dict[int, _World] = {}
    for ground, ((speed, lost), members) in enumerate(keys.items()):
        gone = tables.sites.table["id"].isin(lost).to_numpy()
        pairs = {}
        for name in ("", *own):
            mine = raw.scaled((base_kmh / own[name] if name else 1.0) / speed, limit_ms)
            keep = ~gone[mine.site]
            pairs[name] = Pairs(mine.point[keep], mine.site[keep], mine.time_ms[keep])
        recount = Recount(study, tables, pairs)
        rows = {name: np.sum([weights[place][0][name] for place in members], axis=0) > 0 for name in pairs}
        base = _instance(recount, rows, told.open)
        for place in members:
            weight = np.concatenate([weights[place][0][name][rows[name]] for name in pairs])
            instance = replace(base, weight=weight.reshape(1, -1))
            worlds[place] = _World(ground, instance, weights[place][1])
    return [worlds[place] for place in range(len(settings))]


def _tuples(value: dict[str, object]) -> dict[str, object]:
    return {key: tuple(item) if isinstance(item, list) else item for key, item in value.items()}


def _weights(
    scenario: ScenarioSettings, study: Study, tables: Tables, own: list[str]
) -> tuple[dict[str, FloatArray], float]:
    """Weight of each class at each point, and people in all."""
    table = tables.people.table
    factor = np.full(len(table), scenario.people)
    for n, area in enumerate(table["area"]):
        factor[n] *= scenario.areas.get(str(area), 1.0)
    groups = {
        name: table[name].to_numpy(dtype=np.float64) * scenario.groups.get(name, 1.0) * factor
        for name in tables.people.groups
    }
    total = table["total"].to_numpy(dtype=np.float64).copy()
    for name, times in scenario.groups.items():
        total += (times - 1.0) * table[name].to_numpy(dtype=np.float64)
    total = np.maximum(total, 0.0) * factor
    for people in groups.values():
        total = np.maximum(total, people)
    weight = {"": np.maximum(total - sum((groups[name] for name in own), np.zeros(len(total))), 0.0)}
    weight |= {name: groups[name].copy() for name in own}
    everybody = math.fsum(math.fsum(part) for part in weight.values())
    chosen = study.plan.group_weights if scenario.group_weights is None else scenario.group_weights
    for name, times in chosen.items():
        weight[name if name in weight else ""] += (times - 1.0) * groups[name]
    return weight, everybody


def _instance(recount: Recount, rows: dict[str, BoolArray], opened: int) -> Instance:
    """
    Rows of the given points of each class, weight 1, without pairs beyond the nearest site that stands open.

    Nobody goes there, and no proof needs them.
    """
    n = len(recount.tables.people.table)
    indptr, sites, costs = [np.zeros(1, dtype=np.int64)], [], []
    stands = recount.standing == OPEN
    for name, pairs in recount.class_pairs.items():
        nearest = np.full(n, np.iinfo(np.int64).max)
        now = stands[pairs.site]
        np.minimum.at(nearest, pairs.point[now], pairs.time_ms[now])
        useful = rows[name][pairs.point] & (recount.standing[pairs.site] != FORBIDDEN)
        useful &= (pairs.time_ms < recount.unreached_ms) & (pairs.time_ms <= nearest[pairs.point])
        counts = np.bincount(pairs.point[useful], minlength=n)[rows[name]]
        indptr.append(indptr[-1][-1] + np.cumsum(counts))
        sites.append(pairs.site[useful])
        costs.append(pairs.time_ms[useful])
    n_rows = sum(int(mask.sum()) for mask in rows.values())
    return single_phase(
        np.concatenate(indptr),
        np.concatenate(sites),
        np.concatenate(costs),
        np.ones(n_rows),
        np.full(n_rows, float(recount.unreached_ms)),
        recount.standing,
        opened,
        opened,
    )


def _check_sites(told: SensitivityDocument, tables: Tables, free: BoolArray) -> Iterator[Check]:
    may_open = set(tables.sites.table["id"][free])
    for name, sites in [
        *((one.name, one.sites) for one in told.scenarios),
        *((row.name, row.sites) for row in told.plans),
        ("robust", told.robust.sites),
    ]:
        lost = [site for one in told.scenarios if one.name == name for site in one.settings.get("lost", [])]
        strange = [site for site in sites if site not in may_open or site in lost]
        fits = not strange and len(set(sites)) == len(sites) <= told.open
        yield Check(f"sites of {name}", fits, ", ".join(strange[:5]) or len(sites), told.open)


def _mask(tables: Tables, instance: Instance, sites: list[str]) -> BoolArray:
    chosen = tables.sites.table["id"].isin(sites).to_numpy()
    return np.asarray(chosen | (instance.standing == OPEN))


def _check_values(told: SensitivityDocument, worlds: list[_World], tables: Tables) -> Iterator[Check]:
    names = [one.name for one in told.scenarios]
    best = []
    for one, world in zip(told.scenarios, worlds, strict=True):
        instance = world.instance
        best.append(recompute_value(instance, _mask(tables, instance, one.sites)) / _MS)
        yield equal(f"{one.name}: people", one.people, world.people)
        yield equal(f"{one.name}: before", one.before, recompute_value(instance, _mask(tables, instance, [])) / _MS)
        yield equal(f"{one.name}: value", one.value, best[-1])
    for row in told.plans:
        values = [recompute_value(w.instance, _mask(tables, w.instance, row.sites)) / _MS for w in worlds]
        yield vector(f"plan {row.name}: values", row.values, values, names)
        bounds = [one.bound for one in told.scenarios]
        for key, base in (("regret", best), ("regret_most", bounds)):
            found = [value / max(one, 1e-9 / _MS) - 1.0 for value, one in zip(values, base, strict=True)]
            far = [abs(a - b) > 1e-8 for a, b in zip(getattr(row, key), found, strict=True)]
            yield Check(f"plan {row.name}: {key}", not any(far), math.fsum(getattr(row, key)), math.fsum(found))
        most = max(share for share, one in zip(row.regret, told.scenarios, strict=True) if one.hedged)
        yield Check(f"plan {row.name}: worst", abs(row.worst - most) <= 1e-12, row.worst, most)
        at = names.index(row.worst_in) if row.worst_in in names else -1
        yield Check(f"plan {row.name}: worst_in", at >= 0 and row.regret[at] == row.worst, row.worst_in, row.worst)


def _check_bounds(
    told: SensitivityDocument, worlds: list[_World], tables: Tables, folder: Path, asked: float | None
) -> Iterator[Check]:
    for place, (one, world) in enumerate(zip(told.scenarios, worlds, strict=True)):
        instance = _alone(one, world, tables)
        yield _proven(one, instance, folder / PROOFS / proof_name(place))
        gap = abs(one.value - one.bound) / max(abs(one.value), 1e-9)
        yield equal(f"{one.name}: gap", one.gap, gap)
        if one.status == "optimal":
            ok = is_optimal(one.value * _MS, one.bound * _MS * (1 + 1e-12), instance.whole)
            yield Check(f"{one.name}: status", ok, "optimal", f"a gap of {gap:.2g}")
        elif one.status == "gap" and asked is not None:
            yield Check(f"{one.name}: status", gap <= asked * (1 + 1e-9), f"a gap of at most {asked:g}", gap)


def _alone(one: ScenarioPlan, world: _World, tables: Tables) -> Instance:
    """A scenario's problem without the sites that it loses."""
    gone = tables.sites.table["id"].isin(one.settings.get("lost", [])).to_numpy()
    instance = world.instance
    standing = np.where(gone & (instance.standing == FREE), FORBIDDEN, instance.standing).astype(np.int8)
    number = np.minimum(instance.open_max, int((standing == FREE).sum()))
    return replace(instance, standing=standing, open_min=number, open_max=number)


def _proven(one: ScenarioPlan, instance: Instance, path: Path) -> Check:
    try:
        proven = certified_bound(instance, load_certificate(path), cutoff=one.value * _MS * (1 + 1e-12)) / _MS
    except CheckFailedError as error:
        return Check(f"{one.name}: bound", False, one.bound, str(error))
    return Check(f"{one.name}: bound", one.bound <= proven or agrees(one.bound, proven), one.bound, proven)


def _check_robust(told: SensitivityDocument, worlds: list[_World], folder: Path) -> tuple[list[Check], tuple[str, ...]]:
    """The robust plan's worst figure, its price, and what the scenarios mixed prove."""
    robust = told.robust
    row = next(row for row in told.plans if row.name == "robust")
    best = [one.value for one in told.scenarios]
    scale = [1.0 / value for value in best] if robust.goal == "regret" else [1.0 / best[0]] * len(best)
    offset = 1.0 if robust.goal == "regret" else 0.0
    hedged = [one.hedged for one in told.scenarios]
    figures = [
        factor * value - offset for factor, value, counts in zip(scale, row.values, hedged, strict=True) if counts
    ]
    mix = np.array(robust.mix)
    checks = [
        equal("robust: sites", robust.sites, row.sites),
        Check("robust: value", abs(robust.value - max(figures)) <= 1e-8, robust.value, max(figures)),
        Check("robust: price", abs(robust.price - row.regret[0]) <= 1e-12, robust.price, row.regret[0]),
        Check("robust: mix", bool((mix >= 0).all()) and abs(mix[hedged].sum() - 1) <= 1e-9, float(mix.sum()), 1.0),
    ]
    notes: tuple[str, ...] = ()
    path = folder / PROOFS / ROBUST_PROOF
    if np.isfinite(robust.mix_bound) and path.is_file():
        kept = [world for world, counts in zip(worlds, hedged, strict=True) if counts]
        mixed = _mixed(kept, (mix * np.array(scale) / _MS)[hedged])
        try:
            proven: float | str = certified_bound(mixed, load_certificate(path)) - offset
        except CheckFailedError as error:
            proven = str(error)
        holds = isinstance(proven, float) and robust.mix_bound <= proven + 1e-8
        checks.append(Check("robust: bound of the mix", holds, robust.mix_bound, proven))
    elif robust.proof == "certificate":  # no way is shorter than nothing: a regret of −1, a value of 0
        nothing = -1.0 if robust.goal == "regret" else 0.0
        checks.append(Check("robust: bound without a proof", robust.mix_bound <= nothing, robust.mix_bound, nothing))
    if robust.proof == "certificate":
        checks.append(Check("robust: bound", robust.bound <= robust.mix_bound + 1e-12, robust.bound, robust.mix_bound))
    else:
        notes = ("The robust plan's bound is the solver's own word; it was compared with the value only.",)
        checks.append(Check("robust: bound", robust.bound <= robust.value, robust.bound, robust.value))
    return checks, notes


def _mixed(worlds: list[_World], factor: FloatArray) -> Instance:
    """All scenarios' rows as one problem, each ground once."""
    grounds = sorted({world.ground for world in worlds})
    parts = []
    for ground in grounds:
        members = [(w, f) for w, f in zip(worlds, factor, strict=True) if w.ground == ground]
        weight = np.sum([f * w.instance.weight[0] for w, f in members], axis=0)
        parts.append(replace(members[0][0].instance, weight=weight.reshape(1, -1)))
    if len(parts) == 1:
        return parts[0]
    first = parts[0]
    shift = np.cumsum([0, *(len(part.site_idx) for part in parts)])
    return single_phase(
        np.concatenate([*(part.indptr[:-1] + at for part, at in zip(parts, shift[:-1], strict=True)), shift[-1:]]),
        np.concatenate([part.site_idx for part in parts]),
        np.concatenate([np.asarray(part.cost) for part in parts]),
        np.concatenate([part.weight[0] for part in parts]),
        np.concatenate([part.unserved for part in parts]),
        first.standing,
        int(first.open_min[0]),
        int(first.open_max[0]),
    )


def _check_choices(told: SensitivityDocument) -> Iterator[Check]:
    """How often each site is chosen, from the plans told."""
    plans = [set(one.sites) for one in told.scenarios]
    robust = set(told.robust.sites)
    listed = {one.id for one in told.choices}
    yield equal("choices: sites", sorted(listed), sorted(robust.union(*plans)))
    for one in told.choices:
        n = sum(one.id in sites for sites in plans)
        can = sum(one.id not in scenario.settings.get("lost", []) for scenario in told.scenarios)
        kind = "every" if n == can and n else "most" if n and 2 * n >= can else "few"
        found = (n, n / can if can else 0.0, kind, one.id in plans[0], one.id in robust)
        claimed = (one.count, one.share, one.kind, one.as_given, one.robust)
        if found != claimed:
            yield Check(f"choices: {one.id}", False, str(claimed), str(found))
    yield Check("choices: counts", True, len(told.choices), len(told.choices))
