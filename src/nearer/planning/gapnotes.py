"""The standard and the rules in words, and what a reader should know of the method and its limits."""

from __future__ import annotations

from nearer.demand import Demand
from nearer.inputs.tables import Tables
from nearer.planning.gapdoc import Standard
from nearer.planning.sizing import SERVED


def rule(standard: Standard, n_given: int = 0) -> str:
    """The standard and the sizing rule in words."""
    people = f"{standard.people:,.0f}" if standard.people >= 10 else f"{standard.people:g}"
    whom = f"{people} {standard.group.replace('_', ' ') if standard.group else 'people'}"
    given = " (or as many as its capacity says)" if n_given else ""
    return (
        f"One centre for every {whom}{given} within {standard.minutes:g} minutes. "
        "A centre's places are shared among everybody in reach of it; a person lacks what the shares of all centres in "
        "reach leave below one place. "
        "An area calls for at least as many centres as the people who lack a place in it fill, and for no more than it "
        "takes to put one centre after the other where most of them live, each for those within reach of it, until "
        f"{100 * SERVED:.0f} % of them have a place."
    )


def gap_notes(tables: Tables, demand: Demand, standard: Standard, n_given: int, n_open: int) -> list[str]:
    """Sentences on the method, then those of the inputs."""
    found = [
        "Places in reach are measured by the two-step floating catchment (Luo & Wang 2003): what a centre offers is "
        "shared among everybody within reach of it, and each person adds up the shares of all centres in reach.",
    ]
    if standard.decay != "none":
        found.append("People farther away count less in a catchment, by thirds of its minutes (Luo & Qi 2009).")
    if n_given:
        found.append(f"{n_given} of the sites say for how many people they are; the others count as for "
                     f"{standard.people:,.0f}.")  # fmt: skip
    n_other = int((tables.sites.table["status"] == "other").sum())
    if n_other:
        found.append(f"{n_other} of the {n_open} open centres are other providers'; their places count too.")
    if standard.group is not None:
        found.append(f"Only the need of {standard.group.replace('_', ' ')} counts: places are shared among them alone.")
        if standard.group not in demand.class_names and len(demand.class_names) > 1:
            found.append(f"{standard.group.replace('_', ' ')} are taken to walk at everyone's speed.")
    found += [
        "Points with a shortfall that are neighbours are one gap; where crowds are farther apart than twice the reach "
        "of a centre, the ground between them is divided.",
        "What would mend a gap shares its places with everybody in reach of it, so that one new centre may help a "
        "neighbouring gap as well; each gap is judged alone.",
        "Sizing measures reach in straight lines, as far as the minutes of the standard usually carry people here, and "
        "asks only for ground, not for a building.",
    ]
    return [*found, *tables.notes, *tables.people.notes, *tables.sites.notes]
