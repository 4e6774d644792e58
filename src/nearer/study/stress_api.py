"""The door for notebooks and programs: a plan folder in, a plan put to the test out."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd

from nearer.kernels.jit import default_threads
from nearer.language import language as speaking
from nearer.planning.stress_document import Scenario, StressDocument
from nearer.planning.stress_result import Stress
from nearer.progress import Progress, Silent, Stop
from nearer.report.stress import write_stress_gpkg, write_stress_report
from nearer.report.stress_words import summary
from nearer.study.limits import Run
from nearer.study.stress import answer, prepare, run_stress
from nearer.study.stress_ground import Question


@dataclass(frozen=True, repr=False)
class StudyStress:
    """
    A plan put to the test: tables to work on, files to hand round.

    Parameters
    ----------
    stress
        The answer itself.
    """

    stress: Stress

    @property
    def document(self) -> StressDocument:
        """What ``stress.json`` would hold."""
        return self.stress.document

    @property
    def sites(self) -> gpd.GeoDataFrame:
        """Every site with ``status`` ("existing", "closed", "opened" first …), ``out``, people before and after."""
        return self.stress.sites

    @property
    def people(self) -> gpd.GeoDataFrame:
        """Every point with ``minutes_before``, ``minutes_after`` and ``cut_off`` people."""
        return self.stress.people

    def to_report(self, path: str | Path, *, language: str = "en") -> Path:
        """Write the page, one HTML file, in a language: "en", "es", "fa"; KeyError where there is no such."""
        with speaking(language):
            write_stress_report(self.stress, Path(path))
        return Path(path)

    def to_gpkg(self, path: str | Path) -> Path:
        """Write the layers for QGIS, styles inside."""
        write_stress_gpkg(self.stress, Path(path))
        return Path(path)

    def __repr__(self) -> str:
        return "\n".join(summary(self.document, self.stress.before.document))

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(repr(self))}</pre>"


def stress(
    plan: str | Path,
    *,
    out_of_service: Sequence[str] = (),
    hazard: str | Path | None = None,
    surge: Mapping[str, float] | None = None,
    random: int | None = None,
    draws: int = 1000,
    worst: int | None = None,
    harden: int | None = None,
    stock: int | None = None,
    scenarios: Mapping[str, tuple[float, Sequence[str]]] | None = None,
    replan: int = 3,
    study: str | Path | None = None,
    out: str | Path | None = None,
    seed: int = 0,
    time_limit_s: float | None = 60.0,
    gap: float = 1e-4,
    threads: int | None = None,
    progress: Progress | None = None,
    stop: Stop | None = None,
) -> StudyStress:
    """
    Put a plan to the test.

    Parameters
    ----------
    plan
        A plan folder.
    out_of_service
        Ids of centres that are out.
    hazard
        File with polygons of ground that nobody can use or cross.
    surge
        People then for each one now: ``{"area=Vaduz": 2.0, "older": 1.5, "all": 1.1}``.
    random, draws
        Lose so many more centres at random, so often.
    worst
        Find so many more centres whose loss hurts most.
    harden
        Find so many centres to make safe against the worst loss of ``worst`` others.
    stock, scenarios
        Find so many centres to hold reserve stock; scenarios by name, each a probability and the ids out in it.
    replan
        How many sites to open, bring back or move first; 0 does not ask.
    study
        The plan's study folder; default the one it was made from.
    out
        Folder to write the answer to; None to write nothing.
    seed, time_limit_s, gap, threads, progress, stop
        As for ``nearer.plan``; the time limit holds for each problem that is solved.

    Raises
    ------
    InputError
        There is no plan, an input has changed since, or the question names what is not there.
    UsageError
        Parts of the question do not go together.
    """
    given = (scenarios or {}).items()
    question = Question(
        out_of_service=tuple(out_of_service),
        hazard=None if hazard is None else Path(hazard),
        surge=tuple(f"{name}:{factor!r}" for name, factor in (surge or {}).items()),
        replan=replan,
        random=random,
        draws=draws,
        worst=worst,
        harden=harden,
        stock=stock,
        scenarios=tuple(Scenario(name=name, probability=chance, out=list(ids)) for name, (chance, ids) in given),
        seed=seed,
    )
    folder = None if study is None else Path(study)
    if out is not None:
        made = run_stress(
            Path(plan),
            question,
            study=folder,
            out=Path(out),
            time_limit_s=time_limit_s,
            gap=gap,
            threads=threads,
            progress=progress,
            stop=stop,
        )
        return StudyStress(made)
    run = Run(time_limit_s, gap, None, threads or default_threads(), progress or Silent(), stop or Stop())
    return StudyStress(answer(prepare(Path(plan), folder, run), question, run))
