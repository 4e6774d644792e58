"""Two small charts as SVG: people within so many minutes, and what each further centre brings."""

from __future__ import annotations

from collections.abc import Sequence

from nearer.language import figures, t, tn
from nearer.planning.document import PlanDocument
from nearer.report import plan_words, tokens, words
from nearer.report.mapclean import clean

_W, _H = 480, 320
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 14, 34, 40

CSS = (
    ".chart{display:block;width:100%;height:auto;font-family:"
    + tokens.FONT.replace('"', "'")
    + ";font-size:13px;font-variant-numeric:tabular-nums}"
    ".ch-grid{stroke:var(--line);stroke-width:1;fill:none}.ch-axis{stroke:var(--quiet);stroke-width:1;fill:none}"
    ".ch-text{fill:var(--quiet)}.ch-end{text-anchor:end}.ch-middle{text-anchor:middle}"
    ".ch-before{stroke:var(--existing);stroke-width:2;stroke-dasharray:6 4;fill:none;stroke-linejoin:round}"
    ".ch-after{stroke:var(--opened);stroke-width:3;fill:none;stroke-linejoin:round}"
    ".ch-gain{fill:var(--opened);opacity:.14}"
    ".ch-name{fill:var(--text)}"
    ".ch-mark{stroke:var(--quiet);stroke-width:1;stroke-dasharray:2 3}"
    ".ch-dot{fill:var(--page);stroke-width:2}.ch-dot-before{stroke:var(--existing)}.ch-dot-after{stroke:var(--opened)}"
)
"""Style of charts; colours are the variables of ``tokens.css``."""


def _x(share: float) -> float:
    return _LEFT + share * (_W - _LEFT - _RIGHT)


def _y(share: float) -> float:
    return _H - _BOTTOM - share * (_H - _TOP - _BOTTOM)


def _line(xs: Sequence[float], ys: Sequence[float]) -> str:
    return "M" + "L".join(f"{_x(x):.1f} {_y(y):.1f}" for x, y in zip(xs, ys, strict=True))


def _frame(ident: str, title: str, desc: str, inner: str) -> str:
    return (
        f'<svg class="chart" viewBox="0 0 {_W} {_H}" role="img" aria-labelledby="{ident}-t {ident}-d">'
        f'<title id="{ident}-t">{clean(title)}</title><desc id="{ident}-d">{clean(desc)}</desc>{inner}</svg>'
    )


def _grid(labels: Sequence[tuple[float, str]]) -> str:
    return "".join(
        f'<path class="{"ch-axis" if share == 0 else "ch-grid"}" d="M{_LEFT} {_y(share):.1f}H{_W - _RIGHT}"/>'
        f'<text class="ch-text ch-end" x="{_LEFT - 6}" y="{_y(share) + 4.5:.1f}">{label}</text>'
        for share, label in labels
    )


def _ticks(ticks: Sequence[tuple[float, str]], name: str) -> str:
    return "".join(
        f'<text class="ch-text ch-middle" x="{_x(share):.1f}" y="{_H - _BOTTOM + 17}">{label}</text>'
        for share, label in ticks
    ) + (f'<text class="ch-text ch-middle" x="{_x(0.5):.1f}" y="{_H - 6}">{name}</text>')


def _key() -> str:
    """Which line is which, above the chart, where no curve can reach."""
    y = _TOP - 16
    return (
        f'<path class="ch-before" d="M{_LEFT} {y}h34"/>'
        f'<text class="ch-name" x="{_LEFT + 42}" y="{y + 4.5}">{t("today")}</text>'
        f'<path class="ch-after" d="M{_LEFT + 104} {y}h34"/>'
        f'<text class="ch-name" x="{_LEFT + 146}" y="{y + 4.5}">{t("with the plan")}</text>'
    )


def round_step(span: float, most: int) -> float:
    """A step of 1, 2 or 5 times a power of ten that cuts ``span`` into at most ``most`` pieces."""
    power = 1.0
    while span / power > most:
        power *= 10
    while span / (power / 10) <= most:
        power /= 10
    return next(step for step in (0.1 * power, 0.2 * power, 0.5 * power, power) if span / step <= most)


def _percents() -> list[tuple[float, str]]:
    return [(share / 4, words.percent_bare(share / 4)) for share in range(5)]


def curve_svg(document: PlanDocument, ident: str = "curve") -> str:
    """People within so many minutes, today dashed and with the plan solid; "" where the plan holds no curve."""
    curve = document.curve
    if len(curve.minutes) < 2 or curve.minutes[-1] <= 0:
        return ""
    longest = curve.minutes[-1]
    xs = [minute / longest for minute in curve.minutes]
    step = max(1.0, round_step(longest, 8))
    ticks = [(step * n / longest, words.bare(step * n)) for n in range(int(longest / step) + 1)]
    near = words.near_min(document)
    shares = [words.within(document, side) for side in ("before", "after")]
    band = _line(xs, curve.after) + "L" + _line(xs[::-1], curve.before[::-1])[1:] + "Z"
    inner = _grid(_percents()) + _ticks(ticks, t("minutes' {trip} to the nearest centre", trip=words.trip(document)))
    inner += f'<path class="ch-gain" d="{band}"/>'
    marks = ""
    if 0 < near <= longest:
        x = _x(near / longest)
        inner += f'<path class="ch-mark" d="M{x:.1f} {_y(0):.1f}V{_y(1):.1f}"/>'
        marks = "".join(
            f'<circle class="ch-dot ch-dot-{side}" cx="{x:.1f}" cy="{_y(share):.1f}" r="4"/>'
            for side, share in zip(("before", "after"), shares, strict=True)
        )
    inner += f'<path class="ch-before" d="{_line(xs, curve.before)}"/>'
    inner += f'<path class="ch-after" d="{_line(xs, curve.after)}"/>{marks}'
    inner += _key()
    desc = f"{plan_words.reading(document, 'before')} {plan_words.reading(document, 'after')}"
    return _frame(ident, t("Share of people within so many minutes of a centre, today and with the plan"), desc, inner)


def gain_svg(gains: Sequence[float], ident: str = "gains") -> str:
    """Share of the whole gain after each further centre, in order of gain; "" for fewer than three centres."""
    total = sum(gains)
    if len(gains) < 3 or total <= 0:
        return ""
    run, shares = 0.0, [0.0]
    for gain in gains:
        run += gain
        shares.append(run / total)
    n = len(gains)
    step = max(1, round(round_step(n, 8)))
    ticks = [(place / n, figures(str(place))) for place in range(0, n + 1, step)]
    xs = [place / n for place in range(n + 1)]
    band = _line(xs, shares) + f"L{_x(1):.1f} {_y(0):.1f}L{_x(0):.1f} {_y(0):.1f}Z"
    dots = (
        "".join(
            f'<circle class="ch-dot ch-dot-after" cx="{_x(x):.1f}" cy="{_y(s):.1f}" r="3"/>'
            for x, s in zip(xs[1:], shares[1:], strict=True)
        )
        if n <= 30
        else ""
    )
    inner = (
        _grid(_percents())
        + _ticks(ticks, t("new centres, in order of gain"))
        + f'<path class="ch-gain" d="{band}"/><path class="ch-after" d="{_line(xs, shares)}"/>{dots}'
    )
    half = next(place for place, share in enumerate(shares) if share >= 0.5)
    desc = tn(
        half,
        "After {n} new centre at least half of the whole gain is reached.",
        "After {n} new centres at least half of the whole gain is reached.",
    )
    return _frame(ident, t("Share of the whole gain after each further centre"), desc, inner)
