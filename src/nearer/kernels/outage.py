"""Kernels of outages: draws of lost sites, exact expectations, and who finds room."""

from __future__ import annotations

import numpy as np

from nearer.kernels.jit import kernel
from nearer.units import FloatArray, IntArray


@kernel
def nearest_with_room(
    row: IntArray, site: IntArray, time_ms: IntArray, left: FloatArray, room: FloatArray
) -> tuple[FloatArray, float]:
    """
    Serve pairs in their order while people are left and the site has room.

    Parameters
    ----------
    row, site, time_ms
        Pairs, nearest first, (n_pairs,).
    left
        People of each row, float64 (n_rows,); changed to those not served.
    room
        People each site can serve, float64 (n_sites,), changed to what is left.

    Returns
    -------
    served, walked_ms
        People served by each site, and their people × ms.
    """
    served = np.zeros(len(room))
    walked = 0.0
    for e in range(len(row)):
        i, j = row[e], site[e]
        if left[i] > 0.0 and room[j] > 0.0:
            part = min(left[i], room[j])
            left[i] -= part
            room[j] -= part
            served[j] += part
            walked += part * time_ms[e]
    return served, walked


@kernel
def walk_draws(
    indptr: IntArray,
    site_idx: IntArray,
    time_ms: IntArray,
    people: FloatArray,
    draws: IntArray,
    n_sites: int,
    unreached_ms: int,
    far_ms: int,
    walked: FloatArray,
    cut: FloatArray,
    far: FloatArray,
) -> None:
    """
    Send everyone to the nearest site that each draw leaves.

    Parameters
    ----------
    indptr, site_idx, time_ms
        Open sites of each row, nearest first: int64 (n_rows + 1,), (n_pairs,).
    people
        float64 (n_rows,).
    draws
        Sites lost in each draw, int64 (n_draws, number).
    n_sites, unreached_ms, far_ms
        Number of sites; what out of reach counts as, and what is far beyond, ms.
    walked, cut, far
        Added to: people × ms, people who lost every site, people farther than ``far_ms``; float64 (n_draws,).
    """
    is_lost = np.zeros(n_sites, dtype=np.bool_)
    for d in range(len(draws)):
        for k in range(draws.shape[1]):
            is_lost[draws[d, k]] = True
        for i in range(len(people)):
            e, end = indptr[i], indptr[i + 1]
            while e < end and is_lost[site_idx[e]]:
                e += 1
            if e < end:
                walked[d] += people[i] * time_ms[e]
                if time_ms[e] > far_ms:
                    far[d] += people[i]
            else:
                walked[d] += people[i] * unreached_ms
                far[d] += people[i]
                if indptr[i] < end:
                    cut[d] += people[i]
        for k in range(draws.shape[1]):
            is_lost[draws[d, k]] = False


@kernel
def expected_walk(
    indptr: IntArray,
    site_idx: IntArray,
    time_ms: IntArray,
    people: FloatArray,
    losable: IntArray,
    number: int,
    of: int,
    unreached_ms: int,
    far_ms: int,
) -> tuple[float, float, float]:
    """
    Expectations over all losses of ``number`` of ``of`` sites, each as likely: people × ms, people cut off, people far.

    That k given sites are all lost has the probability Π_{l<k} (number − l) / (of − l), so no draw is needed.

    Parameters
    ----------
    indptr, site_idx, time_ms, people, unreached_ms, far_ms
        As for ``walk_draws``.
    losable
        1 for each site that may be lost, (n_sites,).
    """
    walked, cut, far = 0.0, 0.0, 0.0
    for i in range(len(people)):
        start, end = indptr[i], indptr[i + 1]
        chance, gone = 1.0, 0  # that all before are lost, and how many those are
        for e in range(start, end):
            if losable[site_idx[e]] == 0:
                here, chance = chance, 0.0
            else:
                then = chance * max(number - gone, 0) / (of - gone)
                here, chance = chance - then, then
                gone += 1
            walked += people[i] * here * time_ms[e]
            if time_ms[e] > far_ms:
                far += people[i] * here
            if chance <= 0.0:
                break
        walked += people[i] * chance * unreached_ms
        far += people[i] * chance
        if start < end:
            cut += people[i] * chance
    return walked, cut, far
