"""Compiled twin of ``backends/numpy/exchange.py``: the same tree, the same draws, levels in parallel."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, prange

from tissuesim.backends.numba.lanes import WORDS, WORK, binomial_lanes
from tissuesim.backends.numba.random import binomial
from tissuesim.codegen.print_lanes import LANES

SUBTREE_LEAVES = 512
"""Leaves of the subtrees that threads share out: several rows of lanes on the levels that hold most nodes."""

PARALLEL_FROM = 2048
"""Leaves, and arrivals, from which threads are worth their start."""


@njit(cache=True, error_model="numpy", nogil=True)
def draw_binomial(
    count: int, probability: float, voxel: int, stream: int, tick: int, key0: int, key1: int
) -> Any:
    """One binomial number."""
    return binomial(count, probability, voxel, stream, tick, 0, key0, key1)


@njit(cache=True, error_model="numpy", parallel=True, nogil=True)
def _heaps(weights: Any, size: int) -> Any:
    """A binary heap of sums per column of ``weights (n, influxes)``, with the weights as leaves."""
    heaps = np.zeros((weights.shape[1], 2 * size))
    for column in prange(weights.shape[1]):
        for rank in range(weights.shape[0]):
            heaps[column, size + rank] = weights[rank, column]
        for node in range(size - 1, 0, -1):
            heaps[column, node] = heaps[column, 2 * node] + heaps[column, 2 * node + 1]
    return heaps


def weight_trees(weights: Any) -> tuple[list[Any], Any]:
    """A tree per column of ``weights (n, influxes)``, in canonical order, and their roots [1/day]."""
    heaps = _heaps(weights, 1 << max(weights.shape[0] - 1, 0).bit_length())
    return list(heaps), heaps[:, 1].copy()


@njit(cache=True, error_model="numpy", nogil=True)
def _share(heap: Any, node: int) -> Any:
    """Part of the arrivals of a node that go to its first child."""
    return heap[2 * node] / heap[node] if heap[node] > 0 else 0.0


@njit(cache=True, error_model="numpy", nogil=True)
def _split_below(
    heap: Any, counts: Any, top: Any, last: int, stream: int, tick: int, key0: int, key1: int
) -> None:
    """Divide the arrivals of node ``top`` down to nodes from ``last`` on, level by level, LANES nodes side by side."""
    left, share, nodes = np.zeros(LANES, np.int64), np.zeros(LANES), np.zeros(LANES, np.int64)
    work, words = np.zeros(WORK), np.zeros(WORDS, np.uint64)
    first, width = top, 1
    while first < last:
        together = min(width, LANES)
        for start in range(first, first + width, together):
            if together < LANES:
                for node in range(start, start + together):
                    drawn = binomial(counts[node], _share(heap, node), node, stream, tick, 0, key0, key1)
                    counts[2 * node], counts[2 * node + 1] = drawn, counts[node] - drawn
            else:
                held = counts[start : start + LANES]
                if held.max() == 0:  # most nodes, where few arrive; what lies below them is 0 already
                    continue
                for k in range(LANES):
                    nodes[k] = start + k
                    share[k] = _share(heap, start + k)
                binomial_lanes(left, held, share, work, words, nodes, stream, tick, 0, key0, key1)
                for k in range(LANES):
                    counts[2 * (start + k)], counts[2 * (start + k) + 1] = left[k], held[k] - left[k]
        first, width = 2 * first, 2 * width


@njit(cache=True, error_model="numpy", parallel=True, nogil=True)
def _split_parallel(
    heap: Any, counts: Any, subtrees: int, stream: int, tick: int, key0: int, key1: int
) -> None:
    """The top of the tree by one thread, the subtrees below it in parallel."""
    _split_below(heap, counts, 1, subtrees, stream, tick, key0, key1)
    # odd, so that every subtree has its turn, and long, so that the empty ones at the end are shared out, too
    stride = subtrees * 5 // 8 | 1
    for turn in prange(subtrees):
        subtree = np.int64(turn) * stride % subtrees
        _split_below(heap, counts, subtrees + subtree, heap.size // 2, stream, tick, key0, key1)


def place_counts(heap: Any, arriving: int, leaves: int, stream: int, tick: int, key0: int, key1: int) -> Any:
    """Numbers arriving at each leaf, Multinomial(arriving, weights)."""
    size = heap.size // 2
    counts = np.zeros(heap.size, np.int64)
    counts[1] = arriving
    draws = (stream, tick, key0, key1)
    if leaves < PARALLEL_FROM or arriving < PARALLEL_FROM:
        _split_below(heap, counts, 1, size, *draws)
    else:
        _split_parallel(heap, counts, size // SUBTREE_LEAVES, *draws)
    return counts[size : size + leaves]


@njit(cache=True, error_model="numpy", parallel=True, nogil=True)
def _add_counts(cells: Any, column: int, counts: Any, order: Any) -> None:
    for rank in prange(order.size):
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
