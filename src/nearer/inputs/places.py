"""
Places from an OpenStreetMap extract, picked by their tags.

The query language is small::

    amenity=community_centre                      one value of one key
    amenity=community_centre|library              either value
    name=*                                        any value
    amenity=library & name=*                      both terms
    amenity=library, building=public & name=*     either alternative; & binds closer than ,

Spaces around the signs do not matter, letters' case does. Of a list in the data (``library;archive``) one part
suffices. Keys and values that contain one of ``= | & ,`` cannot be asked for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import osmium
import pandas as pd
import shapely

from nearer.errors import Faults
from nearer.inputs.osm import opened_extract

TAG_COLUMNS = ("amenity", "building", "operator", "addr:street", "addr:housenumber")
"""Tags that every table of places carries, asked for or not."""

RESERVED = frozenset(
    {"id", "lon", "lat", "status", "excluded", "agency", "level", "capacity", "cost", "district", "venue", "geometry"}
)
"""Columns to which a table of sites gives a meaning; such a tag goes into ``osm:<key>`` instead."""

_EXAMPLE = "write it like amenity=community_centre|library & name=*"
_KINDS = ("n", "w", "r")
_SHOWN_VALUES = 8


@dataclass(frozen=True)
class Term:
    """A key and the values that satisfy it; no values means any."""

    key: str
    values: frozenset[str]

    def holds(self, tags: Mapping[str, str]) -> bool:
        """Whether tags satisfy the term."""
        value = tags.get(self.key)
        if value is None:
            return False
        return not self.values or value in self.values or any(part.strip() in self.values for part in value.split(";"))


@dataclass(frozen=True)
class Query:
    """Alternatives, each a list of terms that must all hold."""

    alternatives: tuple[tuple[Term, ...], ...]

    @property
    def keys(self) -> tuple[str, ...]:
        """Keys asked for, each once, in the order of the query."""
        return tuple(dict.fromkeys(term.key for terms in self.alternatives for term in terms))

    def matches(self, tags: Mapping[str, str]) -> bool:
        """Whether tags satisfy one of the alternatives."""
        return any(all(term.holds(tags) for term in terms) for terms in self.alternatives)


def parse_query(text: str) -> Query:
    """
    Read a query in the language of this module's docstring.

    Raises
    ------
    InputError
        Every malformed term of the query.
    """
    faults = Faults()
    alternatives = []
    for alternative in text.split(","):
        terms = []
        for written in alternative.split("&"):
            key, sign, rest = (part.strip() for part in written.partition("="))
            values = [value.strip() for value in rest.split("|")]
            said = f"the term {written.strip()!r} of the query {text!r}" if written.strip() else f"the query {text!r}"
            if not written.strip():
                faults.add(f"{said} has an empty term", column="query", remedy=_EXAMPLE)
            elif not sign or not key or key.endswith("!") or "=" in rest:
                faults.add(f"{said} is not of the form key=value", column="query", remedy=_EXAMPLE)
            elif "" in values:
                faults.add(f"{said} lacks a value", column="query", remedy=f"{_EXAMPLE}, or {key}=* for any value")
            elif "*" in values and len(values) > 1:
                faults.add(f"{said} asks for any value and for some", column="query", remedy=f"write {key}=* alone")
            else:
                terms.append(Term(key, frozenset() if values == ["*"] else frozenset(values)))
        alternatives.append(tuple(terms))
    faults.raise_if_any()
    return Query(tuple(alternatives))


def read_places(path: Path, query: str, *, name: str | None = None) -> pd.DataFrame:
    """
    Read the places whose tags satisfy a query.

    Nodes are taken as they are; closed ways and multipolygon (or boundary) relations give a point inside their area.
    Open ways and areas that run out of the extract have no inside and are left out. A place mapped twice, as a node
    and as a building, comes twice.

    Parameters
    ----------
    path
        ``.osm.pbf``, ``.osm``, ``.osm.bz2`` or ``.osm.gz``.
    query
        See this module's docstring.
    name
        How the file is called in messages; default its name.

    Returns
    -------
    pandas.DataFrame
        One row per place, nodes before ways before relations, each by number: ``id`` ("n123", "w123", "r123"),
        ``name``, ``lon``, ``lat`` (float64, WGS 84), then the keys asked for and ``TAG_COLUMNS`` as text, "" where
        absent.

    Raises
    ------
    InputError
        The query is malformed, nothing matches, or the file cannot be read (see `osm.opened_extract`).
    """
    name = name or path.name
    wanted = parse_query(query)
    tag_keys = tuple(key for key in dict.fromkeys((*wanted.keys, *TAG_COLUMNS)) if key != "name")
    by_key = osmium.filter.KeyFilter(*wanted.keys)
    point_kinds = osmium.filter.EntityFilter(osmium.osm.NODE | osmium.osm.AREA)
    shaper = osmium.geom.WKBFactory()

    found: list[tuple[int, int, dict[str, str]]] = []  # kind, number, tags
    spots: list[tuple[float, float]] = []
    outlines: list[str] = []
    outlined: list[int] = []
    seen: Counter[str] = Counter()
    with opened_extract(path, name) as processor:
        for entity in processor.with_areas(by_key).with_filter(by_key).with_filter(point_kinds):
            tags = dict(entity.tags)
            if not wanted.matches(tags):
                seen.update(f"{key}={tags[key]}" for key in wanted.keys if key in tags and key != "name")
                continue
            if isinstance(entity, osmium.osm.Area):
                try:
                    outline = shaper.create_multipolygon(entity)
                except (RuntimeError, osmium.InvalidLocationError):
                    continue  # a broken outline has no inside
                outlined.append(len(found))
                outlines.append(outline)
                found.append((1 if entity.from_way() else 2, entity.orig_id(), tags))
                spots.append((np.nan, np.nan))
            elif isinstance(entity, osmium.osm.Node) and entity.location.valid():
                found.append((0, entity.id, tags))
                spots.append((entity.location.lon, entity.location.lat))
    if not found:
        _raise_nothing(query, name, seen)

    lonlat = np.array(spots, dtype=np.float64)
    if outlines:
        inside = shapely.point_on_surface(shapely.from_wkb(np.array(outlines, dtype=object)))
        lonlat[outlined] = shapely.get_coordinates(inside)
    order = sorted(range(len(found)), key=lambda row: found[row][:2])
    table = {
        "id": [f"{_KINDS[found[row][0]]}{found[row][1]}" for row in order],
        "name": [found[row][2].get("name", "") for row in order],
        "lon": lonlat[order, 0],
        "lat": lonlat[order, 1],
    }
    for key in tag_keys:
        table[f"osm:{key}" if key in RESERVED else key] = [found[row][2].get(key, "") for row in order]
    return pd.DataFrame(table)


def _raise_nothing(query: str, name: str, seen: Counter[str]) -> None:
    faults = Faults(name)
    common = sorted(seen.items(), key=lambda item: (-item[1], item[0]))[:_SHOWN_VALUES]
    there = ", ".join(f"{tag} ({count})" for tag, count in common)
    faults.add(
        f"no place matches {query!r}",
        column="query",
        remedy=f"what it has is {there}" if there else "none of these keys is there; check their spelling",
    )
    faults.raise_if_any()
