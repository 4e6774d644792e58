"""Gaps in sentences and rows of words."""

from __future__ import annotations

from nearer.planning.gapdoc import Gap, GapsDocument, Mend, SizedLevel
from nearer.planning.gaps import Gaps
from nearer.report import words

SHOWN = 12
"""Gaps that a terminal shows; the rest is in ``gaps.csv``."""


def whom(document: GapsDocument) -> str:
    """Whose need counts: "people", "children"."""
    group = document.standard.group
    return "people" if group is None else group.replace("_", " ")


def _number(document: GapsDocument, number: float) -> str:
    """So many of those whose need counts, in words where it is none or one."""
    if document.standard.group is None:
        return words.people(number)
    return f"{words.about(number) if round(number) else 'none'} of the {whom(document)}"


def standard(document: GapsDocument) -> str:
    """The standard in a few words."""
    asked = document.standard
    people = words.whole(asked.people) if asked.people >= 10 else words.bare(asked.people)
    return f"one centre for {people} {whom(document)} within {words.bare(asked.minutes)} minutes"


def headline(document: GapsDocument) -> str:
    """The answer in one sentence."""
    lacking, need = document.measures.lacking, document.measures.need
    if need <= 0:
        return f"There is nobody to count: the group {whom(document)} has no people."
    if round(lacking) == 0:
        return f"Nobody lacks a place in reach: everywhere there is {standard(document)}."
    lack = f"{words.percent(lacking / need)}) {words.verb(lacking, 'lacks', 'lack')} a place in reach"
    text = f"{_number(document, lacking)} ({lack}, measured by {standard(document)}."
    return text[0].upper() + text[1:]


def reasons(document: GapsDocument) -> str:
    """How the lack comes about: too far, or too crowded."""
    measured, near = document.measures, words.bare(document.standard.minutes)
    far = f"nobody is farther than {near} minutes from a centre"
    if measured.beyond >= 0.5:
        have = words.verb(measured.beyond, "has", "have")
        far = f"{_number(document, measured.beyond)} {have} no centre within {near} minutes"
    crowd = "whoever has one in reach finds a place there"
    if measured.crowded >= 0.5:
        have = words.verb(measured.crowded, "has", "have")
        crowd = f"{_number(document, measured.crowded)} {have} one, and too many to share it with"
    text = f"{far}; {crowd}."
    return text[0].upper() + text[1:]


def enough(document: GapsDocument) -> str:
    """What the open centres are for, together, against the need."""
    measured = document.measures
    if measured.supply is None:
        return ""
    if not document.centres:
        return "No centre is open today."
    n = words.count(len(document.centres), "open centre")
    start = (
        f"The {n} {'is' if len(document.centres) == 1 else 'are'} for {words.about(measured.places)} {whom(document)}"
    )
    if measured.supply >= 1:
        share = f"{measured.supply:.1f} places a head" if round(measured.supply, 1) > 1 else "one place a head"
        return f"{start}, {share}: enough in all, if they stood right."
    lack = words.percent(1.0 - measured.supply)
    return f"{start}, {lack} fewer than live here."


def listed(document: GapsDocument) -> str:
    """How many gaps there are, and how much of the lack they hold."""
    if not document.gaps:
        return "There is no area where it adds up to a whole person." if document.measures.lacking > 0 else ""
    held = sum(gap.lacking for gap in document.gaps) / document.measures.lacking
    n = words.count(document.found, "area") if document.found > 1 else "one area"
    live = f"Those who lack a place live in {n}"
    if document.found > len(document.gaps):
        return f"{live}; the {len(document.gaps)} largest hold {words.percent(held)} of the lack."
    return f"{live}."


def sized(rows: list[SizedLevel]) -> str:
    """How many centres an area calls for: "2 to 3"; of one level or of another where there are levels."""

    def span(row: SizedLevel) -> str:
        return str(row.low) if row.low == row.high else f"{row.low} to {row.high}"

    return " or ".join(f"{span(row)} {row.level}".strip() for row in rows)


def mended(gap: Gap) -> str:
    """What is left of a gap once its best candidate is open."""
    return words.NONE if gap.mend is None else words.whole(gap.mend.lacking)


def mend_name(mend: Mend | None) -> str:
    """Name of the best candidate, else its id."""
    return "no candidate would" if mend is None else mend.name or mend.id


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
    header = ["area", whom(document), "lack a place", "none in reach", "calls for", "lack then", "best site"]
    rows = [
        [
            f"{gap.rank}. {gap.name}",
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
        f"{gap.rank}. {gap.name}: {words.whole(gap.lacking)} of {words.whole(gap.need)} {whom(document)} lack a place; "
        f"calls for {sized(gap.sizing)}; best site: {mend_name(gap.mend)}"
        for gap in document.gaps[:SHOWN]
    ]
    return "\n".join([gaps_text(gaps), *lines])
