"""Other programs, in an environment of their own that ``NEARER_PEERS`` names."""

from __future__ import annotations

import subprocess
from pathlib import Path

from benchmarks.given import PEERS, AbsentError, Given

RECIPE = "python3 -m venv DIR && DIR/bin/pip install spopt pulp highspy pyrosm pandana pbp-pmedian"

_ASK = "import importlib.metadata as m, sys; print(m.version(sys.argv[1]))"


def interpreter(given: Given) -> Path:
    """
    The Python of the peers' environment.

    Raises
    ------
    AbsentError
        There is none; the message says how to make one.
    """
    if given.peers is None:
        raise AbsentError(f"make an environment ({RECIPE}) and set {PEERS} to it")
    for place in ("bin/python", "Scripts/python.exe"):
        if (given.peers / place).exists():
            return given.peers / place
    raise AbsentError(f"{PEERS} names no virtual environment")


def peer_version(given: Given, package: str) -> str:
    """
    Version of a package in the peers' environment.

    Raises
    ------
    AbsentError
        The environment or the package is absent.
    """
    command = [str(interpreter(given)), "-c", _ASK, package]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise AbsentError(f"the environment that {PEERS} names has no {package}")
    return done.stdout.strip()
