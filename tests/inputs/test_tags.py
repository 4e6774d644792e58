"""Every rule of the tag tables, one claim each; tags are written as on a map: ``highway=path foot=no``."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nearer.inputs.limits import MPH, duration_s, maxspeed_kmh
from nearer.inputs.tables import STREET_CLASSES
from nearer.inputs.tags import (
    BIKE_KMH,
    CLOSED_VALUES,
    FERRY_KMH,
    KINDS,
    OPEN_VALUES,
    PUSH_KMH,
    WALK_KMH,
    ferry_kmh,
    node_closed,
    street_class,
    way_kind,
    way_speeds,
)

MODES = ("walk", "bike", "drive")


def tagged(text: str) -> dict[str, str]:
    return dict(part.split("=", 1) for part in text.split())


def ways(text: str, mode: str) -> str:
    """Which directions are open: both, forward, backward or closed."""
    forward, backward = way_speeds(tagged(text), mode)
    return {(True, True): "both", (True, False): "forward", (False, True): "backward", (False, False): "closed"}[
        forward > 0, backward > 0
    ]


def kmh(text: str, mode: str, speed_kmh: float | None = None) -> float:
    """Speed of a way that is alike in both directions."""
    forward, backward = way_speeds(tagged(text), mode, speed_kmh)
    assert forward == backward
    return forward


@pytest.mark.parametrize(
    ("highway", "walk", "bike", "drive"),
    [
        ("motorway", "closed", "closed", "forward"),
        ("motorway_link", "closed", "closed", "forward"),
        ("trunk", "both", "both", "both"),
        ("primary", "both", "both", "both"),
        ("secondary_link", "both", "both", "both"),
        ("tertiary", "both", "both", "both"),
        ("unclassified", "both", "both", "both"),
        ("residential", "both", "both", "both"),
        ("road", "both", "both", "both"),
        ("service", "both", "both", "both"),
        ("living_street", "both", "both", "both"),
        ("track", "both", "both", "both"),
        ("path", "both", "both", "closed"),
        ("cycleway", "both", "both", "closed"),
        ("footway", "both", "both", "closed"),
        ("pedestrian", "both", "both", "closed"),
        ("bridleway", "both", "both", "closed"),
        ("busway", "closed", "closed", "closed"),
        ("steps", "both", "closed", "closed"),
        ("corridor", "both", "closed", "closed"),
        ("elevator", "both", "closed", "closed"),
        ("platform", "both", "closed", "closed"),
        ("construction", "closed", "closed", "closed"),
        ("proposed", "closed", "closed", "closed"),
        ("raceway", "closed", "closed", "closed"),
        ("bus_guideway", "closed", "closed", "closed"),
        ("via_ferrata", "closed", "closed", "closed"),
        ("rest_area", "closed", "closed", "closed"),
        ("never_heard_of", "closed", "closed", "closed"),
        ("trail", "both", "both", "closed"),
        ("unclassified;tertiary", "both", "both", "both"),
    ],
)
def test_each_class_has_a_default_for_each_mode(highway: str, walk: str, bike: str, drive: str) -> None:
    assert [ways(f"highway={highway}", mode) for mode in MODES] == [walk, bike, drive]


@pytest.mark.parametrize(
    ("tags", "walk", "bike", "drive"),
    [
        ("access=no", "closed", "closed", "closed"),
        ("access=private", "closed", "closed", "closed"),
        ("access=private foot=yes", "both", "both", "closed"),  # the bike is pushed
        ("access=no bicycle=yes", "closed", "both", "closed"),
        ("access=no vehicle=yes", "closed", "both", "both"),
        ("access=no motor_vehicle=yes", "closed", "closed", "both"),
        ("access=no motorcar=yes", "closed", "closed", "both"),
        ("vehicle=no", "both", "both", "closed"),
        ("vehicle=no motor_vehicle=destination", "both", "both", "both"),
        ("vehicle=yes motor_vehicle=no", "both", "both", "closed"),
        ("motor_vehicle=no", "both", "both", "closed"),
        ("motor_vehicle=no motorcar=yes", "both", "both", "both"),
        ("motor_vehicle=agricultural", "both", "both", "closed"),
        ("motor_vehicle=agricultural;forestry", "both", "both", "closed"),
        ("motor_vehicle=agricultural;destination", "both", "both", "both"),
        ("foot=no", "closed", "both", "both"),
        ("bicycle=no", "both", "closed", "both"),
        ("bicycle=use_sidepath", "both", "closed", "both"),
        ("foot=use_sidepath", "closed", "both", "both"),
        ("access=destination", "both", "both", "both"),
        ("access=permissive", "both", "both", "both"),
        ("access=customers", "both", "both", "both"),
        ("access=residents", "closed", "closed", "closed"),
        ("access=delivery", "closed", "closed", "closed"),
        ("access=nonsense", "both", "both", "both"),
        ("foot=nonsense access=no", "closed", "closed", "closed"),
        ("access:conditional=no", "both", "both", "both"),
        ("sidewalk=no", "both", "both", "both"),
        ("sidewalk=separate", "both", "both", "both"),
        ("motorroad=yes", "closed", "closed", "both"),
        ("motorroad=yes foot=yes", "both", "both", "both"),
        ("motorroad=yes bicycle=yes", "closed", "both", "both"),
        ("motorroad=no", "both", "both", "both"),
        ("area=yes", "both", "both", "closed"),
        ("smoothness=impassable", "both", "closed", "closed"),
        ("sac_scale=demanding_alpine_hiking", "closed", "closed", "closed"),
        ("motor_vehicle:backward=no", "both", "both", "forward"),
        ("vehicle:forward=no foot=no", "closed", "backward", "backward"),
        ("foot:backward=no", "forward", "both", "both"),
        ("bicycle:backward=no", "both", "forward", "both"),
        ("access:forward=no", "backward", "backward", "backward"),
    ],
)
def test_the_more_specific_access_tag_wins_on_a_street(tags: str, walk: str, bike: str, drive: str) -> None:
    assert [ways(f"highway=residential {tags}", mode) for mode in MODES] == [walk, bike, drive]


@pytest.mark.parametrize("value", sorted(OPEN_VALUES))
def test_each_open_value_opens_a_private_street_to_its_mode(value: str) -> None:
    assert ways(f"highway=service access=private foot={value}", "walk") == "both"


@pytest.mark.parametrize("value", sorted(CLOSED_VALUES))
def test_each_closing_value_closes_a_street_to_its_mode(value: str) -> None:
    assert ways(f"highway=residential bicycle={value}", "bike") == "closed"


@pytest.mark.parametrize(
    ("tags", "mode", "expected"),
    [
        ("highway=motorway foot=yes", "walk", "both"),
        ("highway=busway foot=yes", "walk", "both"),
        ("highway=busway bicycle=yes", "bike", "both"),
        ("highway=busway motor_vehicle=yes", "drive", "both"),
        ("highway=pedestrian motor_vehicle=destination", "drive", "both"),
        ("highway=pedestrian vehicle=destination", "drive", "both"),
        ("highway=track tracktype=grade5 motor_vehicle=yes", "drive", "both"),
        ("highway=footway access=yes", "drive", "closed"),
        ("highway=motorway access=yes", "walk", "closed"),
        ("highway=construction foot=yes", "walk", "closed"),
        ("highway=steps motor_vehicle=yes", "drive", "closed"),
        ("highway=steps bicycle=yes", "bike", "closed"),
        ("highway=track tracktype=grade4", "drive", "closed"),
        ("highway=service service=emergency_access", "drive", "closed"),
        ("highway=path sac_scale=mountain_hiking", "bike", "closed"),
        ("highway=path sac_scale=mountain_hiking", "walk", "both"),
        ("highway=path sac_scale=hiking", "bike", "both"),
    ],
)
def test_own_keys_open_what_is_closed_by_default_and_access_only_closes(tags: str, mode: str, expected: str) -> None:
    assert ways(tags, mode) == expected


@pytest.mark.parametrize(
    ("tags", "walk", "bike", "drive"),
    [
        ("oneway=yes", "both", "forward", "forward"),
        ("oneway=true", "both", "forward", "forward"),
        ("oneway=1", "both", "forward", "forward"),
        ("oneway=-1", "both", "backward", "backward"),
        ("oneway=reverse", "both", "backward", "backward"),
        ("oneway=no", "both", "both", "both"),
        ("oneway=reversible", "both", "closed", "closed"),
        ("oneway=alternating", "both", "both", "both"),
        ("oneway=nonsense", "both", "both", "both"),
        ("oneway=yes oneway:bicycle=no", "both", "both", "forward"),
        ("oneway=yes oneway:bicycle=-1", "both", "backward", "forward"),
        ("oneway:bicycle=yes", "both", "forward", "both"),
        ("oneway=yes oneway:bicycle=nonsense", "both", "forward", "forward"),
        ("oneway:foot=yes", "forward", "both", "both"),
        ("oneway:foot=nonsense", "both", "both", "both"),
        ("oneway:foot=-1", "backward", "both", "both"),
        ("oneway=yes oneway:motor_vehicle=no", "both", "forward", "both"),
        ("oneway:vehicle=yes", "both", "forward", "forward"),
        ("oneway=yes cycleway=opposite", "both", "both", "forward"),
        ("oneway=yes cycleway=opposite_lane", "both", "both", "forward"),
        ("oneway=yes cycleway:left=opposite_track", "both", "both", "forward"),
        ("oneway=yes cycleway=opposite_share_busway", "both", "both", "forward"),
        ("oneway=yes cycleway:left:oneway=-1", "both", "both", "forward"),
        ("oneway=yes cycleway:right:oneway=no", "both", "both", "forward"),
        ("oneway=yes cycleway=lane", "both", "forward", "forward"),
        ("oneway=yes bicycle=dismount", "both", "both", "forward"),  # who pushes walks
        ("junction=roundabout", "both", "forward", "forward"),
        ("junction=circular", "both", "forward", "forward"),
        ("junction=roundabout oneway=no", "both", "both", "both"),
        ("junction=roundabout oneway=-1", "both", "backward", "backward"),
        ("junction=roundabout oneway:bicycle=no", "both", "both", "forward"),
        ("junction=jughandle", "both", "both", "both"),
    ],
)
def test_one_way_rules_bind_vehicles_and_walking_only_by_its_own(tags: str, walk: str, bike: str, drive: str) -> None:
    assert [ways(f"highway=residential {tags}", mode) for mode in MODES] == [walk, bike, drive]


def test_a_motorway_may_say_that_it_is_not_one_way() -> None:
    assert ways("highway=motorway_link oneway=no", "drive") == "both"
    assert ways("highway=motorway oneway=-1", "drive") == "backward"


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ("highway=steps conveying=forward", "forward"),
        ("highway=steps conveying=backward", "backward"),
        ("highway=steps conveying=yes oneway=yes", "forward"),
        ("highway=steps conveying=no oneway=yes", "both"),
        ("highway=steps oneway=yes", "both"),
        ("highway=footway conveying=yes oneway=-1", "backward"),
    ],
)
def test_moving_stairs_run_one_way(tags: str, expected: str) -> None:
    assert ways(tags, "walk") == expected


def test_walking_and_cycling_take_the_speed_given_or_the_default() -> None:
    assert kmh("highway=residential", "walk") == WALK_KMH == 4.8
    assert kmh("highway=residential", "bike") == BIKE_KMH == 15.0
    assert kmh("highway=residential", "walk", 3.5) == 3.5
    assert kmh("highway=residential", "bike", 20.0) == 20.0
    assert kmh("highway=residential", "drive", 7.0) == kmh("highway=residential", "drive")


def test_steps_are_walked_at_half_speed() -> None:
    assert kmh("highway=steps", "walk", 4.0) == 2.0


def test_maxspeed_does_not_slow_walkers() -> None:
    assert kmh("highway=residential maxspeed=3", "walk") == WALK_KMH


@pytest.mark.parametrize(
    "tags",
    [
        "highway=footway",
        "highway=pedestrian",
        "highway=bridleway",
        "highway=residential bicycle=dismount",
        "highway=residential vehicle=no",
        "man_made=pier",
    ],
)
def test_a_bike_is_pushed_where_it_may_not_be_ridden(tags: str) -> None:
    assert kmh(tags, "bike") == PUSH_KMH
    assert kmh(tags, "bike", 3.0) == 3.0


@pytest.mark.parametrize(
    "tags",
    ["highway=residential bicycle=dismount foot=no", "highway=footway foot=no", "highway=footway bicycle=no"],
)
def test_a_bike_is_not_pushed_where_walking_or_the_bike_itself_is_forbidden(tags: str) -> None:
    assert ways(tags, "bike") == "closed"


@pytest.mark.parametrize(
    ("tags", "share"),
    [
        ("highway=footway bicycle=yes", 1.0),
        ("highway=path", 2 / 3),
        ("highway=path bicycle=designated", 1.0),
        ("highway=path surface=asphalt", 1.0),
        ("highway=track", 2 / 3),
        ("highway=track tracktype=grade1", 1.0),
        ("highway=track tracktype=grade3", 2 / 3),
        ("highway=residential surface=cobblestone", 2 / 3),
        ("highway=cycleway surface=gravel", 2 / 3),
    ],
)
def test_rough_ground_slows_bikes(tags: str, share: float) -> None:
    assert kmh(tags, "bike", 18.0) == pytest.approx(18.0 * share)


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ("highway=primary", 50.0),
        ("highway=primary maxspeed=60", 48.0),
        ("highway=primary maxspeed=30", 24.0),
        ("highway=residential maxspeed=50;30", 24.0),
        ("highway=residential maxspeed=signals", 25.0),
        ("highway=primary source:maxspeed=DE:urban", 40.0),
        ("highway=primary maxspeed:type=DE:rural", 80.0),
        ("highway=primary source:maxspeed=25", 50.0),
        ("highway=primary maxspeed=signals maxspeed:type=DE:urban", 40.0),
        ("highway=service", 15.0),
        ("highway=service maxspeed=50", 15.0),
        ("highway=service maxspeed=10", 8.0),
        ("highway=living_street maxspeed=20", 10.0),
        ("highway=living_street maxspeed=walk", 4.8),
        ("highway=track", 10.0),
        ("highway=track tracktype=grade1", 20.0),
        ("highway=track tracktype=grade5 motor_vehicle=yes", 10.0),
        ("highway=primary surface=unpaved", 30.0),
        ("highway=primary surface=asphalt", 50.0),
        ("highway=trunk maxspeed=none", 104.0),
    ],
)
def test_driving_takes_four_fifths_of_the_limit_or_the_speed_of_the_class(tags: str, expected: float) -> None:
    assert kmh(tags, "drive") == pytest.approx(expected)


def test_a_limit_may_hold_in_one_direction() -> None:
    tags = tagged("highway=primary maxspeed:forward=50 maxspeed:backward=100 maxspeed=70")
    assert way_speeds(tags, "drive") == pytest.approx((40.0, 80.0))
    assert way_speeds(tagged("highway=primary maxspeed=70 maxspeed:forward=50"), "drive") == pytest.approx((40.0, 56.0))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("50", 50.0),
        ("50 km/h", 50.0),
        ("50kmh", 50.0),
        ("50 kph", 50.0),
        ("30 mph", 30 * MPH),
        ("30mph", 30 * MPH),
        ("10 knots", 18.52),
        ("22.5", 22.5),
        ("22,5", 22.5),
        ("walk", 6.0),
        ("none", 130.0),
        ("50;30", 30.0),
        ("80; 50", 50.0),
        ("50|30", 30.0),
        ("signals;40", 40.0),
        ("DE:urban", 50.0),
        ("DE:rural", 100.0),
        ("FR:rural", 80.0),
        ("DE:zone:30", 30.0),
        ("FR:zone30", 30.0),
        ("DE:30", 30.0),
        ("DE:living_street", 6.0),
        ("GB:nsl_single", 60 * MPH),
        ("GB:zone20", 20 * MPH),
        ("BE-VLG:rural", 80.0),
        ("XX:motorway", 120.0),
        ("DE:dreams", None),
        ("signals", None),
        ("variable", None),
        ("fast", None),
        ("", None),
        ("0", None),
        ("5000", None),
        ("-30", None),
    ],
)
def test_maxspeed_is_read_with_its_unit_or_country(text: str, expected: float | None) -> None:
    assert maxspeed_kmh(text) == (None if expected is None else pytest.approx(expected))


@pytest.mark.parametrize(
    ("tags", "walk", "bike", "drive"),
    [
        ("", "both", "both", "closed"),
        ("foot=no", "closed", "both", "closed"),
        ("motor_vehicle=yes", "both", "both", "both"),
        ("motorcar=yes foot=no", "closed", "both", "both"),
        ("access=private", "closed", "closed", "closed"),
        ("bicycle=no", "both", "closed", "closed"),
        ("oneway=yes motor_vehicle=yes", "forward", "forward", "forward"),
    ],
)
def test_ferries_carry_walkers_and_bikes_and_cars_only_where_tagged(
    tags: str, walk: str, bike: str, drive: str
) -> None:
    assert [ways(f"route=ferry {tags}", mode) for mode in MODES] == [walk, bike, drive]


def test_a_ferry_keeps_its_own_speed() -> None:
    assert kmh("route=ferry", "walk", 3.0) == kmh("route=ferry", "bike", 30.0) == FERRY_KMH
    assert kmh("route=ferry motor_vehicle=yes maxspeed=90", "drive") == FERRY_KMH


def test_a_timed_ferry_takes_its_duration() -> None:
    assert ferry_kmh({"duration": "00:30"}, 6_000.0) == pytest.approx(12.0)
    assert ferry_kmh({"duration": "soon"}, 6_000.0) == FERRY_KMH
    assert ferry_kmh({}, 6_000.0) == FERRY_KMH
    assert ferry_kmh({"duration": "00:30"}, 0.0) == FERRY_KMH


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("00:25", 1500.0),
        ("1:05", 3900.0),
        ("00:05:30", 330.0),
        ("48:00", 172_800.0),
        ("25", 1500.0),
        ("2.5", 150.0),
        ("25 min", 1500.0),
        ("25 minutes", 1500.0),
        ("PT25M", 1500.0),
        ("PT1H20M", 4800.0),
        ("PT90S", 90.0),
        ("P1DT1H", 90_000.0),
        ("0", None),
        ("00:00", None),
        ("PT", None),
        ("P", None),
        ("an hour", None),
        ("", None),
    ],
)
def test_durations_are_read_as_clock_minutes_or_iso(text: str, seconds: float | None) -> None:
    assert duration_s(text) == seconds


@pytest.mark.parametrize("tags", ["railway=platform", "public_transport=platform", "man_made=pier"])
def test_platforms_and_piers_are_walked(tags: str) -> None:
    assert ways(tags, "walk") == "both"
    assert ways(f"{tags} foot=no", "walk") == "closed"
    assert ways(tags, "drive") == "closed"


@pytest.mark.parametrize("tags", ["", "route=hiking", "railway=rail", "barrier=wall", "highway=ferry", "highway=pier"])
def test_what_is_no_street_is_closed(tags: str) -> None:
    assert way_kind(tagged(tags)) is None
    assert [ways(tags, mode) for mode in MODES] == ["closed"] * 3


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ("highway=motorway_link", "motorway"),
        ("highway=trunk", "major"),
        ("highway=secondary", "major"),
        ("highway=tertiary", "minor"),
        ("highway=service", "minor"),
        ("highway=steps", "path"),
        ("highway=track", "path"),
        ("route=ferry", "ferry"),
        ("highway=construction", "path"),
    ],
)
def test_ways_are_drawn_by_class(tags: str, expected: str) -> None:
    assert STREET_CLASSES[street_class(tagged(tags))] == expected


@pytest.mark.parametrize(
    ("tags", "walk", "bike", "drive"),
    [
        ("", False, False, False),
        ("access=no", False, False, False),  # not a barrier
        ("barrier=gate", False, False, False),
        ("barrier=lift_gate", False, False, False),
        ("barrier=gate access=private", True, True, True),
        ("barrier=gate access=private foot=yes", False, False, True),
        ("barrier=gate access=private motor_vehicle=yes", True, True, False),
        ("barrier=gate locked=yes", True, True, True),
        ("barrier=gate locked=yes foot=yes", False, False, True),
        ("barrier=bollard", False, False, True),
        ("barrier=bollard access=yes", False, False, True),
        ("barrier=bollard motor_vehicle=yes", False, False, False),
        ("barrier=block", False, False, True),
        ("barrier=cycle_barrier", False, False, True),
        ("barrier=cycle_barrier bicycle=no", False, True, True),
        ("barrier=gate vehicle=no", False, False, True),
        ("barrier=stile", False, True, True),
        ("barrier=turnstile", False, True, True),
        ("barrier=kissing_gate bicycle=yes", False, False, True),
        ("barrier=fence", True, True, True),
        ("barrier=fence foot=yes", False, True, True),
        ("barrier=toll_booth", False, False, False),
        ("barrier=kerb", False, False, False),
        ("barrier=never_heard_of", False, False, True),
    ],
)
def test_barriers_stop_by_kind_and_tags(tags: str, walk: bool, bike: bool, drive: bool) -> None:
    assert [node_closed(tagged(tags), mode) for mode in MODES] == [walk, bike, drive]


def test_an_unknown_mode_is_refused() -> None:
    with pytest.raises(ValueError, match="hover"):
        way_speeds({"highway": "path"}, "hover")


ACCESS = st.sampled_from([*sorted(OPEN_VALUES), *sorted(CLOSED_VALUES), "dismount", "nonsense", ""])
TAGS = st.fixed_dictionaries(
    {"highway": st.sampled_from([*KINDS, "construction"])},
    optional={
        **dict.fromkeys(("access", "foot", "vehicle", "bicycle", "motor_vehicle", "motorcar", "foot:forward"), ACCESS),
        **{key: st.sampled_from(["yes", "-1", "no", "reversible", "?"]) for key in ("oneway", "oneway:bicycle")},
        "maxspeed": st.text(max_size=8),
        "duration": st.text(max_size=8),
        "tracktype": st.sampled_from(["grade1", "grade4"]),
        "cycleway": st.sampled_from(["opposite", "lane"]),
        "conveying": st.sampled_from(["yes", "forward", "backward"]),
    },
)


@given(tags=TAGS, mode=st.sampled_from(MODES))
def test_speeds_are_zero_or_plausible_whatever_the_tags(tags: dict[str, str], mode: str) -> None:
    top = {"walk": WALK_KMH, "bike": BIKE_KMH, "drive": 130.0}[mode]
    for speed in way_speeds(tags, mode):
        assert speed == 0.0 or 1.0 <= speed <= top


@given(tags=TAGS, mode=st.sampled_from(MODES))
def test_the_more_specific_refusal_always_holds(tags: dict[str, str], mode: str) -> None:
    key = {"walk": "foot", "bike": "bicycle", "drive": "motorcar"}[mode]
    directed = {f"{key}:forward", f"{key}:backward"}
    plain = {name: value for name, value in tags.items() if name not in directed}
    assert way_speeds({**plain, key: "no"}, mode) == (0.0, 0.0)


@given(text=st.text(max_size=12))
def test_no_text_breaks_the_readers_of_values(text: str) -> None:
    assert (maxspeed_kmh(text) or 3.0) > 0
    assert (duration_s(text) or 1.0) > 0
