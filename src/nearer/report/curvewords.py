"""Sentences about a curve of sizes, as a planner reads them; every rounding is to the safe side."""

from __future__ import annotations

from nearer.language import t, tn, told
from nearer.planning.curvedoc import CurveDocument, CurveSize, Nested
from nearer.report import words


def solved(document: CurveDocument) -> list[CurveSize]:
    """Sizes with a run of their own."""
    return [size for size in document.sizes if size.solved]


def headline(document: CurveDocument) -> str:
    """What the whole range brings."""
    known = solved(document)
    first, last = known[0], known[-1]
    was, now = words.minutes_pair(first.mean_min, last.mean_min)
    if len(known) == 1:
        return tn(
            first.centres,
            "With {n} centre the average way takes {minutes} minutes.",
            "With {n} centres the average way takes {minutes} minutes.",
            minutes=words.minutes(first.mean_min),
        )
    return t(
        "From {first} to {centres} the average way falls from {was} to {now} minutes; the share of people within "
        "{near} minutes rises from {before} to {after}.",
        first=words.bare(first.centres),
        centres=words.count(last.centres, "centre"),
        was=was,
        now=now,
        near=words.bare(document.coverage_min),
        before=words.percent(first.within),
        after=words.percent(last.within),
    )


def fall_off(document: CurveDocument) -> str:
    """Where returns fall off, and how sure that is."""
    found = document.falloff
    last = solved(document)[-1].centres
    if found is None:
        return t("Too few sizes were solved to say where returns fall off.")
    if found.centres is None:
        return t("Further centres bring nothing in this range.")
    if found.centres >= last:
        sentence = t("Up to {centres} returns do not fall off by this rule.", centres=words.count(last, "centre"))
    else:
        sentence = t(
            "After {centres} every further one brings less than half of what a centre brings on average "
            "between {first} and {last}.",
            centres=words.count(found.centres, "centre"),
            first=words.bare(solved(document)[0].centres),
            last=words.bare(last),
        )
    if found.earliest == found.latest == found.centres:
        if all(size.solved for size in document.sizes):
            return f"{sentence} {t('That size is proven.')}"
        return f"{sentence} {t('Of the sizes solved, it is proven.')}"
    high = words.bare(last if found.latest is None else found.latest)
    if found.earliest is None:
        return f"{sentence} {t('With the gaps still open it may lie anywhere from the start to {high}.', high=high)}"
    open_still = t(
        "With the gaps still open it may lie anywhere from {low} to {high}.",
        low=words.bare(found.earliest),
        high=high,
    )
    return f"{sentence} {open_still}"


def shares(document: CurveDocument) -> str:
    """How soon half and more of the whole gain is reached."""
    found = document.falloff
    if found is None or not found.shares:
        return ""
    parts = [
        t("{share} with {centres}", share=words.percent(float(share)), centres=words.count(centres, "centre"))
        for share, centres in found.shares.items()
    ]
    return t(
        "Of all that is gained up to {centres}, {parts} is reached.",
        centres=words.count(solved(document)[-1].centres, "centre"),
        parts=words.joined(parts),
    )


def proof(document: CurveDocument) -> str:
    """How good the sizes solved are."""
    known = solved(document)
    worst = max(known, key=lambda size: size.gap)
    if len(known) == 1 and known[0].status == "optimal":
        return t("The only size solved is proven: no other choice of as many sites is better.")
    if all(size.status == "optimal" for size in known):
        return t(
            "All {n} sizes solved are proven: no other choice of as many sites is better.", n=words.bare(len(known))
        )
    return t(
        "Of {n} sizes solved {proven} are proven optimal; none can be better by more than {gap} (at {centres}).",
        n=words.bare(len(known)),
        proven=words.bare(sum(size.status == "optimal" for size in known)),
        gap=words.percent_up(worst.gap),
        centres=words.count(worst.centres, "centre"),
    )


def between(document: CurveDocument) -> str:
    """What stands for sizes without a run of their own; "" where there are none."""
    n = sum(not size.solved for size in document.sizes)
    if not n:
        return ""
    return tn(
        n,
        "{n} size has no run of its own: the network shown is the better of the two that grow, and the bound follows "
        "from the runs of other sizes. Nothing is interpolated.",
        "{n} sizes have no run of their own: the network shown is the better of the two that grow, and the bound "
        "follows from the runs of other sizes. Nothing is interpolated.",
    )


def nested(document: CurveDocument) -> list[str]:
    """The price of growing without ever moving a centre, for both ways of growing."""
    ways: list[tuple[str, list[tuple[CurveSize, Nested]]]] = [
        (t("Opening, each time, the site that helps most"), [(s, s.greedy) for s in solved(document)]),
        (
            t("Growing towards the best network of {n}", n=words.bare(document.sizes[-1].centres)),
            [(s, s.backwards) for s in solved(document) if s.backwards is not None],
        ),
    ]
    found = []
    for name, pairs in ways:
        if len(pairs) < 2:
            continue
        size, worst = max(pairs, key=lambda pair: pair[1].above_bound)
        _, end = pairs[-1]
        if worst.above_bound <= 1e-9:
            found.append(t("{name} loses nothing at any size.", name=name))
            continue
        centres = words.count(size.centres, "centre")
        said = {"name": name, "most": words.percent_up(worst.above_bound), "centres": centres}
        found.append(
            t(
                "{name} costs at most {most} more than the best network of the same size (at {centres}), and at most "
                "{end} at the end.",
                end=words.percent_up(max(end.above_bound, 0.0)),
                **said,
            )
            if end.above_bound > 1e-9
            else t(
                "{name} costs at most {most} more than the best network of the same size (at {centres}), and nothing "
                "at the end.",
                **said,
            )
        )
    return found


def summary(document: CurveDocument) -> list[str]:
    """The few lines that a command line prints under its table."""
    lines = [headline(document), fall_off(document), shares(document), proof(document), between(document)]
    if not document.complete:
        lines.append(t("Stopped early: the sizes done are shown."))
    past = []
    if document.history is not None:
        first, *rest = map(told, document.history.says)
        past = [t("Past {unit}: {said}", unit=document.history.unit, said=first), *rest]
    return [line for line in [*lines, *nested(document), *past] if line]


def digest(document: CurveDocument, most: int = 25) -> list[CurveSize]:
    """At most so many sizes for a table: the ends, where returns fall off, and evenly spread ones, solved first."""
    known = solved(document)
    if len(known) <= most:
        return known
    every = -(-(len(known) - 1) // (most - 2))
    keep = {size.centres for size in known[::every]} | {known[-1].centres}
    if document.falloff is not None and document.falloff.centres is not None:
        keep.add(document.falloff.centres)
    return [size for size in known if size.centres in keep]


def table(document: CurveDocument) -> tuple[list[str], list[list[str]]]:
    """Header and rows of the terminal's table: a row for each size shown."""
    header = [
        *(t("centres"), t("minutes"), t("within {near} min", near=words.bare(document.coverage_min))),
        *(t("each saves, h"), t("better by at most"), t("greedy"), t("backwards")),
    ]
    rows = [
        [
            words.bare(size.centres),
            words.number(size.mean_min, 2),
            words.percent(size.within),
            words.hours(size.each_brings),
            t("proven") if size.status == "optimal" else words.percent_up(size.gap),
            f"+{words.percent_up(max(size.greedy.above_value, 0.0))}",
            words.NONE if size.backwards is None else f"+{words.percent_up(max(size.backwards.above_value, 0.0))}",
        ]
        for size in digest(document)
    ]
    return header, rows
