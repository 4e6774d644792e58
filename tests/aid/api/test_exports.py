"""What there is to take away over HTTP: tables, documents, signed heads; and what is asked for and still open."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import httpx
import openpyxl
import pytest

from nearer.aid import commands as c
from nearer.aid.api.gate import Person
from nearer.aid.heads import checked_head, make_key
from nearer.aid.store import Store
from nearer.aid.views import balances_of, movements_of

from ..server import served
from ..town import Desk, Ticking, every_command, wanted
from .test_api import pages, post, told


@pytest.fixture
def store(place: str) -> Iterator[Store]:
    """A town's ledger in which everything has happened once."""
    with Store(place, clock=Ticking()) as store:
        every_command(Desk(store))
        yield store


@pytest.fixture
def client(store: Store, tmp_path: Path) -> Iterator[httpx.Client]:
    make_key(tmp_path / "head.key")
    with (
        served(store, head_key=tmp_path / "head.key") as address,
        httpx.Client(base_url=address, timeout=60) as client,
    ):
        yield client


def test_movements_come_from_the_newest_too_and_say_what_was_there_then(client: httpx.Client, store: Store) -> None:
    whole = movements_of(store)
    for limit in (3, 1000):
        assert pages(client, "/movements", limit, newest="true") == whole[::-1]
    there = [row for row in movements_of(store, site="north") if row["account"].startswith("STOCK")]
    assert len(there) > 3
    assert pages(client, "/movements", 2, newest="true", site="north", kind="STOCK") == there[::-1]


def test_tables_and_documents_are_taken_away_as_files(client: httpx.Client, store: Store) -> None:
    rows = balances_of(store)
    answer = client.get("/exports/tables/balances.csv").raise_for_status()
    assert 'filename="balances.csv"' in answer.headers["content-disposition"]
    read = list(csv.DictReader(io.StringIO(answer.text)))
    assert [(row["lot"], int(row["quantity"])) for row in read] == [(row["lot"], row["quantity"]) for row in rows]
    book = openpyxl.load_workbook(io.BytesIO(client.get("/exports/tables/movements.xlsx").content))
    assert book["movements"].max_row == len(movements_of(store)) + 1
    assert client.get("/exports/epcis").json()["epcisBody"]["eventList"]
    assert "The town" in client.get("/exports/hsds", params={"organisation": "The town"}).text
    release = client.get("/published").json()["rows"][0]["release"]
    assert "#reached+households" in client.get(f"/exports/hxl/{release}").text.splitlines()[1]
    told(client.get("/exports/hxl/B999"), 404, "unknown")
    told(client.get("/exports/tables/nothing.csv"), 422, "invalid")
    told(client.get("/exports/demand.csv"), 409, "refused")  # too few households to tell of


def test_exports_are_for_whose_role_may(store: Store, place: str) -> None:
    viewer = Person("view-1", lambda act: act == "export-table")
    with served(store, lambda: viewer) as address, httpx.Client(base_url=address, timeout=60) as client:
        assert client.get("/exports/tables/sites.csv").status_code == 200
        for path in ("/exports/epcis", "/exports/hxl/B1", "/exports/hsds?organisation=x", "/exports/demand.csv"):
            told(client.get(path), 403, "not-yours")
        told(client.post("/heads"), 403, "not-yours")


def test_a_head_is_signed_by_the_servers_key_and_the_audit_takes_it(
    client: httpx.Client, store: Store, place: str
) -> None:
    head = client.post("/heads").raise_for_status().json()
    assert head["seq"] == client.get("/head").json()["seq"]
    assert checked_head(head, "head") == head
    post(client, "add-party", {"party": "g-1"}, "party-000001")
    assert client.post("/audit", json=[head]).json()["holds"]
    with served(store) as address, httpx.Client(base_url=address, timeout=60) as other:
        assert "--head-key" in told(other.post("/heads"), 409, "refused")["message"]


def test_what_is_asked_for_and_still_open_is_listed_until_it_is_met(client: httpx.Client, store: Store) -> None:
    before = client.get("/requests").json()["rows"]
    desk = Desk(store)
    desk.do(c.SetSiteState(site="south", state="open"))
    desk.give("hub", item="rice", quantity=9_000)
    name = desk.do(c.Ask(site="south", lines=wanted(rice=4_000)))["request"]

    def still_open() -> list[int]:
        rows = pages(client, "/requests", 1)
        return [row["open"] for row in rows if row["request"] == name]

    assert still_open() == [4_000]
    desk.do(c.Send(site="hub", to="south", lines=wanted(rice=1_500)))
    assert still_open() == [2_500]
    post(client, "close-request", {"request": name, "outcome": "met"}, "close-000001").raise_for_status()
    assert client.get("/requests").json()["rows"] == before
