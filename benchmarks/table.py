"""Tables of figures in Markdown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass
class Table:
    """One table, with sentences beneath it that say what its figures mean."""

    title: str
    headings: tuple[str, ...]
    rows: list[tuple[str, ...]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def markdown(self) -> str:
        """Columns as wide as their widest entry, the first to the left, the others to the right."""
        lines = [f"## {self.title}", ""]
        if self.rows:
            widths = [max(len(row[i]) for row in [self.headings, *self.rows]) for i in range(len(self.headings))]
            rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
            lines += [_line(self.headings, widths), _line(rule, widths)]
            lines += [_line(row, widths) for row in self.rows] + [""]
        lines += [f"* {note}" for note in self.notes]
        return "\n".join(lines).rstrip() + "\n"


def _line(cells: Iterable[str], widths: list[int]) -> str:
    first, *rest = zip(cells, widths, strict=True)
    return "| " + " | ".join([first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in rest)]) + " |"


NONE = "–"


def seconds(value: float | None) -> str:
    """Three digits that count: 0.0123, 1.23, 12.3, 123."""
    if value is None:
        return NONE
    places = 4 if value < 0.1 else 3 if value < 1 else 2 if value < 10 else 1 if value < 100 else 0
    return f"{value:.{places}f}"


def count(value: float | None) -> str:
    """A whole number with its thousands apart."""
    return NONE if value is None else f"{value:,.0f}"


def ratio(peer: float | None, ours: float | None) -> str:
    """How many times as long a peer took."""
    return NONE if not peer or not ours else f"{peer / ours:.1f}" if peer < 100 * ours else f"{peer / ours:,.0f}"


def percent(value: float | None) -> str:
    """A share of one as a percentage that does not hide a small one."""
    if value is None:
        return NONE
    if value <= 0 or value > 1:
        return "0" if value <= 0 else "over 100 %"
    return f"{100 * value:.0f} %" if value >= 0.1 else f"{100 * value:.2g} %"
