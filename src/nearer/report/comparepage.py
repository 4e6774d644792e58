"""``compare.html``: plans side by side, in one file that asks nothing of the network and needs no script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from markupsafe import Markup

from nearer.files import written_whole
from nearer.planning.comparedoc import CompareDocument
from nearer.planning.document import SourceFile
from nearer.report import mapstyle, sitesmap, svgmap, tokens, words
from nearer.report.html import environment, style
from nearer.report.mapcells import OUT, draw_cells, minute_class
from nearer.report.maplegend import minute_words
from nearer.report.mapsheet import lay_ground, named_paths
from nearer.report.sitesmap import Drawn, Spot
from nearer.units import FloatArray

_SHOWN_SITES = 60


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


def headline(document: CompareDocument) -> str:
    """What the plans have in common, in one sentence."""
    n = len(document.plans)
    numbers = {plan.opened for plan in document.plans}
    each = f"each open {words.count(numbers.pop(), 'site')}" if len(numbers) == 1 else "open different numbers of sites"
    common = len(document.in_all)
    shared = (
        f"{words.count(common, 'site')} {'is' if common == 1 else 'are'} in all of them"
        if common
        else "no site is in all"
    )
    return f"{n} plans {each}; {shared}."


def best(document: CompareDocument) -> str:
    """Which plan has the shortest average way, where that can be said; "" elsewhere."""
    if not document.same_people:
        return ""
    ranked = sorted(document.plans, key=lambda plan: plan.after.mean_min)
    first, last = ranked[0], ranked[-1]
    one, other = words.minutes_pair(first.after.mean_min, last.after.mean_min)
    if one == other:
        return f"The average way is {one} minutes with every one of them."
    return (
        f"The average way is shortest with \u2068{first.label}\u2069 ({one} minutes) and longest with "
        f"\u2068{last.label}\u2069 ({other})."
    )


def summary(document: CompareDocument) -> list[str]:
    """The few lines a command line prints under its tables."""
    lines = [headline(document), best(document)]
    if len(document.plans) > 2:
        lines += [
            f"{row.plans[0]} and {row.plans[1]} share {row.common} sites ({words.percent(row.share)} of all they open)."
            for row in document.overlaps
        ]
    if document.differs:
        lines.append("Not made from the same:")
        lines += [f"  {text}" for text in document.differs]
    if not document.same_people:
        lines.append(
            "So the measures of these plans cannot be compared with one another; each is that of its own study."
        )
    elif not document.same_objective:
        lines.append("So values and bounds cannot be compared with one another; the measures of access can.")
    return [line for line in lines if line]


def _maps(document: CompareDocument, sight: Sight) -> tuple[Markup, list[Markup]]:
    """Shared definitions, and one map for each plan."""
    canvas = lay_ground(sight.ground, sight.sources, "nr")
    keys = np.column_stack([minute_class(one) for one in sight.minutes]).astype(np.int64)
    drawn = draw_cells(sight.ground, canvas.frame, keys)
    canvas = replace(canvas, defs=canvas.defs + named_paths([drawing for _, drawing in drawn], "nr"))
    hatch = 'fill="url(#nr-hatch)" stroke="url(#nr-hatch)"'
    existing = sight.ground.sites[sight.ground.sites["status"] == "existing"]
    pictures = []
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
        near = words.bare(document.coverage_min)
        desc = f"{words.percent(plan.after.within)} of people within {near} minutes."
        title = f"Minutes to the nearest centre, {plan.label}"
        pictures.append(sitesmap.sites_map(canvas, cells, spots, f"nr-p{place}", title, desc, 480))
    return Markup(svgmap.shared(canvas)), pictures


def compare_html(document: CompareDocument, sight: Sight | None) -> str:
    """The whole page; the same comparison gives the same bytes."""
    shared, maps = ("", []) if sight is None else _maps(document, sight)
    classes = [] if sight is None else minute_words(sight.limit_min)
    text = environment().get_template("compare.html.j2").render(
        doc=document,
        css=Markup(tokens.css() + mapstyle.CSS + sitesmap.CSS + style()),
        shared=shared,
        maps=maps,
        legend=[{"mark": f"m{n}", "words": text} for n, text in enumerate(classes)],
        marks=[
            (sitesmap.picture("existing"), "centre of today"),
            (sitesmap.picture("always"), "new in every plan"),
            (sitesmap.picture("only"), "new in this plan and not in every one"),
        ],
        shown=document.sites[:_SHOWN_SITES],
        headline=headline(document),
        best=best(document),
        words=words,
    )  # fmt: skip
    return text if text.endswith("\n") else text + "\n"


def write_compare_page(document: CompareDocument, sight: Sight | None, path: Path) -> None:
    """Write ``compare.html``, whole or not at all."""
    with written_whole(path) as beside:
        beside.write_text(compare_html(document, sight), encoding="utf-8", newline="\n")
