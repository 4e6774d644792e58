"""What is asked of a benchmark file: which problem it is to be, and whether that fits the file's format."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

from nearer.errors import UsageError
from nearer.model import Decay
from nearer.model.plane import Rounding
from nearer.study.pairs import Format

Kind = Literal["p-median", "ufl", "cflp", "sscflp", "p-center", "max-cover", "set-cover", "partial-cover"]
_DISTANCES: tuple[Kind, ...] = ("p-median", "p-center", "max-cover", "set-cover")
_WAREHOUSES: tuple[Kind, ...] = ("ufl", "cflp", "sscflp")
PROBLEMS: dict[Format, tuple[Kind, ...]] = {
    "orlib-pmed": _DISTANCES,
    "orlib-pmedcap": ("sscflp",),
    "orlib-cap": _WAREHOUSES,
    "kcapm": ("ufl",),
    "tsplib": _DISTANCES,
    "holmberg": _WAREHOUSES,
    "yang": _WAREHOUSES,
    "delmaire": _WAREHOUSES,
    "tbed1": _WAREHOUSES,
    "mclp-grid": ("max-cover", "set-cover"),
    "points": ("max-cover", "partial-cover", "p-center", "p-median"),
    "csv": tuple(kind for kind in get_args(Kind) if kind != "partial-cover"),
}
"""What each format can be asked for."""

ON_THE_RIM = 1e-12
"""Relative difference by which a distance may exceed the radius: coordinates have few decimals, floats are rounded."""


@dataclass(frozen=True)
class Request:
    """
    What is asked of a benchmark file.

    Parameters
    ----------
    problem, file_format
        What to solve, and how the file is written.
    p
        Sites to open, exactly; None for the number in the file, or as many as pay where opening has a price.
    radius
        Covering: the distance up to which a site covers a customer.
    budget
        Maximal covering, instead of p: what the open sites may cost together at most.
    distance
        TSPLIB: what is made of Euclidean distances; published p-median values take the floor.
    capacity
        OR-Library: the number for the word ``capacity``.
    problem_number
        OR-Library's pmedcap: which of the problems in the file, from 1.
    second_share
        Maximal covering: share of a customer's weight that counts only once a second open site covers it.
    decay_to
        Maximal covering: the distance, beyond the radius, at which a weight that falls in a straight line is gone.
    decay_table
        Maximal covering, in place of the radius: distances, each with the share that counts up to it.
    sites_file
        Points: the file with the sites.
    cover_share
        Partial covering: share of all weight that must be covered.
    """

    problem: Kind
    file_format: Format
    p: int | None = None
    radius: float | None = None
    budget: float | None = None
    distance: Rounding = "floor"
    capacity: float | None = None
    problem_number: int | None = None
    second_share: float | None = None
    decay_to: float | None = None
    decay_table: tuple[tuple[float, float], ...] | None = None
    sites_file: str | None = None
    cover_share: float | None = None

    @property
    def decay(self) -> Decay | None:
        """Gradual decay, if any was asked for; distances reach as far as the rim of what they name."""
        if self.decay_table is not None:
            until = tuple(distance * (1 + ON_THE_RIM) for distance, _ in self.decay_table)
            return Decay(until, tuple(share for _, share in self.decay_table))
        if self.decay_to is not None and self.radius is not None:
            return Decay((self.radius * (1 + ON_THE_RIM), self.decay_to), (1.0, 0.0), linear=True)
        return None


def read_decay_table(text: str) -> tuple[tuple[float, float], ...]:
    """
    Distances and shares from text like ``2:1,4:0.5``.

    Raises
    ------
    UsageError
        It is none.
    """
    try:
        pairs = [part.split(":") for part in text.split(",")]
        return tuple((float(distance), float(share)) for distance, share in pairs)
    except ValueError:
        raise UsageError(f"{text!r} is no --decay-table: write it like 2:1,4:0.5 (distance:share).") from None


def refuse_what_does_not_fit(request: Request) -> None:
    """
    Refuse options that do not go with the problem or the format.

    Raises
    ------
    UsageError
        At the first of them.
    """
    problem, file_format = request.problem, request.file_format
    if problem not in PROBLEMS[file_format]:
        raise UsageError(
            f"A file of format {file_format} cannot be a {problem} problem: "
            f"give --problem {' or '.join(PROBLEMS[file_format])}."
        )
    covering = problem in ("max-cover", "set-cover", "partial-cover")
    _refuse_wrong_cover(request)
    if covering and request.radius is None and request.decay_table is None:
        raise UsageError(f"A {problem} problem needs the distance within which a site covers: add --radius R.")
    if not covering and request.radius is not None:
        raise UsageError(f"A {problem} problem has no radius: leave out --radius.")
    for name in ("radius", "budget", "capacity"):
        number = getattr(request, name)
        if number is not None and not 0 <= number < math.inf:
            raise UsageError(f"--{name} must be a number, 0 or more.")
    if request.budget is not None and (problem != "max-cover" or request.p is not None):
        raise UsageError("--budget stands for -p in max-cover problems, and nowhere else.")
    if (request.cover_share is None) != (problem != "partial-cover"):
        raise UsageError(
            "A partial-cover problem needs the share of all weight to cover: add --cover-share S."
            if problem == "partial-cover"
            else "--cover-share is for partial-cover problems: leave it out."
        )
    if request.cover_share is not None and not 0 <= request.cover_share <= 1:
        raise UsageError("--cover-share must be a number from 0 to 1.")
    if problem in ("set-cover", "partial-cover") and request.p is not None:
        raise UsageError(f"A {problem} problem finds the number of sites itself: leave out -p.")
    if request.capacity is not None and file_format != "orlib-cap":
        raise UsageError("--capacity is for orlib-cap files that say the word capacity in place of a number.")
    needs_sites = file_format == "points" and problem in ("max-cover", "partial-cover")
    if (request.sites_file is None and needs_sites) or (request.sites_file is not None and file_format != "points"):
        raise UsageError(
            "A file of format points holds the customers: add --sites FILE with the sites."
            if file_format == "points"
            else "--sites is for files of format points."
        )
    if file_format == "points" and (request.second_share is not None or request.decay is not None):
        raise UsageError("Customers of format points are covered or not: leave out --second-share and --decay-….")
    if request.problem_number is not None and file_format != "orlib-pmedcap":
        raise UsageError("--problem-number is for orlib-pmedcap files, which hold several problems.")


def _refuse_wrong_cover(request: Request) -> None:
    """The options of maximal covering that say how a customer counts."""
    given = {"--second-share": request.second_share, "--decay-to": request.decay_to}
    given["--decay-table"] = request.decay_table  # type: ignore[assignment]
    for name in [name for name, what in given.items() if what is not None]:
        if request.problem != "max-cover":
            raise UsageError(f"{name} is for max-cover problems: leave it out.")
    if request.second_share is not None:
        if not 0 <= request.second_share <= 1:
            raise UsageError("--second-share must be a number from 0 to 1.")
        if request.decay_to is not None or request.decay_table is not None:
            raise UsageError("Gradual decay is not solved together with --second-share: leave out one of them.")
    if request.decay_table is not None:
        if request.radius is not None or request.decay_to is not None:
            raise UsageError("--decay-table stands in place of --radius and --decay-to: leave those out.")
        try:
            _ = request.decay
        except ValueError as error:
            raise UsageError(f"--decay-table: {error}; write it like 2:1,4:0.5 (distance:share).") from error
    if request.decay_to is not None and request.radius is not None and not request.decay_to > request.radius:
        raise UsageError("--decay-to must lie beyond --radius.")


def with_p(request: Request, m: int, p_of_file: int | None) -> Request:
    """
    The request with p from the file, or from the budget, checked against the number of sites.

    Raises
    ------
    UsageError
        Neither says how many sites to open, or they are more than there are.
    """
    p = request.p
    if request.problem in ("p-median", "p-center", "max-cover") or request.file_format == "orlib-pmedcap":
        if p is None and request.budget is None:
            p = p_of_file
        if p is None and request.budget is None:
            also = ", or --budget B" if request.problem == "max-cover" else ""
            raise UsageError(f"The file does not say how many sites to open: add -p N{also}.")
    if p is not None and not 1 <= p <= m:
        raise UsageError(f"{p} sites of {m} cannot be opened: give -p a number from 1 to {m}.")
    return Request(**(vars(request) | {"p": p}))
