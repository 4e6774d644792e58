"""Sums of rows modulo two, by Gaussian elimination on bits: where zero-half cuts are looked for."""

from __future__ import annotations

import numpy as np

from nearer.kernels.jit import kernel
from nearer.units import BoolArray, FloatArray, IntArray

_TIGHT = 1e-6


@kernel
def _bits(word: np.uint64) -> int:
    """How many bits are set."""
    count = 0
    while word != np.uint64(0):
        word &= word - np.uint64(1)
        count += 1
    return count


@kernel
def odd_sums(
    keys: IntArray,
    weight: FloatArray,
    value: FloatArray,
    column_order: IntArray,
    row_order: IntArray,
    longest: int,
    most: int,
) -> tuple[IntArray, FloatArray, int]:
    """
    Sums modulo two of an odd number of rows whose weights, and the values of the columns left odd, stay below one.

    Columns are eliminated one after the other, each by a row without weight (Koster, Zymolka, Kutschka 2009).

    Parameters
    ----------
    keys
        Columns of each row as bits, uint64 (n_rows, n_words).
    weight, value
        Of rows and of columns, float64 (n_rows,) and (n_columns,).
    column_order, row_order
        In which order columns are eliminated, and rows considered for it.
    longest, most
        Rows in a sum, and sums, at most.

    Returns
    -------
    sums, total, spent
        Rows of each sum as bits, uint64 (n_sums, n_row_words); weights and values together, float64 (n_sums,); words
        looked at.
    """
    n_rows, n_words = keys.shape
    row_words = (n_rows + 63) // 64
    key = keys.copy()
    combination = np.zeros((n_rows, row_words), dtype=np.uint64)
    length = np.ones(n_rows, dtype=np.int64)
    own = weight.copy()
    used: BoolArray = np.zeros(n_rows, dtype=np.bool_)
    for r in range(n_rows):
        combination[r, r // 64] = np.uint64(1) << np.uint64(r % 64)
    found = np.zeros((most, row_words), dtype=np.uint64)
    total = np.zeros(most)
    n_found = spent = 0
    for column in column_order:
        word, bit = column // 64, np.uint64(1) << np.uint64(column % 64)
        pivot = -1
        for r in row_order:
            if not used[r] and own[r] <= _TIGHT and key[r, word] & bit and (pivot < 0 or length[r] < length[pivot]):
                pivot = r
        spent += n_rows
        if pivot < 0:
            continue
        used[pivot] = True
        for r in range(n_rows):
            if used[r] or not key[r, word] & bit:
                continue
            spent += n_words + row_words
            for w in range(n_words):
                key[r, w] ^= key[pivot, w]
            n = 0
            for w in range(row_words):
                combination[r, w] ^= combination[pivot, w]
                n += _bits(combination[r, w])
            length[r] = n
            own[r] += own[pivot]
            if n % 2 == 0 or n > longest or n_found == most:
                continue
            rest = own[r]
            for w in range(n_words):
                left = key[r, w]
                at = 64 * w
                while left != np.uint64(0) and rest < 1.0:
                    if left & np.uint64(1):
                        rest += value[at]
                    left >>= np.uint64(1)
                    at += 1
            if rest < 1.0:
                for w in range(row_words):
                    found[n_found, w] = combination[r, w]
                total[n_found] = rest
                n_found += 1
    return found[:n_found], total[:n_found], spent
