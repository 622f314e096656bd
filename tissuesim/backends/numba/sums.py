"""Block results joined in one fixed order; see ``backends/numpy/sums.py``."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from tissuesim.codegen.print_text import BLOCK, CHUNK


@njit(cache=True, error_model="numpy", nogil=True)
def _fold(leaves: Any) -> Any:
    """The sum of each block of 256 rows: chunks of 16 left to right, then the chunks left to right."""
    count, columns = leaves.shape
    blocks = (count + BLOCK - 1) // BLOCK
    folded = np.zeros((blocks, columns))
    chunk = np.zeros(columns)
    for first in range(0, count, CHUNK):
        chunk[:] = 0.0
        for row in range(first, min(first + CHUNK, count)):
            for j in range(columns):
                chunk[j] += leaves[row, j]
        for j in range(columns):
            folded[first // BLOCK, j] += chunk[j]
    return folded


@njit(cache=True, error_model="numpy", nogil=True)
def join_sums(sums: Any) -> Any:
    """Add up the sums of blocks ``(blocks, columns)``, again in blocks of 256, until one row is left."""
    while sums.shape[0] > 1:
        sums = _fold(sums)
    return sums[0]


@njit(cache=True, error_model="numpy", nogil=True)
def join_maxima(maxima: Any) -> Any:
    """The greatest of each column (NaN wins)."""
    greatest = maxima[0].copy()
    for block in range(1, maxima.shape[0]):
        for j in range(greatest.size):
            value = maxima[block, j]
            if value > greatest[j] or value != value:
                greatest[j] = value
    return greatest


@njit(cache=True, error_model="numpy", nogil=True)
def join_blocks(totals: Any, sums: Any, maxima: Any) -> Any:
    """Totals, sums and maxima of all blocks."""
    all_totals = np.zeros(totals.shape[1], np.int64)
    for block in range(totals.shape[0]):
        for j in range(all_totals.size):
            all_totals[j] += totals[block, j]
    return all_totals, join_sums(sums), join_maxima(maxima)
