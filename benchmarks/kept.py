"""Rows that lie in a file beside the tables as soon as they are measured, so that a run goes on where one ended."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

from benchmarks.table import Table

Row = tuple[str, ...]


class KeptRows:
    """
    The rows of a table, measured now or by an earlier run.

    Parameters
    ----------
    table
        Where rows go; they are told apart by their first two entries.
    beside
        A CSV file with what is measured, or None; what other headings are above is measured anew.
    """

    def __init__(self, table: Table, beside: Path | None) -> None:
        self.table, self.beside = table, beside
        self.ended = False  # by Ctrl-C
        self.missing = 0
        self._known: dict[Row, Row] = {}
        if beside is not None and beside.exists():
            with beside.open(newline="", encoding="utf-8") as file:
                headings, *rows = [tuple(row) for row in csv.reader(file)]
            if headings == table.headings:
                self._known = {row[:2]: row for row in rows}

    def add(self, name: str, p: int, measure: Callable[[], Row]) -> None:
        """A row that begins like this; Ctrl-C ends all measuring, and a row that fails is left out with a note."""
        row = self._known.get((name, str(p)))
        if row is None and not self.ended:
            try:
                row = measure()
            except KeyboardInterrupt:
                self.ended = True
            except RuntimeError as error:
                self.table.notes.append(f"{name}, p = {p}: {error}")
        if row is None:
            self.missing += 1
            return
        self.table.rows.append(row)
        if row[:2] in self._known:
            return
        self._known[row[:2]] = row
        print("  " + " ".join(row), flush=True)
        if self.beside is not None:
            # Those that come later in the table are kept too.
            with self.beside.open("w", newline="", encoding="utf-8") as file:
                csv.writer(file).writerows([self.table.headings, *self._known.values()])
