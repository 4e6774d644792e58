"""What the classes of a map mean, in words, with the people in each."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from nearer.language import t
from nearer.planning.plan import Plan
from nearer.report import tokens, words
from nearer.report.mapcells import LOST, NEWLY, OUT, change_class, gain_class, minute_class, people_by_class
from nearer.report.words import bare
from nearer.units import FloatArray


@dataclass(frozen=True)
class LegendRow:
    """One class of a map: its mark, its name in words, and the people in it, before and after."""

    mark: str
    words: str
    people: tuple[float, ...]


def minute_words(document_limit: float) -> list[str]:
    """Classes of minutes in words, near to far, out of reach last."""
    breaks = tokens.MINUTE_BREAKS
    middle = [t("{low} to {high} minutes", low=bare(low), high=bare(high)) for low, high in pairwise(breaks)]
    return [
        t("up to {n} minutes", n=bare(breaks[0])),
        *middle,
        t("over {n} minutes", n=bare(breaks[-1])),
        t("out of reach (over {n} minutes)", n=bare(document_limit)),
    ]


def minute_legend(plan: Plan) -> list[LegendRow]:
    """Classes of minutes that can occur, with people before and after."""
    limit = words.limit_min(plan.document)
    people = plan.people["total"].to_numpy(dtype=np.float64)
    counts = [
        people_by_class(minute_class(plan.people[column].to_numpy(dtype=np.float64)), people, OUT + 1)
        for column in ("minutes_before", "minutes_after")
    ]
    lows = (0.0, *tokens.MINUTE_BREAKS, 0.0)
    rows = zip(lows, minute_words(limit), *counts, strict=True)
    return [
        LegendRow(f"m{place}", name, (float(before), float(after)))
        for place, (low, name, before, after) in enumerate(rows)
        if low < limit or before or after
    ]


def change_legend(before: FloatArray, after: FloatArray, people: FloatArray) -> list[LegendRow]:
    """Classes of minutes more or less that occur, with people."""
    counts = people_by_class(change_class(before, after), people, LOST + 1)
    names = [
        t("over 5 minutes shorter, or newly within reach"),
        t("2 to 5 minutes shorter"),
        t("0.5 to 2 minutes shorter"),
        t("as before, within half a minute"),
        t("0.5 to 2 minutes longer"),
        t("2 to 5 minutes longer"),
        t("over 5 minutes longer"),
        t("newly out of reach"),
    ]
    marks = [*(f"d{n}" for n in range(LOST)), f"m{OUT}"]
    rows = zip(marks, names, counts, strict=True)
    return [LegendRow(mark, name, (float(count),)) for mark, name, count in rows if count]


def gain_legend(plan: Plan) -> list[LegendRow]:
    """Classes of minutes saved that occur, with people."""
    before, after = (plan.people[c].to_numpy(dtype=np.float64) for c in ("minutes_before", "minutes_after"))
    counts = people_by_class(gain_class(before, after), plan.people["total"].to_numpy(dtype=np.float64), NEWLY + 1)
    breaks = tokens.GAIN_BREAKS
    names = [
        t("as before"),
        *(t("{low} to {high} minutes less", low=bare(low), high=bare(high)) for low, high in pairwise(breaks)),
        t("over {n} minutes less", n=bare(breaks[-1])),
        t("newly within reach"),
    ]
    return [LegendRow(f"g{n}", name, (float(c),)) for n, (name, c) in enumerate(zip(names, counts, strict=True)) if c]
