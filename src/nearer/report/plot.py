"""Charts with numbers on both axes, as SVG in the colours of ``tokens``: lines, bands, steps and marks."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from nearer.language import direction, figures
from nearer.report import tokens
from nearer.report.charts import round_step
from nearer.report.mapclean import clean

_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 18, 34, 42

CSS = (
    ".plot{display:block;width:100%;height:auto;font-family:"
    + tokens.FONT.replace('"', "'")
    + ";font-size:13px;font-variant-numeric:tabular-nums}"
    ".pl-grid{stroke:var(--line);stroke-width:1;fill:none}.pl-axis{stroke:var(--quiet);stroke-width:1;fill:none}"
    ".pl-text{fill:var(--quiet)}.pl-end{text-anchor:end}.pl-middle{text-anchor:middle}.pl-name{fill:var(--text)}"
    ".pl-line{fill:none;stroke-linejoin:round}"
    ".pl-best{stroke:var(--opened);stroke-width:3}.pl-greedy{stroke:var(--other);stroke-width:2;stroke-dasharray:7 4}"
    ".pl-back{stroke:var(--upgraded);stroke-width:2;stroke-dasharray:2 3}"
    ".pl-rule{stroke:var(--text);stroke-width:1.5;stroke-dasharray:6 4}"
    ".pl-mark{stroke:var(--text);stroke-width:1;stroke-dasharray:2 3;fill:none}"
    ".pl-band{fill:var(--opened);opacity:.16}.pl-fill{fill:var(--opened);opacity:.5}"
    ".pl-dot{fill:var(--page);stroke:var(--text);stroke-width:1.5}"
    ".pl-halo{paint-order:stroke;stroke:var(--page);stroke-width:4px;stroke-linejoin:round}"
    "@media (max-width:720px){.plot{font-size:19px}}"  # a phone shows the drawing at half its size
)
"""Style of plots; colours are the variables of ``tokens.css``, and no two lines differ by colour alone."""


def plain(value: float) -> str:
    """A tick as a person writes it: 0.5, 20, 1,500."""
    return figures(f"{value:,.0f}" if abs(value) >= 1000 else f"{value:g}")


def _turned(text: str) -> str:
    """A text in the drawing, which runs from the left, in the direction that its language runs."""
    return clean(f"\u2067{text}\u2069" if direction() == "rtl" else text)


@dataclass
class Plot:
    """
    One chart, drawn in the order of the calls.

    Parameters
    ----------
    ident, title, desc
        Id on the page, and what a screen reader says.
    x, y
        Least and largest value of each axis; y is widened to whole ticks.
    x_name, y_name
        What the axes show, with units.
    width, height
        Units of the drawing; about pixels.
    whole
        Whether ticks of x are whole numbers.
    """

    ident: str
    title: str
    desc: str
    x: tuple[float, float]
    y: tuple[float, float]
    x_name: str
    y_name: str
    width: int = 640
    height: int = 340
    whole: bool = True
    write: Callable[[float], str] = plain
    _parts: list[str] = field(default_factory=list)
    _keys: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        low, high = self.y
        if not high > low:
            high = low + 1.0
        step = round_step(high - low, 6)
        self._y_ticks = [step * n for n in range(math.floor(low / step), math.ceil(high / step - 1e-9) + 1)]
        self.y = (self._y_ticks[0], self._y_ticks[-1])
        if not self.x[1] > self.x[0]:
            self.x = (self.x[0], self.x[0] + 1.0)

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Where a pair of values lies."""
        across = (x - self.x[0]) / (self.x[1] - self.x[0])
        up = (min(max(y, self.y[0]), self.y[1]) - self.y[0]) / (self.y[1] - self.y[0])
        return (
            _LEFT + across * (self.width - _LEFT - _RIGHT),
            self.height - _BOTTOM - up * (self.height - _TOP - _BOTTOM),
        )

    def _path(self, xs: Sequence[float], ys: Sequence[float]) -> str:
        return "M" + "L".join("{:.1f} {:.1f}".format(*self.at(x, y)) for x, y in zip(xs, ys, strict=True))

    def line(self, xs: Sequence[float], ys: Sequence[float], kind: str, name: str = "") -> None:
        """A line; ``kind`` is a class of ``CSS`` without its prefix, ``name`` its entry above the chart."""
        self._parts.append(f'<path class="pl-line pl-{kind}" d="{self._path(xs, ys)}"/>')
        if name:
            self._keys.append((kind, name))

    def band(self, xs: Sequence[float], low: Sequence[float], high: Sequence[float], kind: str = "band") -> None:
        """The room between two lines."""
        both = self._path([*xs, *xs[::-1]], [*low, *high[::-1]])
        self._parts.append(f'<path class="pl-{kind}" d="{both}Z"/>')

    def steps(self, edges: Sequence[float], heights: Sequence[float], kind: str = "fill") -> None:
        """Bars from the bottom, side by side: bar n from edge n to edge n + 1."""
        xs = [x for pair in pairwise(edges) for x in pair]
        ys = [height for height in heights for _ in (0, 1)]
        floor = max(self.y[0], 0.0)
        self.band(xs, [floor] * len(xs), ys, kind)
        self._parts.append(f'<path class="pl-line pl-best" style="stroke-width:1.5" d="{self._path(xs, ys)}"/>')

    def across(self, y: float, kind: str, name: str = "") -> None:
        """A level over the whole width."""
        self.line(self.x, (y, y), kind, name)

    def mark(self, x: float, text: str) -> None:
        """An upright line with its name beside it."""
        left, foot = self.at(x, self.y[0])
        turn = left > 0.6 * self.width
        side, anchor = (left - 6, " pl-end") if turn else (left + 6, "")
        self._parts.append(
            f'<path class="pl-mark" d="M{left:.1f} {foot:.1f}V{_TOP}"/>'
            f'<text class="pl-name pl-halo{anchor}" x="{side:.1f}" y="{_TOP + 14}">{_turned(text)}</text>'
        )

    def dots(self, xs: Sequence[float], ys: Sequence[float], titles: Sequence[str] = ()) -> None:
        """Circles, each with a title."""
        for n, (x, y) in enumerate(zip(xs, ys, strict=True)):
            left, top = self.at(x, y)
            title = f"<title>{clean(titles[n])}</title>" if titles else ""
            self._parts.append(f'<circle class="pl-dot" cx="{left:.1f}" cy="{top:.1f}" r="3.5">{title}</circle>')

    def svg(self) -> str:
        """The finished chart."""
        foot = self.height - _BOTTOM
        grid = []
        for tick in self._y_ticks:
            _, y = self.at(self.x[0], tick)
            kind = "pl-axis" if tick == self._y_ticks[0] else "pl-grid"
            grid.append(
                f'<path class="{kind}" d="M{_LEFT} {y:.1f}H{self.width - _RIGHT}"/>'
                f'<text class="pl-text pl-end" x="{_LEFT - 7}" y="{y + 4.5:.1f}">{self.write(round(tick, 9))}</text>'
            )
        step = round_step(self.x[1] - self.x[0], 8)
        step = max(1.0, step) if self.whole else step
        tick = math.ceil(self.x[0] / step - 1e-9) * step
        while tick <= self.x[1] + 1e-9:
            x, _ = self.at(tick, self.y[0])
            grid.append(
                f'<text class="pl-text pl-middle" x="{x:.1f}" y="{foot + 17}">{self.write(round(tick, 9))}</text>'
            )
            tick += step
        grid.append(
            f'<text class="pl-text pl-middle" x="{(_LEFT + self.width - _RIGHT) / 2:.1f}" y="{self.height - 6}">'
            f"{_turned(self.x_name)}</text>"
            f'<text class="pl-text" x="4" y="18">{_turned(self.y_name)}</text>'
        )
        turned = ' direction="ltr"' if direction() == "rtl" else ""  # the axes run from the left in every language
        return (
            f'<svg class="plot"{turned} viewBox="0 0 {self.width} {self.height}" role="img" '
            f'aria-labelledby="{self.ident}-t {self.ident}-d"><title id="{self.ident}-t">{clean(self.title)}</title>'
            f'<desc id="{self.ident}-d">{clean(self.desc)}</desc>{"".join(grid)}{"".join(self._parts)}</svg>'
        )

    def key(self) -> list[tuple[str, str]]:
        """Little pictures of the lines, and their names, for a legend beside the chart."""
        return [
            (
                f'<svg class="key" viewBox="0 0 34 10" aria-hidden="true" focusable="false">'
                f'<path class="pl-line pl-{kind}" d="M0 5h34"/></svg>',
                name,
            )
            for kind, name in self._keys
        ]
