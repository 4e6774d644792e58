"""Who is sent where by a plan with limited room, in the shape in which the map shows who goes to the nearest."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import scipy.sparse

from nearer.errors import UsageError
from nearer.network import TravelTimes
from nearer.planning.access import Access
from nearer.planning.files import ASSIGNMENT_FILE
from nearer.serve.studies import plan_folder
from nearer.units import NO_SITE, UNREACHED


def sending_of(study: Path, plan: str) -> str:
    """Name of a plan's sending, another for each plan in its place; "" where everybody goes to the nearest."""
    path = plan_folder(study, plan) / ASSIGNMENT_FILE
    if not path.is_file():
        return ""
    state = path.stat()
    return f"{plan}.{hashlib.sha256(f'{state.st_mtime_ns} {state.st_size}'.encode()).hexdigest()[:8]}"


def as_sent(access: Access, times: Sequence[TravelTimes], study: Path, sending: str) -> Access:
    """
    The same people as a plan sends them at its end, without its programmes.

    A point whose people are split shows the site that most of them go to, and their mean minutes; where most have no
    place it is out of reach.

    Parameters
    ----------
    access
        Everybody at the nearest open site.
    times
        Uncut times of each speed class.
    study, sending
        The study's folder, and the name of the sending.

    Raises
    ------
    UsageError
        The plan was made anew since, or its study has changed.
    """
    plan = sending.partition(".")[0]
    if sending_of(study, plan) != sending:
        raise UsageError("This plan was made anew meanwhile: open it again.")
    with np.load(plan_folder(study, plan) / ASSIGNMENT_FILE) as found:
        last = (found["phase"] == found["phase"].max(initial=0)) & (found["pool"] == 0)
        parts = [found[name][last].astype(np.int64) for name in ("speed_class", "point", "site")]
        share = found["share"][last].astype(np.float64)
    speed_class, point, site = parts
    n_classes, n_points = access.people.shape
    if len(point) and (point.max() >= n_points or speed_class.max() >= n_classes or site.max() >= times[0].n_sites):
        raise UsageError("The study's files have changed since this plan was made: plan again.")
    time_ms = np.zeros(len(point))
    for c, one in enumerate(times):
        shape = n_points, one.n_sites
        table = scipy.sparse.csr_matrix((one.time_ms.astype(np.float64) + 1.0, one.site_idx, one.indptr), shape=shape)
        mine = speed_class == c
        time_ms[mine] = np.asarray(table[point[mine], site[mine]]).ravel() - 1.0
    row = speed_class * n_points + point
    placed = np.bincount(row, weights=share, minlength=n_classes * n_points)
    minutes = np.bincount(row, weights=share * time_ms, minlength=n_classes * n_points)
    main = np.full(n_classes * n_points, NO_SITE, dtype=np.int32)
    order = np.argsort(share, kind="stable")
    main[row[order]] = site[order]  # the largest part is written last
    has_place = placed >= 0.5
    mean = np.where(has_place, np.rint(minutes / np.where(has_place, placed, 1.0)), UNREACHED)
    return replace(
        access,
        site_idx=np.where(has_place, main, NO_SITE).astype(np.int32).reshape(n_classes, n_points),
        time_ms=mean.astype(np.int32).reshape(n_classes, n_points),
    )
