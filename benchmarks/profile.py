"""Performance profiles (Dolan, Moré 2002) as SVG: how many problems a program solves in so many times the fastest."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from textwrap import wrap

Times = Mapping[str, Sequence[float | None]]
"""Seconds of every program on every problem, in the same order; None where it was not solved."""

_INK = (
    "#0072b2",
    "#d55e00",
    "#009e73",
    "#cc79a7",
    "#56b4e9",
    "#e69f00",
    "#333333",
)  # Okabe, Ito: told apart by most eyes
_DASH = ("", "8 3", "2 3", "10 3 2 3", "5 5", "12 4", "1 4")
_WIDTH, _HIGH, _LEFT, _TOP, _FOOT, _ACROSS = 340, 220, 44, 34, 38, 3


@dataclass(frozen=True)
class Panel:
    """One class of problems."""

    title: str
    times: Times


def shares(times: Times) -> dict[str, list[tuple[float, float]]]:
    """
    For each program the steps (ratio to the fastest, share of problems solved within it), ratios rising.

    Problems that no program solved count in the share, and nobody gets them.
    """
    n = max((len(row) for row in times.values()), default=0)
    fastest = [min((row[k] for row in times.values() if row[k] is not None), default=None) for k in range(n)]  # type: ignore[type-var]
    steps = {}
    for name, row in times.items():
        ratios = sorted(
            max(spent, 1e-9) / max(best, 1e-9)
            for spent, best in zip(row, fastest, strict=True)
            if spent is not None and best is not None
        )
        steps[name] = [(ratio, (k + 1) / n) for k, ratio in enumerate(ratios)]
    return steps


def svg(panels: Sequence[Panel], caption: str) -> str:
    """All panels in one drawing, with one key above them."""
    names = list(dict.fromkeys(name for panel in panels for name in panel.times))
    rows = math.ceil(len(panels) / _ACROSS)
    width = _WIDTH * min(_ACROSS, len(panels)) + 16
    lines = wrap(caption, (width - _LEFT) // 7)
    under = 16 * (len(lines) - 1)  # by which a caption of several lines moves what follows
    high = 74 + under + rows * _HIGH
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {high}" width="{width}" height="{high}" '
        'font-family="system-ui, sans-serif" font-size="12" fill="#222" role="img">',
        f"<title>{escape(caption)}</title>",
        f'<rect width="{width}" height="{high}" fill="#fff"/>',
        *(f'<text x="{_LEFT}" y="{20 + 16 * k}" font-size="13">{escape(line)}</text>' for k, line in enumerate(lines)),
    ]
    left = _LEFT
    for name in names:
        parts.append(f'<path {_pen(names, name)} d="M{left} {42 + under}h30"/>')
        parts.append(f'<text x="{left + 36}" y="{46 + under}">{escape(name)}</text>')
        left += 50 + 7 * len(name)
    for k, panel in enumerate(panels):
        parts.append(f'<g transform="translate({k % _ACROSS * _WIDTH} {60 + under + k // _ACROSS * _HIGH})">')
        parts += [*_panel(panel, names), "</g>"]
    return "\n".join([*parts, "</svg>"]) + "\n"


def _pen(names: Sequence[str], name: str) -> str:
    at = names.index(name)
    dash = f' stroke-dasharray="{_DASH[at % len(_DASH)]}"' if _DASH[at % len(_DASH)] else ""
    return f'fill="none" stroke="{_INK[at % len(_INK)]}" stroke-width="2"{dash}'


def _panel(panel: Panel, names: Sequence[str]) -> list[str]:
    steps = shares(panel.times)
    largest = max((ratio for row in steps.values() for ratio, _ in row), default=2.0)
    decades = max(1, math.ceil(math.log10(largest) - 1e-9))
    right, foot = _WIDTH - 12, _HIGH - _FOOT

    def x(ratio: float) -> float:
        return _LEFT + (right - _LEFT) * math.log10(ratio) / decades

    def y(share: float) -> float:
        return foot - (foot - _TOP) * share

    n = max((len(row) for row in panel.times.values()), default=0)
    title = f"{escape(panel.title)}, {n} problem{'' if n == 1 else 's'}"
    parts = [f'<text x="{_LEFT}" y="{_TOP - 12}" font-weight="600">{title}</text>']
    for part in (0, 0.25, 0.5, 0.75, 1):
        parts.append(f'<path stroke="{"#888" if part == 0 else "#ddd"}" d="M{_LEFT} {y(part):.1f}H{right}"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{y(part) + 4:.1f}" text-anchor="end">{100 * part:.0f} %</text>')
    every = math.ceil(decades / 6)
    for power in range(0, decades + 1, every):
        parts.append(f'<text x="{x(10.0**power):.1f}" y="{foot + 15}" text-anchor="middle">{10**power:,}</text>')
    parts.append(f'<text x="{(_LEFT + right) / 2}" y="{foot + 30}" text-anchor="middle">times the fastest</text>')
    for name in reversed(names):  # the first on top
        if name not in steps:
            continue
        path, at = f"M{x(1):.1f} {y(0):.1f}", 0.0
        for ratio, share in steps[name]:
            path += f"L{x(ratio):.1f} {y(at):.1f}L{x(ratio):.1f} {y(share):.1f}"
            at = share
        parts.append(f'<path {_pen(names, name)} d="{path}L{right} {y(at):.1f}"/>')
    return parts
