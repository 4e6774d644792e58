"""``report.html``: one file that opens anywhere, asks nothing of the network and needs no script."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from nearer.files import written_whole
from nearer.language import direction, figures, spoken, t, tn
from nearer.planning.document import PlanDocument
from nearer.planning.plan import Plan
from nearer.report import charts, choices, mapstyle, objective_words, plan_words, svgmap, tables, tokens, words
from nearer.report.dates import day
from nearer.report.mapcells import stage_columns
from nearer.report.mapclean import clean
from nearer.report.mapframe import WIDTH, Ground
from nearer.report.maplegend import gain_legend, minute_legend
from nearer.report.mapmarks import mark, mark_names
from nearer.report.mapsheet import Which, lay_out
from nearer.report.stages import stages


@cache
def environment() -> Environment:
    """Templates, with the filters that pages use."""
    found = Environment(
        loader=PackageLoader("nearer.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: value if isinstance(value, Markup) else Markup(clean(value)),
    )
    found.filters["whole"] = words.whole
    found.filters["percent"] = words.percent
    found.globals |= {"t": said, "tn": tn, "spoken": spoken, "direction": direction, "digits": figures}
    found.globals |= {"isolated": isolated, "code": code}
    return found


def isolated(name: str) -> Markup:
    """A name in a sentence, in its own direction."""
    return Markup('<span dir="auto">{}</span>').format(Markup(clean(name)))


def code(text: str) -> Markup:
    """What a computer reads, in a sentence."""
    return Markup("<code>{}</code>").format(Markup(clean(text)))


def said(text: str, **values: object) -> Markup:
    """A text in the language spoken; values may be markup."""
    return Markup(t(text, **{name: f"{{{name}}}" for name in values})).format(**values)


def sized(plan: Ground) -> str:
    """How maps show that many or few people live somewhere."""
    if plan.cell_m is not None:
        return t("larger squares hold more people")
    return t("larger dots stand for more people") if plan.shapes is None else ""


def _figures(plan: Plan) -> list[dict[str, str]]:
    """The figures under the answer: name, before, after, unit, and the limit that belongs to them."""
    document = plan.document
    before, after = document.measures.before, document.measures.after
    mean = words.minutes_pair(before.mean_min, after.mean_min)
    near = words.bare(words.near_min(document))
    n_before = sum(site.status in ("existing", "closed", "upgraded") for site in document.sites)
    n_after = sum(site.status != "closed" for site in document.sites)
    shares = [words.within(document, side) for side in ("before", "after")]
    counted = t("a person out of reach counts as {n} minutes", n=words.bare(words.unreached_min(document)))
    twofold = [] if document.backup is None else [_twofold_figure(document)]
    return [
        {
            "name": t("Average {trip}", trip=words.trip(document)),
            "before": mean[0],
            "after": mean[1],
            "unit": t("minutes"),
            "note": t("; ").join(filter(None, (counted if before.unreached else "", plan_words.room_note(document)))),
        },
        {
            "name": t("Within {near} minutes", near=near),
            "before": words.percent(shares[0]),
            "after": words.percent(shares[1]),
            "unit": t("of people"),
            "note": t(
                "{part} of {all} people", part=words.about(shares[1] * after.people), all=words.about(after.people)
            ),
        },
        *twofold,
        {
            "name": t("Out of reach"),
            "before": words.about(before.unreached),
            "after": words.about(after.unreached),
            "unit": t("people"),
            "note": plan_words.farther(document) + plan_words.unmet_note(document),
        },
        {
            "name": t("Centres"),
            "before": words.whole(n_before),
            "after": words.whole(n_after),
            "unit": "",
            "note": words.count(document.opened, "new centre"),
        },
    ]


def _twofold_figure(document: PlanDocument) -> dict[str, str]:
    """Who has two centres near."""
    twice = document.backup
    assert twice is not None
    return {
        "name": t("Two centres within {near} minutes", near=words.bare(twice.minutes)),
        "before": words.percent(twice.before.twice),
        "after": words.percent(twice.after.twice),
        "unit": t("of people"),
        "note": t(
            "{n} people keep one if one fails", n=words.about(twice.after.twice * document.measures.after.people)
        ),
    }


def mark_rows(plan: Ground) -> list[dict[str, Any]]:
    """Marks that occur, as small pictures with their names."""
    found = []
    for status, name in mark_names().items():
        if (plan.sites["status"] == status).any():
            inner = mark(status, 80, 80, 10)
            picture = f'<svg class="mark" viewBox="0 0 160 160" aria-hidden="true" focusable="false">{inner}</svg>'
            found.append({"name": name, "picture": Markup(picture)})
    return found


def settings_lines(settings: dict[str, Any], start: str = "") -> list[str]:
    """Settings as lines, ``plan.open = 98``, without those left empty."""
    lines = []
    for key, value in settings.items():
        if isinstance(value, dict):
            lines += settings_lines(value, f"{start}{key}.")
        elif isinstance(value, list | tuple) and value and all(isinstance(part, dict) for part in value):
            for place, part in enumerate(value, 1):
                lines += settings_lines(part, f"{start}{key}[{place}].")
        elif value not in (None, [], (), ""):
            lines.append(f"{start}{key} = {json.dumps(value, ensure_ascii=False, default=str)}")
    return lines


def _command(plan: Plan) -> str:
    asked = ""
    for key in ("open", "open_max"):
        if (number := words.setting(plan.document, f"plan.{key}")) is not None:
            asked += f" --{key.replace('_', '-')} {number}"
    for key, default in (("gap", 1e-4), ("work_limit", None)):
        if plan.run.get(key) not in (None, default):
            asked += f" --{key.replace('_', '-')} {plan.run[key]:g}"
    if (others := plan.document.alternatives) is not None:
        asked += f" --alternatives {others.count} --differ {others.differ} --within {others.within:g}"
    return f"nearer plan .{asked} --seed {plan.document.seed}"


def report_html(plan: Plan) -> str:
    """
    The whole report as one HTML document.

    Parameters
    ----------
    plan
        The plan; the same plan gives the same bytes.
    """
    document = plan.document
    sheet = lay_out(plan, "nr")
    tall = sheet.frame.height / WIDTH
    wide = min(1000.0, 760.0 / tall)  # the large map keeps to one screen and one page
    opened = tables.opened_rows(plan)
    gains = [s.gain_person_min or 0.0 for s in sorted(document.sites, key=lambda s: s.order or 0) if s.order]
    areas = tables.area_rows(document)
    n_far = (1.0 - words.within(document, "after")) * document.measures.after.people

    def sight(which: Which, width: float) -> Markup:
        return Markup(svgmap.inline(sheet, which, width))

    text = environment().get_template("report.html.j2").render(
        doc=document,
        css=Markup(tokens.css() + mapstyle.CSS + charts.CSS + style() + turned()),
        shared=Markup(svgmap.shared(sheet)),
        maps={
            "before": sight("before", 480),
            "after": sight("after", 480),
            "opened": sight("opened", wide) if opened else "",
            "far": sight("far", 480) if n_far >= 0.5 else "",
        },
        wide=round(wide),
        curve=Markup(charts.curve_svg(document)),
        gain_curve=Markup(charts.gain_svg(gains)),
        minute_legend=minute_legend(plan),
        gain_legend=gain_legend(plan),
        marks=mark_rows(plan),
        sized=sized(plan),
        plan_words=plan_words,
        words=words,
        figures=_figures(plan),
        groups=tables.group_rows(document),
        turns=objective_words.turn_rows(document),
        even=objective_words.even_rows(document),
        opened=opened,
        choices=choices.choices(document, tables.site_names(plan)),
        has={key: any(getattr(row, key) for row in opened) for key in _SOMETIMES},
        far=tables.far_rows(plan),
        areas=areas[: tables.LONGEST],
        areas_left=max(0, len(areas) - tables.LONGEST),
        staged=stages(plan),
        phase_maps=[
            Markup(svgmap.inline_stage(sheet, at, 480))
            for at in range(len(document.phases))
            if len(document.phases) > 1 and len(stage_columns(plan)) == len(document.phases)
        ],
        settings=settings_lines(document.settings),
        command=_command(plan),
        date=day(str(plan.run.get("date", ""))),
    )  # fmt: skip
    return text if text.endswith("\n") else text + "\n"


_SOMETIMES = ("where", "phase", "agency", "replacement", "saves")
"""What only some new centres have."""


@cache
def style() -> str:
    """The style sheet of pages."""
    source, _, _ = environment().loader.get_source(environment(), "report.css")  # type: ignore[union-attr]
    return source


def turned() -> str:
    """Style where the page is read from right to left: maps and charts stay as they are, their words do not."""
    return _TURNED if direction() == "rtl" else ""


_TURNED = (
    ".nearer-map,.chart,.plot{direction:ltr}"
    ".chart text,.plot text,.nearer-map text{unicode-bidi:plaintext}"
    "code{direction:ltr;unicode-bidi:isolate}.pan{direction:ltr}"
)


def write_report(plan: Plan, path: Path) -> None:
    """
    Write ``report.html``, whole or not at all.

    Raises
    ------
    NearerError
        The file cannot be written.
    """
    text = report_html(plan)
    with written_whole(Path(path)) as beside:
        beside.write_text(text, encoding="utf-8", newline="\n")
