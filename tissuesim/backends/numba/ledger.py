"""Compiled twin of ``backends/numpy/ledger.py``."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, prange

from tissuesim.backends.numba.sums import join_maxima, join_sums
from tissuesim.codegen.print_text import BLOCK, CHUNK

LINES = 4


@njit(cache=True, error_model="numpy", nogil=True)
def _chunk(
    first: int,
    last: int,
    work: Any,
    sums: Any,
    largest: Any,
    right_hand_side: Any,
    diagonal: Any,
    after: Any,
    coefficient: Any,
    pair: Any,
    region: Any,
    neighbors: Any,
    geometry: Any,
    volume: Any,
    order: Any,
) -> None:
    """One chunk of voxels: faces outside, signals inside, so that the inner loops run along rows of memory."""
    off_diagonal, inflow = work[0], work[1]
    signals = after.shape[1]
    for rank in range(first, last):
        i = order[rank]
        size = np.float64(volume[i])
        for s in range(signals):
            off_diagonal[s] = 0.0
            inflow[s] = 0.0
        for face in range(neighbors.shape[1]):
            j = neighbors[i, face]
            row = pair[region[i], region[j]]
            width = geometry[i, face]
            for s in range(signals):
                value = np.float64(coefficient[row, s] * width)
                off_diagonal[s] = off_diagonal[s] + value
                inflow[s] = inflow[s] + value * np.float64(after[j, s])
        for s in range(signals):
            new = np.float64(after[i, s])
            b = np.float64(right_hand_side[i, s])
            wide = np.float64(diagonal[i, s])
            residual = b - wide * new + inflow[s]
            kept = 0.0 if new < 0.0 else new
            sums[0, s] += size * ((wide - 1.0 - off_diagonal[s]) * new)
            sums[1, s] += size * residual
            sums[2, s] += size * (kept - new)
            sums[3, s] += size * kept
            scaled, height = abs(residual / wide), abs(new)
            if scaled > largest[0, s] or scaled != scaled:
                largest[0, s] = scaled
            if height > largest[1, s] or height != height:
                largest[1, s] = height


@njit(cache=True, error_model="numpy", nogil=True)
def _block(
    first: int,
    last: int,
    work: Any,
    chunk: Any,
    sums: Any,
    largest: Any,
    right_hand_side: Any,
    diagonal: Any,
    after: Any,
    coefficient: Any,
    pair: Any,
    region: Any,
    neighbors: Any,
    geometry: Any,
    volume: Any,
    order: Any,
) -> None:
    """One block, chunk by chunk."""
    for start in range(first, last, CHUNK):
        chunk[:] = 0.0
        _chunk(
            start, min(start + CHUNK, last), work, chunk, largest,
            right_hand_side, diagonal, after, coefficient, pair, region, neighbors, geometry, volume, order,
        )  # fmt: skip
        for line in range(LINES):
            for s in range(after.shape[1]):
                sums[line, s] += chunk[line, s]


@njit(cache=True, error_model="numpy", parallel=True, nogil=True)
def _signal_ledger(
    right_hand_side: Any,
    diagonal: Any,
    after: Any,
    coefficient: Any,
    pair: Any,
    region: Any,
    neighbors: Any,
    geometry: Any,
    volume: Any,
    order: Any,
) -> Any:
    n, signals = after.shape
    blocks = (n + BLOCK - 1) // BLOCK
    # rows of whole cache lines: blocks of two threads must not write to the same line
    width = (signals + 15) // 8 * 8
    work = np.zeros((blocks, 2, width))
    chunk = np.zeros((blocks, LINES, width))
    partial = np.zeros((blocks, LINES, width))
    greatest = np.zeros((blocks, 2, width))
    for block in prange(blocks):
        _block(
            block * BLOCK, min(block * BLOCK + BLOCK, n), work[block], chunk[block], partial[block], greatest[block],
            right_hand_side, diagonal, after, coefficient, pair, region, neighbors, geometry, volume, order,
        )  # fmt: skip
    sums = join_sums(partial.reshape(blocks, LINES * width)).reshape(LINES, width)
    largest = join_maxima(greatest.reshape(blocks, 2 * width)).reshape(2, width)
    return sums[:, :signals].copy(), largest[0, :signals].copy(), largest[1, :signals].copy()


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
    regions = coefficient.shape[0] if coefficient.ndim == 3 else 1
    if coefficient.ndim == 3:
        pair = np.arange(regions * regions).reshape(regions, regions)
        rows = coefficient.reshape(regions * regions, -1)
    else:
        pair = np.zeros((int(region.max()) + 1,) * 2, np.int64)
        rows = coefficient.reshape(1, -1)
    return _signal_ledger(
        right_hand_side, diagonal, after, rows, pair, region, neighbors, geometry, volume, order
    )
