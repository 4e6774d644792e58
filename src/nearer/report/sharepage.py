"""What fairness costs, as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nearer.files import written_whole
from nearer.language import figures, t
from nearer.report import plot, tokens, words


def share_svg(points: Sequence[tuple[float, float, float]]) -> str:
    """
    Kilograms served against the part of its fair share that every line keeps, in the language spoken; the bound dashed.

    Parameters
    ----------
    points
        Part kept 0 … 1, kilograms served, and what cannot be exceeded.
    """
    ordered = sorted(points)
    kept = [100 * point[0] for point in ordered]
    served, most = [point[1] for point in ordered], [point[2] for point in ordered]
    room = 0.05 * (max(most) - min(served)) or 0.05 * max(1.0, max(most))
    chart = plot.Plot(
        "fairness",
        t("What fairness costs"),
        t(
            "With every fair share kept in full {full} kg can be served, with none kept {none} kg.",
            full=words.number(served[-1]),
            none=words.number(served[0]),
        ),
        (0.0, 100.0),
        (max(0.0, min(served) - room), max(most) + room),
        t("part of its fair share that every line keeps, %"),
        t("served, kg"),
    )
    chart.line(kept, most, "greedy")
    chart.line(kept, served, "best")
    titles = [
        t("{mass} kg with {kept} kept", mass=words.number(y, 1), kept=figures(f"{x:.0f} %"))
        for x, y in zip(kept, served, strict=True)
    ]
    chart.dots(kept, served, titles)
    style = f"<style>{tokens.css('svg')}{plot.CSS}svg{{background:var(--page)}}</style>"
    head, rest = chart.svg().split(">", 1)
    return f'{head} xmlns="http://www.w3.org/2000/svg" width="{chart.width}" height="{chart.height}">{style}{rest}\n'


def write_share_plot(points: Sequence[tuple[float, float, float]], path: Path) -> None:
    """Write the picture, whole or not at all."""
    with written_whole(path) as part:
        part.write_text(share_svg(points), encoding="utf-8")
