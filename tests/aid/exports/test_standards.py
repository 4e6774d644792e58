"""Exports are valid, add up to the ledger, and hold no household."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator, FormatChecker

from nearer.aid import commands as c
from nearer.aid.exports.epcis import epcis_document
from nearer.aid.exports.hsds import hsds_services
from nearer.aid.exports.hxl import hxl_text
from nearer.aid.publishing import releases
from nearer.aid.seeing import span_of
from nearer.aid.store import Store, sql_of

from ..town import Desk, every_command, tag


def document_of(store: Store) -> dict[str, Any]:
    with store.reading() as connection:
        sql = sql_of(connection)
        return epcis_document(sql, span_of(sql), store.ledger(connection))


def events(store: Store) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = document_of(store)["epcisBody"]["eventList"]
    return found


@pytest.mark.data
def test_events_are_valid_against_the_official_schema(data_dir: Path, town: Desk) -> None:
    schema = data_dir / "aid" / "epcis" / "EPCIS-JSON-Schema.json"
    if not schema.is_file():
        pytest.skip("the schema is not there")
    check = Draft7Validator(json.loads(schema.read_text(encoding="utf-8")), format_checker=FormatChecker())
    every_command(town)
    document = document_of(town.store)
    assert [error.message for error in check.iter_errors(document)] == []
    broken = json.loads(json.dumps(document))
    broken["epcisBody"]["eventList"][0]["action"] = "GIVE"
    assert list(check.iter_errors(broken))


def test_what_was_added_less_what_was_deleted_is_what_is_there(town: Desk) -> None:
    """Whoever reads the events alone finds every lot's stock, on shelves and on the way."""
    every_command(town)
    held: dict[str, int] = defaultdict(int)
    for event in events(town.store):
        if "errorDeclaration" in event:
            continue
        if event["type"] == "TransformationEvent":
            parts = [(event["inputQuantityList"], -1), (event["outputQuantityList"], 1)]
        else:
            parts = [(event["quantityList"], {"ADD": 1, "DELETE": -1, "OBSERVE": 0}[event["action"]])]
        for quantities, sign in parts:
            for quantity in quantities:
                held[quantity["epcClass"].rpartition(":")[2]] += sign * quantity["quantity"]
    there: dict[str, int] = defaultdict(int)
    for kind in ("STOCK", "RESERVED", "TRANSIT"):
        for lot, amount in town.held(kind).items():
            there[lot] += amount
    with town.store.reading() as connection:
        money = {lot for (lot,) in connection.exec_driver_sql("SELECT lot FROM lots WHERE item = 'chf'")}
    assert {lot: n for lot, n in held.items() if n} == {lot: n for lot, n in there.items() if n and lot not in money}


def test_events_name_no_household_no_private_giver_and_no_single_hand_over(town: Desk) -> None:
    every_command(town)
    text = json.dumps(document_of(town.store))
    assert not any(tag(number) in text for number in range(5))
    assert "g-71" not in text
    given = [event for event in events(town.store) if event.get("disposition") == "dispensed"]
    assert len(given) == len({(event["readPoint"]["id"], event["eventTime"]) for event in given})
    assert json.dumps(document_of(town.store)) == text


def test_a_reversed_shipment_is_declared_in_error(town: Desk) -> None:
    town.give(item="rice", quantity=1_000)
    sent = town.do(c.Send(site="hub", to="north", lines=(c.Wanted(item="rice", quantity=500),)))
    town.do(c.Reverse(transaction=sent["transaction"]))
    (shipped,) = [event for event in events(town.store) if event["bizStep"] == "shipping"]
    assert shipped["errorDeclaration"]["reason"] == "incorrect_data"


def test_tagged_tables_hold_only_what_is_published(town: Desk) -> None:
    every_command(town)
    with town.store.reading() as connection:
        sql = sql_of(connection)
        (release,) = releases(sql)
        lines = list(csv.reader(hxl_text(sql, release).splitlines()))
    assert lines[0] == ["programme", "programme_name", "week", "households"]
    assert lines[1] == ["#activity+code", "#activity+name", "#date+week", "#reached+households"]
    assert {tuple(line[:3]): line[3] for line in lines[2:]} == {
        ("basics", "Basics", "2026-W10"): "",
        ("baby", "First year", "2026-W10"): "0",
    }


def test_the_directory_has_every_centre_and_keeps_its_numbers(town: Desk) -> None:
    town.do(c.SetSiteState(site="south", state="closed"))
    town.do(c.SetHours(site="north", days=(c.OpenDay(weekday="mon"),)))
    days = (c.OpenDay(weekday="fri"), c.OpenDay(weekday="tue", opens="09:00", closes="17:30"))
    town.do(c.SetHours(site="north", days=days))
    with town.store.reading() as connection:
        sql, ledger = sql_of(connection), town.store.ledger(connection)
        (service,) = hsds_services(sql, ledger, "Town aid", {"north": (9.5, 47.1)})
        assert hsds_services(sql, ledger, "Town aid", {"north": (9.5, 47.1)}) == [service]
    assert service["organization"]["name"] == "Town aid"
    north, south = (at["location"] for at in service["service_at_locations"])
    assert (north["name"], north["longitude"], north["latitude"]) == ("Centre north", 9.5, 47.1)
    assert [(day["byday"], day.get("opens_at"), day.get("closes_at")) for day in north["schedules"]] == [
        ("TU", "09:00", "17:30"),
        ("FR", None, None),
    ]  # as it was said last
    assert "latitude" not in south
    assert "schedules" not in south
    assert south["description"] == "Closed at present."


@pytest.mark.data
def test_the_directory_uses_the_words_of_the_standard(data_dir: Path, town: Desk) -> None:
    example = data_dir / "aid" / "hsds" / "service_full.json"
    if not example.is_file():
        pytest.skip("the example is not there")
    known = json.loads(example.read_text(encoding="utf-8"))
    with town.store.reading() as connection:
        (service,) = hsds_services(
            sql_of(connection), town.store.ledger(connection), "Town aid", {"north": (9.5, 47.1)}
        )
    assert set(service) <= set(known)
    assert set(service["organization"]) <= set(known["organization"])
    at = service["service_at_locations"][0]
    assert set(at) <= set(known["service_at_locations"][0])
    assert set(at["location"]) <= set(known["service_at_locations"][0]["location"])
