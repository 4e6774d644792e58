"""Sites, givers, items, recipes, programmes and periods."""

from __future__ import annotations

from typing import Any

from nearer.aid import commands as c
from nearer.aid.book import Book
from nearer.aid.clock import zone_of
from nearer.aid.desk.lookup import base_units, need, need_type, refuse_if_there
from nearer.aid.refusals import RefusedError, unknown


def add_site(book: Book, command: c.AddSite) -> dict[str, Any]:
    """Add a centre, hub or partner."""
    refuse_if_there(book, "site", command.site)
    if zone_of(command.time_zone) is None:
        raise RefusedError(
            "There is no time zone '{time_zone}'; give one such as Europe/Vaduz.", time_zone=command.time_zone
        )
    book.add("sites", site=command.site, kind=command.type, name=command.name, time_zone=command.time_zone)
    return {"site": command.site}


def set_site_state(book: Book, command: c.SetSiteState) -> dict[str, Any]:
    """Open, limit or close a site."""
    need(book, "site", command.site)
    book.add("site_states", site=command.site, state=command.state, reason=command.reason)
    return {"site": command.site, "state": command.state}


def add_party(book: Book, command: c.AddParty) -> dict[str, Any]:
    """Add a giver."""
    refuse_if_there(book, "giver", command.party)
    kind = "private" if command.organisation is None else "organisation"
    book.add("parties", party=command.party, kind=kind, organisation=command.organisation)
    return {"party": command.party}


def add_item(book: Book, command: c.AddItem) -> dict[str, Any]:
    """Add an item with its units."""
    refuse_if_there(book, "item", command.item)
    book.add(
        "items",
        item=command.item,
        kind=command.type,
        name=command.name,
        unit=command.unit,
        category=command.category,
        ifrc_code=command.ifrc_code,
    )
    for unit, amount in command.units.items():
        if unit == command.unit:
            raise RefusedError(
                "'{unit}' is the base unit of {item} and needs no conversion.", unit=unit, item=command.item
            )
        book.add("item_units", item=command.item, unit=unit, base_units=amount)
    return {"item": command.item}


def add_unit(book: Book, command: c.AddUnit) -> dict[str, Any]:
    """Add a unit or pack to an item."""
    row = book.sql.one("SELECT unit FROM items WHERE item = ?", command.item)
    if row is None:
        raise unknown("item", command.item, "see `nearer aid list items`")
    there = book.sql.one("SELECT 1 FROM item_units WHERE item = ? AND unit = ?", command.item, command.unit)
    if command.unit == row[0] or there is not None:
        raise RefusedError(
            "{item} has a unit '{unit}' already; a pack of another size needs another.",
            item=command.item,
            unit=command.unit,
        )
    book.add("item_units", item=command.item, unit=command.unit, base_units=command.base_units)
    return {"item": command.item, "unit": command.unit}


def add_recipe(book: Book, command: c.AddRecipe) -> dict[str, Any]:
    """Add what a kit is made of."""
    refuse_if_there(book, "recipe", command.recipe)
    need_type(book, command.item, "goods")
    made = base_units(book, command.item, command.quantity, command.unit)
    book.add("recipes", recipe=command.recipe, item=command.item, quantity=made)
    seen: set[str] = set()
    for line in command.lines:
        need_type(book, line.item, "goods")
        if line.item in seen or line.item == command.item:
            raise RefusedError(
                "{item} stands twice in the recipe {recipe}; name each item once.",
                item=line.item,
                recipe=command.recipe,
            )
        seen.add(line.item)
        amount = base_units(book, line.item, line.quantity, line.unit)
        book.add("recipe_lines", recipe=command.recipe, item=line.item, quantity=amount)
    return {"recipe": command.recipe}


def add_programme(book: Book, command: c.AddProgramme) -> dict[str, Any]:
    """Add a programme."""
    refuse_if_there(book, "programme", command.programme)
    book.add("programmes", programme=command.programme, name=command.name, visits=command.visits)
    return {"programme": command.programme}


def open_period(book: Book, command: c.OpenPeriod) -> dict[str, Any]:
    """Open a period with its rules; periods of a programme do not overlap."""
    need(book, "programme", command.programme)
    first, last = command.first_day.isoformat(), command.last_day.isoformat()
    clash = book.sql.one(
        "SELECT period FROM periods WHERE programme = ? AND (period = ? OR (first_day <= ? AND last_day >= ?)) LIMIT 1",
        command.programme,
        command.period,
        last,
        first,
    )
    if clash is not None:
        raise RefusedError(
            "{programme} has the period {period} then already; choose other days or a new code.",
            programme=command.programme,
            period=clash[0],
        )
    if command.like is None:
        rules = [(rule.item, rule.size_from, _none_or_base_units(book, rule)) for rule in command.rules]
    else:
        rules = [
            (str(item), int(size), int(quantity))
            for item, size, quantity in book.sql.all(
                "SELECT item, size_from, quantity FROM entitlement_rules WHERE programme = ? AND period = ? "
                "ORDER BY item, size_from",
                command.programme,
                command.like,
            )
        ]
        if not rules:
            raise unknown("period", command.like, "see `nearer aid list periods`")
    if len({(item, size) for item, size, _ in rules}) < len(rules):
        raise RefusedError("Two rules say what a household of the same size gets of the same item; keep one of them.")
    book.add("periods", programme=command.programme, period=command.period, first_day=first, last_day=last)
    for item, size, quantity in rules:
        book.add(
            "entitlement_rules",
            programme=command.programme,
            period=command.period,
            item=item,
            size_from=size,
            quantity=quantity,
        )
    return {"programme": command.programme, "period": command.period}


def _none_or_base_units(book: Book, rule: c.Rule) -> int:
    """A rule may also say that from some size on there is none."""
    need_type(book, rule.item, "goods")
    return 0 if float(rule.quantity) == 0 else base_units(book, rule.item, rule.quantity, rule.unit)
