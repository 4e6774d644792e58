"""Where a long run stands, kept in one file that is written anew as it goes on, so that a run that was lost goes on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nearer.cluster import Answer, read_answer
from nearer.files import written_whole
from nearer.solvers.interchange import Note


@dataclass(frozen=True)
class Rounds:
    """
    Keeps the last arrays it is given.

    Parameters
    ----------
    path
        The file; its name should tell the question, since what it holds is true of no other.
    """

    path: Path

    def read(self) -> Answer:
        """What was kept last; nothing where nothing was, or where the file is damaged."""
        return (read_answer(self.path) if self.path.exists() else None) or {}

    def keep(self, **arrays: np.ndarray | float) -> None:
        """
        Keep these in place of the last.

        Raises
        ------
        OutputError
            The file cannot be written.
        """
        with written_whole(self.path) as beside, beside.open("wb") as file:
            np.savez(file, **{name: np.asarray(one) for name, one in arrays.items()})  # type: ignore[arg-type]

    def of(self, step: str) -> Note:
        """Keeps the plans of a step under its name, with the work done before each."""
        return lambda plan, spent: self.keep(**{step: plan, "spent": np.array(spent)})
