"""Outages nobody named: at random, the worst, and the worst once some centres are made safe."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from itertools import combinations

import numpy as np

from nearer.cluster import Batch, Message, Shelf
from nearer.kernels.outage import expected_walk, walk_draws
from nearer.model import FORBIDDEN, FREE, OPEN, Instance, relative_gap
from nearer.model.build import build_instance
from nearer.network import TravelTimes
from nearer.planning.stress import Situation, newly_cut_off
from nearer.planning.stress_document import Hardened, RandomLosses, Spread, WorstLoss
from nearer.progress import Stop
from nearer.solvers.apart import Elsewhere
from nearer.solvers.fortification import Fortified, fortify
from nearer.solvers.interdiction import Loss, worst_loss
from nearer.solvers.losses_apart import fortify_there, worst_there
from nearer.units import MS_PER_MIN, BoolArray, FloatArray, IntArray, StrArray

INTERVAL = (0.025, 0.5, 0.975)
"""Quantiles that are told."""

_DRAWS_AT_ONCE = 64
_DRAWS_PER_JOB = 256
_TOLD = ("walked", "cut", "far")


def random_losses(
    situation: Situation,
    ours_mask: BoolArray,
    number: int,
    draws: int,
    seed: int,
    unreached_ms: int,
    coverage_ms: int,
    ids: StrArray,
    stop: Stop,
    batch: Batch | None = None,
) -> RandomLosses:
    """
    Lose centres at random, every set of that number as likely as any other.

    Where there are no more sets than draws, every set is looked at once. The mean over all sets comes by formula in any
    case.

    Parameters
    ----------
    situation
        Who lives where and what is in service.
    ours_mask
        Sites that may be lost, bool (n_sites,).
    number, draws, seed
        Sites lost each time, how often, and the start of the draws.
    unreached_ms, coverage_ms
        What out of reach counts as, and what counts as near.
    ids
        Of all sites.
    stop
        Who may end it early, with the draws made so far.
    batch
        Workers of a cluster that share the draws; None makes them here. The answer is the same.
    """
    sites = np.flatnonzero(ours_mask & situation.open_mask)
    number = min(number, len(sites))
    exact = math.comb(len(sites), number) <= draws
    lost = sites[all_sets(len(sites), number) if exact else drawn(len(sites), number, draws, seed)]
    demand, n_sites = situation.demand, len(situation.open_mask)
    rows = [_open_rows(times, situation.open_mask) for times in situation.class_times]
    walked, cut, far = (np.zeros(len(lost)) for _ in range(3))
    done = 0
    if batch is not None:
        done = _drawn_elsewhere(
            batch, demand.class_people, rows, lost, (n_sites, unreached_ms, coverage_ms), stop, (walked, cut, far)
        )
    while done < len(lost) and not (done and stop()):
        part = slice(done, done + _DRAWS_AT_ONCE)
        _walk(
            demand.class_people,
            rows,
            lost[part],
            (n_sites, unreached_ms, coverage_ms),
            (walked[part], cut[part], far[part]),
        )
        done += len(lost[part])
    exact = exact and done == len(lost)
    lost, walked, cut, far = lost[:done], walked[:done], cut[:done], far[:done]
    losable = (ours_mask & situation.open_mask).astype(np.int64)
    expected = np.zeros(3)
    for people, (indptr, site_idx, time_ms) in zip(demand.class_people, rows, strict=True):
        expected += expected_walk(
            indptr, site_idx, time_ms, people, losable, number, len(sites), unreached_ms, coverage_ms
        )
    everyone = max(math.fsum(demand.class_people.ravel()), 1e-300)
    worst = int(np.argmax(walked))
    return RandomLosses(
        number=number,
        of=len(sites),
        draws=done,
        exact=exact,
        mean_min=spread(walked / everyone / MS_PER_MIN, float(expected[0]) / everyone / MS_PER_MIN, exact),
        cut_off=spread(cut, float(expected[1]), exact),
        far=spread(far, float(expected[2]), exact),
        worst_drawn=[str(ids[site]) for site in np.sort(lost[worst])],
    )


Rows = tuple[IntArray, IntArray, IntArray]


def _walk(
    class_people: FloatArray | Sequence[FloatArray],
    rows: Sequence[Rows],
    lost: IntArray,
    numbers: tuple[int, int, int],
    into: tuple[FloatArray, FloatArray, FloatArray],
) -> None:
    """Add what some draws do to everybody; ``numbers``: of sites, and what is unreached and far, ms."""
    for people, (indptr, site_idx, time_ms) in zip(class_people, rows, strict=True):
        walk_draws(indptr, site_idx, time_ms, people, lost, *numbers, *into)


def _drawn_elsewhere(
    batch: Batch,
    class_people: FloatArray | Sequence[FloatArray],
    rows: Sequence[Rows],
    lost: IntArray,
    numbers: tuple[int, int, int],
    stop: Stop,
    into: tuple[FloatArray, FloatArray, FloatArray],
) -> int:
    """Draws made by the workers of a cluster, so many a job; how many are done without a gap from the first on."""
    put = batch.shelf.put
    shared = {
        "people": [put(people) for people in class_people],
        "rows": [[put(array) for array in one] for one in rows],
        "numbers": list(numbers),
    }
    starts = range(0, len(lost), _DRAWS_PER_JOB)
    for start in starts:
        batch.ask(start, walk_some, {**shared, "lost": put(lost[start : start + _DRAWS_PER_JOB])})
    told = set[int]()
    for start, answer in batch.answers(stop):
        told.add(start)
        for array, name in zip(into, _TOLD, strict=True):
            array[start : start + _DRAWS_PER_JOB] = answer[name]
    done = next((start for start in starts if start not in told), len(lost))
    for array in into:
        array[done:] = 0.0  # what lies beyond a gap is made anew, or not at all
    return done


def walk_some(shelf: Shelf, message: Message, stop: Stop) -> dict[str, np.ndarray]:
    """The job: what some draws do to everybody."""
    people, rows = _shared(shelf, tuple(message["people"]), tuple(map(tuple, message["rows"])))
    lost = shelf.get(message["lost"])
    found = tuple(np.zeros(len(lost)) for _ in range(3))
    for first in range(0, len(lost), _DRAWS_AT_ONCE):
        part = slice(first, first + _DRAWS_AT_ONCE)
        into = (found[0][part], found[1][part], found[2][part])
        _walk(people, rows, lost[part], tuple(message["numbers"]), into)
    return dict(zip(_TOLD, found, strict=True))


@lru_cache(maxsize=1)
def _shared(
    shelf: Shelf, people: tuple[str, ...], rows: tuple[tuple[str, str, str], ...]
) -> tuple[list[FloatArray], list[Rows]]:
    return [shelf.get(name) for name in people], [(shelf.get(a), shelf.get(b), shelf.get(c)) for a, b, c in rows]


def all_sets(n: int, number: int) -> IntArray:
    """Every set of ``number`` of n positions, int64 (n over number, number)."""
    return np.array(list(combinations(range(n), number)), dtype=np.int64).reshape(-1, number)


def drawn(n: int, number: int, draws: int, seed: int) -> IntArray:
    """Sets of ``number`` of n positions drawn at random, int64 (draws, number)."""
    rng = np.random.default_rng(seed)
    return np.argsort(rng.random((draws, n)), axis=1, kind="stable")[:, :number]


def _open_rows(times: TravelTimes, open_mask: BoolArray) -> tuple[IntArray, IntArray, IntArray]:
    """Rows with open sites only."""
    keep = open_mask[times.site_idx]
    before = np.concatenate([[0], np.cumsum(keep)])
    return before[times.indptr], times.site_idx[keep], times.time_ms[keep]


def spread(values: FloatArray, exact_mean: float, exact: bool) -> Spread:
    """Mean, its standard error and the interval of some draws: its ends are draws, so that it holds what it says."""
    low, median, high = (float(value) for value in np.quantile(values, INTERVAL, method="inverted_cdf"))
    error = 0.0 if exact or len(values) < 2 else float(np.std(values, ddof=1)) / math.sqrt(len(values))
    return Spread(
        mean=math.fsum(values) / len(values),
        exact_mean=exact_mean,
        standard_error=error,
        low=low,
        median=median,
        high=high,
        most=float(values.max()),
    )


def loss_instance(situation: Situation, ours_mask: BoolArray, unreached_ms: int) -> Instance:
    """Sites in service as ``solvers.interdiction`` takes them: ours may be lost, others' stand."""
    stands = np.where(ours_mask, FREE, OPEN)
    standing = np.where(situation.open_mask, stands, FORBIDDEN).astype(np.int8)
    return build_instance(situation.demand, situation.class_times, standing, 0, len(standing), unreached_ms)


def worst(
    situation: Situation,
    ours_mask: BoolArray,
    number: int,
    unreached_ms: int,
    ids: StrArray,
    stop: Stop,
    elsewhere: Elsewhere | None = None,
) -> tuple[WorstLoss, Loss]:
    """The centres whose loss together hurts most, searched elsewhere or here; the rest as for ``random_losses``."""
    instance = loss_instance(situation, ours_mask, unreached_ms)
    if elsewhere is None:
        loss, _ = worst_loss(instance, number, stop=stop)
    else:
        loss = worst_there(elsewhere, instance, number, stop)
    then = Situation(situation.demand, situation.class_times, _without(situation.open_mask, loss.sites))
    was, now = situation.access(), then.access()
    people = situation.demand.class_people
    total = max(math.fsum(people.ravel()), 1e-300)
    return (
        WorstLoss(
            number=len(loss.sites),
            of=int((ours_mask & situation.open_mask).sum()),
            sites=[str(ids[site]) for site in loss.sites],
            loss_person_min=loss.value / MS_PER_MIN,
            bound=loss.bound / MS_PER_MIN,
            gap=relative_gap(loss.value, loss.bound),
            status="optimal" if loss.optimal else "feasible",
            cut_off=float(people[newly_cut_off(was, now)].sum()),
            mean_min=math.fsum((people * now.counted_ms(unreached_ms)).ravel()) / total / MS_PER_MIN,
        ),
        loss,
    )


def harden(
    situation: Situation,
    ours_mask: BoolArray,
    safe_number: int,
    lost_number: int,
    unreached_ms: int,
    ids: StrArray,
    stop: Stop,
    elsewhere: Elsewhere | None = None,
) -> tuple[Hardened, Fortified]:
    """Which centres to make safe so that the worst loss of others hurts least; the rest as for ``random_losses``."""
    instance = loss_instance(situation, ours_mask, unreached_ms)
    if elsewhere is None:
        found = fortify(instance, safe_number, lost_number, stop=stop)
    else:
        found = fortify_there(elsewhere, instance, safe_number, lost_number, stop)

    def named(sites: IntArray | Sequence[int]) -> list[str]:
        return [str(ids[site]) for site in sites]

    gap = relative_gap(found.value, found.bound)
    return (
        Hardened(
            number=len(found.safe),
            against=lost_number,
            sites=named(found.safe),
            worst=named(found.worst.sites),
            loss_person_min=found.worst.value / MS_PER_MIN,
            unprotected_person_min=found.unprotected.value / MS_PER_MIN,
            at_most=found.value / MS_PER_MIN,
            bound=found.bound / MS_PER_MIN,
            gap=gap,
            status="optimal" if gap <= 1e-9 and found.worst.optimal else "feasible",
            proof="certificate" if found.certified else "solver",
        ),
        found,
    )


def _without(open_mask: BoolArray, sites: IntArray) -> BoolArray:
    left = open_mask.copy()
    left[sites] = False
    return left
