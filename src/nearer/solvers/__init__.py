"""``Instance`` in, ``Solution`` out: anytime, with a valid bound from the start."""

from nearer.solvers.pmedian import solve_pmedian as solve

__all__ = ["solve"]
