"""Small maps of sites of several kinds over people's cells: what plans have in common, how often a site is chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
from markupsafe import Markup

from nearer.inputs.tables import Streets
from nearer.report.mapclean import clean
from nearer.report.mapframe import WIDTH
from nearer.report.maplabels import Room, around
from nearer.report.mapmarks import area_names, margin_notes, mark
from nearer.report.mapsheet import Canvas

KINDS = ("existing", "few", "most", "only", "always")
"""Marks from below to above; no two differ by colour alone."""

CSS = (
    ".nr-most{fill:var(--page);stroke:var(--opened)}.nr-few{fill:var(--page);stroke:var(--text)}"
    ".nr-only{fill:var(--other);stroke:var(--page)}"
)
"""Style of what only these maps have."""


@dataclass(frozen=True)
class Drawn:
    """What a map is drawn from, where there is no plan: see ``Ground``."""

    sites: gpd.GeoDataFrame
    people: gpd.GeoDataFrame
    streets: Streets | None = None
    boundary: gpd.GeoDataFrame | None = None
    districts: gpd.GeoDataFrame | None = None
    shapes: gpd.GeoSeries | None = None
    cell_m: float | None = None


@dataclass(frozen=True)
class Spot:
    """A site on a map: where, of which of ``KINDS``, and what a pointer over it says."""

    lon: float
    lat: float
    kind: str
    title: str


def shape(kind: str, x: float, y: float, px: float) -> str:
    """The mark of one kind."""
    if kind == "always":
        return mark("opened", x, y, px)
    if kind == "existing":
        return mark("existing", x, y, 0.8 * px)
    if kind == "only":
        r = 5.2 * px
        diamond = f"M{x:.0f} {y - r:.0f}L{x + r:.0f} {y:.0f}L{x:.0f} {y + r:.0f}L{x - r:.0f} {y:.0f}Z"
        return f'<path class="nr-only" stroke-width="{1.2 * px:.0f}" d="{diamond}"/>'
    radius, wide = (4.0, 2.4) if kind == "most" else (2.6, 1.1)
    at = f'cx="{x:.0f}" cy="{y:.0f}"'
    return (
        f'<circle class="nr-halo" {at} r="{(radius + wide) * px:.0f}" stroke-width="{1.2 * px:.0f}"/>'
        f'<circle class="nr-{kind}" {at} r="{radius * px:.0f}" stroke-width="{wide * px:.0f}"/>'
    )


def picture(kind: str) -> Markup:
    """A mark alone, for a legend."""
    inner = shape(kind, 80, 80, 10)
    return Markup(f'<svg class="mark" viewBox="0 0 160 160" aria-hidden="true" focusable="false">{inner}</svg>')


def sites_map(
    canvas: Canvas, cells: str, spots: Sequence[Spot], ident: str, title: str, desc: str, width: float
) -> Markup:
    """
    One map for a page that holds the canvas's definitions.

    Parameters
    ----------
    cells
        People's cells, as ``<use>`` of the shared paths.
    spots
        Sites.
    width
        Pixels at which it will be shown.
    """
    px = WIDTH / width
    frame = canvas.frame
    room = Room(WIDTH, frame.height)
    notes = margin_notes(canvas, room, px)
    edge = f'width="{WIDTH}" height="{frame.height}"'
    dot = px * min(1.0, max(0.55, (0.25 * width / max(len(spots), 1)) ** 0.5))
    x, y = frame.place(np.array([spot.lon for spot in spots]), np.array([spot.lat for spot in spots]))
    placed = list(zip(x.tolist(), y.tolist(), spots, strict=True))
    drawn = "".join(
        f"<g><title>{clean(spot.title)}</title>{shape(spot.kind, a, b, dot)}</g>"
        for kind in KINDS
        for a, b, spot in placed
        if spot.kind == kind and 0 <= a <= WIDTH and 0 <= b <= frame.height
    )
    bare = Room(WIDTH, frame.height, list(room.taken))
    for a, b, _ in placed:
        room.take(around(a, b, 5 * dot, 5 * dot))
    names = area_names(canvas, (room, bare), px)
    return Markup(
        f'<svg class="nearer-map" viewBox="0 0 {WIDTH} {frame.height}" role="img" '
        f'aria-labelledby="{ident}-t {ident}-d"><title id="{ident}-t">{clean(title)}</title>'
        f'<desc id="{ident}-d">{clean(desc)}</desc>'
        f'<use href="#{canvas.prefix}-ground" {edge}/><g>{cells}</g><use href="#{canvas.prefix}-over" {edge}/>'
        f'{drawn}{names}{notes}<rect class="nr-frame" stroke-width="{1.4 * px:.0f}" {edge}/></svg>'
    )
