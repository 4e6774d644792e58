"""Ready travel times."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from nearer.errors import InputError
from nearer.inputs.frames import read_frame
from nearer.inputs.timetable import timetable_of


def read(folder: Path, text: str) -> pd.DataFrame:
    (folder / "minutes.csv").write_text(text, encoding="utf-8")
    return timetable_of(read_frame(folder / "minutes.csv"))


def faults(folder: Path, text: str) -> list[str]:
    with pytest.raises(InputError) as caught:
        read(folder, text)
    return [str(fault) for fault in caught.value.faults]


def test_pairs_without_minutes_are_out_of_reach(tmp_path: Path) -> None:
    times = read(tmp_path, "from,to,minutes\n007,s1,0\n007,s2,\nb,s1,12.5\n")
    assert times.to_numpy().tolist() == [["007", "s1", 0.0], ["b", "s1", 12.5]]


def test_all_faults_are_listed(tmp_path: Path) -> None:
    assert faults(tmp_path, "from,to,minutes\na,s,-1\na,s,2\n,s,x\n") == [
        'minutes.csv, row 4, column minutes: "x" is not a number; give a plain number such as 1234.5.',
        "minutes.csv, row 2, column minutes: -1 minutes is less than none; give 0 or more, or leave the cell empty "
        "where there is no way.",
        "minutes.csv, row 4, column from: the id is empty; give the id.",
        "minutes.csv, row 3, column from: this pair stands already in row 2; keep one of them.",
    ]


def test_missing_columns_are_named(tmp_path: Path) -> None:
    assert faults(tmp_path, "from_id,to_id,travel_time\na,s,1\n") == [
        f"minutes.csv, column {column}: there is no such column; rename one of from_id, to_id, travel_time."
        for column in ("from", "to", "minutes")
    ]
