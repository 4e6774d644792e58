"""What an audit proves about hand-overs: within goods, dates and accounts, or with a conflict that says by how much."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nearer.aid import accounts
from nearer.aid.canonical import Row
from nearer.aid.clock import local_day, moment_of
from nearer.aid.driver import Sql

Find = Callable[[int | None, str, str, str], None]
"""Takes down a finding: transaction, table, row, sentence."""

Rows = dict[str, list[dict[str, Any]]]

KINDS = ("hand-over", "hand-over-offline")


class HandOvers:
    """
    Follows lots, recalls and leases through the journal and holds each hand-over against them.

    Parameters
    ----------
    find
        Takes down what is wrong.
    """

    def __init__(self, find: Find) -> None:
        self._find = find
        self._recalled: dict[str, int] = {}
        self._zones: dict[str, str] = {}
        self._leases: dict[str, dict[str, Any]] = {}
        self._leased: dict[tuple[str, str, str], str] = {}
        self._on_list: dict[tuple[str, int], tuple[str, str, str]] = {}
        self._ended: set[str] = set()

    def learn(self, seq: int, here: Rows) -> None:
        """Take over what later transactions are held against."""
        for row in here.get("sites", []):
            self._zones[row["site"]] = row["time_zone"]
        for row in here.get("recalls", []):
            self._recalled.setdefault(row["lot"], seq)
        for row in here.get("leases", []):
            self._leases[row["lease"]] = row
        for row in here.get("lease_claims", []):
            self._lease(seq, row, here)
        for row in here.get("lease_ends", []):
            self._ended.add(row["lease"])

    def _lease(self, seq: int, row: dict[str, Any], here: Rows) -> None:
        claim = (row["programme"], row["period"], row["tag"])
        before = self._leased.get(claim)
        moment = here["transactions"][0]["at"] if "transactions" in here else ""
        if before is not None and before not in self._ended and self._until(before) > str(moment):
            self._find(
                seq,
                "lease_claims",
                f"lease {row['lease']}",
                f"Transaction {seq}: a household is with two desks at once.",
            )
        self._leased[claim] = row["lease"]
        self._on_list[row["lease"], row["claim"]] = claim

    def check(self, seq: int, header: dict[str, Any], here: Rows, lots: dict[str, Row]) -> None:
        """One transaction that handed something over."""
        flags = here.get("conflicts", [])
        flagged = {(row["kind"], row["lot"]) for row in flags}
        self._goods(seq, header, here, lots, flagged)
        if len(here.get("handovers", [])) != 1:
            self._find(seq, "handovers", f"seq {seq}", f"Transaction {seq} is not one hand-over.")
            return
        (handover,) = here["handovers"]
        self._account(seq, here, lots, flags)
        if any(row["handover"] != handover["handover"] for row in flags):
            self._find(seq, "conflicts", f"seq {seq}", f"Transaction {seq}: a conflict is about another hand-over.")
        for row in here.get("witnesses", []):
            if row["handover"] != handover["handover"] or handover["proof"] != "witness":
                self._find(seq, "witnesses", f"seq {seq}", f"Transaction {seq}: that is nobody's witness of it.")
        claim = (handover["programme"], handover["period"], handover["tag"])
        kinds = {row["kind"] for row in flags}
        if header["kind"] == "hand-over-offline":
            self._from_list(seq, claim, here.get("offline_handovers", []), kinds)
        elif "leased-out" not in kinds and (lease := self._holder(claim, _moment(header))) is not None:
            self._find(
                seq, "handovers", f"seq {seq}", f"Transaction {seq}: the household was with the lease {lease} then."
            )

    def _holder(self, claim: tuple[str, str, str], moment: str) -> str | None:
        """The lease that a household is on at a moment."""
        lease = self._leased.get(claim)
        if lease is None or lease in self._ended or self._until(lease) <= moment:
            return None
        return lease

    def _until(self, lease: str) -> str:
        """When a lease ends; one whose row was changed or dropped, which the chain has told, holds nobody."""
        return str(self._leases.get(lease, {}).get("until", ""))

    def _goods(
        self,
        seq: int,
        header: dict[str, Any],
        here: Rows,
        lots: dict[str, Row],
        flagged: set[tuple[str, str | None]],
    ) -> None:
        """Lots were in date and not recalled, or it is told."""
        try:
            moment = moment_of(str(header["at"]))
        except ValueError:
            self._find(seq, "transactions", f"seq {seq}", f"Transaction {seq} does not say when it was.")
            return
        for row in here.get("postings", []):
            if not row["account"].startswith(accounts.HANDED_OVER):
                continue
            lot, site = row["lot"], accounts.parts(row["account"])[1]
            use_by = lots.get(lot, {}).get("use_by")
            if (
                use_by is not None
                and str(use_by) < local_day(moment, self._zones.get(site, "UTC")).isoformat()
                and ("use-by", lot) not in flagged
            ):
                self._find(
                    seq, "postings", f"line {row['line']}", f"Transaction {seq}: lot {lot} was past its use-by day."
                )
            if self._recalled.get(lot, seq) < seq and ("recalled", lot) not in flagged:
                self._find(seq, "postings", f"line {row['line']}", f"Transaction {seq}: lot {lot} had been recalled.")

    def _account(self, seq: int, here: Rows, lots: dict[str, Row], flags: list[dict[str, Any]]) -> None:
        """What was given is what the account paid and the conflicts tell, no unit less and none more."""
        given: dict[str, int] = {}
        variance: dict[str, int] = {}
        for row in here.get("postings", []):
            account = row["account"]
            if account.startswith(accounts.HANDED_OVER):
                item = str(lots.get(row["lot"], {}).get("item"))
                given[item] = given.get(item, 0) + row["quantity"]
            elif account.startswith(accounts.VARIANCE):
                variance[row["lot"]] = variance.get(row["lot"], 0) - row["quantity"]
        told: dict[str, int] = {}
        for row in [*here.get("draws", []), *(flag for flag in flags if flag["kind"] == "claim")]:
            told[row["item"]] = told.get(row["item"], 0) + (row["quantity"] or 0)
        if given != {item: amount for item, amount in told.items() if amount}:
            self._find(
                seq,
                "draws",
                f"seq {seq}",
                f"Transaction {seq}: what was given is not what the household's account and its conflicts say.",
            )
        if variance != {flag["lot"]: flag["quantity"] for flag in flags if flag["kind"] == "stock"}:
            self._find(
                seq, "conflicts", f"seq {seq}", f"Transaction {seq}: what went beyond the stock is not what is flagged."
            )

    def _from_list(self, seq: int, claim: tuple[str, str, str], offline: list[dict[str, Any]], kinds: set[str]) -> None:
        """A cut-off desk served a household of its list, or it is told."""
        on_list = self._on_list.get((offline[0]["lease"], offline[0]["claim"])) if len(offline) == 1 else None
        if len(offline) != 1 or (on_list != claim and not kinds & {"unleased", "unknown-card"}):
            self._find(
                seq,
                "offline_handovers",
                f"seq {seq}",
                f"Transaction {seq}: the household was not on the list of the desk that served it.",
            )


def _moment(header: Row) -> str:
    """When a lease is looked at: a desk whose clock is ahead does not end it."""
    return min(str(header["at"]), str(header["recorded_at"]))


def check_visits(sql: Sql, find: Find) -> None:
    """No household was served more often than its programme allows, but for what is told."""
    for programme, period, visits, most in sql.all(
        "SELECT h.programme, h.period, COUNT(*), MAX(p.visits) FROM handovers h "
        "JOIN programmes p ON p.programme = h.programme "
        "WHERE p.visits IS NOT NULL AND NOT EXISTS (SELECT 1 FROM transactions t WHERE t.reverses = h.seq) "
        "AND NOT EXISTS (SELECT 1 FROM conflicts x WHERE x.handover = h.handover AND x.kind = 'visits') "
        "GROUP BY h.programme, h.period, h.tag HAVING COUNT(*) > MAX(p.visits)"
    ):
        find(
            None,
            "handovers",
            f"{programme} {period}",
            f"A household was served {visits} times in {programme} {period}, which allows {most}.",
        )
