"""What is known of lots through what they were made of: since when, from whom, what they are worth."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

from nearer.aid.clock import local_day, moment_of
from nearer.aid.driver import Sql


class Origins:
    """
    Looks lots up, each once.

    Parameters
    ----------
    sql
        The ledger, open for reading.
    """

    def __init__(self, sql: Sql) -> None:
        self._lots = {
            str(lot): (str(item), str(origin), str(at), use_by, best_before, value, currency)
            for lot, item, origin, at, use_by, best_before, value, currency in sql.all(
                "SELECT l.lot, l.item, l.origin, t.at, l.use_by, l.best_before, l.value, l.currency "
                "FROM lots l JOIN transactions t ON t.seq = l.seq"
            )
        }
        self._money = {str(item) for (item,) in sql.all("SELECT item FROM items WHERE kind = 'money'")}
        self._sources: dict[str, list[tuple[str, int]]] = {}
        for lot, source, quantity in sql.all("SELECT lot, source, quantity FROM lot_sources ORDER BY lot, source"):
            self._sources.setdefault(str(lot), []).append((str(source), int(quantity)))
        self._made = {
            str(lot): -int(quantity)
            for lot, quantity in sql.all(
                "SELECT p.lot, SUM(p.quantity) FROM postings p JOIN accounts a ON a.account = p.account "
                "LEFT JOIN transactions t ON t.seq = p.seq AND t.reverses IS NOT NULL "
                "WHERE a.kind IN ('DONOR', 'CONVERT', 'VARIANCE') AND p.quantity < 0 AND t.seq IS NULL GROUP BY p.lot"
            )
        }
        self._since: dict[str, str] = {}
        self._roots: dict[str, frozenset[str]] = {}

    def item(self, lot: str) -> str:
        """What a lot is of."""
        return self._lots[lot][0]

    def made(self, lot: str) -> int:
        """Base units that ever came into being of a lot."""
        return self._made.get(lot, 0)

    def shares_of(self, lot: str) -> dict[str, Fraction]:
        """Lots that a lot is or went into → base units of the lot in each base unit of theirs."""
        found: dict[str, Fraction] = {}
        todo = [(lot, Fraction(1))]
        uses: dict[str, list[tuple[str, int]]] = {}
        for made, sources in self._sources.items():
            for source, quantity in sources:
                uses.setdefault(source, []).append((made, quantity))
        while todo:
            name, each = todo.pop()
            found[name] = found.get(name, Fraction(0)) + each
            for made, quantity in uses.get(name, []):
                if whole := self._made.get(made, 0):
                    todo.append((made, each * quantity / whole))
        return found

    def use_by(self, lot: str) -> date | None:
        """The last day on which it may be given."""
        text = self._lots[lot][3]
        return None if text is None else date.fromisoformat(text)

    def best_before(self, lot: str) -> date | None:
        """The day up to which it is at its best."""
        text = self._lots[lot][4]
        return None if text is None else date.fromisoformat(text)

    def since(self, lot: str, zone: str) -> date:
        """The day on which it came in; of what was made, the day on which the oldest of its goods came in."""
        if lot not in self._since:
            _, origin, at, *_ = self._lots[lot]
            goods = [source for source, _ in self._sources.get(lot, []) if self.item(source) not in self._money]
            older = [self._since_text(source) for source in goods] if origin == "conversion" else []
            self._since[lot] = min([at, *older])
        return local_day(moment_of(self._since[lot]), zone)

    def _since_text(self, lot: str) -> str:
        self.since(lot, "UTC")
        return self._since[lot]

    def roots(self, lot: str) -> frozenset[str]:
        """Where its path back ends: any of ``gift``, ``count`` and, were a path to break off, ``nowhere``."""
        if lot not in self._roots:
            origin, sources = self._lots[lot][1], self._sources.get(lot, [])
            if origin in ("gift", "count"):
                self._roots[lot] = frozenset({origin})
            elif not sources:
                self._roots[lot] = frozenset({"nowhere"})
            else:
                self._roots[lot] = frozenset().union(*(self.roots(source) for source, _ in sources))
        return self._roots[lot]

    def value(self, lot: str, quantity: Fraction) -> dict[str, Fraction]:
        """What so much of a lot is worth, by currency; of what has no value of its own, what went into it."""
        made = self._made.get(lot, 0)
        _, _, _, _, _, value, currency = self._lots[lot]
        if not made:
            return {}
        if value is not None:
            return {str(currency): quantity * int(value) / made}
        found: dict[str, Fraction] = {}
        for source, amount in self._sources.get(lot, []):
            for coin, worth in self.value(source, quantity * amount / made).items():
                found[coin] = found.get(coin, Fraction(0)) + worth
        return found
