"""What a study's table of sites says of money, size, owners and districts, checked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from nearer.errors import Faults
from nearer.inputs.columns import texts
from nearer.inputs.geo import LocalPlane
from nearer.inputs.tables import Sites, Tables
from nearer.planning.areas import area_of_sites
from nearer.study.settings import Study
from nearer.study.stages import MOST
from nearer.units import BoolArray, FloatArray, StrArray

_SHOWN = 5  # faults of one kind that are listed; the rest is counted


@dataclass(frozen=True)
class Venues:
    """
    The sites' own columns, one entry per site.

    Parameters
    ----------
    cost, running, closing_cost
        Money, float64 (n_sites,); 0 where nothing is said.
    capacity
        float64 (n_sites,), NaN where nothing is said.
    level, agency, district
        Names, object (n_sites,), "" where nothing is said.
    share
        Part of a site's money that each agency pays, float64 (n_agencies, n_sites).
    xy
        Metres, float64 (n_sites, 2).
    """

    cost: FloatArray
    running: FloatArray
    closing_cost: FloatArray
    capacity: FloatArray
    level: StrArray
    agency: StrArray
    district: StrArray
    share: FloatArray
    xy: FloatArray


def read_venues(study: Study, tables: Tables) -> Venues:
    """
    Read and check the columns that phases, levels and agencies ask for.

    Raises
    ------
    InputError
        Every fault of these columns, with file and row.
    """
    table, faults = tables.sites.table, Faults()
    told = _Told(study, tables.sites, faults)
    people, sites = tables.people.table, table
    plane = LocalPlane.around(
        pd.concat([people["lon"], sites["lon"]]).to_numpy(), pd.concat([people["lat"], sites["lat"]]).to_numpy()
    )
    people_xy = np.column_stack(plane.to_xy(people["lon"].to_numpy(), people["lat"].to_numpy()))
    xy = np.column_stack(plane.to_xy(sites["lon"].to_numpy(), sites["lat"].to_numpy()))
    levels = {level.name for level in study.levels}
    level = _names(table, "level") if study.levels else _names(table, "")
    strange = np.array([bool(name) and name not in levels for name in level], dtype=bool)
    for name, who, n, where in told.each(level, strange, "level"):
        faults.add(
            f'{who} {"has" if n == 1 else "have"} the level "{name}", which the study does not have',
            remedy=f"the levels are {', '.join(level.name for level in study.levels)}; or leave it empty",
            **where,
        )
    agency = _names(table, "agency")
    district = _names(table, "district")
    lacking = district == ""
    if study.plan.districts and lacking.any():
        lies_in = np.array([name or "" for name in area_of_sites(tables, people_xy, xy)], dtype=object)
        district = np.where(lacking, lies_in, district)
    known = set(district)
    for number, asked in enumerate(study.plan.districts, start=1):
        if asked.name not in known:
            faults.add(
                f'no site lies in the district "{asked.name}"',
                file="nearer.toml",
                column=f"plan.districts[{number}].name",
                remedy="write it as the column district, or the area's name, has it",
            )
    found = Venues(
        cost=_money(table, "cost", told),
        running=_money(table, "running", told),
        closing_cost=_money(table, "closing_cost", told),
        capacity=_numbers(table, "capacity", told),
        level=level,
        agency=agency,
        district=district,
        share=_shares(study, table, agency, told),
        xy=xy,
    )
    faults.raise_if_any()
    return found


class _Told:
    """Faults of sites, told once for all of a file's that say the same, with the row of the first."""

    def __init__(self, study: Study, sites: Sites, faults: Faults) -> None:
        self.sites, self.faults = sites, faults
        self.ids = sites.table["id"].to_numpy(dtype=object)
        self.sources = {source.file: source for source in study.sites if source.file}

    def each(self, said: StrArray, wrong: BoolArray, column: str) -> Iterator[tuple[str, str, int, dict[str, Any]]]:
        """
        What is wrong, of which sites ("site s1 and 4 others"), of how many, and where, to go into the fault.

        Parameters
        ----------
        said
            What the column says of each site, object (n_sites,).
        wrong
            Of which sites that is a fault, bool (n_sites,).
        column
            As it is called here; the file may call it otherwise.
        """
        found: dict[tuple[str | None, str], list[int]] = {}
        for at in np.flatnonzero(wrong).tolist():
            found.setdefault((self.sites.place(at)[0], said[at]), []).append(at)
        for (file, text), sites in list(found.items())[:_SHOWN]:
            called = getattr(self.sources.get(file or ""), column, column)
            where = {"file": file, "row": self.sites.place(sites[0])[1], "column": called}
            yield text, self._some(sites), len(sites), where
        if len(found) > _SHOWN:
            self.faults.add(f"{len(found) - _SHOWN} more entries have the same fault", column=column)

    def _some(self, at: list[int]) -> str:
        """``site s1``, ``site s1 and 1 other``, ``site s1 and 4 others``."""
        others = len(at) - 1
        return f"site {self.ids[at[0]]}" + (f" and {others} other{'' if others == 1 else 's'}" if others else "")


def _names(table: pd.DataFrame, column: str) -> StrArray:
    return texts(table[column]) if column in table else np.full(len(table), "", dtype=object)


def _money(table: pd.DataFrame, column: str, told: _Told) -> FloatArray:
    return np.nan_to_num(_numbers(table, column, told), nan=0.0)


def _numbers(table: pd.DataFrame, column: str, told: _Told) -> FloatArray:
    """Numbers of a column, none negative, NaN where empty or absent."""
    found = np.full(len(table), np.nan)
    said = _names(table, column)
    for at in np.flatnonzero(said != "").tolist():
        try:
            found[at] = float(said[at])
        except ValueError:
            continue
    good = (found >= 0) & (found <= MOST)
    for text, who, _, where in told.each(said, (said != "") & ~good, column):
        told.faults.add(
            f'"{text}" of {who} is no number from 0 to {MOST:,.0f}',
            remedy="give a plain number such as 1234.5, or leave it empty",
            **where,
        )
    return np.where(good, found, np.nan)


def _shares(study: Study, table: pd.DataFrame, agency: StrArray, told: _Told) -> FloatArray:
    """Part of each site's money per agency: the owner's all, unless the column ``shares`` says otherwise."""
    names = [one.name for one in study.agencies]
    share = np.zeros((len(names), len(table)))
    if not names:
        return share
    for at in np.flatnonzero(np.isin(agency, names)).tolist():
        share[names.index(agency[at]), at] = 1.0
    for owner, who, n, where in told.each(agency, (agency != "") & ~np.isin(agency, names), "agency"):
        told.faults.add(
            f'{who} {"belongs" if n == 1 else "belong"} to "{owner}", which is none of the agencies',
            remedy=f"the agencies are {', '.join(names)}; or add [[agencies]] with this name, or leave it empty",
            **where,
        )
    said = _names(table, "shares")
    parts = [_parts_of(text) if text else {} for text in said]
    for text, who, _, where in told.each(said, np.array([one is None for one in parts], dtype=bool), "shares"):
        told.faults.add(
            f'"{text}" of {who} does not say who pays which part',
            remedy='write parts that add up to 1, such as "city:0.6; church:0.4"',
            **where,
        )
    unknown = [[name for name in one or {} if name not in names] for one in parts]
    for name in dict.fromkeys(name for some in unknown for name in some):
        strange = np.array([name in some for some in unknown], dtype=bool)
        for _, who, _, where in told.each(np.full(len(table), name, dtype=object), strange, "shares"):
            told.faults.add(
                f'"{name}" in the shares of {who} is none of the agencies',
                remedy=f"the agencies are {', '.join(names)}",
                **where,
            )
    for at, one in enumerate(parts):
        if one and not unknown[at]:
            share[:, at] = [one.get(name, 0.0) for name in names]
    return share


def _parts_of(text: str) -> dict[str, float] | None:
    """``city:0.6; church:0.4`` as numbers by name, None where it is not that or does not add up to 1."""
    parts: dict[str, float] = {}
    for piece in filter(None, (piece.strip() for piece in text.split(";"))):
        name, colon, number = piece.rpartition(":")
        try:
            parts[name.strip()] = float(number)
        except ValueError:
            return None
        if not colon or not name.strip():
            return None
    if not parts or not abs(sum(parts.values()) - 1.0) <= 1e-6 or min(parts.values()) < 0:
        return None
    return parts
