"""A solution in, a plan in the user's ids out: measures of access, gains, areas, proof."""

from nearer.planning.document import PlanDocument
from nearer.planning.plan import Plan

__all__ = ["Plan", "PlanDocument"]
