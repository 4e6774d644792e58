"""Small files are read once, and read anew as soon as they are others."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from nearer.errors import InputError
from nearer.serve.remembered import Remembered, settings_of
from nearer.serve.studies import plans_told


class Read:
    def __init__(self) -> None:
        self.times = 0

    def __call__(self, file: Path) -> str:
        self.times += 1
        return file.read_text(encoding="utf-8")


def test_a_file_is_read_once_until_it_is_another(tmp_path: Path) -> None:
    file, read = tmp_path / "a.txt", Read()
    said = Remembered(read)
    file.write_text("one", encoding="utf-8")
    assert [said.of(file) for _ in range(3)] == ["one"] * 3
    assert read.times == 1
    state = file.stat()
    beside = tmp_path / "beside"
    beside.write_text("two", encoding="utf-8")
    os.utime(beside, ns=(state.st_atime_ns, state.st_mtime_ns))
    beside.replace(file)
    assert said.held(file) is None, "as long and of the same moment, but another file"
    assert (said.of(file), read.times) == ("two", 2)
    file.unlink()
    assert said.held(file) is None
    with pytest.raises(FileNotFoundError):
        said.of(file)


def test_only_so_many_are_remembered(tmp_path: Path) -> None:
    read = Read()
    said = Remembered(read, most=2)
    for name in ("a", "b", "c"):
        (tmp_path / name).write_text(name, encoding="utf-8")
        said.of(tmp_path / name)
    assert said.held(tmp_path / "a") is None
    assert said.held(tmp_path / "c") == "c"


def test_faults_of_settings_are_told_every_time_and_their_mending_at_once(tmp_path: Path) -> None:
    from nearer.study.new import new_study

    new_study(tmp_path / "town", example="newtown", people=5_000)
    file = tmp_path / "town" / "nearer.toml"
    good = file.read_text(encoding="utf-8")
    assert settings_of(tmp_path / "town") is settings_of(tmp_path / "town")
    file.write_text(good + "\n[nonsense]\n", encoding="utf-8")
    for _ in range(2):
        with pytest.raises(InputError, match="nonsense"):
            settings_of(tmp_path / "town")
    file.write_text(good, encoding="utf-8")
    assert settings_of(tmp_path / "town").study.name
    with pytest.raises(InputError, match="there is no folder"):
        settings_of(tmp_path / "nowhere")


def test_a_plan_that_is_replaced_is_told_anew(tmp_path: Path) -> None:
    text = (
        '{"opened": %d, "status": "optimal", "objective": {"name": "mean"}, "gap": 0.0, '
        '"measures": {"before": {"mean_min": 9.0}, "after": {"mean_min": 8.0}}, '
        '"settings": {"plan": {"force": [], "forbid": []}}}'
    )
    (tmp_path / "plan").mkdir()
    file = tmp_path / "plan" / "plan.json"
    file.write_text(text % 3, encoding="utf-8")
    assert [one["opened"] for one in plans_told(tmp_path)] == [3]
    (tmp_path / "beside").write_text(text % 4, encoding="utf-8")
    (tmp_path / "beside").replace(file)
    assert [one["opened"] for one in plans_told(tmp_path)] == [4]
    file.write_text("{", encoding="utf-8")
    assert plans_told(tmp_path) == []
