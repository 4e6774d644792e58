"""A plain matrix of costs as a CSV file."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np

from nearer.errors import Faults
from nearer.inputs.benchmarks.matrices import CostMatrix
from nearer.inputs.benchmarks.numbers import read_lines, refuse_negative

_NAME, _WEIGHT, _DEMAND = "customer", "weight", "demand"
_PRICE, _CAPACITY = "price", "capacity"
_SEPARATORS = ",;\t"


def read_csv(path: Path) -> CostMatrix:
    """
    Read a matrix: one row per customer, one column per site; an empty cell = that site cannot serve that customer.

    Separated by commas, semicolons or tabs, with decimal points. A first row that holds anything but numbers is a
    header. The columns it calls ``weight`` (what costs are multiplied by; 1 without), ``demand`` (what is taken of a
    capacity; the weight without) and ``customer`` (names, which are ignored) may stand anywhere, all others are sites
    in order. Where the column ``customer`` says ``price`` or ``capacity``, the row holds what each site costs when
    open (0 without), or how much it can serve (empty or without: no limit).

    Raises
    ------
    InputError
        The file is missing or does not have that form.
    """
    faults = Faults(path.name)
    lines = [(row, line) for row, line in read_lines(path, faults) if line.strip(" ")]
    if not lines:
        faults.add("the file is empty", remedy="give one row of costs per customer")
        faults.raise_if_any()
    separator = max(_SEPARATORS, key=lines[0][1].count)
    rows = [(row, [cell.strip() for cell in next(csv.reader([line], delimiter=separator))]) for row, line in lines]
    header: list[str] = [""] * len(rows[0][1])
    if any(cell and _number(cell) is None for cell in rows[0][1]):
        header = [cell.lower() for cell in rows.pop(0)[1]]
    for name in (_NAME, _WEIGHT, _DEMAND):
        if header.count(name) > 1:
            faults.add("there are two columns of that name", column=name)
    special = {name: header.index(name) for name in (_NAME, _WEIGHT, _DEMAND) if name in header}
    sites = [k for k in range(len(header)) if k not in special.values()]
    if not sites or not rows:
        faults.add("there is no matrix in it", remedy="give one row per customer and one column per site")
    faults.raise_if_any()

    matrix = np.full((len(rows), len(sites)), np.inf)
    weight, demand = np.ones(len(rows)), np.full(len(rows), np.nan)
    label = np.zeros(len(rows), dtype=object)
    for i, (row, cells) in enumerate(rows):
        if len(cells) != len(header):
            faults.add(f"there are {len(cells)} cells where the first row has {len(header)}", row=row)
            continue
        name = cells[special[_NAME]].lower() if _NAME in special else ""
        label[i] = name if name in (_PRICE, _CAPACITY) else ""
        for k, site in enumerate(sites):
            if cells[site]:
                matrix[i, k] = _cell(cells[site], header[site] or str(k + 1), row, faults)
        for array, key in ((weight, _WEIGHT), (demand, _DEMAND)):
            if key in special and not label[i]:
                array[i] = _cell(cells[special[key]], key, row, faults)
    for name in (_PRICE, _CAPACITY):
        if np.count_nonzero(label == name) > 1:
            faults.add(f"there are two rows called {name}")
    faults.raise_if_any()

    is_customer = label == ""
    price, capacity = np.zeros(len(sites)), np.full(len(sites), np.inf)
    for array, name in ((price, _PRICE), (capacity, _CAPACITY)):
        if np.any(label == name):
            array[:] = matrix[label == name][0]
    if np.isinf(price).any():
        faults.add("the row called price must have a number for every site")
    if not is_customer.any():
        faults.add("there are no customers in it", remedy="give one row of costs per customer")
    faults.raise_if_any()
    demand = np.where(np.isnan(demand), weight, demand)[is_customer]
    cost, weight = matrix[is_customer], weight[is_customer]
    refuse_negative(faults, costs=cost, weights=weight, demands=demand, prices=price, capacities=capacity)
    return CostMatrix(cost, weight, demand, price, capacity)


def _number(cell: str) -> float | None:
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _cell(cell: str, column: str, row: int, faults: Faults) -> float:
    value = _number(cell)
    if value is None:
        faults.add(f"{cell[:20]!r} is not a number", row=row, column=column)
    return math.nan if value is None else value
