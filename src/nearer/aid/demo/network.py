"""Who gives, what is given, which centres there are and what households may have in the made-up year."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, timedelta

from nearer.aid import commands as c
from nearer.aid.canonical import canonical, sha256_hex

ZONE = "Europe/Vaduz"

HUB = "hub"

CENTRES = {"harbour": "Harbour", "hillside": "Hillside", "market": "Market hall", "mill-lane": "Mill Lane"}
"""Code and name; the households of each are in ``SHARES``."""

SHARES = {"harbour": 0.34, "hillside": 0.14, "market": 0.32, "mill-lane": 0.20}

CLOSED = ("harbour", "market", (6, 9), (6, 21))
"""A flood: which centre closes, who serves its households, from and to (month, day)."""

ORGANISATIONS = {
    "bakers": "Bakers' guild",
    "mill": "The old mill",
    "pharmacy": "Lindau pharmacy",
    "school": "Ridge school",
}
PRIVATE = ("g-104", "g-117", "g-230", "g-311", "g-402")

# item: name, base unit, further units, days it keeps (None: for good), value of 1,000 base units in rappen
GOODS: dict[str, tuple[str, str, dict[str, int], int | None, int]] = {
    "rice": ("Rice", "g", {"kg": 1000, "sack": 25_000}, 300, 240),
    "beans": ("Beans", "g", {"kg": 1000, "sack": 10_000}, 300, 380),
    "oil": ("Oil", "ml", {"l": 1000, "canister": 5000}, 240, 450),
    "milk": ("Milk powder", "g", {"kg": 1000, "tin": 500}, 75, 1900),
    "nappies": ("Nappies", "piece", {"pack": 40}, None, 30_000),
    "soap": ("Soap", "piece", {"box": 48}, None, 90_000),
    "blanket": ("Blanket", "piece", {"bale": 20}, None, 1_400_000),
    "winter-kit": ("Winter kit", "piece", {}, None, 3_000_000),
}

MONEY = "chf"

STEP = {"rice": 500, "beans": 500, "oil": 500, "milk": 250, "nappies": 20}
"""Base units in the smallest pack that is handed out; 1 without."""

FAR = "hillside"
"""The truck goes there every second week only."""

# programme: name, visits in a period, and item → ((size from, base units), …)
PROGRAMMES: dict[str, tuple[str, int | None, dict[str, tuple[tuple[int, int], ...]]]] = {
    "basics": (
        "Basics",
        3,
        {
            "rice": ((1, 2000), (3, 5000), (5, 8000)),
            "beans": ((1, 1000), (3, 2000)),
            "oil": ((1, 1000), (4, 2000)),
            "soap": ((1, 2), (4, 4)),
        },
    ),
    "baby": ("First year", 2, {"milk": ((1, 1500),), "nappies": ((1, 120),)}),
    "winter": ("Warm winter", 1, {"winter-kit": ((1, 1), (5, 2))}),
}

HOUSEHOLDS_PER_BALE = 4

# item → base units given to the hub in an ordinary month; less than is promised, so that money and thrift must help
MONTHLY = {"rice": 780_000, "beans": 330_000, "oil": 260_000, "milk": 30_000, "nappies": 3_300, "soap": 560}


@dataclass(frozen=True)
class Household:
    """
    One that comes: the simulation knows it, the ledger sees tags only.

    Parameters
    ----------
    number, centre, size
        Which, where it goes, and how many people.
    programmes
        What it is enrolled in.
    """

    number: int
    centre: str
    size: int
    programmes: tuple[str, ...]


def tag_of(seed: int, programme: str, period: str, household: int) -> str:
    """The opaque tag of a household in a period; tags of two periods have nothing in common."""
    return sha256_hex(canonical(["demo", seed, programme, period, household]))[:32]


def households_of(seed: int, number: int) -> list[Household]:
    """So many households, spread over the centres."""
    rng = random.Random(f"households-{seed}")
    places, weights = list(SHARES), list(SHARES.values())
    found = []
    for k in range(number):
        size = rng.choices((1, 2, 3, 4, 5, 6, 7), (26, 22, 18, 16, 10, 5, 3))[0]
        programmes = ("basics",) + (("baby",) if size > 1 and rng.random() < 0.2 else ())
        programmes += ("winter",) if rng.random() < 0.6 else ()
        found.append(Household(k, rng.choices(places, weights)[0], size, programmes))
    return found


def periods_of(year: int) -> list[tuple[str, str, date, date]]:
    """Programme, period, first and last day: months, and for the winter its two halves."""
    found = []
    for month in range(1, 13):
        first = date(year, month, 1)
        last = (date(year, month, 28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
        found += [(name, f"{year}-{month:02d}", first, last) for name in ("basics", "baby")]
    found.append(("winter", f"{year}-a", date(year, 1, 1), date(year, 3, 31)))
    found.append(("winter", f"{year}-b", date(year, 10, 1), date(year, 12, 31)))
    return found


def set_up(year: int) -> list[c.Command]:
    """Everything that must be there on the first day."""
    found: list[c.Command] = [c.AddSite(site=HUB, name="Central hub", type="hub", time_zone=ZONE)]
    found += [c.AddSite(site=code, name=name, time_zone=ZONE) for code, name in CENTRES.items()]
    found += [c.AddParty(party=code, organisation=name) for code, name in ORGANISATIONS.items()]
    found += [c.AddParty(party=code) for code in PRIVATE]
    found += [
        c.AddItem(item=code, name=name, unit=unit, units=units) for code, (name, unit, units, _, _) in GOODS.items()
    ]
    found.append(c.AddItem(item=MONEY, name="Swiss franc", unit="rappen", type="money", units={"CHF": 100}))
    found.append(
        c.AddRecipe(
            recipe="winter",
            item="winter-kit",
            lines=(c.Wanted(item="blanket", quantity=2), c.Wanted(item="soap", quantity=2)),
        )
    )
    found += [c.AddProgramme(programme=code, name=name, visits=most) for code, (name, most, _) in PROGRAMMES.items()]
    seen: dict[str, str] = {}
    for programme, period, first, last in periods_of(year):
        rules = tuple(
            c.Rule(item=item, quantity=amount, size_from=size)
            for item, steps in PROGRAMMES[programme][2].items()
            for size, amount in steps
        )
        if programme in seen:
            found.append(
                c.OpenPeriod(programme=programme, period=period, first_day=first, last_day=last, like=seen[programme])
            )
        else:
            found.append(c.OpenPeriod(programme=programme, period=period, first_day=first, last_day=last, rules=rules))
            seen[programme] = period
    return found


def entitled(programme: str, size: int) -> dict[str, int]:
    """What a household of a size may have in a period, in base units."""
    return {
        item: max((step for step in steps if step[0] <= size), default=(0, 0))[1]
        for item, steps in PROGRAMMES[programme][2].items()
    }
