"""The maps of gaps: what share of a place people lack, and how far they walk, with the gaps outlined and lettered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from nearer.language import t
from nearer.planning.gaps import Gaps
from nearer.report import gapwords, tokens, words
from nearer.report.mapbase import outline_path
from nearer.report.mapcells import OUT, draw_cells, minute_class, people_by_class
from nearer.report.mapclean import clean
from nearer.report.mapframe import WIDTH
from nearer.report.maplabels import Room
from nearer.report.maplegend import LegendRow, minute_words
from nearer.report.mapmarks import LETTERED, area_names, discs, letters, margin_notes, mark, marks
from nearer.report.mapsheet import Canvas, lay_ground, named_paths
from nearer.units import FloatArray, IntArray

NONE_NEAR = len(tokens.SHORT_BREAKS) + 1
"""Class of shortfall of people with no centre in reach."""

View = Literal["short", "minutes"]

CSS = "".join(f".nr-s{n}{{fill:var(--s{n});stroke:var(--s{n})}}" for n in range(NONE_NEAR)) + (
    ".lgd+.lgd{margin-block-start:16px}"
    ".nr-gap{fill:none;stroke:var(--closed);stroke-linejoin:round}"
    ".nr-gap-halo{fill:none;stroke:var(--page);stroke-linejoin:round;opacity:.8}"
)
"""Style of what only these maps have."""


@dataclass(frozen=True)
class GapSheet(Canvas):
    """
    Gaps laid out for drawing.

    Parameters
    ----------
    gaps
        The gaps.
    classes
        Class of shortfall and of minutes of each group of cells, in the order of their paths.
    """

    gaps: Gaps
    classes: list[tuple[int, int]]


def short_class(supply: FloatArray, count: IntArray) -> IntArray:
    """Class of the share of a place that people lack, 0 … ``NONE_NEAR``."""
    short = 1.0 - supply
    found = 1 + np.searchsorted(np.array(tokens.SHORT_BREAKS), short, side="left")
    found = np.where(short <= 1e-6, 0, np.minimum(found, NONE_NEAR - 1))
    return np.where(count == 0, NONE_NEAR, found)


def _classes(gaps: Gaps) -> tuple[IntArray, IntArray]:
    people = gaps.people
    short = short_class(people["supply"].to_numpy(dtype=np.float64), people["count"].to_numpy())
    # whoever needs nothing lacks nothing
    short = np.where(people["need"].to_numpy(dtype=np.float64) > 0, short, 0)
    return short, minute_class(people["minutes"].to_numpy(dtype=np.float64))


def lay_out_gaps(gaps: Gaps, prefix: str) -> GapSheet:
    """Project, group and simplify everything the maps share."""
    canvas = lay_ground(gaps, gaps.document.sources, prefix)
    keys = np.column_stack(_classes(gaps)).astype(np.int64)
    drawn = draw_cells(gaps, canvas.frame, keys)
    defs = canvas.defs + named_paths([drawing for _, drawing in drawn], prefix)
    outlined = gaps.areas.iloc[:LETTERED]
    defs += f'<path id="{prefix}-gaps" d="{outline_path(outlined, canvas.frame) if len(outlined) else ""}"/>'
    return GapSheet(**{**vars(canvas), "defs": defs}, gaps=gaps, classes=[(key[0], key[1]) for key, _ in drawn])


def gap_map(sheet: GapSheet, view: View, width: float) -> str:
    """One map for a page that holds the sheet's definitions, to be shown ``width`` pixels wide."""
    px = WIDTH / width
    document, frame = sheet.gaps.document, sheet.frame
    room = Room(WIDTH, frame.height)
    notes = margin_notes(sheet, room, px)
    hatch = f'fill="url(#{sheet.prefix}-hatch)" stroke="url(#{sheet.prefix}-hatch)"'

    def fill(classes: tuple[int, int]) -> str:
        short, minutes = classes
        if view == "short":
            return hatch if short == NONE_NEAR else f'class="nr-s{short}"'
        return hatch if minutes == OUT else f'class="nr-m{minutes}"'

    cells = "".join(f'<use href="#{sheet.prefix}-c{n}" {fill(one)}/>' for n, one in enumerate(sheet.classes))
    edge = f'width="{WIDTH}" height="{frame.height}"'
    n_open = max(1, int((sheet.ground.sites["status"] != "candidate").sum()))
    dot = px * min(1.0, max(0.6, (0.25 * width / n_open) ** 0.5))
    shown = document.gaps[:LETTERED]
    x, y = frame.place(np.array([gap.lon for gap in shown]), np.array([gap.lat for gap in shown]))
    names = letters(len(shown))
    titles = [f"{letter}. {clean(gap.name)}" for letter, gap in zip(names, shown, strict=True)]
    mends = "".join(mark("candidate", a, b, 1.6 * dot) for a, b in _mends(sheet))
    sites = marks(sheet, ("other", "existing"), dot) + mends
    lettered = discs(names, x, y, titles, room, px, "far") if shown else ""
    bare = Room(WIDTH, frame.height, list(room.taken))
    outlines = "".join(
        f'<use href="#{sheet.prefix}-gaps" class="nr-{kind}" stroke-width="{wide * px:.0f}"/>'
        for kind, wide in (("gap-halo", 3.4), ("gap", 1.6))
    )
    ident = f"{sheet.prefix}-{view}"
    title = t("Places that people lack") if view == "short" else t("Minutes to the nearest centre today")
    head = (
        f'<title id="{ident}-t">{title}</title>'
        f'<desc id="{ident}-d">{clean(gapwords.headline(document))} {clean(gapwords.reasons(document))}</desc>'
    )
    return (
        f'<svg class="nearer-map" viewBox="0 0 {WIDTH} {frame.height}" role="img" '
        f'aria-labelledby="{ident}-t {ident}-d">{head}'
        f'<use href="#{sheet.prefix}-ground" {edge}/><g>{cells}</g><use href="#{sheet.prefix}-over" {edge}/>'
        f"{outlines}{sites}{lettered}{area_names(sheet, (room, bare), px)}{notes}"
        f'<rect class="nr-frame" stroke-width="{1.4 * px:.0f}" {edge}/></svg>'
    )


def _mends(sheet: GapSheet) -> list[tuple[float, float]]:
    """Places of the candidates that would mend most of the lettered gaps, each once."""
    found = [gap.mend for gap in sheet.gaps.document.gaps[:LETTERED] if gap.mend is not None]
    once = {mend.id: (mend.lon, mend.lat) for mend in found}
    if not once:
        return []
    x, y = sheet.frame.place(*np.array(list(once.values())).T)
    return list(zip(x.tolist(), y.tolist(), strict=True))


def short_legend(gaps: Gaps) -> list[LegendRow]:
    """Classes of shortfall that occur, with the people in them whose need counts."""
    need = gaps.people["need"].to_numpy(dtype=np.float64)
    counts = people_by_class(_classes(gaps)[0], need, NONE_NEAR + 1)
    near = words.bare(gaps.document.standard.minutes)
    names = [
        t("a whole place or more in reach"),
        t("lack up to a quarter of a place"),
        t("lack a quarter to a half"),
        t("lack a half to three quarters"),
        t("lack more than three quarters"),
        t("no centre within {near} minutes", near=near),
    ]
    rows = enumerate(zip(names, counts, strict=True))
    return [LegendRow("m6" if n == NONE_NEAR else f"s{n}", name, (float(c),)) for n, (name, c) in rows if c]


def walk_legend(gaps: Gaps, limit_min: float) -> list[LegendRow]:
    """Classes of minutes that occur, with the people in them whose need counts."""
    need = gaps.people["need"].to_numpy(dtype=np.float64)
    counts = people_by_class(_classes(gaps)[1], need, OUT + 1)
    rows = enumerate(zip(minute_words(limit_min), counts, strict=True))
    return [LegendRow(f"m{n}", name, (float(c),)) for n, (name, c) in rows if c]
