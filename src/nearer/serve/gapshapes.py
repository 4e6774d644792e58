"""The shapes of a study's gaps, as a map in the browser takes them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyogrio
import shapely

from nearer.errors import NearerError

_ABOUT_A_METRE, _DIGITS = 1e-5, 1e-6  # degrees


def gap_shapes(file: Path) -> str:
    """
    Areas of a ``gaps.gpkg`` as GeoJSON, simplified to about a metre, each with its ``rank``.

    Raises
    ------
    NearerError
        The file cannot be read.
    """
    try:
        if "gaps" not in [str(row[0]) for row in pyogrio.list_layers(file)]:
            return json.dumps({"type": "FeatureCollection", "features": []})
        table = pyogrio.read_dataframe(file, layer="gaps", columns=["rank"])
    except (pyogrio.errors.DataSourceError, OSError) as error:
        raise NearerError("The map of gaps cannot be read; answer the question again.") from error
    shapes = shapely.set_precision(table.geometry.simplify(_ABOUT_A_METRE).to_numpy(), _DIGITS)
    there = ~shapely.is_empty(shapes)
    features = [
        {"type": "Feature", "properties": {"rank": int(rank)}, "geometry": json.loads(text)}
        for rank, text in zip(table["rank"][there], np.atleast_1d(shapely.to_geojson(shapes[there])), strict=True)
    ]
    return json.dumps({"type": "FeatureCollection", "features": features}, separators=(",", ":"))
