"""Marks of sites, numbers and letters, names of areas, scale bar and source."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from nearer.language import figures, t, told
from nearer.report.mapclean import clean
from nearer.report.mapframe import WIDTH, lonlat
from nearer.report.maplabels import Room, place_discs, place_names, text_width
from nearer.report.mapsheet import Canvas, Sheet
from nearer.report.words import bare
from nearer.units import FloatArray

LETTERED = 15
"""Places that remain far, at most, on the map and in its table; the rest is in ``plan.json``."""

_PX_PER_NAME = 40
"""A map carries one name for so many pixels of its width; more would hide what it shows."""


def mark_names() -> dict[str, str]:
    """Marks that maps explain."""
    return {
        "existing": t("existing centre"),
        "opened": t("new centre"),
        "upgraded": t("upgraded centre"),
        "closed": t("closed centre"),
        "other": t("another provider's centre"),
    }


def mark(status: str, x: float, y: float, px: float) -> str:
    """The mark of one site of some status."""
    at = f'cx="{x:.0f}" cy="{y:.0f}"'
    if status == "other":
        side = 5.6 * px
        return (
            f'<rect class="nr-other" stroke-width="{px:.0f}" x="{x - side / 2:.0f}" y="{y - side / 2:.0f}" '
            f'width="{side:.0f}" height="{side:.0f}"/>'
        )
    radius, stroke = {"existing": (3.7, 1.1), "opened": (4.6, 1.0), "candidate": (2.2, 0.8)}.get(status, (4.4, 1.3))
    circle = f'<circle class="nr-{status}" {at} r="{radius * px:.0f}" stroke-width="{stroke * px:.0f}"/>'
    if status == "opened":
        circle = f'<circle class="nr-halo" {at} r="{(radius + 1) * px:.0f}" stroke-width="{1.2 * px:.0f}"/>' + circle
    if status in ("upgraded", "closed"):
        arm = 2.6 * px
        a, b = (0.7 * arm, 0.7 * arm) if status == "closed" else (arm, 0.0)
        circle += (
            f'<path class="nr-{status}" stroke-width="{1.3 * px:.0f}" '
            f'd="M{x - a:.0f} {y - b:.0f}L{x + a:.0f} {y + b:.0f}'
            f'M{x + b:.0f} {y - a:.0f}L{x - b:.0f} {y + a:.0f}"/>'
        )
    return circle


def marks(sheet: Canvas, statuses: Iterable[str], px: float) -> str:
    """Marks of all sites of some statuses."""
    sites = sheet.ground.sites
    parts = []
    for status in statuses:
        some = sites[sites["status"] == status]
        x, y = sheet.frame.place(*lonlat(some))
        parts += [mark(status, a, b, px) for a, b in zip(x.tolist(), y.tolist(), strict=True) if _inside(sheet, a, b)]
    return "".join(parts)


def _inside(sheet: Canvas, x: float, y: float) -> bool:
    return 0 <= x <= WIDTH and 0 <= y <= sheet.frame.height


def discs(labels: list[str], x: FloatArray, y: FloatArray, titles: list[str], room: Room, px: float, kind: str) -> str:
    """Numbered (or lettered) discs, with a leader where a disc stands beside its place."""
    radius, size = 7.2 * px, 8.6 * px
    spots = list(zip(x.tolist(), y.tolist(), strict=True))
    parts, last = [], []
    for label, title, (a, b), disc in zip(
        labels, titles, spots, place_discs(spots, room, radius + 1.6 * px, 4.0 * px), strict=True
    ):
        shape, ink = ("opened", "number") if kind == "opened" else ("letter-disc", "letter")
        if disc is None:
            parts.append(f"<g><title>{title}</title>{mark('opened', a, b, 0.75 * px) if kind == 'opened' else ''}</g>")
            continue
        cx, cy = disc
        if (cx, cy) != (a, b):
            parts.append(
                f'<path class="nr-leader" stroke-width="{0.9 * px:.0f}" d="M{a:.0f} {b:.0f}L{cx:.0f} {cy:.0f}"/>'
                f'<circle class="nr-{shape}" stroke-width="{0.7 * px:.0f}" cx="{a:.0f}" cy="{b:.0f}" '
                f'r="{2.6 * px:.0f}"/>'
            )
        at = f'cx="{cx:.0f}" cy="{cy:.0f}"'
        last.append(
            f"<g><title>{title}</title>"
            f'<circle class="nr-halo" {at} r="{radius + 1.1 * px:.0f}" stroke-width="{1.4 * px:.0f}"/>'
            f'<circle class="nr-{shape}" {at} r="{radius:.0f}" stroke-width="{px:.0f}"/>'
            f'<text class="nr-{ink}" x="{cx:.0f}" y="{cy + 0.36 * size:.0f}" font-size="{size:.0f}">{label}</text></g>'
        )
    return "".join(parts + last)


def opened_discs(sheet: Sheet, room: Room, px: float) -> str:
    """New centres with their numbers in order of gain."""
    some = sheet.plan.sites[sheet.plan.sites["status"] == "opened"].sort_values("order", kind="stable")
    x, y = sheet.frame.place(*lonlat(some))
    labels = [
        figures(str(int(order))) if order == order and order is not None else ""
        for order in some["order"].astype(float)
    ]
    titles = [f"{label}. {clean(name)}" for label, name in zip(labels, some["name"], strict=True)]
    return discs(labels, x, y, titles, room, px, "opened")


def letters(n: int) -> list[str]:
    """A, B, … Z, AA, AB, …"""
    names = []
    for place in range(n):
        name, rest = "", place + 1
        while rest:
            rest, digit = divmod(rest - 1, 26)
            name = chr(65 + digit) + name
        names.append(name)
    return names


def area_names(sheet: Canvas, rooms: tuple[Room, Room], px: float) -> str:
    """Names of areas, where their people live."""
    size = 11 * px
    return "".join(
        f'<text class="nr-text nr-name" font-size="{size:.0f}" stroke-width="{3 * px:.0f}" x="{found[1]:.0f}" '
        f'y="{found[2] + 0.35 * size:.0f}">{clean(found[0])}</text>'
        for found in place_names(sheet.names[: int(WIDTH / px / _PX_PER_NAME)], rooms, size)
        if found
    )


def margin_notes(sheet: Canvas, room: Room, px: float) -> str:
    """Scale bar, north and source, with the room they take."""
    length, units = sheet.frame.scale_bar()
    left, foot = 8 * px, sheet.frame.height - 9 * px
    size = 9.5 * px
    far = length >= 1000
    name = t("{length} km", length=bare(length / 1000)) if far else t("{length} m", length=bare(length))
    room.take((0, foot - 26 * px, units + 30 * px, sheet.frame.height))
    room.take((WIDTH - text_width(sheet.source, size) - 10 * px, foot - 6 * px, WIDTH, sheet.frame.height))
    north, bar = left + 4 * px, left + 15 * px
    arrow = f"M{north:.0f} {foot:.0f}v{-11 * px:.0f}m{-3 * px:.0f} {4 * px:.0f}l{3 * px:.0f} {-4 * px:.0f}"
    lines = f"{arrow}l{3 * px:.0f} {4 * px:.0f}M{bar:.0f} {foot - 4 * px:.0f}v{4 * px:.0f}h{units}v{-4 * px:.0f}"
    return (
        f'<path class="nr-bar-halo" stroke-width="{4 * px:.0f}" d="{lines}"/>'
        f'<path class="nr-bar" stroke-width="{1.3 * px:.0f}" d="{lines}"/>'
        + _note(t("N"), north, foot - 14 * px, px, "nr-middle")
        + _note(name, bar + units / 2, foot - 6 * px, px, "nr-middle")
        + (_note(sheet.source, WIDTH - 7 * px, foot + 1.5 * px, px, "nr-end") if sheet.source else "")
    )


def _note(text: str, x: float, y: float, px: float, anchor: str) -> str:
    return (
        f'<text class="nr-text nr-small {anchor}" stroke-width="{3 * px:.0f}" font-size="{9.5 * px:.0f}" '
        f'x="{x:.0f}" y="{y:.0f}">{clean(text)}</text>'
    )


def far_discs(sheet: Sheet, room: Room, px: float) -> str:
    """Places that remain far, lettered as in their table."""
    places = sheet.plan.document.far[:LETTERED]
    if not places:
        return ""
    x, y = sheet.frame.place(np.array([p.lon for p in places]), np.array([p.lat for p in places]))
    labels = letters(len(places))
    titles = [f"{label}. {clean(told(place.name))}" for label, place in zip(labels, places, strict=True)]
    return discs(labels, x, y, titles, room, px, "far")
