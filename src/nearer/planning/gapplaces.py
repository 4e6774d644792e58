"""How many people each site is for: by its own word, by its level, or by the standard."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from nearer.errors import Faults
from nearer.inputs.tables import Sites
from nearer.planning.sizing import Level
from nearer.units import BoolArray, FloatArray


def places_of(sites: Sites, standard_people: float, levels: Sequence[Level] = ()) -> tuple[FloatArray, int]:
    """
    How many people each site is for, float64 (n_sites,), and for how many sites it is stated.

    An open site is for its own ``capacity``, else for that of its ``level``, else for as many as the standard says. A
    candidate opens at its highest level, which is ``level`` or else the last, and is for no more than its own
    ``capacity``.

    Parameters
    ----------
    sites
        Their columns ``capacity`` (people) and ``level`` may be missing or blank.
    standard_people
        What a site counts as of which nothing is stated.
    levels
        Sizes that a centre can have, smallest first; without any the column ``level`` means nothing here.

    Raises
    ------
    InputError
        A capacity is no number of people, or a level is none of the study's, with every site where it is so.
    """
    faults, table = Faults(), sites.table
    own, said = _capacity(sites, faults)
    places = np.where(said, own, float(standard_people))
    stated = said.copy()
    if levels:
        names = _texts(table, "level")
        by_name = {level.name: level.capacity for level in levels}
        for site in np.flatnonzero([name not in by_name and name != "" for name in names]).tolist():
            file, row = sites.place(site)
            faults.add(
                f'site "{table["id"].iloc[site]}" has the level "{names[site]}", which the study does not have',
                file=file,
                row=row,
                column="level",
                remedy=f"the levels are {', '.join(by_name)}; or leave it blank",
            )
        room = np.array([by_name.get(name, np.nan) for name in names])
        candidate = (table["status"] == "candidate").to_numpy()
        room[candidate & np.isnan(room)] = levels[-1].capacity
        of_level = ~np.isnan(room) & (candidate | ~said)
        places[of_level] = np.where(said, np.minimum(own, room), room)[of_level]
        stated |= of_level
    faults.raise_if_any()
    return places, int(stated.sum())


def _texts(table: pd.DataFrame, column: str) -> list[str]:
    if column not in table:
        return [""] * len(table)
    return ["" if pd.isna(value) else str(value).strip() for value in table[column]]


def _capacity(sites: Sites, faults: Faults) -> tuple[FloatArray, BoolArray]:
    """Capacity of each site where one is stated (else 0), and whether it is."""
    table = sites.table
    texts = _texts(table, "capacity")
    said = np.array([text != "" for text in texts], dtype=bool)
    number = pd.to_numeric(pd.Series(texts, dtype=object), errors="coerce").to_numpy(dtype=np.float64)
    for site in np.flatnonzero(said & ~(np.isfinite(number) & (number >= 0))).tolist():
        file, row = sites.place(site)
        faults.add(
            f'the capacity "{texts[site]}" of site "{table["id"].iloc[site]}" is no number of people',
            file=file,
            row=row,
            column="capacity",
            remedy="give a number, 0 or more, or leave it blank",
        )
    return np.where(said, number, 0.0), said
