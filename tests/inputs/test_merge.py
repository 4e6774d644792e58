"""Points summed up in square cells: nobody is lost, and whoever lived apart still does."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from nearer.inputs.geo import LocalPlane
from nearer.inputs.merge import cells_of, merged
from nearer.inputs.tables import People

PLANE = LocalPlane(10.0, 50.0)


def people(xy, total, older=None):
    lon, lat = PLANE.to_lonlat(*np.asarray(xy, dtype=float).T)
    total = np.asarray(total, dtype=float)
    older = np.zeros(len(total)) if older is None else np.asarray(older, dtype=float)
    ids = [f"p{k}" for k in range(len(total))]
    areas = [f"quarter {k}" for k in range(len(total))]
    table = pd.DataFrame({"id": ids, "lon": lon, "lat": lat, "total": total, "older": older, "area": areas})
    return People(table, ("older",))


@settings(deadline=None, max_examples=40)
@given(
    st.lists(
        st.tuples(st.integers(-900, 900), st.integers(-900, 900), st.integers(0, 50), st.integers(0, 9)),
        min_size=1,
        max_size=60,
    ),
    st.sampled_from([50.0, 200.0, 5_000.0]),
)
def test_nobody_is_lost_and_cells_are_their_points(points, side_m):
    x, y, total, older = (np.array(column, dtype=float) for column in zip(*points, strict=True))
    before = people(np.column_stack([x, y]), total, older)
    after = merged(before, side_m)
    cell = cells_of(before.table["lon"].to_numpy(), before.table["lat"].to_numpy(), side_m)
    assert after.n == cell.max() + 1
    assert list(after.table.columns) == list(before.table.columns)
    for k in range(after.n):
        of_cell, row = before.table[cell == k], after.table.iloc[k]
        assert (row["total"], row["older"]) == (of_cell["total"].sum(), of_cell["older"].sum())
        largest = of_cell.loc[of_cell["total"].idxmax()]
        assert (row["id"], row["area"]) == (largest["id"], largest["area"])
        weight = of_cell["total"] if of_cell["total"].sum() > 0 else None
        for axis in ("lon", "lat"):
            assert np.isclose(row[axis], np.average(of_cell[axis], weights=weight), rtol=0, atol=1e-9)
        assert of_cell["lon"].max() - of_cell["lon"].min() < side_m / 60_000


def test_a_cell_says_its_side_and_a_note_says_what_was_done():
    after = merged(people([(0, 0), (30, 0), (0, 5_000)], [1, 2, 3]), 1_000.0)
    assert after.cell_m == 1_000.0
    assert after.table["total"].tolist() in ([3.0, 3.0], [1.0, 2.0, 3.0])
    assert "3 points were summed up" in after.notes[-1]
