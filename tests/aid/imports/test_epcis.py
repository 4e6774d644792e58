"""A partner's events become receipts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nearer.aid.imports import post, receipts_from
from nearer.aid.store import sql_of
from nearer.errors import InputError

from ..town import Desk, store_size

RICE = "urn:epc:class:lgtin:4012345.012345."
KIT = "urn:epc:id:sgtin:4012345.077777."


def event(**more: Any) -> dict[str, Any]:
    return {
        "type": "ObjectEvent",
        "action": "OBSERVE",
        "bizStep": "receiving",
        "eventTime": "2026-03-01T09:00:00+01:00",
        "eventTimeZoneOffset": "+01:00",
        "quantityList": [{"epcClass": f"{RICE}LOT7", "quantity": 12.5, "uom": "KGM"}],
        **more,
    }


def written(folder: Path, events: list[Any]) -> tuple[Path, Path]:
    file, classes = folder / "events.json", folder / "classes.csv"
    document = {"@context": [], "type": "EPCISDocument", "schemaVersion": "2.0", "epcisBody": {"eventList": events}}
    file.write_text(json.dumps(document), encoding="utf-8")
    classes.write_text(f"class,item\n{RICE},rice\n{KIT},kit\n", encoding="utf-8")
    return file, classes


def test_receipts_of_a_partner_become_gifts_once(town: Desk, tmp_path: Path) -> None:
    files = written(
        tmp_path,
        [
            event(),
            event(bizStep="shipping"),
            event(type="AggregationEvent"),
            event(errorDeclaration={"declarationTime": "2026-03-01T10:00:00Z"}),
            event(action="ADD", quantityList=[], epcList=[f"{KIT}1", f"{KIT}2"]),
        ],
    )
    for _ in range(2):
        found = receipts_from(town.store, *files, site="hub", giver="mill")
        assert any("3 events" in note for note in found.notes)
        post(town.store, found, actor="staff-1")
        size = store_size(town.store)
    assert sorted(town.held("STOCK", "hub").values()) == [2, 12_500]
    assert size == store_size(town.store)
    with town.store.reading() as connection:
        rows = sql_of(connection).all("SELECT at FROM transactions WHERE kind = 'receive' ORDER BY seq")
    assert [row[0] for row in rows] == ["2026-03-01T08:00:00.000Z"] * 2


def test_every_fault_of_a_document_is_told(town: Desk, tmp_path: Path) -> None:
    files = written(
        tmp_path,
        [
            event(eventTime="yesterday"),
            event(quantityList=[{"epcClass": "urn:other", "quantity": 1}, {"epcClass": RICE, "quantity": "many"}]),
            event(quantityList=[{"epcClass": RICE, "quantity": 1, "uom": "LTR"}, "none"]),
        ],
    )
    with pytest.raises(InputError) as caught:
        receipts_from(town.store, *files, site="hub", giver="mill")
    assert [(fault.row, fault.column) for fault in caught.value.faults] == [
        (1, "eventTime"), (2, "epcClass"), (2, "quantity"), (3, "quantityList"), (3, "uom"),
    ]  # fmt: skip


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
fields = st.sampled_from(["type", "action", "bizStep", "eventTime", "quantityList", "epcList", "errorDeclaration"])
quantities = st.lists(
    st.fixed_dictionaries(
        {"epcClass": st.just(RICE) | json_values, "quantity": json_values}, optional={"uom": json_values}
    )
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(fields, json_values, max_size=2), st.none() | quantities)
def test_any_events_are_read_or_refused_in_sentences(
    fuzzed: Desk, tmp_path: Path, changed: dict[str, Any], amounts: list[Any] | None
) -> None:
    files = written(tmp_path, [event(**changed, **({} if amounts is None else {"quantityList": amounts}))]
                    if "quantityList" not in changed or amounts is None else [event(**changed)])  # fmt: skip
    try:
        receipts_from(fuzzed.store, *files, site="hub", giver="mill")
    except InputError as error:
        refused = error.faults
    else:
        return
    assert refused


@pytest.fixture
def fuzzed(town: Desk) -> Desk:
    return town


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"epcisBody": []}', "{", "\x00"])
def test_what_is_no_document_is_said(town: Desk, tmp_path: Path, text: str) -> None:
    file, classes = written(tmp_path, [])
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"no JSON|no events"):
        receipts_from(town.store, file, classes, site="hub", giver="mill")
    with pytest.raises(InputError, match="holds no classes"):
        receipts_from(town.store, *written_without_classes(tmp_path), site="hub", giver="mill")


def written_without_classes(folder: Path) -> tuple[Path, Path]:
    file, classes = written(folder, [])
    classes.write_text("class,item\n", encoding="utf-8")
    return file, classes


@pytest.mark.data
def test_the_standard_s_own_examples_are_read(data_dir: Path, town: Desk, tmp_path: Path) -> None:
    folder = data_dir / "aid" / "epcis"
    if not folder.is_dir():
        pytest.skip("the examples are not there")
    classes = tmp_path / "classes.csv"
    classes.write_text("class,item\nurn:epc:,kit\n", encoding="utf-8")
    found = receipts_from(town.store, folder / "openepcis_ObjectEvent.json", classes, site="hub", giver="mill")
    assert [one.command.lines[0].quantity for one in found.planned] == [1]  # type: ignore[attr-defined]
