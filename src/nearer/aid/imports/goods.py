"""Gifts and opening stock from spreadsheets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from fractions import Fraction
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from nearer.aid import commands as c
from nearer.aid.book import MOST
from nearer.aid.clock import zone_of
from nearer.aid.imports.headings import Line, columns_of, lines_of
from nearer.aid.imports.post import Planned, Reading, id_for, look_up_done
from nearer.aid.imports.sheet import Sheet, read_sheet
from nearer.aid.imports.units import plain
from nearer.aid.store import Store, sql_of
from nearer.errors import Faults

_GOODS = ("item", "name", "ifrc", "quantity", "unit", "site", "use_by", "best_before", "cold", "category")
_GIFT = (*_GOODS, "giver", "day", "unit_value", "value", "currency", "programme")

_MOST_LINES = 500


@dataclass
class _Known:
    """What the ledger has, by what people may call it."""

    items: dict[str, str]
    units: dict[str, dict[str, int]]
    base: dict[str, str]
    sites: dict[str, str]
    zones: dict[str, str]
    givers: dict[str, str]
    programmes: dict[str, str]
    money: set[str]
    codes: set[str]


def _known(store: Store) -> _Known:
    with store.reading() as connection:
        sql = sql_of(connection)
        items, base, money, units = {}, {}, set(), {}
        for item, kind, name, unit, ifrc in sql.all(
            "SELECT item, kind, name, unit, ifrc_code FROM items ORDER BY seq, item"
        ):
            base[str(item)], units[str(item)] = str(unit), {str(unit): 1}
            if kind == "money":
                money.add(str(item))
                continue
            for call in (ifrc, name, item):
                if call:
                    items[_folded(str(call))] = str(item)
        for item, unit, amount in sql.all("SELECT item, unit, base_units FROM item_units"):
            units[str(item)][str(unit)] = int(amount)
        sites, zones = {}, {}
        for site, name, zone in sql.all("SELECT site, name, time_zone FROM sites"):
            sites[_folded(name)] = sites[_folded(site)] = str(site)
            zones[str(site)] = str(zone)
        givers = {}
        for party, organisation in sql.all("SELECT party, organisation FROM parties"):
            givers[_folded(organisation or party)] = givers[_folded(party)] = str(party)
        programmes = {}
        for programme, name in sql.all("SELECT programme, name FROM programmes"):
            programmes[_folded(name)] = programmes[_folded(programme)] = str(programme)
        codes = {*base, *(str(party) for (party,) in sql.all("SELECT party FROM parties"))}
    return _Known(items, units, base, sites, zones, givers, programmes, money, codes)


def gifts_from(
    store: Store,
    file: Path,
    spellings: Mapping[str, str],
    *,
    site: str | None = None,
    giver: str | None = None,
    add_items: bool = False,
    add_organisations: bool = False,
) -> Reading:
    """
    Read gifts; neighbouring rows of one giver, site and day are one receipt with one thank-you number.

    Parameters
    ----------
    spellings
        As of ``read_spellings``.
    site, giver
        Where the file names none.
    add_items, add_organisations
        Whether what the ledger does not have is added: an item by its name, with the unit of its first row as base
        unit; a giver by its name, which must be an organisation's and no person's.

    Raises
    ------
    InputError
        With every fault of the file.
    """
    reader = _Reader(store, file, spellings, _GIFT, add_items, add_organisations)
    groups: list[tuple[tuple[str, str, date | None], int, list[c.Gift]]] = []
    for line in reader.lines():
        where = reader.site(line, site)
        who = reader.giver(line, giver)
        goods = reader.goods(line)
        more = reader.worth(line, goods)
        day = line.day("day")
        gift = reader.made(line, c.Gift, {**goods, **more}) if goods else None
        if gift is None or where is None or who is None:
            continue
        key = where, who, day
        if not groups or groups[-1][0] != key or len(groups[-1][2]) >= _MOST_LINES:
            groups.append((key, line.row, []))
        groups[-1][2].append(gift)
    reader.faults.raise_if_any()
    for (where, who, day), row, gifts in groups:
        command = c.Receive(site=where, giver=who, lines=tuple(gifts))
        at = None if day is None else datetime.combine(day, time(12), tzinfo=zone_of(reader.known.zones[where]))
        reader.plan("g", row, command, at)
    return reader.done()


def stock_from(
    store: Store, file: Path, spellings: Mapping[str, str], *, site: str | None = None, add_items: bool = False
) -> Reading:
    """
    Read opening stock: goods that are there and that no lot accounts for.

    Parameters
    ----------
    spellings, site, add_items
        As of ``gifts_from``.

    Raises
    ------
    InputError
        With every fault of the file.
    """
    reader = _Reader(store, file, spellings, _GOODS, add_items, False)
    groups: list[tuple[str, int, list[c.Found]]] = []
    for line in reader.lines():
        where = reader.site(line, site)
        goods = reader.goods(line)
        found = reader.made(line, c.Found, goods) if goods else None
        if found is None or where is None:
            continue
        if not groups or groups[-1][0] != where or len(groups[-1][2]) >= _MOST_LINES:
            groups.append((where, line.row, []))
        groups[-1][2].append(found)
    reader.faults.raise_if_any()
    for where, row, lines in groups:
        reader.plan("s", row, c.Stocktake(site=where, found=tuple(lines)))
    return reader.done()


class _Reader:
    """Reads the rows of one file against what the ledger has."""

    def __init__(
        self,
        store: Store,
        file: Path,
        spellings: Mapping[str, str],
        fields: tuple[str, ...],
        add_items: bool,
        add_organisations: bool,
    ) -> None:
        self._store, self._spellings = store, spellings
        self._add_items, self._add_organisations = add_items, add_organisations
        self.sheet: Sheet = read_sheet(file)
        self.faults = Faults(self.sheet.name)
        self._columns = columns_of(self.sheet, fields, self.faults)
        self.known = _known(store)
        self._reading = Reading(self.sheet.name, len(self.sheet.rows))
        self._empty = 0
        self._no_currency: set[str] = set()
        self._told: set[tuple[str, str]] = set()
        remedy = f"the columns are {', '.join(self.sheet.header[:12])}"
        if "quantity" not in self._columns.at:
            self.faults.add("there is no such column", row=1, column="quantity", remedy=remedy)
        if not {"item", "name", "ifrc"} & set(self._columns.at):
            self.faults.add("there is no column that names the item", row=1, column="item", remedy=remedy)
        self.faults.raise_if_any()

    def lines(self) -> Any:
        """Rows that hold something."""
        for line in lines_of(self.sheet, self._columns, self.faults):
            if line.text("quantity") in ("0", "0.0"):
                self._empty += 1
            else:
                yield line

    def plan(self, what: str, row: int, command: c.Command, at: datetime | None = None) -> None:
        """Add a command."""
        self._reading.planned.append(Planned(id_for(self.sheet, what, row), command, row, at))

    def done(self) -> Reading:
        """The finished reading, with notes on what was left aside."""
        notes = self._reading.notes
        if self._empty:
            notes.append(
                "1 row holds nothing and was passed over."
                if self._empty == 1
                else f"{self._empty} rows hold nothing and were passed over."
            )
        if self._columns.ignored:
            notes.append(f"Nothing was read from {', '.join(self._columns.ignored)}.")
        notes += [
            f"Values in {currency} were left out: there is no such money; add it with `nearer aid add-item --money`."
            for currency in sorted(self._no_currency)
        ]
        look_up_done(self._store, self._reading)
        return self._reading

    def site(self, line: Line, default: str | None) -> str | None:
        """The site of a row."""
        text = line.text("site")
        if not text and default is None:
            line.fault("site", "it is not said where", "fill in the cell, or give --site")
            return None
        found = self.known.sites.get(_folded(text or str(default)))
        if found is None and default is not None and text:
            found = self.known.sites.get(_folded(default))
        if found is None:
            self._once(line, "site", text or str(default), "there is no site", "add it, or give --site")
        return found

    def giver(self, line: Line, default: str | None) -> str | None:
        """The giver of a row; made where that was asked for."""
        text = line.text("giver")
        if not text and default is None:
            line.fault("giver", "it is not said who gives", "fill in the cell, or give --giver")
            return None
        found = self.known.givers.get(_folded(text or str(default)))
        if found is None and text and default is not None:
            found = self.known.givers.get(_folded(default))
        if found is None and text and self._add_organisations:
            made = self.made(line, c.AddParty, {"party": self._code(text), "organisation": text[:120]}, "giver")
            if made is None:
                return None
            self.known.givers[_folded(text)] = found = made.party
            self.plan("p", line.row, made)
        if found is None:
            remedy = "add it with `nearer aid add-giver`, give --giver, or --add-organisations where all are such"
            # A name in a spreadsheet may be a person's: it is not repeated.
            if (key := ("giver", _folded(text or str(default)))) not in self._told:
                self._told.add(key)
                line.fault("giver", "this giver is not known", remedy)
        return found

    def _once(self, line: Line, field: str, name: str, what: str, remedy: str) -> None:
        """A fault that is told once for a name, at its first row."""
        if (field, _folded(name)) not in self._told:
            self._told.add((field, _folded(name)))
            line.fault(field, f"{what} {name[:60]!r}", remedy)

    def goods(self, line: Line) -> dict[str, Any]:
        """Item, quantity, unit and days of a row; empty where something is wrong with it."""
        before = len(self.faults.found)
        quantity = line.number("quantity")
        item = self._item(line)
        use_by, best_before = line.day("use_by"), line.day("best_before")
        cold = line.yes("cold")
        unit = None if item is None else self._unit(line, item)
        if len(self.faults.found) > before or item is None or quantity is None:
            return {}
        exact = Fraction(quantity) * self.known.units[item].get(unit or self.known.base[item], 1)
        if exact.denominator != 1 or not 0 < exact <= MOST:
            line.fault(
                "quantity", f"{quantity} {unit} is no whole number of {self.known.base[item]}", "round it yourself"
            )
            return {}
        goods: dict[str, Any] = {"item": item, "quantity": quantity if "." in quantity else int(quantity), "unit": unit}
        return goods | {"use_by": use_by, "best_before": best_before, "cold": cold}

    def _item(self, line: Line) -> str | None:
        fields = [field for field in ("item", "ifrc", "name") if line.has(field)]
        calls = [line.text(field) for field in fields]
        for call in calls:
            if (found := self.known.items.get(_folded(call))) is not None:
                return found
        if not calls:
            line.fault("item", "it is not said what", "fill in the item, its name or its IFRC code")
            return None
        if not self._add_items:
            self._once(line, fields[0], calls[0], "there is no item", "add it, or give --add-items")
            return None
        name = (line.text("name") or calls[0])[:120]
        spelled = line.text("unit")
        unit = self._spellings.get(plain(spelled)) if spelled else "piece"
        if unit is None:
            line.fault("unit", f"{spelled[:40]!r} is no known unit", "add the spelling with --units")
            return None
        ifrc = line.text("ifrc")
        values = {
            "item": self._code(line.text("item") or name),
            "name": name,
            "unit": unit,
            "category": self._slug(line.text("category")) or None,
            "ifrc_code": ifrc if re.fullmatch(c.IFRC, ifrc) else None,
        }
        made = self.made(line, c.AddItem, values, fields[0])
        if made is None:
            return None
        self.known.base[made.item], self.known.units[made.item] = unit, {unit: 1}
        for call in calls:
            self.known.items[_folded(call)] = made.item
        self.plan("i", line.row, made)
        return str(made.item)

    def _unit(self, line: Line, item: str) -> str | None:
        spelled = line.text("unit")
        if not spelled:
            return None
        units = self.known.units[item]
        for unit in (spelled, spelled.lower(), self._spellings.get(plain(spelled))):
            if unit in units:
                return unit
        meant = self._spellings.get(plain(spelled))
        what = f"{spelled[:40]!r} is no known unit" if meant is None else f"{item} is not counted in {meant}"
        remedy = f"it has {', '.join(units)}; add a unit with `nearer aid add-unit`, or a spelling with --units"
        line.fault("unit", what, remedy)
        return None

    def worth(self, line: Line, goods: dict[str, Any]) -> dict[str, Any]:
        """Value, currency and earmark of a row."""
        found: dict[str, Any] = {}
        if line.has("programme"):
            programme = self.known.programmes.get(_folded(line.text("programme")))
            if programme is None:
                line.fault(
                    "programme", f"there is no programme {line.text('programme')[:40]!r}", "add it, or leave it out"
                )
            found["for_programme"] = programme
        column = "value" if line.has("value") else "unit_value"
        if not line.has(column) or line.text(column) == "0" or not goods:
            return found
        amount = line.number(column)
        coin = line.text("currency")
        if amount is None:
            return found
        money = next((item for item in self.known.money if _folded(item) == _folded(coin)), None)
        if money is None:
            self._no_currency.add(coin or "no currency")
            return found
        worth = Fraction(amount) * self.known.units[money].get(coin.upper(), 1)
        if column == "unit_value":
            worth *= Fraction(str(goods["quantity"]))
        return found | {"value": round(worth), "currency": money}

    def made(self, line: Line, model: Any, fields: dict[str, Any], column: str = "quantity") -> Any:
        """A checked value of a row; None, and a fault, where it is none."""
        try:
            return model.model_validate({name: value for name, value in fields.items() if value is not None})
        except ValidationError as error:
            for found in error.errors(include_url=False):
                where = str(found["loc"][0]) if found["loc"] else column
                line.fault(where, f"cannot be taken in: {found['msg'].removeprefix('Value error, ').lower()}")
            return None

    def _slug(self, text: str) -> str:
        return "-".join(re.findall(r"[a-z0-9]+", text.lower()))[:40].strip("-")

    def _code(self, name: str) -> str:
        """A code for a name, that nothing else has."""
        base = self._slug(name)[:34].strip("-") or "new"
        code, number = base, 1
        while code in self.known.codes:
            number += 1
            code = f"{base}-{number}"
        self.known.codes.add(code)
        return code


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()
