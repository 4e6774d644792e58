"""Numbers and sentences as a mayor reads them; every rounding is to the safe side where a claim hangs on it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from typing import Any, Protocol

from nearer.language import figures, t, tn, told
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


def headline(document: PlanDocument) -> str:
    """The answer in one sentence."""
    if document.status == "infeasible":
        return t("No plan obeys all the rules.")
    if document.status == "unknown":
        return t("The search was stopped before it found a plan.")
    return t("{average}; {near}.", average=_average(document), near=_nearer(document))


def _average(document: PlanDocument) -> str:
    was, now = document.measures.before.mean_min, document.measures.after.mean_min
    one, other = minutes_pair(was, now)
    n, said = document.opened, {"trip": trip(document), "was": one, "now": other}
    if one == other:
        if not n:
            return t("Without new centres the average {trip} stays at {now} minutes", **said)
        return tn(
            n,
            "With {n} new centre the average {trip} stays at {now} minutes",
            "With {n} new centres the average {trip} stays at {now} minutes",
            **said,
        )
    if now < was:
        if not n:
            return t("Without new centres the average {trip} falls from {was} to {now} minutes", **said)
        return tn(
            n,
            "With {n} new centre the average {trip} falls from {was} to {now} minutes",
            "With {n} new centres the average {trip} falls from {was} to {now} minutes",
            **said,
        )
    if not n:
        return t("Without new centres the average {trip} rises from {was} to {now} minutes", **said)
    return tn(
        n,
        "With {n} new centre the average {trip} rises from {was} to {now} minutes",
        "With {n} new centres the average {trip} rises from {was} to {now} minutes",
        **said,
    )


def _nearer(document: PlanDocument) -> str:
    gained, near = more_within(document), bare(near_min(document))
    if round(gained) == 0:
        return t("as many people as before live within {near} minutes", near=near)
    if gained >= 0:
        return tn(
            gained,
            "{about} more person lives within {near} minutes",
            "{about} more people live within {near} minutes",
            about=about(gained),
            near=near,
        )
    return tn(
        -gained,
        "{about} fewer person lives within {near} minutes",
        "{about} fewer people live within {near} minutes",
        about=about(-gained),
        near=near,
    )


def proof(document: PlanDocument) -> str:
    """How good the plan is, in plain words; claims no more than the bound does."""
    if document.status in ("infeasible", "unknown"):
        return t("There is no plan to judge.")
    if document.opened == 0 and not document.phases:
        return t("Nothing was to be chosen.")
    if len(document.objectives) > 1:
        from nearer.report import objective_words

        return objective_words.in_turns(document)
    other = _other(document)
    if document.status == "optimal":
        return t("No other {other} is better: proven.", other=other)
    if math.isfinite(document.gap):
        found = t("No {other} can do better by more than {gap}", other=other, gap=percent_up(document.gap))
        if document.gain_gap < 1:
            found += t(
                "; of the possible gain at least {share} is reached", share=percent_down(1.0 - document.gain_gap)
            )
        found += "."
    else:
        found = t("Nothing is known yet of how much better another {other} could be.", other=other)
    if document.status != "feasible":
        return found
    return f"{found} {t('The search was stopped early; more time may bring the two closer.')}"


def _other(document: PlanDocument) -> str:
    """What a plan is compared with."""
    n = document.opened
    if not document.phases:
        return tn(n, "choice of {n} site", "choice of {n} sites")
    if not n:
        return t("plan that keeps the rules")
    return tn(n, "choice of {n} site that keeps the rules", "choice of {n} sites that keeps the rules")


def proof_kind(document: PlanDocument) -> str:
    """Who vouches for the bound."""
    if len({turn.proof for turn in document.objectives}) > 1:
        return t(
            "Some proofs lie beside the plan (proof.npz), and nearer verify evaluates them again without the solver; "
            "other bounds are the solver's own word (HiGHS). The table under “The proof in numbers” says which."
        )
    if document.proof == "certificate":
        return t("The proof lies beside the plan (proof.npz); nearer verify evaluates it again without the solver.")
    return t("The bound is the solver's own word (HiGHS); nearer verify checks everything else.")


def out_of_reach(document: PlanDocument) -> str:
    """Who is out of reach, now and before."""
    before, after = document.measures.before.unreached, document.measures.after.unreached
    now = reach(after)
    if after < 1e-9:
        now = t("Nobody is out of reach")
        if not before:
            return f"{now}."
    was = folk(before, "before, nobody was", "before, {people} was", "before, {people} were")
    return t("{now}; {was}.", now=now, was=was)


def reach(number: float) -> str:
    """That so many people are out of reach."""
    return folk(number, "nobody is out of reach", "{people} is out of reach", "{people} are out of reach")


def room(document: PlanDocument) -> str:
    """What becomes of the answer where centres are too small for who comes; "" where they are not, or have no limit."""
    if not document.phases:
        return ""
    last = document.phases[-1]
    one, other = minutes_pair(last.mean_nearest_min, last.mean_min)
    if one == other:
        return ""
    when = t("With the plan")
    if len(document.phases) > 1:
        when = t("At the end of {phase}", phase=f"\u2068{last.name}\u2069")
    lost = folk(
        last.unmet,
        "",
        ", and {people} has no place within reach",
        ", and {people} have no place within reach",
    )
    return t(
        "That is the way to the nearest centre, whatever its room. {when}, with the room there is, the average is "
        "{average} minutes{lost}.",
        when=when,
        average=other,
        lost=lost,
    )


def room_note(document: PlanDocument) -> str:
    """The average with the room there is; "" where room changes nothing."""
    if not room(document):
        return ""
    last = document.phases[-1]
    average = minutes_pair(last.mean_nearest_min, last.mean_min)[1]
    return t("with the room there is {average} minutes", average=average)


def unmet_note(document: PlanDocument) -> str:
    """Who has no place with the room there is; "" where room changes nothing."""
    if not room(document):
        return ""
    return t("; {people} without a place, with the room there is", people=about(document.phases[-1].unmet))


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
    said = t("farther than {limit} minutes from every centre", limit=bare(limit_min(document)))
    joined = document.snapping.get("people")
    if joined is None or joined.unjoined_people < 0.5:
        return said
    return said + t(", or over {cap} m from any street", cap=bare(joined.cap_m))


def reading(document: PlanDocument, side: str) -> str:
    """The sentence under the map of one side."""
    said = {
        "share": percent(within(document, side)),
        "go": go(document),
        "near": bare(near_min(document)),
        "rest": reach(getattr(document.measures, side).unreached),
    }
    if side == "before":
        return t("Today {share} of people {go} {near} minutes or less to a centre; {rest}.", **said)
    return t("With the plan {share} of people {go} {near} minutes or less to a centre; {rest}.", **said)


def reading_area(document: PlanDocument) -> str:
    """The area that gains most people within the minutes that count as near; "" where areas have no names."""
    found = [area for area in document.areas if area.name and area.after_within > area.before_within]
    if not found:
        return ""
    best = max(found, key=lambda area: (area.after_within - area.before_within) * area.people)
    now, was = best.after_within * best.people, best.before_within * best.people
    return t(
        "In {area} {people} now {go} {near} minutes or less; before, {did}.",
        area=f"\u2068{best.name}\u2069",
        people=people(now),
        go=go(document, now),
        near=bare(near_min(document)),
        did=folk(was, "nobody did", "{people} did", "{people} did"),
    )


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
    part = t("half") if run < 0.55 * total else percent(math.floor(100 * run / total) / 100)
    return tn(
        first,
        "The first alone brings {part} of all that the {all} new centres bring.",
        "The first {n} bring {part} of all that the {all} new centres bring.",
        part=part,
        all=whole(len(gains)),
    )


def still_far(document: PlanDocument) -> str:
    """Who remains far with the plan."""
    after = document.measures.after
    near = bare(near_min(document))
    far = (1.0 - within(document, "after")) * after.people
    if far < 0.5:
        return t("Nobody is farther than {near} minutes from a centre.", near=near)
    start = folk(
        far,
        "",
        "{people} ({share}) is still farther than {near} minutes from a centre",
        "{people} ({share}) are still farther than {near} minutes from a centre",
        share=percent(far / after.people),
        near=near,
    )
    out = t("; nobody is out of reach.")
    if after.unreached >= 0.5:
        out = t(
            ", {people} of them out of reach (farther than {limit} minutes).",
            people=people(after.unreached),
            limit=bare(limit_min(document)),
        )
    return start[0].upper() + start[1:] + out


def cut_off(document: PlanDocument) -> str:
    """Whom no choice of sites could have helped, and whether it is for want of a street; "" where there is nobody."""
    n = document.measures.after.unreachable_from_any_site
    if n < 0.5:
        return ""
    said = folk(
        n,
        "",
        "{people} is out of reach of every existing and possible site",
        "{people} are out of reach of every existing and possible site",
    )
    joined = document.snapping.get("people")
    if joined is None or joined.unjoined_people < 0.5:
        return f"{said}."
    return said + folk(
        joined.unjoined_people,
        "",
        "; {people} lives over {cap} m from any street.",
        "; {people} live over {cap} m from any street.",
        cap=bare(joined.cap_m),
    )


def method(document: PlanDocument) -> list[str]:
    """What was asked for, then what the plan itself notes of its limits, one sentence each."""
    from nearer.report import objective_words

    found = [objective_words.aims(document), *objective_words.rules(document)]
    if len(document.phases) > 1 and len(document.objectives) > 1:
        found.append(
            t("A phase counts for its years. Maps and figures of before and after are for the people of today.")
        )
    weights = setting(document, "plan.group_weights", {})
    for group, weight in weights.items():
        found.append(
            t(
                "In the choice of centres, {group} count {weight} times; the figures shown count everyone once.",
                group=group,
                weight=bare(weight),
            )
        )
    speeds = setting(document, "streets.group_speeds_kmh", {})
    if speeds:
        listed = [t("{group} {speed} km/h", group=group, speed=bare(speed)) for group, speed in speeds.items()]
        found.append(
            t("Groups with a speed of their own: {listed}. Maps show the general speed.", listed=joined(listed))
        )
    if setting(document, "streets.table") is None and setting(document, "streets.mode") == "straight":
        detour = bare(float(setting(document, "streets.detour", 1.3)))
        found.append(t("No streets were used: straight lines, lengthened by a factor of {detour}.", detour=detour))
    return [*found, *map(told, document.notes)]


def joined(parts: Iterable[str]) -> str:
    """Parts one after the other: a, b, c."""
    return t(", ").join(parts)


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
    asked = tn(
        told.differ,
        "each opens at least {n} site that neither the plan nor those before it do",
        "each opens at least {n} sites that neither the plan nor those before it do",
    )
    if told.plans:
        found = tn(
            len(told.plans),
            "{n} other plan at most {within} worse; {asked}.",
            "{n} other plans at most {within} worse; {asked}.",
            within=within,
            asked=asked,
        )
        return f"{found} {t('No further one exists.')}" if told.no_more else found
    if told.no_more:
        return t("No other plan is at most {within} worse where {asked}: proven.", within=within, asked=asked)
    return t(
        "No other plan at most {within} worse was found in the time given, where {asked}.", within=within, asked=asked
    )
