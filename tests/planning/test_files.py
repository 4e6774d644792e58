"""What is written can be read, byte for byte the same, and follows the published schema."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import jsonschema
import numpy as np
import pytest

from nearer.errors import InputError
from nearer.model import Certificate
from nearer.planning.files import plan_schema, read_document, read_run, schema_text, write_plan_json
from nearer.planning.plan import Plan

PUBLISHED = Path(__file__).parents[2] / "docs" / "plan.schema.json"


def test_a_written_plan_is_read_back_the_same(plan: Plan, tmp_path: Path) -> None:
    write_plan_json(plan, tmp_path)
    assert read_document(tmp_path) == plan.document
    assert read_run(tmp_path) == plan.run
    assert np.array_equal(Certificate.load(tmp_path / "proof.npz").multipliers, plan.certificate.multipliers)


def test_plan_json_has_the_same_bytes_each_time(tmp_path: Path, town: SimpleNamespace) -> None:
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        write_plan_json(town.plan_of([2, 3], run={"name": name}), tmp_path / name)
    for file in ("plan.json", "proof.npz"):
        assert (tmp_path / "first" / file).read_bytes() == (tmp_path / "second" / file).read_bytes()


def test_plan_json_follows_the_schema(plan: Plan, tmp_path: Path) -> None:
    write_plan_json(plan, tmp_path)
    written = json.loads((tmp_path / "plan.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(plan_schema()).validate(written)
    assert written["schema"] == 1


def test_the_published_schema_is_the_one_of_the_code() -> None:
    assert PUBLISHED.read_text(encoding="utf-8") == schema_text(), (
        "write it again: python -c \"from nearer.planning.files import *; print(schema_text(), end='')\""
    )


def test_a_folder_without_a_plan_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no plan here"):
        read_document(tmp_path)


@pytest.mark.parametrize("text", ["{", "[]", '{"schema": 1}', '"é'])
def test_a_file_that_is_no_plan_is_bad_input(tmp_path: Path, text: str) -> None:
    (tmp_path / "plan.json").write_text(text, encoding="latin-1")
    with pytest.raises(InputError):
        read_document(tmp_path)
