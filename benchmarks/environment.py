"""
Other programs, in an environment of their own that ``NEARER_PEERS`` names.

    python -m benchmarks.environment DIR

makes one there, with the versions that were measured; it lies outside the repository, and nothing of it is kept in it.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import venv
from functools import cache
from pathlib import Path

from benchmarks.given import PEERS, AbsentError, Given

VERSIONS = {
    "spopt": "0.7.0",  # 0.8 needs Python 3.12
    "pulp": "3.3.2",
    "highspy": "1.16.0",
    "pbp-pmedian": "0.2.2",
    "ortools": "9.15.6755",
    "kmedoids": "0.5.5",
    "pyrosm": "0.25.0",
    "pandana": "0.8",
}
"""What is measured beside ours, each version by name."""

RECIPE = "python -m benchmarks.environment DIR"

_ASK = "import importlib.metadata as m, sys; print(m.version(sys.argv[1]))"
_ROOT = Path(__file__).resolve().parents[1]


def make(folder: Path) -> Path:
    """
    Make the peers' environment.

    Returns
    -------
    Path
        Its Python.

    Raises
    ------
    AbsentError
        The folder lies inside the repository.
    """
    if folder.resolve().is_relative_to(_ROOT):
        raise AbsentError(f"{folder} lies inside the repository; name a folder elsewhere")
    venv.create(folder, with_pip=True)
    python = interpreter(Given(peers=folder))
    pinned = [f"{name}=={version}" for name, version in VERSIONS.items()]
    subprocess.run([str(python), "-m", "pip", "install", "--quiet", *pinned], check=True)
    return python


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


@cache
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


def main() -> int:
    """Make the environment and say how to name it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.environment", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="DIR")
    folder = parser.parse_args().folder
    try:
        make(folder)
    except (AbsentError, subprocess.CalledProcessError) as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{PEERS}={folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
