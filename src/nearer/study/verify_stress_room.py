"""What is checked of a stress answer, and its part on limited room: loads, values and bounds of each sending."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from nearer.errors import CheckFailedError
from nearer.model import CLOSED, FORBIDDEN, FREE, OPEN, Instance, Rules
from nearer.model.check import agrees
from nearer.model.evaluate_rules import rules_bound
from nearer.model.instance import single_phase
from nearer.planning.document import PlanDocument
from nearer.planning.stress_document import Sent, StressDocument
from nearer.study.checks import Check, equal, load_arrays
from nearer.study.recount import Nearest, Recount
from nearer.study.verify_stages import load_rules_certificate
from nearer.units import BoolArray, FloatArray, IntArray

_MS = 60_000.0
_SLACK = 1e-6  # of shares, relative: what HiGHS works to


@dataclass(frozen=True)
class Case:
    """
    What is checked, and what it is checked against.

    Parameters
    ----------
    document, plan, folder
        The answer, the plan it is about, and where the answer lies.
    before, after
        Everyone and every way, before and after.
    was_open, is_open, inside
        Sites in service before and after, and sites in the hazard, bool (n_sites,).
    was, now
        Nearest sites by class.
    """

    document: StressDocument
    plan: PlanDocument
    folder: Path
    before: Recount
    after: Recount
    was_open: BoolArray
    is_open: BoolArray
    inside: BoolArray
    was: dict[str, Nearest]
    now: dict[str, Nearest]

    @property
    def ids(self) -> list[str]:
        """Ids of all sites."""
        return [str(site) for site in self.before.tables.sites.table["id"]]

    @property
    def ours(self) -> BoolArray:
        """Sites of the plan that were in service, bool (n_sites,)."""
        return np.asarray(self.was_open & (self.before.tables.sites.table["status"] != "other").to_numpy())

    def mask(self, ids: list[str]) -> BoolArray:
        """Sites by their ids, bool (n_sites,)."""
        return np.isin(np.array(self.ids, dtype=object), np.array(ids, dtype=object))

    @property
    def spare_anywhere(self) -> BoolArray:
        """Sites that might open if nothing had happened, bool (n_sites,)."""
        closed = [site.id for site in self.plan.sites if site.status == "closed"]
        return np.asarray(~self.was_open & ((self.before.standing == FREE) | self.mask(closed)))

    @property
    def spare(self) -> BoolArray:
        """Sites that may open, bool (n_sites,)."""
        return np.asarray(self.spare_anywhere & ~self.inside)


def capacities_of(case: Case) -> FloatArray:
    """People each site can serve, ``inf`` where nothing says: the plan, else the site's table and its highest level."""
    table = case.before.tables.sites.table
    found = np.full(len(table), np.inf)
    if "capacity" in table.columns:
        for at, value in enumerate(table["capacity"]):
            text = "" if value is None or value != value else str(value).strip()
            found[at] = float(text) if text else np.inf
    told = {site.id: site.room for site in case.plan.sites if site.room is not None}
    levels = case.before.study.levels
    may_open = case.spare_anywhere
    for at, (site, row) in enumerate(zip(case.ids, table.itertuples(index=False), strict=True)):
        found[at] = told.get(site, found[at])
        if may_open[at] and levels:
            value = getattr(row, "level", None)
            name = "" if value is None or value != value else str(value).strip()
            highest = next((level for level in levels if level.name == name), levels[-1])
            found[at] = min(found[at], math.inf if highest.capacity is None else highest.capacity)
    return found


def check_sendings(case: Case) -> Iterator[Check]:
    """Every sending of an answer: where people go, what that comes to, and its bound."""
    document, room = case.document, capacities_of(case)
    named_out = case.mask(document.asked.out_of_service)
    nothing = np.zeros(len(room), dtype=bool)
    yield from _check_sending(case, "sent", document.sent, case.is_open, nothing, room)
    yield from _check_sending(case, "reopen-sent", document.reopen_sent, case.is_open, named_out & ~case.inside, room)
    yield from _check_sending(case, "open-sent", document.open_sent, case.is_open, case.spare, room)
    if document.worst is not None:
        left = case.is_open & ~case.mask(document.worst.sites)
        yield from _check_sending(case, "worst-sent", document.worst.sent, left, nothing, room)
    if document.sent is None:
        yield equal("people sent", [site.people_sent for site in document.sites], [None] * len(document.sites))


def _check_sending(
    case: Case, name: str, told: Sent | None, is_open: BoolArray, pool: BoolArray, room: FloatArray
) -> Iterator[Check]:
    if told is None:
        return
    opened = case.mask(told.opened)
    number = len(told.opened)
    fits = not (opened & ~pool).any() and int(opened.sum()) == number and told.pool == int(pool.sum())
    yield Check(f"{name}: sites may open", fits, ", ".join(told.opened[:5]), "sites of the pool")
    called = dict(zip(case.ids, case.before.tables.sites.table["name"].astype(str), strict=True))
    yield equal(f"{name}: names", told.opened_names, [called.get(site) for site in told.opened])
    after, n_sites = case.after, len(case.ids)
    try:
        parts = load_arrays(case.folder / f"{name}-people-proof.npz", ("speed_class", "point", "site", "share"))
    except CheckFailedError as error:
        yield Check(f"{name}: value", False, told.value, str(error))
        return
    everyone = math.fsum(math.fsum(people) for people in after.people.values())
    served = walked = value = 0.0
    load, once, known = np.zeros(n_sites), True, True
    for c, (each, pairs) in enumerate(after.class_pairs.items()):
        mine = parts["speed_class"] == c
        point, site, share = (parts[key][mine] for key in ("point", "site", "share"))
        people, weight = after.people[each], after.weight[each]
        time_ms = _times(pairs.point, pairs.site, pairs.time_ms, point, site, n_sites)
        known &= bool(np.isfinite(time_ms).all())
        done = np.bincount(point, weights=share, minlength=len(people))
        once &= bool((done <= 1 + _SLACK).all() and (share >= 0).all())
        served += math.fsum(people[point] * share)
        walked += math.fsum(people[point] * share * time_ms)
        left = np.where(done < 1 - 1e-9, 1 - done, 0.0)
        value += math.fsum(weight[point] * share * time_ms) + math.fsum(weight * left) * after.unreached_ms
        np.add.at(load, site, people[point] * share)
    yield Check(f"{name}: everybody has one place", once and known, "", "a share above 1, or nobody gets there")
    limit = np.where(is_open | opened, room, 0.0)
    over = load > limit * (1 + _SLACK) + _SLACK
    yield Check(f"{name}: within capacity", not over.any(), ", ".join(np.array(case.ids)[over][:5]), "room")
    unmet = max(everyone - served, 0.0)
    mean = (walked + unmet * after.unreached_ms) / max(everyone, 1e-9) / _MS
    for what, claimed, found in (
        ("value", told.value, value / _MS), ("minutes", told.mean_min, mean), ("without a place", told.unmet, unmet)
    ):  # fmt: skip
        yield Check(f"{name}: {what}", abs(claimed - found) <= _SLACK * max(1.0, abs(found)), claimed, found)
    if name == "sent":
        rows = np.flatnonzero(case.was_open)
        claimed_load = [site.people_sent if site.people_sent is not None else math.nan for site in case.document.sites]
        near = np.abs(np.array(claimed_load) - load[rows]) <= _SLACK * np.maximum(1.0, load[rows])
        yield Check("people sent", bool(near.all()), math.fsum(claimed_load), math.fsum(load[rows]))
    gap = abs(told.value - told.bound) / max(abs(told.value), 1e-9)
    yield equal(f"{name}: gap", told.gap, gap)
    yield Check(f"{name}: status", told.status != "optimal" or gap <= 1e-6, told.status, f"a gap of {gap:.2g}")
    if told.proof == "solver":
        yield Check(f"{name}: bound", told.bound <= told.value * (1 + 1e-9), told.bound, f"at most {told.value:g}")
        return
    try:
        certificate = load_rules_certificate(case.folder / f"{name}-proof.npz")
        proven = rules_bound(_instance(after, is_open, pool, number, room), certificate) / _MS
        holds = told.bound <= max(proven, 0.0) or agrees(told.bound, proven)
        yield Check(f"{name}: bound", holds, told.bound, proven)
    except CheckFailedError as error:
        yield Check(f"{name}: bound", False, told.bound, str(error))


def _times(
    of_point: IntArray, of_site: IntArray, time_ms: IntArray, point: IntArray, site: IntArray, n_sites: int
) -> FloatArray:
    """Time of each pair asked about, NaN where it is out of reach."""
    key, wanted = of_point.astype(np.int64) * n_sites + of_site, point.astype(np.int64) * n_sites + site
    order = np.argsort(key)
    if not len(key):
        return np.full(len(wanted), np.nan)
    at = order[np.minimum(np.searchsorted(key, wanted, sorter=order), len(key) - 1)]
    return np.where(key[at] == wanted, time_ms[at], np.nan)


def _instance(recount: Recount, is_open: BoolArray, pool: BoolArray, number: int, room: FloatArray) -> Instance:
    """The problem that a bound is about: rows of everybody, in the order of classes and points."""
    n = len(recount.tables.people.table)
    stands = np.where(is_open, OPEN, np.where(pool, FREE, FORBIDDEN)).astype(np.int8)
    indptr, sites, costs, weights, needs = [np.zeros(1, dtype=np.int64)], [], [], [], []
    for name, pairs in recount.class_pairs.items():
        lives = recount.people[name] > 0
        useful = lives[pairs.point] & (stands[pairs.site] != FORBIDDEN) & (pairs.time_ms < recount.unreached_ms)
        indptr.append(indptr[-1][-1] + np.cumsum(np.bincount(pairs.point[useful], minlength=n)[lives]))
        order = np.argsort(pairs.point[useful], kind="stable")
        sites.append(pairs.site[useful][order])
        costs.append(pairs.time_ms[useful][order])
        weights.append(recount.weight[name][lives])
        needs.append(recount.people[name][lives])
    weight = np.concatenate(weights)
    plain = single_phase(
        np.concatenate(indptr),
        np.concatenate(sites),
        np.concatenate(costs),
        weight,
        np.full(len(weight), float(recount.unreached_ms)),
        stands,
        number,
        number,
    )
    options = [(CLOSED, 0) if stand == FREE else (0,) if stand == OPEN else (CLOSED,) for stand in stands.tolist()]
    flat = [level for some in options for level in some]
    start = np.concatenate([[0], np.cumsum([len(some) for some in options])])
    opens = start[:-1][stands == FREE] + 1
    rules = Rules(
        option_ptr=start.astype(np.int64),
        option_level=np.array(flat, dtype=np.int16).reshape(-1, 1),
        option_cost=np.zeros(len(flat)),
        side_ptr=np.array([0, len(opens)] if len(opens) else [0], dtype=np.int64),
        side_option=opens.astype(np.int32),
        side_value=np.ones(len(opens)),
        side_lower=np.full(int(len(opens) > 0), float(number)),
        side_upper=np.full(int(len(opens) > 0), float(number)),
        side_name=("open",) * int(len(opens) > 0),
    )
    return replace(plain, capacity=room.reshape(-1, 1, 1), need=np.concatenate(needs)[None, :], rules=rules)
