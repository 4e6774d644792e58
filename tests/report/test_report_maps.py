"""Maps draw what the plan holds, in few bytes, and say it in words too."""

from __future__ import annotations

import re
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable

import numpy as np
import pytest
import shapely

from nearer.inputs.tables import Streets
from nearer.planning.plan import Plan
from nearer.report import map_svg
from nearer.report.mapbase import chained, path_of, rounded_path, street_paths
from nearer.report.mapcells import LOST, NEWLY, OUT, change_class, gain_class, minute_class
from nearer.report.mapframe import WIDTH, frame_of, lonlat
from nearer.report.maplabels import Room, place_discs, place_names
from nearer.report.maplegend import change_legend, gain_legend, minute_legend
from nearer.report.mapmarks import letters
from nearer.report.mapsheet import lay_out

SVG = "{http://www.w3.org/2000/svg}"
WHICH = ("before", "after", "opened", "far")


def walked(path: str) -> list[list[tuple[int, int]]]:
    """Points of a path of relative moves, one list per line, read by the rules of SVG."""
    lines: list[list[tuple[int, int]]] = []
    x = y = 0
    for piece in re.findall(r"[mz][^mz]*", path):
        if piece[0] == "z":
            x, y = lines[-1][0]
            continue
        numbers = [int(n) for n in re.findall(r"-?\d+", piece)]
        line = []
        for dx, dy in zip(numbers[::2], numbers[1::2], strict=True):
            x, y = x + dx, y + dy
            line.append((x, y))
        lines.append(line)
    return lines


@pytest.mark.parametrize("close", [False, True])
def test_a_path_of_relative_moves_walks_the_same_points(close: bool) -> None:
    rng = np.random.default_rng(1)
    x, y = rng.integers(-50, 50, 40), rng.integers(-50, 50, 40)
    start = np.zeros(40, bool)
    start[[0, 5, 11, 30]] = True
    pieces = np.split(np.column_stack([x, y]), [5, 11, 30])
    expected = [[tuple(point) for point in piece.tolist()] for piece in pieces]
    assert walked(path_of(x, y, start, close)) == expected


def test_points_that_round_together_are_written_once() -> None:
    lines = np.array([shapely.LineString([(0, 0), (0.2, 0.1), (10, 0)]), shapely.LineString([(5, 5), (5.1, 5.2)])])
    path, n_vertices = rounded_path(lines)
    assert (path, n_vertices) == ("m0 0 10 0", 2)


def test_segments_of_a_way_become_one_line() -> None:
    streets = Streets(
        lon=np.array([0.0, 1, 2, 3, 9]), lat=np.zeros(5),
        from_idx=np.array([0, 1, 2, 4]), to_idx=np.array([1, 2, 3, 0]),
        forward_kmh=np.ones(4), backward_kmh=np.ones(4), way_idx=np.array([0, 0, 1, 1]),
        street_class=np.array([2, 2, 2, 2]), way_names=("a", "b"), mode="walk",
    )  # fmt: skip
    lines, _, ways = chained(streets, streets.lon, streets.lat)
    assert [shapely.get_coordinates(line)[:, 0].tolist() for line in lines] == [[0, 1, 2], [2, 3], [9, 0]]
    assert ways.tolist() == [0, 1, 1]


def test_classes_include_their_upper_end_and_hatch_the_unreached() -> None:
    minutes = np.array([0.0, 5.0, 5.01, 15.0, 30.0, 30.1, np.nan])
    assert minute_class(minutes).tolist() == [0, 0, 1, 2, 4, 5, OUT]
    before, after = np.array([20.0, 20.0, np.nan, np.nan]), np.array([20.0, 9.0, 12.0, np.nan])
    assert gain_class(before, after).tolist() == [0, 4, NEWLY, 0]


def test_everyone_lies_inside_the_frame_and_north_is_up(any_plan: Plan) -> None:
    frame = frame_of(any_plan)
    lon, lat = lonlat(any_plan.people)
    x, y = frame.place(lon, lat)
    assert x.min() >= 0
    assert x.max() <= WIDTH
    assert y.min() >= 0
    assert y.max() <= frame.height
    assert y[np.argmax(lat)] < y[np.argmin(lat)]
    assert x[np.argmax(lon)] > x[np.argmin(lon)]


def test_the_scale_bar_is_a_round_length(plan: Plan) -> None:
    frame = frame_of(plan)
    length, units = frame.scale_bar()
    assert f"{length:g}"[0] in "125"
    assert units == pytest.approx(length * frame.per_m, abs=0.5)
    assert WIDTH / 12 < units <= WIDTH / 4


@pytest.mark.parametrize("which", WHICH)
def test_a_map_alone_is_a_well_formed_document_that_says_what_it_shows(any_plan: Plan, which: str) -> None:
    root = ET.fromstring(map_svg(any_plan, which, width=480))
    assert root.tag == f"{SVG}svg"
    assert root.find(f"{SVG}title").text
    assert root.find(f"{SVG}desc").text
    assert root.get("role") == "img"
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    used = re.findall(r'(?:href="#|url\(#)([\w-]+)', ET.tostring(root, encoding="unicode"))
    assert set(used) <= set(ids), "every use finds its definition"
    assert root.find(f".//{SVG}script") is None


def test_each_point_is_drawn_once_per_map(any_plan: Plan) -> None:
    sheet = lay_out(any_plan)
    marks = sum(group.drawing.count("h1") for group in sheet.groups)
    shapes = sum(group.drawing.count("z") for group in sheet.groups)
    assert marks + shapes == len(any_plan.people)


def test_numbers_on_the_map_are_the_order_of_gain(plan: Plan) -> None:
    text = map_svg(plan, "opened", 900)
    assert re.findall(r'class="nr-number"[^>]*>(\d+)<', text) == ["1", "2", "3", "4"]


def test_the_legend_carries_all_people(any_plan: Plan) -> None:
    total = any_plan.people["total"].sum()
    rows = minute_legend(any_plan)
    assert sum(row.people[0] for row in rows) == pytest.approx(total)
    assert sum(row.people[1] for row in rows) == pytest.approx(total)
    assert sum(row.people[0] for row in gain_legend(any_plan)) == pytest.approx(total)
    assert all(row.words != "over 30 minutes" for row in rows), "no class that the limit rules out"


def test_ids_of_two_maps_on_one_page_differ(plan: Plan) -> None:
    ids = [set(re.findall(r' id="([^"]+)"', map_svg(plan, which))) for which in ("before", "after")]
    assert not ids[0] & ids[1]


def test_a_map_is_the_same_bytes_each_time(plan: Plan) -> None:
    assert map_svg(plan, "after") == map_svg(plan, "after")


def test_footpaths_go_first_where_streets_are_dense(
    build: Callable[..., Plan], monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = build()
    monkeypatch.setattr("nearer.report.mapbase._VERTICES", 70)
    paths = street_paths(plan.streets, frame_of(plan))
    assert "path" not in paths
    assert "major" in paths


def test_discs_do_not_cover_each_other() -> None:
    rng = np.random.default_rng(3)
    spots = [tuple(spot) for spot in rng.uniform(50, 950, (60, 2)).tolist()]
    placed = [disc for disc in place_discs(spots, Room(1000, 1000), 20, 8) if disc]
    assert len(placed) > 50
    apart = [np.hypot(a[0] - b[0], a[1] - b[1]) for n, a in enumerate(placed) for b in placed[:n]]
    assert min(apart) >= 40


def test_a_name_without_room_is_left_out() -> None:
    names = [("Old Town", 50.0, 50.0)] * 40
    placed = place_names(names, (Room(200, 200),), 10)
    assert placed[0] is not None
    assert placed[-1] is None


def test_letters_go_on_after_z() -> None:
    assert letters(28)[-3:] == ["Z", "AA", "AB"]


def test_twenty_thousand_cells_are_drawn_quickly(build: Callable[..., Plan]) -> None:
    plan = build(n_side=150, cell_m=62.0, n_existing=6, n_opened=3, n_candidates=4, split=2)
    assert len(plan.people) > 20_000
    assert plan.streets.n_segments > 60_000
    start = time.process_time()
    text = map_svg(plan, "after")
    assert time.process_time() - start < 2.0
    assert len(text) < 1_000_000


def test_classes_of_change_hold_shorter_longer_lost_and_newly_reached() -> None:
    before = np.array([10.0, 10.0, 10.0, 10.0, 10.0, 10.0, 10.0, np.nan, np.nan])
    after = np.array([2.0, 7.0, 9.0, 10.4, 11.5, 14.0, 18.0, 5.0, np.nan])
    assert change_class(before, after).tolist() == [0, 1, 2, 3, 4, 5, 6, 0, 3]
    assert change_class(np.array([4.0]), np.array([np.nan])).tolist() == [LOST]
    rows = change_legend(before, after, np.arange(1.0, 10.0))
    assert sum(row.people[0] for row in rows) == 45.0
