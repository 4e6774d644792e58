"""
Make the tables of the Liechtenstein example from its OpenStreetMap extract, once.

Run ``python tools/make_liechtenstein.py`` from the project's folder; the extract lies beside the tables it makes.
Places are chosen by hand, by their ids in the extract; everything else about them is read from it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import osmium
import pandas as pd
import shapely

from nearer.inputs.geo import WGS84, LocalPlane
from nearer.inputs.landuse import read_boundaries

FOLDER = Path(__file__).parents[1] / "src" / "nearer" / "study" / "examples" / "liechtenstein"
EXTRACT = "liechtenstein-2013-08-03.osm.pbf"
SIMPLIFY_M = 8.0

# 31 December 2014, national statistics as published: 37,370 in all.
POPULATION = {
    "Balzers": 4587,
    "Eschen": 4313,
    "Gamprin": 1657,
    "Mauren": 4189,
    "Planken": 424,
    "Ruggell": 2146,
    "Schaan": 5963,
    "Schellenberg": 1053,
    "Triesen": 5009,
    "Triesenberg": 2604,
    "Vaduz": 5425,
}

# What stands: id in the extract, kind, and a name where the one in the extract says too little by itself.
CENTRES: list[tuple[str, str, str | None]] = [
    ("w362", "town hall", None),
    ("n5252", "library", "Landesbibliothek Vaduz"),
    ("w1613", "town hall", "Rathaus Schaan"),
    ("w1612", "community place", "Freizeit und Kultur Schaan"),
    ("w1483", "leisure centre", None),
    ("n17733", "parish centre", "Pfarreizentrum Schaan"),
    ("n2903", "cultural centre", "Kulturzentrum Gasometer Triesen"),
    ("n18974", "village centre", "Dorfzentrum Triesenberg"),
    ("n29399", "town hall", "Gemeindehaus Schellenberg"),
    ("n22459", "town hall", "Gemeindehaus Gamprin"),
    ("n13069", "arts centre", "Musikschule Eschen"),
]

# What could be shared: schools, halls, kindergartens, parish places and the like, some in each municipality.
VENUES: list[tuple[str, str, str | None]] = [
    # Vaduz
    ("w431", "hall", "Mehrzweckhalle Universität"),
    ("n6593", "school", "Schule Ebaholz"),
    ("w1461", "school", "Schulzentrum Mühleholz"),
    ("n60009", "kindergarten", "Kita Bammiliweg"),
    ("w335", "church", "Pfarrkirche Sankt Florin"),
    ("n6581", "church", None),
    ("w6048", "church", None),
    ("w124", "sports ground", None),
    # Schaan
    ("w1614", "hall", None),
    ("w1622", "public building", None),
    ("n15553", "kindergarten", "Kindergarten Rebera-Süd"),
    ("n32160", "kindergarten", None),
    ("n22447", "school", "Realschule Schaan"),
    ("w1531", "church", None),
    ("w2052", "church", "Kapelle St. Peter"),
    ("w1536", "church", None),
    ("w1882", "community place", None),
    ("w1512", "fire station", "Feuerwehr Schaan"),
    ("n58238", "youth hostel", None),
    # Triesen
    ("w1169", "school", None),
    ("w1171", "school", None),
    ("w1176", "hall", "Turnhalle Triesen"),
    ("w5339", "school", "Schulhaus Landstrasse, Triesen"),
    ("n10815", "fire station", None),
    ("w1137", "church", "Pfarrkirche Triesen"),
    ("w1195", "church", "Kapelle St. Marmertenweg, Triesen"),
    # Triesenberg
    ("n18973", "school", None),
    ("n18967", "fire station", None),
    ("n18970", "church", "Pfarrkirche Triesenberg"),
    # Balzers
    ("n8621", "fire station", None),
    ("w4074", "church", "Jubiläumskirche Balzers"),
    ("w3564", "church", "Mariahilfkapelle Balzers"),
    ("n41192", "kindergarten", "Kindergarten Mariahilf, Balzers"),
    ("w2604", "sports ground", "Sportanlage Rheinau, Balzers"),
    # Eschen and Nendeln
    ("n5081", "school", "Schule Fronergass, Eschen"),
    ("w6885", "church", "Pfarrkirche Eschen"),
    ("n13067", "fire station", None),
    ("n10153", "sports ground", "Sportpark Eschen"),
    ("w6876", "school", "Schule Nendeln"),
    ("w6873", "church", "Kapelle Sebastianstrasse, Nendeln"),
    # Gamprin
    ("n39918", "church", "Kirche Bendern"),
    ("w1998", "sports ground", None),
    # Mauren and Schaanwald
    ("w661", "church", "Pfarrkirche Mauren"),
    ("n5069", "post office", "Post Mauren"),
    ("n22487", "hall", "Zuschg, Schaanwald"),
    # Planken
    ("w3606", "school", "Kleinschule Planken"),
    ("w3588", "church", "Kapelle St. Josef, Planken"),
    # Ruggell
    ("w2921", "church", "Pfarrkirche Ruggell"),
    ("n22495", "post office", "Post Ruggell"),
    # Schellenberg
    ("n19032", "school", "Primarschule Schellenberg"),
    ("n29402", "sports hall", "Sporthaus Schellenberg"),
    ("n29404", "kindergarten", None),
]


# Who would bring which kind of place is invented, for the worked study with two agencies.
UMBRELLA = {
    *("church", "community place", "parish centre", "cultural centre", "arts centre", "leisure centre"),
    *("youth hostel", "post office", "village centre"),
}


def main() -> None:
    """Write ``municipalities.geojson``, ``centres.csv`` and ``venues.csv``."""
    municipalities = read_boundaries(FOLDER / EXTRACT, 8, name=EXTRACT)
    municipalities["population"] = municipalities["name"].map(POPULATION)
    write_municipalities(municipalities)
    places = read_places({place for place, _, _ in CENTRES + VENUES})
    for file, chosen in (("centres.csv", CENTRES), ("venues.csv", VENUES)):
        table = places_table(chosen, places, municipalities)
        table.to_csv(FOLDER / file, index=False, encoding="utf-8", lineterminator="\n")
        print(file, table.groupby("municipality").size().to_dict(), len(table))


def write_municipalities(municipalities: gpd.GeoDataFrame) -> None:
    """Simplify the borders together, so that neighbours still share theirs, and write them with five decimals."""
    west, south, east, north = municipalities.total_bounds
    plane = LocalPlane.around(pd.Series([west, east]).to_numpy(), pd.Series([south, north]).to_numpy())
    exact = municipalities.to_crs(plane.crs)
    exact.geometry = shapely.coverage_simplify(exact.geometry.to_numpy(), SIMPLIFY_M)
    rounded = exact.to_crs(WGS84)
    rounded.geometry = shapely.make_valid(shapely.transform(rounded.geometry.to_numpy(), lambda xy: xy.round(5)))
    path = FOLDER / "municipalities.geojson"
    rounded[["name", "population", "geometry"]].to_file(path, driver="GeoJSON", COORDINATE_PRECISION=5)
    print(path.name, path.stat().st_size, "bytes", shapely.get_num_coordinates(rounded.geometry.to_numpy()).sum())


def read_places(wanted: set[str]) -> dict[str, tuple[dict[str, str], Any]]:
    """Tags and a point of each wanted node, way or area; areas by a point inside them."""
    factory = osmium.geom.WKBFactory()
    found: dict[str, tuple[dict[str, str], Any]] = {}
    for item in osmium.FileProcessor(str(FOLDER / EXTRACT)).with_areas():
        if item.is_node() and f"n{item.id}" in wanted:
            found[f"n{item.id}"] = (dict(item.tags), shapely.Point(item.location.lon, item.location.lat))
        elif item.is_area() and item.from_way() and f"w{item.orig_id()}" in wanted:
            shape = shapely.from_wkb(bytes.fromhex(factory.create_multipolygon(item)))
            found[f"w{item.orig_id()}"] = (dict(item.tags), shape.point_on_surface())
    return found


def places_table(
    chosen: list[tuple[str, str, str | None]],
    places: dict[str, tuple[dict[str, str], Any]],
    municipalities: gpd.GeoDataFrame,
) -> pd.DataFrame:
    """One row per chosen place, in the order chosen; fails where one lies outside the country or has no name."""
    rows = []
    for place, kind, name in chosen:
        tags, point = places[place]
        inside = [row["name"] for _, row in municipalities.iterrows() if row["geometry"].contains(point)]
        title = name or tags.get("name")
        if len(inside) != 1 or not title:
            raise SystemExit(f"{place}: in {inside}, named {title}")
        located = "place itself"
        if tags.get("highway") == "bus_stop":
            located = "bus stop of that name"
        elif tags.get("amenity") == "parking":
            located = "car park of that name"
        osm = f"{'node' if place[0] == 'n' else 'way'}/{place[1:]}"
        agency = "umbrella organisation" if kind in UMBRELLA else "municipalities"
        rows.append((place, title, round(point.x, 6), round(point.y, 6), kind, inside[0], agency, osm, located))
    return pd.DataFrame(
        rows, columns=["id", "name", "lon", "lat", "kind", "municipality", "agency", "osm", "located_by"]
    )


if __name__ == "__main__":
    main()
