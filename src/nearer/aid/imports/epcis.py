"""Receipts that others tell as EPCIS 2.0 events (JSON): what came in, as gifts."""

from __future__ import annotations

import csv
import hashlib
import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from nearer.aid import commands as c
from nearer.aid.exports.epcis import UOM
from nearer.aid.imports.post import Planned, Reading, look_up_done
from nearer.aid.imports.sheet import MOST_BYTES
from nearer.aid.store import Store, sql_of
from nearer.errors import Fault, Faults, InputError

ARRIVING = ("receiving", "accepting", "arriving")
"""Business steps of events by which goods come in."""

_MOST_LINES = 1000

_UNIT = {code: unit for unit, code in UOM.items()}


def receipts_from(store: Store, file: Path, classes: Path, *, site: str, giver: str) -> Reading:
    """
    Read ObjectEvents by which goods came in; every event is one receipt.

    Parameters
    ----------
    file
        An EPCISDocument.
    classes
        CSV with the columns ``class`` and ``item``: the beginning of a class of goods (or of a single item's code), and
        what the ledger calls it; the longest beginning counts.
    site, giver
        Where it came to, and from whom.

    Raises
    ------
    InputError
        With every fault of both files. Events are counted as rows, from 1.
    """
    data, events = _events(file)
    known = _classes(store, classes)
    faults = Faults(str(file))
    reading = Reading(str(file), len(events))
    mark = hashlib.sha256(data).hexdigest()[:16]
    passed = 0
    for number, event in enumerate(events, start=1):
        if not _comes_in(event):
            passed += 1
            continue
        lines = _lines(event, known, faults, number)
        at = _moment(event, faults, number)
        if len(lines) > _MOST_LINES:
            faults.add(f"has {len(lines)} lines", row=number, remedy=f"give at most {_MOST_LINES} an event")
        elif lines:
            command = c.Receive(site=site, giver=giver, lines=tuple(lines))
            reading.planned.append(Planned(f"import-{mark}-e{number}", command, number, at))
    faults.raise_if_any()
    if passed:
        reading.notes.append(f"{passed} events are about something else than goods that come in and were passed over.")
    look_up_done(store, reading)
    return reading


def _events(file: Path) -> tuple[bytes, list[Any]]:
    name = str(file)
    try:
        data = Path(file).read_bytes()
    except OSError as error:
        raise InputError([Fault(f"cannot be read: {error.strerror}", name)]) from error
    if len(data) > MOST_BYTES:
        raise InputError([Fault("is too large", name, remedy=f"give at most {MOST_BYTES // 2**20} MB")])
    remedy = "give an EPCISDocument in JSON, with epcisBody and eventList"
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise InputError([Fault("is no JSON", name, remedy=remedy)]) from error
    body = found.get("epcisBody") if isinstance(found, dict) else None
    events = body.get("eventList") if isinstance(body, dict) else None
    if not isinstance(events, list):
        raise InputError([Fault("holds no events", name, remedy=remedy)])
    return data, events


def _comes_in(event: Any) -> bool:
    """An ObjectEvent that adds or observes goods that arrive, and was not declared in error."""
    if not isinstance(event, dict) or event.get("type") != "ObjectEvent" or "errorDeclaration" in event:
        return False
    step = str(event.get("bizStep", "")).rpartition(":")[2].rpartition("/")[2].removeprefix("BizStep-")
    return event.get("action") in ("ADD", "OBSERVE") and step in ARRIVING


def _classes(store: Store, file: Path) -> dict[str, tuple[str, set[str]]]:
    """Beginning of a class → item and its units."""
    faults = Faults(str(file))
    try:
        with Path(file).open(encoding="utf-8-sig", newline="") as lines:
            rows = list(csv.DictReader(lines))
    except OSError as error:
        raise InputError([Fault(f"cannot be read: {error.strerror}", str(file))]) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError([Fault("is no CSV in UTF-8", str(file), remedy="save it as CSV, UTF-8")]) from error
    with store.reading() as connection:
        sql = sql_of(connection)
        units = {str(item): {str(unit)} for item, unit in sql.all("SELECT item, unit FROM items WHERE kind = 'goods'")}
        for item, unit in sql.all("SELECT item, unit FROM item_units"):
            units.get(str(item), set()).add(str(unit))
    found: dict[str, tuple[str, set[str]]] = {}
    for number, row in enumerate(rows, start=2):
        begin, item = (row.get("class") or "").strip(), (row.get("item") or "").strip()
        if not begin:
            faults.add(
                "the cell is empty", row=number, column="class", remedy="write such as urn:epc:class:lgtin:4012345.0"
            )
        elif item not in units:
            faults.add(
                f"there is no item {item[:40]!r}", row=number, column="item", remedy="see `nearer aid list items`"
            )
        else:
            found[begin] = item, units[item]
    if not rows:
        faults.add("holds no classes", remedy="give the columns class and item")
    faults.raise_if_any()
    return found


def _lines(event: dict[str, Any], known: dict[str, tuple[str, set[str]]], faults: Faults, number: int) -> list[c.Gift]:
    asked: list[tuple[str, Any, Any]] = []
    quantities, single = event.get("quantityList", []), event.get("epcList", [])
    if not isinstance(quantities, list) or not isinstance(single, list):
        faults.add("is no list", row=number, column="quantityList or epcList")
        return []
    for entry in quantities:
        if isinstance(entry, dict):
            asked.append((str(entry.get("epcClass")), entry.get("quantity"), entry.get("uom")))
        else:
            faults.add("is no quantity", row=number, column="quantityList")
    counted = Counter(_begin(str(code), known) or str(code) for code in single)
    asked += [(code, pieces, None) for code, pieces in counted.items()]
    found = []
    for code, quantity, uom in asked:
        begin = _begin(code, known)
        if begin is None:
            remedy = "add its beginning to the table of classes"
            faults.add(f"{code[:80]!r} is no known class", row=number, column="epcClass", remedy=remedy)
            continue
        item, units = known[begin]
        unit = None if uom is None else _UNIT.get(str(uom))
        if uom is not None and unit not in units:
            remedy = f"it has {', '.join(sorted(units))}"
            faults.add(f"{item} is not counted in {str(uom)[:10]!r}", row=number, column="uom", remedy=remedy)
            continue
        text = f"{quantity:.9f}".rstrip("0").rstrip(".") if isinstance(quantity, float) else str(quantity)
        is_number = isinstance(quantity, int | float) and not isinstance(quantity, bool)
        if not is_number or not 0 < quantity <= 10**12:
            faults.add(
                f"{str(quantity)[:40]!r} is no quantity", row=number, column="quantity", remedy="write such as 1.5"
            )
            continue
        found.append(c.Gift(item=item, quantity=text if "." in text else int(text), unit=unit))
    return found


def _begin(code: str, known: dict[str, tuple[str, set[str]]]) -> str | None:
    """The longest known beginning of a code."""
    return max((begin for begin in known if code.startswith(begin)), key=len, default=None)


def _moment(event: dict[str, Any], faults: Faults, number: int) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(event.get("eventTime")))
    except ValueError:
        faults.add("is no moment", row=number, column="eventTime", remedy="write 2026-03-02T09:30:00+01:00")
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
