"""Sentences about a curve of sizes, as a planner reads them; every rounding is to the safe side."""

from __future__ import annotations

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
        with_these = words.count(first.centres, "centre")
        return f"With {with_these} the average way takes {words.minutes(first.mean_min)} minutes."
    return (
        f"From {first.centres} to {words.count(last.centres, 'centre')} the average way falls from {was} to {now} "
        f"minutes; the share of people within {words.bare(document.coverage_min)} minutes rises from "
        f"{words.percent(first.within)} to {words.percent(last.within)}."
    )


def fall_off(document: CurveDocument) -> str:
    """Where returns fall off, and how sure that is."""
    found = document.falloff
    last = solved(document)[-1].centres
    if found is None:
        return "Too few sizes were solved to say where returns fall off."
    if found.centres is None:
        return "Further centres bring nothing in this range."
    if found.centres >= last:
        sentence = f"Up to {last} centres returns do not fall off by this rule."
    else:
        sentence = (
            f"After {found.centres} centres every further one brings less than half of what a centre brings on "
            f"average between {solved(document)[0].centres} and {last}."
        )
    if found.earliest == found.latest == found.centres:
        every = all(size.solved for size in document.sizes)
        return f"{sentence} {'That size is proven' if every else 'Of the sizes solved, it is proven'}."
    low = "the start" if found.earliest is None else str(found.earliest)
    high = str(last) if found.latest is None else str(found.latest)
    return f"{sentence} With the gaps still open it may lie anywhere from {low} to {high}."


def shares(document: CurveDocument) -> str:
    """How soon half and more of the whole gain is reached."""
    found = document.falloff
    if found is None or not found.shares:
        return ""
    parts = [f"{words.percent(float(share))} with {centres} centres" for share, centres in found.shares.items()]
    return f"Of all that {solved(document)[-1].centres} centres bring, {', '.join(parts)} is reached."


def proof(document: CurveDocument) -> str:
    """How good the sizes solved are."""
    known = solved(document)
    worst = max(known, key=lambda size: size.gap)
    if len(known) == 1 and known[0].status == "optimal":
        return "The only size solved is proven: no other choice of as many sites is better."
    if all(size.status == "optimal" for size in known):
        return f"All {len(known)} sizes solved are proven: no other choice of as many sites is better."
    n_proven = sum(size.status == "optimal" for size in known)
    return (
        f"Of {len(known)} sizes solved {n_proven} are proven optimal; none can be better by more than "
        f"{words.percent_up(worst.gap)} (at {worst.centres} centres)."
    )


def between(document: CurveDocument) -> str:
    """What stands for sizes without a run of their own; "" where there are none."""
    n = sum(not size.solved for size in document.sizes)
    if not n:
        return ""
    return (
        f"{words.count(n, 'size')} {'has' if n == 1 else 'have'} no run of {'its' if n == 1 else 'their'} own: the "
        "network shown is the better of the two that grow, and the bound follows from the runs of other sizes. Nothing "
        "is interpolated."
    )


def nested(document: CurveDocument) -> list[str]:
    """The price of growing without ever moving a centre, for both ways of growing."""
    ways: list[tuple[str, list[tuple[CurveSize, Nested]]]] = [
        ("Opening, each time, the site that helps most", [(s, s.greedy) for s in solved(document)]),
        (
            f"Growing towards the best network of {document.sizes[-1].centres}",
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
            found.append(f"{name} loses nothing at any size.")
            continue
        found.append(
            f"{name} costs at most {words.percent_up(worst.above_bound)} more than the best network of the same size "
            f"(at {size.centres} centres), and at most {words.percent_up(max(end.above_bound, 0.0))} at the end."
            if end.above_bound > 1e-9
            else f"{name} costs at most {words.percent_up(worst.above_bound)} more than the best network of the same "
            f"size (at {size.centres} centres), and nothing at the end."
        )
    return found


def summary(document: CurveDocument) -> list[str]:
    """The few lines that a command line prints under its table."""
    lines = [headline(document), fall_off(document), shares(document), proof(document), between(document)]
    if not document.complete:
        lines.append("Stopped early: the sizes done are shown.")
    past = [] if document.history is None else [f"Past {document.history.unit}: {document.history.says[0]}"]
    past += [] if document.history is None else document.history.says[1:]
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
