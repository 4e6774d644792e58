"""Hand-overs of a span of days as plain facts, without tags outside this room."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from nearer.aid.clock import local_day, moment_of
from nearer.aid.driver import Sql
from nearer.aid.seeing.span import Span, zones


@dataclass(frozen=True)
class Visit:
    """
    One hand-over that stands.

    Parameters
    ----------
    seq, day, site
        Transaction, and day and place of it.
    programme, period, tag
        Whose account. A tag is for counting and never leaves this room.
    """

    seq: int
    day: date
    site: str
    programme: str
    period: str
    tag: str

    @property
    def claim(self) -> tuple[str, str, str]:
        """The household's account in the period: what counts as a household."""
        return self.programme, self.period, self.tag


def visits(sql: Sql, span: Span | None = None, *, until: int | None = None) -> Iterator[Visit]:
    """
    Hand-overs that were not reversed, in the order of their days and then of their transactions.

    Parameters
    ----------
    span
        Days at the place of the hand-over; all without.
    until
        As the ledger was after this transaction: later hand-overs and later reversals are not seen.
    """
    end = until if until is not None else 2**62
    found: list[Visit] = []
    for site, zone in zones(sql).items():
        start_text, end_text = ("", "~") if span is None else span.within(zone)
        day_of = lru_cache(maxsize=4096)(lambda hour, zone=zone: local_day(moment_of(f"{hour}:00.000Z"), zone))
        for seq, at, programme, period, tag in sql.all(
            "SELECT h.seq, t.at, h.programme, h.period, h.tag FROM handovers h JOIN transactions t ON t.seq = h.seq "
            "LEFT JOIN transactions r ON r.reverses = h.seq AND r.seq <= ? "
            "WHERE h.site = ? AND h.seq <= ? AND t.at >= ? AND t.at < ? AND r.seq IS NULL",
            end,
            site,
            end,
            start_text,
            end_text,
        ):
            found.append(Visit(int(seq), day_of(at[:16]), site, programme, period, tag))
    yield from sorted(found, key=lambda visit: (visit.day, visit.seq))


@dataclass(frozen=True)
class Given:
    """
    So much of a lot that was handed over.

    Parameters
    ----------
    seq, lot, quantity
        Transaction, lot and base units.
    """

    seq: int
    lot: str
    quantity: int


def given(sql: Sql, span: Span) -> dict[int, list[Given]]:
    """Goods of hand-overs by transaction, reversed ones too: look up those of ``visits``."""
    found: dict[int, list[Given]] = {}
    for site, zone in zones(sql).items():
        start, end = span.within(zone)
        for seq, lot, quantity in sql.all(
            "SELECT p.seq, p.lot, p.quantity FROM postings p JOIN accounts a ON a.account = p.account "
            "JOIN transactions t ON t.seq = p.seq WHERE a.kind = 'HANDED_OVER' AND a.site = ? AND p.quantity > 0 "
            "AND t.at >= ? AND t.at < ? ORDER BY p.seq, p.line",
            site,
            start,
            end,
        ):
            found.setdefault(int(seq), []).append(Given(int(seq), str(lot), int(quantity)))
    return found
