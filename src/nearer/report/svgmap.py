"""Maps of a plan as SVG: several on one page from shared definitions, or one alone with its legend."""

from __future__ import annotations

from nearer.language import t, tn
from nearer.planning.plan import Plan
from nearer.report import plan_words, tokens, words
from nearer.report.mapcells import OUT
from nearer.report.mapclean import clean
from nearer.report.mapframe import WIDTH, lonlat
from nearer.report.maplabels import Room, around
from nearer.report.maplegend import gain_legend, minute_legend
from nearer.report.mapmarks import area_names, far_discs, margin_notes, mark, mark_names, marks, opened_discs
from nearer.report.mapsheet import Canvas, Sheet, Which, at_stage, cells, lay_out
from nearer.report.mapstyle import CSS

_NUMBERED = 40
"""Up to so many new centres carry their numbers on a small map."""


def title(which: Which) -> str:
    """What one map shows."""
    return {
        "before": t("Minutes to the nearest centre today"),
        "after": t("Minutes to the nearest centre with the plan"),
        "opened": t("New centres, numbered in order of gain, and the minutes they save"),
        "far": t("Where people remain far from a centre"),
    }[which]


def content(sheet: Sheet, which: Which, width: float, over: str = "", painted: str | None = None) -> str:
    """
    What stands inside the frame of one map shown ``width`` pixels wide.

    ``over`` lies on the streets; ``painted`` are people's cells where the map has colours of its own.
    """
    px = WIDTH / width
    frame, sites = sheet.frame, sheet.plan.sites
    n_open = int(sites["status"].isin(["existing", "opened", "upgraded"]).sum())
    dot = px * min(1.0, max(0.6, (0.25 * width / max(n_open, 1)) ** 0.5))  # many marks on a small map are small
    room = Room(WIDTH, frame.height)
    notes = margin_notes(sheet, room, px)
    edge = f'width="{WIDTH}" height="{frame.height}"'
    drawn = marks(sheet, ("other", "closed", "existing") + (("upgraded",) if which != "before" else ()), dot)
    if which == "far":
        drawn += marks(sheet, ("opened",), 0.8 * dot) + far_discs(sheet, room, px)
    elif which == "opened" or (which == "after" and (sites["status"] == "opened").sum() <= _NUMBERED):
        drawn += opened_discs(sheet, room, px)
    elif which == "after":
        drawn += marks(sheet, ("opened",), dot)
    bare = Room(WIDTH, frame.height, list(room.taken))
    for status in ("existing", "opened") if which != "before" else ("existing",):
        for x, y in zip(*(v.tolist() for v in frame.place(*lonlat(sites[sites["status"] == status]))), strict=True):
            room.take(around(x, y, 5 * dot, 5 * dot))
    names = area_names(sheet, (room, bare), px)
    return (
        f'<use href="#{sheet.prefix}-ground" {edge}/><g>{cells(sheet, which) if painted is None else painted}</g>'
        f'<use href="#{sheet.prefix}-over" {edge}/>{over}{drawn}{names}{notes}'
        f'<rect class="nr-frame" stroke-width="{1.4 * px:.0f}" {edge}/>'
    )


def _head(which: Which, sheet: Sheet, ident: str) -> str:
    document = sheet.plan.document
    reading = {
        "before": plan_words.reading(document, "before"),
        "after": plan_words.reading(document, "after"),
        "opened": plan_words.reading_gain(document) or plan_words.headline(document),
        "far": plan_words.still_far(document),
    }[which]
    return f'<title id="{ident}-t">{title(which)}</title><desc id="{ident}-d">{clean(reading)}</desc>'


def inline(sheet: Sheet, which: Which, width: float) -> str:
    """One map for a page that already holds the sheet's definitions and styles."""
    ident = f"{sheet.prefix}-{which}"
    return (
        f'<svg class="nearer-map" viewBox="0 0 {WIDTH} {sheet.frame.height}" role="img" '
        f'aria-labelledby="{ident}-t {ident}-d">{_head(which, sheet, ident)}{content(sheet, which, width)}</svg>'
    )


def inline_stage(sheet: Sheet, stage: int, width: float) -> str:
    """The map of one phase, for a page that already holds the sheet's definitions and styles."""
    then = at_stage(sheet, stage)
    phase = then.plan.document.phases[stage]
    ident = f"{sheet.prefix}-phase{stage + 1}"
    name = t("Minutes to the nearest centre after {phase}", phase=clean(phase.name))
    desc = tn(
        len(phase.opened),
        "{n} centre opens; the average is {average} minutes.",
        "{n} centres open; the average is {average} minutes.",
        average=words.minutes(phase.mean_nearest_min),
    )
    return (
        f'<svg class="nearer-map" viewBox="0 0 {WIDTH} {sheet.frame.height}" role="img" '
        f'aria-labelledby="{ident}-t {ident}-d"><title id="{ident}-t">{name}</title>'
        f'<desc id="{ident}-d">{desc}</desc>{content(then, "after", width)}</svg>'
    )


def shared(sheet: Canvas) -> str:
    """The definitions that ``inline`` maps use, taking no room on the page."""
    return (
        '<svg class="nearer-map" style="position:absolute;width:0;height:0;overflow:hidden" aria-hidden="true" '
        f'focusable="false"><defs>{sheet.defs}</defs></svg>'
    )


def map_svg(plan: Plan, which: Which = "after", width: float = 720) -> str:
    """
    One map on its own, with its legend: for a README, a notebook, a slide.

    Parameters
    ----------
    plan
        The plan.
    which
        "before" and "after" show minutes to the nearest centre, "opened" the minutes saved and the new centres'
        numbers, "far" who remains far.
    width
        Pixels at which it will be shown.

    Returns
    -------
    str
        An SVG document that follows the reader's light or dark scheme.
    """
    sheet = lay_out(plan, f"nearer-{which}")
    px = WIDTH / width
    height = sheet.frame.height
    legend, tall = _legend(sheet, which, px)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="nearer-map" width="{width:g}" '
        f'height="{(height + tall) / px:.0f}" viewBox="0 0 {WIDTH} {height + tall:.0f}" role="img" '
        f'aria-labelledby="{sheet.prefix}-t {sheet.prefix}-d">{_head(which, sheet, sheet.prefix)}'
        f"<style>{tokens.css('.nearer-map')}{CSS}</style><defs>{sheet.defs}</defs>"
        f'<rect class="nr-ground" width="{WIDTH}" height="{height + tall:.0f}"/>'
        f'<svg width="{WIDTH}" height="{height}">{content(sheet, which, width)}</svg>{legend}'
        f'<rect class="nr-frame" stroke-width="{1.4 * px:.0f}" width="{WIDTH}" height="{height + tall:.0f}"/></svg>'
    )


def _legend(sheet: Sheet, which: Which, px: float) -> tuple[str, float]:
    """Legend under a map that stands alone, and its height in units."""
    rows = gain_legend(sheet.plan) if which == "opened" else minute_legend(sheet.plan)
    side = 0 if which in ("before", "opened") else 1
    line, size, top = 18 * px, 12 * px, sheet.frame.height + 20 * px

    def text(words_: str, x: float, y: float, more: str = "") -> str:
        return f'<text class="nr-text {more}" font-size="{size:.0f}" x="{x * px:.0f}" y="{y:.0f}">{words_}</text>'

    parts = [text(title(which), 12, top + 4 * px, "nr-bold")]
    for place, row in enumerate(rows):
        y = top + (place + 1.2) * line
        hatch = f"url(#{sheet.prefix}-hatch)"
        paint = f'fill="{hatch}" stroke="{hatch}"' if row.mark == f"m{OUT}" else f'class="nr-{row.mark}"'
        parts.append(
            f'<rect {paint} x="{12 * px:.0f}" y="{y - 5 * px:.0f}" width="{16 * px:.0f}" height="{11 * px:.0f}" '
            f'stroke-width="0"/>{text(row.words, 36, y + 4.5 * px)}'
            + text(t("{n} people", n=words.whole(row.people[side])), 310, y + 4.5 * px, "nr-end")
        )
    shown = [
        (status, name)
        for status, name in mark_names().items()
        if (status != "opened" or which != "before") and (sheet.plan.sites["status"] == status).any()
    ]
    for place, (status, name) in enumerate(shown):
        y = top + (place + 1.2) * line
        parts.append(mark(status, 350 * px, y, px) + text(name, 366, y + 4.5 * px))
    return "".join(parts), (max(len(rows), len(shown)) + 1.2) * line + 22 * px
