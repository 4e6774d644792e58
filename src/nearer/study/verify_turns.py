"""The check of objectives in order over phases, levels and money: each value, what was kept, and each bound."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

from nearer.errors import CheckFailedError
from nearer.inputs.tables import Tables
from nearer.model.check import agrees
from nearer.model.evaluate_rules import rules_bound
from nearer.planning.document import PlanDocument, Turn
from nearer.planning.files import PROOF_FILE
from nearer.study.checks import Check, equal
from nearer.study.retime_pairs import Pairs
from nearer.study.settings import Study
from nearer.study.stages import PhaseSettings
from nearer.study.verify_people import SLACK, People
from nearer.study.verify_sending import send_best
from nearer.study.verify_stages import load_rules_certificate, money_of, staged_again
from nearer.study.verify_steps import Story


def check_turns(
    document: PlanDocument, study: Study, tables: Tables, pairs: dict[str, Pairs], story: Story, folder: Path
) -> tuple[list[Check], tuple[str, ...]]:
    """
    Compare what a plan in stages says of several objectives with what they come to.

    Parameters
    ----------
    story
        Levels of the sites, which were checked before, as were counts, money and loads.

    Returns
    -------
    checks, notes
        What was compared, and what could not be.
    """
    told = [turn.name for turn in document.objectives]
    checks = [equal("objectives: order", told, list(study.aims))]
    if told != list(study.aims):
        return checks, ()
    facts = _Values(study, tables, pairs, folder)
    today = Story(tuple(story.today for _ in facts.phases), story.today)
    notes: list[str] = []
    found: list[float] = []
    for turn, tolerance in zip(document.objectives, study.tolerances, strict=True):
        checks += [
            _near(f"{turn.name}: value", turn.value, facts.value(turn, story, best=False)),
            _near(f"{turn.name}: value before", turn.before, facts.value(turn, today, best=True)),
            equal(f"{turn.name}: tolerance", turn.tolerance, tolerance),
            *_check_figures(turn),
        ]
        if turn.proof == "solver":
            notes.append(f"The bound of {turn.name} is the solver's own word; it was compared with the value only.")
        else:
            checks.append(_check_proof(turn, found, study, tables, pairs, folder / PROOF_FILE, not found))
        found.append(turn.found)
    first = document.objectives[0]
    gain = 0.0
    if first.value != first.bound:
        gain = abs(first.value - first.bound) / max(abs(first.before - first.bound), 1e-9)
    worst = next((s for s in ("feasible", "gap") if any(turn.status == s for turn in document.objectives)), "optimal")
    checks += [
        equal("objective: name", document.objective.name, first.name),
        equal("objective: unit", document.objective.unit, first.unit),
        equal("objective: value before", document.before_value, first.before),
        equal("bound", document.bound, first.bound),
        equal("gap", document.gap, first.gap),
        equal("gain_gap", document.gain_gap, gain),
        equal("proof", document.proof, first.proof),
        equal("status", document.status, worst),
        _near("objective: value is the first's", document.objective.value, first.value),
    ]
    return checks, tuple(notes)


class _Values:
    """Objectives of stories of a study."""

    def __init__(self, study: Study, tables: Tables, pairs: dict[str, Pairs], folder: Path) -> None:
        self.study, self.tables, self.pairs, self.folder = study, tables, pairs, folder
        self.phases = study.plan.phases or (PhaseSettings(name="plan"),)

    def value(self, turn: Turn, story: Story, *, best: bool) -> float:
        """An objective in its unit; people go as the plan sends them, or as is ``best`` for it."""
        people = People(self.study, self.tables, self.pairs, self.phases, story, self.folder, turn.name)
        if turn.name == "cost":
            if turn.unit != "money":
                return float(sum(site not in story.today for site in story.level[-1]))
            table = self.tables.sites.table.set_index("id", drop=False)
            spent, running = money_of(self.study, table, self.phases, story)
            return math.fsum(spent[:, 0]) + math.fsum(people.counted * running[:, 0])
        if best:
            send_best(people)
        return people.value_over_phases()


def _sign(turn: Turn) -> float:
    """−1 where larger values are better."""
    return -1.0 if turn.name == "coverage" else 1.0


def _near(name: str, told: float, found: float) -> Check:
    """Sums over shares that a solver rounded agree less well than sums of the same terms."""
    return Check(name, abs(told - found) <= SLACK * max(abs(told), abs(found), 1.0), told, found)


def _check_figures(turn: Turn) -> Iterator[Check]:
    """What follows from the figures themselves: what later turns kept, the gap, and the word for it."""
    sign = _sign(turn)
    most = turn.found * (1 + sign * turn.tolerance)
    kept = sign * turn.value <= sign * most + SLACK * max(abs(most), 1.0)
    yield Check(f"{turn.name}: kept by later objectives", kept, turn.value, most)
    gap = abs(turn.value - turn.bound) / max(abs(turn.value), 1e-9)
    yield equal(f"{turn.name}: gap", turn.gap, gap)
    short = sign * (turn.found - turn.bound)
    sound = short >= -1e-9 * max(abs(turn.found), 1e-9)
    yield Check(f"{turn.name}: bound is no better than found", sound, turn.bound, turn.found)
    if turn.status == "optimal":
        yield Check(f"{turn.name}: optimal", short <= 1e-9 * abs(turn.found) * (1 + 1e-3), turn.found, turn.bound)


def _check_proof(
    turn: Turn,
    found: list[float],
    study: Study,
    tables: Tables,
    pairs: dict[str, Pairs],
    path: Path,
    main: bool,
) -> Check:
    """The bound that the multipliers of a turn prove, on an instance that keeps what was found before."""
    name = f"{turn.name}: bound"
    try:
        certificate = load_rules_certificate(path, "" if main else turn.name)
        staged = staged_again(study, tables, pairs, found)
        proven = staged.goal.whole.bound_of(rules_bound(staged.instance, certificate))
    except CheckFailedError as error:
        return Check(name, False, turn.bound, str(error))
    beyond = _sign(turn) * (turn.bound - proven)
    return Check(name, beyond <= 1e-9 * abs(proven) + 1e-12 or agrees(turn.bound, proven), turn.bound, proven)
