"""Places that are or could be centres: every list of the study, checked and joined into one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from nearer.errors import Faults
from nearer.inputs.columns import MOST_ROWS, Frame, find_column, nearest, note_rows, read_ids, texts
from nearer.inputs.frames import frame_of
from nearer.inputs.points import locate
from nearer.inputs.sources import SitesSource, Status
from nearer.inputs.tables import SITE_STATUSES, Sites
from nearer.units import BoolArray, IntArray, StrArray

SITE_COLUMNS = ("id", "name", "lon", "lat", "status", "excluded")
_NAMED = {"agency", "cost"}
"""Further columns that a study may call otherwise; they are read later, by whoever asks for them."""

_VALID = "existing, candidate and other"


@dataclass(frozen=True)
class SiteList:
    """
    The sites of one ``[[sites]]`` table, with the rows they came from.

    Parameters
    ----------
    file
        Name for messages: the file, the query or how they were generated.
    table
        As `Sites.table`, without ``excluded``.
    rows
        Spreadsheet row of each site, int64 (n,).
    found
        Whether the places were found by a query, so that one which an earlier list has too is the same place.
    """

    file: str
    table: pd.DataFrame
    rows: IntArray
    found: bool = False

    def where(self, mask: BoolArray) -> SiteList:
        """The masked sites."""
        return replace(self, table=self.table[mask].reset_index(drop=True), rows=self.rows[mask])


def sites_from_frame(frame: gpd.GeoDataFrame, status: Status | None = None, *, name: str = "sites") -> Sites:
    """
    Check sites given as a GeoDataFrame, the same way as those of a file.

    Parameters
    ----------
    frame
        Points or polygons in any coordinate system; columns ``id`` (default: the index), ``name`` (default: the id),
        ``status`` (default: ``status``); further columns are carried through.
    status
        Status of sites whose table does not say: "existing", "candidate" or "other".
    name
        What to call the data in messages.

    Raises
    ------
    InputError
        With every fault of the data.
    """
    if "id" not in frame:
        frame = frame.assign(id=frame.index.astype(str))
    one = sites_of(frame_of(frame, name), SitesSource(file=name, status=status))
    return join_sites([one])


def sites_of(frame: Frame, source: SitesSource, *, found: bool = False) -> SiteList:
    """
    Check the sites of one frame.

    Raises
    ------
    InputError
        With every fault of the file.
    """
    faults = Faults(frame.file)
    id_values = find_column(frame, source.id, faults, "[[sites]] id")
    ids = None if id_values is None else read_ids(frame, id_values, faults, source.id)
    names = _names(frame, source, faults)
    located = locate(frame, faults, lon=source.lon, lat=source.lat, crs=source.crs, section="[[sites]]")
    status = _status(frame, source, faults)
    for key in sorted(_NAMED):
        if getattr(source, key) != key:  # where nobody calls it otherwise, it may be absent
            find_column(frame, getattr(source, key), faults, f"[[sites]] {key}")
    faults.raise_if_any()
    assert ids is not None
    assert located is not None
    assert status is not None
    table = pd.DataFrame(
        {
            "id": ids,
            "name": np.where(names == "", ids, names),
            "lon": located.lon,
            "lat": located.lat,
            "status": status,
        }
    ).astype({"id": str, "name": str, "status": str})
    return SiteList(frame.file, pd.concat([table, _further(frame, source)], axis=1), frame.rows, found)


def join_sites(lists: Sequence[SiteList], notes: Sequence[str] = ()) -> Sites:
    """
    Put several lists into one, in their order; ``excluded`` is False throughout.

    Raises
    ------
    InputError
        There are no sites, or an id stands in two files. A place that a query finds and an earlier list has belongs to
        the earlier one.
    """
    faults = Faults()
    said = list(notes)
    kept: list[SiteList] = []
    first: dict[str, tuple[SiteList, int]] = {}
    for sites in lists:
        ids = sites.table["id"].tolist()
        known = np.array([text in first for text in ids], dtype=bool)
        again = known & sites.found  # its ids are the map's own, and nobody can edit the result of a query
        if again.any():
            said.append(
                f"1 place of {sites.file} stands in an earlier list and counts there."
                if again.sum() == 1
                else f"{int(again.sum()):,} places of {sites.file} stand in an earlier list and count there."
            )
        _note_taken(faults, sites, ids, known & ~again, first)
        for text, row in zip(ids, sites.rows.tolist(), strict=True):
            first.setdefault(text, (sites, row))
        kept.append(sites.where(~again) if again.any() else sites)
    kept = [sites for sites in kept if len(sites.table)]
    if not kept:
        faults.add("there are no sites", remedy="give at least one in [[sites]]")
    faults.raise_if_any()
    table = pd.concat([sites.table for sites in kept], ignore_index=True) if len(kept) > 1 else kept[0].table.copy()
    table.insert(SITE_COLUMNS.index("excluded"), "excluded", False)
    file = np.concatenate([np.full(len(sites.table), sites.file, dtype=object) for sites in kept])
    return Sites(table, tuple(said), file, np.concatenate([sites.rows for sites in kept]))


def _note_taken(
    faults: Faults, sites: SiteList, ids: list[str], taken: BoolArray, first: dict[str, tuple[SiteList, int]]
) -> None:
    """Note ids that an earlier file has, with both places."""
    note_rows(
        faults,
        sites.rows,
        taken,
        lambda k: f'id "{ids[k]}" stands already in {first[ids[k]][0].file}, row {first[ids[k]][1]}',
        column="id",
        remedy="ids must differ over all files of sites",
        most=MOST_ROWS,
        file=sites.file,
    )


def _names(frame: Frame, source: SitesSource, faults: Faults) -> StrArray:
    """Names, "" where there are none; a column asked for, or nearly called so, must be there."""
    if source.name not in frame.table:
        nearly = (str(column) for column in frame.table.columns if str(column).casefold() == "name")
        if source.name != "name" or nearest(source.name, nearly):
            find_column(frame, source.name, faults, "[[sites]] name")
        return np.full(frame.n, "", dtype=object)
    return texts(frame.table[source.name])


def _status(frame: Frame, source: SitesSource, faults: Faults) -> StrArray | None:
    """Status from the column ``status``, where that is blank from the study."""
    if "status" not in frame.table:
        if source.status is None:
            faults.add(
                "nothing says which sites are existing and which are candidates",
                column="status",
                remedy=f'set [[sites]] status = "existing" (or candidate, other), or add a column status with {_VALID}',
            )
            return None
        return np.full(frame.n, source.status, dtype=object)
    given = texts(frame.table["status"])
    status = np.array([text.casefold() for text in given], dtype=object)
    if source.status is not None:
        status[status == ""] = source.status
    note_rows(
        faults,
        frame.rows,
        ~np.isin(status, SITE_STATUSES),
        lambda k: f'"{given[k]}" is no status' if given[k] else "the status is empty",
        column="status",
        remedy=f"the valid ones are {_VALID}",
    )
    return status


def _further(frame: Frame, source: SitesSource) -> pd.DataFrame:
    """The user's own columns, untouched; one that is called like ours is kept under another name."""
    used = {source.id, source.name, "status"} | (set() if frame.geometry is not None else {source.lon, source.lat})
    further = frame.table[[column for column in frame.table.columns if column not in used]]
    called = {getattr(source, key): key for key in sorted(_NAMED) if getattr(source, key) != key}
    names: dict[Any, str] = {}
    ours = {*SITE_COLUMNS, *called.values()}
    taken = ours | {str(column) for column in further.columns}
    for column in further.columns:
        name = str(column)
        if name in called:
            name = called[name]
        elif name in ours:
            name = f"{column}_given"
            while name in taken:
                name += "_"
        names[column] = name
    return further.rename(columns=names)
