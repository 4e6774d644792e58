"""What a use-case asks of the ledger's set-up, and how it says that something is not there."""

from __future__ import annotations

from fractions import Fraction

from nearer.aid.book import MOST, Book
from nearer.aid.refusals import RefusedError, unknown

_SEE = {
    "site": ("sites", "site"),
    "item": ("items", "item"),
    "giver": ("parties", "party"),
    "programme": ("programmes", "programme"),
    "recipe": ("recipes", "recipe"),
}


def need(book: Book, what: str, code: str | None) -> None:
    """Refuse a code that names nothing; None names nothing and is no fault."""
    table, column = _SEE[what]
    if code is not None and book.sql.one(f"SELECT 1 FROM {table} WHERE {column} = ?", code) is None:
        raise unknown(what, code, f"see `nearer aid list {table}`")


def refuse_if_there(book: Book, what: str, code: str) -> None:
    """Refuse to make something a second time."""
    table, column = _SEE[what]
    if book.sql.one(f"SELECT 1 FROM {table} WHERE {column} = ?", code) is not None:
        raise RefusedError("The {what} '{code}' is there already; give another code.", what=what, code=code)


def state_of(book: Book, site: str) -> str:
    """Whether a site is open, limited or closed."""
    row = book.sql.one(
        "SELECT (SELECT state FROM site_states t WHERE t.site = s.site ORDER BY seq DESC LIMIT 1) "
        "FROM sites s WHERE site = ?",
        site,
    )
    if row is None:
        need(book, "site", site)
    return "open" if row is None or row[0] is None else str(row[0])


def need_open(book: Book, site: str) -> None:
    """Refuse what a closed site does not do."""
    if state_of(book, site) == "closed":
        raise RefusedError("The site {site} is closed; open it first, or go to another.", site=site)


def need_type(book: Book, item: str, kind: str) -> None:
    """Refuse money where goods are meant, and the other way round."""
    row = book.sql.one("SELECT kind FROM items WHERE item = ?", item)
    if row is None:
        raise unknown("item", item, "see `nearer aid list items`")
    if row[0] != kind:
        raise RefusedError("{item} is {other}, not {kind}; name another item.", item=item, other=row[0], kind=kind)


def base_units(book: Book, item: str, quantity: int | str, unit: str | None) -> int:
    """
    A quantity in base units, exactly.

    Raises
    ------
    RefusedError
        The item or the unit is unknown, or the quantity does not come to whole base units above zero.
    """
    row = book.sql.one("SELECT unit FROM items WHERE item = ?", item)
    if row is None:
        raise unknown("item", item, "see `nearer aid list items`")
    base = str(row[0])
    factor = 1
    if unit is not None and unit != base:
        found = book.sql.one("SELECT base_units FROM item_units WHERE item = ? AND unit = ?", item, unit)
        if found is None:
            units = [
                base,
                *(r[0] for r in book.sql.all("SELECT unit FROM item_units WHERE item = ? ORDER BY unit", item)),
            ]
            raise RefusedError(
                "{item} is not counted in '{unit}'; it has {units}.", item=item, unit=unit, units=", ".join(units)
            )
        factor = int(found[0])
    exact = Fraction(quantity) * factor if isinstance(quantity, str) else quantity * factor
    if exact.denominator != 1:
        raise RefusedError(
            "{quantity} {unit} of {item} is no whole number of {base}; round it yourself.",
            quantity=quantity,
            unit=unit or base,
            item=item,
            base=base,
        )
    if not 0 < exact <= MOST:
        raise RefusedError(
            "{quantity} {unit} of {item}: a quantity must be above zero and at most {most} {base}.",
            quantity=quantity,
            unit=unit or base,
            item=item,
            most=MOST,
            base=base,
        )
    return int(exact)


def item_of(book: Book, lot: str) -> str:
    """The item that a lot is of."""
    row = book.sql.one("SELECT item FROM lots WHERE lot = ?", lot)
    if row is None:
        raise unknown("lot", lot, "see `nearer aid balances`")
    return str(row[0])
