"""
The people side of the aid wing: cards, households, period keys and staff, in a database of their own.

::

    card (a random token) → its hash → household → tag of a programme and period → the ledger's claim

This database is read before a hand-over and is never part of its commit. It knows no name, and a job deletes from it
what is no longer needed (``retain``). The keys that make tags lie in a folder outside both databases.
"""
