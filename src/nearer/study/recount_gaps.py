"""Places in reach of people, counted again in plain NumPy from pairs of points and sites."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from nearer.planning.gapdoc import GapsDocument
from nearer.study.recount import Nearest, Recount
from nearer.study.retime import plane_of
from nearer.units import BoolArray, FloatArray, IntArray, minutes_to_ms

_SHARES = {"none": (1.0, 1.0, 1.0), "slow": (1.0, 0.68, 0.22), "sharp": (1.0, 0.42, 0.09)}


@dataclass(frozen=True)
class GapsRecount:
    """What is in reach of whom, counted again; classes of people in the order of ``recount.class_pairs``."""

    document: GapsDocument
    recount: Recount

    @cached_property
    def need(self) -> dict[str, FloatArray]:
        """People of each class whose need counts."""
        group = self.document.standard.group
        if group is None:
            return self.recount.people
        own = group if group in self.recount.class_pairs else ""
        nobody = np.zeros(len(self.recount.tables.people.table))
        return {name: self.recount.group(group) if name == own else nobody for name in self.recount.class_pairs}

    @cached_property
    def status(self) -> Any:
        """Status of each site."""
        return self.recount.tables.sites.table["status"].to_numpy(dtype=object)

    @cached_property
    def is_open(self) -> BoolArray:
        """Sites of today."""
        return np.isin(self.status.astype(str), ["existing", "other"])

    @cached_property
    def may_open(self) -> BoolArray:
        """Candidates not on excluded ground."""
        excluded = self.recount.tables.sites.table["excluded"].to_numpy(dtype=bool)
        return np.asarray((self.status == "candidate") & ~excluded)

    @cached_property
    def places(self) -> FloatArray:
        """People each site is for."""
        table, usual = self.recount.tables.sites.table, self.document.standard.people
        levels = {one.name: usual if one.capacity is None else one.capacity for one in self.recount.study.levels}
        levels = {name: people for name, people in levels.items() if people > 0}
        places = np.full(len(table), usual)
        for site, row in enumerate(table.to_dict("records")):
            own, level = (row.get(key) for key in ("capacity", "level"))
            own_people = None if pd.isna(own) or not str(own).strip() else float(own)
            name = "" if pd.isna(level) else str(level).strip()
            if row["status"] == "candidate" and levels:
                most = levels[name or list(levels)[-1]]
                places[site] = most if own_people is None else min(most, own_people)
            elif own_people is not None:
                places[site] = own_people
            elif name in levels:
                places[site] = levels[name]
        return places

    @cached_property
    def pairs(self) -> dict[str, tuple[IntArray, IntArray, FloatArray]]:
        """Point, site and what the journey counts, of pairs within the catchment."""
        within_ms = minutes_to_ms(self.document.standard.minutes)
        near, middle, far = _SHARES[self.document.standard.decay]
        found = {}
        for name, pairs in self.recount.class_pairs.items():
            keep = (pairs.time_ms <= within_ms) & (self.is_open | self.may_open)[pairs.site]
            tripled = 3 * pairs.time_ms[keep]
            weight = np.where(tripled <= within_ms, near, np.where(tripled <= 2 * within_ms, middle, far))
            found[name] = (pairs.point[keep], pairs.site[keep], weight)
        return found

    @cached_property
    def demand(self) -> FloatArray:
        """Weighted people in each catchment."""
        demand = np.zeros(len(self.places))
        for name, (point, site, weight) in self.pairs.items():
            np.add.at(demand, site, self.need[name][point] * weight)
        return demand

    @cached_property
    def ratio(self) -> FloatArray:
        """Places per person of each catchment."""
        return np.where(self.demand > 0, self.places / np.where(self.demand > 0, self.demand, 1.0), 0.0)

    @cached_property
    def supply(self) -> dict[str, FloatArray]:
        """Places per person in reach."""
        return {name: self._sum(name, self.ratio) for name in self.pairs}

    @cached_property
    def count(self) -> dict[str, FloatArray]:
        """Open centres in reach."""
        found = {}
        for name, (point, site, _) in self.pairs.items():
            found[name] = np.zeros(len(self.need[name]))
            np.add.at(found[name], point, self.is_open[site].astype(np.float64))
        return found

    def _sum(self, name: str, ratio: FloatArray) -> FloatArray:
        point, site, weight = self.pairs[name]
        supply = np.zeros(len(self.need[name]))
        np.add.at(supply, point, np.where(self.is_open[site], ratio[site] * weight, 0.0))
        return supply

    @cached_property
    def lacking(self) -> dict[str, FloatArray]:
        """People × shortfall."""
        return {name: self.need[name] * short(self.supply[name]) for name in self.pairs}

    @cached_property
    def nearest(self) -> dict[str, Nearest]:
        """Nearest open site of each class."""
        return self.recount.nearest(self.is_open)

    @cached_property
    def xy(self) -> FloatArray:
        """Points in metres."""
        table = self.recount.tables.people.table
        return np.column_stack(plane_of(self.recount.tables).to_xy(table["lon"].to_numpy(), table["lat"].to_numpy()))

    def total(self, values: dict[str, FloatArray]) -> FloatArray:
        """Classes added up, per point."""
        return np.asarray(np.sum(np.vstack(list(values.values())), axis=0))


def short(supply: FloatArray) -> FloatArray:
    """Share of a place that a person lacks, given places per person in reach."""
    return np.where(1.0 - supply > 1e-9, 1.0 - supply, 0.0)
