"""The files of a curve: ``curve.json`` with its published schema, and ``curve.csv``."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from nearer.errors import Fault, InputError
from nearer.files import written_whole
from nearer.planning.curvedoc import CurveDocument

CURVE_FILE, CURVE_CSV, PROOFS = "curve.json", "curve.csv", "proofs"

Document = TypeVar("Document", bound=BaseModel)

_COLUMNS = (
    ("centres", lambda s: s.centres),
    ("opened", lambda s: s.opened),
    ("solved", lambda s: "yes" if s.solved else "no"),
    ("status", lambda s: s.status or ""),
    ("value_person_min", lambda s: s.value),
    ("bound_person_min", lambda s: s.bound),
    ("gap", lambda s: s.gap),
    ("each_brings_person_min", lambda s: s.each_brings),
    ("each_brings_least", lambda s: s.each_brings_least),
    ("each_brings_most", lambda s: s.each_brings_most),
    ("mean_min", lambda s: s.mean_min),
    ("within", lambda s: s.within),
    ("unreached", lambda s: s.unreached),
    ("greedy_person_min", lambda s: s.greedy.value),
    ("greedy_above", lambda s: s.greedy.above_value),
    ("backwards_person_min", lambda s: None if s.backwards is None else s.backwards.value),
    ("backwards_above", lambda s: None if s.backwards is None else s.backwards.above_value),
)


def write_curve_csv(document: CurveDocument, path: Path) -> None:
    """Write one row per size: UTF-8, comma, empty where there is nothing."""
    with written_whole(path) as beside, beside.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow([name for name, _ in _COLUMNS])
        for size in document.sizes:
            rows.writerow(["" if (value := read(size)) is None else value for _, read in _COLUMNS])


def write_document(document: BaseModel, path: Path) -> None:
    """Write a document as JSON; the same document gives the same bytes."""
    with written_whole(path) as beside:
        beside.write_text(document.model_dump_json(by_alias=True, indent=1) + "\n", encoding="utf-8", newline="\n")


def read_as(kind: type[Document], path: Path, remedy: str) -> Document:
    """
    Read a document of ours.

    Parameters
    ----------
    kind
        Its class.
    remedy
        What makes it anew, for messages.

    Raises
    ------
    InputError
        There is none, or it is not one of ours, with every key that does not fit.
    """
    try:
        return kind.model_validate_json(path.read_bytes())
    except OSError as error:
        raise InputError([Fault("there is no such file", file=str(path), remedy=remedy)]) from error
    except ValidationError as error:
        raise InputError(
            Fault(fault["msg"], file=str(path), column=".".join(map(str, fault["loc"])) or None, remedy=remedy)
            for fault in error.errors()
        ) from error


def schema_text_of(kind: type[BaseModel]) -> str:
    """The JSON schema of a document as it is published."""
    schema: dict[str, Any] = kind.model_json_schema(by_alias=True, mode="serialization")
    whole = {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"
