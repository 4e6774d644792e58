"""Everything a plan says of people, counted again in plain NumPy from pairs of points and sites."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from nearer.inputs.tables import Tables
from nearer.model import FORBIDDEN, FREE, OPEN, Instance, single_phase
from nearer.study.retime_pairs import Pairs
from nearer.study.settings import Study
from nearer.units import BoolArray, FloatArray, IntArray, minutes_to_ms

_MS = 60_000.0
_FAR = 2**40  # ms; stands for "out of reach" where times are compared


@dataclass(frozen=True)
class Nearest:
    """
    Nearest and second nearest open site of each point, for one class.

    Parameters
    ----------
    site
        int64 (n_points,), -1 where none is within reach; of equally near ones the first in the table.
    first_ms, second_ms
        int64 (n_points,), a time beyond every limit where there is none.
    """

    site: IntArray
    first_ms: IntArray
    second_ms: IntArray

    @cached_property
    def _by_site(self) -> tuple[IntArray, IntArray]:
        """Points in the order of their sites, and those sites."""
        order = np.argsort(self.site, kind="stable")
        return order, self.site[order]

    def points_of(self, site: int) -> IntArray:
        """Points that a site is nearest to, in rising order."""
        order, sites = self._by_site
        return order[slice(*np.searchsorted(sites, [site, site + 1]))]

    @property
    def reached(self) -> BoolArray:
        """Points within reach of an open site, bool (n_points,)."""
        return np.asarray(self.site >= 0)


@dataclass(frozen=True)
class Recount:
    """
    The people of a study, who reaches what, and what is asked.

    Parameters
    ----------
    study, tables
        Settings and inputs.
    class_pairs
        Pairs within the limit, by speed class; "" is everyone without a speed of their own.
    closed
        Ids of sites that a plan closes.
    """

    study: Study
    tables: Tables
    class_pairs: dict[str, Pairs]
    closed: frozenset[str] = frozenset()

    @cached_property
    def standing(self) -> IntArray:
        """``OPEN``, ``FREE`` or ``FORBIDDEN`` per site."""
        table = self.tables.sites.table
        standing = np.full(len(table), OPEN, dtype=np.int8)
        barred = set(self.study.plan.forbid)
        for site, (name, status, excluded) in enumerate(
            zip(table["id"], table["status"], table["excluded"], strict=True)
        ):
            if status == "candidate":
                standing[site] = FORBIDDEN if excluded or name in barred else FREE
        standing[table["id"].isin(self.closed).to_numpy()] = FORBIDDEN
        return standing

    @cached_property
    def people(self) -> dict[str, FloatArray]:
        """People of each class at each point."""
        table = self.tables.people.table
        own = [name for name in self.class_pairs if name]
        rest = table["total"].to_numpy(dtype=np.float64).copy()
        for name in own:
            rest = rest - table[name].to_numpy(dtype=np.float64)
        return {"": np.maximum(rest, 0.0)} | {name: table[name].to_numpy(dtype=np.float64) for name in own}

    @cached_property
    def weight(self) -> dict[str, FloatArray]:
        """What the people of each class count in the objective."""
        weight = {name: people.copy() for name, people in self.people.items()}
        for name, factor in self.study.plan.group_weights.items():
            weight[name if name in weight else ""] += (factor - 1.0) * self.group(name)
        return weight

    def group(self, name: str) -> FloatArray:
        """People of a group at each point."""
        return self.tables.people.table[name].to_numpy(dtype=np.float64)

    @property
    def unreached_ms(self) -> int:
        """What a person out of reach counts as."""
        return minutes_to_ms(self.study.unreached_min)

    def nearest(self, open_mask: BoolArray) -> dict[str, Nearest]:
        """Send every class of people to the nearest open site."""
        return {name: self._nearest(pairs, open_mask) for name, pairs in self.class_pairs.items()}

    def _nearest(self, pairs: Pairs, open_mask: BoolArray) -> Nearest:
        n = len(self.tables.people.table)
        is_open = open_mask[pairs.site]
        point, site, time_ms = pairs.point[is_open], pairs.site[is_open], pairs.time_ms[is_open]
        first_ms, second_ms = np.full(n, _FAR), np.full(n, _FAR)
        np.minimum.at(first_ms, point, time_ms)
        at_best = time_ms == first_ms[point]
        nearest = np.full(n, len(open_mask))
        np.minimum.at(nearest, point[at_best], site[at_best])
        other = site != nearest[point]
        np.minimum.at(second_ms, point[other], time_ms[other])
        return Nearest(np.where(nearest == len(open_mask), -1, nearest), first_ms, second_ms)

    def value_ms(self, nearest: dict[str, Nearest]) -> float:
        """Weight × time, the unreached at ``unreached_ms``."""
        return math.fsum(
            math.fsum(self.weight[name] * np.minimum(found.first_ms, self.unreached_ms))
            for name, found in nearest.items()
        )

    @cached_property
    def instance(self) -> Instance:
        """The problem with every pair in it, rows in the order of classes and points; rules as the study says."""
        n = len(self.tables.people.table)
        indptr, sites, costs, weights = [np.zeros(1, dtype=np.int64)], [], [], []
        for name, pairs in self.class_pairs.items():
            weighty = self.weight[name] > 0
            useful = weighty[pairs.point] & (self.standing[pairs.site] != FORBIDDEN)
            useful &= pairs.time_ms < self.unreached_ms
            counts = np.bincount(pairs.point[useful], minlength=n)[weighty]
            indptr.append(indptr[-1][-1] + np.cumsum(counts))
            sites.append(pairs.site[useful])
            costs.append(pairs.time_ms[useful])
            weights.append(self.weight[name][weighty])
        weight = np.concatenate(weights)
        open_min, open_max = self.to_open
        return single_phase(
            np.concatenate(indptr),
            np.concatenate(sites),
            np.concatenate(costs),
            weight,
            np.full(len(weight), float(self.unreached_ms)),
            self.standing,
            open_min,
            open_max,
        )

    @property
    def to_open(self) -> tuple[int, int]:
        """How many candidates the study asks to open, at least and at most."""
        plan, may_open = self.study.plan, int(np.count_nonzero(self.standing == FREE))
        if plan.open is not None:
            return plan.open, plan.open
        return len(plan.force), may_open if plan.open_max is None else min(plan.open_max, may_open)

    @cached_property
    def kappa_per_min(self) -> float:
        """κ of today's times: Σ p·t / Σ p·t², 1 where nobody takes any time."""
        now = self.nearest(self.standing == OPEN)
        people = np.concatenate([self.people[name] for name in now])
        minutes = np.concatenate([np.minimum(found.first_ms, self.unreached_ms) for found in now.values()]) / _MS
        once, twice = math.fsum(people * minutes), math.fsum(people * minutes**2)
        return once / twice if twice else 1.0

    def evenness(self, people: FloatArray, time_ms: IntArray) -> dict[str, float | None]:
        """Gini by the Lorenz curve, Kolm-Pollak equivalent, and mean of the farthest tenth."""
        lives = people > 0
        if not lives.any():
            return {"gini": None, "ede_min": None, "worst_decile_min": None}
        minutes = np.minimum(time_ms[lives], self.unreached_ms) / _MS
        t, which = np.unique(minutes, return_inverse=True)
        p = np.bincount(which, weights=people[lives])
        share = np.concatenate([[0.0], np.cumsum(p) / p.sum()])
        walked = np.concatenate([[0.0], np.cumsum(p * t)])
        lorenz = walked / walked[-1] if walked[-1] > 0 else share
        weighed = np.exp(self.kappa_per_min * (t - t.max()))
        return {
            "gini": 1.0 - math.fsum(np.diff(share) * (lorenz[1:] + lorenz[:-1])),
            "ede_min": t.max() + math.log(math.fsum(p * weighed) / math.fsum(p)) / self.kappa_per_min,
            "worst_decile_min": float((walked[-1] - np.interp(0.9, share, walked)) / (0.1 * p.sum())),
        }

    def access(self, nearest: dict[str, Nearest], *, evenly: bool = True) -> dict[str, Any]:
        """``Access`` of the document; the measures of equity are None unless ``evenly``."""
        everyone = [(self.people[name], found) for name, found in nearest.items()]
        usable = self.standing != FORBIDDEN
        lost = self.nearest(usable)
        return {
            **self._measures(everyone, evenly),
            "unreachable_from_any_site": math.fsum(
                math.fsum(self.people[name][~found.reached]) for name, found in lost.items()
            ),
            "groups": {
                group: self._measures([(self.group(group), nearest[group if group in nearest else ""])], evenly)
                for group in self.tables.people.groups
            },
        }

    def _measures(self, parts: list[tuple[FloatArray, Nearest]], evenly: bool = False) -> dict[str, Any]:
        people = np.concatenate([p for p, _ in parts])
        time_ms = np.concatenate([found.first_ms for _, found in parts])
        reached = time_ms < _FAR
        total, arrived = math.fsum(people), math.fsum(people[reached])
        walked = math.fsum(people[reached] * time_ms[reached])
        waiting = math.fsum(people[~reached]) * self.unreached_ms
        limit_min, coverage_min = self.study.streets.limit_min, self.study.plan.coverage_min
        shown = sorted({m for m in (5.0, 10.0, 15.0, 20.0, 30.0) if m <= limit_min} | {coverage_min})
        within = [math.fsum(people[time_ms <= minutes_to_ms(m)]) for m in shown]
        return {
            "people": total,
            "mean_min": (walked + waiting) / total / _MS if total else 0.0,
            "mean_min_reached": walked / arrived / _MS if arrived else None,
            "within": {f"{m:g}": part / total if total else 0.0 for m, part in zip(shown, within, strict=True)},
            "farthest_min": int(time_ms[reached & (people > 0)].max()) / _MS if arrived else None,
            "unreached": math.fsum(people[~reached]),
            **(self.evenness(people, time_ms) if evenly else dict.fromkeys(("gini", "ede_min", "worst_decile_min"))),
        }

    def reach(self, nearest: dict[str, Nearest]) -> tuple[float, float, float]:
        """Average minutes of all people, the share of them within ``coverage_min``, and people out of reach."""
        found = self._measures([(self.people[name], one) for name, one in nearest.items()])
        return found["mean_min"], found["within"][f"{self.study.plan.coverage_min:g}"], found["unreached"]

    def curve(self, nearest: dict[str, Nearest], minutes: list[float]) -> list[float]:
        """Share of all people within so many minutes."""
        people = np.concatenate([self.people[name] for name in nearest])
        time_ms = np.concatenate([found.first_ms for found in nearest.values()])
        total = math.fsum(people)
        return [math.fsum(people[time_ms <= minutes_to_ms(m)]) / total if total else 0.0 for m in minutes]

    def areas(self, before: dict[str, Nearest], after: dict[str, Nearest]) -> dict[str, dict[str, float]]:
        """``AreaAccess`` of the document by name."""
        names = self.tables.people.table["area"].astype(str).to_numpy(dtype=object)
        found = {}
        which, labels = pd.factorize(names, sort=True)
        order = np.argsort(which, kind="stable")
        ends = np.searchsorted(which[order], np.arange(len(labels) + 1))
        for k, name in enumerate(labels):
            here = order[ends[k] : ends[k + 1]]
            if not name:
                continue
            total = math.fsum(math.fsum(people[here]) for people in self.people.values())
            if total <= 0:
                continue
            row = {"people": total}
            for when, nearest in (("before", before), ("after", after)):
                walked = unreached = near = 0.0
                everyone = np.concatenate([self.people[each][here] for each in nearest])
                taken = np.concatenate([one.first_ms[here] for one in nearest.values()])
                for each, one in nearest.items():
                    people, time_ms = self.people[each][here], one.first_ms[here]
                    walked += math.fsum(people * np.minimum(time_ms, self.unreached_ms))
                    unreached += math.fsum(people[time_ms >= _FAR])
                    near += math.fsum(people[time_ms <= minutes_to_ms(self.study.plan.coverage_min)])
                row |= {
                    f"{when}_mean_min": walked / total / _MS,
                    f"{when}_unreached": unreached,
                    f"{when}_within": near / total,
                    **{f"{when}_{key}": value or 0.0 for key, value in self.evenness(everyone, taken).items()},
                }
            found[name] = row
        return found

    def people_per_site(self, nearest: dict[str, Nearest]) -> FloatArray:
        """People nearest to each site, float64 (n_sites,)."""
        served = np.zeros(len(self.standing))
        for name, found in nearest.items():
            np.add.at(served, found.site[found.reached], self.people[name][found.reached])
        return served

    def without(self, site: int, nearest: dict[str, Nearest], replacement: int | None = None) -> tuple[float, float]:
        """
        What is lost without a site, or with another in its place, and for how many people it makes the walk shorter.

        Returns
        -------
        loss, people_nearer
            Weight × ms, people.
        """
        loss, shorter = 0.0, 0.0
        for name, found in nearest.items():
            mine = found.points_of(site)
            touched: IntArray = mine
            point: IntArray = mine[:0]
            if replacement is not None:
                point, time_ms = self.class_pairs[name].of_site(replacement)
                touched = np.union1d(mine, point)
            first = np.minimum(found.first_ms[touched], self.unreached_ms)
            left = first.copy()
            at = np.searchsorted(touched, mine)
            left[at] = np.minimum(found.second_ms[mine], self.unreached_ms)
            if replacement is not None:
                at = np.searchsorted(touched, point)
                left[at] = np.minimum(left[at], time_ms)
            # whoever is not touched adds an exact 0
            loss += math.fsum(self.weight[name][touched] * (left - first))
            farther = mine[found.second_ms[mine] > found.first_ms[mine]]
            shorter += math.fsum(self.people[name][farther])
        return loss, shorter

    def gains_in_order(self, sites: list[int]) -> list[float]:
        """What each site saves when opened after those before it, weight × ms."""
        open_mask = self.standing == OPEN
        left = {n: np.minimum(found.first_ms, self.unreached_ms) for n, found in self.nearest(open_mask).items()}
        gains = []
        for site in sites:
            gain = 0.0
            for name, pairs in self.class_pairs.items():
                point, time_ms = pairs.of_site(site)
                gain += math.fsum(self.weight[name][point] * np.maximum(left[name][point] - time_ms, 0))
                left[name][point] = np.minimum(left[name][point], time_ms)
            gains.append(gain)
        return gains
