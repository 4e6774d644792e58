"""Everything read and timed, nothing planned: what a study holds and what no street could take."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nearer.kernels.jit import default_threads
from nearer.planning.document import Snapping
from nearer.progress import Progress, Silent, Stop
from nearer.study.asking import question_of
from nearer.study.limits import Run
from nearer.study.load import load_study
from nearer.study.parts import number_to_open, read_study, snapping, study_folder, times_per_class, travel, weigh
from nearer.study.staging import stage

_MOST = 0.5  # of all people, above which a plan for the rest says little


@dataclass(frozen=True)
class CheckReport:
    """
    What a study holds.

    Parameters
    ----------
    study
        Its name.
    points, people
        Number of points, and the people who live there.
    groups
        People per group.
    sites
        Number of sites per status; "excluded" counts candidates on ground where nothing may open.
    open_min, open_max
        How many are to open.
    snapping
        How people and sites were joined to the streets; empty without streets.
    unreachable, unreachable_people
        Ids of the first hundred points that no site reaches within the limit, and how many people live at all of them.
    unreachable_points
        Number of such points.
    limit_min
        The limit.
    notes
        What the readers want known.
    """

    study: str
    points: int
    people: float
    groups: dict[str, float]
    sites: dict[str, int]
    open_min: int
    open_max: int
    snapping: dict[str, Snapping]
    unreachable: tuple[str, ...]
    unreachable_points: int
    unreachable_people: float
    limit_min: float
    notes: tuple[str, ...]

    @property
    def warnings(self) -> tuple[str, ...]:
        """What makes a plan of this study worth little, one sentence each."""
        found = []
        joined = self.snapping.get("people")
        if joined is not None and joined.unjoined_people > _MOST * self.people:
            found.append(
                f"{joined.unjoined_people / max(self.people, 1e-9):.0%} of all people have no street within "
                f"{joined.cap_m:g} m: does the extract cover the area, and are lon and lat the right way round? "
                "snap_m in [streets] says how far is too far."
            )
        if self.unreachable_people > _MOST * self.people and not found:
            found.append(
                f"{self.unreachable_people / max(self.people, 1e-9):.0%} of all people are reached from no site within "
                f"{self.limit_min:g} minutes: do people and sites lie in the same place, and is limit_min long enough?"
            )
        return tuple(found)

    def as_json(self) -> dict[str, Any]:
        """The report as plain values."""
        snapping = {name: one.model_dump() for name, one in self.snapping.items()}
        return asdict(self) | {"warnings": list(self.warnings), "snapping": snapping}


def check_study(
    folder: Path, *, threads: int | None = None, progress: Progress | None = None, stop: Stop | None = None
) -> CheckReport:
    """
    Read a study and time it, as ``run_study`` would, and report on what it holds.

    Raises
    ------
    InputError
        Faults in the files or settings, all that could be found.
    """
    folder = Path(folder)
    run = Run(None, threads=threads or default_threads(), progress=progress or Silent(), stop=stop or Stop())
    study = load_study(folder)
    tables = read_study(folder, study, run)
    open_min, open_max = number_to_open(study, tables)
    demand = weigh(tables, study)
    network = travel(tables, study, run, study_folder(folder))
    times = times_per_class(network.times, study, demand)
    reached = np.zeros(demand.n_points, dtype=bool)
    for one in times:
        reached |= np.diff(one.indptr) > 0
    if study.staged:
        stage(study, tables, demand, times)  # finds what is wrong with costs, agencies, levels and rules
    elif not study.is_plain:
        question_of(study, tables, demand, times)
    people, sites = tables.people.table, tables.sites.table
    status = sites["status"].value_counts()
    return CheckReport(
        study=study.study.name,
        points=tables.people.n,
        people=float(demand.total.sum()),
        groups={name: float(count) for name, count in zip(demand.groups, demand.people.sum(axis=1), strict=True)},
        sites={
            **{name: int(status.get(name, 0)) for name in ("existing", "candidate", "other")},
            "excluded": int((sites["excluded"] & (sites["status"] == "candidate")).sum()),
        },
        open_min=open_min,
        open_max=open_max,
        snapping=snapping(network, tables, study),
        unreachable=tuple(people["id"][~reached].head(100)),
        unreachable_points=int((~reached).sum()),
        unreachable_people=float(demand.total[~reached].sum()),
        limit_min=study.streets.limit_min,
        notes=(*tables.people.notes, *tables.sites.notes, *tables.notes),
    )
