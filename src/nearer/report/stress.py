"""``stress.html`` and ``stress.gpkg``: a plan put to the test, for people and for QGIS."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from markupsafe import Markup

from nearer.files import written_whole
from nearer.inputs.geo import WGS84
from nearer.language import t, told
from nearer.planning.document import PlanDocument
from nearer.planning.stress_document import StressDocument
from nearer.planning.stress_result import Stress
from nearer.report import mapstyle, qgis, stress_words, svgmap, tokens, words
from nearer.report.dates import day
from nearer.report.gpkg import write_layers
from nearer.report.html import environment, sized, style, turned
from nearer.report.mapbase import outline_path
from nearer.report.mapcells import LOST, change_class, draw_cells
from nearer.report.mapclean import clean
from nearer.report.mapframe import WIDTH
from nearer.report.maplegend import LegendRow, change_legend, minute_legend
from nearer.report.mapmarks import mark
from nearer.report.mapsheet import Sheet, Which, lay_out
from nearer.report.stress_sections import sections
from nearer.report.tables import site_names
from nearer.report.words import minutes_pair, whole

CSS = (
    ".nr-hazard{fill:var(--other);fill-opacity:.22;stroke:var(--other);stroke-width:1.5px;"
    "vector-effect:non-scaling-stroke}"
)


def stress_html(made: Stress) -> str:
    """The whole page as one HTML document; the same answer gives the same bytes."""
    document, plan = made.document, made.before.document
    sheet = lay_out(made.after, "st")
    hazard = ""
    if made.hazard is not None and (outline := outline_path(made.hazard, sheet.frame)):
        hazard = f'<path class="nr-hazard" fill-rule="evenodd" d="{outline}"/>'
    text = environment().get_template("stress.html.j2").render(
        doc=document,
        css=Markup(tokens.css() + mapstyle.CSS + CSS + style() + turned()),
        shared=Markup(svgmap.shared(sheet)),
        maps={
            "before": _map(replace(sheet, plan=made.before, ground=made.before), "before", document, ""),
            "after": _map(sheet, "after", document, hazard),
        },
        losses=_losses(made, sheet, hazard),
        loss_legend=_loss_legend(made),
        readings={side: stress_words.reading(document, plan, side) for side in ("before", "after")},
        happening=stress_words.happening(document.asked),
        headline=stress_words.headline(document, plan),
        figures=_figures(document, plan),
        trip=words.trip(plan),
        sized=sized(made.after),
        minute_legend=_legend(made),
        marks=_marks(made),
        sections=sections(document, plan, site_names(made.after)),
        date=day(str(made.run.get("date", ""))),
        source=sheet.source,
        notes=[told(note) for note in document.notes],
        words=words,
    )  # fmt: skip
    return text if text.endswith("\n") else text + "\n"


def _map(sheet: Sheet, which: Which, document: StressDocument, over: str) -> Markup:
    reading = stress_words.reading(document, sheet.plan.document, which)
    ident = f"{sheet.prefix}-{which}"
    title = t("Minutes to the nearest centre before") if which == "before" else t("Minutes to the nearest centre then")
    return Markup(
        f'<svg class="nearer-map" viewBox="0 0 {WIDTH} {sheet.frame.height}" role="img" '
        f'aria-labelledby="{ident}-t {ident}-d"><title id="{ident}-t">{title}</title>'
        f'<desc id="{ident}-d">{clean(reading)}</desc>{svgmap.content(sheet, which, 480, over)}</svg>'
    )


def _losses(made: Stress, sheet: Sheet, over: str) -> Markup:
    """Who loses, and how much; "" where nobody does."""
    people = made.after.people
    minutes = [people[column].to_numpy(dtype=np.float64) for column in ("minutes_before", "minutes_after")]
    classes = change_class(minutes[0], minutes[1])
    if not (classes > change_class(np.zeros(1), np.zeros(1))[0]).any():
        return Markup("")
    cells = draw_cells(made.after, sheet.frame, classes[:, None].astype(np.int64))
    hatch = f'fill="url(#{sheet.prefix}-hatch)" stroke="url(#{sheet.prefix}-hatch)"'
    painted = "".join(
        f'<g {hatch if key[0] == LOST else f"""class="nr-d{key[0]}" """}>{drawing}</g>' for key, drawing in cells
    )
    ident = f"{sheet.prefix}-losses"
    return Markup(
        f'<svg class="nearer-map" viewBox="0 0 {WIDTH} {sheet.frame.height}" role="img" '
        f'aria-labelledby="{ident}-t {ident}-d"><title id="{ident}-t">{t("Minutes more than before")}</title>'
        f'<desc id="{ident}-d">{clean(stress_words.longer(made.document))}</desc>'
        f"{svgmap.content(sheet, 'after', 480, over, painted)}</svg>"
    )


def _loss_legend(made: Stress) -> list[LegendRow]:
    people = made.after.people
    return change_legend(
        people["minutes_before"].to_numpy(dtype=np.float64),
        people["minutes_after"].to_numpy(dtype=np.float64),
        people["total"].to_numpy(dtype=np.float64),
    )


def _legend(made: Stress) -> list[LegendRow]:
    """Classes of minutes with the people of before in them before, and those of then in them then."""
    was = {row.mark: row.people[0] for row in minute_legend(made.before)}
    return [
        LegendRow(row.mark, row.words, (was.get(row.mark, 0.0), row.people[1])) for row in minute_legend(made.after)
    ]


def _marks(made: Stress) -> list[dict[str, Any]]:
    found = []
    for status, name in (
        ("existing", t("centre in service")),
        ("closed", t("centre that is out")),
        ("opened", t("open first, in this order")),
        ("other", t("another provider's centre")),
    ):
        if (made.after.sites["status"] == status).any():
            picture = Markup(
                f'<svg class="mark" viewBox="0 0 160 160" aria-hidden="true" focusable="false">'
                f"{mark(status, 80, 80, 10)}</svg>"
            )
            found.append({"name": name, "picture": picture})
    if made.hazard is not None:
        picture = Markup(
            '<svg class="mark" viewBox="0 0 160 160" aria-hidden="true" focusable="false">'
            '<rect class="nr-hazard" x="16" y="36" width="128" height="88"/></svg>'
        )
        found.append({"name": t("ground that cannot be used"), "picture": picture})
    return found


def _figures(document: StressDocument, plan: PlanDocument) -> list[dict[str, str]]:
    before, after = document.before, document.after
    mean = minutes_pair(before.mean_min, after.mean_min)
    near = words.near_min(plan)
    shares = [words.percent(access.within.get(f"{near:g}", 0.0)) for access in (before, after)]
    n_out = sum(site.out is not None for site in document.sites)
    over = sum(site.over > 0.5 for site in document.sites)
    room = t("no capacities are known")
    if document.capacity != "unlimited":
        room = t("{n} have more people than room", n=words.bare(over))
    counted = t("a person out of reach counts as {n} minutes", n=words.bare(words.unreached_min(plan)))
    return [
        {
            "name": t("Average {trip}", trip=words.trip(plan)),
            "before": mean[0],
            "after": mean[1],
            "unit": t("minutes"),
            "note": counted if after.unreached else "",
        },
        {
            "name": t("Within {near} minutes", near=words.bare(near)),
            "before": shares[0],
            "after": shares[1],
            "unit": t("of people"),
            "note": "",
        },
        {
            "name": t("Cut off"),
            "before": "",
            "after": words.about(document.cut_off),
            "unit": t("people"),
            "note": t("out of reach now, and not before; {n} in all", n=words.about(after.unreached)),
        },
        {
            "name": t("Centres in service"),
            "before": whole(len(document.sites)),
            "after": whole(len(document.sites) - n_out),
            "unit": "",
            "note": room,
        },
    ]


def write_stress_report(made: Stress, path: Path) -> None:
    """
    Write ``stress.html``, whole or not at all.

    Raises
    ------
    NearerError
        The file cannot be written.
    """
    with written_whole(Path(path)) as beside:
        beside.write_text(stress_html(made), encoding="utf-8", newline="\n")


def write_stress_gpkg(made: Stress, path: Path) -> None:
    """
    Write ``stress.gpkg`` (WGS 84): layers ``people``, ``hazard``, ``flows`` and ``sites``, with styles.

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    people = made.after.people.copy()
    if made.after.shapes is not None:
        people = people.set_geometry(gpd.GeoSeries(made.after.shapes.to_numpy(), crs=WGS84, index=people.index))
    sites = made.after.sites
    spot = dict(zip(sites["id"], sites.geometry, strict=True))
    known = [flow for flow in made.document.flows if flow.from_ is not None and flow.to is not None]
    flows = None
    if known:
        flows = gpd.GeoDataFrame(
            {
                "from_id": [flow.from_ for flow in known],
                "to_id": [flow.to for flow in known],
                "people": [flow.people for flow in known],
                "minutes_more": [flow.minutes_more for flow in known],
            },
            geometry=[shapely.linestrings([spot[f.from_].coords[0], spot[f.to].coords[0]]) for f in known],
            crs=WGS84,
        )
    polygons = made.after.shapes is not None
    write_layers(
        [
            ("people", people, qgis.people_style(polygons, made.after.cell_m)),
            ("hazard", made.hazard, qgis.hazard_style()),
            ("flows", flows, qgis.flows_style()),
            ("sites", sites, qgis.sites_style()),
        ],
        path,
    )
