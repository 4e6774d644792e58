"""What an area is called: its municipality or district, the suburb, and the nearest street or site."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nearer.planning.access import sum_by
from nearer.planning.far import NAME_RADIUS_M, Surroundings, nearest_name
from nearer.units import FloatArray, IntArray

SHARED = 0.25
"""A second district is named too if so large a share of an area lies in it."""


def area_name(
    around: Surroundings,
    points: IntArray,
    share: FloatArray,
    suburbs: tuple[Sequence[str], FloatArray],
    suburb_m: float,
) -> str:
    """
    Name of an area; "" where nothing near it has one.

    Parameters
    ----------
    around
        Districts, streets and sites.
    points, share
        Points of the area, and the share of its people at each, (n,).
    suburbs
        Names and places in metres, float64 (n_suburbs, 2).
    suburb_m
        A suburb is named if its middle is this near to the area's, metres.
    """
    # not a matrix product: those differ in the last bit with the number of threads
    xy = (share[:, None] * around.people_xy[points]).sum(axis=0)
    names, which = np.unique(around.areas[points].astype(str), return_inverse=True)
    part = sum_by(which.ravel(), share, len(names))
    order = np.argsort(-part, kind="stable")[:2]
    districts = [str(names[a]) for rank, a in enumerate(order) if names[a] and (rank == 0 or part[a] >= SHARED)]
    suburb_names = np.array(list(suburbs[0]), dtype=object)
    suburb = nearest_name(suburb_names, suburbs[1], xy, suburb_m)
    near = (around.street_names, around.street_xy), (around.site_names, around.sites_xy)
    landmark = next(filter(None, (nearest_name(name, at, xy, NAME_RADIUS_M) for name, at in near)), "")
    parts = [" and ".join(districts), "" if suburb in districts else suburb, landmark]
    if any(parts):
        return ", ".join(dict.fromkeys(filter(None, parts)))
    distant = next(filter(None, (nearest_name(name, at, xy, np.inf) for name, at in near)), "")
    return f"near {distant}" if distant else ""
