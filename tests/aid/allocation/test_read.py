"""Tables: read as they are written, and every fault told at once."""

from __future__ import annotations

import math
from datetime import date

import pytest

from nearer.aid.allocation import read_case
from nearer.errors import InputError

START = date(2026, 3, 2)  # a Monday
TABLES = {
    "items": [{"item": "rice", "kg": "1", "litres": "1.25", "cold": ""}],
    "places": [
        {"place": "hub", "kind": "hub", "open": "mon tue", "closed": "2026-03-03", "send_kg": "500"},
        {"place": "A", "kind": "centre", "open": "", "closed": "", "send_kg": ""},
    ],
    "lots": [
        {"lot": "007", "item": "rice", "place": "hub", "quantity": "60", "pack": "12", "arrives": "2026-03-01",
         "use_by": "2026-03-05", "best_before": "", "programme": "", "centre": "A"},
    ],
    "requests": [{"centre": "A", "item": "rice", "quantity": 60, "minimum": 10, "from": "2026-03-03", "to": ""}],
    "links": [{"from": "hub", "to": "A", "minutes": "12.5", "days": "", "kg": ""}],
}  # fmt: skip


def test_empty_cells_are_no_limits_all_days_and_no_earmark() -> None:
    case = read_case(TABLES, START, 7)
    assert case.places[0].open_days == {0}  # Tuesday is closed, the horizon has one Monday
    assert case.places[1].open_days == set(range(7))
    assert case.places[1].send_kg == math.inf
    lot, request, link = case.lots[0], case.requests[0], case.links[0]
    assert (lot.id, lot.pack, lot.first, lot.last, lot.programme, lot.centre) == ("007", 12, 0, 3, None, 1)
    assert (request.first, request.last, request.minimum, request.programme) == (1, 6, 10, "")
    assert (link.minutes, link.days, link.kg) == (12.5, 0, math.inf)


def test_all_faults_come_at_once_with_table_row_column_and_remedy() -> None:
    tables = {
        "items": [{"item": "rice", "kg": "0"}, {"item": "rice", "kg": "x"}],
        "places": [{"place": "A", "kind": "shop", "open": "monday"}],
        "lots": [{"lot": "1", "item": "soap", "place": "A", "quantity": "1.5", "use_by": "5.3.2026"}],
        "requests": [{"centre": "B", "item": "rice", "quantity": "5", "minimum": "6"}],
        "links": [{"from": "A", "to": "A", "minutes": ""}],
    }
    with pytest.raises(InputError) as error:
        read_case(tables, START, 7)
    assert str(error.value).splitlines() == [
        "items, row 2, column kg: 0 is not a number above zero.",
        "items, row 3, column kg: 'x' is not a number.",
        "places, row 2, column kind: 'shop' is neither hub nor centre.",
        "places, row 2, column open: 'monday' is no weekday; write some of mon tue wed thu fri sat sun.",
        "items, row 3, column item: 'rice' is in row 2 already.",
        "lots, row 2, column use_by: '5.3.2026' is not a date; write it as 2026-03-02.",
        "lots, row 2, column quantity: '1.5' is not a whole number of 0 or more; quantities are in whole base units.",
        "lots, row 2, column item: 'soap' is not in items.",
        "requests, row 2, column minimum: the minimum 6 is above the quantity 5.",
        "requests, row 2, column centre: 'B' is not in places.",
        "links, row 2, column minutes: the cell is empty; give a number.",
        "links, row 2: the link leads from a place to itself; remove the row.",
    ]


def test_missing_and_unknown_tables_and_columns_are_refused() -> None:
    with pytest.raises(InputError, match="lot: there is no such table; there are items, places"):
        read_case(TABLES | {"lot": []}, START, 7)
    with pytest.raises(InputError, match="items: the table is missing"):
        read_case({k: v for k, v in TABLES.items() if k != "items"}, START, 7)
    with pytest.raises(InputError, match="links, column time: there is no such column"):
        read_case(TABLES | {"links": [{"from": "hub", "to": "A", "minutes": 1, "time": 2}]}, START, 7)
    with pytest.raises(InputError, match="the horizon is 0 days; give 1 to 31"):
        read_case(TABLES, START, 0)
