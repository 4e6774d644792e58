"""A study folder in, a plan folder out: the whole chain on one screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nearer.study.api import StudyPlan, plan
    from nearer.study.run import run_study

__all__ = ["StudyPlan", "plan", "run_study"]


def __getattr__(name: str) -> Any:
    # Looked up on first use, so that reading a study's settings does not wait for numba and geopandas.
    if name in ("StudyPlan", "plan"):
        from nearer.study import api

        return getattr(api, name)
    if name == "run_study":
        from nearer.study.run import run_study

        return run_study
    raise AttributeError(f"module 'nearer.study' has no attribute {name!r}")
