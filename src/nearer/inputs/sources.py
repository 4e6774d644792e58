"""What a study says about its data: the typed half of ``nearer.toml`` that the readers understand."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Mode = Literal["walk", "bike", "drive", "straight"]
Status = Literal["existing", "candidate", "other"]


class Settings(BaseModel):
    """A frozen table of ``nearer.toml`` that refuses keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class StreetsSource(Settings):
    """``[streets]``: how people get there."""

    file: str | None = Field(None, description="OpenStreetMap extract: .osm.pbf, .osm or .osm.bz2")
    mode: Mode = Field("walk", description="walk | bike | drive | straight")
    table: str | None = Field(
        None, description="ready travel times instead of streets: csv or parquet (from, to, minutes)"
    )
    limit_min: float = Field(30.0, gt=0, le=600, description="farther counts as out of reach; access walks included")
    snap_m: float = Field(
        500.0, gt=0, description="farthest walk between a point and the nearest street, metres, inclusive"
    )
    speed_kmh: float | None = Field(
        None, gt=0, le=130, description="speed; default 4.8 walking, 15 cycling; ignored driving"
    )
    group_speeds_kmh: dict[str, float] = Field(
        default_factory=dict, description="walking speed of a group, km/h; such groups may not overlap"
    )
    detour: float = Field(1.3, ge=1.0, description="straight mode: street distance per straight metre")
    elevation: str | None = Field(None, description="elevation raster (GeoTIFF); slopes slow walking")


class AreaSource(Settings):
    """``[area]``: the ground the study covers."""

    boundary: str | None = Field(None, description="polygons (GeoJSON, GeoPackage); everything outside is left out")
    districts: str | None = Field(None, description="named polygons used to name and sum areas")
    name: str = Field("name", description="column of `districts` that holds the name")


class SpreadSource(Settings):
    """``[people.spread]``: known totals per polygon, spread over residential buildings of an OSM extract."""

    osm: str = Field(description="OpenStreetMap extract with buildings")
    cell_m: float = Field(100.0, gt=0, description="people are gathered in square cells of this size, metres")


class PeopleSource(Settings):
    """``[people]``: where people live."""

    file: str = Field(
        description="points, polygons, H3 cells (csv, parquet, gpkg, geojson) or a population raster (tif)"
    )
    layer: str | None = Field(None, description="layer of a GeoPackage")
    total: str = Field("population", description="column with all people")
    groups: dict[str, str] = Field(
        default_factory=dict, description="group name → column, or raster file beside a raster"
    )
    later: dict[str, str] = Field(
        default_factory=dict, description="phase → column with all people then; groups keep their part at each point"
    )
    id: str | None = Field(None, description="column with the id; default `id`, else row numbers")
    lon: str = Field("lon", description="column with the longitude (csv, parquet without geometry)")
    lat: str = Field("lat", description="column with the latitude")
    crs: str | None = Field(
        None, description="coordinate system of the coordinates; default what the file says, else WGS 84"
    )
    h3: str | None = Field(None, description="column with H3 cell ids, used when there are no coordinates")
    cell_m: float | None = Field(
        None,
        gt=0,
        description="raster: cells are summed to at least this size, metres; points: side of the square cell each stands for, to draw",
    )
    merge_m: float | None = Field(
        None, gt=0, description="sum all points up in square cells of this size, metres, for a quicker, coarser plan"
    )
    spread: SpreadSource | None = None


class GenerateSource(Settings):
    """``generate = { spacing_m = 250 }``: candidates along streets, at least so far apart."""

    spacing_m: float = Field(gt=10, description="distance between candidates, metres")


class SitesSource(Settings):
    """``[[sites]]``: places that are or could be centres; exactly one of file, query and generate."""

    file: str | None = Field(None, description="csv, gpkg, geojson or parquet with id, name, lon, lat or geometry")
    layer: str | None = Field(None, description="layer of a GeoPackage")
    query: str | None = Field(None, description="OpenStreetMap tags, e.g. 'amenity=community_centre|library'")
    osm: str | None = Field(None, description="extract that the query reads; default [streets] file")
    generate: GenerateSource | None = None
    status: Status | None = Field(None, description="existing | candidate | other, where the table has no such column")
    id: str = Field("id", description="column with the id")
    name: str = Field("name", description="column with the name")
    lon: str = Field("lon", description="column with the longitude")
    lat: str = Field("lat", description="column with the latitude")
    agency: str = Field("agency", description="column that says whose it is")
    cost: str = Field("cost", description="column with the money it takes to open it")
    crs: str | None = Field(
        None, description="coordinate system of the coordinates; default what the file says, else WGS 84"
    )


class CreditSource(Settings):
    """``[[sources]]``: where a file of the study comes from."""

    file: str = Field(description="as named elsewhere in the study")
    licence: str = Field(min_length=1, description="whose it is and under which licence, as the report says it")


class ExcludeSource(Settings):
    """``[[exclude]]``: ground where nothing may open."""

    file: str = Field(description="polygons (GeoJSON, GeoPackage)")
    layer: str | None = None
