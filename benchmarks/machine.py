"""What the figures were measured on."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path

LIBRARIES = ("numpy", "scipy", "numba", "highspy", "pandas", "osmium")


def processor() -> str:
    """The processor's own name, as far as the system tells."""
    listed = Path("/proc/cpuinfo")
    if listed.exists():
        names = [line.partition(":")[2].strip() for line in listed.read_text().splitlines() if "model name" in line]
        if names:
            return names[0]
    return platform.processor() or platform.machine()


def memory_gb() -> float | None:
    """Memory of the machine, where the system tells."""
    listed = Path("/proc/meminfo")
    if not listed.exists():
        return None
    return int(listed.read_text().split()[1]) / 1e6


def load() -> float | None:
    """Processes that wanted to run during the last minute, on average; None where the system does not tell."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else None


def facts() -> list[str]:
    """One line each: machine, load, programs."""
    memory, busy = memory_gb(), load()
    hardware = [processor(), f"{os.cpu_count()} processors", platform.system()]
    hardware += [f"{memory:.0f} GB of memory"] if memory else []
    programs = [f"nearer {version('nearer')}", f"Python {platform.python_version()}"]
    programs += [f"{name} {version(name)}" for name in LIBRARIES]
    lines = [", ".join(hardware), ", ".join(programs)]
    if busy is not None:
        lines.append(f"load {busy:.1f} at the start (above 0 means others were at work; read processor seconds then)")
    return lines
