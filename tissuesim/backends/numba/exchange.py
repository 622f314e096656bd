"""Compiled twin of ``backends/numpy/exchange.py``: the same tree, the same draws, levels in parallel."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, prange

from tissuesim.backends.numba.random import binomial


@njit(cache=True, error_model="numpy", nogil=True)
def weight_tree(weights: Any) -> Any:
    """Binary heap of sums with the weights as leaves."""
    size = 1
    while size < weights.size:
        size *= 2
    heap = np.zeros(2 * size)
    for rank in range(weights.size):
        heap[size + rank] = weights[rank]
    for node in range(size - 1, 0, -1):
        heap[node] = heap[2 * node] + heap[2 * node + 1]
    return heap


@njit(cache=True, error_model="numpy", parallel=True, nogil=True)
def place_counts(
    heap: Any, arriving: int, leaves: int, stream: int, tick: int, key0: int, key1: int
) -> Any:
    """Numbers arriving at each leaf, Multinomial(arriving, weights)."""
    size = heap.size // 2
    counts = np.zeros(2 * size, np.int64)
    counts[1] = arriving
    first = 1
    while first < size:
        for node in prange(first, 2 * first):
            held = counts[node]
            if held > 0:
                share = heap[2 * node] / heap[node] if heap[node] > 0 else 0.0
                left = binomial(held, share, node, stream, tick, 0, key0, key1)
                counts[2 * node] = left
                counts[2 * node + 1] = held - left
        first *= 2
    return counts[size : size + leaves]


@njit(cache=True, error_model="numpy", nogil=True)
def add_counts(cells: Any, column: int, counts: Any, order: Any) -> None:
    """Add the arrivals (in canonical order) to a column of integer cells."""
    for rank in range(order.size):
        cells[order[rank], column] += counts[rank]


@njit(cache=True, error_model="numpy", nogil=True)
def add_amounts(cells: Any, column: int, heap: Any, amount: float, order: Any) -> None:
    """Add ``amount`` shared out in proportion to the weights to a column of real cells."""
    size = heap.size // 2
    shares = np.zeros(order.size, cells.dtype)
    for rank in range(order.size):
        if heap[1] > 0:
            shares[rank] = heap[size + rank] / heap[1] * amount
        cells[order[rank], column] += shares[rank]
