"""
From the ledger to a proposal: what is needed where, what can be shared, and who decided what.

::

    ledger → State (as of a transaction) → needs → tables → nearer.aid.allocation → Propose → a person → Approve
"""
