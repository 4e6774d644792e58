"""One job: ``python -m nearer.serve.worker JOB_FOLDER STUDY_FOLDER THREADS``."""

from __future__ import annotations

import json
import math
import os
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO

from nearer.errors import InputError, NearerError
from nearer.language import language
from nearer.progress import Stop, Tick
from nearer.serve.jobs import ALIVE, EVENTS, JOB, OUTCOME, STOP, write_json
from nearer.serve.studies import PLANS

_BEAT_S, _LOOK_S, _TELL_S = 1.0, 0.1, 0.1


class Told:
    """Progress as lines of JSON; at most ten a second, the last of each step always."""

    def __init__(self, file: TextIO) -> None:
        self._file, self._lock, self._start_s = file, threading.Lock(), time.monotonic()

    def say(self, **what: Any) -> None:
        """Write one line."""
        with self._lock:
            self._file.write(json.dumps({"s": round(time.monotonic() - self._start_s, 2), **what}) + "\n")
            self._file.flush()

    @contextmanager
    def step(self, label: str, total: int | None = None) -> Iterator[Tick]:
        """Report one step."""
        done, last_s, held = 0, -math.inf, {}
        self.say(step=label, done=0, total=total)

        def tick(steps: int = 1, note: str = "", closing: tuple[float, float] | None = None) -> None:
            nonlocal done, last_s, held
            done += steps
            held = {"step": label, "done": done, "total": total, "note": note}
            if closing is not None:
                held |= {"value": _finite(closing[0]), "bound": _finite(closing[1])}
            if time.monotonic() - last_s >= _TELL_S:
                last_s = time.monotonic()
                self.say(**held)
                held = {}

        try:
            yield tick
        finally:
            if held:
                self.say(**held)


def _finite(number: float) -> float | None:
    return float(number) if math.isfinite(number) else None


def _watch(folder: Path, stop: Stop, wish: dict[str, bool]) -> None:
    """Show that we are alive, and pass on the wish to stop."""
    beat_s = 0.0
    while True:
        time.sleep(_LOOK_S)
        if time.monotonic() - beat_s > _BEAT_S:
            beat_s = time.monotonic()
            (folder / ALIVE).touch()
        if not stop.cancelled:
            try:
                wish["keep"] = (folder / STOP).read_text(encoding="utf-8") == "keep"
                stop.cancel()
            except OSError:
                pass


def run_job(folder: Path, study: Path, threads: int) -> dict[str, Any]:
    """Do what a job asks; returns its outcome, whose ``state`` says how it ended."""
    job = json.loads((folder / JOB).read_text(encoding="utf-8"))
    stop, wish = Stop(), {"keep": True}
    threading.Thread(target=_watch, args=(folder, stop, wish), daemon=True).start()
    with (folder / EVENTS).open("w", encoding="utf-8") as file:
        told = Told(file)
        try:
            with language(str(job["request"].get("language", "en"))):
                outcome = _do(job, study, threads, told, stop)
        except InputError as error:
            faults = [asdict(fault) | {"text": str(fault)} for fault in error.faults]
            return {"state": "failed", "error": str(error), "faults": faults}
        except NearerError as error:
            state = "cancelled" if stop.cancelled else "failed"
            return {"state": state, "error": str(error), "faults": []}
        except MemoryError:
            return {"state": "failed", "error": "There is not enough memory for this.", "faults": []}
    if stop.cancelled and not wish["keep"]:
        return {"state": "cancelled", "error": "", "faults": []}
    return {"state": "stopped" if stop.cancelled else "done", **outcome}


def _do(job: dict[str, Any], study: Path, threads: int, told: Told, stop: Stop) -> dict[str, Any]:
    asked: dict[str, Any] = job["request"]
    limits: dict[str, Any] = {"threads": threads, "progress": told, "stop": stop}
    out = study / PLANS / job["id"]
    match job["kind"]:
        case "plan":
            from nearer.study.run import run_study

            plan = run_study(study, out=out, time_limit_s=float(asked.get("time_limit_s", 60.0)), **limits)
            document = plan.document
            return {"plan": job["id"], "status": document.status, "gap": document.gap, "opened": document.opened}
        case "gaps":
            from nearer.study.gaps import find_gaps

            find_gaps(study, out=study / "gaps", minutes=asked.get("minutes"), **limits)
            return {"folder": "gaps"}
        case "curve":
            from nearer.study.curve import run_curve

            run_curve(study, out=study / "curve", to=asked.get("to"), time_limit_s=120.0, **limits)
            return {"folder": "curve"}
        case "frontier":
            from nearer.study.frontier import run_frontier
            from nearer.study.load import load_study

            first, second = load_study(study).aims[0], str(asked.get("against") or "farthest")
            run_frontier(study, first=first, second=second, out=study / "frontier", time_limit_s=120.0, **limits)
            return {"folder": "frontier"}
        case "sensitivity":
            from nearer.study.sensitivity import run_sensitivity

            run_sensitivity(study, out=study / "sensitivity", time_limit_s=120.0, **limits)
            return {"folder": "sensitivity"}
        case "agencies":
            from nearer.study.agencies import compare_agencies

            compare_agencies(study, out=study / "agencies", time_limit_s=30.0, **limits)
            return {"folder": "agencies"}
        case "stress":
            from nearer.serve.stressing import run_hand_drawn

            return run_hand_drawn(study, str(job["id"]), asked, limits)
    raise ValueError(job["kind"])


def main() -> None:
    """Run the job and write what came of it."""
    folder, study, threads = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    if hasattr(os, "nice"):  # whoever hands over or looks at a map meanwhile goes first; more would starve plans
        os.nice(3)
    try:
        outcome = run_job(folder, study, threads)
    except Exception as error:
        traceback.print_exc()
        outcome = {"state": "failed", "error": f"Something unexpected went wrong: {error}", "faults": []}
    write_json(folder / OUTCOME, outcome)


if __name__ == "__main__":
    main()
