"""
What a published table counts: households served, each once in a programme's period, where and when it first came.

A pile of days is what lies in one week and in one month. When a table first covers a pile, its counts are those of that
moment for good: what is entered or reversed later would otherwise be told by the difference of two tables.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta

from nearer.aid.clock import local_day, moment_of
from nearer.aid.driver import Sql
from nearer.aid.seeing.served import visits
from nearer.aid.seeing.span import Span, week_name, zones

Pile = tuple[str, str]
"""Week and month, ``("2026-W09", "2026-03")``."""

Atom = tuple[str, str, Pile]
"""Site, programme and pile."""


Names = dict[str, list[str]]
"""Codes of sites and of programmes, by "site" and "programme"."""


def pile_of(day: date) -> Pile:
    """Week and month of a day."""
    return week_name(day), f"{day.year}-{day.month:02d}"


def piles_of(span: Span) -> dict[Pile, list[date]]:
    """Piles of a span with their days, in order; a span of whole weeks or whole months has whole piles."""
    found: dict[Pile, list[date]] = {}
    for k in range(span.days):
        day = span.first + timedelta(days=k)
        found.setdefault(pile_of(day), []).append(day)
    return found


@dataclass
class Counts:
    """
    Households by site, programme and pile, and by period beside.

    Parameters
    ----------
    by_period
        Atom → period → households. Tags of two periods, or of two programmes, may be one household: only those of one
        are surely different ones.
    """

    by_period: dict[Atom, Counter[str]]

    def count(self, atoms: frozenset[Atom]) -> int:
        """Households of a sum of atoms."""
        return sum(self.by_period[atom].total() for atom in atoms if atom in self.by_period)

    def surely(self, atoms: frozenset[Atom]) -> int:
        """How many different households there are among them at least."""
        found: Counter[tuple[str, str]] = Counter()
        for atom in atoms:
            for period, number in self.by_period.get(atom, {}).items():
                found[atom[1], period] += number
        return max(found.values(), default=0)


def counts_of(sql: Sql, as_of: dict[Pile, int]) -> Counts:
    """
    Count the households of piles, each pile as the ledger was after a transaction.

    Parameters
    ----------
    as_of
        Pile → number of that transaction.
    """
    found: dict[Atom, Counter[str]] = {}
    for until in sorted(set(as_of.values())):
        mine = {pile for pile, seq in as_of.items() if seq == until}
        seen: set[tuple[str, str, str]] = set()
        for visit in visits(sql, until=until):
            if visit.claim in seen:
                continue
            seen.add(visit.claim)
            pile = pile_of(visit.day)
            if pile in mine:
                atom = (visit.site, visit.programme, pile)
                found.setdefault(atom, Counter())[visit.period] += 1
    return Counts(found)


def names_at(sql: Sql, seq: int) -> Names:
    """Sites and programmes that were there before a transaction; a hub only if it had handed something over."""
    sites = sql.all(
        "SELECT s.site FROM sites s WHERE s.seq < ? AND (s.kind <> 'hub' OR EXISTS "
        "(SELECT 1 FROM handovers h WHERE h.site = s.site AND h.seq < ?)) ORDER BY s.seq, s.site",
        seq,
        seq,
    )
    programmes = sql.all("SELECT programme FROM programmes WHERE seq < ? ORDER BY seq, programme", seq)
    return {"site": [str(site) for (site,) in sites], "programme": [str(name) for (name,) in programmes]}


def never(sql: Sql, piles: dict[Pile, list[date]], names: Names) -> set[Atom]:
    """
    Atoms that everybody knows to be nought: the programme had no period then, or the site was closed on every day.

    Hiding them would protect nothing, and what looks hidden would seem to leave more open than it does.
    """
    periods: dict[str, list[tuple[str, str]]] = {}
    for programme, first, last in sql.all("SELECT programme, first_day, last_day FROM periods"):
        periods.setdefault(str(programme), []).append((str(first), str(last)))
    shut = {site: closed_days(sql, site, zone) for site, zone in zones(sql).items()}
    found: set[Atom] = set()
    for pile, days in piles.items():
        for programme in names["programme"]:
            runs = any(first <= day.isoformat() <= last for first, last in periods.get(programme, []) for day in days)
            for site in names["site"]:
                closed = all(any(start < day < end for start, end in shut[site]) for day in days)
                if closed or not runs:
                    found.add((site, programme, pile))
    return found


def closed_days(sql: Sql, site: str, zone: str) -> list[tuple[date, date]]:
    """Days between which a site was closed: it still was open on the first, and was again on the second."""
    found: list[tuple[date, date]] = []
    since: date | None = None
    for state, at in sql.all(
        "SELECT s.state, t.at FROM site_states s JOIN transactions t ON t.seq = s.seq WHERE s.site = ? ORDER BY s.seq",
        site,
    ):
        day = local_day(moment_of(at), zone)
        if state == "closed":
            since = since or day
        elif since is not None:
            found.append((since, day))
            since = None
    return found if since is None else [*found, (since, date.max)]
