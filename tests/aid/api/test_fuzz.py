"""Whatever the OpenAPI document allows or forbids gets an answer of the documented shape and no fault."""

from __future__ import annotations

import shutil
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import requests
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import NonInteractiveExampleWarning, Unsatisfiable

from nearer.aid.audit import audit
from nearer.aid.households.store import Households
from nearer.aid.store import Store

from ..server import served
from ..town import Desk, Ticking, every_command

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import schemathesis
    from schemathesis import GenerationMode
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi.checks import (
        content_type_conformance,
        missing_required_header,
        negative_data_rejection,
        response_schema_conformance,
        status_code_conformance,
        unsupported_method,
    )

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    negative_data_rejection,
    missing_required_header,
    unsupported_method,
]


@pytest.fixture
def address(sqlite_templates: dict[str, str], tmp_path: Path) -> Iterator[str]:
    """A server over a town where everything has happened once; its ledger is whole afterwards."""
    place = str(shutil.copy(sqlite_templates["town"], tmp_path / "aid.db"))
    clock = Ticking()
    with (
        Store(place, clock=clock) as store,
        Households(str(tmp_path / "people.db"), tmp_path / "keys", make=True, clock=clock) as people,
    ):
        every_command(Desk(store))
        with served(store, people=people) as address:
            yield address
        assert audit(store).holds


def fuzzed(address: str, examples: int) -> Counter[tuple[str, int]]:
    """How often each address gave each status."""
    schema = schemathesis.openapi.from_url(f"{address}/openapi.json")
    seen: Counter[tuple[str, int]] = Counter()
    session = requests.Session()
    for found in schema.get_all_operations():
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            with suppress(Unsatisfiable):  # where there is nothing to send, nothing wrong can be sent
                ask(found.ok(), mode, examples, address, session, seen)
    return seen


def ask(
    operation: Any,
    mode: GenerationMode,
    examples: int,
    address: str,
    session: requests.Session,
    seen: Counter[tuple[str, int]],
) -> None:
    """Send one address what its description allows, or what it forbids."""

    @seed(6)
    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def once(case: schemathesis.Case) -> None:
        response = case.call(base_url=address, session=session, timeout=60)
        seen[operation.label, response.status_code] += 1
        case.validate_response(response, checks=CHECKS)

    once()


def test_the_fuzzer_finds_no_fault_at_any_address(address: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NonInteractiveExampleWarning)
        seen = fuzzed(address, 2)
    assert len({label for label, _ in seen}) > 30
    assert {status for _, status in seen} >= {200, 404, 422}


@pytest.mark.long
def test_the_fuzzer_finds_no_fault_at_any_address_in_many_tries(address: str) -> None:
    seen = fuzzed(address, 150)
    assert sum(seen.values()) > 5_000
