"""No table, and no two tables together, tell a count below k."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nearer.aid.publishing.protect import Cell, Guarded, LeakError, hide

from .attack import bounds, table

K = 10


def published(numbers: list[list[int]], k: int = K, known: list[Cell] | None = None) -> dict[tuple, int | None]:
    """The cells of a table as they are told."""
    sums = table(len(numbers), len(numbers[0]))
    counts = {key: sum(numbers[r][c] for r, c in atoms) for key, atoms in sums.items()}
    shown = [Cell(tuple(map(str, key)), sums[key], count) for key, count in counts.items() if count >= k]
    guarded = [Guarded(sums[key], k) for key, count in counts.items() if count < k]
    hidden = hide(shown, guarded, known or [])
    return {key: count if count >= k and tuple(map(str, key)) not in hidden else None for key, count in counts.items()}


def tables(most_rows: int, most_columns: int, most: int) -> st.SearchStrategy[list[list[int]]]:
    sizes = st.tuples(st.integers(1, most_rows), st.integers(1, most_columns))
    cell = st.one_of(st.integers(0, K - 1), st.integers(0, most))
    return sizes.flatmap(
        lambda size: st.lists(st.lists(cell, min_size=size[1], max_size=size[1]), min_size=size[0], max_size=size[0])
    )


@pytest.mark.parametrize("examples", [20, pytest.param(1000, marks=pytest.mark.long)])
def test_nobody_works_out_that_a_hidden_count_is_small(examples: int) -> None:
    settings(max_examples=examples, deadline=None)(given(tables(4, 5, 40))(_nobody_works_out))()


def _nobody_works_out(numbers: list[list[int]]) -> None:
    told = published(numbers)
    sums = table(len(numbers), len(numbers[0]))
    assert all(count is None or count >= K for count in told.values())
    known = [(sums[key], count) for key, count in told.items() if count is not None]
    for key, count in told.items():
        if count is None:
            low, high = bounds(known, sums[key])
            assert high >= K - 1e-6, (key, low, high)


@pytest.mark.parametrize("examples", [12, pytest.param(1000, marks=pytest.mark.long)])
def test_a_later_table_of_other_columns_tells_nothing_by_subtraction(examples: int) -> None:
    settings(max_examples=examples, deadline=None)(given(tables(3, 4, 30), st.data())(_nothing_by_subtraction))()


def _nothing_by_subtraction(numbers: list[list[int]], data: st.DataObject) -> None:
    """The second table joins neighbouring columns; its cells and totals overlap with those of the first."""
    sums = table(len(numbers), len(numbers[0]))
    first = published(numbers)
    known = [(sums[key], count) for key, count in first.items() if count is not None]
    size = len(numbers[0])
    cuts = sorted(data.draw(st.sets(st.integers(1, size - 1), max_size=2)) if size > 1 else [])
    parts = list(itertools.pairwise([0, *cuts, data.draw(st.integers(cuts[-1] + 1 if cuts else 1, size))]))
    joined = {
        (row, column): frozenset(
            (r, c)
            for r in range(len(numbers))
            for c in range(*(parts[column] if column is not None else (0, parts[-1][1])))
            if row in (None, r)
        )
        for row in (*range(len(numbers)), None)
        for column in (*range(len(parts)), None)
    }
    counts = {key: sum(numbers[r][c] for r, c in atoms) for key, atoms in joined.items()}
    small = [atoms for key, atoms in joined.items() if counts[key] < K]
    guarded = [Guarded(atoms, K) for atoms in small]
    guarded += [Guarded(sums[key], K) for key, count in first.items() if sum(numbers[r][c] for r, c in sums[key]) < K]
    shown = [Cell(tuple(map(str, key)), joined[key], count) for key, count in counts.items() if count >= K]
    try:
        hidden = hide(shown, guarded, [Cell(("before", *map(str, key)), sums[key], n) for key, n in first.items() if n])
    except LeakError:
        # Only where the first table alone told a sum that it has no cell for.
        assert any(bounds(known, atoms)[1] < K for atoms in small)
        return
    known += [(joined[key], n) for key, n in counts.items() if n >= K and tuple(map(str, key)) not in hidden]
    for guard in guarded:
        assert bounds(known, guard.atoms)[1] >= K - 1e-6


def test_every_small_table_is_safe_against_trying_out_all_numbers() -> None:
    """Two by two, three hidden from: every table of whole numbers that agrees with what is told is tried."""
    every = np.array(list(itertools.product(range(17), repeat=4)))
    sums = table(2, 2)
    for numbers in itertools.product((0, 1, 3, 4), repeat=4):
        told = published([list(numbers[:2]), list(numbers[2:])], k=3)
        value = {key: sum(every[:, 2 * r + c] for r, c in sums[key]) for key in told}
        agree = np.ones(len(every), dtype=bool)
        for key, count in told.items():
            if count is not None:
                agree &= value[key] == count
        for key, count in told.items():
            assert count is not None or value[key][agree].max() >= 3, (numbers, told, key)


def test_a_small_cell_takes_few_others_with_it() -> None:
    told = published([[5, 40, 30], [50, 20, 60], [70, 80, 90]])
    assert told[0, 0] is None
    assert sum(count is None for count in told.values()) <= 5
    assert all(told[row, None] is not None and told[None, row] is not None for row in range(3))


def test_small_counts_that_are_only_left_out_are_found_by_subtraction() -> None:
    """What hides is needed: a table from which only the small cell is left out tells it."""
    numbers = [[5, 40], [50, 20]]
    sums = table(2, 2)
    known = [(atoms, sum(numbers[r][c] for r, c in atoms)) for key, atoms in sums.items() if key != (0, 0)]
    assert bounds(known, sums[0, 0]) == (5, 5)


def test_two_tables_that_are_safe_alone_may_not_be_safe_together() -> None:
    """Up to last week 43 and up to this week 48: the difference is one small week."""
    before, after = frozenset({"w1", "w2"}), frozenset({"w1", "w2", "w3"})
    small = Guarded(frozenset({"w3"}), K)
    assert hide([Cell(("sum",), after, 48)], [small]) == set()
    assert hide([Cell(("sum",), after, 48)], [small], [Cell(("before",), before, 43)]) == {("sum",)}


def test_what_is_told_already_cannot_be_hidden() -> None:
    known = [Cell(("a",), frozenset({"w1", "w2"}), 43), Cell(("b",), frozenset({"w1", "w2", "w3"}), 48)]
    with pytest.raises(LeakError):
        hide([], [Guarded(frozenset({"w3"}), K)], known)
