"""Gaps in sentences and rows of words."""

from __future__ import annotations

from nearer.language import figures, t, tn
from nearer.planning.gapdoc import Gap, GapsDocument, Mend, SizedLevel
from nearer.planning.gaps import Gaps
from nearer.report import words

SHOWN = 12
"""Gaps that a terminal shows; the rest is in ``gaps.csv``."""


def whom(document: GapsDocument) -> str:
    """Whose need counts: "people", "children"."""
    group = document.standard.group
    return t("people") if group is None else group.replace("_", " ")


def _number(document: GapsDocument, number: float) -> str:
    """So many of those whose need counts, in words where it is none or one."""
    if document.standard.group is None:
        return words.people(number)
    n = words.about(number) if round(number) else t("none")
    return t("{n} of the {whom}", n=n, whom=whom(document))


def standard(document: GapsDocument) -> str:
    """The standard in a few words."""
    asked = document.standard
    people = words.whole(asked.people) if asked.people >= 10 else words.bare(asked.people)
    return t(
        "one centre for {people} {whom} within {near} minutes",
        people=people,
        whom=whom(document),
        near=words.bare(asked.minutes),
    )


def counted(name: str) -> str:
    """How many centres are in reach: "2", "3 or more"."""
    return t("{n} or more", n=figures(name.split()[0])) if name.endswith(" or more") else figures(name)


def capital(text: str) -> str:
    """A sentence's beginning."""
    return text[:1].upper() + text[1:]


def headline(document: GapsDocument) -> str:
    """The answer in one sentence."""
    lacking, need = document.measures.lacking, document.measures.need
    if need <= 0:
        return t("There is nobody to count: the group {whom} has no people.", whom=whom(document))
    if round(lacking) == 0:
        return t("Nobody lacks a place in reach: everywhere there is {standard}.", standard=standard(document))
    said = {
        "people": _number(document, lacking),
        "share": words.percent(lacking / need),
        "standard": standard(document),
    }
    return capital(
        tn(
            1 if round(lacking) <= 1 else 2,
            "{people} ({share}) lacks a place in reach, measured by {standard}.",
            "{people} ({share}) lack a place in reach, measured by {standard}.",
            **said,
        )
    )


def reasons(document: GapsDocument) -> str:
    """How the lack comes about: too far, or too crowded."""
    measured, near = document.measures, words.bare(document.standard.minutes)
    far = t("nobody is farther than {near} minutes from a centre", near=near)
    if measured.beyond >= 0.5:
        far = tn(
            1 if round(measured.beyond) <= 1 else 2,
            "{people} has no centre within {near} minutes",
            "{people} have no centre within {near} minutes",
            people=_number(document, measured.beyond),
            near=near,
        )
    crowd = t("whoever has one in reach finds a place there")
    if measured.crowded >= 0.5:
        crowd = tn(
            1 if round(measured.crowded) <= 1 else 2,
            "{people} has one, and too many to share it with",
            "{people} have one, and too many to share it with",
            people=_number(document, measured.crowded),
        )
    return capital(t("{far}; {crowd}.", far=far, crowd=crowd))


def enough(document: GapsDocument) -> str:
    """What the open centres are for, together, against the need."""
    measured = document.measures
    if measured.supply is None:
        return ""
    if not document.centres:
        return t("No centre is open today.")
    start = tn(
        len(document.centres),
        "The {n} open centre is for {places} {whom}",
        "The {n} open centres are for {places} {whom}",
        places=words.about(measured.places),
        whom=whom(document),
    )
    if measured.supply >= 1:
        share = t("one place a head")
        if round(measured.supply, 1) > 1:
            share = t("{n} places a head", n=words.number(measured.supply, 1))
        return t("{start}, {share}: enough in all, if they stood right.", start=start, share=share)
    return t("{start}, {share} fewer than live here.", start=start, share=words.percent(1.0 - measured.supply))


def listed(document: GapsDocument) -> str:
    """How many gaps there are, and how much of the lack they hold."""
    if not document.gaps:
        if document.measures.lacking > 0:
            return t("There is no area where it adds up to a whole person.")
        return ""
    held = sum(gap.lacking for gap in document.gaps) / document.measures.lacking
    live = tn(document.found, "Those who lack a place live in one area", "Those who lack a place live in {n} areas")
    if document.found > len(document.gaps):
        n, share = words.bare(len(document.gaps)), words.percent(held)
        return t("{live}; the {n} largest hold {share} of the lack.", live=live, n=n, share=share)
    return t("{live}.", live=live)


def sized(rows: list[SizedLevel]) -> str:
    """How many centres an area calls for: "2 to 3"; of one level or of another where there are levels."""

    def span(row: SizedLevel) -> str:
        if row.low == row.high:
            return words.bare(row.low)
        return t("{low} to {high}", low=words.bare(row.low), high=words.bare(row.high))

    return t(" or ").join(f"{span(row)} {row.level}".strip() for row in rows)


def mended(gap: Gap) -> str:
    """What is left of a gap once its best candidate is open."""
    return words.NONE if gap.mend is None else words.whole(gap.mend.lacking)


def mend_name(mend: Mend | None) -> str:
    """Name of the best candidate, else its id."""
    return t("no candidate would") if mend is None else mend.name or mend.id


def gaps_text(gaps: Gaps) -> str:
    """The few lines that the command line prints above its table."""
    document = gaps.document
    lines = [document.study, headline(document)]
    if document.measures.lacking >= 0.5:
        lines += [reasons(document), enough(document), listed(document)]
    return "\n".join(line for line in lines if line)


def gaps_table(gaps: Gaps) -> tuple[list[str], list[list[str]]]:
    """Header and rows of the terminal's table: the largest gaps."""
    document = gaps.document
    header = [
        *(t("area"), whom(document), t("lack a place"), t("none in reach")),
        *(t("calls for"), t("lack then"), t("best site")),
    ]
    rows = [
        [
            t("{n}. {name}", n=words.bare(gap.rank), name=gap.name),
            words.whole(gap.need),
            words.whole(gap.lacking),
            words.whole(gap.beyond),
            sized(gap.sizing),
            mended(gap),
            mend_name(gap.mend),
        ]
        for gap in document.gaps[:SHOWN]
    ]
    return header, rows


def gaps_summary(gaps: Gaps) -> str:
    """The few lines of ``gaps_text`` and a line for each of the largest gaps."""
    document = gaps.document
    lines = [
        t(
            "{n}. {name}: {lacking} of {need} {whom} lack a place; calls for {sized}; best site: {site}",
            n=words.bare(gap.rank),
            name=gap.name,
            lacking=words.whole(gap.lacking),
            need=words.whole(gap.need),
            whom=whom(document),
            sized=sized(gap.sizing),
            site=mend_name(gap.mend),
        )
        for gap in document.gaps[:SHOWN]
    ]
    return "\n".join([gaps_text(gaps), *lines])
