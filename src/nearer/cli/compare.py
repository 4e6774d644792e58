"""``nearer compare``: plans side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from nearer.cli.console import DONE, answering, say, say_json, say_table
from nearer.cli.options import JsonOption


def compare(
    plans: Annotated[list[Path], typer.Argument(metavar="PLAN", help="Two plan folders or more.")],
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where the comparison goes.", show_default="compare, beside the first plan"),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Compare plans: sites in common and only in one, measures, groups, areas and costs."""
    with answering(as_json):
        from nearer.study.compare import COMPARE_FILE, COMPARE_PAGE, run_compare

        made = run_compare(plans, out=out)
        folder = out or plans[0].resolve().parent / "compare"
        if as_json:
            say_json(made.model_dump(mode="json", by_alias=True))
        else:
            _say(made)
            say("\n" + "\n".join(f"  {folder / name}" for name in (COMPARE_PAGE, COMPARE_FILE)))
    raise typer.Exit(DONE)


def _say(made: Any) -> None:
    from nearer.report import comparepage, words

    near = words.bare(made.coverage_min)
    header = ["plan", "new", "alone", "minutes", f"within {near} min", "out of reach", "better by at most"]
    rows = [
        [
            plan.label,
            str(plan.opened),
            str(len(plan.only)),
            f"{plan.after.mean_min:.2f}",
            words.percent(plan.after.within),
            words.whole(plan.after.unreached),
            "proven" if plan.status == "optimal" else words.percent_up(plan.gap),
        ]
        for plan in made.plans
    ]
    say_table(header, rows)
    say("\n" + "\n".join(comparepage.summary(made)))
