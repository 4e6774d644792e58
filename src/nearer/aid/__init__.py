"""
The aid wing: what centres hold and hand over, kept in a ledger from the giver to the household.

::

    commands (what a desk asks) → desk (what each means, as postings) → journal (one chained transaction) → store
    store → balances, trace, audit

Nothing here imports another room; only the base lies beneath. Goods and money are whole numbers of base units,
households are opaque tags, and nothing is edited or deleted.
"""
