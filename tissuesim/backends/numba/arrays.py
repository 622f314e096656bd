"""Arrays of the CPU, as in ``backends/numpy/arrays.py``, with the passes over them compiled."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import get_num_threads, njit, prange, set_num_threads
from numba.np.ufunc import threading_layer

from tissuesim.backends.base import ColumnFacts, Mesh
from tissuesim.backends.numba.sums import join_maxima, join_sums
from tissuesim.backends.numpy.arrays import (
    Download,
    Repeater,
    get,
    get_rows,
    mesh,
    put,
    put_rows,
    refill,
    require_memory,
    stored,
    synchronize,
    workspace,
    zeros_rows,
)
from tissuesim.codegen.print_text import BLOCK, CHUNK

__all__ = [
    "Download", "Repeater", "callers", "column_facts", "copy_rows", "get", "get_rows", "mesh", "put", "put_rows",
    "refill", "require_memory", "stored", "synchronize", "use_one_thread", "workspace", "zeros_rows",
]  # fmt: skip


def callers() -> int:
    """How many threads may call operators at the same time, each for another organ."""
    try:
        safe = threading_layer() in ("omp", "tbb")
    except ValueError:  # nothing has run in parallel yet
        return 1
    return int(get_num_threads()) if safe else 1


def use_one_thread() -> None:
    """Let operators that this thread calls from now on work on it alone."""
    set_num_threads(1)


@njit(cache=True, error_model="numpy", parallel=True, nogil=True)
def copy_rows(target: Any, source: Any) -> None:
    """Copy all rows."""
    for i in prange(source.shape[0]):
        for s in range(source.shape[1]):
            target[i, s] = source[i, s]


@njit(cache=True, error_model="numpy", parallel=True, nogil=True)
def _column_facts(rows: Any, volume: Any, order: Any) -> Any:
    """Sums plain and weighted with volume, extremes below and above zero; no views, see ``ledger.py``."""
    n, columns = rows.shape
    blocks = (n + BLOCK - 1) // BLOCK
    # rows of whole cache lines: blocks of two threads must not write to the same line
    width = (columns + 15) // 8 * 8
    sums = np.zeros((blocks, 2 * width))
    extremes = np.zeros((blocks, 2 * width))
    for block in prange(blocks):
        plain, weighted = np.zeros(width), np.zeros(width)
        lowest, highest = np.zeros(width), np.zeros(width)
        end = min(block * BLOCK + BLOCK, n)
        for start in range(block * BLOCK, end, CHUNK):
            for s in range(width):
                plain[s], weighted[s] = 0.0, 0.0
            for rank in range(start, min(start + CHUNK, end)):
                i = np.uint64(order[rank])
                weight = np.float64(volume[i])
                for s in range(columns):
                    value = np.float64(rows[i, s])
                    plain[s] += value
                    weighted[s] += weight * value
                    low, high = lowest[s], highest[s]
                    lowest[s] = -value if (-value > low) | (value != value) else low
                    highest[s] = value if (value > high) | (value != value) else high
            for s in range(width):
                sums[block, s] += plain[s]
                sums[block, width + s] += weighted[s]
        for s in range(width):
            extremes[block, s], extremes[block, width + s] = lowest[s], highest[s]
    total = join_sums(sums).reshape(2, width)
    greatest = join_maxima(extremes).reshape(2, width)
    return total[:, :columns].copy(), greatest[:, :columns].copy()


def column_facts(rows: Any, mesh: Mesh) -> ColumnFacts:
    """Sums, volume-weighted sums, how far below zero and the greatest value of each column."""
    sums, extremes = _column_facts(rows, mesh.volume, mesh.order)
    return ColumnFacts(sums[0], sums[1], extremes[0], extremes[1])
