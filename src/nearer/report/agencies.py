"""``agencies.html`` and ``agencies.csv``: who brings what, as a page and as a table."""

from __future__ import annotations

import csv
import io

from markupsafe import Markup

from nearer.planning.agencydoc import AgenciesDocument, AgencyPromise
from nearer.report import tokens, words
from nearer.report.html import environment, style


def agencies_html(document: AgenciesDocument) -> str:
    """One self-contained page; the same document gives the same bytes."""
    names = words.told_apart(
        {site.id: (site.id, site.name, None) for one in document.coalitions for site in one.sites}.values()
    )
    text = environment().get_template("agencies.html.j2").render(
        doc=document,
        css=Markup(tokens.css() + style()),
        words=words,
        answer=agencies_text(document),
        bars=_bars(document),
        promises=_promises(document),
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
                ", ".join(names[site.id] for site in one.sites) or words.NONE,
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


def _bars(document: AgenciesDocument) -> list[tuple[str, list[tuple[str, str, float, str]]]]:
    """What each agency saves alone, and what is lost without it: kind, words, per cent of the width, hours."""
    most = max([one.alone_saves for one in document.agencies] + [one.contribution for one in document.agencies])
    if most <= 0:
        return []
    return [
        (
            one.name,
            [
                (kind, said, round(100 * max(amount, 0.0) / most, 1), words.hours(amount))
                for kind, said, amount in (
                    ("existing", "saves alone", one.alone_saves),
                    ("opened", "lost without it", one.contribution),
                )
            ],
        )
        for one in document.agencies
    ]


def _promises(document: AgenciesDocument) -> list[tuple[str, ...]]:
    """Where each promise stands today, with its agency alone, and with all together."""
    by_members = {tuple(one.members): one.promises for one in document.coalitions}
    everyone = max(by_members, key=len)
    return [
        (
            promise.name,
            _part(promise, promise.least if promise.least is not None else promise.most or 0.0, asked=True),
            *(_part(promise, by_members[who][at]) for who in ((), (promise.agency,), everyone)),
        )
        for at, promise in enumerate(document.promises)
    ]


def _part(promise: AgencyPromise, value: float, *, asked: bool = False) -> str:
    """A part of a group, or minutes."""
    if promise.least is not None:
        return f"at least {words.percent(value)}" if asked else words.percent(value)
    return f"at most {words.minutes(value)} min" if asked else f"{words.minutes(value)} min"
