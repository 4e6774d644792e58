"""The independent check of a curve: every network counted again, every bound evaluated again."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from nearer.errors import CheckFailedError
from nearer.model import FREE, OPEN, Instance
from nearer.model.check import agrees, certified_bound, is_optimal
from nearer.planning.curvedoc import CurveDocument, CurveSize, Nested
from nearer.planning.curvefiles import CURVE_FILE, PROOFS, read_as
from nearer.planning.files import read_run
from nearer.study.checks import Check, Verdict, equal, load_certificate, vector
from nearer.study.curve import proof_name
from nearer.study.provenance import origin_of
from nearer.study.recount import Recount
from nearer.study.retime import retime
from nearer.study.retime_pairs import Pairs
from nearer.study.verify_history import check_history
from nearer.units import BoolArray

_MS = 60_000.0


def verify_curve(curve_folder: Path, study_folder: Path | None = None) -> Verdict:
    """
    Check a curve against its inputs, as ``verify_plan`` does a plan.

    Not checked are sentences, pictures, and that the network said to grow greedily takes the most helpful site.

    Raises
    ------
    InputError
        There is no curve, an input is missing, or one has changed since.
    """
    curve_folder = Path(curve_folder)
    curve_folder = curve_folder.parent if curve_folder.name == CURVE_FILE else curve_folder
    document = read_as(CurveDocument, curve_folder / CURVE_FILE, "run `nearer curve` again")
    origin = origin_of(document, curve_folder, CURVE_FILE, study_folder)
    study, tables = origin.study, origin.tables
    every = retime(tables, study.streets, origin.folder)
    recount = near_only(Recount(study, tables, every))
    checks = [
        *origin.checks(document),
        equal("seed", document.seed, study.study.seed),
        *_check_sites(document, recount),
    ]
    if not all(check.ok for check in checks if check.name.startswith("sites")):
        return Verdict(tuple(checks), ("The rest was not checked, since the sites are not those of the study.",))
    notes: tuple[str, ...] = ()
    if document.history is not None:
        found, notes = check_history(document.history, document.to, Recount(study, tables, every), origin.folder)
        checks += found
    asked = read_run(curve_folder).get("gap")
    checks += [
        *_check_values(document, recount),
        *_check_bounds(document, recount, curve_folder / PROOFS, asked if isinstance(asked, int | float) else None),
        *_check_brings(document),
        *_check_falloff(document),
    ]
    return Verdict(tuple(checks), notes)


def near_only(recount: Recount) -> Recount:
    """Without pairs farther than the nearest site that stands open, where nobody ever goes."""
    stands = recount.standing == OPEN
    kept = {}
    for name, pairs in recount.class_pairs.items():
        nearest = np.full(len(recount.tables.people.table), np.iinfo(np.int64).max)
        open_now = stands[pairs.site]
        np.minimum.at(nearest, pairs.point[open_now], pairs.time_ms[open_now])
        near = pairs.time_ms <= nearest[pairs.point]
        kept[name] = Pairs(pairs.point[near], pairs.site[near], pairs.time_ms[near])
    return Recount(recount.study, recount.tables, kept)


def mask_of(recount: Recount, ids: Sequence[str]) -> BoolArray:
    """Sites that stand open and these."""
    chosen = recount.tables.sites.table["id"].isin(ids).to_numpy()
    return np.asarray(chosen | (recount.standing == OPEN))


def _check_sites(document: CurveDocument, recount: Recount) -> Iterator[Check]:
    table = recount.tables.sites.table
    free = set(table["id"][recount.standing == FREE])
    ours = int((table["status"] == "existing").sum())
    yield equal("sites: centres today", document.today, ours)
    sizes = document.sizes
    yield equal("sites: sizes", [size.opened for size in sizes], list(range(document.to - ours + 1)))
    yield equal("sites: centres", [size.centres for size in sizes], [ours + size.opened for size in sizes])
    for size in sizes:
        strange = [site for site in size.sites if site not in free]
        if strange or len(set(size.sites)) != size.opened:
            told = ", ".join(strange[:5]) or f"{len(set(size.sites))} sites"
            yield Check(f"sites of {_centres(size)}", False, told, f"{size.opened} candidates that may open")
    for name, order in (("greedy", document.greedy), ("backwards", document.backwards)):
        fits = len(set(order)) == len(order) in (0, sizes[-1].opened) and set(order) <= free
        yield Check(f"sites: order {name}", fits, len(order), sizes[-1].opened)


def _check_values(document: CurveDocument, recount: Recount) -> Iterator[Check]:
    labels = [size.centres for size in document.sizes]
    found = [_network(recount, size.sites) for size in document.sizes]
    for place, key in enumerate(("value", "mean_min", "within", "unreached")):
        told = [getattr(size, key) for size in document.sizes]
        yield vector(f"best: {key}", told, [row[place] for row in found], labels)
    position = {site: at for at, site in enumerate(recount.tables.sites.table["id"])}
    for name, order in (("greedy", document.greedy), ("backwards", document.backwards)):
        rows: list[Nested | None] = [getattr(size, name) for size in document.sizes]
        known = [row for row in rows if row is not None]
        if not order and not known:
            continue
        gains = recount.gains_in_order([position[site] for site in order])
        values = [document.sizes[0].value - math.fsum(gains[:n]) / _MS for n in range(len(gains) + 1)]
        yield vector(f"{name}: value", [row.value for row in known], values, labels)
        means = [_network(recount, order[:n])[1] for n in range(len(order) + 1)]
        yield vector(f"{name}: mean_min", [row.mean_min for row in known], means, labels)
        for key in ("value", "bound"):
            base = [getattr(size, key) for size in document.sizes]
            above = [(value - one) / max(one, 1e-9) for value, one in zip(values, base, strict=True)]
            told = [getattr(row, f"above_{key}") for row in known]
            near = [abs(a - b) <= 1e-9 for a, b in zip(told, above, strict=False)]
            wrong = next((n for n, ok in enumerate(near) if not ok), None)
            where = "" if wrong is None else f" ({labels[wrong]})"
            pair = (None, None) if wrong is None else (told[wrong], above[wrong])
            yield Check(f"{name}: above_{key}{where}", wrong is None and len(told) == len(above), *pair)


def _network(recount: Recount, ids: Sequence[str]) -> tuple[float, float, float, float]:
    """Value, average minutes, share within the threshold and people out of reach with these sites opened."""
    nearest = recount.nearest(mask_of(recount, ids))
    reach = recount.reach(nearest)
    return recount.value_ms(nearest) / _MS, *reach


def _check_bounds(document: CurveDocument, recount: Recount, proofs: Path, asked: float | None) -> Iterator[Check]:
    instance = recount.instance
    before = document.sizes[0].value
    own = {size.centres: size for size in document.sizes if size.bound_from is None}
    for size in document.sizes:
        name = f"bound of {_centres(size)}"
        if size.bound_from is not None:
            source = own.get(size.bound_from)
            holds = source is not None and source.centres > size.centres and size.bound <= source.bound
            yield Check(name, holds, size.bound, "no larger size proves it" if source is None else source.bound)
        else:
            yield _check_proof(name, size, with_exactly(instance, size.opened), proofs / proof_name(size.centres))
        gap = abs(size.value - size.bound) / max(abs(size.value), 1e-9)
        gain = 0.0 if size.value == size.bound else abs(size.value - size.bound) / max(abs(before - size.bound), 1e-9)
        yield equal(f"gap of {_centres(size)}", size.gap, gap)
        yield equal(f"gain_gap of {_centres(size)}", size.gain_gap, gain)
        yield _check_status(size, gap, instance.whole, asked)


def _centres(size: CurveSize) -> str:
    return f"{size.centres} centre" + ("" if size.centres == 1 else "s")


def with_exactly(instance: Instance, opened: int) -> Instance:
    """The same problem with exactly so many sites to open."""
    number = np.array([opened], dtype=np.int64)
    return replace(instance, open_min=number, open_max=number)


def _check_proof(name: str, size: CurveSize, instance: Instance, path: Path) -> Check:
    try:
        proven = certified_bound(instance, load_certificate(path), cutoff=size.value * _MS * (1 + 1e-12)) / _MS
    except CheckFailedError as error:
        return Check(name, False, size.bound, str(error))
    return Check(name, size.bound >= 0.0 and (size.bound <= proven or agrees(size.bound, proven)), size.bound, proven)


def _check_status(size: CurveSize, gap: float, whole: bool, asked: float | None) -> Check:
    name, found = f"status of {_centres(size)}", f"a gap of {gap:.2g}"
    if size.status == "optimal":
        return Check(name, is_optimal(size.value * _MS, size.bound * _MS * (1 + 1e-12), whole), "optimal", found)
    if size.status == "gap" and asked is not None:
        return Check(name, gap <= asked * (1 + 1e-9), f"a gap of at most {asked:g}", found)
    return Check(name, size.solved == (size.status is not None), str(size.status), f"solved: {size.solved}")


def _check_brings(document: CurveDocument) -> Iterator[Check]:
    """What each further centre brings, from the values and bounds told, which were checked before."""
    known = [size for size in document.sizes if size.solved]
    labels = [size.centres for size in known[1:]]
    pairs = [(last, one, one.centres - last.centres) for last, one in pairwise(known)]
    found = {
        "each_brings": [(last.value - one.value) / k for last, one, k in pairs],
        "each_brings_least": [max(last.bound - one.value, 0.0) / k for last, one, k in pairs],
        "each_brings_most": [max(last.value - one.bound, 0.0) / k for last, one, k in pairs],
    }
    for key, values in found.items():
        told = [getattr(size, key) for size in known[1:]]
        # differences of large sums: as exact as those
        scale = 1e-9 * document.sizes[0].value
        wrong = [c for t, f, c in zip(told, values, labels, strict=True) if t is None or abs(t - f) > scale]
        yield Check(f"{key}", not wrong, len(told), f"differs at {wrong[0]} centres" if wrong else len(values))


def _check_falloff(document: CurveDocument) -> Iterator[Check]:
    """The rule once more, from the sizes told."""
    known = [size for size in document.sizes if size.solved]
    told = document.falloff
    if len(known) < 3 or told is None:
        yield equal("falloff", told is None, len(known) < 3)
        return
    n, gain = known[-1].opened - known[0].opened, known[0].value - known[-1].value
    yield equal("falloff: average", told.average, gain / n)
    halves = {
        "centres": gain / n / 2,
        "earliest": max(known[0].value - known[-1].bound, 0.0) / n / 2,
        "latest": max(known[0].bound - known[-1].value, 0.0) / n / 2,
    }
    keys = {"centres": "each_brings", "earliest": "each_brings_least", "latest": "each_brings_most"}
    for name, half in halves.items():
        enough = [size.centres for size in known[1:] if half > 0 and getattr(size, keys[name]) >= half]
        yield equal(f"falloff: {name}", str(getattr(told, name)), str(enough[-1] if enough else None))
    for share, centres in told.shares.items():
        first = next(s.centres for s in known if known[0].value - s.value >= float(share) * gain * (1 - 1e-12))
        yield equal(f"falloff: {share} of the gain", centres, first)
