"""``stress.html`` and ``stress.gpkg``: a plan put to the test, for people and for QGIS."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from markupsafe import Markup

from nearer.files import written_whole
from nearer.inputs.geo import WGS84
from nearer.planning.document import PlanDocument
from nearer.planning.stress_document import RandomLosses, Spread, Stock, StressDocument, WorstLoss
from nearer.planning.stress_result import Stress
from nearer.report import mapstyle, qgis, stress_words, svgmap, tokens, words
from nearer.report.gpkg import write_layers
from nearer.report.html import environment, sized, style
from nearer.report.mapbase import outline_path
from nearer.report.mapcells import LOST, change_class, draw_cells
from nearer.report.mapclean import clean
from nearer.report.mapframe import WIDTH
from nearer.report.maplegend import LegendRow, change_legend, minute_legend
from nearer.report.mapmarks import mark
from nearer.report.mapsheet import Sheet, Which, lay_out
from nearer.report.tables import site_names
from nearer.report.words import minutes, minutes_pair, whole

_MARKS = (("existing", "centre in service"), ("closed", "centre that is out"), ("opened", "open first, in this order"))
_LONGEST = 15
"""Rows of a table; the rest is in ``stress.json``."""

CSS = (
    ".nr-hazard{fill:var(--other);fill-opacity:.22;stroke:var(--other);stroke-width:1.5px;"
    "vector-effect:non-scaling-stroke}"
)


@dataclass(frozen=True)
class Table:
    """A table in words: columns whose position is in ``text`` run left, the others hold numbers."""

    name: str
    heads: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    more: str = ""
    text: tuple[int, ...] = (0,)


@dataclass(frozen=True)
class Section:
    """A section of the page."""

    title: str
    texts: list[str] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    proof: str = ""


def stress_html(made: Stress) -> str:
    """The whole page as one HTML document; the same answer gives the same bytes."""
    document, plan = made.document, made.before.document
    sheet = lay_out(made.after, "st")
    hazard = ""
    if made.hazard is not None and (outline := outline_path(made.hazard, sheet.frame)):
        hazard = f'<path class="nr-hazard" fill-rule="evenodd" d="{outline}"/>'
    text = environment().get_template("stress.html.j2").render(
        doc=document,
        css=Markup(tokens.css() + mapstyle.CSS + CSS + style()),
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
        sections=_sections(document, plan, site_names(made.after)),
        date=str(made.run.get("date", "")),
        source=sheet.source,
    )  # fmt: skip
    return text if text.endswith("\n") else text + "\n"


def _map(sheet: Sheet, which: Which, document: StressDocument, over: str) -> Markup:
    reading = stress_words.reading(document, sheet.plan.document, which)
    ident = f"{sheet.prefix}-{which}"
    title = "Minutes to the nearest centre " + ("before" if which == "before" else "then")
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
        f'aria-labelledby="{ident}-t {ident}-d"><title id="{ident}-t">Minutes more than before</title>'
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
    for status, name in (*_MARKS, ("other", "another provider's centre")):
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
        found.append({"name": "ground that cannot be used", "picture": picture})
    return found


def _figures(document: StressDocument, plan: PlanDocument) -> list[dict[str, str]]:
    before, after = document.before, document.after
    mean = minutes_pair(before.mean_min, after.mean_min)
    near = words.near_min(plan)
    shares = [words.percent(access.within.get(f"{near:g}", 0.0)) for access in (before, after)]
    n_out = sum(site.out is not None for site in document.sites)
    over = sum(site.over > 0.5 for site in document.sites)
    room = "no capacities are known" if document.capacity == "unlimited" else f"{over} have more people than room"
    counted = f"a person out of reach counts as {words.bare(words.unreached_min(plan))} minutes"
    return [
        {
            "name": f"Average {words.trip(plan)}",
            "before": mean[0],
            "after": mean[1],
            "unit": "minutes",
            "note": counted if after.unreached else "",
        },
        {
            "name": f"Within {words.bare(near)} minutes",
            "before": shares[0],
            "after": shares[1],
            "unit": "of people",
            "note": "",
        },
        {
            "name": "Cut off",
            "before": "",
            "after": words.about(document.cut_off),
            "unit": "people",
            "note": f"out of reach now, and not before; {words.about(after.unreached)} in all",
        },
        {
            "name": "Centres in service",
            "before": whole(len(document.sites)),
            "after": whole(len(document.sites) - n_out),
            "unit": "",
            "note": room,
        },
    ]


def _sections(document: StressDocument, plan: PlanDocument, names: Mapping[str, str]) -> list[Section]:
    found = [_who(document), _taking_over(document), _first(document, names)]
    if document.critical:
        found.append(_critical(document))
    if document.random is not None or document.worst is not None or document.harden is not None:
        found.append(_worse(document, plan))
    if document.stock is not None:
        found.append(_stock(document.stock, stress_words.names_of(document)))
    return found


def _who(document: StressDocument) -> Section:
    """Who is cut off: groups, areas, places."""
    before, after = document.before, document.after
    rows = [
        (
            "Everyone",
            whole(after.people),
            *minutes_pair(before.mean_min, after.mean_min),
            whole(before.unreached),
            whole(after.unreached),
            whole(document.cut_off),
        )
    ]
    rows += [
        (
            name.replace("_", " "),
            whole(after.groups[name].people),
            *minutes_pair(was.mean_min, after.groups[name].mean_min),
            whole(was.unreached),
            whole(after.groups[name].unreached),
            whole(document.cut_off_groups.get(name, 0.0)),
        )
        for name, was in before.groups.items()
        if name in after.groups
    ]
    heads = ("Group", "People", "Minutes before", "Then", "Out of reach before", "Then", "Cut off")
    hit = [area for area in document.areas if area.longer > 0]
    areas = [
        (
            area.name,
            whole(area.people),
            *minutes_pair(area.before_mean_min, area.after_mean_min),
            whole(area.longer),
            whole(area.cut_off),
        )
        for area in hit[:_LONGEST]
    ]
    more = f"{words.count(len(hit) - _LONGEST, 'more area')} in stress.json" if len(hit) > _LONGEST else ""
    names = stress_words.names_of(document)
    places = [
        (
            place.name,
            whole(place.people),
            whole(place.unreached),
            minutes(place.minutes),
            names.get(place.nearest_site or "", words.NONE),
        )
        for place in document.places
    ]
    return Section(
        "Who is cut off",
        [stress_words.longer(document)],
        [
            Table("By group", heads, rows, "groups may overlap" if len(rows) > 2 else ""),
            Table(
                "Areas",
                ("Area", "People", "Minutes before", "Then", "Walk longer, people", "Cut off, people"),
                areas,
                more,
            ),
            Table(
                "Places hit hardest",
                ("Place", "People now far", "Out of reach", "Minutes", "Nearest centre then"),
                places,
                "people whose walk becomes longer and too long, neighbours joined",
                (0, 4),
            ),
        ],
    )


def _taking_over(document: StressDocument) -> Section:
    names = stress_words.names_of(document)
    changed = [
        site
        for site in document.sites
        if site.out or site.over > 0.5 or abs(site.people_after - site.people_before) > 0.5
    ]
    changed.sort(key=lambda site: (site.out is None, -site.over, -site.arriving, site.id))
    known = document.capacity == "given"
    heads = ("Centre", "", "People before", "Then", "Newly arriving") + (
        ("Room for", "Too many", "Served", "Sent") if known else ()
    )
    rows = [
        (
            names[site.id],
            "out of service" if site.out == "outage" else "in the hazard" if site.out else "",
            whole(site.people_before),
            whole(site.people_after),
            whole(site.arriving),
            *(
                (
                    words.NONE if site.capacity is None else whole(site.capacity),
                    whole(site.over) if site.over > 0.5 else words.NONE,
                    words.NONE if site.people_with_room is None else whole(site.people_with_room),
                    words.NONE if site.people_sent is None else whole(site.people_sent),
                )
                if known
                else ()
            ),
        )
        for site in changed[:_LONGEST]
    ]
    moved = [
        (
            names.get(flow.from_ or "", "out of reach"),
            names.get(flow.to or "", "out of reach"),
            whole(flow.people),
            words.NONE if flow.minutes_more is None else minutes(flow.minutes_more),
        )
        for flow in document.flows
        if flow.people >= 0.5
    ][:_LONGEST]
    texts = [stress_words.taking_over(document)]
    if document.with_room is not None and document.with_room.unmet_areas:
        worst = list(document.with_room.unmet_areas.items())[:3]
        texts.append("No room: " + ", ".join(f"{words.about(n)} people in {name}" for name, n in worst) + ".")
    if said := stress_words.three_readings(document):
        texts.append(said)
    left = f"{len(changed) - _LONGEST} more in stress.json" if len(changed) > _LONGEST else ""
    return Section(
        "Who takes over",
        texts,
        [
            Table(
                "Centres whose people change, or that have too many" if known else "Centres whose people change",
                heads,
                rows,
                left,
                (0, 1),
            ),
            Table(
                "Who goes where instead",
                ("From", "To", "People", "Minutes more"),
                moved,
                "staff and stock have to follow them",
                (0, 1),
            ),
        ],
    )


def _first(document: StressDocument, names: Mapping[str, str]) -> Section:
    texts, tables = [], []
    for found, name, past in (
        (document.reopen, "Bring back first", "brought back"),
        (document.open, "Open first", "opened"),
    ):
        if found is None:
            continue
        texts.append(f"{name}: {stress_words.proof(found, past)}")
        tables.append(
            Table(
                name,
                ("Place", "", "Saves, hours", "Back within reach, people"),
                [
                    (
                        f"{place}. {names.get(step.id, step.name)}",
                        step.id,
                        words.hours(step.gain_person_min),
                        whole(step.people_back),
                    )
                    for place, step in enumerate(found.steps, 1)
                ],
                "the best next one each time; hours of everyone together, each going once",
                (0, 1),
            )
        )
    for sent, what in ((document.reopen_sent, "Bring back"), (document.open_sent, "Open")):
        if said := stress_words.with_limits(sent, what):
            texts.append(said)
    if document.moves:
        tables.append(
            Table(
                "Move",
                ("From", "To", "Saves, hours"),
                [(names[move.from_], names[move.to], words.hours(move.gain_person_min)) for move in document.moves],
                "centres in service that would help more elsewhere; the best single move each time",
                (0, 1),
            )
        )
    if not tables:
        texts.append("No site is left that could be opened, brought back or moved.")
    return Section("What to do first", texts, tables)


def _critical(document: StressDocument) -> Section:
    names = stress_words.names_of(document)
    rows = [
        (names.get(site.id, site.name), words.hours(site.loss_person_min), whole(site.cut_off))
        for site in document.critical[:_LONGEST]
    ]
    return Section(
        "What must not fail next",
        ["What it would cost if one more centre were lost, dearest first."],
        [Table("Centres", ("Centre", "Costs, hours", "Cut off, people"), rows)],
    )


def _worse(document: StressDocument, plan: PlanDocument) -> Section:
    """Losses that nobody named."""
    names = stress_words.names_of(document)
    texts, tables = [], []
    if document.random is not None:
        texts.append(stress_words.at_random(document.random, plan))
        tables.append(_draws(document.random, plan))
    if document.worst is not None:
        texts.append(stress_words.worst(document.worst, names))
    if document.harden is not None:
        texts.append(stress_words.hardened(document.harden, names))
    rows = []
    for found, label in ((document.worst, "worst to lose"), (document.harden, "worst that remains")):
        if found is not None:
            sites = found.sites if isinstance(found, WorstLoss) else found.worst
            rows.append((label, stress_words.listed(sites, names), words.hours(found.loss_person_min)))
    if document.harden is not None:
        safe = stress_words.listed(document.harden.sites, names)
        rows.insert(len(rows) - 1, ("made safe", safe, ""))
    tables.append(Table("Centres", ("", "Which", "Costs, hours"), rows, "", (0, 1)))
    return Section("If more were lost", texts, tables)


def _draws(found: RandomLosses, plan: PlanDocument) -> Table:
    def row(name: str, figures: Spread, text: Callable[[float], str]) -> tuple[str, ...]:
        error = "0" if found.exact else f"{figures.standard_error:.2g}"
        return (
            name,
            text(figures.exact_mean),
            text(figures.mean),
            error,
            text(figures.low),
            text(figures.median),
            text(figures.high),
            text(figures.most),
        )

    near = words.bare(words.near_min(plan))
    return Table(
        f"{words.count(found.number, 'more centre')} of {found.of} lost at random",
        ("", "Mean of all sets", "Mean seen", "± (standard error)", "2.5 % below", "Median", "2.5 % above", "Most"),
        [
            row(f"Average {words.trip(plan)}, minutes", found.mean_min, lambda x: f"{x:.2f}"),
            row("Cut off, people", found.cut_off, whole),
            row(f"Farther than {near} minutes, people", found.far, whole),
        ],
        f"all {found.draws:,} sets" if found.exact else f"{found.draws:,} draws",
    )


def _stock(found: Stock, names: Mapping[str, str]) -> Section:
    """Where to keep reserve stock."""
    rows = [
        (name, stress_words.listed(one.sites, names), words.hours(one.expected), words.hours(one.worst))
        for name, one in (("Best on average", found.expected), ("Best in the worst scenario", found.worst))
    ]
    scenarios = [
        (one.name, stress_words.listed(one.out, names), words.percent(one.probability)) for one in found.scenarios
    ]
    return Section(
        "Where to keep reserve stock",
        [
            stress_words.stocked(found.expected, "on average", names),
            stress_words.stocked(found.worst, "in the worst scenario", names),
        ],
        [
            Table(
                f"Stock in {words.count(found.number, 'centre')}",
                ("", "Centres", "Expected, hours", "Worst scenario, hours"),
                rows,
                "hours of everyone together to the nearest stocked centre in service",
                (0, 1),
            ),
            Table("Scenarios", ("Scenario", "Centres out", "Probability"), scenarios, "", (0, 1)),
        ],
    )


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
