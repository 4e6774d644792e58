"""A table as it is published, and the log of those that were."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from nearer.aid.driver import Sql
from nearer.aid.publishing.counts import Atom, Counts, Names, Pile, counts_of, names_at, never, piles_of
from nearer.aid.publishing.protect import Cell, Guarded, LeakError, hide
from nearer.aid.refusals import RefusedError
from nearer.aid.seeing.span import Span

LEAST = 10
"""Counts below this are hidden where nothing else is said."""

TOTAL = None
"""Stands for "all of them" as the row or the column of a total."""

Key = tuple[str | None, str | None]


@dataclass(frozen=True)
class Release:
    """
    What was asked and what was told.

    Parameters
    ----------
    name, seq
        ``B12`` and its transaction.
    rows, columns
        "site" or "programme"; "week" or "month".
    span
        Days.
    least
        Counts below are hidden.
    cells
        Row and column (None for the total) → households, None where hidden.
    """

    name: str
    seq: int
    rows: str
    columns: str
    span: Span
    least: int
    cells: dict[Key, int | None]

    def as_rows(self) -> list[dict[str, Any]]:
        """One row per cell; a total is ``all``, a hidden count None."""
        return [
            {self.rows: "all" if row is None else row, self.columns: "all" if column is None else column}
            | {"households": count}
            for (row, column), count in self.cells.items()
        ]

    def as_table(self) -> list[dict[str, Any]]:
        """One row per row, one column per column; ``–`` is a hidden count."""
        found: dict[str | None, dict[str, Any]] = {}
        for (row, column), count in self.cells.items():
            line = found.setdefault(row, {self.rows: "all" if row is None else row})
            line["all" if column is None else column] = "–" if count is None else str(count)
        return list(found.values())


def releases(sql: Sql) -> list[Release]:
    """Every release so far, in order."""
    return [
        Release(name, int(seq), rows, columns, Span(date.fromisoformat(first), date.fromisoformat(last)), int(least),
                {(row, column): count for row, column, count in json.loads(cells)})
        for name, seq, rows, columns, first, last, least, cells in sql.all(
            "SELECT release, seq, rows_by, columns_by, first_day, last_day, least, cells FROM releases ORDER BY seq"
        )
    ]  # fmt: skip


def table_of(sql: Sql, seq: int, rows: str, columns: str, span: Span, least: int) -> dict[Key, int | None]:
    """
    The cells of a new table, those hidden that must be.

    Parameters
    ----------
    sql
        The ledger.
    seq
        Number of the transaction that publishes it.
    rows, columns, span, least
        As of ``Release``.

    Raises
    ------
    RefusedError
        The span is not of whole weeks or months, or earlier tables tell a small count of it already.
    """
    _need_whole(span, columns)
    before = releases(sql)
    as_of: dict[Pile, int] = {}
    days: dict[Pile, list[date]] = {}
    for told_at, covered in (*((release.seq, release.span) for release in before), (seq, span)):
        for pile, its_days in piles_of(covered).items():
            as_of.setdefault(pile, told_at - 1)
            days[pile] = its_days
    counts = counts_of(sql, as_of)
    naught = never(sql, days, names_at(sql, seq)) - set(counts.by_period)

    def sums_of(rows: str, columns: str, span: Span, names: Names) -> dict[Key, frozenset[Atom]]:
        return {key: atoms - naught for key, atoms in _sums(rows, columns, span, names).items()}

    names = names_at(sql, seq)
    sums = sums_of(rows, columns, span, names)
    small = {key for key, atoms in sums.items() if atoms and counts.surely(atoms) < least}
    shown = [_cell(key, sums[key], counts) for key in sums if key not in small]
    guarded = [_guard(sums[key], counts, least) for key in small]
    known: list[Cell] = []
    for release in before:
        for key, atoms in sums_of(release.rows, release.columns, release.span, names_at(sql, release.seq)).items():
            told = release.cells.get(key)
            if told is not None:
                known.append(Cell((release.name, *_name(key)), atoms, told))
            elif atoms and counts.surely(atoms) < release.least:
                guarded.append(_guard(atoms, counts, release.least))
    if {columns, *(release.columns for release in before)} == {"week", "month"}:
        # Where weeks and months are published, their differences are days that no table has.
        for kind in sorted({rows, *(release.rows for release in before)}):
            for pile in days:
                parts = [_sum(kind, row, names, [pile]) - naught for row in (*names[kind], TOTAL)]
                guarded += [_guard(atoms, counts, least) for atoms in parts if counts.surely(atoms) < least]
    try:
        hidden = hide(shown, [guard for guard in guarded if guard.atoms], known)
    except LeakError:
        raise RefusedError(
            "Tables published before tell a small count of these days already; publish by the same rows and columns."
        ) from None
    return {key: None if key in small or _name(key) in hidden else counts.count(atoms) for key, atoms in sums.items()}


def _sums(rows: str, columns: str, span: Span, names: Names) -> dict[Key, frozenset[Atom]]:
    """The cells of a table with its totals, as sums of atoms."""
    place = 0 if columns == "week" else 1
    by_column: dict[str | None, list[Pile]] = {}
    for pile in piles_of(span):
        by_column.setdefault(pile[place], []).append(pile)
    by_column[TOTAL] = list(piles_of(span))
    return {
        (row, column): _sum(rows, row, names, piles)
        for row in (*names[rows], TOTAL)
        for column, piles in by_column.items()
    }


def _sum(rows: str, row: str | None, names: Names, piles: list[Pile]) -> frozenset[Atom]:
    """A row's atoms over piles; those of all rows for the total."""
    sites = [row] if rows == "site" and row is not None else names["site"]
    programmes = [row] if rows == "programme" and row is not None else names["programme"]
    return frozenset((site, programme, pile) for site in sites for programme in programmes for pile in piles)


def _guard(atoms: frozenset[Atom], counts: Counts, least: int) -> Guarded:
    return Guarded(atoms, max(least, counts.count(atoms) + 1))


def _cell(key: Key, atoms: frozenset[Atom], counts: Counts) -> Cell:
    return Cell(_name(key), atoms, counts.count(atoms))


def _name(key: Key) -> tuple[str, ...]:
    """A total is hidden after the cells that it sums up, where their counts are equal."""
    row, column = key
    return ("1" if row is None else f"0{row}", "1" if column is None else f"0{column}")


def _need_whole(span: Span, columns: str) -> None:
    after = span.last + timedelta(days=1)
    if columns == "week" and (span.first.weekday() or after.weekday()):
        raise RefusedError("{span} is not of whole weeks; begin on a Monday and end on a Sunday.", span=span)
    if columns == "month" and (span.first.day != 1 or after.day != 1):
        raise RefusedError(
            "{span} is not of whole months; begin on the first and end on the last day of a month.", span=span
        )
