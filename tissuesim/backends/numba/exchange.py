"""Compiled twin of ``backends/numpy/exchange.py``: the same tree, the same draws, levels in parallel."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, prange

from tissuesim.backends.numba.random import binomial

SUBTREES = 256
PARALLEL_FROM = 2048
"""Leaves, and arrivals, from which threads are worth their start."""


@njit(cache=True, error_model="numpy", nogil=True)
def draw_binomial(
    count: int, probability: float, voxel: int, stream: int, tick: int, key0: int, key1: int
) -> Any:
    """One binomial number."""
    return binomial(count, probability, voxel, stream, tick, 0, key0, key1)


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


@njit(cache=True, error_model="numpy", nogil=True)
def _split(heap: Any, counts: Any, node: int, stream: int, tick: int, key0: int, key1: int) -> None:
    """Divide the arrivals of one node between its children."""
    held = counts[node]
    if held > 0:
        share = heap[2 * node] / heap[node] if heap[node] > 0 else 0.0
        left = binomial(held, share, node, stream, tick, 0, key0, key1)
        counts[2 * node] = left
        counts[2 * node + 1] = held - left


@njit(cache=True, error_model="numpy", nogil=True)
def _split_below(heap: Any, counts: Any, top: int, stream: int, tick: int, key0: int, key1: int) -> None:
    """Divide the arrivals of one node down to its leaves, level by level."""
    first, width = top, 1
    while first < heap.size // 2:
        for node in range(first, first + width):
            _split(heap, counts, node, stream, tick, key0, key1)
        first, width = 2 * first, 2 * width


@njit(cache=True, error_model="numpy", parallel=True, nogil=True)
def _split_parallel(heap: Any, counts: Any, stream: int, tick: int, key0: int, key1: int) -> None:
    """The top of the tree by one thread, the subtrees below it in parallel."""
    for node in range(1, SUBTREES):
        _split(heap, counts, node, stream, tick, key0, key1)
    for subtree in prange(SUBTREES):
        _split_below(heap, counts, SUBTREES + subtree, stream, tick, key0, key1)


def place_counts(heap: Any, arriving: int, leaves: int, stream: int, tick: int, key0: int, key1: int) -> Any:
    """Numbers arriving at each leaf, Multinomial(arriving, weights)."""
    counts = np.zeros(heap.size, np.int64)
    counts[1] = arriving
    if leaves < PARALLEL_FROM or arriving < PARALLEL_FROM:
        _split_below(heap, counts, 1, stream, tick, key0, key1)
    else:
        _split_parallel(heap, counts, stream, tick, key0, key1)
    size = heap.size // 2
    return counts[size : size + leaves]


def weight_trees(weights: Any) -> tuple[list[Any], Any]:
    """A tree per column of ``weights (n, influxes)``, in canonical order, and their roots [1/day]."""
    trees = [weight_tree(np.ascontiguousarray(column)) for column in weights.T]
    return trees, np.array([tree[1] for tree in trees])


@njit(cache=True, error_model="numpy", nogil=True)
def _add_counts(cells: Any, column: int, counts: Any, order: Any) -> None:
    for rank in range(order.size):
        cells[order[rank], column] += counts[rank]


def enter_counts(
    cells: Any,
    column: int,
    trees: list[Any],
    index: int,
    arriving: int,
    stream: int,
    tick: int,
    key0: int,
    key1: int,
    order: Any,
) -> None:
    """Add the arrivals of influx ``index`` to a column of whole cells."""
    counts = place_counts(trees[index], arriving, order.size, stream, tick, key0, key1)
    _add_counts(cells, column, counts, order)


@njit(cache=True, error_model="numpy", nogil=True)
def _add_amounts(cells: Any, column: int, heap: Any, amount: float, order: Any) -> None:
    size = heap.size // 2
    if heap[1] > 0:
        for rank in range(order.size):
            cells[order[rank], column] += heap[size + rank] / heap[1] * amount


def enter_amounts(cells: Any, column: int, trees: list[Any], index: int, amount: float, order: Any) -> None:
    """Add ``amount``, shared out in proportion to the weights, to a column of real cells."""
    _add_amounts(cells, column, trees[index], amount, order)
