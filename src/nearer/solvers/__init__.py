"""``Instance`` in, ``Solution`` out: anytime, with a valid bound from the start."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from nearer.errors import UsageError
from nearer.model import Instance, Solution, is_set_cover

__all__ = ["SOLVERS", "solve"]

SOLVERS: tuple[tuple[str, str, Callable[[Instance], bool]], ...] = (
    ("dynamic", "solve_dynamic", lambda i: i.rules is not None and i.second_share is None and i.objective == "sum"),
    ("setcover", "solve_set_cover", lambda i: _plain(i) and is_set_cover(i)),
    ("pmedian", "solve_pmedian", lambda i: _plain(i) and i.objective == "sum" and not i.capacitated),
    ("capacitated", "solve_capacitated", lambda i: _plain(i) and i.objective == "sum" and i.capacitated),
    ("pcenter", "solve_pcenter", lambda i: _plain(i) and i.objective == "max" and not i.capacitated),
    ("twofold", "solve_twofold", lambda i: _twofold(i) and i.objective == "sum" and not i.capacitated),
)
"""Module, function, and which instances it solves; the first that fits does."""


def _plain(instance: Instance) -> bool:
    """Whether free sites simply open or do not, in one phase, and one open site is all that a row asks for."""
    return instance.rules is None and instance.n_phases == 1 and instance.second_share is None


def _twofold(instance: Instance) -> bool:
    """As ``_plain``, where a row asks for two."""
    return instance.rules is None and instance.n_phases == 1 and instance.second_share is not None


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
        if supports(instance):
            method: Callable[..., Solution] = getattr(import_module(f"nearer.solvers.{module}"), name)
            return method(instance, **options)
    raise UsageError("no method solves this combination of objective, capacities and phases yet")
