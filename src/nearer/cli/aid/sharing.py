"""Sharing: proposals, what a person decides on them, and crises."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nearer.cli.aid.shared import AsJson, At, Id, answering, asker_of, do, rows_table
from nearer.cli.console import DONE, STOPPED_EARLY, progress_bars, say, say_json, stoppable
from nearer.cli.options import Language
from nearer.errors import UsageError
from nearer.language import language as speaking

if TYPE_CHECKING:
    pass

Proposal = Annotated[str, typer.Argument(metavar="PROPOSAL", help="Such as A31.")]
First = Annotated[
    str | None, typer.Option("--first", metavar="DAY", help="First day.", show_default="today, at the hub")
]
Days = Annotated[int, typer.Option(min=1, max=31, help="Days that are planned.")]
AsOf = Annotated[
    int | None,
    typer.Option(metavar="NUMBER", help="Last transaction that counts.", show_default="the last one"),
]
Needs = Annotated[
    str, typer.Option(metavar="KINDS", help="What counts as need: requests, targets, enrolled; with commas.")
]
Explain = Annotated[bool, typer.Option("--explain", help="Show also what each stage reached, with its bound.")]
TimeLimit = Annotated[float, typer.Option(min=0, help="Seconds; what is not proven by then is said.")]

_ALL = "requests,targets,enrolled"


def allocate(
    context: typer.Context,
    first: First = None,
    days: Days = 7,
    needs: Needs = _ALL,
    rebalance: Annotated[
        bool, typer.Option("--rebalance", help="Centres give what they have above their targets.")
    ] = False,
    as_of: AsOf = None,
    explain: Explain = False,
    frontier: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Show what fairness costs, and draw it as SVG there.")
    ] = None,
    language: Annotated[
        Language, typer.Option(envvar="NEARER_LANGUAGE", help="What is written in that picture.", show_envvar=True)
    ] = Language.EN,
    time_limit: TimeLimit = 120.0,
    id: Id = None,
    as_json: AsJson = False,
) -> None:
    """Propose who gets what, fairly and with a reason for each line; a person approves it."""
    with speaking(language.value):
        _propose(
            context, {"rebalance": rebalance}, first, days, needs, as_of, explain, frontier, time_limit, id, as_json
        )  # fmt: skip


def crisis(
    context: typer.Context,
    close: Annotated[
        list[str] | None, typer.Option(metavar="SITE", help="A site that is out; may be repeated.")
    ] = None,
    surge: Annotated[
        list[str] | None,
        typer.Option(metavar="SITE=FACTOR", help="So many times the usual need, such as south=1.5; may be repeated."),
    ] = None,
    reason: Annotated[str, typer.Option(help="planned, flood, fire, outage, staff, safety, full or other.")] = "other",
    first: First = None,
    days: Days = 7,
    needs: Needs = _ALL,
    as_of: AsOf = None,
    explain: Explain = False,
    time_limit: TimeLimit = 120.0,
    id: Id = None,
    as_json: AsJson = False,
) -> None:
    """Propose what to do when sites are out or need grows: who takes over, what moves where; one approval does it."""
    with answering(as_json):
        if not close and not surge:
            raise UsageError("Say what has happened: --close north, or --surge south=1.5.")
        surges: dict[str, int] = {}
        for text in surge or []:
            site, _, factor = text.partition("=")
            try:
                surges[site] = round(1000 * float(factor))
            except ValueError:
                raise UsageError(f"{text!r} is no surge; write south=1.5.") from None
            if not 1 <= surges[site] <= 100_000:
                raise UsageError(f"{text!r} is no surge; the factor is between 0.001 and 100.")
    made = {"rebalance": True, "closing": dict.fromkeys(close or [], reason), "surges": surges}
    _propose(context, made, first, days, needs, as_of, explain, None, time_limit, id, as_json)


def _propose(
    context: typer.Context,
    wish: dict[str, Any],
    first: str | None,
    days: int,
    needs: str,
    as_of: int | None,
    explain: bool,
    frontier: Path | None,
    time_limit: float,
    id: str | None,
    as_json: bool,
) -> None:
    with answering(as_json):
        import uuid

        from nearer.aid.sharing import propose
        from nearer.aid.sharing.build import Wish
        from nearer.aid.sharing.needs import SOURCES
        from nearer.aid.store import Store

        sources = tuple(part.strip() for part in needs.split(",") if part.strip())
        if not sources or set(sources) - set(SOURCES):
            raise UsageError(f"{needs!r} is no list of needs; there are {', '.join(SOURCES)}.")
        asker = asker_of(context)
        points: list[Any] = []
        with Store(asker.ledger) as store, stoppable() as stop, progress_bars() as progress:
            wanted = Wish(_day(first) if first else propose.today_of(store), days, sources, **wish)
            drafted = propose.draft(store, wanted, as_of=as_of, stop=stop.within(time_limit), progress=progress)
            if frontier is not None:
                points = list(propose.frontier(drafted.built, stop=stop.within(time_limit), progress=progress))
            id = id or str(uuid.uuid4())
            answer = store.do(drafted.command, id=id, actor=asker.by, desk=asker.desk)
            kept = propose.proposal_of(store, answer["proposal"])
        if frontier is not None:
            _draw(points, frontier)
        if as_json:
            say_json({"id": id, **answer, **kept, "frontier": [vars(point) for point in points]})
        else:
            _tell(kept, explain)
            if points:
                _tell_frontier(points, frontier)
    raise typer.Exit(DONE if drafted.proposal.complete else STOPPED_EARLY)


def proposal(context: typer.Context, name: Proposal, explain: Explain = False, as_json: AsJson = False) -> None:
    """Show a proposal with its reasons, and what became of it."""
    with answering(as_json):
        from nearer.aid.sharing.propose import proposal_of
        from nearer.aid.store import Store

        with Store(asker_of(context).ledger) as store:
            kept = proposal_of(store, name)
        if as_json:
            say_json(kept)
        else:
            _tell(kept, explain)


def approve(
    context: typer.Context,
    name: Proposal,
    without: Annotated[
        str | None, typer.Option(metavar="LINES", help="Lines that are declined, such as 2,5; they stay free.")
    ] = None,
    until: Annotated[
        str | None,
        typer.Option(
            metavar="DAY", help="Last day that is set aside; later days are planned again.", show_default="all"
        ),
    ] = None,
    id: Id = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Approve a proposal: its goods are set aside for where they go, its closures take effect, all at once."""
    with answering(as_json):
        lines = [part.strip() for part in (without or "").split(",") if part.strip()]
        if not all(part.isdigit() for part in lines):
            raise UsageError(f"{without!r} are no lines; write 2,5.")
        fields = {"proposal": name, "without": [int(part) for part in lines], "until": until}
        said = "{proposal} is approved: {reserved} lines are set aside."
        do(context, "approve", fields, id=id, at=at, as_json=as_json, said=said)


def decline(
    context: typer.Context,
    name: Proposal,
    reason: Annotated[str, typer.Option(help="out-of-date, unfair, impractical or other.")] = "other",
    id: Id = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Decline a proposal; everything stays as it is."""
    with answering(as_json):
        fields = {"proposal": name, "reason": reason}
        do(context, "decline", fields, id=id, at=at, as_json=as_json, said="{proposal} is declined.")


def decisions(context: typer.Context, as_json: AsJson = False) -> None:
    """Show every proposal: who made it, and who decided what on it, when."""
    with answering(as_json):
        from nearer.aid.sharing.propose import decisions_of
        from nearer.aid.store import Store

        with Store(asker_of(context).ledger) as store:
            rows = decisions_of(store)
        if as_json:
            say_json(rows)
        elif rows:
            rows_table(rows)
        else:
            say("Nothing.")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text!r} is no day; write 2026-03-02.") from None


def _tell(kept: dict[str, Any], explain: bool) -> None:
    what = "crisis" if kept["kind"] == "crisis" else "proposal"
    say(
        f"{what.capitalize()} {kept['proposal']}: {kept['first_day']} to {kept['last_day']}, from what the ledger held "
        f"after transaction {kept['as_of']}. {_STATUS[kept['status']]}"
    )
    for closure in kept["closures"]:
        shares = [taker for taker in kept["takeovers"] if taker["site"] == closure["site"]]
        takers = [f"{taker['to']} {taker['per_mille'] / 10:g} %" for taker in shares]
        told = ", ".join(takers) or "nobody in reach"
        say(f"{closure['site']} closes ({closure['reason']}). Its need goes to: {told}.")
    for surge in kept["surges"]:
        say(f"{surge['site']} needs {surge['per_mille'] / 1000:g} times as much.")
    if kept["lines"]:
        rows_table([_line(line) for line in kept["lines"]])
    else:
        say("Nothing is to move.")
    for share in kept["shares"]:
        say(share["because"])
    if explain:
        rows_table([stage | {"proven": "yes" if stage["proven"] else "no"} for stage in kept["stages"]])
        say(f"Solved by {kept['solver']}; inputs {kept['inputs'][:12]}….")
    if kept["decision"] is None:
        say(f"Nothing has moved. Approve it with `nearer aid approve {kept['proposal']}`.")
    else:
        decided = kept["decision"]
        say(f"{decided['outcome'].capitalize()} by {decided['by']} on {decided['at'][:10]}.")


def _line(line: dict[str, Any]) -> dict[str, Any]:
    shown = ("line", "day", "from", "to", "item", "lot", "quantity", "unit", "reservation")
    onward = "once it is there" if line["onward"] else None
    return {name: line[name] for name in shown} | {
        "then": onward if line["for"] == line["to"] else f"on to {line['for']}"
    }


_STATUS = {
    "proven": "No allocation is fairer.",
    "unproven": "The stages say what is not proven.",
    "stopped": "It was stopped early: all limits hold, but it may not be the fairest.",
}


def _tell_frontier(points: list[Any], file: Path | None) -> None:
    say("What fairness costs (packs split):")
    rows_table(
        [
            {
                "fair share kept": f"{100 * point.kept:.0f} %",
                "lowest": f"{100 * point.lowest:.1f} %",
                "served, kg": f"{point.served_kg:,.1f}",
                "at most, kg": f"{point.bound_kg:,.1f}",
            }
            for point in points
        ]
    )
    say(f"  {file}")


def _draw(points: list[Any], file: Path) -> None:
    from nearer.report.sharepage import write_share_plot

    write_share_plot([(point.kept, point.served_kg, point.bound_kg) for point in points], file)


COMMANDS = {
    "allocate": allocate,
    "crisis": crisis,
    "proposal": proposal,
    "approve": approve,
    "decline": decline,
    "decisions": decisions,
}
