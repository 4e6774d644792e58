"""What the drivers of problem files share: ``… PROBLEM.npz LIMIT_S SEED,SEED,… OUT.json``, an answer for each seed."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from problem_file import load

GAP = 1e-4
"""Asked of all programs where people are split over sites: sums of such values agree no better."""

Answer = dict[str, Any]
"""``build_s``, ``solve_s`` and both with ``_cpu``, ``status`` and ``optimal`` (what the program says), ``bound``,
``open`` (sites, or None) and, where capacities bind, ``assigned`` (rows, sites, shares)."""


def answers(
    once: Callable[[Any, float, int], Answer],
    first: Callable[[Any], None] | None = None,
    read: Callable[[Path], Any] = load,
) -> None:
    """Solve the file that the command line names with each seed; ``first`` is done before, untimed."""
    path, limit_s, seeds, out = sys.argv[-4:]
    problem = read(Path(path))
    if first is not None:
        first(problem)
    Path(out).write_text(json.dumps([once(problem, float(limit_s), int(seed)) for seed in seeds.split(",")]))
