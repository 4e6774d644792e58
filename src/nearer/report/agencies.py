"""``agencies.html`` and ``agencies.csv``: who brings what, as a page and as a table."""

from __future__ import annotations

import csv
import io

from markupsafe import Markup

from nearer.language import t, told
from nearer.planning.agencydoc import AgenciesDocument, AgencyPromise
from nearer.report import tokens, words
from nearer.report.html import environment, style


def agencies_html(document: AgenciesDocument) -> str:
    """One self-contained page, in the language spoken; the same document gives the same bytes."""
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
                words.joined(one.members) or t("nobody"),
                words.hours(one.value),
                words.hours(one.saves),
                words.percent_up(one.gap) if one.gap > 1e-9 else t("proven"),
                words.joined(names[site.id] for site in one.sites) or words.NONE,
            )
            for one in document.coalitions
        ],
        notes=[told(note) for note in document.notes],
    )  # fmt: skip
    return text if text.endswith("\n") else text + "\n"


def agencies_text(document: AgenciesDocument) -> list[str]:
    """The answer in a few sentences."""
    saved = document.today_value - document.joint_value
    lines = [t("Together the agencies save {hours} person-hours against today.", hours=words.hours(saved))]
    if document.joint_gain is not None and document.joint_gain > 1e-6 * max(document.joint_value, 1.0):
        lines.append(
            t(
                "{hours} of them would be lost if each carried out its own plan, unaware of the others.",
                hours=words.hours(document.joint_gain),
            )
        )
    elif document.separate_breaks:
        lines.append(
            t(
                "If each carried out its own plan, unaware of the others, these would be broken: {rules}.",
                rules=t("; ").join(map(told, document.separate_breaks)),
            )
        )
    elif document.joint_gain is not None:
        lines.append(t("Each carrying out its own plan, unaware of the others, would do as well."))
    worth = sorted(document.agencies, key=lambda one: -one.contribution)
    lines += [
        t(
            "Without {agency} {hours} person-hours less would be saved.",
            agency=f"\u2068{one.name}\u2069",
            hours=words.hours(one.contribution),
        )
        for one in worth
    ]
    return lines


def stopped_early() -> str:
    """That figures may change where a search was stopped."""
    return t("Not every coalition was searched to the end: better plans may change these figures.")


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
                    ("existing", t("saves alone"), one.alone_saves),
                    ("opened", t("lost without it"), one.contribution),
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
            told(promise.name),
            _part(promise, promise.least if promise.least is not None else promise.most or 0.0, asked=True),
            *(_part(promise, by_members[who][at]) for who in ((), (promise.agency,), everyone)),
        )
        for at, promise in enumerate(document.promises)
    ]


def _part(promise: AgencyPromise, value: float, *, asked: bool = False) -> str:
    """A part of a group, or minutes."""
    if promise.least is not None:
        return t("at least {share}", share=words.percent(value)) if asked else words.percent(value)
    length = t("{minutes} min", minutes=words.minutes(value))
    return t("at most {length}", length=length) if asked else length
