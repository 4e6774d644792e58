"""Heights and what slopes do to walking."""

from __future__ import annotations

import numpy as np
import pytest
import rasterio
from rasterio import Affine

from nearer.errors import InputError
from nearer.network.graph import build_graph
from nearer.network.slope import sample_elevation, tobler_factor

from .streets import KMH, PLANE, streets_xy


def write_raster(path, values, *, crs=PLANE.crs, west=-1_000.0, north=1_000.0, cell_m=100.0, nodata=-9_999.0):
    values = np.asarray(values, dtype=np.float32)
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        height=values.shape[0],
        width=values.shape[1],
        count=1,
        dtype="float32",
        crs=crs,
        transform=Affine(cell_m, 0, west, 0, -cell_m, north),
        nodata=nodata,
    ) as raster:
        raster.write(values, 1)
    return path


def ramp(rise=0.1):
    """Height rises to the east; sampled at cell centres from -950 m on."""
    return np.tile(rise * (np.arange(20) * 100.0 - 950.0), (20, 1))


def test_toblers_function_walks_6_kmh_at_5_percent_down_and_its_own_speed_on_the_flat():
    assert tobler_factor(np.array([0.0]))[0] == 1.0
    flat_kmh = 6 * np.exp(-3.5 * 0.05)
    np.testing.assert_allclose(flat_kmh * tobler_factor(np.array([-0.05, 0.1, -0.15])), 6 * np.exp([0, -0.525, -0.35]))


def test_an_unknown_slope_counts_as_flat_and_a_cliff_as_45_degrees():
    assert tobler_factor(np.array([np.nan]))[0] == 1.0
    np.testing.assert_array_equal(tobler_factor(np.array([50.0, -50.0])), tobler_factor(np.array([1.0, -1.0])))


def test_heights_between_cell_centres_are_interpolated(tmp_path):
    file = write_raster(tmp_path / "dem.tif", ramp())
    x, y = np.array([-950.0, 0.0, 37.5, 910.0]), np.array([10.0, 0.0, -333.0, 50.0])
    np.testing.assert_allclose(sample_elevation(file, *PLANE.to_lonlat(x, y)), 0.1 * x, atol=1e-3)


def test_outside_the_raster_and_where_it_has_no_data_heights_are_unknown(tmp_path):
    values = ramp()
    values[:, :10] = -9_999.0
    file = write_raster(tmp_path / "dem.tif", values)
    heights = sample_elevation(file, *PLANE.to_lonlat(np.array([-500.0, 500.0, 5_000.0]), np.zeros(3)))
    assert np.isnan(heights).tolist() == [True, False, True]


def test_uphill_takes_longer_than_downhill(tmp_path):
    file = write_raster(tmp_path / "dem.tif", ramp(0.1))
    streets = streets_xy([(0, 0), (100, 0)], [(0, 1, KMH, KMH)])
    graph = build_graph(streets, PLANE, elevation=file)
    up_s, down_s = 100 * np.exp(3.5 * (0.15 - 0.05)), 100 * np.exp(3.5 * (0.05 - 0.05))
    assert graph.forward_ms[0] == pytest.approx(1_000 * up_s, rel=1e-3)
    assert graph.backward_ms[0] == pytest.approx(1_000 * down_s, rel=1e-3)


def test_slopes_do_not_slow_cars(tmp_path):
    file = write_raster(tmp_path / "dem.tif", ramp(0.1))
    streets = streets_xy([(0, 0), (100, 0)], [(0, 1, KMH, KMH)], mode="drive")
    assert build_graph(streets, PLANE, elevation=file).forward_ms.tolist() == [100_000]


def test_rasters_that_cannot_serve_are_faults(tmp_path):
    lon, lat = PLANE.to_lonlat(np.zeros(1), np.zeros(1))
    with pytest.warns(rasterio.errors.NotGeoreferencedWarning):
        nowhere = write_raster(tmp_path / "nowhere.tif", ramp(), crs=None, west=0, north=0, cell_m=1)
    broken = tmp_path / "broken.tif"
    broken.write_bytes(b"II*\0 but no more")
    elsewhere = write_raster(tmp_path / "elsewhere.tif", ramp(), west=500_000)
    for file, words in ((nowhere, "coordinate system"), (broken, "cannot be read"), (elsewhere, "covers none")):
        with pytest.raises(InputError, match=words) as caught:
            sample_elevation(file, lon, lat, name="dem.tif")
        assert caught.value.faults[0].file == "dem.tif"
