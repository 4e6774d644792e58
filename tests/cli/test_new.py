"""``nearer new``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nearer.study.load import load_study


def test_a_new_study_says_what_to_do_next(nearer: Any, tmp_path: Path) -> None:
    result = nearer("new", "town")
    assert (result.returncode, result.stderr) == (0, "")
    assert "nearer plan town" in result.stdout
    load_study(tmp_path / "town")


def test_a_folder_in_use_is_refused_with_exit_code_2(nearer: Any, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    result = nearer("new", ".")
    assert result.returncode == 2
    assert "not empty" in result.stderr


def test_the_real_example_is_written(nearer: Any, tmp_path: Path) -> None:
    assert nearer("new", "country", "--example", "liechtenstein").returncode == 0
    load_study(tmp_path / "country")
