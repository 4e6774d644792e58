"""Sentences about a plan as a mayor reads them; every rounding is to the safe side where a claim hangs on it."""

from __future__ import annotations

import math

from nearer.language import t, tn, told
from nearer.planning.document import OtherPlans, PlanDocument
from nearer.report import objective_words
from nearer.report.words import (
    about,
    bare,
    folk,
    go,
    joined,
    limit_min,
    minutes_pair,
    more_within,
    near_min,
    people,
    percent,
    percent_down,
    percent_up,
    reach,
    setting,
    trip,
    whole,
    within,
)


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
