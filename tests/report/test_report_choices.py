"""Reasons and other plans in words."""

from __future__ import annotations

import pytest

from nearer.planning.document import OtherPlan, OtherPlans, Otherwise
from nearer.report.choices import chosen_anew, cost
from nearer.report.plan_words import others
from nearer.report.words import THIN


def otherwise(least: float | None, most: float | None) -> Otherwise:
    return Otherwise(at_least_person_min=least, at_most_person_min=most, searched=False)


@pytest.mark.parametrize(
    ("least", "most", "said"),
    [(300, 300, "5.0"), (120, 300, "2.0 to 5.0"), (0, 300, "up to 5.0"), (-60, 300, "up to 5.0"), (None, None, "–")],
)
def test_a_cost_is_one_figure_or_two_or_a_limit(least: float | None, most: float | None, said: str) -> None:
    assert cost(otherwise(least, most)) == said or most is None


@pytest.mark.parametrize(
    ("replaced", "least", "most", "said"),
    [
        (300, 300, 300, ", whatever else is chosen"),
        (300, 60, 300, ""),
        (300, 120, 120, "; 2.0 with all chosen anew"),
        (300, 0, 120, "; up to 2.0 with all chosen anew"),
        (300, None, None, ""),
    ],
)
def test_a_loss_says_whether_choosing_all_anew_would_mend_more(
    replaced: float, least: float | None, most: float | None, said: str
) -> None:
    assert chosen_anew(replaced, otherwise(least, most)) == said


@pytest.mark.parametrize(
    ("plans", "no_more", "said"),
    [
        (2, False, f"2 other plans at most 1{THIN}% worse; each opens at least 5 sites that neither"),
        (1, True, "No further one exists."),
        (0, True, f"No other plan is at most 1{THIN}% worse where each opens"),
        (0, False, "was found in the time given"),
    ],
)
def test_what_was_found_of_other_plans_is_one_sentence(plans: int, no_more: bool, said: str) -> None:
    one = OtherPlan(value=1.0, bound=1.0, opens=[], closes=[])
    told = OtherPlans(count=3, differ=5, within=0.01, plans=[one] * plans, no_more=no_more, in_all=[])
    assert said in others(told)
