"""The independent check agrees with honest gaps and finds every number that was changed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nearer.errors import InputError
from nearer.study.gaps import find_gaps
from nearer.study.liechtenstein import write_liechtenstein
from nearer.study.verify_any import kind_of, verify_any
from nearer.study.verify_gaps import verify_gaps

from .test_verify import write_study


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two valleys, a group with a speed of its own, sites with and without a capacity, with decay."""
    folder = write_study(tmp_path_factory.mktemp("gaps") / "valleys")
    lines = (folder / "sites.csv").read_text(encoding="utf-8").splitlines()
    more = ["capacity", *("" if k % 3 else str(60 + k) for k in range(len(lines) - 1))]
    text = "\n".join(f"{a},{b}" for a, b in zip(lines, more, strict=True))
    (folder / "sites.csv").write_text(text + "\n", encoding="utf-8")
    find_gaps(folder, minutes=12.0, standard_people=250.0, decay="slow", threads=1)
    return folder


@pytest.fixture
def study(found: Path, tmp_path: Path) -> Path:
    """A fresh copy of the study and its gaps, to be tampered with."""
    return Path(shutil.copytree(found, tmp_path / "valleys"))


def differing(study: Path) -> list[str]:
    return [check.name for check in verify_gaps(study / "gaps").differing]


def rewrite(study: Path, change: Callable[[dict[str, Any]], None]) -> None:
    path = study / "gaps" / "gaps.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    change(document)
    path.write_text(json.dumps(document), encoding="utf-8")


def test_honest_gaps_agree_in_everything(study: Path) -> None:
    verdict = verify_gaps(study / "gaps")
    assert verdict.differing == ()
    names = [check.name for check in verdict.checks]
    assert len(set(names)) == len(names) > 80
    assert verify_any(study / "gaps" / "gaps.json").ok


@pytest.mark.parametrize("group", ["older", "children"])
def test_gaps_of_a_group_agree(study: Path, group: str) -> None:
    find_gaps(study, minutes=10.0, standard_people=90.0, group=group, decay="sharp", threads=1)
    assert differing(study) == []


def test_gaps_on_real_streets_agree(tmp_path: Path) -> None:
    folder = tmp_path / "liechtenstein"
    write_liechtenstein(folder)
    find_gaps(folder, standard_people=2_000.0, threads=1)
    assert differing(folder) == []


def _numbers(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict):
        return [found for key, item in value.items() for found in _numbers(item, (*path, key))]
    if isinstance(value, list):
        return [found for key, item in enumerate(value[:2]) for found in _numbers(item, (*path, key))]
    return [path] if isinstance(value, int | float) and not isinstance(value, bool) else []


def test_every_number_that_is_changed_is_found(study: Path) -> None:
    document = json.loads((study / "gaps" / "gaps.json").read_text(encoding="utf-8"))
    parts = {key: document[key] for key in ("measures", "gaps", "centres", "reach_m", "join_m")}
    places = [place for place in _numbers(parts) if place[-1] != "area_km2"]  # the ground covered is drawing
    assert len(places) > 60
    for place in places[:: max(1, len(places) // 12)]:

        def change(document: dict[str, Any], place: tuple[Any, ...] = place) -> None:
            inside: Any = document
            for key in place[:-1]:
                inside = inside[key]
            inside[place[-1]] = inside[place[-1]] * 2 + 1

        rewrite(study, change)
        assert differing(study), place
        (study / "gaps" / "gaps.json").write_text(json.dumps(document), encoding="utf-8")


def test_a_worse_candidate_is_found_out(study: Path) -> None:
    def change(document: dict[str, Any]) -> None:
        mends = [gap["mend"] for gap in document["gaps"] if gap["mend"]]
        other = next(mend for mend in mends if mend["id"] != mends[0]["id"])
        document["gaps"][next(k for k, g in enumerate(document["gaps"]) if g["mend"])]["mend"] = other

    rewrite(study, change)
    assert any("mend" in name for name in differing(study))


def test_a_point_moved_to_another_gap_is_found(study: Path) -> None:
    path = study / "gaps" / "points.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    at = next(k for k, line in enumerate(lines) if line.endswith(",1"))
    lines[at] = lines[at][:-1] + "2"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert {"gap 1: people", "gap 2: people"} <= set(differing(study))


def test_a_changed_measure_of_a_point_is_found_with_its_row(study: Path) -> None:
    path = study / "gaps" / "points.csv"
    text = path.read_text(encoding="utf-8").replace("\np3,", "\np3,9", 1)
    path.write_text(text, encoding="utf-8")
    assert differing(study) == ["points: people (row 5)"]


def test_a_changed_input_and_a_missing_file_are_named(study: Path) -> None:
    with (study / "people.csv").open("a", encoding="utf-8") as file:
        file.write("x,9.5,47.0,5,0,0\n")
    with pytest.raises(InputError, match=r"people\.csv: has changed"):
        verify_gaps(study / "gaps")
    (study / "gaps" / "points.csv").unlink()
    with pytest.raises(InputError, match=r"points\.csv"):
        verify_gaps(study / "gaps")


def test_a_folder_says_what_it_holds(study: Path, tmp_path: Path) -> None:
    assert kind_of(study / "gaps") == "gaps.json"
    assert kind_of(tmp_path) == "plan.json"
    assert kind_of(study / "sites.csv") is None


def test_gaps_of_a_study_with_levels_agree_and_size_by_level(study: Path) -> None:
    toml = study / "nearer.toml"
    levels = '[[levels]]\nname = "small"\ncapacity = 120\n[[levels]]\nname = "large"\ncapacity = 400\n'
    toml.write_text(toml.read_text(encoding="utf-8") + levels, encoding="utf-8")
    sites = study / "sites.csv"
    lines = sites.read_text(encoding="utf-8").splitlines()
    more = ["level", *(("small", "large", "")[k % 3] for k in range(len(lines) - 1))]
    sites.write_text("\n".join(f"{a},{b}" for a, b in zip(lines, more, strict=True)) + "\n", encoding="utf-8")
    found = find_gaps(study, minutes=12.0, standard_people=250.0, threads=1).document
    assert {tuple(size.level for size in gap.sizing) for gap in found.gaps} == {("small", "large")}
    assert all(gap.sizing[0].low >= gap.sizing[1].low for gap in found.gaps)
    assert differing(study) == []
