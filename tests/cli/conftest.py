"""The command line as its users meet it: a process with output, errors and an exit code."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Finished = subprocess.CompletedProcess[str]
Nearer = Callable[..., Finished]


@pytest.fixture
def nearer(tmp_path: Path) -> Nearer:
    """Run ``nearer`` with some arguments in an empty folder."""

    def run(*arguments: object, **env: str) -> Finished:
        return subprocess.run(
            [sys.executable, "-m", "nearer", *map(str, arguments)],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            encoding="utf-8",
            env=os.environ | {"PYTHONUTF8": "1", "COLUMNS": "120"} | env,
            timeout=120,
            check=False,
        )

    return run
