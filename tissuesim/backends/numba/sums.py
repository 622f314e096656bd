"""Block results joined in one fixed order; see ``backends/numpy/sums.py``."""

from __future__ import annotations

from typing import Any

from numba import njit


@njit(cache=True, error_model="numpy")
def join_blocks(totals: Any, sums: Any, maxima: Any) -> Any:
    """Add the totals and sums of the blocks left to right and take the greatest of the maxima (NaN wins)."""
    all_totals = totals[0].copy()
    all_sums = sums[0].copy()
    all_maxima = maxima[0].copy()
    for block in range(1, totals.shape[0]):
        for j in range(all_totals.size):
            all_totals[j] += totals[block, j]
        for j in range(all_sums.size):
            all_sums[j] += sums[block, j]
        for j in range(all_maxima.size):
            value = maxima[block, j]
            if value > all_maxima[j] or value != value:
                all_maxima[j] = value
    return all_totals, all_sums, all_maxima
