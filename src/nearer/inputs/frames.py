"""Any table file a study may name (csv, GeoPackage, GeoJSON, Parquet) as a ``Frame``, geometry in WGS 84."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely
from numpy.typing import NDArray
from pyproj import CRS
from pyproj.exceptions import CRSError, ProjError

from nearer.errors import Faults, InputError
from nearer.inputs.columns import Frame, nearest, note_rows
from nearer.inputs.geo import WGS84
from nearer.inputs.text import SAVE_AS_CSV, read_text

TEXT_SUFFIXES = (".csv", ".tsv", ".txt")
VECTOR_SUFFIXES = (".gpkg", ".geojson", ".json", ".shp", ".fgb")
PARQUET_SUFFIXES = (".parquet", ".geoparquet")
RASTER_SUFFIXES = (".tif", ".tiff", ".vrt")
_UNREADABLE = (
    pyogrio.errors.DataSourceError,
    pyogrio.errors.DataLayerError,
    shapely.errors.GEOSException,
    UnicodeDecodeError,
    ValueError,
)
_EXCEL_SUFFIXES = (".xlsx", ".xls", ".xlsm", ".ods")


def find_file(folder: Path, name: str) -> Path:
    """
    Path of a file that the study names; relative names start at the study's folder.

    Raises
    ------
    InputError
        There is no such file (the nearest name is suggested), it is a folder, or it holds nothing.
    """
    path = Path(folder) / name
    faults = Faults(name)
    if path.is_dir():
        faults.add("this is a folder, not a file", remedy="name a file in it")
    elif not path.exists():
        there = sorted(item.name for item in path.parent.iterdir()) if path.parent.is_dir() else []
        near = nearest(path.name, there)
        faults.add(
            "there is no such file",
            remedy=f'the nearest name there is "{near}"' if near else f"put it into {path.parent.name or 'the folder'}",
        )
    elif path.stat().st_size == 0:
        faults.add("the file is empty", remedy="export or copy it again")
    else:
        try:
            path.open("rb").close()
        except OSError as error:
            faults.add(
                f"the file cannot be opened ({error.strerror})", remedy="close it elsewhere, or allow reading it"
            )
    faults.raise_if_any()
    return path


def read_frame(
    path: Path, *, name: str | None = None, layer: str | None = None, crs: str | None = None, section: str = "the study"
) -> Frame:
    """
    Read a table.

    Parameters
    ----------
    path
        An existing file.
    name
        The file as the study writes it; default its own name.
    layer
        Layer of a GeoPackage; needed where it holds several.
    crs
        Coordinate system of geometries, instead of what the file says. (That of coordinate columns is applied where
        the columns are read.)
    section
        Where in the study the file is named, for remedies, e.g. "[people]".

    Raises
    ------
    InputError
        The file cannot be read, holds nothing, or its geometries cannot be placed on the globe.
    """
    faults = Faults(name or path.name)
    suffix = path.suffix.casefold()
    frame: Frame | None = None
    if suffix in _EXCEL_SUFFIXES:
        faults.add("this is a spreadsheet workbook", remedy=SAVE_AS_CSV)
    elif suffix in TEXT_SUFFIXES:
        table, rows = read_text(path, faults)
        frame = Frame(name or path.name, table, rows)
    elif suffix in VECTOR_SUFFIXES:
        frame = _read_vector(path, faults, layer, crs, section)
    elif suffix in PARQUET_SUFFIXES:
        frame = _read_parquet(path, faults, crs, section)
    else:
        faults.add(
            f'files ending in "{path.suffix}" cannot be read as a table',
            remedy="give " + ", ".join((*TEXT_SUFFIXES[:1], *VECTOR_SUFFIXES[:2], *PARQUET_SUFFIXES[:1])),
        )
    faults.raise_if_any()
    assert frame is not None
    return frame


def frame_of(data: gpd.GeoDataFrame, name: str) -> Frame:
    """
    Take a GeoDataFrame as if it had been read from a file called ``name``.

    Raises
    ------
    InputError
        It has no rows, no geometry column or no coordinate system.
    """
    faults = Faults(name)
    frame = _frame_of(data, faults, None, "set_crs", needs_crs=True)
    faults.raise_if_any()
    assert frame is not None
    return frame


def read_crs(text: str, faults: Faults, key: str) -> CRS | None:
    """A coordinate system by its name, or None with a fault."""
    try:
        return CRS.from_user_input(text)
    except CRSError:
        faults.add(
            f'"{text}" is not a known coordinate system',
            remedy=f'set {key} to a code such as "EPSG:4326" (degrees) or "EPSG:2056"',
        )
        return None


def _read_vector(path: Path, faults: Faults, layer: str | None, crs: str | None, section: str) -> Frame | None:
    """Read one layer through GDAL."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        try:
            found = [str(row[0]) for row in pyogrio.list_layers(path)]
            chosen = _layer(found, layer, faults, section)
            if chosen is None:
                return None
            # Dates and times that GeoJSON writes as text come back as the text they are.
            options = {"DATE_AS_STRING": "YES"} if path.suffix.casefold() in (".geojson", ".json") else {}
            data = _features(path, chosen, options, faults)
            info = pyogrio.read_info(path, layer=chosen)
        except InputError:
            raise
        except _UNREADABLE as error:
            first = str(error).splitlines()[0][:200]
            faults.add(f"the file is damaged or of another kind ({first})", remedy="export or copy it again")
            return None
    for field, dtype in zip(info["fields"], info["dtypes"], strict=True):
        if str(dtype).startswith("int") and pd.api.types.is_float_dtype(data[field].dtype):
            data[field] = data[field].astype("Int64")  # whole numbers with gaps stay whole
    return _frame_of(data, faults, crs, f"{section} crs")


def _features(path: Path, layer: str, options: dict[str, str], faults: Faults) -> gpd.GeoDataFrame:
    """A layer's features; those whose outline is none are faults."""
    try:
        return pyogrio.read_dataframe(path, layer=layer, **options)
    except shapely.errors.GEOSException:
        data = pyogrio.read_dataframe(path, layer=layer, on_invalid="ignore", **options)
        rows = np.arange(2, len(data) + 2)
        message = "the outline is no shape: it is not closed, or has too few corners"
        note_rows(faults, rows, data.geometry.isna().to_numpy(), message, column="geometry", remedy="draw it anew")
        faults.raise_if_any()
        raise


def _layer(found: list[str], layer: str | None, faults: Faults, section: str) -> str | None:
    """The layer to read."""
    if layer is not None and layer not in found:
        near = nearest(layer, found)
        faults.add(
            f'there is no layer "{layer}"',
            remedy=f'the nearest is "{near}"' if near else f"the layers are {', '.join(found)}",
        )
        return None
    if layer is None and len(found) > 1:
        faults.add(f"the file holds several layers: {', '.join(found)}", remedy=f"set {section} layer to one of them")
        return None
    if not found:
        faults.add("the file holds no layer", remedy="export or copy it again")
        return None
    return layer or found[0]


def _read_parquet(path: Path, faults: Faults, crs: str | None, section: str) -> Frame | None:
    """Read Parquet, with geometry where it is GeoParquet."""
    try:
        import pyarrow.lib  # type: ignore[import-untyped, unused-ignore]
        import pyarrow.parquet  # type: ignore[import-untyped, unused-ignore]
    except ImportError:
        faults.add("reading Parquet needs pyarrow", remedy='install it with: pip install "nearer[scale]"')
        return None
    try:
        is_geo = b"geo" in (pyarrow.parquet.read_metadata(path).metadata or {})
        data = gpd.read_parquet(path) if is_geo else pd.read_parquet(path)
    except (pyarrow.lib.ArrowException, OSError, ValueError) as error:
        first = str(error).splitlines()[0][:200]
        faults.add(f"the file is damaged or of another kind ({first})", remedy="export or copy it again")
        return None
    if data.index.name is not None:
        data = data.reset_index()
    return _frame_of(data, faults, crs, f"{section} crs")


def _frame_of(
    data: pd.DataFrame, faults: Faults, crs: str | None, crs_key: str, needs_crs: bool = False
) -> Frame | None:
    """A frame from what a reader returned, its geometry brought to WGS 84."""
    file = faults.file or ""
    data = data.reset_index(drop=True)
    if not len(data):
        faults.add("the file holds no rows", remedy="export it again with its features")
        return None
    rows = np.arange(2, len(data) + 2, dtype=np.int64)
    if not isinstance(data, gpd.GeoDataFrame) or data._geometry_column_name not in data:
        if needs_crs:
            faults.add("there is no geometry", remedy="give a GeoDataFrame with points or polygons")
        return Frame(file, pd.DataFrame(data), rows)
    table = pd.DataFrame(data.drop(columns=data.geometry.name))
    own = read_crs(crs, faults, crs_key) if crs is not None else data.crs
    if own is None:
        if crs is None:
            faults.add("the geometries have no coordinate system", remedy=f"state it with {crs_key}")
        return None
    return Frame(file, table, rows, _to_wgs84(data.geometry, own, faults, crs_key))


def _to_wgs84(geometry: gpd.GeoSeries, crs: CRS, faults: Faults, crs_key: str) -> NDArray[Any]:
    """Geometries in WGS 84 and two dimensions, None where there is none."""
    try:
        placed = geometry.set_crs(crs, allow_override=True).to_crs(WGS84)
    except (ProjError, CRSError, ValueError):
        faults.add(f'coordinates in "{CRS(crs).name}" cannot be placed on the globe', remedy=f"state {crs_key}")
        placed = geometry
    shapes = np.array(shapely.force_2d(np.asarray(placed.array, dtype=object)), dtype=object)
    shapes[shapely.is_empty(shapes)] = None
    return np.asarray(shapes)


def one_fault(file: str, message: str, remedy: str | None = None) -> InputError:
    """An error with a single fault."""
    faults = Faults(file)
    faults.add(message, remedy=remedy)
    return InputError(faults.found)
