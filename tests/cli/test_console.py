"""Progress and Ctrl-C."""

from __future__ import annotations

import io
import signal
import sys
import time

import pytest

from nearer.cli import console
from nearer.cli.console import answering, progress_bars, stoppable
from nearer.progress import Silent


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_nothing_is_drawn_where_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bars() as progress:
        assert isinstance(progress, Silent)
    assert capsys.readouterr().err == ""


def test_a_closed_standard_error_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    with progress_bars() as bars:
        assert isinstance(bars, Silent)


def test_a_reader_who_has_had_enough_gets_no_message(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(BrokenPipeError), answering():
        raise BrokenPipeError
    assert capsys.readouterr() == ("", "")


def test_short_steps_draw_no_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with progress_bars() as progress, progress.step("reading", 3) as tick:
        tick(2)
    assert terminal.getvalue() == ""


@pytest.mark.parametrize("total", [10, None])
def test_long_steps_draw_a_bar_on_standard_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], total: int | None
) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr(console, "BAR_AFTER_S", 0.0)
    with progress_bars() as progress, progress.step("travel times", total) as tick:
        time.sleep(0.05)
        tick(4, "halfway")
        time.sleep(0.3)
    assert "travel times" in terminal.getvalue()
    assert "halfway" in terminal.getvalue()
    assert capsys.readouterr().out == ""


def test_the_first_interrupt_asks_and_the_second_ends(capsys: pytest.CaptureFixture[str]) -> None:
    before = signal.getsignal(signal.SIGINT)
    with stoppable() as stop:
        assert not stop.cancelled
        signal.raise_signal(signal.SIGINT)
        assert stop.cancelled
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before
    assert "best found so far" in capsys.readouterr().err
