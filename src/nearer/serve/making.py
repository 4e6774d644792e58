"""
What a map says of a study, made from its data; runs beside the server as ``python -m nearer.serve.making``.

In a process of its own a map that is computed takes neither the interpreter nor memory from those who hand over.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import pickle
import sys
import traceback
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from nearer.errors import NearerError, UsageError
from nearer.language import language
from nearer.planning.document import PlanDocument
from nearer.planning.files import read_document
from nearer.report import report_html
from nearer.serve import mvt
from nearer.serve.scene import Scene, Scenes
from nearer.serve.sent import sending_of
from nearer.serve.shelf import Shelf, pack
from nearer.serve.situation import Situation
from nearer.serve.studies import plan_folder
from nearer.serve.tiles import Tiles
from nearer.serve.wish import Wish
from nearer.study.reread import finished_plan

_MOST_TILES, _WIDE_PX, _HIGH_PX, _TILE_PX = 30, 800, 700, 512


class Making:
    """Studies held ready, and everything that is made of them; for one thread."""

    def __init__(self) -> None:
        self._scenes, self._shelf = Scenes(), Shelf()
        self._tiles: WeakKeyDictionary[Scene, Tiles] = WeakKeyDictionary()
        self._kinds: dict[str, Callable[..., bytes]] = {
            "scene": lambda scene: _json(scene.told()),
            "areas": lambda scene: scene.outlines().encode(),
            "figures": lambda scene, at: _json(scene.figures(Situation.parse(at))),
            "point": lambda scene, lon, lat, at: _json(scene.point_at(lon, lat, Situation.parse(at))),
            "legend": self._legend,
            "streets": lambda scene, z, x, y: self._tiles_of(scene).streets(z, x, y),
            "people": self._people,
            "situations": lambda scene, plan, *_: _json(_situations(scene, plan)),
            "report": lambda scene, code, plan, *_: _report(scene, code, plan),
        }

    def packed(self, wish: Wish) -> bytes:
        """
        What is wished for, compressed and, but for single points, on the shelf.

        Raises
        ------
        NearerError
            It cannot be made; the sentence says why.
        """
        asked = wish.asked
        if (found := self._shelf.read(wish.folder, wish.rev, asked)) is not None:
            return found
        scene = self._scenes.get(wish.folder)
        body = self._kinds[wish.kind](scene, *wish.args)
        if wish.kind == "point" or scene.rev != wish.rev:  # its files changed a moment ago
            return pack(body)
        return self._shelf.put(wish.folder, wish.rev, asked, body)

    def first(self, wish: Wish) -> list[Wish]:
        """What the first visit to a plan will ask for and nobody made yet (``args``: the plan, and its state)."""
        scene = self._scenes.get(wish.folder)
        asked: list[tuple[Any, ...]] = [("scene",), ("areas",), ("figures", "o")]
        at = "o"
        if wish.args:
            found = _situations(scene, str(wish.args[0]))
            at = str(found["sent"] or found["plan"])
            asked += [("situations", *wish.args), ("figures", at)]
        asked.append(("legend", at, "", ""))
        for z, x, y in _first_tiles(scene):
            asked.append(("people", z, x, y, at, "", "", None))
            asked += [("streets", z, x, y)] if scene.tables.streets is not None else []
        wishes = (Wish(wish.folder, scene.rev, kind, tuple(args)) for kind, *args in asked)
        return [one for one in wishes if not self._shelf.has(one.folder, one.rev, one.asked)]

    def answer(self, wish: Wish) -> Any:
        """What a wish of any kind comes to: compressed bytes, or for ``first`` the wishes that follow from it."""
        if wish.kind == "read":
            self._scenes.get(wish.folder)
            return b""
        return self.first(wish) if wish.kind == "first" else self.packed(wish)

    def _tiles_of(self, scene: Scene) -> Tiles:
        if scene not in self._tiles:
            self._tiles[scene] = Tiles(scene)
        return self._tiles[scene]

    def _legend(self, scene: Scene, at: str, before: str, group: str) -> bytes:
        people = self._tiles_of(scene).people_by_class(*_who(scene, at, before, group))
        return _json({"people": people})

    def _people(
        self, scene: Scene, z: int, x: int, y: int, at: str, before: str, group: str, only: int | None
    ) -> bytes:
        return self._tiles_of(scene).people(z, x, y, *_who(scene, at, before, group), only)


def _who(scene: Scene, at: str, before: str, group: str) -> tuple[Situation, Situation | None, str | None]:
    if group and group not in scene.demand.groups:
        raise UsageError(f"There is no group {group!r} in this study.")
    return Situation.parse(at), Situation.parse(before) if before else None, group or None


def _situations(scene: Scene, plan: str) -> dict[str, Any]:
    document = read_document(plan_folder(scene.folder, plan))
    return situations_of(document, scene, sending_of(scene.folder, plan))


def _report(scene: Scene, code: str, plan: str) -> bytes:
    with language(code):
        return report_html(finished_plan(plan_folder(scene.folder, plan), scene.folder)).encode()


def situations_of(document: PlanDocument, scene: Scene, sending: str = "") -> dict[str, Any]:
    """
    What is open with a plan, and at the end of each of its phases, in a study's own positions.

    With a ``sending``, room is limited: ``sent`` is the plan with everybody where they are sent.
    """
    place = {str(ident): k for k, ident in enumerate(scene.tables.sites.table["id"])}
    order = [phase.name for phase in document.phases]

    def at(last: int | None) -> str:
        opened, closed = [], []
        for site in document.sites:
            if site.id not in place:
                continue
            known = site.phase in order
            if known and last is not None and order.index(str(site.phase)) > last:
                continue
            if site.status == "opened":
                opened.append(place[site.id])
            elif site.status == "closed":
                closed.append(place[site.id])
        return str(Situation(tuple(sorted(opened)), tuple(sorted(closed))))

    sent = f"{at(None)}~{sending}" if sending else None
    return {"plan": at(None), "sent": sent, "phases": [{"name": name, "at": at(k)} for k, name in enumerate(order)]}


def _first_tiles(scene: Scene) -> list[tuple[int, int, int]]:
    """Tiles that show the whole city at about the size of a window, from the coarsest on."""
    west, south, east, north = scene.told()["bounds"]
    (left, right), (top, bottom) = mvt.mercator(np.array([west, east]), np.array([north, south]))
    fits = min(_WIDE_PX / max(right - left, 1e-9), _HIGH_PX / max(bottom - top, 1e-9)) / _TILE_PX
    middle = math.floor(math.log2(max(fits, 1.0)))
    found: list[tuple[int, int, int]] = []
    for z in (middle - 1, middle, middle + 1):
        if not 0 <= z <= 14:
            continue
        side = 1 << z
        found += [
            (z, x, y)
            for x in range(int(left * side), int(right * side) + 1)
            for y in range(int(top * side), int(bottom * side) + 1)
        ]
    return found[:_MOST_TILES]


def _json(values: Any) -> bytes:
    return json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode()


def answered(making: Making, wish: Wish) -> tuple[bool, Any]:
    """Whether a wish came true, and what came of it: the answer, or the error."""
    try:
        return True, making.answer(wish)
    except NearerError as error:
        return False, error
    except MemoryError:
        return False, NearerError("There is not enough memory for this map.")
    except Exception as error:
        traceback.print_exc()
        return False, RuntimeError(f"{type(error).__name__}: {error}")


def main() -> None:
    """Answer wishes until there is nobody left who wishes."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever prints must not stand among the answers
    if hasattr(os, "nice"):  # who hands over goes first; plans come after
        os.nice(1)
    making = Making()
    with contextlib.suppress(EOFError, BrokenPipeError):
        while True:
            pickle.dump(answered(making, pickle.load(sys.stdin.buffer)), out)
            out.flush()


if __name__ == "__main__":
    main()
