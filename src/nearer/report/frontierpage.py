"""``frontier.html``: what two objectives cost each other, as one plot and one table in one file."""

from __future__ import annotations

from html import escape
from pathlib import Path

from nearer.files import written_whole
from nearer.planning.frontierdoc import FrontierDocument
from nearer.report import plot, tokens, words
from nearer.report.html import style

NAMES = {
    "travel": "travel of everyone together",
    "coverage": "people near",
    "farthest": "longest time of anybody within reach",
    "equal": "minutes as good as if all had them",
    "cost": "cost",
}

SPOKEN = {
    **NAMES,
    "coverage": "the number near",
    "farthest": "the longest time",
    "equal": "time made even",
    "cost": "cost",
}


def axis(document: FrontierDocument, which: str) -> str:
    """What an axis shows, with its unit."""
    aim = document.first if which == "first" else document.second
    name = NAMES[aim.name]
    return f"{name}, {'hours' if aim.unit == 'person-minutes' else aim.unit}"


def shown(document: FrontierDocument, which: str, value: float) -> float:
    """A value as it is shown: person-minutes as hours."""
    aim = document.first if which == "first" else document.second
    return value / 60.0 if aim.unit == "person-minutes" else value


def figure(value: float) -> str:
    """A value of either objective."""
    return f"{value:,.1f}" if abs(value) < 1000 and value != round(value) else f"{value:,.0f}"


def rows(document: FrontierDocument) -> list[list[str]]:
    """The table: both values, the bound, the gap, who vouches, sites opened."""
    other = "first" if document.held == document.second.name else "second"
    return [
        [
            figure(shown(document, "first", point.first)),
            figure(shown(document, "second", point.second)),
            figure(shown(document, other, point.bound)),
            "proven" if point.status == "optimal" else words.percent_up(point.gap),
            str(len(point.opened)),
        ]
        for point in document.points
    ]


def header(document: FrontierDocument) -> list[str]:
    """Names of the table's columns."""
    other = document.first if document.held == document.second.name else document.second
    side = "at most" if other.larger_is_better else "at least"
    return [axis(document, "first"), axis(document, "second"), f"{other.name} {side}", "better by at most", "opened"]


def summary(document: FrontierDocument) -> str:
    """The frontier in one sentence."""
    if len(document.points) < 2 and not document.complete:
        return "Only one plan was found before the search was stopped: give it more time to see what lies between."
    if len(document.points) < 2:
        return "One plan is best in both: the two objectives do not cost each other anything here."
    first, second = (_from_to(document, which) for which in ("first", "second"))
    return f"As {first}, {second}."


def _from_to(document: FrontierDocument, which: str) -> str:
    """What an objective is at both ends of the frontier."""
    aim = document.first if which == "first" else document.second
    one, other = (figure(shown(document, which, getattr(document.points[end], which))) for end in (0, -1))
    unit = axis(document, which).rpartition(", ")[2]
    return f"{SPOKEN[aim.name]} goes from {one} to {other} {unit}"


def frontier_plot(document: FrontierDocument) -> str:
    """The points, joined, as SVG; the bound of the objective that is made good beside them, dashed."""
    points = sorted(document.points, key=lambda point: point.second)
    xs = [shown(document, "second", point.second) for point in points]
    ys = [shown(document, "first", point.first) for point in points]
    room = 0.05 * (max(ys) - min(ys)) or 0.05 * max(abs(ys[0]), 1.0)
    chart = plot.Plot(
        "frontier",
        f"{axis(document, 'first')} against {axis(document, 'second')}",
        summary(document),
        (min(xs), max(xs)),
        (max(min(ys) - room, 0.0), max(ys) + room),
        axis(document, "second"),
        axis(document, "first"),
        whole=False,
    )
    if document.held == document.second.name:
        chart.line(xs, [shown(document, "first", point.bound) for point in points], "greedy", "no plan goes beyond")
    chart.line(xs, ys, "best", "best plans found")
    chart.dots(
        xs,
        ys,
        [f"{figure(y)}; {figure(x)}: {len(point.opened)} sites" for x, y, point in zip(xs, ys, points, strict=True)],
    )
    return chart.svg() + "".join(f'<p class="small">{picture} {escape(name)}</p>' for picture, name in chart.key())


def frontier_html(document: FrontierDocument) -> str:
    """The whole page; the same document gives the same bytes."""
    heads = "".join(f'<th scope="col" class="num">{escape(name)}</th>' for name in header(document))
    body = "".join(
        "<tr>" + "".join(f'<td class="num">{escape(cell)}</td>' for cell in row) + "</tr>" for row in rows(document)
    )
    notes = "".join(f"<li>{escape(note)}</li>" for note in document.notes)
    return (
        '<!doctype html>\n<html lang="en" dir="ltr">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width,initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{escape(document.study)}</title>\n<style>{tokens.css()}{plot.CSS}{style()}</style>\n</head>\n<body>\n"
        '<main>\n<header>\n<p class="kicker">What two objectives cost each other</p>\n'
        f'<h1><span dir="auto">{escape(document.study)}</span></h1>\n<p class="lead">{escape(summary(document))}</p>\n'
        f'</header>\n<section aria-label="The frontier">\n<figure class="narrow">{frontier_plot(document)}</figure>\n'
        '<div class="scroll" tabindex="0" role="region" aria-label="Points of the frontier">\n<table>\n'
        f"<caption><b>Each row is a plan.</b> None is at least as good as another in both. "
        f"{escape(document.held.capitalize())} is held to levels; the bound is over all plans that keep the level."
        "</caption>\n"
        f"<thead><tr>{heads}</tr></thead>\n<tbody>{body}</tbody>\n</table>\n</div>\n"
        f'<ul class="plain">{notes}</ul>\n</section>\n</main>\n'
        f"<footer><p>Made with nearer {escape(document.nearer)}. This file needs no network.</p></footer>\n"
        "</body>\n</html>\n"
    )


def write_frontier_page(document: FrontierDocument, path: Path) -> None:
    """Write ``frontier.html``, whole or not at all."""
    with written_whole(path) as beside:
        beside.write_text(frontier_html(document), encoding="utf-8", newline="\n")
