"""
The ledger's tables.

Every table but ``head``, ``balances`` and ``allowances`` is a journal table: rows are inserted once, carry the number
of the transaction that made them (``seq``), are covered by the hash chain, and triggers refuse to change them. The
three others are sums of journal rows, kept so that a question is quick; ``nearer.aid.audit`` proves them.

Days are text ``YYYY-MM-DD``, moments UTC text ``YYYY-MM-DDTHH:MM:SS.sssZ``, truths 0 or 1: what is read back is the
same on every database.
"""

from __future__ import annotations

from sqlalchemy import Table

from nearer.aid.tables.asking import (
    WEEKDAYS,
    capacities,
    hours,
    measures,
    request_ends,
    request_lines,
    requests,
    targets,
    vehicles,
    ways,
)
from nearer.aid.tables.chain import accounts, chain, transactions
from nearer.aid.tables.goods import (
    lot_sources,
    lots,
    pledges,
    postings,
    reasons,
    recalls,
    reservations,
    shipments,
    stocktake_lines,
    stocktakes,
)
from nearer.aid.tables.households import claims, draws, grants, handovers, witnesses
from nearer.aid.tables.kinds import metadata
from nearer.aid.tables.offline import (
    CONFLICTS,
    conflicts,
    lease_claims,
    lease_ends,
    leases,
    offline_handovers,
    resolutions,
)
from nearer.aid.tables.setup import (
    entitlement_rules,
    item_units,
    items,
    parties,
    periods,
    programmes,
    recipe_lines,
    recipes,
    site_states,
    sites,
)
from nearer.aid.tables.sharing import (
    closures,
    decision_lines,
    decisions,
    proposal_lines,
    proposal_shares,
    proposal_stages,
    proposals,
    surges,
    takeovers,
)
from nearer.aid.tables.sums import allowances, balances, head
from nearer.aid.tables.telling import releases

SUMS = ("head", "balances", "allowances")
"""Tables that may change: they can be made again from the journal."""

JOURNAL: dict[str, Table] = {table.name: table for table in metadata.sorted_tables if table.name not in SUMS}
"""Journal tables, each after those it refers to."""

CHAINED: dict[str, Table] = {name: table for name, table in JOURNAL.items() if name != "chain"}
"""Journal tables whose rows the chain covers."""

COLUMNS: dict[str, tuple[str, ...]] = {
    table.name: tuple(c.name for c in table.columns) for table in metadata.sorted_tables
}

__all__ = [
    "CHAINED",
    "COLUMNS",
    "CONFLICTS",
    "JOURNAL",
    "SUMS",
    "WEEKDAYS",
    "accounts",
    "allowances",
    "balances",
    "capacities",
    "chain",
    "claims",
    "closures",
    "conflicts",
    "decision_lines",
    "decisions",
    "draws",
    "entitlement_rules",
    "grants",
    "handovers",
    "head",
    "hours",
    "item_units",
    "items",
    "lease_claims",
    "lease_ends",
    "leases",
    "lot_sources",
    "lots",
    "measures",
    "metadata",
    "offline_handovers",
    "parties",
    "periods",
    "pledges",
    "postings",
    "programmes",
    "proposal_lines",
    "proposal_shares",
    "proposal_stages",
    "proposals",
    "reasons",
    "recalls",
    "recipe_lines",
    "recipes",
    "releases",
    "request_ends",
    "request_lines",
    "requests",
    "reservations",
    "resolutions",
    "shipments",
    "site_states",
    "sites",
    "stocktake_lines",
    "stocktakes",
    "surges",
    "takeovers",
    "targets",
    "transactions",
    "vehicles",
    "ways",
    "witnesses",
]
