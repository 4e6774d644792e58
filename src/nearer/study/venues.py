"""What a study's table of sites says of money, size, owners and districts, checked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from nearer.errors import Faults
from nearer.inputs.columns import texts
from nearer.inputs.geo import LocalPlane
from nearer.inputs.tables import Tables
from nearer.planning.areas import area_of_sites
from nearer.study.settings import Study
from nearer.study.stages import MOST
from nearer.units import FloatArray, StrArray

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
        Every fault of these columns, by site.
    """
    files = [source.file for source in study.sites if source.file]
    table, faults = tables.sites.table, Faults(", ".join(dict.fromkeys(files)) or "the sites' table")
    ids = table["id"].to_numpy(dtype=object)
    people, sites = tables.people.table, table
    plane = LocalPlane.around(
        pd.concat([people["lon"], sites["lon"]]).to_numpy(), pd.concat([people["lat"], sites["lat"]]).to_numpy()
    )
    people_xy = np.column_stack(plane.to_xy(people["lon"].to_numpy(), people["lat"].to_numpy()))
    xy = np.column_stack(plane.to_xy(sites["lon"].to_numpy(), sites["lat"].to_numpy()))
    levels = {level.name for level in study.levels}
    level = _names(table, "level") if study.levels else _names(table, "")
    for at in np.flatnonzero([bool(name) and name not in levels for name in level]):
        faults.add(
            f'site {ids[at]} has the level "{level[at]}", which the study does not have',
            column="level",
            remedy=f"the levels are {', '.join(level.name for level in study.levels)}; or leave it empty",
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
        cost=_money(table, "cost", ids, faults),
        running=_money(table, "running", ids, faults),
        closing_cost=_money(table, "closing_cost", ids, faults),
        capacity=_numbers(table, "capacity", ids, faults),
        level=level,
        agency=agency,
        district=district,
        share=_shares(study, table, agency, ids, faults),
        xy=xy,
    )
    faults.raise_if_any()
    return found


def _names(table: pd.DataFrame, column: str) -> StrArray:
    return texts(table[column]) if column in table else np.full(len(table), "", dtype=object)


def _money(table: pd.DataFrame, column: str, ids: StrArray, faults: Faults) -> FloatArray:
    return np.nan_to_num(_numbers(table, column, ids, faults), nan=0.0)


def _numbers(table: pd.DataFrame, column: str, ids: StrArray, faults: Faults) -> FloatArray:
    """Numbers of a column, none negative, NaN where empty or absent."""
    found = np.full(len(table), np.nan)
    if column not in table:
        return found
    wrong: dict[str, list[int]] = {}
    for at, text in enumerate(texts(table[column])):
        if not text:
            continue
        try:
            found[at] = float(text)
        except ValueError:
            found[at] = np.nan
        if not 0 <= found[at] <= MOST:
            wrong.setdefault(text, []).append(at)
            found[at] = np.nan
    for text, sites in list(wrong.items())[:_SHOWN]:
        faults.add(
            f'"{text}" of {_some(ids, sites)} is no number from 0 to {MOST:,.0f}',
            column=column,
            remedy="give a plain number such as 1234.5, or leave it empty",
        )
    if len(wrong) > _SHOWN:
        faults.add(f"{len(wrong) - _SHOWN} more entries are no such numbers", column=column)
    return found


def _some(ids: StrArray, at: list[int]) -> str:
    """``site s1``, ``site s1 and 1 other``, ``site s1 and 4 others``."""
    others = len(at) - 1
    return f"site {ids[at[0]]}" + (f" and {others} other{'' if others == 1 else 's'}" if others else "")


def _shares(study: Study, table: pd.DataFrame, agency: StrArray, ids: StrArray, faults: Faults) -> FloatArray:
    """Part of each site's money per agency: the owner's all, unless the column ``shares`` says otherwise."""
    names = [one.name for one in study.agencies]
    share = np.zeros((len(names), len(table)))
    if not names:
        return share
    strange: dict[str, list[int]] = {}
    for at, owner in enumerate(agency):
        if owner and owner not in names:
            strange.setdefault(owner, []).append(at)
        elif owner:
            share[names.index(owner), at] = 1.0
    for owner, sites in strange.items():
        faults.add(
            f'{_some(ids, sites)} {"belongs" if len(sites) == 1 else "belong"} to "{owner}", which is none of the '
            "agencies",
            column="agency",
            remedy=f"the agencies are {', '.join(names)}; or add [[agencies]] with this name, or leave it empty",
        )
    if "shares" not in table:
        return share
    for at, text in enumerate(texts(table["shares"])):
        if not text:
            continue
        parts = _parts_of(text)
        if parts is None or abs(sum(parts.values()) - 1.0) > 1e-6 or min(parts.values()) < 0:
            faults.add(
                f'"{text}" of site {ids[at]} does not say who pays which part',
                column="shares",
                remedy='write parts that add up to 1, such as "city:0.6; church:0.4"',
            )
            continue
        unknown = [name for name in parts if name not in names]
        for name in unknown:
            faults.add(
                f'"{name}" in the shares of site {ids[at]} is none of the agencies',
                column="shares",
                remedy=f"the agencies are {', '.join(names)}",
            )
        if not unknown:
            share[:, at] = [parts.get(name, 0.0) for name in names]
    return share


def _parts_of(text: str) -> dict[str, float] | None:
    """``city:0.6; church:0.4`` as numbers by name, None where it is not that."""
    parts: dict[str, float] = {}
    for piece in filter(None, (piece.strip() for piece in text.split(";"))):
        name, colon, number = piece.rpartition(":")
        try:
            parts[name.strip()] = float(number)
        except ValueError:
            return None
        if not colon or not name.strip():
            return None
    return parts or None
