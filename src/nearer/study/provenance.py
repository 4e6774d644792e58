"""What a document was made from: its study found, read again, and held against what the document says of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from nearer.errors import Faults, InputError
from nearer.files import sha256
from nearer.inputs.read import read_tables
from nearer.inputs.tables import Tables
from nearer.planning.files import PLAN_FILE, read_run
from nearer.progress import Progress
from nearer.study.checks import Check, equal, flat
from nearer.study.load import STUDY_FILE, check_settings, load_study
from nearer.study.owners import owned
from nearer.study.settings import Study

# what the command line may replace
_ASKED_ANEW = (
    "plan.open",
    "plan.open_max",
    "plan.budget",
    "plan.objective",
    "plan.tolerance",
    "study.seed",
    "streets.limit_min",
    "people.merge_m",
    "scenarios",
)


class HasInputs(Protocol):
    """Any document that names its input files."""

    @property
    def inputs(self) -> dict[str, str]:
        """Path as written in the study → sha256 of the file."""


class FromStudy(HasInputs, Protocol):
    """Any document that names its study."""

    @property
    def study(self) -> str:
        """The study's name."""

    @property
    def settings(self) -> dict[str, Any]:
        """The study's settings."""


@dataclass(frozen=True)
class Origin:
    """
    A study read again.

    Parameters
    ----------
    folder
        Where the study lies.
    """

    folder: Path
    study: Study
    tables: Tables

    def checks(self, document: FromStudy) -> list[Check]:
        """Whether settings, inputs and name are those of the document."""
        read = {source.path: source.sha256 for source in self.tables.sources}
        return [
            Check("settings", *_same_settings(self.study, self.folder)),
            Check("inputs", read == document.inputs, ", ".join(sorted(document.inputs)), ", ".join(sorted(read))),
            equal("study", document.study, self.study.study.name),
        ]


def origin_of(
    document: FromStudy, document_folder: Path, file: str, given: Path | None, progress: Progress | None = None
) -> Origin:
    """
    Find and read the study of a document.

    Parameters
    ----------
    document_folder, file
        Where the document lies, and the name of its file there.
    given
        Where the study lies; default what ``run.json`` says, else the folder around the document.
    progress
        Where to report; default silent.

    Raises
    ------
    InputError
        An input is missing, or has changed since, all of them named.
    """
    folder = find_study(document_folder, given)
    check_inputs(document, folder)
    study = check_settings(document.settings, f"{file}, settings")
    tables = read_tables(
        folder,
        streets=study.streets,
        people=study.people,
        sites=study.sites,
        area=study.area,
        exclude=study.exclude,
        progress=progress,
    )
    return Origin(folder, study, owned(tables, study.owners, STUDY_FILE))


def find_study(document_folder: Path, given: Path | None) -> Path:
    """The study a document was made from: the one given, the one noted, or the folder around the document."""
    if given is not None:
        return Path(given).parent if Path(given).suffix == ".toml" else Path(given)
    noted = read_run(document_folder).get("study_folder")
    if isinstance(noted, str) and (document_folder / noted).is_dir():
        return document_folder / noted
    return document_folder.resolve().parent


def check_inputs(document: HasInputs, folder: Path) -> None:
    """
    Make sure that every input is there and is what the plan was made from.

    Raises
    ------
    InputError
        With all that are missing or have changed.
    """
    faults = Faults()
    if not document.inputs:
        faults.add("the plan names no input files, so there is nothing to check it against", file=PLAN_FILE)
    for name, claimed in document.inputs.items():
        path = folder / name
        if not path.is_file():
            faults.add(f"is not in {folder}", file=name, remedy="give the study's folder with --study")
        elif sha256(path) != claimed:
            faults.add("has changed since the plan was made", file=name, remedy="plan again, or restore the file")
    faults.raise_if_any()


def _same_settings(study: Study, folder: Path) -> tuple[bool, str, str]:
    """Whether the plan's settings are those of the study file, apart from what the command line may replace."""
    if not (folder / STUDY_FILE).is_file():
        return True, "", f"no {STUDY_FILE} to compare with"
    try:
        now = flat(load_study(folder).model_dump(mode="json"))
    except InputError:
        return False, "settings", f"a faulty {STUDY_FILE}"
    then = flat(study.model_dump(mode="json"))
    for key in sorted(then.keys() | now.keys()):
        if key.partition("[")[0] in _ASKED_ANEW:
            continue
        if then.get(key) != now.get(key):
            return False, f"{key} = {then.get(key)!r}", f"{key} = {now.get(key)!r}"
    return True, STUDY_FILE, STUDY_FILE
