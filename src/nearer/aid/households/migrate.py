"""The forms that the tables of a household database have had."""

from __future__ import annotations

from pathlib import Path

from nearer.aid.steps import Steps

VERSIONS = "households_version"
"""Table that tells which form the tables have; not the ledger's, so that neither is taken for the other."""

STEPS = Steps(Path(__file__).parent / "migrations", VERSIONS)
