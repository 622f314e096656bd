"""Sums over voxels in one fixed order, so that a total has the same bits on every backend."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tissuesim.codegen.print_text import BLOCK


def spread(value: Any, order: NDArray[np.int64]) -> NDArray[np.float64]:
    """The value of every voxel, in canonical order; a scalar is repeated."""
    wide = np.broadcast_to(np.asarray(value, np.float64), order.shape)
    return np.asarray(wide[order])


def ordered_sum(value: Any, order: NDArray[np.int64]) -> float:
    """Sum in canonical order: left to right within blocks of 256 voxels, then left to right over the blocks."""
    leaves = spread(value, order)
    blocks = -(-leaves.size // BLOCK)
    padded = np.zeros(blocks * BLOCK)
    padded[: leaves.size] = leaves
    partial = np.zeros(blocks)
    for column in padded.reshape(blocks, BLOCK).T:
        partial = partial + column
    return float(np.add.accumulate(partial)[-1]) if blocks else 0.0


def total(value: Any, order: NDArray[np.int64]) -> int:
    """Exact sum of integers over all voxels."""
    return int(np.sum(np.broadcast_to(value, order.shape), dtype=np.int64))


def largest(start: Any, value: Any) -> Any:
    """The greater of a start value and all values; NaN wins, so that it cannot hide."""
    return np.maximum(start, np.max(value))
