"""
Tables for everybody: households served by place or programme and by week or month, with small counts hidden.

::

    counts (what there is to count, frozen when first published) → protect (what must be hidden) → release (the table)

A release is a transaction of the ledger, so that every later one knows what is known already.
"""

from nearer.aid.publishing.release import Release, releases, table_of

__all__ = ["Release", "releases", "table_of"]
