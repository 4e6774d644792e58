"""Decides where a city's neighbourhood centres go next, with a proof beside every answer."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nearer.study import StudyPlan as Plan
    from nearer.study import plan

__version__ = "0.1.0"
__all__ = ["Plan", "__version__", "plan"]


_NAMES = {"plan": "plan", "Plan": "StudyPlan"}


def __getattr__(name: str) -> Any:
    # Looked up on first use, so that `nearer --help` does not wait for numba and geopandas.
    if name in _NAMES:
        return getattr(import_module("nearer.study"), _NAMES[name])
    raise AttributeError(f"module 'nearer' has no attribute {name!r}")
