"""What an outage does, in sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nearer.language import figures, t, tn
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
from nearer.report.words import about, bare, folk, minutes, minutes_pair, people, percent_up


def surge_words(surge: Surge) -> str:
    """One surge: "twice the people in Vaduz"."""
    factor = bare(surge.factor)
    if surge.what == "area":
        return t("{factor} times the people in {name}", factor=factor, name=surge.name)
    if surge.what == "group":
        return t("{factor} times the people of the group {name}", factor=factor, name=surge.name)
    return t("{factor} times the people everywhere", factor=factor)


def happening(asked: Asked) -> str:
    """What is assumed to happen, as a clause."""
    parts = []
    if asked.out_of_service:
        parts.append(tn(len(asked.out_of_service), "{n} centre out of service", "{n} centres out of service"))
    if asked.hazard is not None:
        hazard = asked.hazard
        cut = tn(hazard.segments, ", {n} street segment cut", ", {n} street segments cut") if hazard.segments else ""
        if hazard.sites:
            inside = tn(len(hazard.sites), "{n} centre inside", "{n} centres inside")
        else:
            inside = t("no centre inside")
        parts.append(t("{file}: {inside}{cut}", file=hazard.file, inside=inside, cut=cut))
    parts += [surge_words(surge) for surge in asked.surge]
    return t("; ").join(parts) if parts else t("nothing given is out")


def names_of(document: StressDocument) -> dict[str, str]:
    """Names of the plan's centres by id, told apart where they are the same."""
    return words.told_apart((site.id, site.name, site.area) for site in document.sites)


def touches_nothing(asked: Asked) -> str:
    """What to look at where a hazard changes nothing; "" where it does."""
    one = asked.hazard
    if one is None or one.sites or one.candidates or one.segments or one.people_inside:
        return ""
    return t(
        "{file} touches no centre, no candidate, no street and nobody: does it lie in the area, and is its system of "
        "coordinates stated?",
        file=one.file,
    )


def headline(document: StressDocument, plan: PlanDocument) -> str:
    """The answer in one sentence."""
    was, now = minutes_pair(document.before.mean_min, document.after.mean_min)
    start = capital(folk(document.cut_off, "nobody is cut off", "{people} is cut off", "{people} are cut off"))
    said = {"start": start, "trip": words.trip(plan), "was": was, "now": now}
    if was == now:
        return t("{start}; the average {trip} stays at {was} minutes.", **said)
    if document.after.mean_min > document.before.mean_min:
        return t("{start}; the average {trip} rises from {was} to {now} minutes.", **said)
    return t("{start}; the average {trip} falls from {was} to {now} minutes.", **said)


def capital(text: str) -> str:
    """A sentence's beginning."""
    return text[:1].upper() + text[1:]


def longer(document: StressDocument) -> str:
    """Whose walk becomes longer."""
    if document.longer < 0.5:
        return t("Nobody's walk becomes longer.")
    return t("For {people} the walk becomes longer, or ends.", people=people(document.longer))


def taking_over(document: StressDocument) -> str:
    """Who takes over, and who has no room for it."""
    stay = [site for site in document.sites if site.arriving >= 0.5]
    text = t("No centre has to take over people from another.")
    if stay:
        most = max(stay, key=lambda site: site.arriving)
        text = tn(
            len(stay),
            "{n} centre takes over; {most} most, {people}.",
            "{n} centres take over; {most} most, {people}.",
            most=most.name,
            people=people(most.arriving),
        )
    if document.capacity == "unlimited":
        return f"{text} {t('No capacities are known, so nobody is turned away in these figures.')}"
    over = [site for site in document.sites if site.over > 0.5]
    unmet = 0.0 if document.with_room is None else document.with_room.unmet
    if not over:
        return f"{text} {t('All have room.')}"
    rest = t("if people go on to the next with room, all find a place.")
    if unmet >= 0.5:
        rest = folk(
            unmet,
            "",
            "if people go on to the next with room, {people} finds none.",
            "if people go on to the next with room, {people} find none.",
        )
    full = tn(
        len(over),
        "{n} centre has more people than room; {rest}",
        "{n} centres have more people than room; {rest}",
        rest=rest,
    )
    return f"{text} {full}"


def three_readings(document: StressDocument) -> str:
    """How much depends on who is told where to go; "" without capacities."""
    sent, room = document.sent, document.with_room
    if sent is None or room is None or room.mean_min is None:
        return ""
    near, mid, told = document.after.mean_min, room.mean_min, sent.mean_min
    return t(
        "Average minutes, who has no place counted as out of reach: {near} if every centre took whoever is nearest, "
        "{mid} "
        "if people go on to the nearest with room ({without} without a place), {told} if the system sends them "
        "({unmet} "
        "without a place; {good}).",
        near=figures(f"{near:.1f}"),
        mid=figures(f"{mid:.1f}"),
        without=people(room.unmet + document.after.unreached),
        told=figures(f"{told:.1f}"),
        unmet=people(sent.unmet),
        good=_how_good(sent),
    )


def _how_good(sent: Sent) -> str:
    if sent.status == "optimal":
        return t("proven")
    return t("at most {gap} above the best", gap=percent_up(sent.gap))


def with_limits(sent: Sent | None, opens: bool) -> str:
    """What to open or bring back where room is limited; "" where that was not asked."""
    if sent is None:
        return ""
    listed = words.joined(sent.opened_names)
    first = t("Bring back first where room is limited: {sites}.", sites=listed)
    if opens:
        first = t("Open first where room is limited: {sites}.", sites=listed)
    left = capital(
        folk(
            sent.unmet,
            "nobody is then without a place, the average is {average} minutes; {good}.",
            "{people} is then without a place, the average is {average} minutes; {good}.",
            "{people} are then without a place, the average is {average} minutes; {good}.",
            average=minutes(sent.mean_min),
            good=_how_good(sent),
        )
    )
    return f"{first} {left}"


def proof(replan: Replan, opens: bool) -> str:
    """How good the order and the best set are; what is proven is said of the set alone."""
    n, gap = replan.number, percent_up(replan.gap)
    if n == replan.pool:
        return (
            t("All {n} that can be opened.", n=bare(n)) if opens else t("All {n} that can be brought back.", n=bare(n))
        )
    other = (
        tn(n, "{n} site opened", "{n} sites opened")
        if opens
        else tn(n, "{n} site brought back", "{n} sites brought back")
    )
    if replan.order_value > replan.value * (1 + 1e-9):
        said = {
            "best": t("; ").join(replan.best_names),
            "hours": words.hours(replan.order_value - replan.value),
            "other": other,
        }
        if replan.status == "optimal":
            return t(
                "Together, {best} would save {hours} hours more; no other {other} would help more: proven.", **said
            )
        return t(
            "Together, {best} would save {hours} hours more; no other {other} can do better than these by more than "
            "{gap}.",
            gap=gap,
            **said,
        )
    if replan.status == "optimal":
        return t("No other {other} would help more: proven.", other=other)
    return t("No other {other} can do better than these by more than {gap}.", other=other, gap=gap)


def summary(document: StressDocument, plan: PlanDocument) -> list[str]:
    """The few lines that a command line prints."""
    lines = [f"{document.study}: {happening(document.asked)}", headline(document, plan), taking_over(document)]
    if said := touches_nothing(document.asked):
        lines.insert(1, said)
    for found, opens in ((document.reopen, False), (document.open, True)):
        if found is None:
            continue
        steps = words.joined(
            t("{n}. {name}", n=bare(place), name=step.name) for place, step in enumerate(found.steps, 1)
        )
        first = t("Open first: {steps}.", steps=steps) if opens else t("Bring back first: {steps}.", steps=steps)
        lines.append(f"{first} {proof(found, opens)}")
    found_sent = (with_limits(document.reopen_sent, False), with_limits(document.open_sent, True))
    lines += [line for line in (three_readings(document), *found_sent) if line]
    names = names_of(document)
    if document.random is not None:
        lines.append(at_random(document.random, plan))
    if document.worst is not None:
        lines.append(worst(document.worst, names))
    if document.harden is not None:
        lines.append(hardened(document.harden, names))
    if document.stock is not None:
        lines += [stocked(document.stock.expected, names, worst=False)]
        lines += [stocked(document.stock.worst, names, worst=True)]
    return lines


def at_random(found: RandomLosses, plan: PlanDocument) -> str:
    """What a random loss costs."""
    cut = found.cut_off
    said = {
        "lose": tn(found.number, "{n} more centre lost at random", "{n} more centres lost at random"),
        "trip": words.trip(plan),
        "average": minutes(found.mean_min.exact_mean),
        "cut": folk(cut.exact_mean, "nobody is cut off", "{people} is cut off", "{people} are cut off"),
    }
    if found.exact and found.draws == 1:
        return t(
            "With {lose}, the average {trip} is {average} minutes and {cut}: no other set is left to lose.", **said
        )
    return t(
        "With {lose}, the average {trip} is {average} minutes and {cut}, on average over all sets; in {share} of "
        "{sets} "
        "{low} to {high} people, at most {most}.",
        share=figures(f"95{words.THIN}%"),
        sets=drawn(found),
        low=about(cut.low),
        high=about(cut.high),
        most=about(cut.most),
        **said,
    )


def drawn(found: RandomLosses) -> str:
    """How many sets were looked at."""
    n = figures(f"{found.draws:,}")
    return t("all {n} sets", n=n) if found.exact else t("{n} draws", n=n)


def listed(ids: Sequence[str], names: Mapping[str, str]) -> str:
    """Names of sites, joined."""
    return words.joined(names.get(site, site) for site in ids) or t("none")


def worst(found: WorstLoss, names: Mapping[str, str]) -> str:
    """The worst loss and its proof."""
    start = tn(
        found.number,
        "The worst {n} centre to lose: {sites}; {cut}.",
        "The worst {n} centres to lose: {sites}; {cut}.",
        sites=listed(found.sites, names),
        cut=folk(found.cut_off, "nobody more is cut off", "{people} more is cut off", "{people} more are cut off"),
    )
    if found.status == "optimal":
        rest = t("No other loss of as many costs more: proven.")
        if found.sent is not None:
            rest = t("No other loss of as many costs more for centres without limits on room: proven.")
    else:
        gap = percent_up(found.gap)
        rest = t("No other loss of as many costs more than {gap} above it.", gap=gap)
        if found.sent is not None:
            rest = t(
                "No other loss of as many costs more for centres without limits on room than {gap} above it.", gap=gap
            )
    return " ".join([start, rest, *([] if found.sent is None else [_worst_with_room(found.sent)])])


def _worst_with_room(sent: Sent) -> str:
    but = "" if sent.status == "optimal" else t(", but for {gap}", gap=percent_up(sent.gap))
    return folk(
        sent.unmet,
        "With limited room nobody has no place after it and the average is {average} minutes as the system sends "
        "people; "
        "the worst loss is then at least as bad{but}.",
        "With limited room {people} has no place after it and the average is {average} minutes as the system sends "
        "people; the worst loss is then at least as bad{but}.",
        "With limited room {people} have no place after it and the average is {average} minutes as the system sends "
        "people; the worst loss is then at least as bad{but}.",
        average=minutes(sent.mean_min),
        but=but,
    )


def hardened(found: Hardened, names: Mapping[str, str]) -> str:
    """What to make safe, and its proof."""
    left = found.loss_person_min / found.unprotected_person_min if found.unprotected_person_min > 0 else 1.0
    start = tn(
        found.against,
        "Make safe: {sites}. The worst loss of {n} other then costs {share} of what it costs now.",
        "Make safe: {sites}. The worst loss of {n} others then costs {share} of what it costs now.",
        sites=listed(found.sites, names),
        share=words.percent(left),
    )
    if found.status == "optimal":
        return f"{start} {t('No other choice leaves less: proven.')}"
    return f"{start} {t('Another choice could leave at most {gap} less.', gap=percent_up(found.gap))}"


def stocked(found: StockPlan, names: Mapping[str, str], worst: bool) -> str:
    """Where to keep stock, and its proof."""
    sites = listed(found.sites, names)
    start = t("Keep stock, best on average: {sites}.", sites=sites)
    if worst:
        start = t("Keep stock, best in the worst scenario: {sites}.", sites=sites)
    if found.status == "optimal":
        return f"{start} {t('No other choice is better: proven.')}"
    return f"{start} {t('No other choice is better by more than {gap}.', gap=percent_up(found.gap))}"


def reading(document: StressDocument, plan: PlanDocument, side: str) -> str:
    """The sentence under the map of one side."""
    access = document.before if side == "before" else document.after
    near = words.near_min(plan)
    share = access.within.get(f"{near:g}", 0.0)
    said = {
        "share": words.percent(share),
        "go": words.go(plan),
        "near": bare(near),
        "rest": words.reach(access.unreached),
        "average": minutes(access.mean_min),
    }
    if side == "before":
        return t(
            "Before {share} of people {go} {near} minutes or less to a centre; {rest}. On average {average} minutes.",
            **said,
        )
    return t(
        "Then {share} of people {go} {near} minutes or less to a centre; {rest}. On average {average} minutes.", **said
    )
