"""How people spell units, and which unit they mean."""

from __future__ import annotations

import csv
import re
from pathlib import Path

from nearer.aid.commands import UNIT
from nearer.errors import Fault, Faults, InputError

SPELLINGS: dict[str, tuple[str, ...]] = {
    "piece": ("pc", "pcs", "pce", "pces", "pieces", "ea", "each", "unit", "units", "no", "nos", "item", "items"),
    "pack": ("pck", "pcks", "pk", "pks", "pkt", "pkts", "packs", "packet", "packets", "pkg", "package", "packages"),
    "case": ("cs", "cases", "ctn", "ctns", "carton", "cartons", "crt"),
    "box": ("bx", "bxs", "boxes"),
    "bag": ("bags", "bg"),
    "sack": ("sacks", "sck"),
    "set": ("sets",),
    "kit": ("kits",),
    "pair": ("pairs", "pr", "prs"),
    "roll": ("rolls", "rl"),
    "can": ("cans", "cn"),
    "tin": ("tins",),
    "jar": ("jars",),
    "tube": ("tubes",),
    "bottle": ("bottles", "btl", "btls", "bot"),
    "barrel": ("barrels", "bbl", "drum", "drums"),
    "bundle": ("bundles", "bdl"),
    "bale": ("bales",),
    "pallet": ("pallets", "plt"),
    "dozen": ("doz", "dz", "dozens"),
    "g": ("gr", "gram", "grams", "gramme", "grammes"),
    "kg": ("kgs", "kilo", "kilos", "kilogram", "kilograms", "kilogramme"),
    "t": ("ton", "tons", "tonne", "tonnes", "mt"),
    "ml": ("millilitre", "millilitres", "milliliter", "milliliters"),
    "l": ("lt", "ltr", "ltrs", "litre", "litres", "liter", "liters"),
    "m": ("meter", "meters", "metre", "metres", "mtr", "mtrs"),
}
"""Unit → other spellings of it, small letters."""

_BUILT_IN = {spelling: unit for unit, more in SPELLINGS.items() for spelling in (unit, *more)}


def plain(text: str) -> str:
    """A spelling without capitals, blanks and a full stop at the end."""
    return re.sub(r"\s+", " ", text.strip().lower()).rstrip(".")


def read_spellings(file: Path | None) -> dict[str, str]:
    """
    The built-in table, and a user's own before it: CSV with the columns ``spelling`` and ``unit``.

    Raises
    ------
    InputError
        The file cannot be read, or a line is no spelling and unit.
    """
    found = dict(_BUILT_IN)
    if file is None:
        return found
    faults = Faults(str(file))
    try:
        with Path(file).open(encoding="utf-8-sig", newline="") as lines:
            rows = list(csv.DictReader(lines))
    except OSError as error:
        raise InputError([Fault(f"cannot be read: {error.strerror}", str(file))]) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError([Fault("is no CSV in UTF-8", str(file), remedy="save it as CSV, UTF-8")]) from error
    for number, row in enumerate(rows, start=2):
        spelling, unit = plain(row.get("spelling") or ""), (row.get("unit") or "").strip()
        if not spelling:
            faults.add("the cell is empty", row=number, column="spelling")
        if re.fullmatch(UNIT, unit) is None:
            faults.add(f"{unit!r} is no unit", row=number, column="unit", remedy="write such as kg, box or pack-12")
        found[spelling] = unit
    if not rows:
        faults.add("holds no spellings", remedy="give the columns spelling and unit")
    faults.raise_if_any()
    return found
