"""Numbers, units and names as a mayor reads them; every rounding is to the safe side where a claim hangs on it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from typing import Any, Protocol

from nearer.language import figures, t, tn, told
from nearer.planning.document import PlanDocument

THIN = "\u202f"
"""Narrow no-break space, between a number and its unit."""

NONE = "–"
"""What stands where there is no number."""


class Settled(Protocol):
    """A document that carries its study's settings: a plan's, or that of gaps."""

    @property
    def settings(self) -> dict[str, Any]:
        """The study file as understood."""


def setting(document: Settled, path: str, default: Any = None) -> Any:
    """Value of a dotted key of the study's settings, ``default`` where it is absent or null."""
    found: Any = document.settings
    for key in path.split("."):
        if not isinstance(found, dict) or found.get(key) is None:
            return default
        found = found[key]
    return found


def limit_min(document: Settled) -> float:
    """Minutes beyond which a site is out of reach."""
    return float(setting(document, "streets.limit_min", 30.0))


def near_min(document: PlanDocument) -> float:
    """Minutes that count as near."""
    return float(setting(document, "plan.coverage_min", 15.0))


def unreached_min(document: PlanDocument) -> float:
    """Minutes that a person out of reach counts as."""
    return float(setting(document, "plan.unreached_min", 2.0 * limit_min(document)))


def mode(document: Settled) -> str:
    """How people go: "walk", "bike" or "drive"."""
    asked = str(setting(document, "streets.mode", "walk"))
    return asked if asked in ("bike", "drive") else "walk"


def trip(document: Settled) -> str:
    """What the way to a centre is called."""
    return {"walk": t("walk"), "bike": t("bike ride"), "drive": t("drive")}[mode(document)]


def go(document: Settled, number: float = 2) -> str:
    """What so many people do on the way to a centre."""
    if round(number) <= 1:
        return {"walk": t("walks"), "bike": t("rides"), "drive": t("drives")}[mode(document)]
    return {"walk": t("walk"), "bike": t("ride"), "drive": t("drive")}[mode(document)]


def number(value: float, decimals: int = 0) -> str:
    """A number with so many decimals, thousands separated: 8,400.5."""
    return figures(f"{value:,.{decimals}f}")


def whole(number: float) -> str:
    """A count with thousands separated: 8,400."""
    return figures(f"{round(number):,}")


def about(number: float) -> str:
    """A count for prose, three figures kept: 61,234 → 61,200."""
    size = abs(round(number))
    if size < 1000:
        return whole(number)
    step = 10 ** (len(str(size)) - 3)
    return whole(round(number / step) * step)


def people(number: float) -> str:
    """``about`` so many people, in words where it is none or one."""
    if round(number) == 0:
        return t("nobody") if number < 1e-9 else t("fewer than one person")
    return tn(number, "1 person", "{about} people", about=about(number))


def folk(number: float, none: str, one: str, many: str, **values: object) -> str:
    """A text about ``{people}``: ``none`` for nobody at all, ``one`` for a person or part of one, else ``many``."""
    if round(number) == 0 and number < 1e-9:
        return t(none, **values)
    return tn(1 if round(number) <= 1 else 2, one, many, people=people(number), **values)


def reach(number: float) -> str:
    """That so many people are out of reach."""
    return folk(number, "nobody is out of reach", "{people} is out of reach", "{people} are out of reach")


def verb(number: float, one: str, many: str) -> str:
    """The form of a verb that goes with ``people(number)``."""
    return one if round(number) <= 1 else many


def count(number: int, noun: str) -> str:
    """1 new centre, 8 new centres."""
    return tn(number, f"{{n}} {noun}", f"{{n}} {noun}s")


def minutes(value: float | None) -> str:
    """Minutes with one decimal under 10, none above."""
    if value is None or not math.isfinite(value):
        return NONE
    return number(value, 1) if round(value, 1) < 10 else whole(value)


def minutes_pair(one: float | None, other: float | None) -> tuple[str, str]:
    """Two minutes to be compared, with the same number of decimals: that of the smaller."""
    known = [value for value in (one, other) if value is not None and math.isfinite(value)]
    if len(known) < 2 or round(min(known), 1) >= 10:
        return minutes(one), minutes(other)
    return number(known[0], 1), number(known[1], 1)


def bare(value: float) -> str:
    """A setting as a person would write it: 15, 7.5."""
    return figures(f"{value:g}")


def percent(share: float) -> str:
    """A share of people; 100 % only where it is everyone and 0 % only where it is nobody."""
    value = 100.0 * share
    if value <= 1e-9 or value >= 100.0 - 1e-9:
        return figures(f"{max(0.0, min(100.0, round(value))):.0f}{THIN}%")
    if value < 0.1:
        return t("under {share}", share=figures(f"1{THIN}%"))
    if value < 1.0:
        return figures(f"{value:.1f}{THIN}%")
    if value > 99.0:
        return figures(f"{math.floor(value * 10) / 10:.1f}{THIN}%")
    return figures(f"{value:.0f}{THIN}%")


def percent_bare(share: float) -> str:
    """A share that was asked for, as a person would write it: 2.5 %."""
    return figures(f"{100 * share:g}{THIN}%")


def _decimals(value: float) -> int:
    """Decimals that leave two figures of a number below 10, at most six."""
    return min(6, max(0, 1 - math.floor(math.log10(value)))) if 0 < value < 10 else 0


def percent_up(share: float) -> str:
    """A share rounded up to two figures, for "not more than"."""
    value = 100.0 * share
    scale = 10 ** _decimals(value)
    return figures(
        f"{math.ceil(round(value * scale, 6)) / scale:.{_decimals(value)}f}".rstrip("0").rstrip(".") + f"{THIN}%"
        if (_decimals(value))
        else f"{math.ceil(round(value, 6)):,}{THIN}%"
    )


def percent_down(share: float) -> str:
    """A share rounded down, for "at least"; as many decimals as it takes to tell it from 100 %."""
    value = 100.0 * share
    if value >= 100.0:
        return figures(f"100{THIN}%")
    places = max(1, _decimals(100.0 - value) - 1) if value > 90 else 0
    scale = 10**places
    text = f"{math.floor(round(value * scale, 6)) / scale:.{places}f}"
    return figures((text.rstrip("0").rstrip(".") if places else text) + f"{THIN}%")


def hours(person_min: float | None) -> str:
    """Person-minutes as person-hours."""
    if person_min is None or not math.isfinite(person_min):
        return NONE
    value = person_min / 60.0
    return number(value, 1) if abs(round(value, 1)) < 10 else whole(value)


def unit(name: str) -> str:
    """A unit of values in words."""
    known = {
        "person-minutes": t("person-minutes"),
        "person-hours": t("person-hours"),
        "people": t("people"),
        "minutes": t("minutes"),
        "money": t("money"),
        "centres": t("centres"),
    }
    return known.get(name, name)


def kind(name: str) -> str:
    """What a file of a study holds, or what was joined to the streets."""
    return joined(map(told, name.split(", ")))


def metres(value: float) -> str:
    """A distance: 340 m, 1.2 km."""
    if value < 1000:
        return t("{length}\u202fm", length=figures(f"{value:.0f}"))
    return t("{length}\u202fkm", length=figures(f"{value / 1000:.1f}"))


def within(document: PlanDocument, side: str) -> float:
    """Share of people within the minutes that count as near, ``side`` "before" or "after"."""
    access = getattr(document.measures, side)
    wanted = near_min(document)
    for key, share in access.within.items():
        if math.isclose(float(key), wanted):
            return float(share)
    curve = document.curve
    shares = curve.before if side == "before" else curve.after
    return float(next((s for m, s in reversed(list(zip(curve.minutes, shares, strict=True))) if m <= wanted), 0.0))


def more_within(document: PlanDocument) -> float:
    """How many more people live within the minutes that count as near."""
    return (within(document, "after") - within(document, "before")) * document.measures.after.people


def told_apart(sites: Iterable[tuple[str, str, str | None]]) -> dict[str, str]:
    """
    Names of sites by id; the area is added where names are the same, and the id where that does not help.

    ``sites`` are ids, names and areas.
    """
    listed = [(site, name or site, area or "") for site, name, area in sites]
    by_name = Counter(name for _, name, _ in listed)
    by_both = Counter((name, area) for _, name, area in listed)
    return {
        site: name if by_name[name] == 1 else f"{name} ({area if area and by_both[name, area] == 1 else site})"
        for site, name, area in listed
    }


def joined(parts: Iterable[str]) -> str:
    """Parts one after the other: a, b, c."""
    return t(", ").join(parts)
