"""Desks without a connection: what they take with them, their own journal, and how it comes back into the ledger."""
