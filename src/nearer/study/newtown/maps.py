"""Newtown's quarters, river and parks as polygons for tables and maps."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from scipy.spatial import Voronoi

from nearer.inputs.geo import LocalPlane
from nearer.study.newtown.ground import Ground
from nearer.units import FloatArray

KINDS = ("old centre", "inner quarter", "terraces", "towers", "villas", "industry", "village")


def district_features(ground: Ground, quarters: list[str], plane: LocalPlane) -> list[dict[str, Any]]:
    """Named quarters that tile the whole area: the ground nearer to one place than to any other."""
    theta = np.linspace(0.0, 2 * np.pi, 361)[:-1]
    r = ground.outer_m * ground.outline(theta)
    rim = np.column_stack([r * np.cos(theta), r * np.sin(theta)])
    far = 4.0 * ground.outer_m * np.column_stack([np.cos(theta[::30]), np.sin(theta[::30])])
    diagram = Voronoi(np.vstack([ground.places, far]))
    area = shapely.Polygon(rim)
    features = []
    for place, name in enumerate(quarters):
        corners = diagram.vertices[diagram.regions[diagram.point_region[place]]]
        shape = shapely.intersection(shapely.Polygon(corners), area)
        kind = KINDS[int(ground.kind[place])]
        features.append(_feature(shapely.get_coordinates(shape), plane, {"name": name, "kind": kind}))
    return features


def area_features(ground: Ground, plane: LocalPlane) -> dict[str, list[dict[str, Any]]]:
    """``river.geojson`` and ``parks.geojson``."""
    x, y = ground.river.line(1.3 * ground.outer_m, 120.0)
    inside = np.hypot(x, y) < ground.outer_m * ground.outline(np.arctan2(y, x))
    bed = shapely.buffer(shapely.LineString(np.column_stack([x[inside], y[inside]])), ground.river.half_m)
    parks = [_feature(np.column_stack(rim), plane, {}) for rim in ground.parks.outlines()]
    return {
        "river.geojson": [_feature(np.asarray(bed.exterior.coords), plane, {"name": "Newtown River"})],
        "parks.geojson": parks,
    }


def _feature(ring: FloatArray, plane: LocalPlane, properties: dict[str, str]) -> dict[str, Any]:
    lon, lat = plane.to_lonlat(ring[:, 0], ring[:, 1])
    line = [[round(a, 6), round(b, 6)] for a, b in zip(lon.tolist(), lat.tolist(), strict=True)]
    if shapely.Polygon(line).exterior.is_ccw is False:
        line.reverse()  # RFC 7946: outer rings run counterclockwise
    return {"type": "Feature", "properties": properties, "geometry": {"type": "Polygon", "coordinates": [line]}}
