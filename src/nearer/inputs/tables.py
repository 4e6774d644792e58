"""``Tables``: everything read and checked, in WGS 84, before anything is computed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from nearer.units import BoolArray, FloatArray, IntArray, StrArray

STREET_CLASSES = ("motorway", "major", "minor", "path", "ferry")
"""Drawing classes of street segments; ``Streets.street_class`` holds positions in this tuple."""

SITE_STATUSES = ("existing", "candidate", "other")


@dataclass(frozen=True)
class Streets:
    """
    Street segments as the tag rules leave them for one mode of travel.

    Parameters
    ----------
    lon, lat
        Nodes in WGS 84, float64 (n_nodes,).
    from_idx, to_idx
        Ends of each straight segment, int32 (n_segments,); consecutive segments of one way follow each other.
    forward_kmh, backward_kmh
        Speed along and against the segment, float32 (n_segments,), km/h; 0 = closed in that direction.
    way_idx
        Way each segment belongs to, int32 (n_segments,), positions in ``way_names``.
    street_class
        uint8 (n_segments,), positions in ``STREET_CLASSES``.
    way_names
        Street name per way, "" where it has none.
    mode
        The mode of travel the rules were applied for.
    """

    lon: FloatArray
    lat: FloatArray
    from_idx: IntArray
    to_idx: IntArray
    forward_kmh: FloatArray
    backward_kmh: FloatArray
    way_idx: IntArray
    street_class: IntArray
    way_names: tuple[str, ...]
    mode: str

    @property
    def n_segments(self) -> int:
        """Number of straight segments."""
        return len(self.from_idx)


@dataclass(frozen=True)
class People:
    """
    Where people live, as points.

    Parameters
    ----------
    table
        One row per point with people: ``id`` (str, unique), ``lon``, ``lat`` (float64, WGS 84), ``total`` (float64,
        people, > 0), one float64 column per group (people, 0 … total), and ``area`` (str, "" where unknown).
    groups
        Names of the group columns, in the order of the study.
    shapes
        The cell each point stands for (polygons in WGS 84, same order) where the input had cells, else None.
    cell_m
        Side of the square cells in metres where they are square and alike, else None.
    notes
        What a reader of the report should know of how these people were made, one sentence each.
    """

    table: pd.DataFrame
    groups: tuple[str, ...] = ()
    shapes: gpd.GeoSeries | None = None
    cell_m: float | None = None
    notes: tuple[str, ...] = ()

    @property
    def n(self) -> int:
        """Number of points."""
        return len(self.table)


@dataclass(frozen=True)
class Sites:
    """
    Places that are or could be centres.

    Parameters
    ----------
    table
        One row per site: ``id`` (str, unique over all files), ``name`` (str), ``lon``, ``lat`` (float64, WGS 84),
        ``status`` ("existing" | "candidate" | "other"), ``excluded`` (bool: stands where nothing may open), then the
        user's own columns untouched.
    notes
        One sentence each, for the report.
    file, row
        Where each site was read, for messages: name as the study writes it, object (n,), and row as a spreadsheet
        counts it, int64 (n,). None where nobody knows.
    """

    table: pd.DataFrame
    notes: tuple[str, ...] = ()
    file: StrArray | None = None
    row: IntArray | None = None

    @property
    def n(self) -> int:
        """Number of sites."""
        return len(self.table)

    def place(self, at: int) -> tuple[str | None, int | None]:
        """File and row of a site, as far as they are known."""
        return (
            None if self.file is None else str(self.file[at]),
            None if self.row is None else int(self.row[at]),
        )

    def only(self, mask: BoolArray, *notes: str) -> Sites:
        """The masked sites, with further notes."""
        return Sites(
            self.table[mask].reset_index(drop=True),
            (*self.notes, *notes),
            None if self.file is None else self.file[mask],
            None if self.row is None else self.row[mask],
        )


@dataclass(frozen=True)
class Source:
    """A file that was read: path as written in the study, hash, what it is and whose."""

    path: str
    sha256: str
    kind: str
    licence: str = ""


@dataclass(frozen=True)
class Tables:
    """
    All inputs of a study, checked together.

    Parameters
    ----------
    people, sites
        See the classes.
    streets
        Segments for the study's mode; None in straight mode and with a ready table.
    times
        Ready travel times: columns ``from`` (people id), ``to`` (site id), ``minutes``; None with streets.
    boundary
        The ground covered (one row, WGS 84), or None.
    districts
        Named polygons (column ``name``, WGS 84), or None.
    sources
        Every file read, in the order of the study file.
    """

    people: People
    sites: Sites
    streets: Streets | None = None
    times: pd.DataFrame | None = None
    boundary: gpd.GeoDataFrame | None = None
    districts: gpd.GeoDataFrame | None = None
    sources: tuple[Source, ...] = ()
    notes: tuple[str, ...] = field(default=())


def positions(ids: pd.Series[Any], wanted: pd.Series[Any]) -> IntArray:
    """Position of each wanted id in ``ids``, -1 where absent, int64."""
    return np.asarray(pd.Index(ids).get_indexer(pd.Index(wanted)), dtype=np.int64)
