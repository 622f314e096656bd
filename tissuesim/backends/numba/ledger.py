"""Compiled twin of ``backends/numpy/ledger.py``."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numba import njit, prange

from tissuesim.backends.numba.sums import join_maxima, join_sums
from tissuesim.backends.numba.transport import PLACE
from tissuesim.codegen.instructions import FAINT
from tissuesim.codegen.print_text import BLOCK, CHUNK

LINES = 4


@cache
def _ledger_of(fields: int) -> Callable[..., Any]:
    """The ledger of that many signals; as with the sweeps, one loop over fields whose length is known.

    No slice stands in its body: a view of an array makes Numba give up that arrays do not overlap, and then nothing is
    vectorised (twice as slow).
    """
    # rows of whole cache lines: blocks of two threads must not write to the same line
    width = (fields + 15) // 8 * 8

    @njit(cache=True, error_model="numpy", parallel=True, nogil=True)
    def ledger(
        right_hand_side: Any, diagonal: Any, after: Any, table: Any, region: Any, neighbors: Any, geometry: Any,
        volume: Any, order: Any,
    ) -> Any:  # fmt: skip
        n = after.shape[0]
        blocks = (n + BLOCK - 1) // BLOCK
        partial = np.zeros((blocks, LINES * width))
        greatest = np.zeros((blocks, 2 * width))
        for block in prange(blocks):
            terms, chunk = np.zeros((LINES + 2) * width), np.zeros(LINES * width)
            most = np.zeros(2 * width)
            end = min(block * BLOCK + BLOCK, n)
            for start in range(block * BLOCK, end, CHUNK):
                for k in range(LINES * width):
                    chunk[k] = 0.0
                for rank in range(start, min(start + CHUNK, end)):
                    i = np.uint64(order[rank])
                    size = np.float64(volume[i])
                    n0, n1, n2 = PLACE(neighbors[i, 0]), PLACE(neighbors[i, 1]), PLACE(neighbors[i, 2])
                    n3, n4, n5 = PLACE(neighbors[i, 3]), PLACE(neighbors[i, 4]), PLACE(neighbors[i, 5])
                    g0, g1, g2 = geometry[i, 0], geometry[i, 1], geometry[i, 2]
                    g3, g4, g5 = geometry[i, 3], geometry[i, 4], geometry[i, 5]
                    r = region[i]
                    r0, r1, r2 = region[n0], region[n1], region[n2]
                    r3, r4, r5 = region[n3], region[n4], region[n5]
                    for s in range(fields):
                        v0 = np.float64(table[r, r0, s] * g0)
                        v1 = np.float64(table[r, r1, s] * g1)
                        v2 = np.float64(table[r, r2, s] * g2)
                        v3 = np.float64(table[r, r3, s] * g3)
                        v4 = np.float64(table[r, r4, s] * g4)
                        v5 = np.float64(table[r, r5, s] * g5)
                        off_diagonal = v0 + v1 + v2 + v3 + v4 + v5
                        inflow = 0.0 + v0 * np.float64(after[n0, s])
                        inflow = inflow + v1 * np.float64(after[n1, s])
                        inflow = inflow + v2 * np.float64(after[n2, s])
                        inflow = inflow + v3 * np.float64(after[n3, s])
                        inflow = inflow + v4 * np.float64(after[n4, s])
                        inflow = inflow + v5 * np.float64(after[n5, s])
                        new = np.float64(after[i, s])
                        wide = np.float64(diagonal[i, s])
                        residual = np.float64(right_hand_side[i, s]) - wide * new + inflow
                        kept = 0.0 if new < FAINT else new
                        terms[s] = size * ((wide - 1.0 - off_diagonal) * new)
                        terms[width + s] = size * residual
                        terms[2 * width + s] = size * (kept - new)
                        terms[3 * width + s] = size * kept
                        terms[4 * width + s] = abs(residual / wide)
                        terms[5 * width + s] = abs(new)
                    for k in range(LINES * width):
                        chunk[k] += terms[k]
                    for k in range(2 * width):
                        value = terms[LINES * width + k]
                        most[k] = value if (value > most[k]) | (value != value) else most[k]
                for k in range(LINES * width):
                    partial[block, k] += chunk[k]
            for k in range(2 * width):
                greatest[block, k] = most[k]
        sums = join_sums(partial).reshape(LINES, width)
        largest = join_maxima(greatest).reshape(2, width)
        return sums[:, :fields].copy(), largest[0, :fields].copy(), largest[1, :fields].copy()

    return ledger


def signal_ledger(
    right_hand_side: Any,
    diagonal: Any,
    after: Any,
    coefficient: Any,
    region: Any,
    neighbors: Any,
    geometry: Any,
    volume: Any,
    order: Any,
) -> Any:
    """Sums over voxels, (4 lines, signals) in amol; max |residual / diagonal| and max |c'| per signal."""
    if coefficient.ndim == 1:
        coefficient, region = coefficient.reshape(1, 1, -1), np.zeros_like(region)
    return _ledger_of(after.shape[1])(
        right_hand_side, diagonal, after, coefficient, region, neighbors, geometry, volume, order
    )
