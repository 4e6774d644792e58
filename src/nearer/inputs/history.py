"""Past aid or visits per centre and period, as the aid wing exports them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nearer.errors import Faults
from nearer.inputs.columns import Frame, note_rows, read_numbers, texts
from nearer.units import FloatArray, IntArray, StrArray

UNITS = ("visits", "units")


@dataclass(frozen=True)
class Past:
    """
    Past volume.

    Parameters
    ----------
    file, unit
        Where it is from, and what was counted: "visits" or "units".
    centre, period
        Id of the centre, and position in ``periods``, (n,).
    volume
        float64 (n,), never negative.
    periods
        Names in order: as numbers where all are, else as text, so that dates begin with the year.
    open
        Centres open in each period, int64 (n_periods,): as told in the column ``centres``, else those with a row.
    """

    file: str
    unit: str
    centre: StrArray
    period: IntArray
    volume: FloatArray
    periods: list[str]
    open: IntArray


def past_of(frame: Frame) -> Past:
    """
    Check a table of past volume: ``centre``, ``period``, ``visits`` or ``units``, and maybe ``centres`` open.

    Raises
    ------
    InputError
        With every fault of the file.
    """
    faults = Faults(frame.file)
    listed = ", ".join(map(str, frame.table.columns[:12]))
    for column in ("centre", "period"):
        if column not in frame.table:
            faults.add("there is no such column", column=column, remedy=f"rename one of {listed}")
    units = [name for name in UNITS if name in frame.table]
    if len(units) != 1:
        what = "both are there" if units else "there is neither"
        faults.add(what, column="visits or units", remedy=f"keep exactly one; the columns are {listed}")
    faults.raise_if_any()
    unit = units[0]
    centre, period = texts(frame.table["centre"]), texts(frame.table["period"])
    volume = read_numbers(frame, frame.table[unit], faults, unit)
    with np.errstate(invalid="ignore"):
        note_rows(
            faults, frame.rows, ~(volume >= 0), "must be a number, 0 or more", column=unit, remedy="mend the cell"
        )
    for column, values in (("centre", centre), ("period", period)):
        note_rows(faults, frame.rows, values == "", "the cell is empty", column=column, remedy="fill it in")
    seen: dict[tuple[str, str], int] = {}
    first = np.array([seen.setdefault(pair, k) for k, pair in enumerate(zip(centre, period, strict=True))], dtype=int)
    note_rows(
        faults,
        frame.rows,
        first != np.arange(len(first)),
        lambda k: f"this centre and period stand already in row {frame.rows[first[k]]}",
        column="period",
        remedy="add the two up",
    )
    faults.raise_if_any()
    periods = sorted(set(period.tolist()), key=_period_key(period))
    at = np.array([periods.index(name) for name in period], dtype=np.int64)
    is_open = np.bincount(at, minlength=len(periods))
    if "centres" in frame.table:
        told = read_numbers(frame, frame.table["centres"], faults, "centres")
        note_rows(
            faults,
            frame.rows,
            ~(np.nan_to_num(told) >= 1) | (np.nan_to_num(told) % 1 != 0),
            "must be a whole number, 1 or more",
            column="centres",
            remedy="give the number of centres open in that period",
        )
        faults.raise_if_any()
        is_open = np.array([int(told[at == p].max()) for p in range(len(periods))])
        wrong = np.array([told[k] != is_open[p] for k, p in enumerate(at)])
        note_rows(faults, frame.rows, wrong, "another row of this period tells another number", column="centres")
        faults.raise_if_any()
    return Past(frame.file, unit, centre, at, volume, periods, is_open.astype(np.int64))


def _period_key(period: StrArray) -> type[float] | type[str]:
    try:
        for name in period:
            float(name)
    except ValueError:
        return str
    return float
