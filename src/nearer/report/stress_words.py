"""What an outage does, in sentences."""

from __future__ import annotations

from nearer.planning.document import PlanDocument
from nearer.planning.stress_document import Asked, Replan, StressDocument, Surge
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
        parts.append(f"{hazard.file}: {count(len(hazard.sites), 'centre')} inside{cut}")
    parts += [surge_words(surge) for surge in asked.surge]
    return "; ".join(parts) if parts else "nothing given is out"


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
    stay = [site for site in document.sites if site.out is None and site.people_after > site.people_before + 0.5]
    if not stay:
        return "No centre has to take over people from another."
    most = max(stay, key=lambda site: site.people_after - site.people_before)
    more = most.people_after - most.people_before
    take = "takes" if len(stay) == 1 else "take"
    text = f"{count(len(stay), 'centre')} {take} over; {most.name} most, {about(more)} people."
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


def proof(replan: Replan, what: str) -> str:
    """How good the best set is."""
    sites = count(replan.number, "site")
    if replan.number == replan.pool:
        return f"All {replan.number} that can be {what}."
    if replan.status == "optimal":
        return f"No other {sites} {what} would help more: proven."
    return f"No other {sites} {what} can do better by more than {percent_up(replan.gap)}."


def summary(document: StressDocument, plan: PlanDocument) -> list[str]:
    """The few lines that a command line prints."""
    lines = [f"{document.study}: {happening(document.asked)}", headline(document, plan), taking_over(document)]
    for found, verb_, past in ((document.reopen, "Bring back", "brought back"), (document.open, "Open", "opened")):
        if found is None:
            continue
        names = ", ".join(f"{place}. {step.name}" for place, step in enumerate(found.steps, 1))
        lines.append(f"{verb_} first: {names}. {proof(found, past)}")
    return lines


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
