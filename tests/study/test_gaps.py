"""Gaps of a study small enough to be counted by hand, and its folder."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pandas as pd
import pytest

from nearer.errors import InputError, UsageError
from nearer.planning.gapfiles import gaps_schema, gaps_schema_text, read_gaps
from nearer.planning.gaps import Gaps
from nearer.study.gaps import GAP_FILES, find_gaps

PUBLISHED = Path(__file__).parents[2] / "docs" / "gaps.schema.json"

# Points a to d lie 0 to 3 steps of 1.1 minutes from the hall, e and f 10 and 11: with 5 minutes and one centre for 85
# people, 170 people share 85 places at the hall, and 70 have none in reach.


def gaps(study: Path, **changes: object) -> Gaps:
    return find_gaps(study, **{"minutes": 5.0, "standard_people": 85.0, "threads": 1, **changes})  # type: ignore[arg-type]


def test_measures_by_hand(study: Path) -> None:
    measures = gaps(study).document.measures
    assert (measures.people, measures.need, measures.places) == (240, 240, 85)
    assert measures.lacking == pytest.approx(85 + 70)
    assert (measures.beyond, measures.crowded, measures.unreached) == (70, 170, 0)
    assert measures.by_count == {"0": 70, "1": 170, "2": 0, "3 or more": 0}


def test_gaps_by_hand(study: Path) -> None:
    first, second = gaps(study).document.gaps
    assert (first.points, first.people, first.beyond, first.supply) == (4, 170, 0, 0.5)
    assert (first.lacking, first.groups, first.sites) == (pytest.approx(85), {"older": 60}, ["H"])
    assert (second.points, second.people, second.lacking, second.beyond) == (2, 70, pytest.approx(70), 70)
    assert (second.groups, second.supply, second.sites) == ({"older": 30}, 0, [])
    # a school opened at c reaches a to d too: another half place for all; one at e serves e and f in full
    assert first.mend is not None
    assert (first.mend.id, first.mend.lacking) == ("S", pytest.approx(0))
    assert second.mend is not None
    assert (second.mend.id, second.mend.lacking, second.mend.beyond) == ("L", 0, 0)
    assert [(size.low, size.high) for size in first.sizing] == [(1, 1)]


def test_a_group_shares_places_among_its_own(study: Path) -> None:
    found = gaps(study, group="older", standard_people=30.0).document
    # 60 of the older people live at a to d, 30 at f
    assert (found.measures.need, found.measures.beyond) == (90, 30)
    assert found.measures.lacking == pytest.approx(30 + 30)
    assert [gap.need for gap in found.gaps] == [60, 30]


def test_a_stated_capacity_counts_instead_of_the_standard(study: Path) -> None:
    file = study / "sites.csv"
    lines = file.read_text(encoding="utf-8").splitlines()
    capacities = ["capacity", "170", "", "", "35", ""]
    file.write_text("\n".join(f"{a},{b}" for a, b in zip(lines, capacities, strict=True)) + "\n", encoding="utf-8")
    (only,) = gaps(study).document.gaps
    assert (only.lacking, only.people) == (70, 70), "170 places are enough at the hall"
    assert only.mend is not None
    assert (only.mend.id, only.mend.lacking) == ("G", 0), "the library is for 35 only"


def test_a_capacity_that_is_no_number_is_told_with_its_site(study: Path) -> None:
    file = study / "sites.csv"
    lines = file.read_text(encoding="utf-8").splitlines()
    file.write_text("\n".join([f"{lines[0]},capacity", *(f"{line},many" for line in lines[1:])]), encoding="utf-8")
    with pytest.raises(InputError, match='capacity "many" of site "H"') as caught:
        gaps(study)
    assert len(caught.value.faults) == 5


def test_no_gap_is_said_where_the_standard_is_met(study: Path) -> None:
    found = gaps(study, minutes=15.0, standard_people=1_000.0)
    assert (found.document.gaps, found.document.found, found.document.measures.lacking) == ([], 0, 0)
    assert "Nobody lacks" in (study / "gaps" / "gaps.html").read_text(encoding="utf-8")


def test_the_folder_holds_every_file_and_they_agree(study: Path) -> None:
    found = gaps(study)
    folder = study / "gaps"
    assert {path.name for path in folder.iterdir()} == set(GAP_FILES)
    document, points = read_gaps(folder)
    assert document == found.document
    assert points["lacking"].sum() == pytest.approx(document.measures.lacking)
    assert points["gap"].tolist() == [1, 1, 1, 1, 2, 2]
    table = pd.read_csv(folder / "gaps.csv")
    assert table["lacking"].tolist() == [85, 70]
    assert table["mend"].tolist() == ["S", "L"]


def test_gaps_json_follows_its_published_schema(study: Path) -> None:
    gaps(study)
    written = json.loads((study / "gaps" / "gaps.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(gaps_schema()).validate(written)
    assert PUBLISHED.read_text(encoding="utf-8") == gaps_schema_text(), (
        "write it again: python -c \"from nearer.planning.gapfiles import *; print(gaps_schema_text(), end='')\""
    )


def test_the_same_study_gives_the_same_bytes_whatever_the_threads(study: Path, tmp_path: Path) -> None:
    for name, threads in (("one", 1), ("two", 2)):
        gaps(study, out=tmp_path / name, threads=threads)
    for name in set(GAP_FILES) - {"run.json"}:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"minutes": 31.0}, "beyond the study's limit of 30"),
        ({"minutes": 0.0}, "0 minutes is no journey"),
        ({"standard_people": 0.0}, "0 is no number of people"),
        ({"group": "cats"}, "there is no group 'cats'.*older"),
    ],
)
def test_a_standard_that_makes_no_sense_is_refused(study: Path, changes: dict[str, object], said: str) -> None:
    with pytest.raises(InputError, match=said):
        gaps(study, **changes)
    assert not (study / "gaps").exists()


def test_nothing_is_written_over_what_is_not_ours(study: Path) -> None:
    with pytest.raises(UsageError, match="study folder"):
        gaps(study, out=study)
    other = study / "gaps"
    other.mkdir()
    (other / "gaps.csv").write_text("mine", encoding="utf-8")
    with pytest.raises(UsageError, match="not part of gaps"):
        gaps(study)
    assert (other / "gaps.csv").read_text(encoding="utf-8") == "mine"
