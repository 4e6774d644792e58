"""
Run a Python program in a process of its own and write down what it took; works in a peer's environment too.

    python child.py NOTE.json SCRIPT.py ARGUMENT …
    python child.py NOTE.json -m MODULE ARGUMENT …

Only the standard library is used here, and peak memory is read inside the process: seen from outside it would include
the process that started it.
"""

from __future__ import annotations

import json
import os
import runpy
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Ran:
    """
    What a program took.

    Parameters
    ----------
    seconds
        On the clock, interpreter and imports included.
    cpu_s
        Processor seconds of all its threads and children; of one that was stopped its own until then, where the system
        tells.
    peak_mb
        Most memory held at once, where the system tells; of one that was stopped, until then.
    code, said, complained
        Exit code (None where it was stopped), standard output, standard error.
    """

    seconds: float
    cpu_s: float | None
    peak_mb: float | None
    code: int | None
    said: str
    complained: str

    def checked(self, *allowed: int) -> Ran:
        """Itself, or an error with what it complained of unless it ended with 0 or one of these codes."""
        if self.code not in (0, *allowed):
            end = "was stopped" if self.code is None else f"ended with {self.code}"
            raise RuntimeError(f"a measured program {end}: {self.complained.strip()[-2000:] or self.said[-2000:]}")
        return self


def run(arguments: list[str], *, python: Path | str = sys.executable, limit_s: float | None = None) -> Ran:
    """Run ``SCRIPT.py …`` or ``-m MODULE …`` and wait for it, at most ``limit_s``."""
    with tempfile.TemporaryDirectory() as scratch:
        note = Path(scratch) / "note.json"
        command = [str(python), str(Path(__file__).resolve()), str(note), *arguments]
        start = time.perf_counter()
        # A group of its own where there are such, so that what a stopped program started ends with it.
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
        ) as process:
            try:
                said, complained = process.communicate(timeout=limit_s)
            except subprocess.TimeoutExpired:
                cpu_s, held_mb = _cpu_s(process.pid), _peak_mb(process.pid)
                _end(process)
                process.communicate()
                return Ran(time.perf_counter() - start, cpu_s, held_mb, None, "", "")
            except BaseException:  # Ctrl-C
                _end(process)
                raise
        spent_s = time.perf_counter() - start
        noted = json.loads(note.read_text()) if note.exists() else {}
    return Ran(spent_s, noted.get("cpu_s"), noted.get("peak_mb"), process.returncode, said, complained)


def _end(process: subprocess.Popen[str]) -> None:
    if hasattr(os, "killpg"):
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()


def drive(name: str, *arguments: Path | str, python: Path | str = sys.executable, limit_s: float | None = None) -> Ran:
    """Run a script of ``drivers``."""
    script = Path(__file__).resolve().parent / "drivers" / f"{name}.py"
    return run([str(script), *map(str, arguments)], python=python, limit_s=limit_s)


def _cpu_s(pid: int) -> float | None:
    """Processor seconds of another process so far."""
    status = Path(f"/proc/{pid}/stat")
    if not status.exists():
        return None
    ticks = status.read_text().rpartition(")")[2].split()[11:13]  # user and system, after the name in brackets
    return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")


def _peak_mb(pid: int | str = "self") -> float | None:
    """Most memory a process has held; of another one only where the system tells."""
    status = Path(f"/proc/{pid}/status")
    if status.exists():
        held = [line.split()[1] for line in status.read_text().splitlines() if line.startswith("VmHWM")]
        return int(held[0]) / 1024 if held else None
    if pid != "self":
        return None
    try:
        import resource
    except ImportError:  # Windows
        return None
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # macOS counts in bytes


def _main() -> None:
    note, *command = sys.argv[1:]
    sys.path.pop(0)  # this folder, whose names must not stand in for anybody's modules
    try:
        if command[0] == "-m":
            sys.argv = command[1:]
            runpy.run_module(command[1], run_name="__main__", alter_sys=True)
        else:
            sys.argv = command
            runpy.run_path(command[0], run_name="__main__")
    finally:
        times = os.times()
        cpu_s = times.user + times.system + times.children_user + times.children_system
        Path(note).write_text(json.dumps({"cpu_s": cpu_s, "peak_mb": _peak_mb()}))


if __name__ == "__main__":
    _main()
