"""``frontier.html``: what two objectives cost each other, as one plot and one table in one file."""

from __future__ import annotations

from html import escape
from pathlib import Path

from nearer.files import written_whole
from nearer.language import direction, spoken, t, told
from nearer.planning.frontierdoc import FrontierDocument
from nearer.report import plot, tokens, words
from nearer.report.html import style


def name_of(aim: str) -> str:
    """What an objective is called at an axis."""
    return {
        "travel": t("travel of everyone together"),
        "coverage": t("people near"),
        "farthest": t("longest time of anybody within reach"),
        "equal": t("minutes as good as if all had them"),
        "cost": t("cost"),
    }[aim]


def spoken_name(aim: str) -> str:
    """What an objective is called in a sentence."""
    known = {"coverage": t("the number near"), "farthest": t("the longest time"), "equal": t("time made even")}
    return known.get(aim) or name_of(aim)


def unit_of(document: FrontierDocument, which: str) -> str:
    """The unit in which an axis is shown."""
    aim = document.first if which == "first" else document.second
    return t("hours") if aim.unit == "person-minutes" else words.unit(aim.unit)


def axis(document: FrontierDocument, which: str) -> str:
    """What an axis shows, with its unit."""
    aim = document.first if which == "first" else document.second
    return t("{name}, {unit}", name=name_of(aim.name), unit=unit_of(document, which))


def shown(document: FrontierDocument, which: str, value: float) -> float:
    """A value as it is shown: person-minutes as hours."""
    aim = document.first if which == "first" else document.second
    return value / 60.0 if aim.unit == "person-minutes" else value


def figure(value: float) -> str:
    """A value of either objective."""
    return words.number(value, 1 if abs(value) < 1000 and value != round(value) else 0)


def rows(document: FrontierDocument) -> list[list[str]]:
    """The table: both values, the bound, the gap, who vouches, sites opened."""
    other = "first" if document.held == document.second.name else "second"
    return [
        [
            figure(shown(document, "first", point.first)),
            figure(shown(document, "second", point.second)),
            figure(shown(document, other, point.bound)),
            t("proven") if point.status == "optimal" else words.percent_up(point.gap),
            words.bare(len(point.opened)),
        ]
        for point in document.points
    ]


def header(document: FrontierDocument) -> list[str]:
    """Names of the table's columns."""
    other = document.first if document.held == document.second.name else document.second
    name = objective(other.name)
    limit = t("{name} at most", name=name) if other.larger_is_better else t("{name} at least", name=name)
    return [axis(document, "first"), axis(document, "second"), limit, t("better by at most"), t("opened")]


def objective(aim: str) -> str:
    """The name that an objective has in a study, with its meaning in other languages."""
    return {
        "travel": t("travel"),
        "coverage": t("coverage"),
        "farthest": t("farthest"),
        "equal": t("equal"),
        "cost": t("cost"),
    }[aim]


def summary(document: FrontierDocument) -> str:
    """The frontier in one sentence."""
    if len(document.points) < 2 and not document.complete:
        return t("Only one plan was found before the search was stopped: give it more time to see what lies between.")
    if len(document.points) < 2:
        return t("One plan is best in both: the two objectives do not cost each other anything here.")
    first, second = (_from_to(document, which) for which in ("first", "second"))
    return t("As {first}, {second}.", first=first, second=second)


def _from_to(document: FrontierDocument, which: str) -> str:
    """What an objective is at both ends of the frontier."""
    aim = document.first if which == "first" else document.second
    one, other = (figure(shown(document, which, getattr(document.points[end], which))) for end in (0, -1))
    said = {"name": spoken_name(aim.name), "one": one, "other": other, "unit": unit_of(document, which)}
    return t("{name} goes from {one} to {other} {unit}", **said)


def frontier_plot(document: FrontierDocument) -> str:
    """The points, joined, as SVG; the bound of the objective that is made good beside them, dashed."""
    points = sorted(document.points, key=lambda point: point.second)
    xs = [shown(document, "second", point.second) for point in points]
    ys = [shown(document, "first", point.first) for point in points]
    room = 0.05 * (max(ys) - min(ys)) or 0.05 * max(abs(ys[0]), 1.0)
    chart = plot.Plot(
        "frontier",
        t("{first} against {second}", first=axis(document, "first"), second=axis(document, "second")),
        summary(document),
        (min(xs), max(xs)),
        (max(min(ys) - room, 0.0), max(ys) + room),
        axis(document, "second"),
        axis(document, "first"),
        whole=False,
    )
    if document.held == document.second.name:
        chart.line(xs, [shown(document, "first", point.bound) for point in points], "greedy", t("no plan goes beyond"))
    chart.line(xs, ys, "best", t("best plans found"))
    chart.dots(
        xs,
        ys,
        [
            t("{y}; {x}: {sites}", y=figure(y), x=figure(x), sites=words.count(len(point.opened), "site"))
            for x, y, point in zip(xs, ys, points, strict=True)
        ],
    )
    return chart.svg() + "".join(f'<p class="small">{picture} {escape(name)}</p>' for picture, name in chart.key())


def frontier_html(document: FrontierDocument) -> str:
    """The whole page; the same document gives the same bytes."""
    heads = "".join(f'<th scope="col" class="num">{escape(name)}</th>' for name in header(document))
    body = "".join(
        "<tr>" + "".join(f'<td class="num">{escape(cell)}</td>' for cell in row) + "</tr>" for row in rows(document)
    )
    held = t(
        "None is at least as good as another in both. {Name} is held to levels; the bound is over all plans that keep "
        "the level.",
        Name=objective(document.held).capitalize(),
    )
    made = escape(t("Made with nearer {version}. This file needs no network.", version=document.nearer))
    notes = "".join(f"<li>{escape(told(note))}</li>" for note in document.notes)
    return (
        '<!doctype html>\n<html lang="'
        f'{spoken()}" dir="{direction()}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width,initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{escape(document.study)}</title>\n<style>{tokens.css()}{plot.CSS}{style()}</style>\n</head>\n<body>\n"
        f'<main>\n<header>\n<p class="kicker">{t("What two objectives cost each other")}</p>\n'
        f'<h1><span dir="auto">{escape(document.study)}</span></h1>\n<p class="lead">{escape(summary(document))}</p>\n'
        f'</header>\n<section aria-label="{t("The frontier")}">\n'
        f'<figure class="narrow">{frontier_plot(document)}</figure>\n'
        f'<div class="scroll" tabindex="0" role="region" aria-label="{t("Points of the frontier")}">\n<table>\n'
        f"<caption><b>{t('Each row is a plan.')}</b> {escape(held)}</caption>\n"
        f"<thead><tr>{heads}</tr></thead>\n<tbody>{body}</tbody>\n</table>\n</div>\n"
        f'<ul class="plain">{notes}</ul>\n</section>\n</main>\n'
        f"<footer><p>{made}</p></footer>\n"
        "</body>\n</html>\n"
    )


def write_frontier_page(document: FrontierDocument, path: Path) -> None:
    """Write ``frontier.html``, whole or not at all."""
    with written_whole(path) as beside:
        beside.write_text(frontier_html(document), encoding="utf-8", newline="\n")
