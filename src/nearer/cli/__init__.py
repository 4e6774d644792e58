"""The command line: one file per command; parse, call, print."""

from __future__ import annotations

import typer

from nearer import __version__
from nearer.cli import (
    agencies,
    aid,
    check,
    compare,
    curve,
    frontier,
    gaps,
    new,
    plan,
    report,
    sensitivity,
    serve,
    solve,
    stress,
    verify,
)
from nearer.cli.console import speak_plainly

app = typer.Typer(
    name="nearer",
    help="Decides where a city's neighbourhood centres go next, with a proof beside every answer.",
    epilog="Exit codes: 0 done; 1 a check failed or no plan is possible; 2 bad input or usage; "
    "3 stopped early, with the best result written.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("new")(new.new)
app.command("check")(check.check)
app.command("plan")(plan.plan)
app.command("report")(report.report)
app.command("compare")(compare.compare)
app.command("curve")(curve.curve)
app.command("frontier")(frontier.frontier)
app.command("gaps")(gaps.gaps)
app.command("sensitivity")(sensitivity.sensitivity)
app.command("stress")(stress.stress)
app.command("agencies")(agencies.agencies)
app.command("verify")(verify.verify)
app.command("solve")(solve.solve)
app.command("serve")(serve.serve)
app.add_typer(aid.app, name="aid")


@app.command("version")
def show_version() -> None:
    """Print the version."""
    typer.echo(__version__)


def main() -> None:
    """Run the command line."""
    speak_plainly()
    app()
