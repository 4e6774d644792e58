"""Sentences claim what the figures carry, and no more."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nearer.planning.document import Objective, PhasePlan, PlanDocument, Snapping
from nearer.planning.plan import Plan
from nearer.report import plan_words, summary_text, words
from nearer.report.stages import phase_lines


def number(text: str) -> float:
    return float(text.replace(words.THIN, "").replace("%", "").replace(",", ""))


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0.0"), (7.44, "7.4"), (9.94, "9.9"), (9.96, "10"), (13.1, "13"), (1234.0, "1,234"),
     (None, "–"), (math.nan, "–")],
)  # fmt: skip
def test_minutes_have_one_decimal_under_ten_and_none_above(value: float | None, text: str) -> None:
    assert words.minutes(value) == text


def test_minutes_that_are_compared_have_the_same_decimals() -> None:
    assert words.minutes_pair(13.1, 7.4) == ("13.1", "7.4")
    assert words.minutes_pair(30.45, 10.68) == ("30", "11")
    assert words.minutes_pair(None, 7.4) == ("–", "7.4")


@pytest.mark.parametrize(("value", "text"), [(61_234, "61,200"), (999, "999"), (0, "0"), (1_234_567, "1,230,000")])
def test_prose_keeps_three_figures_of_a_count(value: float, text: str) -> None:
    assert words.about(value) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [(1.0, "100%"), (0.99996, "99.9%"), (0.0, "0%"), (0.0004, "under 1%"), (0.004, "0.4%"), (0.626, "63%")],
)
def test_everyone_and_nobody_are_said_only_when_true(share: float, text: str) -> None:
    assert words.percent(share).replace(words.THIN, "") == text


@given(st.floats(1e-9, 2.0))
def test_no_more_than_is_never_less_than_the_gap(gap: float) -> None:
    assert number(words.percent_up(gap)) >= 100 * gap * (1 - 1e-5)


@given(st.floats(0.0, 1.0))
def test_at_least_is_never_more_than_what_is_reached(share: float) -> None:
    assert number(words.percent_down(share)) <= 100 * share * (1 + 1e-8)


def test_the_headline_says_what_the_document_holds(plan: Plan) -> None:
    document = plan.document
    was, now = words.minutes_pair(document.measures.before.mean_min, document.measures.after.mean_min)
    more = (
        document.measures.after.within["15"] - document.measures.before.within["15"]
    ) * document.measures.after.people
    assert plan_words.headline(document) == (
        f"With 4 new centres the average walk falls from {was} to {now} minutes; "
        f"{words.about(more)} more people live within 15 minutes."
    )


def test_a_gap_is_told_with_both_its_readings(plan: Plan) -> None:
    document = plan.document.model_copy(update={"gap": 0.0002, "gain_gap": 0.001, "opened": 98, "status": "gap"})
    expected = (
        "No choice of 98 sites can do better by more than 0.02 %; of the possible gain at least 99.9 % is reached."
    )
    assert plan_words.proof(document).replace(words.THIN, " ") == expected


def test_a_proven_plan_says_so(build: Callable[..., Plan]) -> None:
    assert plan_words.proof(build(status="optimal").document) == "No other choice of 4 sites is better: proven."


def test_a_run_that_was_stopped_says_so(build: Callable[..., Plan]) -> None:
    assert "stopped early" in plan_words.proof(build(status="feasible").document)


@pytest.mark.parametrize("status", ["infeasible", "unknown"])
def test_no_plan_makes_no_claim(plan: Plan, status: str) -> None:
    document = plan.document.model_copy(update={"status": status})
    assert not any(sign.isdigit() for sign in plan_words.headline(document) + plan_words.proof(document))


def test_optimal_is_never_said_of_a_plan_that_is_not(any_plan: Plan) -> None:
    text = summary_text(any_plan).lower()
    assert "optim" not in text
    assert ("proven" in text) == (any_plan.document.status == "optimal")


def test_nobody_out_of_reach_is_said_in_words(build: Callable[..., Plan]) -> None:
    document = build(spread=1.0, n_existing=8, cell_m=100.0).document
    assert plan_words.out_of_reach(document) == "Nobody is out of reach."


def test_one_centre_and_one_person_are_singular() -> None:
    assert words.count(1, "new centre") == "1 new centre"
    assert words.people(1.0) == "1 person"
    assert words.people(0.0) == "nobody"
    assert words.people(0.3) == "fewer than one person"


def test_the_area_that_gains_most_is_named(plan: Plan) -> None:
    best = max(plan.document.areas, key=lambda area: (area.after_within - area.before_within) * area.people)
    text = plan_words.reading_area(plan.document)
    assert best.name in text
    assert words.about(best.after_within * best.people) in text


def test_the_summary_is_four_lines_and_one_on_whom_no_plan_can_help(any_plan: Plan) -> None:
    lines = summary_text(any_plan).splitlines()
    beyond = any_plan.document.measures.after.unreachable_from_any_site >= 0.5
    assert len(lines) == 4 + beyond
    assert any("every existing and possible site" in line for line in lines) == beyond


def test_people_without_a_street_are_told_apart_from_people_far_away(plan: Plan) -> None:
    measures = plan.document.measures
    after = measures.after.model_copy(update={"unreachable_from_any_site": 420.0})
    joined = Snapping(points=9, joined=5, median_m=1.0, farthest_m=2.0, cap_m=500.0, unjoined=[], unjoined_people=400.0)
    given = {"measures": measures.model_copy(update={"after": after}), "snapping": {"people": joined}}
    document = plan.document.model_copy(update=given)
    reach = f"{words.people(420.0)} are out of reach of every existing and possible site"
    assert plan_words.cut_off(document) == f"{reach}; {words.people(400.0)} live over 500 m from any street."
    assert plan_words.cut_off(document.model_copy(update={"snapping": {}})) == f"{reach}."


def test_group_weights_and_modes_are_told(plan: Plan) -> None:
    settings = {**plan.document.settings, "streets": {"mode": "bike"}}
    settings["plan"] = {**settings["plan"], "group_weights": {"children": 2.0}}
    document = plan.document.model_copy(update={"settings": settings})
    assert "bike ride" in plan_words.headline(document)
    assert any("children count 2 times" in line for line in plan_words.method(document))


def staged(plan: Plan, objective: Objective, phases: list[dict[str, Any]], **more: Any) -> PlanDocument:
    """The plan as if made in phases of one year."""
    same = {"years": 1.0, "counted": 1.0, "people": 100.0, "opened": [], "upgraded": [], "closed": [], "centres": 3}
    same |= {"spent": 0.0, "running": 0.0, "mean_min": 8.0, "mean_nearest_min": 8.0, "mean_room_min": 8.0}
    same |= {"unmet": 0.0, "unmet_room": 0.0, "value": 600.0}
    found = [PhasePlan(name=f"year {at}", **(same | phase)) for at, phase in enumerate(phases, start=1)]
    return plan.document.model_copy(update={"objective": objective, "phases": found, "objectives": [], **more})


def test_the_answer_says_when_there_is_no_room_for_the_people_whose_walk_it_tells(plan: Plan) -> None:
    travel = Objective(name="travel", value=1200.0, unit="person-minutes")
    full = staged(plan, travel, [{}, {"mean_min": 37.2, "unmet": 5260.0}])
    said = plan_words.room(full)
    for part in ("year 2", "37.2 minutes", "5,260 people have no place within reach"):
        assert part in said
    assert said in plan_words.summary(full)
    assert plan_words.room(staged(plan, travel, [{}, {"unmet": 20.0}])) == ""  # they live too far: room changes nothing
    assert plan_words.room(plan.document) == ""


def test_what_joint_planning_brings_is_told_in_the_unit_of_the_objective_and_its_direction(plan: Plan) -> None:
    alone = {"alone_value": 600.0, "alone_bound": 600.0, "greedy_value": 500.0}
    covered = Objective(name="coverage", value=1200.0, unit="people")
    lines = phase_lines(staged(plan, covered, [alone, alone], greedy_value=1000.0))
    assert lines[-1].startswith("Planned together the phases bring 200 more people within")
    assert f"20{words.THIN}%" in lines[-1]
    travel = Objective(name="travel", value=1200.0, unit="person-minutes")
    lines = phase_lines(staged(plan, travel, [alone, alone], greedy_value=1800.0))
    assert "save 10 person-hours" in lines[-1]  # 600 minutes
    never = {**alone, "greedy_value": None}
    assert "cannot keep the rules" in phase_lines(staged(plan, travel, [never, never], greedy_value=None))[-1]
    hasty = staged(plan, travel, [never, never], greedy_value=None, compared=False)
    assert "no time to compare" in phase_lines(hasty)[-1]


@pytest.mark.parametrize(
    ("name", "unit", "said"),
    [("travel", "person-minutes", "everyone's walk"), ("coverage", "people", "most people within"),
     ("equal", "minutes", "Kolm-Pollak"), ("cost", "money", "as little money"), ("cost", "centres", "as few centres")],
)  # fmt: skip
def test_the_method_names_what_phases_were_planned_for(plan: Plan, name: str, unit: str, said: str) -> None:
    document = staged(plan, Objective(name=name, value=1.0, unit=unit), [{}, {}])
    assert said in plan_words.method(document)[0]
    assert ("everyone's walk" in plan_words.method(document)[0]) == (name == "travel")


def test_a_plan_that_opens_nothing_within_rules_is_still_judged(plan: Plan) -> None:
    travel = Objective(name="travel", value=1200.0, unit="person-minutes")
    idle = staged(plan, travel, [{}], opened=0, status="optimal")
    assert plan_words.proof(idle) == "No other plan that keeps the rules is better: proven."


def test_out_of_reach_is_not_told_as_far_where_it_is_for_want_of_a_street(plan: Plan) -> None:
    lost = Snapping(points=9, joined=7, median_m=5.0, farthest_m=90.0, cap_m=500.0, unjoined=[], unjoined_people=40.0)
    document = plan.document.model_copy(update={"snapping": {"people": lost}})
    assert plan_words.farther(document).endswith("or over 500 m from any street")
    assert "street" not in plan_words.farther(plan.document.model_copy(update={"snapping": {}}))


def test_sites_of_one_name_are_told_apart_by_area_else_by_id() -> None:
    sites = [
        ("a", "Library", "North"),
        ("b", "Library", "South"),
        ("c", "Hall", None),
        ("d", "Hall", None),
        ("e", "", ""),
    ]
    found = words.told_apart([*sites, ("f", "School", "North")])
    assert list(found.values()) == ["Library (North)", "Library (South)", "Hall (c)", "Hall (d)", "e", "School"]
