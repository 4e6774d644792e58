"""What every what-if question starts from: a study read, its times and its problem, without a plan."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from nearer.demand import Demand
from nearer.inputs.tables import Tables
from nearer.model import OPEN, Instance
from nearer.model.build import build_instance
from nearer.network import TravelTimes
from nearer.study.limits import Run
from nearer.study.parts import read_study, standing, study_folder, times_near, times_per_class, travel, weigh
from nearer.study.settings import Study
from nearer.units import IntArray, minutes_to_ms


@dataclass(frozen=True)
class Ready:
    """
    A study, ready to be asked.

    Parameters
    ----------
    study, tables, demand
        Settings, inputs, and what people weigh.
    times
        Uncut times of each speed class; on a cluster without pairs farther than the nearest site that stands open.
    standing
        ``OPEN``, ``FREE`` or ``FORBIDDEN`` per site, int8 (n_sites,).
    instance
        The problem, with nothing to open yet.
    """

    study: Study
    tables: Tables
    demand: Demand
    times: list[TravelTimes]
    standing: IntArray
    instance: Instance

    @property
    def unreached_ms(self) -> int:
        """What a person out of reach counts as."""
        return minutes_to_ms(self.study.unreached_min)

    @property
    def ours(self) -> int:
        """Our own centres of today."""
        return int((self.tables.sites.table["status"] == "existing").sum())


def left_aside(study: Study) -> list[str]:
    """What of a study the what-if questions do not take up, one sentence each."""
    found = []
    if study.staged:
        found.append("Phases, levels, money and agencies of the study are left aside here: any candidate may open.")
    if not study.is_plain:
        found.append("Only travel is made good here: other objectives of the study, and forced sites, are left aside.")
    return found


def get_ready(study: Study, folder: Path, run: Run, *, past: bool = False) -> Ready:
    """
    Read a study and compute its times.

    Parameters
    ----------
    study
        Its settings, with what the question replaces.
    folder
        The study folder, or its ``nearer.toml``.
    run
        Threads, progress, and who may stop.
    past
        Whether it is asked what was before some of today's sites: then no times are left out.

    Raises
    ------
    InputError
        Faults in the files.
    """
    with run.timed("read"):
        tables = read_study(folder, study, run)
    run.go_on()
    with run.timed("network"):
        network = travel(tables, study, run, study_folder(folder), near=not past)
    run.go_on()
    with run.timed("model"):
        demand = weigh(tables, study)
        stands = standing(tables, study)
        times = times_per_class(network.times if past else times_near(network, stands == OPEN, run), study, demand)
        instance = build_instance(demand, times, stands, 0, 0, minutes_to_ms(study.unreached_min))
    return Ready(study, tables, demand, times, stands, instance)
