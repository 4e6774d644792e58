"""Numbers and sentences as a mayor reads them; every rounding is to the safe side where a claim hangs on it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from typing import Any, Protocol

from nearer.planning.document import OtherPlans, PlanDocument

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


def trip(document: Settled) -> str:
    """What the way to a centre is called."""
    mode = str(setting(document, "streets.mode", "walk"))
    return {"bike": "bike ride", "drive": "drive"}.get(mode, "walk")


def whole(number: float) -> str:
    """A count with thousands separated: 8,400."""
    return f"{round(number):,}"


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
        return "nobody" if number < 1e-9 else "fewer than one person"
    return "1 person" if round(number) == 1 else f"{about(number)} people"


def verb(number: float, one: str, many: str) -> str:
    """The form of a verb that goes with ``people(number)``."""
    return one if round(number) <= 1 else many


def count(number: int, noun: str) -> str:
    """1 new centre, 8 new centres."""
    return f"{whole(number)} {noun}" + ("" if number == 1 else "s")


def minutes(value: float | None) -> str:
    """Minutes with one decimal under 10, none above."""
    if value is None or not math.isfinite(value):
        return NONE
    return f"{value:.1f}" if round(value, 1) < 10 else whole(value)


def minutes_pair(one: float | None, other: float | None) -> tuple[str, str]:
    """Two minutes to be compared, with the same number of decimals: that of the smaller."""
    known = [value for value in (one, other) if value is not None and math.isfinite(value)]
    if len(known) < 2 or round(min(known), 1) >= 10:
        return minutes(one), minutes(other)
    return f"{known[0]:,.1f}", f"{known[1]:,.1f}"


def bare(value: float) -> str:
    """A setting as a person would write it: 15, 7.5."""
    return f"{value:g}"


def percent(share: float) -> str:
    """A share of people; 100 % only where it is everyone and 0 % only where it is nobody."""
    value = 100.0 * share
    if value <= 1e-9 or value >= 100.0 - 1e-9:
        return f"{max(0.0, min(100.0, round(value))):.0f}{THIN}%"
    if value < 1.0:
        return f"under 1{THIN}%" if value < 0.1 else f"{value:.1f}{THIN}%"
    if value > 99.0:
        return f"{math.floor(value * 10) / 10:.1f}{THIN}%"
    return f"{value:.0f}{THIN}%"


def _decimals(value: float) -> int:
    """Decimals that leave two figures of a number below 10, at most six."""
    return min(6, max(0, 1 - math.floor(math.log10(value)))) if 0 < value < 10 else 0


def percent_up(share: float) -> str:
    """A share rounded up to two figures, for "not more than"."""
    value = 100.0 * share
    scale = 10 ** _decimals(value)
    return (
        f"{math.ceil(round(value * scale, 6)) / scale:.{_decimals(value)}f}".rstrip("0").rstrip(".") + f"{THIN}%"
        if (_decimals(value))
        else f"{math.ceil(round(value, 6)):,}{THIN}%"
    )


def percent_down(share: float) -> str:
    """A share rounded down, for "at least"; as many decimals as it takes to tell it from 100 %."""
    value = 100.0 * share
    if value >= 100.0:
        return f"100{THIN}%"
    places = max(1, _decimals(100.0 - value) - 1) if value > 90 else 0
    scale = 10**places
    text = f"{math.floor(round(value * scale, 6)) / scale:.{places}f}"
    return (text.rstrip("0").rstrip(".") if places else text) + f"{THIN}%"


def hours(person_min: float | None) -> str:
    """Person-minutes as person-hours."""
    if person_min is None or not math.isfinite(person_min):
        return NONE
    value = person_min / 60.0
    return f"{value:.1f}" if abs(round(value, 1)) < 10 else whole(value)


def metres(value: float) -> str:
    """A distance: 340 m, 1.2 km."""
    return f"{value:.0f}{THIN}m" if value < 1000 else f"{value / 1000:.1f}{THIN}km"


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


def headline(document: PlanDocument) -> str:
    """The answer in one sentence."""
    if document.status in ("infeasible", "unknown"):
        return {
            "infeasible": "No plan obeys all the rules.",
            "unknown": "The search was stopped before it found a plan.",
        }[document.status]
    was, now = document.measures.before.mean_min, document.measures.after.mean_min
    one, other = minutes_pair(was, now)
    turn = "stays at" if one == other else "falls from" if now < was else "rises from"
    walk = f"{one} minutes" if one == other else f"{one} to {other} minutes"
    start = f"With {count(document.opened, 'new centre')} the" if document.opened else "Without new centres the"
    gained = more_within(document)
    change = "more" if gained >= 0 else "fewer"
    near = f"within {bare(near_min(document))} minutes"
    if round(gained) == 0:
        second = f"as many people as before live {near}"
    else:
        noun = "person lives" if abs(round(gained)) == 1 else "people live"
        second = f"{about(abs(gained))} {change} {noun} {near}"
    return f"{start} average {trip(document)} {turn} {walk}; {second}."


def proof(document: PlanDocument) -> str:
    """How good the plan is, in plain words; claims no more than the bound does."""
    if document.status in ("infeasible", "unknown"):
        return "There is no plan to judge."
    n = document.opened
    if n == 0 and not document.phases:
        return "Nothing was to be chosen."
    other = f"choice of {count(n, 'site')}" if n else "plan"
    if document.phases:
        other += " that keeps the rules"
    if len(document.objectives) > 1:
        from nearer.report import objective_words

        return objective_words.in_turns(document)
    if document.status == "optimal":
        return f"No other {other} is better: proven."
    reached = "" if document.gain_gap >= 1 else (
        f"; of the possible gain at least {percent_down(1.0 - document.gain_gap)} is reached"
    )  # fmt: skip
    early = (
        " The search was stopped early; more time may bring the two closer." if document.status == "feasible" else ""
    )
    if not math.isfinite(document.gap):
        return f"Nothing is known yet of how much better another {other} could be.{early}"
    return f"No {other} can do better by more than {percent_up(document.gap)}{reached}.{early}"


def proof_kind(document: PlanDocument) -> str:
    """Who vouches for the bound."""
    if len({turn.proof for turn in document.objectives}) > 1:
        return (
            "Some proofs lie beside the plan (proof.npz), and nearer verify evaluates them again without the solver; "
            "other bounds are the solver's own word (HiGHS). The table under “The proof in numbers” says which."
        )
    if document.proof == "certificate":
        return "The proof lies beside the plan (proof.npz); nearer verify evaluates it again without the solver."
    return "The bound is the solver's own word (HiGHS); nearer verify checks everything else."


def out_of_reach(document: PlanDocument) -> str:
    """Who is out of reach, now and before."""
    before, after = document.measures.before.unreached, document.measures.after.unreached
    if after < 1e-9:
        return "Nobody is out of reach" + (
            f"; before, {people(before)} {verb(before, 'was', 'were')}." if before else "."
        )
    start = f"{people(after)} {verb(after, 'is', 'are')} out of reach"
    return f"{start}; before, {people(before)} {verb(before, 'was', 'were')}."


def room(document: PlanDocument) -> str:
    """What becomes of the answer where centres are too small for who comes; "" where they are not, or have no limit."""
    if not document.phases:
        return ""
    last = document.phases[-1]
    one, other = minutes_pair(last.mean_nearest_min, last.mean_min)
    if one == other:
        return ""
    when = f"At the end of \u2068{last.name}\u2069" if len(document.phases) > 1 else "With the plan"
    lost = f", and {people(last.unmet)} {verb(last.unmet, 'has', 'have')} no place within reach" if last.unmet else ""
    return (
        f"That is the way to the nearest centre, whatever its room. {when}, with the room there is, the average is "
        f"{other} minutes{lost}."
    )


def room_note(document: PlanDocument) -> str:
    """The average with the room there is; "" where room changes nothing."""
    if not room(document):
        return ""
    last = document.phases[-1]
    return f"with the room there is {minutes_pair(last.mean_nearest_min, last.mean_min)[1]} minutes"


def unmet_note(document: PlanDocument) -> str:
    """Who has no place with the room there is; "" where room changes nothing."""
    return f"; {about(document.phases[-1].unmet)} without a place, with the room there is" if room(document) else ""


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


def farther(document: PlanDocument) -> str:
    """Who counts as out of reach."""
    said = f"farther than {bare(limit_min(document))} minutes from every centre"
    joined = document.snapping.get("people")
    if joined is None or joined.unjoined_people < 0.5:
        return said
    return f"{said}, or over {bare(joined.cap_m)} m from any street"


def reading(document: PlanDocument, side: str) -> str:
    """The sentence under the map of one side."""
    access = getattr(document.measures, side)
    share, near = within(document, side), bare(near_min(document))
    when = "Today" if side == "before" else "With the plan"
    way = {"walk": "walk", "bike ride": "ride", "drive": "drive"}[trip(document)]
    far = access.unreached
    rest = f"{people(far)} {verb(far, 'is', 'are')} out of reach"
    return f"{when} {percent(share)} of people {way} {near} minutes or less to a centre; {rest}."


def reading_area(document: PlanDocument) -> str:
    """The area that gains most people within the minutes that count as near; "" where areas have no names."""
    found = [area for area in document.areas if area.name and area.after_within > area.before_within]
    if not found:
        return ""
    best = max(found, key=lambda area: (area.after_within - area.before_within) * area.people)
    now, was = best.after_within * best.people, best.before_within * best.people
    near = bare(near_min(document))
    subject = people(now)
    way = {"walk": "walk", "bike ride": "ride", "drive": "drive"}[trip(document)] + ("s" if round(now) <= 1 else "")
    return f"In \u2068{best.name}\u2069 {subject} now {way} {near} minutes or less; before, {people(was)} did."


def reading_gain(document: PlanDocument) -> str:
    """How quickly the gain comes when the new centres open in their order; "" where that is not known."""
    gains = [s.gain_person_min or 0.0 for s in sorted(document.sites, key=lambda s: s.order or 0) if s.order]
    total = sum(gains)
    if len(gains) < 2 or total <= 0:
        return ""
    run, first = 0.0, 0
    while run < 0.5 * total:
        run += gains[first]
        first += 1
    part = "half" if run < 0.55 * total else percent(math.floor(100 * run / total) / 100)
    which = "The first alone brings" if first == 1 else f"The first {first} bring"
    return f"{which} {part} of all that the {len(gains)} new centres bring."


def still_far(document: PlanDocument) -> str:
    """Who remains far with the plan."""
    after = document.measures.after
    near = bare(near_min(document))
    far = (1.0 - within(document, "after")) * after.people
    if far < 0.5:
        return f"Nobody is farther than {near} minutes from a centre."
    start = f"{people(far)} ({percent(far / after.people)}) {verb(far, 'is', 'are')} still farther than {near} minutes"
    start += " from a centre"
    return start[0].upper() + start[1:] + (
        f", {people(after.unreached)} of them out of reach (farther than {bare(limit_min(document))} minutes)."
        if after.unreached >= 0.5 else "; nobody is out of reach."
    )  # fmt: skip


def cut_off(document: PlanDocument) -> str:
    """Whom no choice of sites could have helped, and whether it is for want of a street; "" where there is nobody."""
    n = document.measures.after.unreachable_from_any_site
    if n < 0.5:
        return ""
    said = f"{people(n)} {verb(n, 'is', 'are')} out of reach of every existing and possible site"
    joined = document.snapping.get("people")
    if joined is None or joined.unjoined_people < 0.5:
        return f"{said}."
    streetless = joined.unjoined_people
    lives = verb(streetless, "lives", "live")
    return f"{said}; {people(streetless)} {lives} over {bare(joined.cap_m)} m from any street."


def method(document: PlanDocument) -> list[str]:
    """What was asked for, then what the plan itself notes of its limits, one sentence each."""
    from nearer.report import objective_words

    found = [objective_words.aims(document), *objective_words.rules(document)]
    if len(document.phases) > 1 and len(document.objectives) > 1:
        found.append("A phase counts for its years. Maps and figures of before and after are for the people of today.")
    weights = setting(document, "plan.group_weights", {})
    for group, weight in weights.items():
        found.append(
            f"In the choice of centres, {group} count {bare(weight)} times; the figures shown count everyone once."
        )
    speeds = setting(document, "streets.group_speeds_kmh", {})
    if speeds:
        listed = ", ".join(f"{group} {bare(speed)} km/h" for group, speed in speeds.items())
        found.append(f"Groups with a speed of their own: {listed}. Maps show the general speed.")
    if setting(document, "streets.table") is None and setting(document, "streets.mode") == "straight":
        detour = bare(float(setting(document, "streets.detour", 1.3)))
        found.append(f"No streets were used: straight lines, lengthened by a factor of {detour}.")
    return [*found, *document.notes]


def summary(document: PlanDocument) -> list[str]:
    """The few lines that a command line prints."""
    reach = out_of_reach(document)
    lines = [document.study, headline(document), room(document), reach[0].upper() + reach[1:]]
    lines += [cut_off(document), proof(document)]
    if document.alternatives is not None:
        lines.append(others(document.alternatives))
    return [line for line in lines if line]


def others(told: OtherPlans) -> str:
    """What was asked of other plans, and how far the answer goes."""
    within = percent_up(told.within)
    asked = f"each opens at least {count(told.differ, 'site')} that neither the plan nor those before it do"
    if told.plans:
        found = f"{count(len(told.plans), 'other plan')} at most {within} worse; {asked}."
        return f"{found} No further one exists." if told.no_more else found
    if told.no_more:
        return f"No other plan is at most {within} worse where {asked}: proven."
    return f"No other plan at most {within} worse was found in the time given, where {asked}."
