"""``nearer check``: what was read, and what is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from nearer.cli.console import answering, progress_bars, say, say_json, say_table, stoppable
from nearer.cli.options import JsonOption, StudyArgument, ThreadsOption

if TYPE_CHECKING:
    from nearer.study.check import CheckReport

SHOWN = 8
"""Ids listed before the rest is counted."""


def _say_keys(asked: bool) -> None:
    if asked:
        from nearer.study.keys import keys_text

        say(keys_text())
        raise typer.Exit


def check(
    study: StudyArgument,
    threads: ThreadsOption = None,
    as_json: JsonOption = False,
    keys: Annotated[
        bool,
        typer.Option("--keys", is_eager=True, callback=_say_keys, help="List every key of nearer.toml, and stop."),
    ] = False,
) -> None:
    """Read everything, list every fault at once, and show what no street could take."""
    with answering(as_json):
        from nearer.study.check import check_study

        with stoppable() as stop, progress_bars() as progress:
            report = check_study(study, threads=threads, progress=progress, stop=stop)
        if as_json:
            say_json(report.as_json())
        else:
            _show(report)


def _counted(n: int, noun: str) -> str:
    return f"{n:,} {noun}" + ("" if n == 1 else "s")


def _show(report: CheckReport) -> None:
    sites = report.sites
    excluded = f", {sites['excluded']:,} of them on excluded ground" if sites["excluded"] else ""
    number = f"{report.open_max:,}" if report.open_min == report.open_max else f"at most {report.open_max:,}"
    but = " Most people are left out, though: see below." if report.warnings else ""
    say(f"{report.study}: nothing is wrong with its files.{but}\n")
    say(f"  people      {report.people:,.0f} at {_counted(report.points, 'point')}")
    for group, count in report.groups.items():
        say(f"    {group:<10}{count:,.0f}")
    others = f", {sites['other']:,} of others" if sites["other"] else ""
    say(f"  existing    {_counted(sites['existing'], 'site')}{others}")
    say(f"  candidates  {_counted(sites['candidate'], 'site')}{excluded}")
    say(f"  to open     {number}\n")
    if report.snapping:
        say_table(
            ["joined to the streets", "points", "joined", "median m", "farthest m", "cap m"],
            [
                [
                    name,
                    f"{s.points:,}",
                    f"{s.joined:,}",
                    f"{s.median_m:,.0f}",
                    f"{s.farthest_m:,.0f}",
                    f"{s.cap_m:,.0f}",
                ]
                for name, s in report.snapping.items()
            ],
        )
    rows = [
        [f"{name} no street could take", f"{s.points - s.joined:,}", _people(s.unjoined_people), _some(s.unjoined)]
        for name, s in report.snapping.items()
        if s.unjoined
    ]
    if report.unreachable:
        what = f"people that no site reaches in {report.limit_min:g} min"
        rows.append(
            [what, f"{report.unreachable_points:,}", _people(report.unreachable_people), _some(report.unreachable)]
        )
    if rows:
        say("")
        say_table(["left out", "points", "people", "ids"], rows)
    else:
        say(f"Every point can be reached from some site within {report.limit_min:g} minutes.")
    for text in (*report.warnings, *report.notes):
        say(f"\n{text}")


def _people(count: float) -> str:
    return f"{count:,.0f}" if count else ""


def _some(ids: tuple[str, ...] | list[str]) -> str:
    return ", ".join(ids[:SHOWN]) + (" …" if len(ids) > SHOWN else "")
