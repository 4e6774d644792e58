"""Points summed up in square cells, for a quicker, coarser plan."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from nearer.inputs.geo import LocalPlane
from nearer.inputs.tables import People
from nearer.units import FloatArray, IntArray


def cells_of(lon: FloatArray, lat: FloatArray, side_m: float) -> IntArray:
    """Square cell of each point, numbered from 0 in the order in which they first come, int64 (n,)."""
    x, y = LocalPlane.around(lon, lat).to_xy(lon, lat)
    column, row = (np.floor(axis / side_m).astype(np.int64) for axis in (x, y))
    row -= row.min()
    return np.asarray(pd.factorize((column - column.min()) * (int(row.max()) + 1) + row)[0], dtype=np.int64)


def merged(people: People, side_m: float) -> People:
    """
    Sum points up in square cells.

    A cell's point is the middle of the people in it (of the points, where nobody lives yet), and bears the id and the
    area of the point with most people, the first of several. Nobody is lost: totals and groups are sums.
    """
    table = people.table
    cell = cells_of(table["lon"].to_numpy(), table["lat"].to_numpy(), side_m)
    n = int(cell.max()) + 1
    total = table["total"].to_numpy(dtype=np.float64)
    lived_in = np.bincount(cell, weights=total, minlength=n) > 0
    weight = np.where(lived_in[cell], total, 1.0)
    most = np.lexsort((np.arange(len(cell)), -total, cell))
    head = most[np.flatnonzero(np.diff(cell[most], prepend=-1))]
    columns = {"id": table["id"].to_numpy()[head]}
    for axis in ("lon", "lat"):
        at = np.bincount(cell, weights=weight * table[axis].to_numpy(), minlength=n)
        columns[axis] = at / np.bincount(cell, weights=weight, minlength=n)
    for name in table.columns.difference([*columns, "area"], sort=False):
        columns[name] = np.bincount(cell, weights=table[name].to_numpy(dtype=np.float64), minlength=n)
    columns["area"] = table["area"].to_numpy()[head]
    fresh = pd.DataFrame(columns)[list(table.columns)].astype(table.dtypes.to_dict())
    note = f"{len(table):,} points were summed up in {n:,} cells of {side_m:g} m, so walks are somewhat rounded."
    return replace(people, table=fresh, shapes=None, cell_m=side_m, notes=(*people.notes, note))
