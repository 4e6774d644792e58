"""The plan folder's own files: ``plan.json``, ``run.json`` and ``proof.npz``, and the published schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from nearer.errors import Fault, InputError
from nearer.files import written_whole
from nearer.model.certificate import save_certificates
from nearer.planning.document import SCHEMA, PlanDocument
from nearer.planning.plan import Plan

PLAN_FILE, RUN_FILE, PROOF_FILE, ASSIGNMENT_FILE = "plan.json", "run.json", "proof.npz", "assignment.npz"


def write_plan_json(plan: Plan, folder: Path) -> None:
    """
    Write ``plan.json``, ``run.json`` and, where there is a certificate, ``proof.npz``.

    ``plan.json`` has the same bytes for the same plan; all that differs from run to run is in ``run.json``.

    Raises
    ------
    NearerError
        The disk is full or the folder cannot be written.
    """
    if proofs := dict(plan.turn_certificates) | ({} if plan.certificate is None else {"": plan.certificate}):
        save_certificates(folder / PROOF_FILE, proofs)
    if plan.assignment is not None:
        with written_whole(folder / ASSIGNMENT_FILE) as beside, beside.open("wb") as file:
            np.savez_compressed(file, **plan.assignment)
    _write_text(folder / RUN_FILE, json.dumps(plan.run, indent=1, ensure_ascii=False, default=str))
    _write_text(folder / PLAN_FILE, plan.document.model_dump_json(by_alias=True, indent=1))


def read_document(folder: Path) -> PlanDocument:
    """
    Read ``plan.json`` of a plan folder.

    Raises
    ------
    InputError
        There is none, or it is not one of ours, with every key that does not fit.
    """
    path = folder / PLAN_FILE
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError([Fault("there is no plan here", file=str(path), remedy="give a plan folder")]) from error
    except UnicodeDecodeError as error:
        raise InputError([Fault("this is not UTF-8 text", file=str(path), remedy="plan again")]) from error
    try:
        return PlanDocument.model_validate_json(text)
    except ValidationError as error:
        remedy = f"this version reads plans of schema {SCHEMA}; plan again"
        raise InputError(
            Fault(fault["msg"], file=str(path), column=".".join(map(str, fault["loc"])) or None, remedy=remedy)
            for fault in error.errors()
        ) from error


def read_run(folder: Path) -> dict[str, Any]:
    """What ``run.json`` says; empty where there is none, since no number of the plan depends on it."""
    try:
        found = json.loads((folder / RUN_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def plan_schema() -> dict[str, Any]:
    """JSON schema of ``plan.json``, published as ``docs/plan.schema.json``."""
    schema = PlanDocument.model_json_schema(by_alias=True, mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def schema_text() -> str:
    """The published schema as text."""
    return json.dumps(plan_schema(), indent=1, ensure_ascii=False) + "\n"


def _write_text(path: Path, text: str) -> None:
    with written_whole(path) as beside:
        beside.write_text(text + "\n", encoding="utf-8", newline="\n")
