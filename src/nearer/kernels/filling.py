"""Water-filling: fractions that rise together until something that some of them share is full."""

from __future__ import annotations

import numpy as np

from nearer.kernels.jit import kernel
from nearer.units import FloatArray, IntArray

NOT_HELD = -1


@kernel
def fill(
    cut_ptr: IntArray, goal: IntArray, weight: FloatArray, goal_ptr: IntArray, cut: IntArray, room: FloatArray,
    most: FloatArray, level: FloatArray, held: IntArray,
) -> None:  # fmt: skip
    """
    Raise all goals at one rate; those in a cut that is full, or at their most, stay; the others rise on.

    The result is the leximin point of ``{f : 0 ≤ f ≤ most, Σ weight · f ≤ room for each cut}`` (Bertsekas and Gallager
    1992, section 6.5.2; Radunović and Le Boudec 2007, section III), since all weights are above zero.

    Parameters
    ----------
    cut_ptr, goal, weight
        Cuts as sparse rows: int64 (n_cuts + 1,), int32 and float64 (n_entries,).
    goal_ptr, cut
        The cuts of each goal: int64 (n_goals + 1,), int64 (n_entries,) positions in ``goal`` and ``weight`` of the
        entries, by goal; the cut of an entry is found in ``cut[0, :]``, its position in ``cut[1, :]``.
    room
        float64 (n_cuts,).
    most
        float64 (n_goals,).
    level, held
        Written: float64 and int64 (n_goals,); the cut that holds each goal, ``NOT_HELD`` for its own most.
    """
    n_cuts, n_goals = len(room), len(most)
    left = room.copy()
    moving = np.zeros(n_cuts)
    n_moving = np.zeros(n_cuts, dtype=np.int64)
    for c in range(n_cuts):
        for e in range(cut_ptr[c], cut_ptr[c + 1]):
            moving[c] += weight[e]
            n_moving[c] += 1
    done = np.zeros(n_goals, dtype=np.bool_)
    by_most = np.argsort(most, kind="mergesort")
    nearest, n_done = 0, 0
    stopped = np.empty(n_goals, dtype=np.int64)
    while n_done < n_goals:
        while done[by_most[nearest]]:
            nearest += 1
        now = most[by_most[nearest]]
        for c in range(n_cuts):
            if n_moving[c] > 0:
                now = min(now, max(0.0, left[c] / moving[c]))
        edge = now * (1.0 + 1e-13) + 1e-300
        n_stopped = 0
        for c in range(n_cuts):
            if n_moving[c] > 0 and left[c] <= edge * moving[c]:
                for e in range(cut_ptr[c], cut_ptr[c + 1]):
                    g = goal[e]
                    if not done[g]:
                        done[g], held[g], level[g] = True, c, min(now, most[g])
                        stopped[n_stopped] = g
                        n_stopped += 1
        for k in range(nearest, n_goals):
            g = by_most[k]
            if most[g] > edge:
                break
            if not done[g]:
                done[g], held[g], level[g] = True, NOT_HELD, most[g]
                stopped[n_stopped] = g
                n_stopped += 1
        for k in range(n_stopped):
            g = stopped[k]
            for e in range(goal_ptr[g], goal_ptr[g + 1]):
                c, at = cut[0, e], cut[1, e]
                left[c] -= weight[at] * level[g]
                moving[c] -= weight[at]
                n_moving[c] -= 1
        n_done += n_stopped
