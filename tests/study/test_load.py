"""``nearer.toml``: what is wrong is said at once, in words, with key, line and remedy."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from nearer.errors import Fault, InputError
from nearer.study.check import check_study
from nearer.study.keys import keys_text
from nearer.study.load import load_study
from nearer.study.new import new_study

GOOD = """\
[study]
name = "Town"

[streets]
mode = "straight"

[people]
file = "people.csv"
groups = { children = "kids" }

[[sites]]
file = "centres.csv"
status = "existing"

[[sites]]
file = "candidates.csv"
status = "candidate"

[plan]
open = 2
"""


@pytest.fixture
def study_file(tmp_path: Path) -> Path:
    file = tmp_path / "nearer.toml"
    file.write_text(GOOD, encoding="utf-8")
    return file


def faults_of(file: Path) -> tuple[Fault, ...]:
    with pytest.raises(InputError) as caught:
        load_study(file)
    return caught.value.faults


def only_fault(file: Path) -> Fault:
    faults = faults_of(file)
    assert len(faults) == 1, faults
    return faults[0]


def change(file: Path, old: str, new: str) -> Path:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")
    return file


def test_a_folder_and_its_file_name_the_same_study(study_file: Path) -> None:
    assert load_study(study_file) == load_study(study_file.parent)


def test_defaults_are_filled_in(study_file: Path) -> None:
    study = load_study(study_file)
    assert (study.streets.limit_min, study.plan.coverage_min, study.unreached_min) == (30.0, 15.0, 60.0)


def test_a_mark_that_editors_on_windows_write_first_is_read_over(study_file: Path) -> None:
    study_file.write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    assert load_study(study_file).study.name == "Town"


@pytest.mark.parametrize(
    ("old", "new", "key", "row", "near"),
    [
        ("mode =", "mdoe =", "streets.mdoe", 5, "streets.mode"),
        ("open = 2", "opn = 2\nopen = 2", "plan.opn", 20, "plan.open"),
        ("open = 2", "open = 2\nlimit_min = 20", "plan.limit_min", 21, "streets.limit_min"),
        ('"existing"', '"existing"\nqury = "a=b"', "sites[1].qury", 14, "sites[1].query"),
        ('file = "cand', 'laier = "a"\nfile = "cand', "sites[2].laier", 16, "sites[2].layer"),
    ],
)
def test_an_unknown_key_names_its_path_its_line_and_the_nearest_known_key(
    study_file: Path, old: str, new: str, key: str, row: int, near: str
) -> None:
    fault = only_fault(change(study_file, old, new))
    assert (fault.file, fault.column, fault.row) == ("nearer.toml", key, row)
    assert "unknown key" in fault.message
    assert fault.remedy == f"did you mean {near}"


def test_an_unknown_table_is_answered_with_the_known_ones(study_file: Path) -> None:
    fault = only_fault(change(study_file, "[plan]", '[[wharves]]\nname = "a"\n[plan]'))
    assert fault.column == "wharves"
    assert fault.row == 19
    assert "people" in str(fault.remedy)


@pytest.mark.parametrize(
    ("old", "new", "key", "words"),
    [
        ("open = 2", 'open = "2"', "plan.open", 'must be a whole number, not "2"'),
        ("open = 2", "open = 2.5", "plan.open", "must be a whole number, not 2.5"),
        ("open = 2", "open = true", "plan.open", "must be a whole number, not true"),
        ("open = 2", "open = -1", "plan.open", "must be at least 0, not -1"),
        ("open = 2", "open = 2\ncoverage_min = 0", "plan.coverage_min", "must be more than 0, not 0"),
        ("open = 2", "open = 2\ncoverage_min = nan", "plan.coverage_min", "must be a finite number, not nan"),
        ('"straight"', '"straight"\nlimit_min = 601', "streets.limit_min", "must be at most 600, not 601"),
        ('"straight"', '"straight"\nlimit_min = "30"', "streets.limit_min", 'must be a number, not "30"'),
        ("open = 2", "open = 2\nunreached_min = 1e9", "plan.unreached_min", "must be at most 10000, not 1000000000.0"),
        ('"Town"', '""', "study.name", "must not be empty"),
        ('"straight"', '"fly"', "streets.mode", "\"fly\" is not one of 'walk', 'bike', 'drive' or 'straight'"),
        ('"Town"', "2027-01-01", "study.name", "must be text, not 2027-01-01"),
        ('{ children = "kids" }', '"kids"', "people.groups", 'must be a table, not "kids"'),
        ('file = "people.csv"\n', "", "people.file", "the key file is missing"),
        ('[streets]\nmode = "straight"\n', "", "streets", "the table streets is missing"),
    ],
)
def test_a_value_of_the_wrong_kind_is_one_clear_sentence(
    study_file: Path, old: str, new: str, key: str, words: str
) -> None:
    fault = only_fault(change(study_file, old, new))
    assert (fault.column, fault.message) == (key, words)


def test_single_brackets_where_a_list_is_wanted_are_explained(study_file: Path) -> None:
    text = GOOD.replace('[[sites]]\nfile = "centres.csv"\nstatus = "existing"\n\n', "").replace("[[sites]]", "[sites]")
    study_file.write_text(text, encoding="utf-8")
    assert only_fault(study_file).remedy == "write [[sites]] instead of [sites]"


@pytest.mark.parametrize(
    ("old", "new", "key", "words"),
    [
        ("open = 2", "", "plan.open", "the number of centres is missing"),
        ("open = 2", "open = 2\nopen_max = 3", "plan.open", "both open and open_max"),
        ("open = 2", "open = 2\nunreached_min = 29", "plan.unreached_min", "29 minutes is less than the limit of 30"),
        ("open = 2", "open = 2\ngroup_weights = { older = 2 }", "plan.group_weights.older", "no group 'older'"),
        ("open = 2", "open = 2\ngroup_weights = { children = -2 }", "plan.group_weights.children", "-2 is no weight"),
        ('"straight"', '"walk"', "streets.file", "mode walk needs streets"),
        (
            '"straight"',
            '"straight"\ngroup_speeds_kmh = { kids = 3 }',
            "streets.group_speeds_kmh.kids",
            "no group 'kids'",
        ),
        (
            '"straight"',
            '"straight"\ngroup_speeds_kmh = { children = 0 }',
            "streets.group_speeds_kmh.children",
            "no speed",
        ),
        (
            '"straight"',
            '"straight"\ngroup_speeds_kmh = { children = 1e-300 }',
            "streets.group_speeds_kmh.children",
            "no speed",
        ),
        ('{ children = "kids" }', '{ "" = "kids" }', "people.groups", "no name"),
        ('file = "candidates.csv"\n', "", "sites[2]", "does not say where"),
        ('file = "candidates.csv"\n', 'query = "a=b"\n', "sites[2].osm", "no extract"),
        (
            '"candidates.csv"\n',
            '"candidates.csv"\nquery = "a=b"\nosm = "a.pbf"\n',
            "sites[2]",
            "file and query are given",
        ),
    ],
)
def test_settings_that_do_not_go_together_are_refused(
    study_file: Path, old: str, new: str, key: str, words: str
) -> None:
    fault = only_fault(change(study_file, old, new))
    assert fault.column == key
    assert words in fault.message
    assert fault.remedy


def test_all_faults_come_at_once_in_the_order_of_the_file(study_file: Path) -> None:
    text = GOOD.replace("name", "nmae").replace('"existing"', '"exists"').replace("= 2", '= "two"')
    study_file.write_text(text, encoding="utf-8")
    assert [(fault.row, fault.column) for fault in faults_of(study_file)] == [
        (2, "study.nmae"),
        (13, "sites[1].status"),
        (20, "plan.open"),
    ]


@pytest.mark.parametrize(("text", "row"), [("a = 1\nb = \n", 2), ("[a\n", 1), ("a = 1\na = 2\n", 2), ('x = "', 1)])
def test_broken_toml_is_told_with_its_line(study_file: Path, text: str, row: int) -> None:
    study_file.write_text(text, encoding="utf-8")
    fault = only_fault(study_file)
    assert "not valid TOML" in fault.message
    assert fault.row == row


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ('[people]\nfile = "C:\\data\\people.csv"\n', "with / instead of"),
        ("[people]\nfile = “people.csv”\n", "straight quotes"),
        ("[plan]\nopen = 1\n[plan]\nopen = 2\n", "each table and each key once"),
    ],
)
def test_what_editors_and_windows_make_of_toml_is_told_how_to_mend(study_file: Path, text: str, remedy: str) -> None:
    study_file.write_text(text, encoding="utf-8")
    assert remedy in str(only_fault(study_file))


def test_a_file_is_no_study_folder(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("id\n", encoding="utf-8")
    assert "is a file; give the study's folder" in str(only_fault(tmp_path / "people.csv"))


def test_a_file_of_sites_that_is_named_twice_is_told(study_file: Path) -> None:
    fault = only_fault(change(study_file, "candidates.csv", "centres.csv"))
    assert (fault.column, fault.message) == ("sites[2].file", "sites[1] names centres.csv already")


def test_text_that_is_not_utf8_is_told_with_its_line(study_file: Path) -> None:
    study_file.write_bytes(b'[study]\nname = "Z\xfcrich"\n')
    fault = only_fault(study_file)
    assert (fault.row, fault.remedy) == (2, "save the file as UTF-8")


def test_a_missing_study_says_how_to_make_one(tmp_path: Path) -> None:
    assert "nearer new" in str(only_fault(tmp_path).remedy)
    assert "there is no folder" in only_fault(tmp_path / "nowhere").message


def test_spaces_around_a_name_that_is_looked_up_count_for_nothing(tmp_path: Path) -> None:
    new_study(tmp_path / "town")
    path = tmp_path / "town" / "nearer.toml"
    path.write_text(path.read_text() + '\n[[agencies]]\nname = " city "\nmax_open = 1\n')
    assert load_study(tmp_path / "town").agencies[0].name == "city"


def test_every_key_is_listed_with_what_it_means() -> None:
    text = keys_text()
    assert "[[agencies.floors]]" in text
    assert re.search(r"^limit_min +# farther counts as out of reach.*default 30", text, re.MULTILINE)
    assert re.search(r"^file +# .*must be given$", text, re.MULTILINE)


def test_the_check_says_so_where_most_people_live_far_from_every_site(tmp_path: Path) -> None:
    new_study(tmp_path / "town")
    assert check_study(tmp_path / "town").warnings == ()
    path = tmp_path / "town" / "nearer.toml"
    path.write_text(path.read_text().replace("limit_min = 30 ", "limit_min = 0.2 "))
    said = check_study(tmp_path / "town").warnings
    assert len(said) == 1
    assert "of all people are reached from no site within 0.2 minutes" in said[0]
