"""Where people may live, as OpenStreetMap tells it: homes, residential ground, residential streets, boundaries."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import osmium
import shapely

from nearer.inputs.geo import WGS84
from nearer.inputs.osm import opened_extract
from nearer.units import BoolArray, FloatArray

Tags = Mapping[str, str]


def _values(text: str) -> frozenset[str]:
    return frozenset(text.split())


HOME_BUILDINGS = _values(
    "yes residential house apartments detached semidetached_house semi terrace bungalow farm dormitory "
    "static_caravan houseboat mixed mixed_use"
)
"""Values of ``building`` that may be a home; ``farm`` is the farmhouse, barns and sheds have values of their own."""

OTHER_USES = _values(
    "amenity leisure tourism office shop craft industrial healthcare power man_made aeroway railway military historic "
    "religion public_transport telecom emergency abandoned disused ruins"
)
"""Keys that tell of another use where the building itself says no more than "yes"."""

PUBLIC_USES = _values(
    "place_of_worship monastery school university college library townhall public_building community_centre "
    "social_centre fire_station police courthouse prison hospital theatre arts_centre cinema conference_centre "
    "exhibition_centre"
)
"""Values of ``amenity`` that take up a whole building, also when they are mapped as a point inside its outline."""

WORK_LANDUSE = _values(
    "industrial commercial railway military quarry landfill port depot garages cemetery allotments "
    "greenhouse_horticulture"
)
"""Values of ``landuse`` on which buildings are not homes."""

OPEN_LANDUSE = _values(
    "forest farmland meadow orchard vineyard grass village_green recreation_ground plant_nursery basin reservoir "
    "water construction brownfield greenfield"
)
"""Values of ``landuse`` that are no residential ground, though a building on them may be a home."""

OPEN_LEISURE = _values("park pitch sports_centre stadium golf_course garden playground track swimming_pool water_park")
OPEN_NATURAL = _values("water wood wetland scrub grassland heath bare_rock scree glacier sand beach")

GROUNDS = PUBLIC_USES | _values("kindergarten clinic grave_yard parking fuel bus_station marketplace")
"""Values of ``amenity`` whose grounds are not lived on."""

HOME_STREETS = _values("residential living_street")
ROADS = _values("unclassified tertiary secondary primary pedestrian road")
"""Other public streets that homes may stand at; not tracks, paths, driveways and motorways."""


@dataclass(frozen=True)
class Ground:
    """
    What an extract says about where people may live, WGS 84, each in the order of the file.

    Parameters
    ----------
    homes
        Outlines of buildings that may be homes (polygons).
    floors
        Their floors above ground, float64 (n_homes,), NaN where not mapped.
    residential
        Residential landuse (polygons).
    elsewhere
        Ground mapped as something else: work, water, woods, fields, sports, the grounds of schools (polygons).
    home_streets
        Residential and living streets (lines).
    roads
        Other public streets that homes may stand at (lines).
    """

    homes: gpd.GeoSeries
    floors: FloatArray
    residential: gpd.GeoSeries
    elsewhere: gpd.GeoSeries
    home_streets: gpd.GeoSeries
    roads: gpd.GeoSeries


def is_home(tags: Tags) -> bool:
    """Whether a building's own tags leave it to be a home."""
    value = tags.get("building", "no")
    if value not in HOME_BUILDINGS:
        return False
    if value != "yes" or tags.get("building:use") == "residential":
        return True
    return "building:use" not in tags and not any(tags.get(key, "no") != "no" for key in OTHER_USES)


def n_floors(tags: Tags) -> float:
    """Floors above ground as tagged, NaN where absent or not believable."""
    try:
        floors = float(tags.get("building:levels", "nan"))
    except ValueError:
        return math.nan
    return floors if 1.0 <= floors <= 50.0 else math.nan


def is_elsewhere(tags: Tags) -> bool:
    """Whether an area is ground on which people do not live."""
    return (
        tags.get("landuse") in WORK_LANDUSE | OPEN_LANDUSE
        or tags.get("leisure") in OPEN_LEISURE
        or tags.get("natural") in OPEN_NATURAL
        or tags.get("amenity") in GROUNDS
    )


def read_ground(osm: Path, *, name: str) -> Ground:
    """
    Read where people may live from an OpenStreetMap extract.

    A building is taken for a home where its tags allow it (`is_home`), no school, church or other public use stands in
    it, and it does not lie inside the grounds of one or inside landuse for work.

    Parameters
    ----------
    osm
        ``.osm.pbf``, ``.osm`` or ``.osm.bz2``.
    name
        The file as the user wrote it, for messages.

    Raises
    ------
    InputError
        The file is absent, is no OpenStreetMap extract, or is cut short.
    """
    homes: list[Any] = []
    floors: list[float] = []
    residential: list[Any] = []
    elsewhere: list[Any] = []
    closed: list[Any] = []  # ground and points that keep the buildings on them from being homes
    home_streets: list[Any] = []
    roads: list[Any] = []
    for tags, shape in _shapes(osm, name, "building", "landuse", "leisure", "natural", "amenity", "highway"):
        if isinstance(shape, shapely.Point):
            if tags.get("amenity") in PUBLIC_USES:
                closed.append(shape)
        elif isinstance(shape, shapely.LineString):
            if tags.get("tunnel", "no") == "no":
                if tags.get("highway") in HOME_STREETS:
                    home_streets.append(shape)
                elif tags.get("highway") in ROADS:
                    roads.append(shape)
        else:
            if is_home(tags):
                homes.append(shape)
                floors.append(n_floors(tags))
            if "building" in tags:
                continue
            if tags.get("landuse") == "residential":
                residential.append(shape)
            elif is_elsewhere(tags):
                elsewhere.append(shape)
                if tags.get("landuse") in WORK_LANDUSE or tags.get("amenity") in GROUNDS:
                    closed.append(shape)
    lived_in = ~_touched(homes, closed)
    return Ground(
        homes=_series(homes)[lived_in],
        floors=np.asarray(floors, dtype=np.float64)[lived_in],
        residential=_series(residential),
        elsewhere=_series(elsewhere),
        home_streets=_series(home_streets),
        roads=_series(roads),
    )


def read_boundaries(osm: Path, admin_level: int, *, name: str) -> gpd.GeoDataFrame:
    """
    Read the named administrative boundaries of one level that lie whole in an extract.

    Parameters
    ----------
    osm, name
        As in `read_ground`.
    admin_level
        OpenStreetMap's level: 2 for countries, mostly 8 for municipalities.

    Returns
    -------
    boundaries
        Columns ``name`` and ``geometry`` (multipolygons, WGS 84), sorted by name.

    Raises
    ------
    InputError
        As in `read_ground`.
    """
    found = [
        (tags["name"], shape)
        for tags, shape in _shapes(osm, name, "boundary")
        if tags.get("boundary") == "administrative"
        and tags.get("admin_level") == str(admin_level)
        and "name" in tags
        and isinstance(shape, shapely.MultiPolygon)
    ]
    found.sort(key=lambda row: row[0])
    return gpd.GeoDataFrame({"name": [row[0] for row in found]}, geometry=_series([row[1] for row in found]), crs=WGS84)


def _shapes(osm: Path, name: str, *keys: str) -> Iterator[tuple[dict[str, str], Any]]:
    """Give tags and shape of everything that bears one of the keys: points, lines (streets only) and areas."""
    factory = osmium.geom.WKBFactory()
    with opened_extract(osm, name) as processor:
        item: Any  # a node, way or area
        for item in processor.with_areas().with_filter(osmium.filter.KeyFilter(*keys)):
            tags = dict(item.tags)
            if item.is_node():
                yield tags, shapely.Point(item.location.lon, item.location.lat)
            elif item.is_way():
                # Nodes beyond the edge of an extract may be missing; the rest of the street still counts.
                line = [(node.lon, node.lat) for node in item.nodes if node.location.valid()]
                if "highway" in tags and len(line) > 1:
                    yield tags, shapely.LineString(line)
            elif item.is_area() and item.num_rings()[0] > 0:
                shape = shapely.from_wkb(bytes.fromhex(factory.create_multipolygon(item)))
                yield tags, shape if shape.is_valid else shapely.make_valid(shape)


def _touched(homes: list[Any], closed: list[Any]) -> BoolArray:
    """
    Tell which buildings hold one of the ``closed`` points or have their middle on one of the ``closed`` grounds.

    Returns
    -------
    touched
        bool (n_homes,).
    """
    touched = np.zeros(len(homes), dtype=np.bool_)
    points = [shape for shape in closed if isinstance(shape, shapely.Point)]
    grounds = [shape for shape in closed if not isinstance(shape, shapely.Point)]
    if homes and points:
        touched[shapely.STRtree(homes).query(points, predicate="within")[1]] = True
    if homes and grounds:
        touched[shapely.STRtree(shapely.point_on_surface(homes)).query(grounds, predicate="contains")[1]] = True
    return touched


def _series(shapes: list[Any]) -> gpd.GeoSeries:
    return gpd.GeoSeries(shapes, crs=WGS84)
