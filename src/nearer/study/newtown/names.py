"""Invented names of quarters, streets and venues; none means a real place or person."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np


def _words(text: str) -> list[str]:
    return text.split()


_FIRST = _words(
    """
    Alder Amber Apple Ash Barley Beech Birch Bracken Bramble Briar Brook Cedar Chalk Cherry Clay Clover Copper
    Coral Crane Elder Elm Falcon Fern Finch Flint Fox Frost Garnet Glen Gold Grey Gull Harbour Hare Hawk Hazel
    Heather Heron Holly Honey Ivory Ivy Juniper Kestrel Lark Lavender Lime Linden Lily Maple Marsh Meadow Mill
    Mist Moss Oak Olive Orchard Otter Pebble Pine Plum Poppy Quarry Quince Raven Reed Robin Rook Rose Rowan Rush
    Sage Salt Sand Silver Sparrow Spring Star Stone Summer Swan Tansy Thistle Thorn Tin Violet Wheat Willow
    Winter Wren Yarrow
    """
)
_LAST = _words(
    """
    field ford wick ham stead bury mead worth cote dale hurst ley combe marsh well bridge gate moor holt shaw
    den mere bank thorpe croft ridge hill fold side garth
    """
)
_PREFIX = ("", "Upper ", "Lower ", "Great ", "Little ", "North ", "South ", "East ", "West ", "High ", "Old ", "New ")
_STREETS = _words(
    """
    Street Lane Road Avenue Row Walk Way Close Grove Terrace Place Rise Gardens Court Yard Passage Alley
    Crescent Drive
    """
)
_CRAFTS = _words(
    """
    Baker Bell Book Bottle Bread Bridge Button Candle Canal Carpet Castle Chapel Cloth Comb Cooper Corn Cotton
    Dyer Ferry Fish Flax Flower Forge Fountain Garden Glass Glove Grain Hat Horse Kiln Ladder Lamp Lantern
    Leather Linen Lock Loom Market Mason Mint Nail Needle Organ Oven Paper Pepper Pewter Pin Port Potter Pump
    Ribbon Rope Saddle Sail Sawmill School Shoe Silk Smith Soap Spindle Spoon Stable Sugar Tailor Tanner Tea
    Thread Tower Tram Vine Wagon Wall Water Wax Weaver Wharf Wheel Wool Yarn
    """
)


def quarter_names(n: int, seed: int) -> list[str]:
    """Distinct names of quarters and villages; the first is the old centre."""
    rng = np.random.default_rng([seed, 4])
    plain = [first + last for first in _FIRST for last in _LAST]
    # Plain names are used up before any is called upper or lower.
    order = [prefix + plain[k] for prefix in _PREFIX for k in rng.permutation(len(plain))]
    return distinct(["Old Town", *(order[k % len(order)] for k in range(n - 1))])


def street_names(n: int, seed: int) -> list[str]:
    """A stock of distinct street names; streets far from each other may share one, as they do in real cities."""
    rng = np.random.default_rng([seed, 5])
    stock = [f"{first} {last}" for first in (*_CRAFTS, *_FIRST) for last in _STREETS]
    return [stock[k] for k in rng.permutation(len(stock))[:n]]


def distinct(names: Iterable[str]) -> list[str]:
    """The names in their order, a repeated one numbered from its second use on."""
    seen: dict[str, int] = {}
    out: list[str] = []
    taken: set[str] = set()
    for name in names:
        count, told = seen.get(name, 0) + 1, name
        if count > 1 or told in taken:
            count = max(count, 2)
            while f"{name} {count}" in taken:
                count += 1
            told = f"{name} {count}"
        seen[name] = count
        taken.add(told)
        out.append(told)
    return out
