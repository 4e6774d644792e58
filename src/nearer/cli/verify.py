"""``nearer verify``: the independent check of a plan, or of a benchmark result."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nearer.cli.console import DONE, FAILED, answering, progress_bars, say, say_json
from nearer.cli.options import JsonOption, StudyOfPlanOption
from nearer.errors import UsageError


def verify(
    plan: Annotated[
        Path, typer.Argument(metavar="PLAN", help="A folder of results, or a RESULT.json of `nearer solve`.")
    ],
    study: StudyOfPlanOption = None,
    instance: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The benchmark file that RESULT.json is about.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Compute a plan's value, rules, measures and bound again, by separate plain code, and compare."""
    with answering(as_json):
        agrees = _verify_plan(plan, study, as_json) if instance is None else _verify_result(plan, instance, as_json)
    raise typer.Exit(DONE if agrees else FAILED)


def _verify_plan(plan: Path, study: Path | None, as_json: bool) -> bool:
    from nearer.study.verify_any import WHAT, kind_of, verify_any

    kind = kind_of(plan)
    if kind is None:
        raise UsageError(f"{plan} is not a plan folder; for a result of `nearer solve`, add --instance FILE.")
    with progress_bars() as progress:
        verdict = verify_any(plan, study, progress)
    if as_json:
        say_json(verdict.as_json())
        return verdict.ok
    for check in verdict.differing:
        say(str(check))
    for text in verdict.notes:
        say(text)
    what = WHAT[kind]
    if verdict.ok:
        say(f"The {what} holds: all {len(verdict.checks)} of its claims were computed again and agree.")
    else:
        say(f"The {what} does not hold: {len(verdict.differing)} of {len(verdict.checks)} claims differ.")
    return verdict.ok


def _verify_result(result: Path, instance: Path, as_json: bool) -> bool:
    from nearer.study.result import verify_result

    with progress_bars() as progress, progress.step("Checking the result"):
        check = verify_result(result, instance, progress)
    agrees = not check.differences
    if as_json:
        say_json({"ok": agrees, "value": check.value, "bound": check.bound, "differences": check.differences})
    elif agrees:
        bound = "not checked, there is no proof file" if check.bound is None else f"{check.bound:,.12g}, as proven"
        say(f"The result holds: value {check.value:,.12g}; bound {bound}.")
    else:
        for difference in check.differences:
            say(f"The result does not hold: {difference}.")
    return agrees
