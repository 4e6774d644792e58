"""Streets in, bounded travel times from people to sites out."""

from nearer.network.compute import Network, base_speed_kmh, compute_times
from nearer.network.graph import StreetGraph, build_graph
from nearer.network.parted import Parted
from nearer.network.snap import Snap, snap
from nearer.network.straight import straight_times, table_times
from nearer.network.times import TravelTimes, scaled
from nearer.network.travel import travel_times

__all__ = [
    "Network",
    "Parted",
    "Snap",
    "StreetGraph",
    "TravelTimes",
    "base_speed_kmh",
    "build_graph",
    "compute_times",
    "scaled",
    "snap",
    "straight_times",
    "table_times",
    "travel_times",
]
