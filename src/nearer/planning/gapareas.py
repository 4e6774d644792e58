"""Points joined to contiguous areas, none too wide to be walked across, and what such an area covers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components, dijkstra
from scipy.spatial import ConvexHull, QhullError, cKDTree

from nearer.planning.access import sum_by
from nearer.units import FloatArray, IntArray

JOIN_M = 300.0
"""Points this near to each other belong together, or farther apart where they are the middles of larger cells."""
CELLS_APART = 1.5
"""Points no farther apart than so many cells are neighbours: 1.41 is the diagonal of squares, 1.73 two hexagons on."""
SQUARE_M = 100.0
"""Points are gathered in squares of this side first, so that densely listed ones cost no more than cells."""


@dataclass(frozen=True)
class Spots:
    """
    Points gathered in squares.

    Parameters
    ----------
    xy
        Mean of the points of each square, metres, float64 (n_spots, 2).
    spot
        Square of each point, int64 (n_points,).
    """

    xy: FloatArray
    spot: IntArray

    @classmethod
    def gather(cls, xy: FloatArray, square_m: float = SQUARE_M) -> Spots:
        """Put points, float64 (n_points, 2) in metres, into squares."""
        square = np.floor(xy / square_m).astype(np.int64)
        keys, spot, size = np.unique(square, axis=0, return_inverse=True, return_counts=True)
        spot = spot.ravel()
        middle = np.column_stack([sum_by(spot, xy[:, axis], len(keys)) / size for axis in (0, 1)])
        return cls(middle, spot)

    @property
    def n(self) -> int:
        """Number of squares with points."""
        return len(self.xy)


def neighbour_m(xy: FloatArray, cell_m: float | None) -> float:
    """
    How near two points must be to be neighbours, metres.

    Parameters
    ----------
    xy
        All points, metres, float64 (n_points, 2).
    cell_m
        Side of square cells; None to take the median distance to the nearest other point.
    """
    if cell_m is None:
        if len(xy) < 2:
            return JOIN_M
        cell_m = float(np.median(np.asarray(cKDTree(xy).query(xy, k=2)[0])[:, 1]))
    return max(JOIN_M, CELLS_APART * cell_m)


def contiguous(xy: FloatArray, weight: FloatArray, join_m: float, widest_m: float) -> IntArray:
    """
    Number of the contiguous area of each point, int64 (n_points,).

    Points within ``join_m`` of each other are joined. Where such an area holds crowds more than ``widest_m`` apart, it
    is divided between them: the spot with most weight around it, the next that is more than ``widest_m`` away from
    those before, and so on; every point goes to the one that is nearest along the area. Each part is contiguous.

    Parameters
    ----------
    xy
        Points, metres, float64 (n_points, 2).
    weight
        What makes a spot the middle of an area, float64 (n_points,).
    join_m, widest_m
        Metres.
    """
    if not len(xy):
        return np.zeros(0, dtype=np.int64)
    spots = Spots.gather(xy)
    links = _links(spots.xy, join_m)
    together = connected_components(links, directed=False)[1]
    seeds = _seeds(spots, sum_by(spots.spot, weight, spots.n), together, widest_m)
    nearest = dijkstra(links, directed=False, indices=seeds, min_only=True, return_predecessors=True)[2]
    return np.unique(nearest, return_inverse=True)[1].ravel()[spots.spot]


def _links(xy: FloatArray, join_m: float) -> csr_array:
    near = cKDTree(xy).query_pairs(join_m, output_type="ndarray")
    length = np.hypot(*(xy[near[:, 0]] - xy[near[:, 1]]).T)
    return csr_array(coo_array((length, (near[:, 0], near[:, 1])), shape=(len(xy), len(xy))))


def _seeds(spots: Spots, weight: FloatArray, together: IntArray, widest_m: float) -> IntArray:
    """Spots that each become the middle of an area."""
    # crowds, not single houses: the weight of the block around, blocks a quarter as wide as an area
    block = np.floor(spots.xy / (widest_m / 4)).astype(np.int64)
    block -= block.min(axis=0) - 1
    grid = np.zeros(block.max(axis=0) + 2)
    np.add.at(grid, (block[:, 0], block[:, 1]), weight)
    around = np.zeros(spots.n)
    for dx in (-1, 0, 1):
        for dy in (-1, 0, 1):
            around += grid[block[:, 0] + dx, block[:, 1] + dy]
    order = np.lexsort((-weight, -around))
    taken = np.zeros(spots.n, dtype=bool)
    tree = cKDTree(spots.xy)
    seeds = []
    for spot in order:
        if not taken[spot]:
            seeds.append(spot)
            near = np.array(tree.query_ball_point(spots.xy[spot], widest_m))
            taken[near[together[near] == together[spot]]] = True
    return np.array(sorted(seeds))


def outline(
    xy: FloatArray, join_m: float, cell_m: float | None, shapes: list[shapely.Geometry] | None
) -> shapely.Geometry:
    """
    The ground that an area's points cover, in metres: their cells, with the streets between neighbours filled.

    Parameters
    ----------
    xy
        Points of the area, metres, float64 (n_points, 2).
    join_m
        How near neighbours are.
    cell_m, shapes
        Side of the square cells, or the cells themselves; None where the points are no cells.
    """
    reach = join_m / 2
    if shapes is not None:
        cells: Any = np.array(shapes, dtype=object)
    elif cell_m is not None:
        half = cell_m / 2
        cells = shapely.box(xy[:, 0] - half, xy[:, 1] - half, xy[:, 0] + half, xy[:, 1] + half)
    else:
        cells = shapely.buffer(shapely.points(Spots.gather(xy).xy), SQUARE_M / 2, quad_segs=4)
    # grown by half the way to a neighbour and shrunk again: what lies between neighbours is filled
    grown = shapely.union_all(shapely.buffer(cells, reach, quad_segs=4))
    return shapely.simplify(shapely.buffer(grown, -0.95 * reach, quad_segs=4), SQUARE_M / 10)


def across_m(xy: FloatArray) -> float:
    """The longest straight line between two points of an area, metres."""
    corners = xy
    if len(xy) > 3:
        try:
            corners = xy[ConvexHull(xy).vertices]
        except QhullError:  # all on one line
            corners = xy[[*np.argmin(xy, axis=0), *np.argmax(xy, axis=0)]]
    apart = np.hypot(corners[:, None, 0] - corners[None, :, 0], corners[:, None, 1] - corners[None, :, 1])
    return float(apart.max())
