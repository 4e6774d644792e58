"""What physically happened, in plain dictionaries, and what the ledger must say of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from nearer.aid.audit import audit
from nearer.aid.offline.away import leases_of
from nearer.aid.store import Store


class BrokenError(AssertionError):
    """The ledger does not say what happened."""


@dataclass
class Given:
    """One hand-over: whose card, what (base units by item), through which lease, whether it was on its list."""

    who: int
    items: dict[str, int]
    lease: str | None = None
    listed: bool = True
    forced: bool = False


@dataclass
class Reference:
    """
    What happened.

    Parameters
    ----------
    entitled
        Household → base units by item; a card that nobody has is entitled to nothing.
    tags
        Household → tag, but for unknown cards.
    """

    entitled: dict[int, dict[str, int]]
    tags: dict[int, str]
    given: dict[str, Given] = field(default_factory=dict)
    asked: dict[str, Given] = field(default_factory=dict)  # of connected desks that wait for the answer
    loose: set[str] = field(default_factory=set)  # leases whose list somebody else could serve at the same time

    def after_a_step(self, store: Store) -> None:
        """Nothing is in the ledger that nobody gave or asked for; no account and no balance is below zero."""
        with store.reading() as connection:
            run = connection.exec_driver_sql
            there = set(run("SELECT id FROM transactions WHERE kind LIKE 'hand-over%'").scalars())
            below = run("SELECT COUNT(*) FROM allowances WHERE left_over < 0").scalar_one()
            below += run("SELECT COUNT(*) FROM balances WHERE quantity < 0 AND account LIKE 'STOCK:%'").scalar_one()
            below += run("SELECT COUNT(*) FROM balances WHERE quantity < 0 AND account LIKE 'RESERVED:%'").scalar_one()
        if strangers := there - self.given.keys() - self.asked.keys():
            raise BrokenError(f"nobody gave {sorted(strangers)}")
        if below:
            raise BrokenError(f"{below} accounts are below zero")

    def at_the_end(self, store: Store) -> None:
        """Everything has been delivered: the ledger is what happened, and says where it went beyond the rules."""
        self.after_a_step(store)
        with store.reading() as connection:

            def run(statement: str) -> list[Any]:
                return [tuple(row) for row in connection.exec_driver_sql(statement).all()]

            posted: dict[str, Counter[str]] = {}
            for id, item, quantity in run(
                "SELECT t.id, l.item, p.quantity FROM transactions t JOIN postings p ON p.seq = t.seq "
                "JOIN lots l ON l.lot = p.lot WHERE p.account LIKE 'HANDED_OVER:%'"
            ):
                posted.setdefault(id, Counter())[item] += quantity
            whose = dict(run("SELECT t.id, h.tag FROM transactions t JOIN handovers h ON h.seq = t.seq"))
            flags: dict[str, Counter[tuple[str, str | None]]] = {}
            for id, kind, item, quantity in run(
                "SELECT t.id, x.kind, x.item, x.quantity FROM conflicts x JOIN transactions t ON t.seq = x.seq"
            ):
                flags.setdefault(id, Counter())[kind, item] += quantity or 1
            drawn: Counter[tuple[str, str]] = Counter()
            for tag, item, quantity in run("SELECT tag, item, quantity FROM draws"):
                drawn[tag, item] += quantity
            variance = run("SELECT COALESCE(-SUM(quantity), 0) FROM balances WHERE account LIKE 'VARIANCE:%'")[0][0]
            aside = run("SELECT COALESCE(SUM(quantity), 0) FROM balances WHERE account LIKE 'RESERVED:%'")[0][0]
        if lost := self.given.keys() - posted.keys():
            raise BrokenError(f"lost: {sorted(lost)}")
        for id, given in self.given.items():
            if posted[id] != Counter(given.items):
                raise BrokenError(f"{id}: {given.items} was given, {dict(posted[id])} is in the ledger")
            if given.who in self.tags and whose[id] != self.tags[given.who]:
                raise BrokenError(f"{id} is booked to another household")
            kinds = {kind for kind, _ in flags.get(id, ())}
            if not given.listed and not kinds & {"unleased", "unknown-card"}:
                raise BrokenError(f"{id}: a card that was not on the list, and no flag")
        self._households(flags, drawn)
        if variance != sum(q for one in flags.values() for (kind, _), q in one.items() if kind == "stock"):
            raise BrokenError("what went beyond the stock is not what is flagged")
        if aside or any(row["state"] in ("away", "over") for row in leases_of(store)):
            raise BrokenError("a lease was never ended")
        if not (report := audit(store)).holds:
            raise BrokenError(f"the audit finds {[finding.text for finding in report.findings[:3]]}")

    def _households(self, flags: dict[str, Counter[tuple[str, str | None]]], drawn: Counter[tuple[str, str]]) -> None:
        """No household has more than it is entitled to, but for what is flagged, and that is bounded."""
        total: Counter[tuple[int, str]] = Counter()
        told: Counter[tuple[int, str]] = Counter()
        forced: Counter[tuple[int, str]] = Counter()
        away: dict[int, set[str]] = {}
        for id, given in self.given.items():
            for item, amount in given.items.items():
                total[given.who, item] += amount
                told[given.who, item] += flags.get(id, Counter())["claim", item]
                forced[given.who, item] += amount if given.forced else 0
            if given.lease is not None and (not given.listed or given.lease in self.loose):
                away.setdefault(given.who, set()).add(given.lease)
        for (who, item), amount in total.items():
            most = self.entitled.get(who, {}).get(item, 0)
            excess = max(0, amount - most)
            if told[who, item] != excess:
                raise BrokenError(f"household {who} had {excess} of {item} too much, {told[who, item]} is flagged")
            if who in self.tags and drawn[self.tags[who], item] != min(amount, most):
                raise BrokenError(f"household {who} drew {drawn[self.tags[who], item]} of {item}, not {amount}")
            if who in self.tags and excess > len(away.get(who, ())) * most + forced[who, item]:
                raise BrokenError(f"household {who} had {excess} of {item} too much, beyond one for each desk away")
