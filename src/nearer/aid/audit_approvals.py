"""What an audit proves about approvals: what was set aside is what the approved lines of the proposal say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nearer.aid import accounts

Find = Callable[[int | None, str, str, str], None]
"""Takes down a finding: transaction, table, row, sentence."""

Rows = dict[str, list[dict[str, Any]]]


class Approvals:
    """
    Remembers the lines of proposals and holds each approval against them, lot by lot, from where to where.

    Parameters
    ----------
    find
        Takes down what is wrong.
    """

    def __init__(self, find: Find) -> None:
        self._find = find
        self._planned: dict[tuple[str, int], tuple[str, str, str, int]] = {}
        self._closing: dict[str, set[tuple[str, str]]] = {}

    def learn(self, here: Rows) -> None:
        """Take over what later transactions are held against."""
        for row in here.get("proposal_lines", []):
            line = (row["from_site"], row["to_site"], row["lot"], row["quantity"])
            self._planned[row["proposal"], row["line"]] = line
        for row in here.get("closures", []):
            self._closing.setdefault(row["proposal"], set()).add((row["site"], row["reason"]))

    def check(self, seq: int, here: Rows) -> None:
        """One approval: one decision, its lines, their reservations and postings, and the sites that it closes."""
        decided = here.get("decisions", [])
        proposal = decided[0]["proposal"] if len(decided) == 1 else None
        loads = {row["reservation"]: (row["site"], row["for_site"]) for row in here.get("reservations", [])}
        due: dict[tuple[str, str], int] = {}
        for row in here.get("decision_lines", []):
            planned = self._planned.get((row["proposal"], row["line"]))
            if planned is None or loads.get(row["reservation"]) != planned[:2] or row["proposal"] != proposal:
                self._find(
                    seq,
                    "decision_lines",
                    f"proposal {row['proposal']}, line {row['line']}",
                    f"Transaction {seq}: line {row['line']} of {row['proposal']} is not what was proposed.",
                )
                continue
            origin, _, lot, quantity = planned
            for account, sign in ((accounts.stock(origin), -1), (accounts.reserved(origin, row["reservation"]), 1)):
                due[account, lot] = due.get((account, lot), 0) + sign * quantity
        done: dict[tuple[str, str], int] = {}
        for row in here.get("postings", []):
            key = (row["account"], row["lot"])
            done[key] = done.get(key, 0) + row["quantity"]
        closed = {(row["site"], row["reason"]) for row in here.get("site_states", []) if row["state"] == "closed"}
        if done != due or proposal is None or closed != self._closing.get(proposal, set()):
            self._find(
                seq,
                "decisions",
                f"seq {seq}",
                f"Transaction {seq}: what was set aside or closed is not what the approved lines of the proposal say.",
            )
