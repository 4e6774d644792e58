"""Coverage where a share of a person counts only once a second open site is near too: a twofold cover, as an answer."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from nearer.errors import InfeasibleError
from nearer.model import Instance, Status, TracePoint
from nearer.progress import Progress, Stop
from nearer.solvers.turns import Answer, Turn
from nearer.solvers.twofold import solve_twofold
from nearer.units import BoolArray


def uncovered(instance: Instance, open_mask: BoolArray) -> float:
    """Weight that a set of open sites leaves uncovered: all of a row with none, the second share with one site."""
    assert instance.second_share is not None
    rows = np.repeat(np.arange(instance.n_rows), np.diff(instance.indptr))
    near = np.bincount(rows[open_mask[instance.site_idx]], minlength=instance.n_rows)
    part = np.where(near == 0, 1.0, np.where(near == 1, instance.second_share, 0.0))
    return math.fsum(np.asarray(instance.weight[0]) * part)


def solve_backup(
    instance: Instance,
    existing: BoolArray,
    *,
    gap: float = 1e-4,
    seed: int = 0,
    threads: int = 1,
    work_limit: int | None = None,
    stop: Stop | None = None,
    progress: Progress | None = None,
) -> Answer:
    """
    Cover the most weight, a share of each row only with a second open site.

    Parameters
    ----------
    instance
        From ``covering_instance`` with ``second_share``; rows uncut, forced sites stand open.
    existing
        Sites of today, bool (n_sites,).
    gap, seed, threads, work_limit, stop, progress
        As in ``solve_twofold``; the gap is of the weight that is covered, not of what is left.

    Raises
    ------
    InfeasibleError
        More sites are to open than may.
    """
    stop = stop or Stop()
    began_s = stop.elapsed_s
    everyone = math.fsum(np.asarray(instance.weight[0]))

    def covered(left: float) -> float:
        return max(everyone - left, 0.0)

    def at_most(left: float) -> float:
        # up by what two roundings may have taken
        return min(everyone - max(left, 0.0) + (4e-16 * everyone if left > 0 else 0.0), everyone)

    options: dict[str, Any] = {"gap": gap, "seed": seed, "threads": threads, "work_limit": work_limit}
    solution = solve_twofold(
        instance, stop=stop, progress=progress, size=lambda left: covered(left) * (1 - 1e-6), **options
    )
    if solution.status is Status.INFEASIBLE:
        raise InfeasibleError(
            f"{int(instance.open_min[0])} sites are to open and only {int(instance.free_mask.sum())} may."
        )
    found = covered(uncovered(instance, solution.open_mask))
    bound = max(at_most(solution.bound), found)
    turn = Turn(
        name="coverage",
        unit="people",
        maximise=True,
        found=found,
        bound=bound,
        tolerance=0.0,
        optimal=solution.status is Status.OPTIMAL,
        reached=solution.status in (Status.OPTIMAL, Status.GAP),
        proof=solution.proof,
        certificate=solution.certificate,  # type: ignore[arg-type]
        before=covered(uncovered(instance, existing)),
        final=found,
    )
    trace = tuple(
        TracePoint(
            point.seconds,
            covered(point.value) if math.isfinite(point.value) else point.value,
            at_most(point.bound) if math.isfinite(point.bound) else point.bound,
        )
        for point in solution.trace
    )
    return Answer(solution.open_mask, (turn,), trace, solution.work, stop.elapsed_s - began_s)
