"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The optional data folder beside the project; tests that need it skip where it is absent."""
    folder = Path(os.environ.get("NEARER_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("the optional data folder is absent; set NEARER_DATA to its path")
    return folder
