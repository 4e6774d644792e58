"""What an outage does, in sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nearer.planning.document import PlanDocument
from nearer.planning.stress_document import (
    Asked,
    Hardened,
    RandomLosses,
    Replan,
    Sent,
    StockPlan,
    StressDocument,
    Surge,
    WorstLoss,
)
from nearer.report import words
from nearer.report.words import about, count, minutes, minutes_pair, people, percent_up, verb


def surge_words(surge: Surge) -> str:
    """One surge: "twice the people in Vaduz"."""
    where = {"area": f"in {surge.name}", "group": f"of the group {surge.name}", "all": "everywhere"}[surge.what]
    return f"{surge.factor:g} times the people {where}"


def happening(asked: Asked) -> str:
    """What is assumed to happen, as a clause."""
    parts = []
    if asked.out_of_service:
        parts.append(f"{count(len(asked.out_of_service), 'centre')} out of service")
    if asked.hazard is not None:
        hazard = asked.hazard
        cut = f", {count(hazard.segments, 'street segment')} cut" if hazard.segments else ""
        inside = count(len(hazard.sites), "centre") if hazard.sites else "no centre"
        parts.append(f"{hazard.file}: {inside} inside{cut}")
    parts += [surge_words(surge) for surge in asked.surge]
    return "; ".join(parts) if parts else "nothing given is out"


def names_of(document: StressDocument) -> dict[str, str]:
    """Names of the plan's centres by id, told apart where they are the same."""
    return words.told_apart((site.id, site.name, site.area) for site in document.sites)


def touches_nothing(asked: Asked) -> str:
    """What to look at where a hazard changes nothing; "" where it does."""
    one = asked.hazard
    if one is None or one.sites or one.candidates or one.segments or one.people_inside:
        return ""
    return (
        f"{one.file} touches no centre, no candidate, no street and nobody: does it lie in the area, and is its "
        "system of coordinates stated?"
    )


def headline(document: StressDocument, plan: PlanDocument) -> str:
    """The answer in one sentence."""
    was, now = minutes_pair(document.before.mean_min, document.after.mean_min)
    cut = people(document.cut_off)
    start = f"{cut[0].upper()}{cut[1:]} {verb(document.cut_off, 'is', 'are')} cut off"
    walk = words.trip(plan)
    if was == now:
        return f"{start}; the average {walk} stays at {was} minutes."
    turn = "rises" if document.after.mean_min > document.before.mean_min else "falls"
    return f"{start}; the average {walk} {turn} from {was} to {now} minutes."


def longer(document: StressDocument) -> str:
    """Whose walk becomes longer."""
    if document.longer < 0.5:
        return "Nobody's walk becomes longer."
    some = people(document.longer)
    return f"For {some} the walk becomes longer, or ends."


def taking_over(document: StressDocument) -> str:
    """Who takes over, and who has no room for it."""
    stay = [site for site in document.sites if site.arriving >= 0.5]
    text = "No centre has to take over people from another."
    if stay:
        most = max(stay, key=lambda site: site.arriving)
        take = "takes" if len(stay) == 1 else "take"
        text = f"{count(len(stay), 'centre')} {take} over; {most.name} most, {people(most.arriving)}."
    if document.capacity == "unlimited":
        return f"{text} No capacities are known, so nobody is turned away in these figures."
    over = [site for site in document.sites if site.over > 0.5]
    unmet = 0.0 if document.with_room is None else document.with_room.unmet
    if not over:
        return f"{text} All have room."
    has = "has" if len(over) == 1 else "have"
    rest = (
        f"if people go on to the next with room, {people(unmet)} {verb(unmet, 'finds', 'find')} none."
        if unmet >= 0.5
        else "if people go on to the next with room, all find a place."
    )
    return f"{text} {count(len(over), 'centre')} {has} more people than room; {rest}"


def three_readings(document: StressDocument) -> str:
    """How much depends on who is told where to go; "" without capacities."""
    sent, room = document.sent, document.with_room
    if sent is None or room is None or room.mean_min is None:
        return ""
    near, mid, told = document.after.mean_min, room.mean_min, sent.mean_min
    without = room.unmet + document.after.unreached
    return (
        f"Average minutes, who has no place counted as out of reach: {near:.1f} if every centre took whoever is "
        f"nearest, {mid:.1f} if people go on to the nearest with room ({people(without)} without a place), {told:.1f} "
        f"if the system sends them ({people(sent.unmet)} without a place; {_how_good(sent)})."
    )


def _how_good(sent: Sent) -> str:
    if sent.status == "optimal":
        return "proven"
    return f"at most {percent_up(sent.gap)} above the best"


def with_limits(sent: Sent | None, what: str) -> str:
    """What to open or bring back where room is limited; "" where that was not asked."""
    if sent is None:
        return ""
    return (
        f"{what} first where room is limited: {', '.join(sent.opened_names)}. {people(sent.unmet)[0].upper()}"
        f"{people(sent.unmet)[1:]} {verb(sent.unmet, 'is', 'are')} then without a place, the average is "
        f"{minutes(sent.mean_min)} minutes; {_how_good(sent)}."
    )


def proof(replan: Replan, what: str) -> str:
    """How good the order and the best set are; what is proven is said of the set alone."""
    sites = count(replan.number, "site")
    if replan.number == replan.pool:
        return f"All {replan.number} that can be {what}."
    start = "No other"
    if replan.order_value > replan.value * (1 + 1e-9):
        saved = words.hours(replan.order_value - replan.value)
        start = f"Together, {'; '.join(replan.best_names)} would save {saved} hours more; no other"
    if replan.status == "optimal":
        return f"{start} {sites} {what} would help more: proven."
    return f"{start} {sites} {what} can do better than these by more than {percent_up(replan.gap)}."


def summary(document: StressDocument, plan: PlanDocument) -> list[str]:
    """The few lines that a command line prints."""
    lines = [f"{document.study}: {happening(document.asked)}", headline(document, plan), taking_over(document)]
    if said := touches_nothing(document.asked):
        lines.insert(1, said)
    for found, verb_, past in ((document.reopen, "Bring back", "brought back"), (document.open, "Open", "opened")):
        if found is None:
            continue
        steps = ", ".join(f"{place}. {step.name}" for place, step in enumerate(found.steps, 1))
        lines.append(f"{verb_} first: {steps}. {proof(found, past)}")
    found_sent = (with_limits(document.reopen_sent, "Bring back"), with_limits(document.open_sent, "Open"))
    lines += [line for line in (three_readings(document), *found_sent) if line]
    names = names_of(document)
    if document.random is not None:
        lines.append(at_random(document.random, plan))
    if document.worst is not None:
        lines.append(worst(document.worst, names))
    if document.harden is not None:
        lines.append(hardened(document.harden, names))
    if document.stock is not None:
        lines += [stocked(document.stock.expected, "on average", names)]
        lines += [stocked(document.stock.worst, "in the worst scenario", names)]
    return lines


def at_random(found: RandomLosses, plan: PlanDocument) -> str:
    """What a random loss costs."""
    lose = f"{count(found.number, 'more centre')} lost at random"
    how = f"all {found.draws:,} sets" if found.exact else f"{found.draws:,} draws"
    cut = found.cut_off
    walk = f"the average {words.trip(plan)} is {minutes(found.mean_min.exact_mean)} minutes"
    off = f"{people(cut.exact_mean)} {verb(cut.exact_mean, 'is', 'are')} cut off"
    range_ = f"in 95{words.THIN}% of {how} {about(cut.low)} to {about(cut.high)} people, at most {about(cut.most)}"
    if found.exact and found.draws == 1:
        return f"With {lose}, {walk} and {off}: no other set is left to lose."
    return f"With {lose}, {walk} and {off}, on average over all sets; {range_}."


def listed(ids: Sequence[str], names: Mapping[str, str]) -> str:
    """Names of sites, joined."""
    return ", ".join(names.get(site, site) for site in ids) or "none"


def worst(found: WorstLoss, names: Mapping[str, str]) -> str:
    """The worst loss and its proof."""
    start = f"The worst {count(found.number, 'centre')} to lose: {listed(found.sites, names)}; "
    cut = f"{people(found.cut_off)} more {verb(found.cut_off, 'is', 'are')} cut off"
    room = "" if found.sent is None else " for centres without limits on room"
    limited = "" if found.sent is None else f" {_worst_with_room(found.sent)}"
    if found.status == "optimal":
        return f"{start}{cut}. No other loss of as many costs more{room}: proven.{limited}"
    return f"{start}{cut}. No other loss of as many costs more{room} than {percent_up(found.gap)} above it.{limited}"


def _worst_with_room(sent: Sent) -> str:
    but = "" if sent.status == "optimal" else f", but for {percent_up(sent.gap)}"
    return (
        f"With limited room {people(sent.unmet)} {verb(sent.unmet, 'has', 'have')} no place after it and the average "
        f"is {minutes(sent.mean_min)} minutes as the system sends people; the worst loss is then at least as bad{but}."
    )


def hardened(found: Hardened, names: Mapping[str, str]) -> str:
    """What to make safe, and its proof."""
    left = found.loss_person_min / found.unprotected_person_min if found.unprotected_person_min > 0 else 1.0
    start = (
        f"Make safe: {listed(found.sites, names)}. The worst loss of {count(found.against, 'other')} then costs "
        f"{words.percent(left)} of what it costs now."
    )
    if found.status == "optimal":
        return f"{start} No other choice leaves less: proven."
    return f"{start} Another choice could leave at most {percent_up(found.gap)} less."


def stocked(found: StockPlan, when: str, names: Mapping[str, str]) -> str:
    """Where to keep stock, and its proof."""
    start = f"Keep stock, best {when}: {listed(found.sites, names)}."
    if found.status == "optimal":
        return f"{start} No other choice is better: proven."
    return f"{start} No other choice is better by more than {percent_up(found.gap)}."


def reading(document: StressDocument, plan: PlanDocument, side: str) -> str:
    """The sentence under the map of one side."""
    access = document.before if side == "before" else document.after
    near = words.near_min(plan)
    share = access.within.get(f"{near:g}", 0.0)
    when = "Before" if side == "before" else "Then"
    way = {"walk": "walk", "bike ride": "ride", "drive": "drive"}[words.trip(plan)]
    out = people(access.unreached)
    return (
        f"{when} {words.percent(share)} of people {way} {words.bare(near)} minutes or less to a centre; "
        f"{out} {verb(access.unreached, 'is', 'are')} out of reach. On average {minutes(access.mean_min)} minutes."
    )
