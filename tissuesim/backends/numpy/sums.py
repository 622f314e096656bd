"""Sums over voxels in one fixed order, so that a total has the same bits on every backend."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tissuesim.codegen.print_text import BLOCK, CHUNK


def spread(value: Any, order: NDArray[np.int64]) -> NDArray[np.float64]:
    """The value of every voxel, in canonical order; a scalar is repeated."""
    wide = np.broadcast_to(np.asarray(value, np.float64), order.shape)
    return np.asarray(wide[order])


def ordered_sum(value: Any, order: NDArray[np.int64]) -> float:
    """Sum in canonical order: blocks of 256 voxels added up, then blocks of 256 of these sums, until one is left."""
    leaves = spread(value, order)
    if not leaves.size:
        return 0.0
    leaves = block_sums(leaves)
    while leaves.size > 1:
        leaves = block_sums(leaves)
    return float(leaves[0])


def block_sums(leaves: NDArray[np.float64]) -> NDArray[np.float64]:
    """The sum of each block of 256: left to right in chunks of 16, then left to right over the 16 chunks.

    Two short chains in place of one long one: a thread block of a GPU adds the chunks side by side.
    """
    blocks = -(-leaves.size // BLOCK)
    padded = np.zeros(blocks * BLOCK)
    padded[: leaves.size] = leaves
    chunks = _left_to_right(padded.reshape(blocks, BLOCK // CHUNK, CHUNK))
    return _left_to_right(chunks)


def _left_to_right(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    total = np.zeros(rows.shape[:-1])
    for column in range(rows.shape[-1]):
        total = total + rows[..., column]
    return total


def total(value: Any, order: NDArray[np.int64]) -> int:
    """Exact sum of integers over all voxels."""
    return int(np.sum(np.broadcast_to(value, order.shape), dtype=np.int64))


def largest(start: Any, value: Any) -> Any:
    """The greater of a start value and all values; NaN wins, so that it cannot hide."""
    return np.maximum(start, np.max(value))
