"""
A small network with a made-up, believable year: the test bed for views, exports, documentation and benchmarks.

::

    network (who, what, where) → year (what happens, day by day) → any ledger

All of it follows from one seed: the same seed gives the same commands, ids and moments, and so the same bytes.
"""

from nearer.aid.demo.year import YEAR, fill, make_demo

__all__ = ["YEAR", "fill", "make_demo"]
