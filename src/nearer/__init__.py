"""Decides where a city's neighbourhood centres go next, with a proof beside every answer."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nearer.study import StudyPlan as Plan
    from nearer.study import plan
    from nearer.study.compare import run_compare as compare
    from nearer.study.curve import run_curve as curve
    from nearer.study.gaps_api import StudyGaps as Gaps
    from nearer.study.gaps_api import gaps
    from nearer.study.sensitivity import run_sensitivity as sensitivity
    from nearer.study.stress_api import StudyStress as Stress
    from nearer.study.stress_api import stress

__version__ = "0.1.0"
__all__ = ["Gaps", "Plan", "Stress", "__version__", "compare", "curve", "gaps", "plan", "sensitivity", "stress"]


_NAMES = {
    "plan": ("nearer.study", "plan"),
    "Plan": ("nearer.study", "StudyPlan"),
    "compare": ("nearer.study.compare", "run_compare"),
    "curve": ("nearer.study.curve", "run_curve"),
    "sensitivity": ("nearer.study.sensitivity", "run_sensitivity"),
    "gaps": ("nearer.study.gaps_api", "gaps"),
    "Gaps": ("nearer.study.gaps_api", "StudyGaps"),
    "stress": ("nearer.study.stress_api", "stress"),
    "Stress": ("nearer.study.stress_api", "StudyStress"),
}


def __getattr__(name: str) -> Any:
    # Looked up on first use, so that `nearer --help` does not wait for numba and geopandas.
    if name in _NAMES:
        module, attribute = _NAMES[name]
        return getattr(import_module(module), attribute)
    raise AttributeError(f"module 'nearer' has no attribute {name!r}")
