"""Demand, travel times and rules in; the problem as frozen arrays, its solution and its independent checker out."""

from nearer.model.certificate import Certificate, RulesCertificate
from nearer.model.covering import Decay, covering_instance, is_set_cover
from nearer.model.instance import FORBIDDEN, FREE, OPEN, Instance, single_phase
from nearer.model.rules import CLOSED, Rules, ServiceLimit
from nearer.model.solution import Solution, Status, TracePoint, relative_gap

__all__ = [
    "CLOSED",
    "FORBIDDEN",
    "FREE",
    "OPEN",
    "Certificate",
    "Decay",
    "Instance",
    "Rules",
    "RulesCertificate",
    "ServiceLimit",
    "Solution",
    "Status",
    "TracePoint",
    "covering_instance",
    "is_set_cover",
    "relative_gap",
    "single_phase",
]
