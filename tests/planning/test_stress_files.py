"""The published schema of ``stress.json`` is that of the code."""

from __future__ import annotations

from pathlib import Path

from nearer.planning.stress_files import stress_schema_text

PUBLISHED = Path(__file__).parents[2] / "docs" / "stress.schema.json"


def test_the_published_schema_is_that_of_the_code() -> None:
    """Write it anew with ``stress_schema_text()`` when this fails on purpose."""
    assert PUBLISHED.read_text(encoding="utf-8") == stress_schema_text()
