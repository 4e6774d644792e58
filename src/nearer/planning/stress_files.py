"""``stress.json`` read, and its published schema."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import ValidationError

from nearer.errors import Fault, InputError
from nearer.planning.stress_document import STRESS_SCHEMA, StressDocument

STRESS_FILE = "stress.json"


def read_stress(folder: Path) -> StressDocument:
    """
    Read ``stress.json`` of a folder.

    Raises
    ------
    InputError
        There is none, or it is not one of ours, with every key that does not fit.
    """
    path = folder / STRESS_FILE
    try:
        return StressDocument.model_validate_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError([Fault("there is no answer here", file=str(path), remedy="give a stress folder")]) from error
    except UnicodeDecodeError as error:
        raise InputError([Fault("this is not UTF-8 text", file=str(path), remedy="run stress again")]) from error
    except ValidationError as error:
        remedy = f"this version reads answers of schema {STRESS_SCHEMA}; run stress again"
        raise InputError(
            Fault(fault["msg"], file=str(path), column=".".join(map(str, fault["loc"])) or None, remedy=remedy)
            for fault in error.errors()
        ) from error


def stress_schema_text() -> str:
    """JSON schema of ``stress.json``, published as ``docs/stress.schema.json``."""
    schema = StressDocument.model_json_schema(by_alias=True, mode="serialization")
    whole = {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"
