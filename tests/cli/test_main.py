"""What all commands share."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

import nearer as package
from nearer.cli import app
from nearer.cli.console import answering
from nearer.errors import Fault, InfeasibleError, InputError, UsageError

COMMANDS = ("new", "check", "plan", "verify", "solve", "version")
runner = CliRunner()


def test_help_names_every_command_and_the_exit_codes() -> None:
    text = runner.invoke(app, ["--help"]).output
    for command in COMMANDS:
        assert command in text
    assert "3 stopped early" in " ".join(text.split())


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str) -> None:
    result = runner.invoke(app, [command, "--help"])
    assert result.exit_code == 0
    assert result.output.strip()


def test_the_version_is_the_packages() -> None:
    assert runner.invoke(app, ["version"]).output.strip() == package.__version__


def test_help_loads_nothing_heavy() -> None:
    heavy = ("numpy", "numba", "pandas", "geopandas", "scipy", "pydantic", "highspy", "osmium")
    code = f"import sys; import nearer.cli; print([name for name in {heavy!r} if name in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert loaded.strip() == "[]"


def test_help_loads_nothing_that_takes_time() -> None:
    code = (
        "import sys\nfrom typer.testing import CliRunner\nfrom nearer.cli import app\n"
        "assert CliRunner().invoke(app, ['--help']).exit_code == 0\n"
        "heavy = ['numpy', 'numba', 'scipy', 'pandas', 'geopandas', 'shapely', 'highspy', 'rasterio', 'sqlalchemy']\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("arguments", [["plan"], ["plan", "x", "--opne", "3"], ["plan", "x", "--open", "a"], ["fly"]])
def test_wrong_usage_is_exit_code_2(arguments: list[str]) -> None:
    assert runner.invoke(app, arguments).exit_code == 2


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InputError([Fault("a"), Fault("b", "f.csv", 3, "x", "mend it")]), 2),
        (UsageError("Not so."), 2),
        (InfeasibleError("No plan."), 1),
        (KeyboardInterrupt(), 3),
        (MemoryError(), 1),
        (RuntimeError("wires\ncrossed"), 1),
    ],
)
def test_every_error_is_a_sentence_and_an_exit_code(
    error: BaseException, code: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NEARER_DEBUG", raising=False)
    with pytest.raises(typer.Exit) as caught, answering():
        raise error
    assert caught.value.exit_code == code
    out, err = capsys.readouterr()
    assert out == ""
    assert "Traceback" not in err
    assert err.strip()


def test_each_fault_stands_on_its_own_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit), answering():
        raise InputError([Fault("one"), Fault("two", "f.csv", 3, "x", "mend it")])
    assert capsys.readouterr().err == "one.\nf.csv, row 3, column x: two; mend it.\n"


def test_an_unexpected_error_says_how_to_see_more(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit), answering():
        raise ZeroDivisionError("division by zero")
    (line,) = capsys.readouterr().err.splitlines()
    assert "division by zero" in line
    assert "NEARER_DEBUG=1" in line


def test_debugging_lets_the_traceback_through(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEARER_DEBUG", "1")
    with pytest.raises(ZeroDivisionError), answering():
        raise ZeroDivisionError


def test_a_study_that_is_not_there_is_a_sentence_with_exit_code_2(nearer_process: Any, tmp_path: Path) -> None:
    for command in ("check", "plan"):
        result = nearer_process(command, tmp_path / "nowhere")
        assert result.returncode == 2
        assert result.stdout == ""
        assert "there is no folder" in result.stderr
        assert len(result.stderr.splitlines()) == 1
