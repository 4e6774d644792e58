"""Vector tiles of a study's streets and of its people, made when they are asked for."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from nearer.inputs.tables import STREET_CLASSES, Streets
from nearer.report.mapcells import gain_class, minute_class
from nearer.report.tokens import MINUTE_BREAKS
from nearer.serve import mvt
from nearer.serve.scene import Scene
from nearer.serve.situation import Situation
from nearer.units import FloatArray, IntArray

_LEAST_ZOOM = {"motorway": 0, "major": 0, "ferry": 8, "minor": 9, "path": 11}
"""From which zoom on each class of streets is drawn: before, it would only make the ground grey."""

_WHOLE_ZOOM = 13
"""From which zoom on ways are drawn one by one; before, they are many and short."""

_MOST_LINES = 6_000
"""In one tile; beyond, the less important classes are a grey cloud that takes long to draw."""

_MOST_SQUARES, _GATHERED = 3_000, 32
"""More people's squares in one tile are gathered into squares of so many units (four pixels)."""

_SIDES = (0.62, 0.76, 0.88, 0.98)  # as in nearer.report.mapcells
_LEAST_SIDE = 12  # units; a pixel and a half


@dataclass(frozen=True)
class StreetLines:
    """
    Streets as lines between the ends of ways, with an index.

    Parameters
    ----------
    lines
        In shares of the world, object (n,).
    kind
        Position in ``STREET_CLASSES``, (n,).
    """

    lines: NDArray[np.object_]
    kind: IntArray

    @classmethod
    def of(cls, streets: Streets) -> StreetLines:
        """String consecutive segments of a way together."""
        u, v = mvt.mercator(streets.lon, streets.lat)
        start, end, way = streets.from_idx, streets.to_idx, streets.way_idx
        breaks = np.ones(len(start), dtype=bool)
        breaks[1:] = (way[1:] != way[:-1]) | (start[1:] != end[:-1])
        line = np.cumsum(breaks) - 1
        # nodes of a line: the start of its first segment, then the end of each
        size = np.bincount(line) + 1 if len(line) else np.zeros(0, dtype=np.int64)
        node = np.empty(int(size.sum()), dtype=np.int64)
        at = np.arange(len(start)) + line + 1
        node[at] = end
        node[at[breaks] - 1] = start[breaks]
        owner = np.repeat(np.arange(len(size)), size)
        found = shapely.linestrings(np.column_stack([u[node], v[node]]), indices=owner)
        return cls(np.asarray(found, dtype=object), np.asarray(streets.street_class[breaks]))

    @cached_property
    def tree(self) -> shapely.STRtree:
        """Index of the lines."""
        return shapely.STRtree(self.lines)

    def tile(self, z: int, x: int, y: int) -> bytes:
        """Layer ``streets``, one feature per class with its name as ``kind``."""
        box = mvt.tile_box(z, x, y)
        at = np.sort(self.tree.query(shapely.box(*box)))
        features = []
        shown = 0
        for kind, name in enumerate(STREET_CLASSES):  # the most important first
            mine = self.lines[at[self.kind[at] == kind]]
            if z < _LEAST_ZOOM[name] or not len(mine) or shown + len(mine) > _MOST_LINES:
                continue
            shown += len(mine)
            # Half a pixel at this zoom: whole to the eye. Ways are strung together first, since each keeps its ends.
            if z < _WHOLE_ZOOM:
                mine = shapely.get_parts(shapely.line_merge(shapely.multilinestrings(mine)))
            mine = shapely.simplify(mine, 4.0 / mvt.EXTENT / (1 << z), preserve_topology=False)
            parts = shapely.get_parts(shapely.clip_by_rect(mine, *box))
            parts = parts[shapely.get_type_id(parts) == shapely.GeometryType.LINESTRING]
            xy, owner = shapely.get_coordinates(parts, return_index=True)
            features.append(mvt.lines(*mvt.in_tile(xy[:, 0], xy[:, 1], z, x, y), owner, {"kind": name}))
        return mvt.layer("streets", features)


DIM = 99
"""Class of people who are not spoken of."""


class PeopleTiles:
    """People as squares, or in the shapes they came in, coloured by minutes or by what changes."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        table = scene.tables.people.table
        self.u, self.v = mvt.mercator(table["lon"].to_numpy(), table["lat"].to_numpy())
        lat = np.radians(table["lat"].to_numpy())
        self.per_m = 1.0 / (2.0 * np.pi * 6_378_137.0 * np.cos(lat))  # of the world
        shapes = scene.tables.people.shapes
        self.shapes = None if shapes is None or scene.tables.people.cell_m is not None else self._rings(shapes)

    @staticmethod
    def _rings(shapes: object) -> NDArray[np.object_]:
        turned = shapely.transform(
            np.asarray(shapes, dtype=object), lambda xy: np.column_stack(mvt.mercator(xy[:, 0], xy[:, 1]))
        )
        return np.asarray(turned, dtype=object)

    @cached_property
    def cell_m(self) -> FloatArray:
        """Side of each square, metres: a cell's own, or what fits between neighbours; the more people, the larger."""
        people = self.scene.demand.total
        share = np.sqrt(people / max(float(np.quantile(people, 0.9)), 1e-9))
        steps = np.array(_SIDES)[np.searchsorted([0.5, 0.7, 0.88], share)]
        cell_m = self.scene.tables.people.cell_m
        if cell_m is not None:
            return np.asarray(steps * cell_m)
        spots = np.column_stack([self.u, self.v])
        apart = np.asarray(cKDTree(spots).query(spots, k=min(2, len(spots)))[0]).reshape(len(spots), -1)[:, -1]
        return np.asarray(steps * np.clip(np.median(apart / self.per_m), 20.0, 200.0))

    @cached_property
    def tree(self) -> shapely.STRtree:
        """Index of the points or shapes."""
        return shapely.STRtree(np.asarray(shapely.points(self.u, self.v)) if self.shapes is None else self.shapes)

    def classes(self, at: Situation, before: Situation | None, group: str | None) -> IntArray:
        """Class of each point: of minutes, or of minutes saved since ``before``; -1 where nobody of the group lives."""
        now = self.scene.seen(at).minutes
        found = minute_class(now) if before is None else change_class(self.scene.seen(before).minutes, now)
        if group:
            place = self.scene.demand.groups.index(group)
            found = np.where(self.scene.demand.people[place] > 0, found, -1)
        return np.asarray(found)

    def served(self, classes: IntArray, at: Situation, site: int) -> IntArray:
        """The same classes, ``DIM`` where people do not go to a site."""
        return np.where(self.scene.seen(at).access.main_site() == site, classes, DIM)

    def tile(self, z: int, x: int, y: int, classes: IntArray) -> bytes:
        """Layer ``people``, one feature per class with its number as ``k``."""
        box = mvt.tile_box(z, x, y)
        at = np.sort(self.tree.query(shapely.box(*box)))
        if self.shapes is None and len(at) > _MOST_SQUARES:
            return mvt.layer("people", self._gathered(at, classes, z, x, y))
        features: list[mvt.Feature | None] = []
        for k in np.unique(classes[at]):
            if k < 0:
                continue
            mine = at[classes[at] == k]
            features.append(
                self._squares(mine, int(k), z, x, y)
                if self.shapes is None
                else self._shapes(mine, int(k), box, z, x, y)
            )
        return mvt.layer("people", features)

    def _gathered(self, at: IntArray, classes: IntArray, z: int, x: int, y: int) -> list[mvt.Feature | None]:
        """Squares of one size, each in the class that most of its people are in (the lower one where they are even)."""
        at = at[classes[at] >= 0]
        px, py = mvt.in_tile(self.u[at], self.v[at], z, x, y)
        column, row = px // _GATHERED, py // _GATHERED
        wide = mvt.EXTENT // _GATHERED + 16
        square, place = np.unique((row + 8) * wide + column + 8, return_inverse=True)
        n = int(classes[at].max(initial=0)) + 1
        people = np.bincount(place * n + classes[at], weights=self.scene.demand.total[at], minlength=len(square) * n)
        most = people.reshape(len(square), n).argmax(axis=1)
        middle_x = (square % wide - 8) * _GATHERED + _GATHERED // 2
        middle_y = (square // wide - 8) * _GATHERED + _GATHERED // 2
        half = np.full(len(square), _GATHERED // 2 - 1)
        return [
            mvt.squares(middle_x[most == k], middle_y[most == k], half[most == k], {"k": int(k)})
            for k in np.unique(most)
        ]

    def _squares(self, mine: IntArray, k: int, z: int, x: int, y: int) -> mvt.Feature | None:
        px, py = mvt.in_tile(self.u[mine], self.v[mine], z, x, y)
        side = self.cell_m[mine] * self.per_m[mine] * float(1 << z) * mvt.EXTENT
        half = np.rint(np.maximum(side, _LEAST_SIDE) / 2).astype(np.int64)
        return mvt.squares(px, py, half, {"k": k})

    def _shapes(
        self, mine: IntArray, k: int, box: tuple[float, float, float, float], z: int, x: int, y: int
    ) -> mvt.Feature | None:
        assert self.shapes is not None
        clipped = shapely.clip_by_rect(self.shapes[mine], *box)
        parts = shapely.get_parts(clipped)
        parts = parts[(shapely.get_type_id(parts) == shapely.GeometryType.POLYGON) & ~shapely.is_empty(parts)]
        # y runs down in tiles, so that a ring clockwise on the screen is one against the clock in these numbers
        parts = shapely.orient_polygons(parts, exterior_cw=False)
        rings = shapely.get_rings(parts)
        xy, owner = shapely.get_coordinates(rings, return_index=True)
        last = np.diff(owner, append=-1) != 0  # rings come closed; tiles close them by a command
        px, py = mvt.in_tile(xy[~last, 0], xy[~last, 1], z, x, y)
        return mvt.rings(px, py, owner[~last], {"k": k})


CHANGES = ("much worse", "worse", "none", "a little", "some", "much", "very much", "newly")
"""Classes of change: 0 and 1 longer, 2 none, 3 … 6 shorter, 7 newly within reach; see ``change_class``."""


def change_class(before: FloatArray, after: FloatArray) -> IntArray:
    """Class of change of each point: much longer or lost, longer, none, shorter in four steps, newly reached."""
    better = gain_class(before, after)
    worse = gain_class(after, before)
    return np.where(better > 0, better + 2, np.where(worse >= 3, 0, np.where(worse > 0, 1, 2)))


def n_classes(compared: bool) -> int:
    """How many classes a map of minutes, or of changes, has."""
    return len(CHANGES) if compared else len(MINUTE_BREAKS) + 2


class Tiles:
    """Tiles of one scene; indices are built once and empty tiles are told apart from those beyond the study."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self._lock = threading.Lock()

    @cached_property
    def _streets(self) -> StreetLines | None:
        return None if self.scene.tables.streets is None else StreetLines.of(self.scene.tables.streets)

    @cached_property
    def _people(self) -> PeopleTiles:
        return PeopleTiles(self.scene)

    def streets(self, z: int, x: int, y: int) -> bytes:
        """A tile of streets; b"" where there are none."""
        with self._lock:
            found = self._streets
        return b"" if found is None else found.tile(z, x, y)

    def people(
        self,
        z: int,
        x: int,
        y: int,
        at: Situation,
        before: Situation | None,
        group: str | None,
        only: int | None = None,
    ) -> bytes:
        """A tile of people; ``only`` is the site whose people alone have a colour."""
        with self._lock:
            found = self._people
        classes = found.classes(at, before, group)
        return found.tile(z, x, y, classes if only is None else found.served(classes, at, only))

    def people_by_class(self, at: Situation, before: Situation | None, group: str | None) -> list[float]:
        """People of each class, for the legend."""
        with self._lock:
            found = self._people
        classes = found.classes(at, before, group)
        demand = self.scene.demand
        people = demand.people[demand.groups.index(group)] if group else demand.total
        there = classes >= 0
        counted = np.bincount(classes[there], weights=people[there], minlength=n_classes(before is not None))
        return [round(float(count), 1) for count in counted]
