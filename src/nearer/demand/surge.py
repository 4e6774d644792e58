"""More people than the study counts: in an area, of a group, or everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import pandas as pd


@dataclass(frozen=True)
class Surge:
    """
    One surge.

    Parameters
    ----------
    what, name
        "area" or "group" and its name, or "all".
    factor
        People there then, divided by people there now; never negative.
    """

    what: Literal["area", "group", "all"]
    name: str
    factor: float


def surged(table: pd.DataFrame, groups: Sequence[str], surges: Sequence[Surge]) -> pd.DataFrame:
    """
    A table of people (``total``, ``area`` and a column per group) after some surges, one after the other.

    In an area everybody is multiplied, members of every group alike. Of a group, its members are; they are added to the
    total, and the other groups stay as they are.
    """
    table = table.copy()
    columns = ["total", *groups]
    for surge in surges:
        if surge.what == "group":
            more = table[surge.name] * (surge.factor - 1.0)
            table["total"] += more
            table[surge.name] += more
            continue
        here = table["area"] == surge.name if surge.what == "area" else pd.Series(True, index=table.index)
        table.loc[here, columns] *= surge.factor
    return table
