"""What a plan is put to the test with: the question, and the plan with all it was made from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nearer.inputs.tables import Tables
from nearer.network import Network
from nearer.planning.document import PlanDocument
from nearer.planning.stress import Situation
from nearer.planning.stress_document import Scenario
from nearer.study.settings import Study
from nearer.units import BoolArray, minutes_to_ms


@dataclass(frozen=True)
class Question:
    """
    What is assumed to happen, and what is asked.

    Parameters
    ----------
    out_of_service
        Ids of centres that are out.
    hazard
        File with polygons of ground that nobody can use or cross; None for none.
    surge
        Surges as text: "area=NAME:FACTOR", "GROUP:FACTOR", "all:FACTOR".
    replan
        How many sites to open, bring back or move first; 0 = do not ask.
    random, draws
        How many more centres to lose at random, and how often; None = do not ask.
    worst
        How many more centres to lose so that it hurts most; None = do not ask.
    harden
        How many centres to make safe against the worst loss of ``worst`` others; None = do not ask.
    stock
        How many centres hold reserve stock in the scenarios given; None = do not ask.
    scenarios
        Scenarios, also as text: "NAME=PROBABILITY:ID,ID".
    scenarios_file
        Table of scenarios with columns ``scenario``, ``probability``, ``out`` (ids separated by commas).
    seed
        Start of every random choice.
    """

    out_of_service: tuple[str, ...] = ()
    hazard: Path | None = None
    surge: tuple[str, ...] = ()
    replan: int = 3
    random: int | None = None
    draws: int = 1000
    worst: int | None = None
    harden: int | None = None
    stock: int | None = None
    scenarios: tuple[str | Scenario, ...] = ()
    scenarios_file: Path | None = None
    seed: int = 0


@dataclass(frozen=True)
class Ground:
    """
    A plan with the inputs it was made from, before anything happens.

    Parameters
    ----------
    document, plan_sha
        The plan, and the hash of its file.
    study, tables, network
        What it was made from.
    situation
        Who lives where and what the plan has open.
    ours_mask
        Open centres that are part of the plan, not another provider's, bool (n_sites,).
    status
        What each open site is in the plan, "" where it is not open, object (n_sites,).
    spare_mask
        Candidates and closed centres that may open, bool (n_sites,).
    """

    document: PlanDocument
    plan_sha: str
    study: Study
    tables: Tables
    network: Network
    situation: Situation
    ours_mask: BoolArray
    status: Any
    spare_mask: BoolArray

    @property
    def unreached_ms(self) -> int:
        """What a person out of reach counts as."""
        return minutes_to_ms(self.study.unreached_min)
