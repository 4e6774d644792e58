"""What could be worse: random losses, the worst loss, what to make safe, where to keep stock."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from nearer.cluster import Batch
from nearer.errors import Fault, InputError, UsageError
from nearer.inputs.frames import find_file, read_frame
from nearer.planning.outages import harden, random_losses, worst
from nearer.planning.stock import Stocked, stock
from nearer.planning.stress_document import Hardened, RandomLosses, Scenario, Stock, WorstLoss
from nearer.planning.stress_result import Proof
from nearer.solvers.fortification import Fortified
from nearer.solvers.interdiction import Loss
from nearer.study.limits import Run, Task, apart, side_by_side
from nearer.study.stress_ask import Happened, named_sites
from nearer.study.stress_ground import Ground, Question
from nearer.units import minutes_to_ms

NOTHING = "nothing more"
"""What the scenario is called that has the probability no other has."""


@dataclass(frozen=True)
class Further:
    """What could be worse, and the proofs by name."""

    random: RandomLosses | None = None
    worst: WorstLoss | None = None
    harden: Hardened | None = None
    stock: Stock | None = None
    proofs: dict[str, Proof] = field(default_factory=dict)


def check_question(question: Question) -> None:
    """
    Refuse questions whose parts do not go together.

    Raises
    ------
    UsageError
        With what to ask instead.
    """
    if question.harden is not None and question.worst is None:
        raise UsageError("--harden needs --worst R: how many others are lost once some centres are made safe.")
    given = bool(question.scenarios) or question.scenarios_file is not None
    if question.stock is not None and not given:
        raise UsageError('--stock needs scenarios: --scenario "NAME=PROBABILITY:ID,ID", or --scenarios FILE.')
    if given and question.stock is None:
        raise UsageError("Scenarios need --stock K: how many centres hold reserve stock.")


def look_further(ground: Ground, asked: Happened, question: Question, run: Run) -> Further:
    """Lose more centres than were given: at random, the worst, the worst once some are safe, and by scenario."""
    situation, ours, unreached_ms = asked.situation, ground.ours_mask, ground.unreached_ms
    ids = ground.tables.sites.table["id"].to_numpy(dtype=object)
    losable = int((ours & situation.open_mask).sum())
    for option, number in (
        ("--random", question.random), ("--worst", question.worst), ("--harden", question.harden),
        ("--stock", question.stock),
    ):  # fmt: skip
        if number is not None and number > losable:
            left = f"{losable} centres of the plan are in service" if losable != 1 else "one centre is in service"
            raise UsageError(f"{option} {number} is more than there are: {left}. Give at most {losable}.")
    tasks: dict[str, Task] = {}
    if question.random is not None:
        n_lost = question.random

        def draw(batch: Batch | None) -> RandomLosses:
            with run.timed("random"):
                coverage_ms = minutes_to_ms(ground.study.plan.coverage_min)
                return random_losses(
                    *(situation, ours, n_lost, question.draws, question.seed, unreached_ms, coverage_ms, ids),
                    run.stop.within(run.time_limit_s),
                    batch,
                )

        tasks["draws"] = draw
    if question.worst is not None:
        n_worst = question.worst

        def lose(batch: Batch | None) -> tuple[WorstLoss, Loss]:
            with run.timed("worst"):
                stop = run.stop.within(run.time_limit_s)
                return worst(situation, ours, n_worst, unreached_ms, ids, stop, apart(batch))

        tasks["worst"] = lose
        if question.harden is not None:
            n_safe = question.harden

            def make_safe(batch: Batch | None) -> tuple[Hardened, Fortified]:
                with run.timed("harden"):
                    stop = run.stop.within(run.time_limit_s)
                    return harden(situation, ours, n_safe, n_worst, unreached_ms, ids, stop, apart(batch))

            tasks["harden"] = make_safe
    if question.stock is not None:
        n_stock, scenarios = question.stock, read_scenarios(ground, question)

        def keep_stock(batch: Batch | None) -> Stocked:
            with run.timed("stock"):
                return stock(
                    situation,
                    ours,
                    scenarios,
                    [named_sites(ground, tuple(one.out), f"scenario {one.name}") for one in scenarios],
                    n_stock,
                    unreached_ms,
                    ids,
                    gap=run.gap,
                    seed=question.seed,
                    threads=run.threads,
                    stop=run.stop.within(run.time_limit_s),
                    progress=run.progress,
                    elsewhere=apart(batch),
                )

        tasks["stock"] = keep_stock
    told = side_by_side(run, tasks)
    proofs: dict[str, Proof] = {}
    hurt = safe = kept = None
    if "worst" in told:
        hurt, loss = told["worst"]
        proofs["worst"] = loss.proof
    if "harden" in told:
        safe, found = told["harden"]
        proofs["harden"] = found.proof
        proofs["harden-worst"] = found.worst.proof
    if "stock" in told:
        stocked: Stocked = told["stock"]
        kept = stocked.written
        for name, reserve in (("stock-expected", stocked.expected), ("stock-worst", stocked.worst)):
            if reserve.certificate is not None:
                proofs[name] = reserve.certificate
    return Further(told.get("draws"), hurt, safe, kept, proofs)


def read_scenarios(ground: Ground, question: Question) -> list[Scenario]:
    """
    Scenarios from the command line and a table; what is missing to a probability of 1 is that nothing more happens.

    Raises
    ------
    InputError
        A probability is none, they add up to more than 1, a name stands twice, or an id is no centre of the plan.
    """
    rows = [_parsed(given) for given in question.scenarios]
    if question.scenarios_file is not None:
        rows += _from_table(question.scenarios_file)
    faults: list[Fault] = []
    found: list[Scenario] = []
    for name, chance, out, where in rows:
        try:
            probability = float(chance)
        except ValueError:
            probability = -1.0
        if not 0 < probability <= 1:
            faults.append(Fault(f'"{chance}" is no probability', file=where, remedy="give a number above 0, up to 1"))
        if any(one.name == name for one in found) or name == NOTHING:
            faults.append(Fault(f'the scenario "{name}" stands twice', file=where, remedy="give each its own name"))
        named_sites(ground, tuple(out), where)
        found.append(Scenario(name=name, probability=max(probability, 0.0), out=list(dict.fromkeys(out))))
    total = sum(one.probability for one in found)
    if not faults and total > 1 + 1e-9:
        faults.append(Fault(f"the probabilities add up to {total:g}", file="scenarios", remedy="give at most 1 in all"))
    if faults:
        raise InputError(faults)
    if total < 1 - 1e-9:
        found.append(Scenario(name=NOTHING, probability=1.0 - total, out=[]))
    return found


def _parsed(given: str | Scenario) -> tuple[str, str, list[str], str]:
    if isinstance(given, Scenario):
        return given.name, repr(given.probability), given.out, f"scenario {given.name}"
    name, equals, rest = given.partition("=")
    chance, colon, ids = rest.partition(":")
    out = [part.strip() for part in ids.split(",") if part.strip()]
    if not (equals and colon and name.strip() and out):
        remedy = 'write NAME=PROBABILITY:ID,ID, such as "flood=0.1:c3,c7"'
        raise InputError([Fault(f'"{given}" is no scenario', file="--scenario", remedy=remedy)])
    return name.strip(), chance.strip(), out, "--scenario"


def _from_table(path: Path) -> list[tuple[str, str, list[str], str]]:
    frame = read_frame(find_file(path.parent, path.name), name=path.name, section="--scenarios")
    missing = [column for column in ("scenario", "probability", "out") if column not in frame.table.columns]
    if missing:
        remedy = "the columns are scenario, probability and out (ids separated by commas)"
        raise InputError([Fault(f"there is no column {missing[0]}", file=path.name, row=1, remedy=remedy)])
    table = frame.table
    columns = (np.asarray(table[name].astype(str)) for name in ("scenario", "probability", "out"))
    return [
        (
            str(name).strip(),
            str(chance).strip(),
            [part.strip() for part in str(out).split(",") if part.strip()],
            f"{path.name}, row {row}",
        )
        for name, chance, out, row in zip(*columns, frame.rows, strict=True)
    ]
