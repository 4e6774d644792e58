"""Sections of ``stress.html`` below the maps: what is told, and tables in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from nearer.language import figures, t, tn, told
from nearer.planning.document import PlanDocument
from nearer.planning.stress_document import RandomLosses, Spread, Stock, StressDocument, WorstLoss
from nearer.report import stress_words, words
from nearer.report.words import minutes, minutes_pair, whole

_LONGEST = 15
"""Rows of a table; the rest is in ``stress.json``."""


@dataclass(frozen=True)
class Table:
    """A table in words: columns whose position is in ``text`` run left, the others hold numbers."""

    name: str
    heads: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    more: str = ""
    text: tuple[int, ...] = (0,)


@dataclass(frozen=True)
class Section:
    """A section of the page."""

    title: str
    texts: list[str] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    proof: str = ""


def sections(document: StressDocument, plan: PlanDocument, names: Mapping[str, str]) -> list[Section]:
    """Every section that has something to tell; ``names`` are those of all sites by id."""
    found = [_who(document), _taking_over(document), _first(document, names)]
    if document.critical:
        found.append(_critical(document))
    if document.random is not None or document.worst is not None or document.harden is not None:
        found.append(_worse(document, plan))
    if document.stock is not None:
        found.append(_stock(document.stock, stress_words.names_of(document)))
    return found


def _who(document: StressDocument) -> Section:
    """Who is cut off: groups, areas, places."""
    before, after = document.before, document.after
    rows = [
        (
            t("Everyone"),
            whole(after.people),
            *minutes_pair(before.mean_min, after.mean_min),
            whole(before.unreached),
            whole(after.unreached),
            whole(document.cut_off),
        )
    ]
    rows += [
        (
            name.replace("_", " "),
            whole(after.groups[name].people),
            *minutes_pair(was.mean_min, after.groups[name].mean_min),
            whole(was.unreached),
            whole(after.groups[name].unreached),
            whole(document.cut_off_groups.get(name, 0.0)),
        )
        for name, was in before.groups.items()
        if name in after.groups
    ]
    heads = (
        t("Group"),
        t("People"),
        t("Minutes before"),
        t("Then"),
        t("Out of reach before"),
        t("Then"),
        t("Cut off"),
    )
    hit = [area for area in document.areas if area.longer > 0]
    areas = [
        (
            area.name,
            whole(area.people),
            *minutes_pair(area.before_mean_min, area.after_mean_min),
            whole(area.longer),
            whole(area.cut_off),
        )
        for area in hit[:_LONGEST]
    ]
    more = ""
    if len(hit) > _LONGEST:
        more = tn(len(hit) - _LONGEST, "{n} more area in stress.json", "{n} more areas in stress.json")
    names = stress_words.names_of(document)
    places = [
        (
            place.name,
            whole(place.people),
            whole(place.unreached),
            minutes(place.minutes),
            names.get(place.nearest_site or "", words.NONE),
        )
        for place in document.places
    ]
    return Section(
        t("Who is cut off"),
        [stress_words.longer(document)],
        [
            Table(t("By group"), heads, rows, t("groups may overlap") if len(rows) > 2 else ""),
            Table(
                t("Areas"),
                (
                    t("Area"),
                    t("People"),
                    t("Minutes before"),
                    t("Then"),
                    t("Walk longer, people"),
                    t("Cut off, people"),
                ),
                areas,
                more,
            ),
            Table(
                t("Places hit hardest"),
                (t("Place"), t("People now far"), t("Out of reach"), t("Minutes"), t("Nearest centre then")),
                places,
                t("people whose walk becomes longer and too long, neighbours joined"),
                (0, 4),
            ),
        ],
    )


def _taking_over(document: StressDocument) -> Section:
    names = stress_words.names_of(document)
    changed = [
        site
        for site in document.sites
        if site.out or site.over > 0.5 or abs(site.people_after - site.people_before) > 0.5
    ]
    changed.sort(key=lambda site: (site.out is None, -site.over, -site.arriving, site.id))
    known = document.capacity == "given"
    heads = (t("Centre"), "", t("People before"), t("Then"), t("Newly arriving")) + (
        (t("Room for"), t("Too many"), t("Served"), t("Sent")) if known else ()
    )
    rows = [
        (
            names[site.id],
            t("out of service") if site.out == "outage" else t("in the hazard") if site.out else "",
            whole(site.people_before),
            whole(site.people_after),
            whole(site.arriving),
            *(
                (
                    words.NONE if site.capacity is None else whole(site.capacity),
                    whole(site.over) if site.over > 0.5 else words.NONE,
                    words.NONE if site.people_with_room is None else whole(site.people_with_room),
                    words.NONE if site.people_sent is None else whole(site.people_sent),
                )
                if known
                else ()
            ),
        )
        for site in changed[:_LONGEST]
    ]
    moved = [
        (
            names.get(flow.from_ or "", t("out of reach")),
            names.get(flow.to or "", t("out of reach")),
            whole(flow.people),
            words.NONE if flow.minutes_more is None else minutes(flow.minutes_more),
        )
        for flow in document.flows
        if flow.people >= 0.5
    ][:_LONGEST]
    texts = [stress_words.taking_over(document)]
    if document.with_room is not None and document.with_room.unmet_areas:
        worst = list(document.with_room.unmet_areas.items())[:3]
        there = [t("{people} in {name}", people=words.people(n), name=name) for name, n in worst]
        texts.append(t("No room: {there}.", there=words.joined(there)))
    if said := stress_words.three_readings(document):
        texts.append(said)
    left = t("{n} more in stress.json", n=words.bare(len(changed) - _LONGEST)) if len(changed) > _LONGEST else ""
    return Section(
        t("Who takes over"),
        texts,
        [
            Table(
                t("Centres whose people change, or that have too many") if known else t("Centres whose people change"),
                heads,
                rows,
                left,
                (0, 1),
            ),
            Table(
                t("Who goes where instead"),
                (t("From"), t("To"), t("People"), t("Minutes more")),
                moved,
                t("staff and stock have to follow them"),
                (0, 1),
            ),
        ],
    )


def _first(document: StressDocument, names: Mapping[str, str]) -> Section:
    texts, tables = [], []
    for found, opens in ((document.reopen, False), (document.open, True)):
        if found is None:
            continue
        name = t("Open first") if opens else t("Bring back first")
        texts.append(t("{name}: {proof}", name=name, proof=stress_words.proof(found, opens)))
        tables.append(
            Table(
                name,
                (t("Place"), "", t("Saves, hours"), t("Back within reach, people")),
                [
                    (
                        t("{n}. {name}", n=words.bare(place), name=names.get(step.id, step.name)),
                        step.id,
                        words.hours(step.gain_person_min),
                        whole(step.people_back),
                    )
                    for place, step in enumerate(found.steps, 1)
                ],
                t("the best next one each time; hours of everyone together, each going once"),
                (0, 1),
            )
        )
    for sent, opens in ((document.reopen_sent, False), (document.open_sent, True)):
        if said := stress_words.with_limits(sent, opens):
            texts.append(said)
    if document.moves:
        tables.append(
            Table(
                t("Move"),
                (t("From"), t("To"), t("Saves, hours")),
                [(names[move.from_], names[move.to], words.hours(move.gain_person_min)) for move in document.moves],
                t("centres in service that would help more elsewhere; the best single move each time"),
                (0, 1),
            )
        )
    if not tables:
        texts.append(t("No site is left that could be opened, brought back or moved."))
    return Section(t("What to do first"), texts, tables)


def _critical(document: StressDocument) -> Section:
    names = stress_words.names_of(document)
    rows = [
        (names.get(site.id, site.name), words.hours(site.loss_person_min), whole(site.cut_off))
        for site in document.critical[:_LONGEST]
    ]
    return Section(
        t("What must not fail next"),
        [t("What it would cost if one more centre were lost, dearest first.")],
        [Table(t("Centres"), (t("Centre"), t("Costs, hours"), t("Cut off, people")), rows)],
    )


def _worse(document: StressDocument, plan: PlanDocument) -> Section:
    """Losses that nobody named."""
    names = stress_words.names_of(document)
    texts, tables = [], []
    if document.random is not None:
        texts.append(stress_words.at_random(document.random, plan))
        tables.append(_draws(document.random, plan))
    if document.worst is not None:
        texts.append(stress_words.worst(document.worst, names))
    if document.harden is not None:
        texts.append(stress_words.hardened(document.harden, names))
    rows = []
    for found, label in ((document.worst, t("worst to lose")), (document.harden, t("worst that remains"))):
        if found is not None:
            sites = found.sites if isinstance(found, WorstLoss) else found.worst
            rows.append((label, stress_words.listed(sites, names), words.hours(found.loss_person_min)))
    if document.harden is not None:
        safe = stress_words.listed(document.harden.sites, names)
        rows.insert(len(rows) - 1, (t("made safe"), safe, ""))
    tables.append(Table(t("Centres"), ("", t("Which"), t("Costs, hours")), rows, "", (0, 1)))
    return Section(t("If more were lost"), texts, tables)


def _draws(found: RandomLosses, plan: PlanDocument) -> Table:
    def row(name: str, spread: Spread, text: Callable[[float], str]) -> tuple[str, ...]:
        error = figures("0") if found.exact else figures(f"{spread.standard_error:.2g}")
        return (
            name,
            text(spread.exact_mean),
            text(spread.mean),
            error,
            text(spread.low),
            text(spread.median),
            text(spread.high),
            text(spread.most),
        )

    near = words.bare(words.near_min(plan))
    return Table(
        tn(
            found.number,
            "{n} more centre of {of} lost at random",
            "{n} more centres of {of} lost at random",
            of=words.bare(found.of),
        ),
        (
            "",
            t("Mean of all sets"),
            t("Mean seen"),
            t("± (standard error)"),
            t("2.5 % below"),
            t("Median"),
            t("2.5 % above"),
            t("Most"),
        ),
        [
            row(t("Average {trip}, minutes", trip=words.trip(plan)), found.mean_min, lambda x: figures(f"{x:.2f}")),
            row(t("Cut off, people"), found.cut_off, whole),
            row(t("Farther than {near} minutes, people", near=near), found.far, whole),
        ],
        stress_words.drawn(found),
    )


def _stock(found: Stock, names: Mapping[str, str]) -> Section:
    """Where to keep reserve stock."""
    rows = [
        (name, stress_words.listed(one.sites, names), words.hours(one.expected), words.hours(one.worst))
        for name, one in ((t("Best on average"), found.expected), (t("Best in the worst scenario"), found.worst))
    ]
    scenarios = [
        (told(one.name), stress_words.listed(one.out, names), words.percent(one.probability)) for one in found.scenarios
    ]
    return Section(
        t("Where to keep reserve stock"),
        [
            stress_words.stocked(found.expected, names, worst=False),
            stress_words.stocked(found.worst, names, worst=True),
        ],
        [
            Table(
                tn(found.number, "Stock in {n} centre", "Stock in {n} centres"),
                ("", t("Centres"), t("Expected, hours"), t("Worst scenario, hours")),
                rows,
                t("hours of everyone together to the nearest stocked centre in service"),
                (0, 1),
            ),
            Table(t("Scenarios"), (t("Scenario"), t("Centres out"), t("Probability")), scenarios, "", (0, 1)),
        ],
    )
