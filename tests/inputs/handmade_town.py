"""Small OpenStreetMap files drawn in metres around one place."""

from __future__ import annotations

from pathlib import Path
from xml.sax.saxutils import quoteattr

import numpy as np

from nearer.inputs.geo import LocalPlane

PLANE = LocalPlane(9.5, 47.1)
Metres = tuple[float, float]


class Town:
    """Collects nodes, ways and relations; x east and y north of 9.5°, 47.1°, metres."""

    def __init__(self) -> None:
        self.nodes: list[str] = []
        self.ways: list[str] = []
        self.relations: list[str] = []

    def node(self, x: float, y: float, **tags: str) -> int:
        lon, lat = PLANE.to_lonlat(np.array([x]), np.array([y]))
        number = len(self.nodes) + 1
        self.nodes.append(f'<node id="{number}" lon="{lon[0]:.7f}" lat="{lat[0]:.7f}">{_tags(tags)}</node>')
        return number

    def way_of(self, refs: list[int], **tags: str) -> int:
        number = len(self.ways) + 1
        inner = "".join(f'<nd ref="{ref}"/>' for ref in refs)
        self.ways.append(f'<way id="{number}">{inner}{_tags(tags)}</way>')
        return number

    def line(self, *points: Metres, **tags: str) -> int:
        return self.way_of([self.node(x, y) for x, y in points], **tags)

    def box(self, x: float, y: float, width: float, height: float, **tags: str) -> int:
        """Draw a rectangle from its south-west corner."""
        corners = [self.node(*at) for at in ((x, y), (x + width, y), (x + width, y + height), (x, y + height))]
        return self.way_of([*corners, corners[0]], **tags)

    def house(self, x: float, y: float, **tags: str) -> int:
        """Draw a building of 10 m by 10 m around its middle."""
        return self.box(x - 5, y - 5, 10, 10, **({"building": "house"} | tags))

    def relation(self, members: list[tuple[int, str]], **tags: str) -> None:
        number = len(self.relations) + 1
        inner = "".join(f'<member type="way" ref="{way}" role="{role}"/>' for way, role in members)
        self.relations.append(f'<relation id="{number}">{inner}{_tags(tags)}</relation>')

    def write(self, folder: Path) -> Path:
        path = folder / "town.osm"
        body = "\n".join([*self.nodes, *self.ways, *self.relations])
        path.write_text(f'<osm version="0.6">\n{body}\n</osm>\n', encoding="utf-8")
        return path


def _tags(tags: dict[str, str]) -> str:
    return "".join(f"<tag k={quoteattr(key.replace('__', ':'))} v={quoteattr(value)}/>" for key, value in tags.items())
