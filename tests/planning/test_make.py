"""The plan of five points, against numbers worked out by hand."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from nearer.planning.make import gain_gap
from nearer.planning.plan import Plan

# before: 100·4, 40·12, 50·28 (the mission), 30 and 5 out of reach at 60
BEFORE = 400 + 480 + 1400 + 1800 + 300
# after, with school and church: 100·4, 40·2, 50·3, 30·8, 5 out of reach
AFTER = 400 + 80 + 150 + 240 + 300


def test_values_are_in_person_minutes(plan: Plan) -> None:
    document = plan.document
    assert document.objective.value == AFTER
    assert document.before_value == BEFORE
    assert document.bound == pytest.approx(0.9 * AFTER)
    assert document.gap == pytest.approx(0.1)
    assert document.gain_gap == pytest.approx(0.1 * AFTER / (BEFORE - 0.9 * AFTER))


def test_gain_gap_is_zero_where_nothing_is_open_to_doubt() -> None:
    assert gain_gap(5.0, 5.0, 5.0) == 0.0
    assert gain_gap(5.0, 4.0, 6.0) == 0.5


def test_measures_count_all_people(plan: Plan) -> None:
    before, after = plan.measures.before, plan.measures.after
    assert before.people == 225.0
    assert before.mean_min == pytest.approx(BEFORE / 225)
    assert after.mean_min == pytest.approx(AFTER / 225)
    assert before.mean_min_reached == pytest.approx((400 + 480 + 1400) / 190)
    assert after.mean_min_reached == pytest.approx((AFTER - 300) / 220)
    assert before.unreached == 35.0
    assert after.unreached == 5.0
    assert after.unreachable_from_any_site == before.unreachable_from_any_site == 5.0
    assert before.farthest_min == 28.0
    assert after.farthest_min == 8.0
    assert list(after.within) == ["5", "10", "15", "20", "30"]
    assert [before.within[m] * 225 for m in before.within] == pytest.approx([100, 100, 140, 140, 190])
    assert after.within["5"] * 225 == pytest.approx(190)


def test_groups_are_measured_where_they_live(plan: Plan) -> None:
    children = plan.measures.after.groups["children"]
    assert children.people == 51.0
    assert children.mean_min == pytest.approx((10 * 4 + 10 * 2 + 30 * 8 + 60) / 51)
    assert children.unreached == 1.0


def test_a_group_with_its_own_speed_has_its_own_times(town: SimpleNamespace) -> None:
    slow = town.times(
        [[None if t is None else 2 * t for t in row] for row in [[4, None, 10, None, None], *[[None] * 5] * 4]]
    )
    plan = town.plan_of([2, 3], own_speed=("children",), class_times=[town.times(), slow])
    children = plan.measures.after.groups["children"]
    assert children.farthest_min == 8.0
    assert children.unreached == 41.0
    assert plan.measures.after.unreached == 41.0 + 4.0
    assert plan.measures.after.mean_min == pytest.approx((AFTER + 10 * 4 - 20 - 240 + 40 * 60) / 225)
    # of the 100 at the first point, 10 children take 8 minutes
    assert plan.people["minutes_after"][0] == pytest.approx((90 * 4 + 10 * 8) / 100)
    assert plan.people["minutes_after"][3:].isna().all()
    assert "Walking speeds of their own are used for: children." in plan.document.notes


def test_weights_change_the_value_and_not_the_measures(plan: Plan, town: SimpleNamespace) -> None:
    heavy = town.plan_of([2, 3], weights={"children": 2.0})
    assert heavy.document.objective.value == AFTER + 40 + 20 + 240 + 60
    assert heavy.measures == plan.measures


def test_sites_of_other_providers_count_but_are_not_ours(plan: Plan) -> None:
    assert [site.id for site in plan.document.sites] == ["hall", "church", "school"]
    assert plan.sites.loc[plan.sites["id"] == "mission", "status"].item() == "other"
    assert any("1 site of another provider" in note for note in plan.document.notes)


def test_opened_sites_stand_in_order_of_gain(plan: Plan) -> None:
    hall, church, school = plan.document.sites
    assert (hall.status, hall.order, hall.gain_person_min) == ("existing", None, None)
    # the church first: 50·(28−3) + 30·(60−8) = 2810, more than the school's 40·10 + 50·16 + 30·38 = 2340
    assert (church.status, church.order, church.gain_person_min) == ("opened", 1, 2810.0)
    assert (school.order, school.gain_person_min) == (2, 400.0)
    # without the church: 50·(12−3) + 30·(22−8)
    assert church.loss_person_min == 450 + 420
    assert church.people_nearer == 80.0
    # the club in its place: 50·(9−3) more, 30·(8−2) less
    assert (church.replacement, church.replaced_loss_person_min) == ("club", 300.0 - 180.0)
    # instead of the school: the club saves the last 30 people 6 minutes beside the church
    assert (school.loss_person_min, school.replacement, school.replaced_loss_person_min) == (400.0, "club", 400.0 - 180)
    assert [site.people for site in plan.document.sites] == [100.0, 80.0, 40.0]


def test_sites_carry_area_and_agency(plan: Plan) -> None:
    hall, church, school = plan.document.sites
    assert (hall.agency, church.agency, school.agency) == ("city", None, "city")
    assert (hall.area, church.area) == ("West", "East")


def test_frames_hold_every_site_and_point(plan: Plan) -> None:
    sites, people = plan.sites, plan.people
    assert list(sites["status"]) == ["existing", "other", "opened", "opened", "candidate"]
    assert list(sites["order"].astype(object).fillna(0)) == [0, 0, 2, 1, 0]
    assert list(sites["people_given"]) == [1, 2, 3, 4, 5]
    assert str(sites.crs) == "EPSG:4326"
    assert list(people["minutes_after"][:4]) == [4.0, 2.0, 3.0, 8.0]
    assert np.isnan(people["minutes_after"][4])
    assert list(people["site_before"]) == ["hall", "hall", "mission", "", ""]
    assert list(people["site_after"]) == ["hall", "school", "church", "church", ""]


def test_areas_sum_their_people(plan: Plan) -> None:
    east, west = plan.document.areas
    assert (east.name, west.name) == ("East", "West")
    assert (east.people, west.people) == (80.0, 140.0)
    assert east.before_mean_min == pytest.approx((50 * 28 + 30 * 60) / 80)
    assert east.after_mean_min == pytest.approx((150 + 240) / 80)
    assert (east.before_unreached, east.after_unreached) == (30.0, 0.0)
    assert (west.before_within, east.after_within) == (1.0, 1.0)


def test_curve_ends_at_the_limit_and_agrees_with_the_measures(plan: Plan) -> None:
    curve = plan.document.curve
    assert (curve.minutes[0], curve.minutes[-1], len(curve.minutes)) == (0.0, 30.0, 61)
    assert curve.before[-1] == pytest.approx(190 / 225)
    for minutes in ("5", "15"):
        at = curve.minutes.index(float(minutes))
        assert curve.after[at] == pytest.approx(plan.measures.after.within[minutes])
        assert curve.groups["children"]["after"][at] == pytest.approx(
            plan.measures.after.groups["children"].within[minutes]
        )


def test_people_cut_off_remain_as_a_far_place(plan: Plan) -> None:
    (place,) = plan.document.far
    assert (place.people, place.minutes, place.nearest_site, place.mend) == (5.0, None, None, None)


def test_a_far_place_names_the_candidate_that_would_help(town: SimpleNamespace) -> None:
    plan = town.plan_of([2])
    cut_off, place = plan.document.far
    # 5 people × (60 − 15) minutes come before 30 × (22 − 15)
    assert (cut_off.name, cut_off.people) == ("near Church", 5.0)
    # the last 30 people walk 22 minutes to the school; the club is 2 minutes away
    assert (place.name, place.people, place.minutes) == ("East, Church", 30.0, 22.0)
    assert (place.nearest_site, place.mend, place.mend_minutes) == ("school", "club", 2.0)
    assert (cut_off.unreached, place.unreached, place.mend_unreached) == (5.0, 0.0, 0.0)


def test_a_candidate_is_judged_by_the_people_who_reach_something_already(town: SimpleNamespace) -> None:
    # 50 people walk 28 minutes to the mission and 30 beside them reach nothing; the church is 3 and 8 minutes away
    place = town.plan_of([]).document.far[0]
    assert (place.people, place.minutes, place.unreached) == (80.0, 28.0, 30.0)
    assert (place.mend, place.mend_minutes, place.mend_unreached) == ("church", 3.0, 0.0)


def test_an_excluded_candidate_stays_a_candidate(town: SimpleNamespace) -> None:
    read = town.tables()
    read.sites.table.loc[4, "excluded"] = True
    plan = town.plan_of([2, 3], tables=read)
    assert plan.sites.loc[4, "status"] == "candidate"
    assert plan.sites.loc[4, "excluded"]


def test_the_same_inputs_make_the_same_bytes(town: SimpleNamespace) -> None:
    assert town.plan_of([2, 3]).document.model_dump_json() == town.plan_of([2, 3]).document.model_dump_json()


def test_nothing_opened_is_a_plan_too(town: SimpleNamespace) -> None:
    plan = town.plan_of([])
    assert plan.document.opened == 0
    assert plan.measures.before == plan.measures.after
    assert plan.document.objective.value == BEFORE


def test_people_without_areas_have_no_table_of_areas(town: SimpleNamespace) -> None:
    read = town.tables()
    table = read.people.table.assign(area="")
    plan = town.plan_of([2, 3], tables=dataclasses.replace(read, people=dataclasses.replace(read.people, table=table)))
    assert plan.document.areas == []
    assert plan.document.sites[0].area is None


def test_missing_columns_of_the_user_are_not_needed(town: SimpleNamespace) -> None:
    read = town.tables()
    table = read.sites.table.drop(columns=["agency", "people"])
    plan = town.plan_of([2, 3], tables=dataclasses.replace(read, sites=dataclasses.replace(read.sites, table=table)))
    assert plan.document.sites[0].agency is None
    assert isinstance(plan.sites["order"].dtype, pd.Int64Dtype)


def test_limit_below_usual_minutes_drops_those(town: SimpleNamespace) -> None:
    plan = town.plan_of([2, 3], class_times=[town.times(limit_min=12.0)])
    assert list(plan.measures.after.within) == ["5", "10", "15"]
    assert plan.document.curve.minutes[-1] == 12.0
