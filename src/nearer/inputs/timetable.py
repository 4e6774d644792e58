"""Ready travel times instead of streets: a table (from, to, minutes)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from nearer.errors import Faults
from nearer.inputs.columns import Frame, note_rows, read_numbers, texts


def timetable_of(frame: Frame) -> pd.DataFrame:
    """
    Check ready travel times.

    Returns
    -------
    DataFrame
        ``from`` (people id), ``to`` (site id), ``minutes`` (float64); pairs without minutes are out of reach and left
        out.

    Raises
    ------
    InputError
        With every fault of the file.
    """
    faults = Faults(frame.file)
    columns = {}
    for column in ("from", "to", "minutes"):
        if column in frame.table:
            columns[column] = frame.table[column]
        else:
            listed = ", ".join(map(str, frame.table.columns[:12]))
            faults.add("there is no such column", column=column, remedy=f"rename one of {listed}")
    faults.raise_if_any()
    minutes = read_numbers(frame, columns["minutes"], faults, "minutes")
    with np.errstate(invalid="ignore"):
        note_rows(
            faults,
            frame.rows,
            minutes < 0,
            lambda k: f"{minutes[k]:g} minutes is less than none",
            column="minutes",
            remedy="give 0 or more, or leave the cell empty where there is no way",
        )
    table = pd.DataFrame({"from": texts(columns["from"]), "to": texts(columns["to"]), "minutes": minutes})
    for column in ("from", "to"):
        note_rows(
            faults, frame.rows, (table[column] == "").to_numpy(), "the id is empty", column=column, remedy="give the id"
        )
    first = (
        table.groupby(["from", "to"], sort=False)["minutes"].transform(lambda times: times.index[0]).to_numpy(int)
        if table.duplicated(["from", "to"]).any()
        else np.arange(len(table))
    )
    note_rows(
        faults,
        frame.rows,
        first != np.arange(len(table)),
        lambda k: f"this pair stands already in row {frame.rows[first[k]]}",
        column="from",
        remedy="keep one of them",
    )
    faults.raise_if_any()
    return table.dropna(subset=["minutes"]).reset_index(drop=True).astype({"from": str, "to": str})
