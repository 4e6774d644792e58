"""``nearer.toml`` as typed settings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, NamedTuple

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from nearer.inputs.sources import (
    AreaSource,
    CreditSource,
    ExcludeSource,
    PeopleSource,
    Settings,
    SitesSource,
    StreetsSource,
)
from nearer.study.owners import OwnerSettings, owner_contradictions
from nearer.study.scenarios import ScenarioSettings, scenario_contradictions
from nearer.study.stages import (
    MOST,
    AgencySettings,
    DistrictSettings,
    FloorSettings,
    LevelSettings,
    PhaseSettings,
    ProgrammeSettings,
)

MOST_WEIGHT = 10_000
"""Heaviest a member of a group may count; sums stay exact enough to be proven."""


STAGED_ORDERS = (("coverage", "travel"), ("cost", "travel"))
"""Several objectives in order that go with phases, levels and money."""

AIMS = ("travel", "coverage", "farthest", "equal", "cost")
"""What a plan may make good."""


def _known_aims(value: Any) -> Any:
    """An objective by name, or several in order."""
    named = value if isinstance(value, tuple | list) else (value,)
    for name in named:
        if name not in AIMS:
            said = f'"{name}"' if isinstance(name, str) else name
            raise PydanticCustomError(
                "unknown_aim", "{said} is not one of {known}", {"said": str(said), "known": ", ".join(AIMS)}
            )
    return tuple(value) if isinstance(value, list) else value


class StudySettings(Settings):
    """``[study]``: what it is called."""

    name: str = Field("A study", min_length=1, description="title of the report")
    seed: int = Field(0, ge=0, description="start of every random choice")


class PlanSettings(Settings):
    """``[plan]``: what is asked."""

    open: int | None = Field(None, ge=0, description="open exactly so many candidates")
    open_max: int | None = Field(None, ge=0, description="open at most so many")
    objective: Annotated[str | tuple[str, ...], BeforeValidator(_known_aims)] = Field(
        "travel",
        description="travel (least sum of minutes), coverage (most people near), farthest (least worst time), equal "
        "(least unequal minutes) or cost (fewest new sites); several in order as a list, first things first",
    )
    tolerance: tuple[float, ...] = Field(
        (), description="what each objective may give up for those after it, as a part of its value; default 0 each"
    )
    decay_min: tuple[float, float] | None = Field(
        None,
        description="for coverage: minutes up to which a person counts whole, and from which not at all; between them "
        "a share that falls evenly; default coverage_min for both",
    )
    second_share: float | None = Field(
        None,
        gt=0,
        le=1,
        description="for coverage: the share of a person that counts only once a second open centre is within "
        "coverage_min too (0.3 = 30 %); default none",
    )
    within_share: float | None = Field(
        None, gt=0, le=1, description="for cost: the share of all people to bring within coverage_min, 0 … 1"
    )
    everyone_within_min: float | None = Field(
        None,
        gt=0,
        le=600,
        description="a rule: everyone whom any site could serve within so many minutes must be",
    )
    force: tuple[str, ...] = Field((), description="ids of candidates that must open; they count as opened")
    forbid: tuple[str, ...] = Field((), description="ids of candidates that may not open")
    coverage_min: float = Field(15.0, gt=0, le=600, description="minutes that count as near in tables and sentences")
    unreached_min: float | None = Field(
        None,
        gt=0,
        le=10_000,
        description="what a person out of reach counts as; default 2 × limit_min, never less than limit_min",
    )
    group_weights: dict[str, float] = Field(
        default_factory=dict, description="weight of a point = total + Σ (weight − 1) · people of the group"
    )
    budget: float | None = Field(None, ge=0, le=MOST, description="money for opening, upgrading and closing, in all")
    running_budget: float | None = Field(None, ge=0, le=MOST, description="money a year for running, in every phase")
    close_max: int = Field(0, ge=0, description="existing centres that may close, at most; moves count as one each")
    separation_m: float | None = Field(
        None,
        gt=0,
        le=100_000,
        description="no new centre nearer than so many metres, as the crow flies, to another of ours",
    )
    discount: float = Field(0.0, ge=0, lt=1, description="what a year's wait takes off the weight of a later year")
    whole: bool = Field(False, description="with capacities: everybody of a point goes to one place")
    phases: tuple[PhaseSettings, ...] = ()
    districts: tuple[DistrictSettings, ...] = ()
    floors: tuple[FloorSettings, ...] = ()


class Study(Settings):
    """The whole of ``nearer.toml``."""

    study: StudySettings = StudySettings()
    area: AreaSource = AreaSource()
    streets: StreetsSource
    people: PeopleSource
    sites: tuple[SitesSource, ...] = Field(min_length=1)
    exclude: tuple[ExcludeSource, ...] = ()
    sources: tuple[CreditSource, ...] = ()
    plan: PlanSettings
    agencies: tuple[AgencySettings, ...] = ()
    owners: tuple[OwnerSettings, ...] = ()
    levels: tuple[LevelSettings, ...] = ()
    programmes: tuple[ProgrammeSettings, ...] = ()
    scenarios: tuple[ScenarioSettings, ...] = ()

    @property
    def aims(self) -> tuple[str, ...]:
        """Objectives in order."""
        asked = self.plan.objective
        return (asked,) if isinstance(asked, str) else asked

    @property
    def tolerances(self) -> tuple[float, ...]:
        """What each objective may give up, one each."""
        given = self.plan.tolerance
        return (*given, *(0.0 for _ in range(len(self.aims) - len(given))))[: len(self.aims)]

    @property
    def promises(self) -> tuple[tuple[str, FloorSettings], ...]:
        """Every floor, with whose promise it is: "" for the plan's, else the agency's name."""
        of_plan = tuple(("", floor) for floor in self.plan.floors)
        return of_plan + tuple((agency.name, floor) for agency in self.agencies for floor in agency.floors)

    @property
    def is_plain(self) -> bool:
        """Whether travel alone is asked for, without rules that it cannot state by itself."""
        return self.aims == ("travel",) and self.plan.everyone_within_min is None and not self.plan.force

    @property
    def unreached_min(self) -> float:
        """Minutes that a person out of reach counts as, the default filled in."""
        return self.plan.unreached_min or 2.0 * self.streets.limit_min

    @property
    def staged(self) -> bool:
        """Whether phases, levels, money, agencies or other rules across sites are asked for."""
        plan = self.plan
        across = plan.phases or plan.districts or self.promises or self.agencies or self.levels or self.programmes
        money = plan.budget is not None or plan.running_budget is not None
        return bool(across or money or plan.close_max or plan.separation_m)


def most_opened(study: Study) -> int | None:
    """How many centres a study opens at most over all its phases; None where it does not say."""
    plan = study.plan
    if plan.open is not None or plan.open_max is not None:
        return plan.open if plan.open is not None else plan.open_max
    counts = [phase.open if phase.open is not None else phase.open_max for phase in plan.phases]
    known = [count for count in counts if count is not None]
    return sum(known) if known and len(known) == len(counts) else None


class Contradiction(NamedTuple):
    """Settings that are well formed each and do not go together."""

    key: str
    message: str
    remedy: str


def contradictions(study: Study) -> Iterator[Contradiction]:
    """Everything in a study that its keys cannot say one by one."""
    plan, streets = study.plan, study.streets
    yield from _objective_contradictions(study)
    if "cost" in study.aims and plan.open is not None:
        yield Contradiction(
            "plan.open",
            "the objective cost finds the number of centres itself",
            "leave open out, or give open_max = N (at most)",
        )
    elif plan.open is not None and plan.open_max is not None:
        yield Contradiction(
            "plan.open", "both open and open_max are given", "give either open = N (exactly) or open_max = N (at most)"
        )
    elif plan.open is None and plan.open_max is None and "cost" not in study.aims and not _bounded(study):
        yield Contradiction(
            "plan.open", "the number of centres is missing", "give either open = N (exactly) or open_max = N (at most)"
        )
    if study.staged:
        yield from _staged_objective(study)
    if plan.everyone_within_min is not None and plan.everyone_within_min > streets.limit_min:
        yield Contradiction(
            "plan.everyone_within_min",
            f"{plan.everyone_within_min:g} minutes is more than the limit of {streets.limit_min:g}, beyond which no "
            "time is known",
            f"give at most {streets.limit_min:g}, or raise limit_min",
        )
    yield from _stage_contradictions(study)
    for found in scenario_contradictions(study.scenarios, list(study.people.groups)):
        yield Contradiction(*found)
    for found in owner_contradictions(study.owners, [one.name for one in study.agencies]):
        yield Contradiction(*found)
    if plan.unreached_min is not None and plan.unreached_min < streets.limit_min:
        yield Contradiction(
            "plan.unreached_min",
            f"{plan.unreached_min:g} minutes is less than the limit of {streets.limit_min:g}, so that being out of "
            "reach would count as nearer than being reached",
            f"give at least {streets.limit_min:g}, or leave it out for {2 * streets.limit_min:g}",
        )
    files = [(source.file, source.layer) for source in study.sites]
    for at, (file, layer) in enumerate(files):
        if file is not None and (file, layer) in files[:at]:
            yield Contradiction(
                f"sites[{at + 1}].file",
                f"sites[{files.index((file, layer)) + 1}] names {file} already",
                "leave one of the two out; a column status may tell existing sites from candidates",
            )
    if streets.mode != "straight" and streets.file is None and streets.table is None:
        yield Contradiction(
            "streets.file",
            f"mode {streets.mode} needs streets",
            'name an OpenStreetMap extract (file = "streets.osm.pbf"), a table of times, or set mode = "straight"',
        )
    if streets.group_speeds_kmh and (streets.table is not None or streets.mode not in ("walk", "straight")):
        yield Contradiction(
            "streets.group_speeds_kmh",
            "groups have a walking speed of their own in the modes walk and straight only, and without a ready table",
            "leave it out",
        )
    for key, named in (
        ("plan.group_weights", plan.group_weights),
        ("streets.group_speeds_kmh", streets.group_speeds_kmh),
    ):
        for group in named:
            if group not in study.people.groups:
                known = ", ".join(study.people.groups) or "none"
                yield Contradiction(f"{key}.{group}", f"there is no group {group!r}", f"[people] groups has: {known}")
    for group, speed in streets.group_speeds_kmh.items():
        if not 0.1 <= speed <= 130:
            yield Contradiction(
                f"streets.group_speeds_kmh.{group}",
                f"{speed:g} km/h is no speed",
                "give km/h, from 0.1 to 130",
            )
    for group, weight in plan.group_weights.items():
        if not 0 <= weight <= MOST_WEIGHT:
            yield Contradiction(
                f"plan.group_weights.{group}", f"{weight:g} is no weight", f"give 0 to {MOST_WEIGHT:,} (1 = as anybody)"
            )
    if any(not group.strip() for group in study.people.groups):
        yield Contradiction("people.groups", "a group has no name", 'give it one: { children = "age_0_14" }')
    for number, source in enumerate(study.sites, start=1):
        given = [name for name in ("file", "query", "generate") if getattr(source, name) is not None]
        if len(given) != 1:
            yield Contradiction(
                f"sites[{number}]",
                f"{' and '.join(given)} are given" if given else "it does not say where the sites come from",
                "give exactly one of file, query and generate",
            )
        if source.query is not None and source.osm is None and streets.file is None:
            yield Contradiction(
                f"sites[{number}].osm", "the query has no extract to read", 'name one: osm = "places.osm.pbf"'
            )
        if source.file is None and source.status is None and given:
            yield Contradiction(
                f"sites[{number}].status", "it does not say what these sites are", 'add status = "candidate"'
            )


def _bounded(study: Study) -> bool:
    """Whether something other than [plan] open keeps the number of new centres in bounds."""
    if "cost" in study.aims:
        return True
    plan = study.plan
    counted = bool(plan.phases) and all(phase.open is not None or phase.open_max is not None for phase in plan.phases)
    paid = plan.budget is not None or (bool(plan.phases) and all(phase.budget is not None for phase in plan.phases))
    agencies = bool(study.agencies) and all(
        agency.budget is not None or agency.max_open is not None for agency in study.agencies
    )
    return counted or paid or agencies


def _stage_contradictions(study: Study) -> Iterator[Contradiction]:
    """What phases, levels, agencies, programmes and promises cannot say one by one."""
    plan = study.plan
    for key, named in (
        ("plan.phases", [one.name for one in plan.phases]),
        ("plan.districts", [one.name for one in plan.districts]),
        ("agencies", [one.name for one in study.agencies]),
        ("levels", [one.name for one in study.levels]),
        ("programmes", [one.name for one in study.programmes]),
    ):
        for number, name in enumerate(named, start=1):
            if name in named[: number - 1]:
                yield Contradiction(f"{key}[{number}].name", f'the name "{name}" is given twice', "rename one")
    for number, phase in enumerate(plan.phases, start=1):
        if phase.open is not None and phase.open_max is not None:
            remedy = "give either open = N (exactly) or open_max = N (at most)"
            yield Contradiction(f"plan.phases[{number}].open", "both open and open_max are given", remedy)
        if phase.growth is not None and phase.name in study.people.later:
            remedy = "leave one of them out"
            yield Contradiction(f"plan.phases[{number}].growth", "[people] later has a column for this phase", remedy)
    exact = [phase.open for phase in plan.phases if phase.open is not None]
    most = plan.open if plan.open is not None else plan.open_max
    if most is not None and sum(exact) > most:
        yield Contradiction(
            "plan.phases", f"the phases open {sum(exact)} and the plan {most}", "phases are parts of the whole"
        )
    if plan.open is not None and plan.phases and len(exact) == len(plan.phases) and sum(exact) < plan.open:
        yield Contradiction(
            "plan.open", f"the phases open {sum(exact)} and the plan {plan.open}", "leave one of them out"
        )
    groups = study.people.groups
    known = f"[people] groups has: {', '.join(groups) or 'none'}"
    for phase_name in study.people.later:
        if phase_name not in [phase.name for phase in plan.phases]:
            yield Contradiction(
                f"people.later.{phase_name}", f'there is no phase "{phase_name}"', "name a phase of [[plan.phases]]"
            )
    keyed = [(f"plan.floors[{number}]", floor) for number, floor in enumerate(plan.floors, start=1)]
    for at, agency in enumerate(study.agencies, start=1):
        keyed += [(f"agencies[{at}].floors[{number}]", floor) for number, floor in enumerate(agency.floors, start=1)]
    for key, floor in keyed:
        if floor.group is not None and floor.group not in groups:
            yield Contradiction(f"{key}.group", f'there is no group "{floor.group}"', known)
        kinds = [floor.mean_min is not None, floor.not_worse, floor.within_min is not None and floor.share is not None]
        lone = (floor.within_min is None) != (floor.share is None)
        if sum(kinds) != 1 or lone:
            yield Contradiction(
                key,
                "a floor says one thing",
                "give mean_min, or not_worse = true, or within_min and share",
            )
    for number, district in enumerate(plan.districts, start=1):
        if district.min is not None and district.max is not None and district.min > district.max:
            yield Contradiction(f"plan.districts[{number}].min", "it is more than max", "give min ≤ max")
    for number, agency in enumerate(study.agencies, start=1):
        if agency.min_open is not None and agency.max_open is not None and agency.min_open > agency.max_open:
            yield Contradiction(f"agencies[{number}].min_open", "it is more than max_open", "give min_open ≤ max_open")
    programmes = [one.name for one in study.programmes]
    for number, programme in enumerate(study.programmes, start=1):
        if programme.group not in groups:
            yield Contradiction(f"programmes[{number}].group", f'there is no group "{programme.group}"', known)
        if not any(level.seats.get(programme.name) for level in study.levels):
            remedy = f'give a level seats = {{ "{programme.name}" = 40 }}'
            yield Contradiction(f"programmes[{number}].name", "no level has seats for it", remedy)
    for number, level in enumerate(study.levels, start=1):
        for name, seats in level.seats.items():
            if name not in programmes:
                remedy = f"add [[programmes]] with this name; there are: {', '.join(programmes) or 'none'}"
                yield Contradiction(f"levels[{number}].seats.{name}", f'there is no programme "{name}"', remedy)
            elif seats < 0:
                yield Contradiction(f"levels[{number}].seats.{name}", "seats are below none", "give 0 or more")


def _staged_objective(study: Study) -> Iterator[Contradiction]:
    """Which objectives go with phases, levels, money and rules across sites."""
    plan, name = study.plan, study.aims[0] if study.aims else "travel"
    if (len(study.aims) != 1 and study.aims not in STAGED_ORDERS) or name == "farthest":
        yield Contradiction(
            "plan.objective",
            "with phases, levels, money or rules across sites one objective is made good (travel, coverage, equal or "
            "cost), or travel after coverage or cost",
            'name one of them, or write ["coverage", "travel"] or ["cost", "travel"]',
        )
    elif len(study.aims) > 1 and plan.decay_min is not None:
        yield Contradiction(
            "plan.decay_min",
            "with phases, levels, money or rules across sites travel does not come after gradual coverage",
            "leave decay_min out, or travel",
        )
    elif name in ("coverage", "equal") and (study.promises or plan.everyone_within_min is not None):
        theirs = [f"agencies[{at}].floors" for at, agency in enumerate(study.agencies, start=1) if agency.floors]
        yield Contradiction(
            "plan.floors" if plan.floors else theirs[0] if theirs else "plan.everyone_within_min",
            f"promises in minutes do not go with the objective {name}",
            "take travel or cost, or leave the promises out",
        )


def _objective_contradictions(study: Study) -> Iterator[Contradiction]:
    plan, aims = study.plan, study.aims
    if not aims or len(set(aims)) != len(aims):
        yield Contradiction("plan.objective", "each objective counts once", "name each at most once, and at least one")
        return
    if "cost" in aims[1:]:
        yield Contradiction("plan.objective", "cost stands first or not at all", 'write ["cost", …]')
    if "cost" in aims and plan.within_share is None:
        yield Contradiction(
            "plan.within_share",
            "the objective cost needs the share of people to bring within coverage_min",
            "give within_share = 0.9 for 90 %",
        )
    if len(plan.tolerance) > len(aims):
        yield Contradiction(
            "plan.tolerance", f"{len(plan.tolerance)} tolerances for {len(aims)} objectives", "give one each at most"
        )
    for tolerance in plan.tolerance:
        if not 0 <= tolerance < 1:
            yield Contradiction("plan.tolerance", f"{tolerance:g} is no tolerance", "give 0 to below 1 (0.01 = 1 %)")
    if plan.decay_min is not None:
        full, none = plan.decay_min
        if not 0 <= full < none:
            yield Contradiction(
                "plan.decay_min", f"{full:g} and {none:g} do not rise", "give [full, none], such as [5, 15]"
            )
    yield from _second_share_contradictions(study)
    for name, ids in (("force", plan.force), ("forbid", plan.forbid)):
        if both := [site for site in ids if site in (plan.forbid if name == "force" else ())]:
            yield Contradiction(f"plan.{name}", f"{both[0]!r} is forced and forbidden", "take it out of one list")
        if len(set(ids)) != len(ids):
            yield Contradiction(f"plan.{name}", "a site is listed twice", "list each once")


def _second_share_contradictions(study: Study) -> Iterator[Contradiction]:
    """What twofold cover does not go with."""
    plan = study.plan
    if plan.second_share is None:
        return
    key, remedy = "plan.second_share", "leave one of them out"
    if study.aims != ("coverage",):
        yield Contradiction(
            key, "it goes with the objective coverage alone", 'set objective = "coverage", or leave second_share out'
        )
    elif study.staged:
        yield Contradiction(key, "it does not go with phases, levels, money or rules across sites", remedy)
    elif plan.decay_min is not None:
        yield Contradiction(key, "it does not go with decay_min", remedy)
    elif plan.everyone_within_min is not None:
        yield Contradiction(key, "it does not go with everyone_within_min", remedy)
