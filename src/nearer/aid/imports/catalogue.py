"""Items from a catalogue, such as that of the International Federation of Red Cross and Red Crescent Societies."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from fractions import Fraction
from pathlib import Path

from pydantic import ValidationError

from nearer.aid import commands as c
from nearer.aid.book import MOST
from nearer.aid.imports.headings import Line, columns_of, lines_of
from nearer.aid.imports.post import Planned, Reading, id_for, look_up_done
from nearer.aid.imports.sheet import read_sheet
from nearer.aid.imports.units import plain
from nearer.aid.store import Store, sql_of
from nearer.errors import Faults

_FIELDS = ("name", "ifrc", "unit", "category", "pack_size", "weight", "volume", "volume_l")


def items_from(
    store: Store, file: Path, spellings: Mapping[str, str], *, codes: Collection[str] | None = None
) -> Reading:
    """
    Read items: code, name, unit, pieces in a pack, weight and volume where they are given.

    The item's code is its IFRC code in small letters. What the ledger has under the same IFRC code is passed over.

    Parameters
    ----------
    codes
        Only these IFRC codes, all without; a whole catalogue has thousands.

    Raises
    ------
    InputError
        With every fault of the file, and with codes that it does not have.
    """
    sheet = read_sheet(file)
    faults = Faults(sheet.name)
    columns = columns_of(sheet, _FIELDS, faults)
    for need in ("ifrc", "name"):
        if need not in columns.at:
            remedy = f"the columns are {', '.join(sheet.header[:12])}"
            faults.add("there is no such column", row=1, column="item code" if need == "ifrc" else need, remedy=remedy)
    faults.raise_if_any()
    with store.reading() as connection:
        rows = sql_of(connection).all("SELECT item, ifrc_code, seq FROM items")
        ours = {f"import-{sheet.mark}-i{line.row}": line for line in lines_of(sheet, columns, faults)}
        before = {str(id) for (id,) in sql_of(connection).all("SELECT id FROM transactions WHERE kind = 'add-item'")}
    there = {str(code) for _, code, _ in rows if code} | {str(item) for item, _, _ in rows}
    wanted = None if codes is None else {code.upper() for code in codes}
    reading = Reading(sheet.name, len(sheet.rows))
    seen: dict[str, int] = {}
    passed = 0
    for id, line in ours.items():
        code = line.text("ifrc").upper()
        if wanted is not None and code not in wanted:
            continue
        if re.fullmatch(c.IFRC, code) is None:
            line.fault("ifrc", f"{code[:40]!r} is no item code", "4 to 20 letters and digits")
            continue
        if code in seen:
            line.fault("ifrc", f"{code} stands in row {seen[code]} already", "keep one of them")
            continue
        seen[code] = line.row
        if id not in before and (code in there or _item_code(code) in there):
            passed += 1
            continue
        _plan(line, code, spellings, reading, id_for(sheet, "i", line.row))
    if wanted is not None:
        for code in sorted(wanted - set(seen)):
            faults.add(f"there is no item {code}", column="item code", remedy="look at the catalogue")
    faults.raise_if_any()
    if passed:
        reading.notes.append(
            "1 item is in the ledger already and was passed over."
            if passed == 1
            else f"{passed} items are in the ledger already and were passed over."
        )
    if columns.ignored:
        reading.notes.append(f"Nothing was read from {', '.join(columns.ignored)}.")
    look_up_done(store, reading)
    return reading


def _plan(line: Line, code: str, spellings: Mapping[str, str], reading: Reading, id: str) -> None:
    spelled = line.text("unit")
    unit = spellings.get(plain(spelled)) if spelled else "piece"
    if unit is None:
        line.fault("unit", f"{spelled[:40]!r} is no known unit", "add the spelling with --units")
        return
    units: dict[str, int] = {}
    if line.has("pack_size") and (size := line.number("pack_size")) is not None:
        if "." in size or int(size) < 1:
            line.fault("pack_size", f"{size} is no whole number of {unit}", "write how many are in a pack")
        elif unit != "pack":
            units["pack"] = int(size)
    name = " ".join(line.text("name").split())[:120]
    category = "-".join(re.findall(r"[a-z0-9]+", line.text("category").lower()))[:40].strip("-") or None
    try:
        item = c.AddItem(item=_item_code(code), name=name, unit=unit, category=category, ifrc_code=code, units=units)
    except ValidationError as error:
        for found in error.errors(include_url=False):
            line.fault("name" if found["loc"][0] == "name" else "ifrc", f"cannot be taken in: {found['msg'].lower()}")
        return
    reading.planned.append(Planned(id, item, line.row))
    milligrams = _measure(line, "weight", 10**6)
    if milligrams:
        volume = _measure(line, "volume_l", 10**6) or _measure(line, "volume", 10**9)
        measure = c.MeasureItem(item=item.item, milligrams=milligrams, cubic_mm=volume)
        reading.planned.append(Planned(f"{id}-weight", measure, line.row))


def _measure(line: Line, field: str, factor: int) -> int:
    """A weight in milligrams or a volume in cubic millimetres; 0 where it is not given."""
    text = line.number(field) if line.has(field) else None
    return min(round(Fraction(text or "0") * factor), MOST)


def _item_code(code: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", code.lower()).strip("-")
