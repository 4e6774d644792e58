"""``Instance`` in, ``Solution`` out: anytime, with a valid bound from the start."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from nearer.errors import UsageError
from nearer.model import Instance, Solution

__all__ = ["SOLVERS", "solve"]

SOLVERS: tuple[tuple[str, str, Callable[[Instance], bool]], ...] = (
    ("pmedian", "solve_pmedian", lambda i: i.objective == "sum" and not i.capacitated),
    ("capacitated", "solve_capacitated", lambda i: i.objective == "sum" and i.capacitated),
    ("pcenter", "solve_pcenter", lambda i: i.objective == "max" and not i.capacitated),
)
"""Module, function, and which instances it solves; the first that fits does."""


def solve(instance: Instance, **options: Any) -> Solution:
    """
    Solve an instance with the first method that fits it.

    Parameters
    ----------
    instance
        The problem.
    options
        ``gap``, ``seed``, ``threads``, ``work_limit``, ``stop``, ``progress``, ``start``: as in ``solve_pmedian``.

    Raises
    ------
    UsageError
        No method fits.
    """
    for module, name, supports in SOLVERS:
        if instance.n_phases == 1 and supports(instance):
            method: Callable[..., Solution] = getattr(import_module(f"nearer.solvers.{module}"), name)
            return method(instance, **options)
    raise UsageError("no method solves this combination of objective, capacities and phases yet")
