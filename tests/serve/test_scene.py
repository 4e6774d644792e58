"""What a map shows of a study, against counting by hand; settings changed with comments kept; files told apart."""

from __future__ import annotations

import tomllib
from pathlib import Path

import numpy as np
import pytest

from nearer.errors import InputError, UsageError
from nearer.planning.files import read_document
from nearer.serve import intake
from nearer.serve.scene import Scene, read_scene
from nearer.serve.settings_file import change_settings
from nearer.serve.situation import Situation
from nearer.serve.tiles import Tiles
from nearer.study import run_study

from .conftest import write_rows
from .test_mvt import decode

STEP_MIN = 110.574 / 100.0  # a step of the two rows at 6 km/h


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_rows(tmp_path / "rows")
    return tmp_path / "rows"


@pytest.fixture
def scene(folder: Path) -> Scene:
    return read_scene(folder)


@pytest.mark.parametrize(
    "text",
    ["o", "o3.17", "o3-2", "o3-2@9.520000,47.100000", "@9.520000,47.100000", "o@1.000000,2.000000@3.000000,4.000000"]
)  # fmt: skip
def test_a_situation_is_read_as_it_is_written(text: str) -> None:
    assert str(Situation.parse(text)) == text


@pytest.mark.parametrize("text", ["", "x", "o3,4", "o-", "o3@", "@999,0", "o1.2-x"])
def test_a_situation_that_says_nothing_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        Situation.parse(text)


def test_people_go_to_the_nearest_of_what_is_open_and_of_a_place_by_hand(scene: Scene) -> None:
    steps = np.array([0, 1, 2, 3, 10, 11])

    def expected(*open_steps: float) -> list[float]:
        return [min(abs(step - site) for site in open_steps) * STEP_MIN for step in steps]

    assert scene.seen(Situation()).minutes == pytest.approx(expected(0), abs=2e-3)
    assert scene.seen(Situation.parse("o1.3")).minutes == pytest.approx(expected(0, 2, 10), abs=2e-3)
    assert scene.seen(Situation.parse("o3-0")).minutes == pytest.approx(expected(10), abs=2e-3)
    assert scene.seen(Situation.parse("o@0,0.0065")).minutes == pytest.approx(expected(0, 6.5), abs=2e-3)
    assert scene.seen(Situation.parse("@0,0.005")).minutes == pytest.approx(expected(5), abs=2e-3)
    for wrong in ("o0", "o9", "o-1", "o1-9"):
        with pytest.raises(UsageError):
            scene.seen(Situation.parse(wrong))


def test_figures_of_the_plans_sites_are_those_of_the_plan(folder: Path, scene: Scene) -> None:
    run_study(folder, out=folder / "plan", threads=1)
    document = read_document(folder / "plan")
    found = scene.figures(Situation.parse("o1.3"))
    expected = document.measures.after.model_dump(mode="json")
    for one in (expected, *expected["groups"].values()):  # the map's figures leave out how even it is
        one.update(gini=None, ede_min=None, worst_decile_min=None)
    assert found["access"] == expected
    people = {site.id: site.people for site in document.sites}
    ids = scene.tables.sites.table["id"].tolist()
    assert {ids[k]: count for k, count in enumerate(found["people"]) if count} == people


def test_tiles_hold_everybody_once_in_the_class_of_the_legend(scene: Scene) -> None:
    tiles = Tiles(scene)
    at = Situation.parse("o1.3")
    legend = tiles.people_by_class(at, None, None)
    assert sum(legend) == 240
    z, n = 3, 0
    for x in range(8):
        for y in range(8):
            for told, rings in decode(tiles.people(z, x, y, at, None, None)).get("people", []):
                assert told["k"] == 0
                n += sum(
                    0 <= min(p[0] for p in ring) + 6 < 4096 and 0 <= min(p[1] for p in ring) + 6 < 4096
                    for ring in rings
                )
    assert n == 6, "each square's middle lies in one tile"
    older = tiles.people_by_class(at, Situation(), "older")
    assert sum(older) == 90
    only = decode(tiles.people(14, 8192, 8191, at, None, None, only=3))["people"]
    assert sorted(told["k"] for told, _ in only) == [0, 99]


def test_settings_change_and_comments_stay(folder: Path) -> None:
    file = folder / "nearer.toml"
    file.write_text(file.read_text().replace("open = 2", "# what we ask\nopen = 2   # exactly"), encoding="utf-8")
    change_settings(folder, {"plan.open": None, "plan.open_max": 3, "plan.group_weights": {"older": 2.0}})
    text = file.read_text(encoding="utf-8")
    assert "# what we ask" in text
    assert tomllib.loads(text)["plan"] == {"open_max": 3, "group_weights": {"older": 2.0}}
    change_settings(
        folder, {"plan.phases": [{"name": "2027", "open": 1}, {"name": "2028", "open": 1}], "plan.open_max": None}
    )
    assert [one["name"] for one in tomllib.loads(file.read_text())["plan"]["phases"]] == ["2027", "2028"]
    before = file.read_bytes()
    with pytest.raises(InputError):
        change_settings(folder, {"plan.objective": "magic"})
    with pytest.raises(UsageError):
        change_settings(folder, {"scenarios": []})
    assert file.read_bytes() == before


def test_files_are_told_apart_by_what_they_hold(tmp_path: Path) -> None:
    files = {
        "a.csv": "id,lng,latitude,Residents\n1,0,0,5\n",
        "schools.csv": "id,name,lon,lat\n1,x,0,0\n",
        "today.csv": "code;nombre;lon;lat\n1;x;0;0\n",
        "all.csv": "id,name,lon,lat,status\n1,x,0,0,existing\n",
        "town.osm.pbf": "x",
        "book.xlsx": "x",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    found = {one.name: one for one in intake.brought(tmp_path)}
    assert {name: one.guess for name, one in found.items()} == {
        "a.csv": "people", "schools.csv": "candidate", "today.csv": "existing", "all.csv": "sites",
        "town.osm.pbf": "streets", "book.xlsx": "unused",
    }  # fmt: skip
    assert found["a.csv"].picked == intake.Columns("Residents", "id", None, "lng", "latitude")
    assert found["today.csv"].picked == intake.Columns(None, "code", "nombre", "lon", "lat")
    assert "CSV" in found["book.xlsx"].problem


def test_a_cell_is_mended_and_a_row_left_out_without_moving_others(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes('id;name\n1;"a; b"\n2;x\n3;y\n'.encode("utf-8-sig"))
    intake.mend_cell(path, 3, "name", 'say "z"; then')
    intake.mend_cell(path, 2, None, None)
    assert path.read_text(encoding="utf-8") == 'id;name\n\n2;"say ""z""; then"\n3;y\n'
    assert intake.cell(path, 4, "name") == "y"
    for row, column in ((9, "name"), (2, "nothing")):
        with pytest.raises(UsageError):
            intake.mend_cell(path, row, column, "x")


@pytest.mark.parametrize("name", ["../x.csv", "a/b.csv", ".hidden.csv", "x.exe", "nearer.toml", "x\\y.csv", ""])
def test_a_file_cannot_be_called_so_that_it_lands_elsewhere(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError):
        intake.file_path(tmp_path, name)
