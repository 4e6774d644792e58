"""p-medians solved apart from each other, each by a worker of a cluster; the answers are those found here."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import fields
from functools import lru_cache
from typing import Any

import numpy as np

from nearer.cluster import Batch, Job, Message, Shelf
from nearer.model import Certificate, Instance, Solution, Status, is_set_cover
from nearer.progress import Progress, Stop
from nearer.solvers import solve
from nearer.solvers.pmedian import solve_pmedian
from nearer.units import FloatArray, IntArray

_CERTIFICATE = "certificate:"
_SIZES = ("open_min", "open_max")  # small, and other in every question of a sweep


class Elsewhere:
    """
    Solves p-medians on a cluster.

    Parameters
    ----------
    batch
        Where they are handed out.
    """

    def __init__(self, batch: Batch) -> None:
        self._batch = batch
        self._sent: dict[int, tuple[object, str]] = {}  # array by its place in memory, kept so that the place stays its

    def ask(
        self,
        name: Hashable,
        instance: Instance,
        *,
        gap: float,
        seed: int,
        work_limit: int | None,
        start: IntArray | None = None,
        multipliers: FloatArray | None = None,
        threads: int = 1,
    ) -> None:
        """Hand out a problem as ``solve_pmedian`` takes it; ``threads`` do not matter there."""
        message: Message = {
            **self.told(instance),
            "gap": gap,
            "seed": seed,
            "work_limit": work_limit,
            "start": None if start is None else self._batch.shelf.put(start),
            "multipliers": None if multipliers is None else self._batch.shelf.put(multipliers),
        }
        self._batch.ask(name, solve_one, message)

    def told(self, instance: Instance) -> Message:
        """A problem as jobs are told it: names of its arrays, and how many sites may open."""
        if instance.rules is not None:
            raise ValueError("problems with rules are solved here")
        told = {field.name: getattr(instance, field.name) for field in fields(instance)}
        return {
            "instance": {
                key: self._put(value) if isinstance(value, np.ndarray) and key not in _SIZES else value
                for key, value in told.items()
                if key not in _SIZES
            },
            **{key: told[key].tolist() for key in _SIZES},
        }

    def solve(
        self,
        instance: Instance,
        *,
        gap: float,
        seed: int,
        stop: Stop,
        start: IntArray | None = None,
        threads: int = 1,
        progress: Progress | None = None,
    ) -> Solution:
        """As ``solvers.solve``: a p-median by one worker while this thread waits, else here."""
        limits: dict[str, Any] = {"gap": gap, "seed": seed, **({} if start is None else {"start": start})}
        if not is_set_cover(instance):
            self.ask(0, instance, work_limit=None, **limits)
            found: dict[int, Solution] = dict(self.answers(stop))
            if found:
                return found[0]
        return solve(instance, stop=stop, threads=threads, progress=progress, **limits)

    def done(self, function: Job, message: Message, stop: Stop) -> dict[str, np.ndarray] | None:
        """What one job answers while this thread waits; None where no worker begins it in time."""
        self._batch.ask(0, function, message)
        return dict(self._batch.answers(stop)).get(0)

    def answers(self, stop: Stop) -> Iterator[tuple[Any, Solution]]:
        """Solutions as they come; see ``Batch.answers``."""
        for name, answer in self._batch.answers(stop):
            yield name, unpacked(answer)

    def _put(self, array: np.ndarray) -> str:
        """Lay down an array of a problem, once where several problems share it."""
        known = self._sent.get(id(array))
        if known is None:
            known = self._sent[id(array)] = (array, self._batch.shelf.put(array))
        return known[1]


def in_order(found: Iterable[tuple[Any, Solution]], wanted: Iterable[Any]) -> Iterator[tuple[Any, Solution]]:
    """What is found, in the order wanted; what comes after one that is never found is kept back."""
    told: dict[Any, Solution] = {}
    left = iter(wanted)
    following = next(left, None)
    for name, solution in found:
        told[name] = solution
        while following in told:
            yield following, told.pop(following)
            following = next(left, None)


def solve_one(shelf: Shelf, message: Message, stop: Stop) -> dict[str, np.ndarray]:
    """The job: one p-median."""
    solution = solve_pmedian(
        instance_of(shelf, message),
        gap=message["gap"],
        seed=message["seed"],
        threads=1,
        work_limit=message["work_limit"],
        stop=stop,
        start=None if message["start"] is None else shelf.get(message["start"]),
        multipliers=None if message["multipliers"] is None else shelf.get(message["multipliers"]),
    )
    return packed(solution)


def instance_of(shelf: Shelf, message: Message) -> Instance:
    """The problem that ``Elsewhere.told`` told of."""
    given = _ground(shelf, tuple(message["instance"].items()))
    return Instance(**given | {key: np.array(message[key], dtype=np.int64) for key in _SIZES})


@lru_cache(maxsize=1)  # the questions of a sweep share most of it
def _ground(shelf: Shelf, parts: tuple[tuple[str, Any], ...]) -> dict[str, Any]:
    return shelf.get_fields(dict(parts))


def arrays_of(proof: Any, start: str) -> dict[str, np.ndarray]:
    """The arrays of a proof by their names, each after ``start``."""
    return {start + field.name: getattr(proof, field.name) for field in fields(proof)}


def arguments_in(found: dict[str, np.ndarray], start: str) -> dict[str, Any]:
    """What ``arrays_of`` told, as its class takes it."""
    return {name.removeprefix(start): array for name, array in found.items() if name.startswith(start)}


def packed(solution: Solution) -> dict[str, np.ndarray]:
    """A solution as arrays, its trace left out."""
    found = {
        "status": np.array(str(solution.status)),
        "level": solution.level,
        "row_idx": solution.row_idx,
        "assigned_idx": solution.assigned_idx,
        "share": solution.share,
        "numbers": np.array([solution.objective, solution.bound, solution.seconds]),
        "work": np.array(solution.work, dtype=np.int64),
        "proof": np.array(solution.proof),
    }
    if isinstance(solution.certificate, Certificate):
        found |= arrays_of(solution.certificate, _CERTIFICATE)
    return found


def unpacked(found: dict[str, np.ndarray]) -> Solution:
    """What ``packed`` was given."""
    certificate = arguments_in(found, _CERTIFICATE)
    objective, bound, seconds = found["numbers"].tolist()
    return Solution(
        status=Status(str(found["status"])),
        level=found["level"],
        row_idx=found["row_idx"],
        assigned_idx=found["assigned_idx"],
        share=found["share"],
        objective=objective,
        bound=bound,
        proof=str(found["proof"]),
        certificate=Certificate(**certificate) if certificate else None,
        seconds=seconds,
        work=int(found["work"]),
    )
