"""Arrivals from the blood placed in voxels: an exact multinomial by conditional binomials over a fixed binary tree."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tissuesim.backends.numpy.random import binomial


def draw_binomial(
    count: int, probability: float, voxel: int, stream: int, tick: int, key0: int, key1: int
) -> int:
    """One binomial number."""
    drawn = binomial(
        np.array([count]), np.array([probability]), np.array([voxel]), stream, tick, 0, key0, key1
    )
    return int(drawn[0])


def weight_tree(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Binary heap of sums: leaves ``heap[size + rank]``, ``heap[j] = heap[2j] + heap[2j+1]``, root ``heap[1]``."""
    size = 1 << max(weights.size - 1, 0).bit_length()
    heap = np.zeros(2 * size)
    heap[size : size + weights.size] = weights
    while size > 1:
        level = heap[size : 2 * size]
        size //= 2
        heap[size : 2 * size] = level[0::2] + level[1::2]
    return heap


def place_counts(
    heap: NDArray[np.float64], arriving: int, leaves: int, stream: int, tick: int, key0: int, key1: int
) -> NDArray[np.int64]:
    """Numbers arriving at each leaf, Multinomial(arriving, weights); their sum is exactly ``arriving``.

    At node j the left child receives Binomial(n_j, w_left / w_j); the counter word of the draw is j.
    """
    size = heap.size // 2
    counts = np.array([arriving], np.int64)
    nodes = np.array([1], np.int64)
    while nodes.size < size:
        weight = heap[nodes]
        with np.errstate(invalid="ignore", divide="ignore"):
            share = np.where(weight > 0, heap[2 * nodes] / weight, 0.0)
        left = binomial(counts, share, nodes, stream, tick, 0, key0, key1)
        children = np.empty(2 * nodes.size, np.int64)
        children[0::2], children[1::2] = left, counts - left
        counts = children
        nodes = np.arange(2 * nodes.size, 4 * nodes.size, dtype=np.int64)
    return counts[:leaves]


def weight_trees(weights: NDArray[np.float64]) -> tuple[list[NDArray[np.float64]], NDArray[np.float64]]:
    """A tree per column of ``weights (n, influxes)``, in canonical order, and their roots [1/day]."""
    trees = [weight_tree(np.ascontiguousarray(column)) for column in weights.T]
    return trees, np.array([tree[1] for tree in trees])


def enter_counts(
    cells: NDArray[Any],
    column: int,
    trees: list[NDArray[np.float64]],
    index: int,
    arriving: int,
    stream: int,
    tick: int,
    key0: int,
    key1: int,
    order: NDArray[np.int64],
) -> None:
    """Add the arrivals of influx ``index`` to a column of whole cells."""
    counts = place_counts(trees[index], arriving, order.size, stream, tick, key0, key1)
    cells[order, column] += counts.astype(cells.dtype)


def enter_amounts(
    cells: NDArray[Any],
    column: int,
    trees: list[NDArray[np.float64]],
    index: int,
    amount: float,
    order: NDArray[np.int64],
) -> None:
    """Add ``amount``, shared out in proportion to the weights, to a column of real cells."""
    heap = trees[index]
    size = heap.size // 2
    share = heap[size : size + order.size] / heap[1] * amount if heap[1] > 0 else np.zeros(order.size)
    cells[order, column] += share.astype(cells.dtype)
