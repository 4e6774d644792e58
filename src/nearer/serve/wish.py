"""What the server wishes to have made of a study."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nearer.planning.files import PLAN_FILE
from nearer.serve.studies import plan_folder


@dataclass(frozen=True)
class Wish:
    """
    Something to be made of a study.

    Parameters
    ----------
    folder, rev
        The study, and the state of its data.
    kind, args
        What; see ``nearer.serve.making``.
    """

    folder: Path
    rev: str
    kind: str
    args: tuple[Any, ...] = ()

    @property
    def asked(self) -> str:
        """Its name among those of the study."""
        return json.dumps([self.kind, *self.args])


def plan_state(study: Path, plan: str) -> tuple[str, int, int]:
    """
    A plan's id and what tells it from one that is made anew under it.

    Raises
    ------
    NotThereError
        There is no such plan.
    """
    state = (plan_folder(study, plan) / PLAN_FILE).stat()
    return plan, state.st_mtime_ns, state.st_size
