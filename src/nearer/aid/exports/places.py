"""Where centres lie, from a table of the planning study: the ledger knows no places."""

from __future__ import annotations

from pathlib import Path

from nearer.aid.imports.sheet import read_sheet
from nearer.errors import Faults


def read_places(file: Path) -> dict[str, tuple[float, float]]:
    """
    Read ``id``, ``lon`` and ``lat`` from CSV or XLSX.

    Raises
    ------
    InputError
        With every fault of the file.
    """
    sheet = read_sheet(file)
    faults = Faults(sheet.name)
    at = {text.lower(): position for position, text in enumerate(sheet.header)}
    for need in ("id", "lon", "lat"):
        if need not in at:
            faults.add("there is no such column", row=1, column=need, remedy=f"rename one of {', '.join(sheet.header)}")
    faults.raise_if_any()
    found = {}
    for row, cells in sheet.rows:
        degrees = []
        for name, most in (("lon", 180.0), ("lat", 90.0)):
            try:
                value = float(cells[at[name]])
            except ValueError:
                value = float("nan")
            if not -most <= value <= most:
                faults.add(f"{cells[at[name]]!r} is no {name} in degrees", row=row, column=name)
            degrees.append(value)
        found[cells[at["id"]]] = (degrees[0], degrees[1])
    faults.raise_if_any()
    return found
