"""Sparse rows put in order where they lie."""

from __future__ import annotations

import numpy as np

from nearer.kernels.jit import kernel
from nearer.units import IntArray


@kernel
def sort_rows(indptr: IntArray, site_idx: IntArray, time_ms: IntArray, first: int, last: int) -> None:
    """
    Sort rows ``first`` to ``last`` by time, then site, in place.

    Parameters
    ----------
    indptr
        Start of each row, int64 (n_rows + 1,).
    site_idx, time_ms
        Entries of the rows, int32 (n_pairs,); sorted within each row.
    first, last
        Rows to sort, the last not included.
    """
    for row in range(first, last):
        begin, end = indptr[row], indptr[row + 1]
        keys = np.empty(end - begin, np.int64)
        for k in range(end - begin):
            keys[k] = (np.int64(time_ms[begin + k]) << 32) | np.int64(site_idx[begin + k])
        keys.sort()
        for k in range(end - begin):
            time_ms[begin + k] = keys[k] >> 32
            site_idx[begin + k] = keys[k] & 0xFFFFFFFF
