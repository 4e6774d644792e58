"""Streets in, bounded travel times from people to sites out."""

from nearer.network.times import TravelTimes

__all__ = ["TravelTimes"]
