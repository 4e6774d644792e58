"""What a run of the benchmarks was given: the optional data, the peers' environment, the sizes."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

DATA, PEERS = "NEARER_DATA", "NEARER_PEERS"


class AbsentError(Exception):
    """Something optional is not here; the message says what to set or install to have it measured."""


@dataclass(frozen=True)
class Given:
    """
    What is there to measure with.

    Parameters
    ----------
    data
        The optional data folder, or None.
    peers
        A virtual environment that holds other programs, or None; they are never installed in ours.
    small
        Tiny sizes, to see that everything runs; the figures mean nothing.
    limit_s
        Most seconds for each problem; None for each class's own limit.
    out
        The file the tables go to, or None; further files lie beside it.
    """

    data: Path | None = None
    peers: Path | None = None
    small: bool = False
    limit_s: float | None = None
    out: Path | None = None

    @classmethod
    def here(cls, small: bool = False, limit_s: float | None = None, out: Path | None = None) -> Given:
        """As the environment variables say."""
        data, peers = (Path(os.environ[name]) if os.environ.get(name) else None for name in (DATA, PEERS))
        return cls(data, peers, small, limit_s, out)

    def beside(self, name: str) -> Path | None:
        """
        A file that belongs to the tables, None without tables.

        ``0.2.0.md`` has ``0.2.0-peers.csv`` beside it, and so has ``0.2.0-peers.md``.
        """
        if self.out is None:
            return None
        self.out.parent.mkdir(parents=True, exist_ok=True)
        stem = self.out.stem.removesuffix("-" + name.partition(".")[0])
        return self.out.with_name(f"{stem}-{name}")

    def city(self, *parts: str) -> Path:
        """A file of a city in the optional data folder."""
        if self.data is None:
            raise AbsentError(f"set {DATA} to the optional data folder")
        path = self.data.joinpath("cities", *parts)
        if not path.exists():
            raise AbsentError(f"{DATA} has no {Path('cities', *parts).as_posix()}")
        return path
