"""Folders filled beside and put in place: what a killed run leaves goes with the next, what is in use stays."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from nearer import files
from nearer.files import clear_left, new_folder
from nearer.study.write import write_folder

KILLS = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no kill -9 here")

WRITER = """
import sys, time
from pathlib import Path
from nearer.files import new_folder

with new_folder(Path(sys.argv[1])) as fresh:
    (fresh / "a.txt").write_text("half")
    print("filling", flush=True)
    time.sleep(60)
"""


@contextmanager
def writing(out: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that is in the middle of writing a folder, killed at the end."""
    out.mkdir(exist_ok=True)
    with subprocess.Popen([sys.executable, "-c", WRITER, str(out)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "filling\n"
        try:
            yield process
        finally:
            process.kill()


def write(out: Path) -> None:
    write_folder(out, ["a.txt"], lambda fresh: (fresh / "a.txt").write_text("whole") and None, "X")


def held(folder: Path) -> list[Path]:
    return sorted(folder.glob(".new-*"))


@KILLS
def test_what_a_killed_run_left_goes_with_the_next_and_a_run_that_lives_is_left_alone(tmp_path: Path) -> None:
    with writing(tmp_path):
        (living,) = held(tmp_path)
        write(tmp_path)
        assert held(tmp_path) == [living]
        assert (living / "a.txt").read_text() == "half"
    assert held(tmp_path) == [living]  # killed, it cleared nothing up
    write(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "whole"


def test_a_folder_of_this_very_process_is_left_alone(tmp_path: Path) -> None:
    with new_folder(tmp_path) as folder:
        clear_left(tmp_path)
        assert folder.is_dir()
    assert held(tmp_path) == []


@KILLS
@pytest.mark.parametrize("how", ["copied", "of another machine", "without its holder", "being born"])
def test_a_folder_whose_holder_cannot_be_known_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    out = tmp_path / "out"
    with writing(out):
        pass
    (left,) = held(out)
    match how:
        case "copied":
            shutil.copytree(left, out / ".new-copy")
        case "of another machine":
            monkeypatch.setattr(files.platform, "node", lambda: "elsewhere")
        case "without its holder":
            (left / ".held").unlink()
        case "being born":
            (left / ".held").write_text("")
    clear_left(out)
    assert [path.name for path in held(out)] == [".new-copy" if how == "copied" else left.name]


@KILLS
def test_where_there_are_no_locks_a_folder_can_be_filled_and_nothing_is_cleared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(*_: object) -> None:
        raise OSError(37, "No locks available")

    with writing(tmp_path):
        pass
    (left,) = held(tmp_path)
    monkeypatch.setattr(files.fcntl, "flock", none)
    write(tmp_path)
    assert held(tmp_path) == [left]
    assert (tmp_path / "a.txt").read_text() == "whole"
