"""
Fair allocation: who gets how much of what, when, from which lot, with a proof and a reason for each line.

::

    tables → read_case → Case → journeys → fair shares, then waste and travel → whole packs → Proposal

The mathematics is on the page "Fair allocation".
"""

from nearer.aid.allocation.allocate import allocate
from nearer.aid.allocation.case import Case, Item, Link, Lot, Place, Request
from nearer.aid.allocation.frontier import FrontierPoint, fairness_frontier
from nearer.aid.allocation.proposal import Expiring, HandOut, Packing, Proposal, SetAside, Share, Shipment
from nearer.aid.allocation.read import read_case
from nearer.aid.allocation.stages import Stage

__all__ = [
    "Case",
    "Expiring",
    "FrontierPoint",
    "HandOut",
    "Item",
    "Link",
    "Lot",
    "Packing",
    "Place",
    "Proposal",
    "Request",
    "SetAside",
    "Share",
    "Shipment",
    "Stage",
    "allocate",
    "fairness_frontier",
    "read_case",
]
