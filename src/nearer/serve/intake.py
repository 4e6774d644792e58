"""One's own files: what each seems to be, the study file that says so, and cells mended in place."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import pyogrio

from nearer.errors import InputError, UsageError
from nearer.files import written_whole
from nearer.inputs.columns import nearest
from nearer.inputs.frames import PARQUET_SUFFIXES, RASTER_SUFFIXES, TEXT_SUFFIXES, VECTOR_SUFFIXES
from nearer.inputs.text import DELIMITERS
from nearer.serve.studies import HIDDEN, NotThereError, Studies
from nearer.serve.workbook import WORKBOOK_SUFFIX

Role = Literal["people", "existing", "candidate", "sites", "streets", "districts", "exclude", "unused"]
STREET_SUFFIXES = (".pbf", ".osm", ".bz2")
TAKEN = (
    *STREET_SUFFIXES,
    *TEXT_SUFFIXES,
    *VECTOR_SUFFIXES,
    *PARQUET_SUFFIXES,
    *RASTER_SUFFIXES,
    WORKBOOK_SUFFIX,
    ".xls",
    ".ods",
)
"""Endings that are taken in; an old workbook only so that it can be said how to save it."""

DRAFT = "draft.json"
_FILE = re.compile(r"[^\x00-\x1f/\\:*?\"<>|.][^\x00-\x1f/\\:*?\"<>|]{0,119}")
_SAMPLE = 4
_PEOPLE_WORDS = (
    *("population", "people", "persons", "residents", "inhabitants", "pop", "total"),
    *("poblacion", "población", "habitantes", "personas", "جمعیت", "نفر"),
)
_NAME_WORDS = ("name", "nombre", "title", "label", "نام")
_ID_WORDS = ("id", "code", "codigo", "código", "ref", "شناسه")
_LON_WORDS = ("lon", "longitude", "lng", "long", "longitud", "x", "طول")
_LAT_WORDS = ("lat", "latitude", "latitud", "y", "عرض")
_AGENCY_WORDS = ("agency", "owner", "operator", "organisation", "organization", "agencia", "entidad", "مالک", "نهاد")
_COST_WORDS = ("cost", "price", "costo", "coste", "precio", "هزینه")
_CANDIDATE_WORDS = (
    *("candidate", "venue", "possible", "potential", "option", "school", "hall", "new"),
    *("candidat", "escuela"),
)
_BARRED_WORDS = ("flood", "hazard", "exclude", "river", "water", "lake", "río", "rio", "lago", "رود")
_DISTRICT_WORDS = (
    *("district", "quarter", "area", "boundar", "municip", "ward", "neighbo"),
    *("barrio", "distrito", "محله", "منطقه"),
)


@dataclass(frozen=True)
class Columns:
    """Which column is what; None where there is none, or where geometries say it."""

    total: str | None = None
    id: str | None = None
    name: str | None = None
    lon: str | None = None
    lat: str | None = None
    agency: str | None = None
    cost: str | None = None


@dataclass(frozen=True)
class Brought:
    """
    A file brought in.

    Parameters
    ----------
    name, size
        File name and bytes.
    columns, sample, rows
        Of a table: names, the first few rows as text, and how many there are; empty for other kinds.
    geometry
        Whether it carries its own places.
    guess, picked
        What it seems to be, and which column is what.
    problem
        Why it cannot be read, "" where it can.
    """

    name: str
    size: int
    columns: tuple[str, ...] = ()
    sample: tuple[tuple[str, ...], ...] = ()
    rows: int | None = None
    geometry: bool = False
    guess: Role = "unused"
    picked: Columns = field(default_factory=Columns)
    problem: str = ""


def new_draft(studies: Studies, name: str) -> str:
    """A folder for one's own files, a study once it is said what they are; returns its name."""
    if studies.only is not None:
        raise UsageError("This server was opened for one study; start `nearer serve` without it to make more.")
    folder = studies.free(name)
    hidden = studies.home / folder / HIDDEN
    hidden.mkdir(parents=True)
    with written_whole(hidden / DRAFT) as beside:
        beside.write_text(json.dumps({"name": name.strip()}), encoding="utf-8")
    return folder


def draft_name(folder: Path) -> str:
    """
    The name a draft was given.

    Raises
    ------
    NotThereError
        This is no draft.
    """
    try:
        return str(json.loads((folder / HIDDEN / DRAFT).read_text(encoding="utf-8"))["name"])
    except (OSError, ValueError, KeyError):
        raise NotThereError("This study was not made from files here.") from None


def file_path(folder: Path, name: str) -> Path:
    """
    Where a file of this name goes.

    Raises
    ------
    UsageError
        The name leads elsewhere, or ends in something that is never read.
    """
    if not _FILE.fullmatch(name) or name == "nearer.toml":
        raise UsageError(f"A file cannot be called {name[:60]!r} here; rename it.")
    if Path(name).suffix.casefold() not in TAKEN:
        raise UsageError(
            f"{name}: files of this kind are not read. Give CSV, Excel (.xlsx), GeoJSON, GeoPackage, Parquet or "
            "GeoTIFF, and streets as .osm.pbf."
        )
    return folder / name


def brought(folder: Path) -> list[Brought]:
    """Every file of a draft, in the order of their names."""
    names = [one for one in sorted(folder.iterdir()) if one.is_file() and one.suffix.casefold() in TAKEN]
    found = [_look(path) for path in names if path.name != "nearer.toml"]
    areas = [one for one in found if one.guess == "districts"]
    if len(areas) > 1:  # only one file can name the areas: the one that says so, else the one with most of them
        said = {one.name: any(word in one.name.casefold() for word in _DISTRICT_WORDS) for one in areas}
        best = max(areas, key=lambda one: (said[one.name], one.rows or 0)).name
        found = [replace(one, guess="unused") if one in areas and one.name != best else one for one in found]
    return found


def _look(path: Path) -> Brought:
    size, suffix = path.stat().st_size, path.suffix.casefold()
    if suffix in STREET_SUFFIXES:
        return Brought(path.name, size, guess="streets")
    if suffix in RASTER_SUFFIXES:
        return Brought(path.name, size, guess="people")
    try:
        if suffix in TEXT_SUFFIXES:
            return _table(path, *_peek_text(path), geometry=False)
        if suffix in VECTOR_SUFFIXES:
            head = pyogrio.read_dataframe(path, max_features=_SAMPLE)
            kinds = set(head.geometry.geom_type.dropna()) if hasattr(head, "geometry") else set()
            polygons = bool(kinds) and kinds <= {"Polygon", "MultiPolygon"}
            n = int(pyogrio.read_info(path)["features"])
            table = pd.DataFrame(head.drop(columns="geometry", errors="ignore")).astype(str)
            rows = [tuple(row) for row in table.itertuples(index=False)]
            return _table(path, list(map(str, table.columns)), rows, n, geometry=bool(kinds), polygons=polygons)
        if suffix in PARQUET_SUFFIXES:
            data = pd.read_parquet(path)
            table = data.drop(columns="geometry", errors="ignore").head(_SAMPLE).astype(str)
            rows = [tuple(row) for row in table.itertuples(index=False)]
            return _table(path, list(map(str, table.columns)), rows, len(data), geometry="geometry" in data)
    except (OSError, ValueError, pyogrio.errors.DataSourceError, ImportError, csv.Error) as error:
        return Brought(path.name, size, problem=str(error).splitlines()[0][:200])
    return Brought(path.name, size, problem="Open it in the spreadsheet program and save it as CSV UTF-8.")


def _peek_text(path: Path) -> tuple[list[str], list[tuple[str, ...]], int]:
    data = path.read_bytes()
    text = data.decode("utf-8-sig", errors="replace")
    first = next((line for line in text.splitlines() if line.strip()), "")
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=max(DELIMITERS, key=first.count), skipinitialspace=True
    )
    rows: list[tuple[str, ...]] = []
    names: list[str] = []
    count = 0
    for record in reader:
        if not "".join(record).strip():
            continue
        if not names:
            names = [value.strip() for value in record]
            continue
        count += 1
        if len(rows) < _SAMPLE:
            rows.append(tuple(value.strip() for value in record))
    return [name for name in names if name], rows, count


def _table(
    path: Path,
    columns: Sequence[str],
    rows: Sequence[tuple[str, ...]],
    count: int,
    *,
    geometry: bool,
    polygons: bool = False,
) -> Brought:
    picked = Columns(
        total=_find(columns, _PEOPLE_WORDS),
        id=_find(columns, _ID_WORDS),
        name=_find(columns, _NAME_WORDS),
        lon=None if geometry else _find(columns, _LON_WORDS),
        lat=None if geometry else _find(columns, _LAT_WORDS),
        agency=_find(columns, _AGENCY_WORDS),
        cost=_find(columns, _COST_WORDS),
    )
    guess = _guess(path.stem.casefold(), columns, picked, polygons)
    return Brought(
        path.name, path.stat().st_size, tuple(columns), tuple(rows[:_SAMPLE]), count, geometry, guess, picked
    )


def _find(columns: Sequence[str], words: Sequence[str]) -> str | None:
    folded = {column.casefold().strip(): column for column in reversed(columns)}
    for word in words:
        if word in folded:
            return folded[word]
    return next((near for word in words[:2] if len(word) > 3 and (near := nearest(word, columns))), None)


def _guess(stem: str, columns: Sequence[str], picked: Columns, polygons: bool) -> Role:
    folded = [column.casefold() for column in columns]
    if picked.total is not None:
        return "people"
    if {"from", "to", "minutes"} <= set(folded):
        return "unused"
    if "status" in folded:
        return "sites"
    if polygons:
        return "exclude" if any(word in stem for word in _BARRED_WORDS) else "districts"
    return "candidate" if any(word in stem for word in _CANDIDATE_WORDS) else "existing"


@dataclass(frozen=True)
class Said:
    """What a person says of a file."""

    name: str
    role: Role
    columns: Columns = field(default_factory=Columns)
    groups: dict[str, str] = field(default_factory=dict)
    crs: str | None = None


def settings_of(name: str, said: Sequence[Said], mode: str, limit_min: float, number: int) -> dict[str, Any]:
    """
    What ``nearer.toml`` says for these files.

    Raises
    ------
    UsageError
        People are missing or given twice, or there is no place that could open.
    """
    by_role: dict[str, list[Said]] = {}
    for one in said:
        by_role.setdefault(one.role, []).append(one)
    people, streets = by_role.get("people", []), by_role.get("streets", [])
    if len(people) != 1:
        raise UsageError(
            "Say of exactly one file that it holds the people." if people else "A file with people is missing."
        )
    if not (by_role.get("candidate") or by_role.get("sites")):
        raise UsageError("A file with possible places is missing: without it nothing can open.")
    if len(by_role.get("districts", [])) > 1:
        raise UsageError("Say of one file only that it holds the areas with names.")
    if mode != "straight" and len(streets) != 1:
        raise UsageError("Give one file of streets (.osm.pbf), or measure in straight lines.")
    who = people[0]
    raster = Path(who.name).suffix.casefold() in RASTER_SUFFIXES
    settings: dict[str, Any] = {
        "study": {"name": name},
        "streets": {"mode": mode, "limit_min": limit_min},
        "people": {"file": who.name} | ({} if raster else _columns(who, ("total", "id", "lon", "lat"))),
        "sites": [
            {"file": one.name}
            | ({} if role == "sites" else {"status": role})
            | _columns(one, ("id", "name", "lon", "lat", "agency", "cost"))
            for role in ("existing", "candidate", "sites")
            for one in by_role.get(role, [])
        ],
        "plan": {"open": number},
    }
    if mode != "straight":
        settings["streets"]["file"] = streets[0].name
    if who.groups:
        settings["people"]["groups"] = who.groups
    if districts := by_role.get("districts"):
        settings["area"] = {"districts": districts[0].name, "name": districts[0].columns.name or "name"}
    if exclude := by_role.get("exclude"):
        settings["exclude"] = [{"file": one.name} for one in exclude]
    return settings


def _columns(one: Said, names: Sequence[str]) -> dict[str, str]:
    given = asdict(one.columns) | ({} if one.crs is None else {"crs": one.crs})
    return {name: given[name] for name in (*names, "crs") if given.get(name)}


def mend_cell(path: Path, row: int, column: str | None, value: str | None) -> None:
    """
    Change one cell of a delimited text, or leave a row out.

    Parameters
    ----------
    path
        The file.
    row
        As a spreadsheet counts it; the header is row 1.
    column
        Column's name; None with ``value`` None leaves the whole row out.
    value
        The new text.

    Raises
    ------
    UsageError
        The file is no text, or there is no such cell.
    """
    if path.suffix.casefold() not in TEXT_SUFFIXES:
        raise UsageError(f"{path.name} cannot be mended here: change it where it was made, and drop it again.")
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError(f"{path.name} is not UTF-8: save it as CSV UTF-8, and drop it again.") from None
    first = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max(DELIMITERS, key=first.count)
    records = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True))
    header = next((record for record in records if "".join(record).strip()), [])
    names = [name.strip() for name in header]
    if not 1 <= row <= len(records) or (value is not None and column not in names):
        raise UsageError(f"{path.name} has no such cell.")
    if value is None:
        records[row - 1] = []  # an empty line: the rows after it keep their numbers
    else:
        record = records[row - 1]
        at = names.index(str(column))
        record += [""] * (at + 1 - len(record))
        record[at] = value
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter, lineterminator="\n").writerows(records)
    with written_whole(path) as beside:
        beside.write_text(out.getvalue(), encoding="utf-8", newline="")


def cell(path: Path, row: int, column: str) -> str | None:
    """What stands in a cell of a delimited text; None where there is no such cell."""
    if path.suffix.casefold() not in TEXT_SUFFIXES:
        return None
    text = path.read_bytes().decode("utf-8-sig", errors="replace")
    first = next((line for line in text.splitlines() if line.strip()), "")
    records = csv.reader(
        io.StringIO(text, newline=""), delimiter=max(DELIMITERS, key=first.count), skipinitialspace=True
    )
    names: list[str] = []
    for number, record in enumerate(records, start=1):
        names = names or [name.strip() for name in record]
        if number == row:
            return record[names.index(column)] if column in names and names.index(column) < len(record) else None
    return None


def with_cells(error: InputError, folder: Path) -> list[dict[str, Any]]:
    """Faults as plain values, with what stands in the cell where it can be mended here."""
    told = []
    for fault in error.faults:
        found = None
        if fault.file and fault.row and fault.column and (folder / fault.file).is_file():
            found = cell(folder / fault.file, fault.row, fault.column)
        told.append(asdict(fault) | {"text": str(fault), "cell": found})
    return told
