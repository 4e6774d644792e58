"""``sensitivity.html`` and ``sites.csv``: which sites stand whatever comes, what each plan risks, one plan for all."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
from markupsafe import Markup

from nearer.files import written_whole
from nearer.language import figures, t, told
from nearer.planning.sensdoc import SensitivityDocument
from nearer.report import mapstyle, sitesmap, svgmap, tokens, words
from nearer.report.html import environment, settings_lines, style, turned
from nearer.report.mapcells import draw_cells
from nearer.report.mapsheet import lay_ground, named_paths
from nearer.report.sitesmap import Drawn, Spot

KINDS = {"every": "always", "most": "most", "few": "few"}
"""Mark of each kind of site on the map."""

_HEAT = (0.001, 0.005, 0.01, 0.02, 0.05)
_SHOWN = 80


def counts(document: SensitivityDocument) -> dict[str, int]:
    """Number of sites of each kind."""
    return {kind: sum(one.kind == kind for one in document.choices) for kind in KINDS}


def headline(document: SensitivityDocument) -> str:
    """Which sites stand, in one sentence."""
    n, found = len(document.scenarios), counts(document)
    return t(
        "{n} scenarios, {open} sites to open: {every} belong to the best plan whenever they can be had, {most} more in "
        "at least half of the scenarios, and {few} in fewer.",
        n=words.bare(n),
        open=words.bare(document.open),
        **{kind: words.bare(found[kind]) for kind in ("every", "most", "few")},
    )


def robust_line(document: SensitivityDocument) -> str:
    """The robust plan and its price."""
    robust, last = document.robust, document.plans[-1]
    first = document.plans[0]
    safe = words.percent_up(max(last.worst, 0.0))
    every = all(one.hedged for one in document.scenarios)
    whom = t("for all scenarios") if every else t("for all scenarios that lose no site")
    if last.worst <= 1e-9:
        return t("One plan is the best {whom}: nothing need be paid for safety against them.", whom=whom)
    price = words.percent_up(max(robust.price, 0.0)) if robust.price > 1e-9 else t("nothing")
    if robust.goal == "regret":
        return t(
            "One plan {whom} is never more than {safe} above the best plan of a scenario; the plan made for the "
            "situation as given may be {first} above. If nothing changes, that safety costs {price}.",
            whom=whom,
            safe=safe,
            first=words.percent_up(max(first.worst, 0.0)),
            price=price,
        )
    return t(
        "One plan {whom} keeps the worst of them at {value} times today's best value; in no scenario is it more than "
        "{safe} above the best plan of that scenario. If nothing changes, that safety costs {price}.",
        whom=whom,
        value=figures(f"{robust.value:.4g}"),
        safe=safe,
        price=price,
    )


def proof(document: SensitivityDocument) -> str:
    """How sure the figures are."""
    worst = max(one.gap for one in document.scenarios)
    each = (
        t("The best plan of every scenario is proven")
        if all(one.status == "optimal" for one in document.scenarios)
        else t("No scenario's plan can be better by more than {gap}", gap=words.percent_up(worst))
    )
    robust = document.robust
    left = max(robust.value - robust.bound, 0.0)
    if left <= 1e-9:
        return t("{each}, and so is the robust plan.", each=each)
    unit = t("percentage points") if robust.goal == "regret" else t("% of the best value as given")
    return t(
        "{each}; no plan's worst figure can be lower than the robust plan's by more than {left} {unit}.",
        each=each,
        left=figures(f"{100 * left:.3g}"),
        unit=unit,
    )


def summary(document: SensitivityDocument) -> list[str]:
    """The few lines a command line prints under its table."""
    lines = [headline(document), robust_line(document), proof(document)]
    if not document.complete:
        lines.append(t("Stopped early: more time may bring values and bounds closer."))
    return lines


def table(document: SensitivityDocument) -> tuple[list[str], list[list[str]]]:
    """Header and rows of the terminal's table: a row for each scenario."""
    given, robust = document.plans[0], document.plans[-1]
    header = [t("scenario"), t("sites as given"), t("better by at most"), t("plan as given"), t("robust plan")]
    first = set(document.scenarios[0].sites)
    rows = [
        [
            told(one.name),
            words.bare(len(first & set(one.sites))),
            t("proven") if one.status == "optimal" else words.percent_up(one.gap),
            f"+{words.percent_up(max(given.regret[place], 0.0))}",
            f"+{words.percent_up(max(robust.regret[place], 0.0))}",
        ]
        for place, one in enumerate(document.scenarios)
    ]
    return header, rows


def otherwise(what: str) -> str:
    """What is otherwise in a scenario, part by part."""
    return "; ".join(map(told, what.split("; ")))


def heat(share: float) -> int:
    """Class of a regret for its colour, 0 … 5."""
    return int(np.searchsorted(np.array(_HEAT), share, side="right")) if share > 1e-9 else 0


def _map(document: SensitivityDocument, ground: Drawn) -> tuple[Markup, Markup]:
    canvas = lay_ground(ground, document.sources, "nr")
    drawn = draw_cells(ground, canvas.frame, np.zeros((len(ground.people), 1), dtype=np.int64))
    canvas = replace(canvas, defs=canvas.defs + named_paths([drawing for _, drawing in drawn], "nr"))
    cells = "".join(f'<use href="#nr-c{n}" class="nr-dim"/>' for n in range(len(drawn)))
    existing = ground.sites[ground.sites["status"] == "existing"]
    spots = [
        Spot(point.x, point.y, "existing", str(name))
        for point, name in zip(existing.geometry, existing["name"], strict=True)
    ]
    spots += [
        Spot(
            one.lon,
            one.lat,
            KINDS[one.kind],
            t(
                "{name}: {n} of {all} scenarios",
                name=one.name,
                n=words.bare(one.count),
                all=words.bare(len(document.scenarios)),
            ),
        )
        for one in document.choices
    ]
    shown = sitesmap.sites_map(
        canvas, cells, spots, "nr-sens", t("How often each site is chosen"), headline(document), 720
    )
    return Markup(svgmap.shared(canvas)), shown


def sensitivity_html(document: SensitivityDocument, ground: Drawn) -> str:
    """The whole page; the same document gives the same bytes."""
    shared, picture = _map(document, ground)
    text = environment().get_template("sensitivity.html.j2").render(
        doc=document,
        css=Markup(tokens.css() + mapstyle.CSS + sitesmap.CSS + style() + turned()),
        shared=shared,
        map=picture,
        marks=[
            (sitesmap.picture("existing"), t("centre of today")),
            (sitesmap.picture("always"), t("in every scenario's plan")),
            (sitesmap.picture("most"), t("in at least half of them")),
            (sitesmap.picture("few"), t("in fewer")),
        ],
        headline=headline(document),
        robust=robust_line(document),
        proof=proof(document),
        disputed=[one for one in document.choices if one.kind != "every"][:_SHOWN],
        n_every=counts(document)["every"],
        heat=heat,
        told=told,
        otherwise=otherwise,
        words=words,
        settings=settings_lines(document.settings),
    )  # fmt: skip
    return text if text.endswith("\n") else text + "\n"


def write_sensitivity_page(document: SensitivityDocument, ground: Drawn, path: Path) -> None:
    """Write ``sensitivity.html``, whole or not at all."""
    with written_whole(path) as beside:
        beside.write_text(sensitivity_html(document, ground), encoding="utf-8", newline="\n")


def write_choices_csv(document: SensitivityDocument, path: Path) -> None:
    """Write one row per site with how often it is chosen, and by which scenarios' plans."""
    with written_whole(path) as beside, beside.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        names = [one.name for one in document.scenarios]
        rows.writerow(["id", "name", "area", "lon", "lat", "count", "share", "kind", "robust", *names])
        chosen = [set(one.sites) for one in document.scenarios]
        for one in document.choices:
            marks = ["yes" if one.id in sites else "" for sites in chosen]
            robust = "yes" if one.robust else ""
            rows.writerow(
                [one.id, one.name, one.area or "", one.lon, one.lat, one.count, one.share, one.kind, robust, *marks]
            )
