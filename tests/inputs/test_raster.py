"""People from rasters."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Transformer

from nearer.errors import InputError
from nearer.inputs import raster
from nearer.inputs.raster import read_raster
from nearer.inputs.sources import PeopleSource
from nearer.inputs.tables import People

EAST, NORTH = 2_760_000.0, 1_220_000.0
pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")


def write(path: Path, values: object, *, crs: str | None = "EPSG:2056", cell: float = 50.0, **options: object) -> Path:
    data = np.asarray(values)
    layout = {"transform": Affine(cell, 0.0, EAST, 0.0, -cell, NORTH), "nodata": -9999.0} | options
    bands = data.reshape(-1, *data.shape[-2:])
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        height=bands.shape[1],
        width=bands.shape[2],
        count=len(bands),
        dtype=bands.dtype,
        crs=crs,
        **{key: value for key, value in layout.items() if value is not None},
    ) as dataset:
        dataset.write(bands)
    return path


def read(path: Path, groups: dict[str, Path] | None = None, **settings: object) -> People:
    groups = groups or {}
    names = {group: file.name for group, file in groups.items()}
    source = PeopleSource(file=path.name, groups=names, **settings)  # type: ignore[arg-type]
    return read_raster(path, source, groups)


def fault(path: Path, groups: dict[str, Path] | None = None, **settings: object) -> str:
    with pytest.raises(InputError) as caught:
        read(path, groups, **settings)
    return str(caught.value)


VALUES = np.array([[1, 2, -9999, np.nan], [3, 0, 5, -4], [6, 7, 8, np.inf]], dtype=np.float32)


def test_each_cell_with_people_is_a_point_at_its_centre(tmp_path: Path) -> None:
    people = read(write(tmp_path / "p.tif", VALUES))
    assert people.table["total"].tolist() == [1, 2, 3, 5, 6, 7, 8]
    assert people.table["id"].tolist() == ["r0c0", "r0c1", "r1c0", "r1c2", "r2c0", "r2c1", "r2c2"]
    lon, lat = Transformer.from_crs(2056, 4326, always_xy=True).transform(EAST + 125, NORTH - 75)
    assert people.table.loc[3, ["lon", "lat"]].tolist() == pytest.approx([lon, lat], abs=1e-9)
    assert people.cell_m == pytest.approx(50, abs=0.1)
    assert people.shapes is not None
    assert len(people.shapes) == 7


def test_cells_are_summed_to_at_least_the_size_asked(tmp_path: Path) -> None:
    people = read(write(tmp_path / "p.tif", VALUES), cell_m=100)
    assert people.table["id"].tolist() == ["r0c0", "r0c1", "r1c0", "r1c1"]
    assert people.table["total"].tolist() == [6, 5, 13, 8]
    assert people.cell_m == pytest.approx(100, abs=0.2)
    assert "Each of them sums 2 × 2 cells of p.tif." in people.notes
    assert read(write(tmp_path / "p.tif", VALUES), cell_m=101.5).table["total"].tolist() == [32]


@settings(deadline=None)
@given(
    shape=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    cell_m=st.sampled_from([10.0, 100.0, 150.0, 1000.0]),
    strip=st.integers(1, 30),
    seed=st.integers(0, 2**16),
)
def test_nobody_is_lost_whatever_the_blocks_and_strips(
    tmp_path_factory: pytest.TempPathFactory, shape: tuple[int, int], cell_m: float, strip: int, seed: int
) -> None:
    values = np.random.default_rng(seed).integers(0, 5, shape).astype(np.float64) + (seed % 2)
    if not values.any():
        return
    path = write(tmp_path_factory.mktemp("r") / "p.tif", values)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(raster, "_STRIP_CELLS", strip)
        people = read(path, cell_m=cell_m)
    assert people.table["total"].sum() == values.sum()
    k = max(1, int(np.ceil(cell_m * 0.99 / 50)))
    naive = {
        f"r{row}c{column}": values[row * k : (row + 1) * k, column * k : (column + 1) * k].sum()
        for row in range(-(-shape[0] // k))
        for column in range(-(-shape[1] // k))
    }
    assert dict(zip(people.table["id"], people.table["total"], strict=True)) == {k: v for k, v in naive.items() if v}


def test_groups_come_from_rasters_on_the_same_grid(tmp_path: Path) -> None:
    whole = write(tmp_path / "p.tif", VALUES)
    young = write(tmp_path / "y.tif", np.where((VALUES > 1) & (VALUES < 9), 1, -9999).astype(np.float32))
    people = read(whole, {"young": young})
    assert people.table["young"].tolist() == [0, 1, 1, 1, 1, 1, 1]


def test_a_group_on_another_grid_is_refused(tmp_path: Path) -> None:
    whole = write(tmp_path / "p.tif", VALUES)
    for number, options in enumerate(({"cell": 60.0}, {"crs": "EPSG:21781"})):
        other = write(tmp_path / f"y{number}.tif", VALUES, **options)  # type: ignore[arg-type]
        said = fault(whole, {"young": other})
        assert said == f"y{number}.tif: the raster does not lie on the grid of p.tif; export both on the same grid."


def test_a_group_above_its_total_is_refused(tmp_path: Path) -> None:
    whole = write(tmp_path / "p.tif", VALUES)
    assert "y.tif: group young exceeds the total in 8 cells" in fault(
        whole, {"young": write(tmp_path / "y.tif", VALUES + 1)}
    )


def test_degrees_are_measured_on_the_ground(tmp_path: Path) -> None:
    third_of_minute = 1 / 1200
    values = np.ones((8, 8), dtype=np.float32)
    layout = {"crs": "EPSG:4326", "transform": Affine(third_of_minute, 0.0, 9.5, 0.0, -third_of_minute, 60.0)}
    path = write(tmp_path / "p.tif", values, **layout)  # type: ignore[arg-type]
    people = read(path)
    assert people.cell_m is None  # 46 m wide and 93 m high
    assert people.table["lon"][0] == pytest.approx(9.5 + third_of_minute / 2)
    assert len(read(path, cell_m=100).table) == 3 * 4


def test_bounds_leave_blocks_outside_unread(tmp_path: Path) -> None:
    path = write(tmp_path / "p.tif", np.ones((100, 100), dtype=np.float32))
    lon, lat = Transformer.from_crs(2056, 4326, always_xy=True).transform(
        [EAST + 1000, EAST + 1500], [NORTH - 1500, NORTH - 1000]
    )
    source = PeopleSource(file="p.tif", cell_m=100)
    part = read_raster(path, source, bounds=(lon[0], lat[0], lon[1], lat[1]))
    whole = read_raster(path, source)
    assert 25 <= part.n <= 100
    assert set(part.table["id"]) < set(whole.table["id"])
    assert {f"r{row}c{column}" for row in range(10, 15) for column in range(10, 15)} <= set(part.table["id"])


@pytest.mark.parametrize("options", [{"crs": None}, {"crs": None, "transform": None}])
def test_a_raster_without_georeference_is_refused(tmp_path: Path, options: dict[str, object]) -> None:
    path = write(tmp_path / "p.tif", VALUES, **options)  # type: ignore[arg-type]
    assert fault(path).startswith("p.tif: the raster has no georeference")


def test_a_stated_system_replaces_a_missing_one_and_an_unknown_one_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "p.tif", VALUES, crs=None)
    assert read(path, crs="EPSG:2056").n == 7
    assert '"EPSG:0" is not a known coordinate system' in fault(path, crs="EPSG:0")
    assert "does not lie on the globe" in fault(path, crs="EPSG:4326")


def test_damaged_and_foreign_files_are_named(tmp_path: Path) -> None:
    path = write(tmp_path / "p.tif", np.ones((300, 300), dtype=np.float32))
    (tmp_path / "cut.tif").write_bytes(path.read_bytes()[:9000])
    assert fault(tmp_path / "cut.tif").startswith("cut.tif: the raster")
    (tmp_path / "text.tif").write_text("no raster")
    assert fault(tmp_path / "text.tif").startswith("text.tif: the raster is damaged or of another kind")


def test_a_raster_without_people_is_refused(tmp_path: Path) -> None:
    assert "nobody lives in the raster" in fault(write(tmp_path / "p.tif", np.zeros((3, 3), dtype=np.int16), nodata=-1))


def test_only_the_first_band_counts_and_that_is_said(tmp_path: Path) -> None:
    people = read(write(tmp_path / "p.tif", np.stack([VALUES, VALUES])))
    assert people.table["total"].sum() == 32
    assert people.notes[-1] == "p.tif holds 2 bands; the first was taken as people."


@pytest.mark.data
def test_a_real_raster_in_degrees_keeps_its_sum(data_dir: Path) -> None:
    path = data_dir / "cities" / "porto_alegre" / "poa_elevation.tif"
    with rasterio.open(path) as dataset:
        total = dataset.read(1).astype(float).sum()
    people = read(path, cell_m=100)
    assert people.table["total"].sum() == total
    assert people.n <= -(-413 // 4) * -(-403 // 4)
