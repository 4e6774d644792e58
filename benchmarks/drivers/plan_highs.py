"""Solve the compact model of phases, levels and budgets with HiGHS alone: TOWN.npz LIMIT_S SEEDS OUT.json."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from each_seed import GAP, Answer, answers
from laps import Laps
from problem_file import Model, load_model
from solve_highs import searched


def once(model: Model, limit_s: float, seed: int) -> Answer:
    laps = Laps()
    x, said = searched(model, limit_s, seed, laps, GAP)
    return laps.noted | said | ({"open": None} if x is None else {"open": [], "x": x.tolist()})


if __name__ == "__main__":
    answers(once, read=load_model)
