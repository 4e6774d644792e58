"""A new study is written whole, and over nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from nearer.errors import NearerError, UsageError
from nearer.study import new as new_module
from nearer.study.load import load_study
from nearer.study.new import new_study


def test_the_template_is_a_valid_study_with_the_files_it_names(tmp_path: Path) -> None:
    folder = new_study(tmp_path / "town")
    study = load_study(folder)
    for name in (study.people.file, *(source.file for source in study.sites)):
        assert (folder / str(name)).is_file()


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "town").mkdir()
    assert (new_study(tmp_path / "town") / "nearer.toml").is_file()


def test_a_folder_with_anything_in_it_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="not empty"):
        new_study(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_file_in_the_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "town").write_text("mine")
    with pytest.raises(UsageError, match="is a file"):
        new_study(tmp_path / "town")


@pytest.mark.parametrize("example", [None, "liechtenstein"])
def test_sizes_are_for_the_generated_city_only(tmp_path: Path, example: str | None) -> None:
    with pytest.raises(UsageError, match="--example newtown"):
        new_study(tmp_path / "town", example=example, people=10)  # type: ignore[arg-type]


def test_a_failure_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(source: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(new_module.shutil, "copyfile", full)
    with pytest.raises(NearerError, match="No space left"):
        new_study(tmp_path / "town")
    assert list(tmp_path.iterdir()) == []
