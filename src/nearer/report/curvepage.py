"""``curve.html``: one file that opens anywhere, asks nothing of the network and needs no script."""

from __future__ import annotations

from pathlib import Path

from markupsafe import Markup

from nearer.files import written_whole
from nearer.language import t, told
from nearer.planning.curvedoc import CurveDocument
from nearer.report import curvewords, plot, tokens, words
from nearer.report.html import environment, settings_lines, style


def value_plot(document: CurveDocument) -> plot.Plot:
    """Average minutes by size: the best network of each, the networks that grow, and the bound."""
    sizes = document.sizes
    xs = [float(size.centres) for size in sizes]
    per = document.weight if document.weight > 0 else 1.0
    best = [size.value / per for size in sizes]
    greedy = [size.greedy.value / per for size in sizes]
    bound = [size.bound / per for size in sizes]
    chart = plot.Plot(
        "value",
        t("Average minutes to the nearest centre by number of centres"),
        curvewords.headline(document),
        (xs[0], xs[-1]),
        (0.0, max(best + greedy)),
        t("centres"),
        t("minutes on average") + (t(", groups weighted") if document.weighted else ""),
    )
    chart.band(xs, bound, best)
    chart.line(xs, greedy, "greedy", t("grows, always by the site that helps most"))
    if all(size.backwards is not None for size in sizes):
        back = [size.backwards.value / per for size in sizes if size.backwards is not None]
        chart.line(xs, back, "back", t("grows towards the best network of {n}", n=words.bare(sizes[-1].centres)))
    chart.line(xs, best, "best", t("best network of each size"))
    return chart


def gain_plot(document: CurveDocument) -> plot.Plot | None:
    """What each further centre brings; None for fewer than two sizes solved."""
    known = curvewords.solved(document)
    if len(known) < 2:
        return None
    edges = [float(size.centres) for size in known]
    brings = [(size.each_brings or 0.0) / 60.0 for size in known[1:]]
    chart = plot.Plot(
        "brings",
        t("Hours that each further centre saves everyone together"),
        curvewords.fall_off(document),
        (edges[0], edges[-1]),
        (0.0, max(max(brings), 1e-9)),
        t("centres"),
        t("hours saved by each further centre"),
    )
    chart.steps(edges, brings)
    found = document.falloff
    if found is not None:
        chart.across(found.average / 60.0 / 2.0, "rule", t("half of the average"))
        if found.centres is not None and found.centres < known[-1].centres:
            chart.mark(found.centres, words.count(found.centres, "centre"))
    return chart


def history_plot(document: CurveDocument) -> plot.Plot | None:
    """Past volume by centres open, with what was fitted, over what was observed only; None without a table."""
    past = document.history
    if past is None:
        return None
    fit = next((fit for fit in past.fits if fit.curve), None)
    low, high = past.observed
    most = max([*past.volume, *([row["high"] for row in fit.curve] if fit else [])], default=1.0)
    chart = plot.Plot(
        "past",
        t("Past {unit} by number of centres open", unit=past.unit),
        " ".join(map(told, past.says)),
        (float(low), float(max(high, low + 1))),
        (0.0, min(most, 3.0 * max(past.volume, default=1.0))),
        t("centres open, as far as observed"),
        t("{unit} in a period", unit=past.unit),
        width=460,
        height=320,
    )
    if fit:
        xs = [row["centres"] for row in fit.curve]
        chart.band(xs, [row["low"] for row in fit.curve], [row["high"] for row in fit.curve])
        chart.line(xs, [row["volume"] for row in fit.curve], "best", t("fitted, with the 95 % band"))
    titles = [
        t("{name}: {centres}, {value}", name=name, centres=words.count(n, "centre"), value=words.whole(value))
        for name, n, value in zip(past.periods, past.open, past.volume, strict=True)
    ]
    chart.dots([float(n) for n in past.open], past.volume, titles)
    return chart


def curve_html(document: CurveDocument) -> str:
    """The whole page; the same document gives the same bytes."""
    value, gain, past = value_plot(document), gain_plot(document), history_plot(document)
    text = environment().get_template("curve.html.j2").render(
        doc=document,
        css=Markup(tokens.css() + plot.CSS + style()),
        value=Markup(value.svg()),
        value_key=[(Markup(picture), name) for picture, name in value.key()],
        gain="" if gain is None else Markup(gain.svg()),
        gain_key=[] if gain is None else [(Markup(picture), name) for picture, name in gain.key()],
        past="" if past is None else Markup(past.svg()),
        past_key=[] if past is None else [(Markup(picture), name) for picture, name in past.key()],
        rows=curvewords.digest(document),
        notes=[told(note) for note in document.notes],
        past_says=[] if document.history is None else [told(line) for line in document.history.says],
        past_file="" if document.history is None else Markup("<bdi>{}</bdi>").format(document.history.file),
        told=told,
        past_limits=[] if document.history is None else [told(line) for line in document.history.limits],
        words=words,
        say=curvewords,
        settings=settings_lines(document.settings),
    )  # fmt: skip
    return text if text.endswith("\n") else text + "\n"


def write_curve_page(document: CurveDocument, path: Path) -> None:
    """Write ``curve.html``, whole or not at all."""
    with written_whole(path) as beside:
        beside.write_text(curve_html(document), encoding="utf-8", newline="\n")
