"""Arrivals from the blood placed on the device: the tree of ``backends/numpy/exchange.py``, eight levels at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tissuesim.backends.cuda.launch import blocks, empty, fetch, kernel, launch, upload
from tissuesim.backends.numpy.exchange import draw_binomial

__all__ = ["draw_binomial", "enter_amounts", "enter_counts", "weight_trees"]

REAL = np.dtype(np.float64)  # of weights; the kernels of this file read no fields
LEVELS = 8  # of a binary tree in one block of 256


class Roots:
    """Hazards on the pools, (influxes,): made an array, they wait for the device."""

    def __init__(self, level: Any) -> None:
        """Keep where they will be."""
        self._level = level

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[np.float64]:
        """The hazards [1/day]."""
        return fetch(self._level)[:, 0].astype(dtype or np.float64)


def weight_trees(weights: Any) -> tuple[list[Any], Roots]:
    """Every eighth level of the trees of ``weights``, from the leaves to the roots, and the roots [1/day]."""
    levels = [weights]
    while levels[-1].shape[1] > 1 or len(levels) == 1:
        rows, count = levels[-1].shape
        parents = empty((rows, blocks(count)), REAL)
        launch(kernel("exchange.cu", "add_pairs", REAL), (parents.size,), rows, count, levels[-1], parents)
        levels.append(parents)
    return levels, Roots(levels[-1])


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
    n = int(cells.shape[1])
    leaves = 1 << max(n - 1, 0).bit_length()
    words = tuple(np.uint32(word & 0xFFFFFFFF) for word in (stream, tick, key0, key1))
    placed = upload(np.array([arriving], np.int64))
    for height in range(len(trees) - 2, 0, -1):
        children = trees[height][index]
        count = int(children.size)
        divided = empty((count,), np.int64)
        launch(
            kernel("exchange.cu", "place_counts", REAL), (blocks(count),), count, leaves, LEVELS * (height + 1),
            children, placed, divided, *words,
        )  # fmt: skip
        placed = divided
    launch(
        kernel("exchange.cu", "enter_counts", REAL), (blocks(n),), n, leaves, trees[0][index], placed,
        cells[column], *words,
    )  # fmt: skip


def enter_amounts(cells: Any, column: int, trees: list[Any], index: int, amount: float, order: Any) -> None:
    """Add ``amount``, shared out in proportion to the weights, to a column of real cells."""
    n = int(cells.shape[1])
    function = kernel("exchange.cu", "enter_amounts", REAL)
    launch(function, (blocks(n),), n, trees[0][index], trees[-1][index], np.float64(amount), cells[column])
