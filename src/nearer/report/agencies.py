"""``agencies.html`` and ``agencies.csv``: who brings what, as a page and as a table."""

from __future__ import annotations

import csv
import io

from markupsafe import Markup

from nearer.planning.agencydoc import AgenciesDocument
from nearer.report import charts, tokens, words
from nearer.report.html import environment, style
from nearer.report.mapclean import clean

_WIDE, _ROW, _LABEL = 720, 44, 190


def agencies_html(document: AgenciesDocument) -> str:
    """One self-contained page; the same document gives the same bytes."""
    text = environment().get_template("agencies.html.j2").render(
        doc=document,
        css=Markup(tokens.css() + charts.CSS + style()),
        words=words,
        answer=agencies_text(document),
        picture=Markup(_bars(document)),
        rows=[
            (
                one.name,
                words.hours(one.alone_saves),
                words.hours(one.contribution),
                f"{words.hours(one.contribution_least)} – {words.hours(one.contribution_most)}",
                words.NONE if one.shapley is None else words.hours(one.shapley),
            )
            for one in document.agencies
        ],
        coalitions=[
            (
                ", ".join(one.members) or "nobody",
                words.hours(one.value),
                words.hours(one.saves),
                words.percent_up(one.gap) if one.gap > 1e-9 else "proven",
                ", ".join(site.name or site.id for site in one.sites) or words.NONE,
            )
            for one in document.coalitions
        ],
    )  # fmt: skip
    return text if text.endswith("\n") else text + "\n"


def agencies_text(document: AgenciesDocument) -> list[str]:
    """The answer in a few sentences."""
    saved = document.today_value - document.joint_value
    lines = [f"Together the agencies save {words.hours(saved)} person-hours against today."]
    if document.joint_gain is not None and document.joint_gain > 1e-6 * max(document.joint_value, 1.0):
        lines.append(
            f"{words.hours(document.joint_gain)} of them would be lost if each carried out its own plan, "
            "unaware of the others."
        )
    elif document.separate_breaks:
        lines.append(
            "If each carried out its own plan, unaware of the others, these would be broken: "
            f"{'; '.join(document.separate_breaks)}."
        )
    elif document.joint_gain is not None:
        lines.append("Each carrying out its own plan, unaware of the others, would do as well.")
    worth = sorted(document.agencies, key=lambda one: -one.contribution)
    lines += [
        f"Without \u2068{one.name}\u2069 {words.hours(one.contribution)} person-hours less would be saved."
        for one in worth
    ]
    return lines


def agencies_csv(document: AgenciesDocument) -> str:
    """One row per agency."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    keys = list(type(document.agencies[0]).model_fields)
    writer.writerow(keys)
    for one in document.agencies:
        row = one.model_dump()
        writer.writerow(["" if row[key] is None else row[key] for key in keys])
    return text.getvalue()


def _bars(document: AgenciesDocument) -> str:
    """Alone and contribution of each agency as bars."""
    most = max([one.alone_saves for one in document.agencies] + [one.contribution_most for one in document.agencies])
    if most <= 0:
        return ""
    height = _ROW * len(document.agencies) + 30
    scale = (_WIDE - _LABEL - 90) / most
    parts = []
    for place, one in enumerate(document.agencies):
        y = 26 + place * _ROW
        parts.append(f'<text class="ch-name" x="0" y="{y + 18}"><tspan>{clean(one.name)}</tspan></text>')
        for offset, amount, kind in ((2, one.alone_saves, "before"), (18, one.contribution, "after")):
            wide = max(amount, 0.0) * scale
            fill = "var(--existing)" if kind == "before" else "var(--opened)"
            parts.append(f'<rect x="{_LABEL}" y="{y + offset}" width="{wide:.1f}" height="13" fill="{fill}"/>')
            parts.append(
                f'<text class="ch-text" x="{_LABEL + wide + 6:.1f}" y="{y + offset + 11}">{words.hours(amount)}</text>'
            )
    key = (
        f'<rect x="{_LABEL}" y="4" width="13" height="13" fill="var(--existing)"/>'
        f'<text class="ch-name" x="{_LABEL + 19}" y="15">saves alone</text>'
        f'<rect x="{_LABEL + 130}" y="4" width="13" height="13" fill="var(--opened)"/>'
        f'<text class="ch-name" x="{_LABEL + 149}" y="15">lost without it (person-hours)</text>'
    )
    return (
        f'<svg class="chart" viewBox="0 0 {_WIDE} {height}" role="img" aria-label="What each agency saves alone, and '
        f'what is lost without it">{key}{"".join(parts)}</svg>'
    )
