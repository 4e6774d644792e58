"""``compare.html``: plans side by side, in one file that asks nothing of the network and needs no script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from markupsafe import Markup

from nearer.files import written_whole
from nearer.language import t
from nearer.planning.comparedoc import CompareDocument
from nearer.planning.document import SourceFile
from nearer.report import comparewords, mapstyle, sitesmap, svgmap, tokens, words
from nearer.report.html import environment, style, turned
from nearer.report.mapcells import LOST, OUT, change_class, draw_cells, minute_class
from nearer.report.maplegend import LegendRow, change_legend, minute_words
from nearer.report.mapsheet import Canvas, lay_ground, named_paths
from nearer.report.sitesmap import Drawn, Spot
from nearer.units import FloatArray

_SHOWN_SITES = 60
_CHANGES = 3  # maps of differences; the table of areas tells of all


@dataclass(frozen=True)
class Sight:
    """
    What maps of plans side by side are drawn from.

    Parameters
    ----------
    ground
        People and sites that all plans share.
    minutes
        Minutes of each point with each plan, float64 (n_plans, n_points), NaN out of reach.
    sources
        Whose data they are.
    limit_min
        Beyond it, out of reach.
    """

    ground: Drawn
    minutes: FloatArray
    sources: Sequence[SourceFile]
    limit_min: float


@dataclass(frozen=True)
class Change:
    """The map of what one plan changes against the first, and what it says."""

    title: str
    picture: Markup
    reading: str
    legend: list[LegendRow]


def _maps(document: CompareDocument, sight: Sight) -> tuple[Markup, list[Markup], list[Change]]:
    """Shared definitions, one map for each plan, and what every other one changes against the first."""
    canvas = lay_ground(sight.ground, sight.sources, "nr")
    keys = np.column_stack([minute_class(one) for one in sight.minutes]).astype(np.int64)
    drawn = draw_cells(sight.ground, canvas.frame, keys)
    canvas = replace(canvas, defs=canvas.defs + named_paths([drawing for _, drawing in drawn], "nr"))
    hatch = 'fill="url(#nr-hatch)" stroke="url(#nr-hatch)"'
    existing = sight.ground.sites[sight.ground.sites["status"] == "existing"]
    pictures: list[Markup] = []
    placed: list[list[Spot]] = []
    for place, plan in enumerate(document.plans):
        paint = [hatch if key[place] == OUT else f'class="nr-m{key[place]}"' for key, _ in drawn]
        cells = "".join(f'<use href="#nr-c{n}" {fill}/>' for n, fill in enumerate(paint))
        gone = {site.id for site in document.sites if site.status[place] == "closed"}
        spots = [
            Spot(point.x, point.y, "existing", str(name))
            for point, name, site in zip(existing.geometry, existing["name"], existing["id"], strict=True)
            if site not in gone
        ]
        spots += [
            Spot(site.lon, site.lat, "always" if site.id in document.in_all else "only", site.name)
            for site in document.sites
            if site.status[place] == "opened"
        ]
        placed.append(spots)
        near = words.bare(document.coverage_min)
        desc = t("{share} of people within {near} minutes.", share=words.percent(plan.after.within), near=near)
        title = t("Minutes to the nearest centre, {plan}", plan=plan.label)
        pictures.append(sitesmap.sites_map(canvas, cells, spots, f"nr-p{place}", title, desc, 480))
    changes = [_change(document, sight, canvas, place, placed[place]) for place in range(1, len(document.plans))]
    return Markup(svgmap.shared(canvas)), pictures, changes[:_CHANGES]


def _change(document: CompareDocument, sight: Sight, canvas: Canvas, place: int, spots: list[Spot]) -> Change:
    """What a plan changes against the first, cell by cell."""
    before, after = sight.minutes[0], sight.minutes[place]
    people = sight.ground.people["total"].to_numpy(dtype=np.float64)
    drawn = draw_cells(sight.ground, canvas.frame, change_class(before, after)[:, None].astype(np.int64))
    hatch = 'fill="url(#nr-hatch)" stroke="url(#nr-hatch)"'
    cells = "".join(
        f'<g {hatch if key[0] == LOST else f"""class="nr-d{key[0]}" """}>{drawing}</g>' for key, drawing in drawn
    )
    legend = change_legend(before, after, people)
    first, other = document.plans[0].label, document.plans[place].label
    shorter = sum(row.people[0] for row in legend if row.mark in ("d0", "d1", "d2"))
    longer = sum(row.people[0] for row in legend if row.mark in ("d4", "d5", "d6", f"m{OUT}"))
    reading = words.folk(
        shorter,
        "With {other} nobody has a shorter way than with {first}",
        "With {other} {people} has a shorter way than with {first}",
        "With {other} {people} have a shorter way than with {first}",
        other=f"\u2068{other}\u2069",
        first=f"\u2068{first}\u2069",
    ) + words.folk(
        longer,
        ", and nobody a longer one.",
        ", and {people} a longer one.",
        ", and {people} a longer one.",
    )
    title = t("Minutes more or less with {other} than with {first}", other=other, first=first)
    picture = sitesmap.sites_map(canvas, cells, spots, f"nr-d{place}", title, reading, 480)
    return Change(t("{other} against {first}", other=other, first=first), picture, reading, legend)


def compare_html(document: CompareDocument, sight: Sight | None) -> str:
    """The whole page, in the language spoken; the same comparison gives the same bytes."""
    shared, maps, changes = ("", [], []) if sight is None else _maps(document, sight)
    classes = [] if sight is None else minute_words(sight.limit_min)
    text = environment().get_template("compare.html.j2").render(
        doc=document,
        css=Markup(tokens.css() + mapstyle.CSS + sitesmap.CSS + style() + turned()),
        shared=shared,
        maps=maps,
        changes=changes,
        legend=[{"mark": f"m{n}", "words": text} for n, text in enumerate(classes)],
        marks=[
            (sitesmap.picture("existing"), t("centre of today")),
            (sitesmap.picture("always"), t("new in every plan")),
            (sitesmap.picture("only"), t("new in this plan and not in every one")),
        ],
        shown=document.sites[:_SHOWN_SITES],
        status={"opened": "●", "upgraded": t("upgraded"), "closed": t("closed")},
        say=comparewords,
        words=words,
    )  # fmt: skip
    return text if text.endswith("\n") else text + "\n"


def write_compare_page(document: CompareDocument, sight: Sight | None, path: Path) -> None:
    """Write ``compare.html``, whole or not at all."""
    with written_whole(path) as beside:
        beside.write_text(compare_html(document, sight), encoding="utf-8", newline="\n")
