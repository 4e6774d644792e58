"""A real city against SciPy on the whole graph."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from nearer.inputs.geo import LocalPlane
from nearer.inputs.osm import read_streets
from nearer.network import Snap, build_graph, snap, travel_times
from nearer.units import minutes_to_ms

from .oracle import pairs_of, scipy_times

pytestmark = pytest.mark.data


def some(points: Snap, n: int) -> Snap:
    """``n`` of the points, evenly picked."""
    chosen = np.linspace(0, points.n - 1, n).astype(int)
    return Snap(*(getattr(points, name)[chosen] for name in Snap.__dataclass_fields__))


@pytest.mark.parametrize("mode", ["walk", "drive"])
def test_fifty_sites_agree_with_scipy_to_the_millisecond(data_dir, mode):
    folder = data_dir / "cities" / "porto_alegre"
    cells = pd.read_csv(folder / "poa_hexgrid.csv")
    lon, lat = cells["lon"].to_numpy(), cells["lat"].to_numpy()
    graph = build_graph(read_streets(folder / "poa_osm.pbf", mode), LocalPlane.around(lon, lat))
    points = snap(graph, lon, lat, 2_000.0)
    assert points.joined_mask.all()
    people, sites = some(points, 150), some(points, 50)
    limit_ms = minutes_to_ms(30)
    found = pairs_of(travel_times(graph, people, sites, limit_ms, threads=2))
    assert len(found) > 100
    assert found == scipy_times(graph, people, sites, limit_ms)
