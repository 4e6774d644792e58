"""The gaps folder's own files: ``gaps.json``, ``points.csv``, ``gaps.csv`` and ``run.json``, and the schema."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import ValidationError

from nearer.errors import Fault, InputError
from nearer.files import written_whole
from nearer.planning.files import RUN_FILE
from nearer.planning.gapdoc import SCHEMA, GapsDocument
from nearer.planning.gaps import Gaps

GAPS_FILE, GAPS_TABLE, POINTS_TABLE = "gaps.json", "gaps.csv", "points.csv"
_COLUMNS = ("id", "people", "need", "minutes", "count", "supply", "lacking", "gap")
_KINDS: Any = {"id": str, "gap": "Int64"}


def write_gap_files(gaps: Gaps, folder: Path) -> None:
    """
    Write ``gaps.json``, ``gaps.csv``, ``points.csv`` and ``run.json``.

    All but ``run.json`` have the same bytes for the same gaps.

    Raises
    ------
    NearerError
        The disk is full or the folder cannot be written.
    """
    _write_table(pd.DataFrame(gaps.areas.drop(columns=gaps.areas.geometry.name)), folder / GAPS_TABLE)
    points = pd.DataFrame(gaps.people.drop(columns=gaps.people.geometry.name))
    points = points.rename(columns={"total": "people"})
    _write_table(points[list(_COLUMNS)], folder / POINTS_TABLE)
    _write_text(folder / RUN_FILE, json.dumps(gaps.run, indent=1, ensure_ascii=False, default=str))
    _write_text(folder / GAPS_FILE, gaps.document.model_dump_json(by_alias=True, indent=1))


def read_gaps(folder: Path) -> tuple[GapsDocument, pd.DataFrame]:
    """
    Read ``gaps.json`` and ``points.csv`` of a gaps folder.

    Raises
    ------
    InputError
        One is missing or not one of ours, with every key that does not fit.
    """
    path = folder / GAPS_FILE
    remedy = f"this version reads gaps of schema {SCHEMA}; run `nearer gaps` again"
    try:
        document = GapsDocument.model_validate_json(path.read_text(encoding="utf-8"))
        path = folder / POINTS_TABLE
        points = pd.read_csv(path, dtype=_KINDS, keep_default_na=False, na_values=[""])
    except ValidationError as error:
        raise InputError(
            Fault(fault["msg"], file=str(path), column=".".join(map(str, fault["loc"])) or None, remedy=remedy)
            for fault in error.errors()
        ) from error
    except OSError as error:
        raise InputError([Fault("is not here", file=str(path), remedy="give a gaps folder")]) from error
    except ValueError as error:  # not UTF-8, not a table, no numbers
        raise InputError([Fault("cannot be read", file=str(path), remedy=remedy)]) from error
    missing = set(_COLUMNS) - set(points.columns)
    if missing:
        raise InputError([Fault(f"has no column {', '.join(sorted(missing))}", file=str(path), remedy=remedy)])
    return document, points


def gaps_schema() -> dict[str, Any]:
    """JSON schema of ``gaps.json``, published as ``docs/gaps.schema.json``."""
    schema = GapsDocument.model_json_schema(by_alias=True, mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def gaps_schema_text() -> str:
    """The published schema as text."""
    return json.dumps(gaps_schema(), indent=1, ensure_ascii=False) + "\n"


def _write_table(table: pd.DataFrame, path: Path) -> None:
    numbers = table.select_dtypes("float").columns
    table = table.assign(**{column: table[column].round(6) for column in numbers})
    with written_whole(path) as beside:
        table.to_csv(beside, index=False, lineterminator="\n", encoding="utf-8", quoting=csv.QUOTE_MINIMAL, na_rep="")


def _write_text(path: Path, text: str) -> None:
    with written_whole(path) as beside:
        beside.write_text(text + "\n", encoding="utf-8", newline="\n")
