"""The independent check of losses: random, worst, worst once some centres are safe, and stock for scenarios."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import numpy as np

from nearer.errors import CheckFailedError
from nearer.model import FORBIDDEN, FREE, Instance, single_phase
from nearer.model.check import agrees, certified_bound
from nearer.planning.stress_document import Hardened, RandomLosses, Stock, StockPlan, WorstLoss
from nearer.study.checks import Check, equal, load_arrays, load_certificate, vector
from nearer.study.recount import Nearest, Recount
from nearer.units import BoolArray, FloatArray

_MS = 60_000.0
_FAR = 2**40

Sets = dict[tuple[int, ...], float]
"""Sets of nearest sites, ascending, and what losing all of one costs, weight × ms."""


def value_without(recount: Recount, is_open: BoolArray, gone: Sequence[int]) -> float:
    """The objective once some sites are gone, weight × ms."""
    left = is_open.copy()
    left[list(gone)] = False
    return recount.value_ms(recount.nearest(left))


def nearest_sets(recount: Recount, is_open: BoolArray, losable: BoolArray, most: int) -> Sets:
    """Sets of nearest sites of every row, gathered one row after another."""
    sets: Sets = {}
    unreached = recount.unreached_ms
    for name, pairs in recount.class_pairs.items():
        weight = recount.weight[name]
        keep = is_open[pairs.site] & (pairs.time_ms < unreached) & (weight[pairs.point] > 0)
        order = np.lexsort((pairs.site[keep], pairs.time_ms[keep], pairs.point[keep]))
        point, site, time_ms = (a[keep][order].tolist() for a in (pairs.point, pairs.site, pairs.time_ms))
        e = 0
        while e < len(point):
            end = e
            while end < len(point) and point[end] == point[e]:
                end += 1
            for k in range(e, min(end, e + most)):
                if not losable[site[k]]:
                    break
                gain = weight[point[e]] * ((time_ms[k + 1] if k + 1 < end else unreached) - time_ms[k])
                if gain > 0:
                    key = tuple(sorted(site[e : k + 1]))
                    sets[key] = sets.get(key, 0.0) + gain
            e = end
    return {key: sets[key] for key in sorted(sets, key=lambda one: (len(one), one))}


def proven_loss(sets: Sets, number: int, safe: frozenset[int], losable: BoolArray, proof: dict[str, Any]) -> float:
    """
    What no loss of that many sites exceeds, from the leaves of a tree.

    Raises
    ------
    CheckFailedError
        The tree is none, or its arrays do not fit.
    """
    branch, lost_child, kept_child = (proof[name].tolist() for name in ("branch", "lost", "kept"))
    sizes = [len(members) for members in sets]
    share = proof["share"]
    if len(share) != sum(sizes) or not len(branch) == len(lost_child) == len(kept_child) >= 1 or np.any(share <= 0):
        raise CheckFailedError("the proof does not fit the plan")
    ends = np.cumsum([0, *sizes])
    split = [share[ends[k] : ends[k + 1]] for k in range(len(sizes))]
    worst, todo, seen = 0.0, [(0, frozenset[int](), frozenset[int]())], 0
    while todo:
        node, lost, kept = todo.pop()
        seen += 1
        if seen > len(branch) or not 0 <= node < len(branch):
            raise CheckFailedError("the tree of the proof is broken")
        site = branch[node]
        if site >= 0:
            if site in lost or site in kept or not losable[site] or site in safe:
                raise CheckFailedError("the tree of the proof decides a site twice, or one that cannot be lost")
            todo += [(lost_child[node], lost | {site}, kept), (kept_child[node], lost, kept | {site})]
            continue
        left, fixed = number - len(lost), 0.0
        price: dict[int, float] = {}
        if left < 0:
            continue
        for (members, gain), parts in zip(sets.items(), split, strict=True):
            rest = [k for k, member in enumerate(members) if member not in lost]
            if len(rest) > left or any(members[k] in kept or members[k] in safe for k in rest):
                continue
            if not rest:
                fixed += gain
                continue
            total = math.fsum(parts[k] for k in rest)
            for k in rest:
                price[members[k]] = price.get(members[k], 0.0) + gain * parts[k] / total
        worst = max(worst, fixed + math.fsum(sorted(price.values(), reverse=True)[:left]))
    return worst


def check_worst(
    told: WorstLoss, recount: Recount, is_open: BoolArray, ours: BoolArray, ids: list[str], folder: Path
) -> Iterator[Check]:
    """Value and bound of the worst loss."""
    place = {site: at for at, site in enumerate(ids)}
    gone = [place[site] for site in told.sites if site in place]
    losable = ours & is_open
    fits = len(set(gone)) == len(told.sites) == told.number and bool(losable[gone].all())
    yield Check("worst: centres", fits and told.of == int(losable.sum()), str(told.sites[:5]), "centres in service")
    now = recount.nearest(is_open)
    base = recount.value_ms(now)
    value = (value_without(recount, is_open, gone) - base) / _MS
    scale = base / _MS
    yield Check("worst: loss", abs(value - told.loss_person_min) <= 1e-9 * max(scale, 1.0), told.loss_person_min, value)
    yield from _check_bound("worst", told.bound, told.number, recount, is_open, losable, frozenset(), folder, scale)
    left = is_open.copy()
    left[gone] = False
    then = recount.nearest(left)
    cut = math.fsum(math.fsum(recount.people[n][now[n].reached & ~found.reached]) for n, found in then.items())
    yield equal("worst: cut off", told.cut_off, cut)
    yield equal("worst: minutes", told.mean_min, recount.access(then)["mean_min"])
    yield equal("worst: gap", told.gap, abs(told.loss_person_min - told.bound) / max(abs(told.loss_person_min), 1e-9))
    yield Check("worst: status", told.status != "optimal" or told.gap <= 1e-9, told.status, f"a gap of {told.gap:.2g}")


def _check_bound(
    name: str,
    bound: float,
    number: int,
    recount: Recount,
    is_open: BoolArray,
    losable: BoolArray,
    safe: frozenset[int],
    folder: Path,
    scale: float,
) -> Iterator[Check]:
    try:
        proof = load_arrays(folder / f"{name}-proof.npz", ("share", "branch", "lost", "kept"))
        sets = nearest_sets(recount, is_open, losable, number)
        proven = proven_loss(sets, number, safe, losable, proof) / _MS
        # what is claimed may not be below what is proven
        yield Check(f"{name}: bound", bound >= proven - 1e-9 * max(scale, 1.0), bound, proven)
    except CheckFailedError as error:
        yield Check(f"{name}: bound", False, bound, str(error))


def check_harden(
    told: Hardened, recount: Recount, is_open: BoolArray, ours: BoolArray, ids: list[str], folder: Path
) -> Iterator[Check]:
    """Centres made safe, the worst loss that remains, and that every other choice leaves as much."""
    place = {site: at for at, site in enumerate(ids)}
    losable = ours & is_open
    safe, gone = ([place[site] for site in sites if site in place] for sites in (told.sites, told.worst))
    fits = bool(losable[safe].all() and losable[gone].all()) and not set(safe) & set(gone)
    fits = fits and len(set(safe)) == told.number and len(set(gone)) <= told.against
    yield Check("harden: centres", fits, str(told.sites[:5]), "centres in service, none of them lost")
    base = recount.value_ms(recount.nearest(is_open))
    scale = base / _MS
    value = (value_without(recount, is_open, gone) - base) / _MS
    yield Check(
        "harden: loss", abs(value - told.loss_person_min) <= 1e-9 * max(scale, 1.0), told.loss_person_min, value
    )
    safe_set = frozenset(safe)
    left = int(losable.sum()) - len(safe_set)
    yield from _check_bound(
        "harden-worst", told.at_most, min(told.against, left), recount, is_open, losable, safe_set, folder, scale
    )
    try:
        names = ("safe_ptr", "safe", "lost_ptr", "lost", "barred_ptr", "barred", "tree")
        proof = load_arrays(folder / "harden-proof.npz", names)
        rows = _rows(proof)
        for _, lost, _ in rows:
            if len(lost) > told.against or not losable[list(lost)].all():
                raise CheckFailedError("a loss of the proof is none")
        if bool(proof["tree"][0]) != (told.proof == "certificate"):
            raise CheckFailedError("the proof is of another kind than was said")
        if told.proof == "certificate":
            lowest = {key: value_without(recount, is_open, key) - base for key in _least_left(rows, told.number)}
            proven = min(lowest.values(), default=0.0)
        else:
            proven = _least_by_cuts(recount, is_open, base, [lost for _, lost, _ in rows], told.number)
        slack = 1e-9 if told.proof == "certificate" else 5e-6  # the tolerance of a mixed-integer programme
        holds = told.bound <= proven / _MS + slack * max(told.unprotected_person_min, 1.0)
        yield Check("harden: bound", holds, told.bound, proven / _MS)
    except CheckFailedError as error:
        yield Check("harden: bound", False, told.bound, str(error))
    yield Check("harden: status", told.status != "optimal" or told.gap <= 1e-9, told.status, f"a gap of {told.gap:.2g}")
    yield equal("harden: gap", told.gap, abs(told.at_most - told.bound) / max(abs(told.at_most), 1e-9))


Node = tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]


def _rows(proof: dict[str, Any]) -> list[Node]:
    parts = []
    for name in ("safe", "lost", "barred"):
        ptr = proof[f"{name}_ptr"].tolist()
        parts.append([tuple(proof[name][a:b].tolist()) for a, b in pairwise(ptr)])
    return list(zip(*parts, strict=True))


def _least_left(rows: list[Node], number: int) -> set[tuple[int, ...]]:
    """
    Losses of a tree such that every choice of safe sites leaves one of them.

    From the root, the first site of a node's loss that a choice makes safe leads to the child; where it makes none of
    them safe, the loss remains.

    Raises
    ------
    CheckFailedError
        A node is missing, or its loss touches what is safe.
    """
    known = {(safe, barred): lost for safe, lost, barred in rows}
    todo: list[tuple[tuple[int, ...], tuple[int, ...]]] = [((), ())]
    found = set()
    while todo:
        safe, barred = todo.pop()
        lost = known.get((safe, barred))
        if lost is None or set(lost) & set(safe):
            raise CheckFailedError("the tree of the proof has a hole")
        found.add(lost)
        if len(safe) == number:
            continue
        before = set(barred)
        for site in lost:
            if site not in before:
                todo.append(((*safe, site), tuple(sorted(before))))
                before.add(site)
    return found


def _least_by_cuts(
    recount: Recount, is_open: BoolArray, base: float, losses: list[tuple[int, ...]], number: int
) -> float:
    """What every choice leaves of some losses at least, by SciPy's mixed-integer solver; weight × ms."""
    from scipy.optimize import Bounds, LinearConstraint, milp

    sites = sorted({site for lost in losses for site in lost})
    place = {site: at for at, site in enumerate(sites)}
    rows = np.zeros((len(losses), len(sites) + 1))
    right = np.zeros(len(losses))
    for k, lost in enumerate(losses):
        value = value_without(recount, is_open, lost) - base
        right[k], rows[k, -1] = value, 1.0
        for site in lost:
            rest = [one for one in lost if one != site]
            rows[k, place[site]] = value - (value_without(recount, is_open, rest) - base)
    scale = max(float(right.max(initial=0.0)), 1e-300)
    rows[:, :-1] /= scale
    chosen = LinearConstraint(np.append(np.ones(len(sites)), 0.0), -np.inf, number)
    cost = np.append(np.zeros(len(sites)), 1.0)
    found = milp(
        cost,
        integrality=np.append(np.ones(len(sites)), 0.0),
        bounds=Bounds(0.0, np.append(np.ones(len(sites)), np.inf)),
        constraints=[LinearConstraint(rows, right / scale, np.inf), chosen],
        options={"mip_rel_gap": 1e-9},
    )
    if found.x is None:
        raise CheckFailedError("the programme of the proof has no answer")
    return float(found.mip_dual_bound) * scale


def check_random(
    told: RandomLosses, recount: Recount, is_open: BoolArray, ours: BoolArray, ids: list[str], seed: int
) -> Iterator[Check]:
    """Every draw again, and the means by formula."""
    sites = np.flatnonzero(ours & is_open)
    n, number = len(sites), told.number
    yield equal("random: centres", told.of, n)
    every = math.comb(n, number)
    if told.exact:
        lost = np.array(list(combinations(sites.tolist(), number)), dtype=np.int64).reshape(-1, number)
        yield equal("random: sets", told.draws, every)
    else:
        rng = np.random.default_rng(seed)
        lost = sites[np.argsort(rng.random((told.draws, n)), axis=1, kind="stable")[:, :number]]
    near_ms = recount.study.plan.coverage_min * _MS
    walked, cut, far = np.zeros(len(lost)), np.zeros(len(lost)), np.zeros(len(lost))
    means = np.zeros(3)
    index = np.full(len(is_open), -1)
    index[sites] = np.arange(n)
    gone = np.zeros((len(is_open), len(lost)), dtype=bool)
    for k in range(number):
        gone[lost[:, k], np.arange(len(lost))] = True
    for name, pairs in recount.class_pairs.items():
        people = recount.people[name]
        keep = is_open[pairs.site]
        order = np.lexsort((pairs.site[keep], pairs.time_ms[keep], pairs.point[keep]))
        point, site, time_ms = (a[keep][order] for a in (pairs.point, pairs.site, pairs.time_ms))
        starts = np.searchsorted(point, np.arange(len(people) + 1))
        for i in np.flatnonzero(people > 0).tolist():
            at = slice(starts[i], starts[i + 1])
            here = gone[site[at]]  # (sites in reach, draws)
            alone = np.logical_and.accumulate(here, axis=0) if len(here) else here
            first = alone.sum(axis=0)
            times = np.append(time_ms[at], recount.unreached_ms).astype(np.float64)
            late = np.append(time_ms[at] > near_ms, True)
            walked += people[i] * times[first]
            far += people[i] * late[first]
            cut += people[i] * (first == len(here)) * bool(len(here))
            chance = 1.0
            for k, one in enumerate(site[at].tolist()):
                then = chance * max(number - k, 0) / (n - k) if index[one] >= 0 else 0.0
                means += people[i] * (chance - then) * np.array([times[k], 0.0, late[k]])
                chance = then
                if chance <= 0:
                    break
            means += people[i] * chance * np.array([recount.unreached_ms, bool(len(here)), 1.0])
    total = math.fsum(math.fsum(people) for people in recount.people.values())
    for name, told_spread, values, mean in (
        ("minutes", told.mean_min, walked / total / _MS, means[0] / total / _MS),
        ("cut off", told.cut_off, cut, means[1]),
        ("far", told.far, far, means[2]),
    ):
        ranked, n = np.sort(values), len(values)
        low, median, high = (float(ranked[max(math.ceil(part * n - 1e-9), 1) - 1]) for part in (0.025, 0.5, 0.975))
        error = 0.0 if told.exact else float(np.std(values, ddof=1)) / math.sqrt(len(values))
        keys = ["mean", "exact_mean", "standard_error", "low", "median", "high", "most"]
        found = [math.fsum(values) / len(values), float(mean), error, low, median, high, float(values.max())]
        claimed = [float(getattr(told_spread, key)) for key in keys]
        scale = max(1.0, float(np.abs(values).max()))
        wrong = [key for key, a, b in zip(keys, claimed, found, strict=True) if abs(a - b) > 1e-8 * scale]
        yield Check(f"random: {name}", not wrong, str(dict(zip(keys, claimed, strict=True))), str(found))
    worst = sorted(ids[site] for site in lost[int(np.argmax(walked))])
    held = value_of_people(recount, is_open, [ids.index(site) for site in told.worst_drawn])
    yield Check("random: worst", agrees(held, float(walked.max())), str(told.worst_drawn), str(worst))


def value_of_people(recount: Recount, is_open: BoolArray, gone: Sequence[int]) -> float:
    """People × ms once some sites are gone."""
    left = is_open.copy()
    left[list(gone)] = False
    found: dict[str, Nearest] = recount.nearest(left)
    return math.fsum(
        math.fsum(recount.people[name] * np.where(one.reached, one.first_ms, recount.unreached_ms))
        for name, one in found.items()
    )


def check_stock(
    told: Stock, recount: Recount, is_open: BoolArray, ours: BoolArray, ids: list[str], folder: Path
) -> Iterator[Check]:
    """Stock: who is nearest to what in each scenario, and the bounds."""
    place = {site: at for at, site in enumerate(ids)}
    chance = np.array([one.probability for one in told.scenarios])
    yield equal("stock: probabilities", float(chance.sum()), 1.0)
    outs = []
    for one in told.scenarios:
        out = np.zeros(len(ids), dtype=bool)
        out[[place[site] for site in one.out]] = True
        outs.append(out)
    may = ours & is_open
    for name, plan in (("stock-expected", told.expected), ("stock-worst", told.worst)):
        held = [place[site] for site in plan.sites if site in place]
        fits = len(set(held)) == told.number and bool(may[held].all())
        yield Check(f"{name}: centres", fits, str(plan.sites[:5]), f"{told.number} centres in service")
        costs = np.array([_stocked_value(recount, held, out) for out in outs]) / _MS
        found = [float(chance @ costs), float(costs.max())]
        yield vector(f"{name}: value", [plan.expected, plan.worst], found, ["expected", "worst"])
        value = plan.expected if name == "stock-expected" else plan.worst
        yield equal(f"{name}: gap", plan.gap, abs(value - plan.bound) / max(abs(value), 1e-9))
        yield from _check_stock_bound(name, plan, value, recount, may, outs, chance, told.number, folder)


def _stocked_value(recount: Recount, held: Sequence[int], out: BoolArray) -> float:
    stocked = np.zeros(len(out), dtype=bool)
    stocked[list(held)] = True
    return recount.value_ms(recount.nearest(stocked & ~out))


def _check_stock_bound(
    name: str,
    plan: StockPlan,
    value: float,
    recount: Recount,
    may: BoolArray,
    outs: Sequence[BoolArray],
    chance: FloatArray,
    number: int,
    folder: Path,
) -> Iterator[Check]:
    if plan.proof == "solver":
        yield Check(f"{name}: bound", plan.bound <= value * (1 + 1e-9), plan.bound, f"at most {value:g}")
        return
    weights = chance if name == "stock-expected" else np.array(plan.weights)
    if len(weights) != len(outs) or np.any(weights < 0) or not agrees(float(weights.sum()), 1.0):
        yield Check(f"{name}: bound", False, plan.bound, "weights of the scenarios that do not sum to 1")
        return
    try:
        certificate = load_certificate(folder / f"{name}-proof.npz")
        instance = _stock_instance(recount, may, outs, weights, number)
        proven = certified_bound(instance, certificate, cutoff=value * _MS) / _MS
        yield Check(f"{name}: bound", plan.bound <= proven or agrees(plan.bound, proven), plan.bound, proven)
    except CheckFailedError as error:
        yield Check(f"{name}: bound", False, plan.bound, str(error))


def _stock_instance(
    recount: Recount, may: BoolArray, outs: Sequence[BoolArray], weights: FloatArray, number: int
) -> Instance:
    """Every row once per scenario, with the sites that can hold stock and are in service in it."""
    indptr, sites, costs, weight = [np.zeros(1, dtype=np.int64)], [], [], []
    for out, factor in zip(outs, weights, strict=True):
        for name, pairs in recount.class_pairs.items():
            counted = recount.weight[name] > 0
            keep = may[pairs.site] & ~out[pairs.site] & counted[pairs.point] & (pairs.time_ms < recount.unreached_ms)
            counts = np.bincount(pairs.point[keep], minlength=len(counted))[counted]
            indptr.append(indptr[-1][-1] + np.cumsum(counts))
            sites.append(pairs.site[keep])
            costs.append(pairs.time_ms[keep])
            weight.append(recount.weight[name][counted] * factor)
    weights_all = np.concatenate(weight)
    return single_phase(
        np.concatenate(indptr),
        np.concatenate(sites),
        np.concatenate(costs),
        weights_all,
        np.full(len(weights_all), float(recount.unreached_ms)),
        np.where(may, FREE, FORBIDDEN).astype(np.int8),
        number,
        number,
    )
