"""Travel times between sites, from a table."""

from __future__ import annotations

import csv
import math
from pathlib import Path
from typing import Any

from nearer.errors import Fault, Faults, InputError


def read_ways(file: Path) -> list[dict[str, Any]]:
    """
    Rows of a CSV with the columns ``from``, ``to`` and ``minutes``, and ``days`` where goods arrive later.

    The shape of a study's table of travel times. A row without minutes is no way.

    Raises
    ------
    InputError
        With every fault of the file.
    """
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.DictReader(lines)
            names, rows = list(reader.fieldnames or []), list(reader)
    except OSError as error:
        raise InputError([Fault(f"cannot be read: {error.strerror}", str(file))]) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError([Fault("is no CSV in UTF-8", str(file), remedy="save it as CSV, UTF-8")]) from error
    faults = Faults()
    for column in ("from", "to", "minutes"):
        if column not in names:
            faults.add("the column is missing", file=str(file), column=column)
    faults.raise_if_any()
    found: list[dict[str, Any]] = []
    seen: dict[tuple[str, str], int] = {}
    for number, row in enumerate(rows, start=2):
        origin, to = ((row[column] or "").strip() for column in ("from", "to"))
        told = (row["minutes"] or "").strip()
        if not told:
            continue
        minutes = _number(told)
        days = _number((row.get("days") or "0").strip())
        if minutes is None:
            faults.add(f"{told!r} is no number of minutes", file=str(file), row=number, column="minutes")
        if days is None or days != int(days):
            faults.add(f"{row.get('days')!r} is no whole number", file=str(file), row=number, column="days")
        if origin == to:
            faults.add("the way leads from a site to itself", file=str(file), row=number, remedy="remove the row")
        earlier = seen.setdefault((origin, to), number)
        if earlier != number:
            faults.add(f"the same way is in row {earlier}", file=str(file), row=number, remedy="keep one of them")
        if minutes is not None and days is not None:
            found.append({"origin": origin, "to": to, "seconds": round(minutes * 60), "days": int(days)})
    if not found and not faults:
        faults.add("has no way", file=str(file), remedy="write rows such as hub,north,25")
    faults.raise_if_any()
    return found


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and 0 <= value <= 10**5 else None
