"""What all commands share: errors as sentences, exit codes, Ctrl-C, progress bars."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any

import typer

from nearer.errors import InputError, NearerError
from nearer.language import t
from nearer.progress import HOLDS, Silent, Stop, Tick

if TYPE_CHECKING:
    import rich.progress

    from nearer.progress import Progress

DONE, FAILED, BAD_INPUT, STOPPED_EARLY = 0, 1, 2, 3

BAR_AFTER_S = 2.0
"""Steps shorter than this show no bar."""


def speak_plainly() -> None:
    """Let every terminal print what it can of our text, instead of failing on a sign it lacks."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def say(text: str) -> None:
    """Print a result for people."""
    typer.echo(text)


def say_table(header: list[str], rows: list[list[str]]) -> None:
    """Print a table for people: words run left, numbers right."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for position, name in enumerate(header):
        is_text = position == 0 or name in ("ids", t("best site"))
        table.add_column(name, justify="left" if is_text else "right", overflow="fold")
    for row in rows:
        table.add_row(*row)
    Console(highlight=False, markup=False).print(table)


def note(text: str) -> None:
    """Print beside the result, on standard error."""
    typer.echo(text, err=True)


def tell_full(stop: Stop) -> None:
    """Say beside the result that memory, not time, ended a search."""
    if stop.full:
        note("Memory ran short, so the search ended with the bound it had; with more memory it goes on.")


def say_json(value: Any) -> None:
    """Print a result for programs."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False))


@contextmanager
def answering(as_json: bool = False) -> Iterator[None]:
    """
    Turn whatever goes wrong into sentences on standard error and an exit code.

    With ``as_json`` the faults are also printed as JSON, so that a program finds them where it looks for results.
    ``NEARER_DEBUG=1`` lets the traceback through.
    """
    if os.environ.get("NEARER_DEBUG") == "1":
        yield
        return
    try:
        yield
    except NearerError as error:
        note(str(error))
        if as_json:
            say_json(_as_json(error))
        raise typer.Exit(error.exit_code) from None
    except (typer.Exit, BrokenPipeError):
        raise  # of the second, typer makes a silent end: who read our output has had enough
    except KeyboardInterrupt:
        note("Stopped at once; nothing was written.")
        raise typer.Exit(STOPPED_EARLY) from None
    except MemoryError:
        note("There is not enough memory for this; take a smaller limit_min, or fewer points or sites.")
        raise typer.Exit(FAILED) from None
    except Exception as error:
        what = " ".join(str(error).split()) or "no details"
        note(f"Something unexpected went wrong ({type(error).__name__}: {what}); set NEARER_DEBUG=1 to see where.")
        raise typer.Exit(FAILED) from None


def _as_json(error: NearerError) -> dict[str, Any]:
    from dataclasses import asdict

    faults = [asdict(fault) | {"text": str(fault)} for fault in error.faults] if isinstance(error, InputError) else []
    return {"error": str(error), "exit_code": error.exit_code, "faults": faults}


@contextmanager
def stoppable() -> Iterator[Stop]:
    """Give a stop that Ctrl-C asks for; a second Ctrl-C ends at once."""
    stop = Stop()

    def on_interrupt(number: int, frame: FrameType | None) -> None:
        if stop.cancelled:
            raise KeyboardInterrupt
        stop.cancel()
        note("Stopping with the best found so far (Ctrl-C again: at once) …")

    if sys.stderr is not None and sys.stderr.isatty():
        HOLDS.tell = lambda: note("Compiling what later runs find ready; this takes up to half a minute, once …")
    before = signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def progress_bars() -> Iterator[Progress]:
    """Bars with time left on standard error for steps that take a while; silence where that is no terminal."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield Silent()
        return
    bars = _Bars()
    try:
        yield bars
    finally:
        bars.close()


class _Bars:
    def __init__(self) -> None:
        self._progress: rich.progress.Progress | None = None
        self._lock = threading.RLock()

    @contextmanager
    def step(self, label: str, total: int | None = None) -> Iterator[Tick]:
        """Show one step once it has taken ``BAR_AFTER_S``."""
        done, note_text = 0, ""
        task: rich.progress.TaskID | None = None
        ended = False

        def show() -> None:
            nonlocal task
            with self._lock:
                if not ended:
                    bars = self._started()
                    task = bars.add_task(label, total=total, completed=done, note=note_text)

        def tick(steps: int = 1, note: str = "", closing: tuple[float, float] | None = None) -> None:
            nonlocal done, note_text
            with self._lock:
                done += steps
                note_text = note or note_text
                if task is not None and self._progress is not None:
                    self._progress.update(task, completed=done, note=note_text)

        timer = threading.Timer(BAR_AFTER_S, show)
        timer.daemon = True
        timer.start()
        try:
            yield tick
        finally:
            timer.cancel()
            with self._lock:
                ended = True
                if task is not None and self._progress is not None:
                    self._progress.remove_task(task)

    def _started(self) -> rich.progress.Progress:
        if self._progress is None:
            from rich import progress
            from rich.console import Console

            self._progress = progress.Progress(
                progress.TextColumn("{task.description}"),
                progress.BarColumn(),
                progress.TaskProgressColumn(),
                progress.TimeRemainingColumn(),
                progress.TimeElapsedColumn(),
                progress.TextColumn("{task.fields[note]}"),
                console=Console(stderr=True),
                transient=True,
            )
            self._progress.start()
        return self._progress

    def close(self) -> None:
        """Take the bars away."""
        with self._lock:
            if self._progress is not None:
                self._progress.stop()
