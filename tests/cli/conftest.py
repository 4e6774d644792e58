"""The command line with its output, its errors and its exit code: in this process, or as one of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from nearer.cli import app

Finished = subprocess.CompletedProcess[str]
Nearer = Callable[..., Finished]


@pytest.fixture
def nearer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Nearer:
    """Run ``nearer`` with some arguments in an empty folder, in this process."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.delenv("NEARER_DEBUG", raising=False)

    def run(*arguments: object) -> Finished:
        result = CliRunner().invoke(app, [str(argument) for argument in arguments])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return subprocess.CompletedProcess(arguments, result.exit_code, result.stdout, result.stderr)

    return run


@pytest.fixture
def nearer_process(tmp_path: Path) -> Nearer:
    """Run ``nearer`` with some arguments in an empty folder, as its users do."""

    def run(*arguments: object) -> Finished:
        return subprocess.run(
            [sys.executable, "-m", "nearer", *map(str, arguments)],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            encoding="utf-8",
            env=os.environ | {"PYTHONUTF8": "1", "COLUMNS": "120"},
            timeout=120,
            check=False,
        )

    return run
