"""Movement of cells, compiled; formulas and shapes in ``backends/numpy/movement.py``.

Constants are float32 and exact, so that float32 stays float32; scalars take the type of ``geometry`` on
entry.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numba import njit, prange

from tissuesim.backends.numba.random import binomial

Array: TypeAlias = Any
Scalar: TypeAlias = Any

ZERO, HALF, ONE = np.float32(0.0), np.float32(0.5), np.float32(1.0)
BLOCK = 2048


@njit(cache=True, error_model="numpy")
def _hazards(
    hazard: Array,
    i: int,
    motility: Array,
    chemotaxis: Scalar,
    signals: Array,
    attractant: int,
    half_saturation: Scalar,
    region: Array,
    neighbors: Array,
    geometry: Array,
) -> Scalar:
    """Write the six hazards of voxel i and return their sum, left to right."""
    total = geometry[i, 0] * ZERO
    for k in range(6):
        j = neighbors[i, k]
        speed = motility[region[i], region[j]]
        if speed < ZERO:
            speed = speed - speed
        elif chemotaxis != ZERO:
            u = signals[i, attractant] / half_saturation
            behind = signals[j, attractant] / half_saturation
            mean = ONE + (u + behind) * HALF
            drift = chemotaxis * (behind - u) / (mean * mean)
            if drift > ZERO:
                speed = speed + drift
        hazard[k] = geometry[i, k] * speed
        total = hazard[k] if k == 0 else total + hazard[k]
    return total


@njit(cache=True, error_model="numpy", parallel=True, nogil=True)
def _outflow_deterministic(
    outflow: Array,
    cells: Array,
    column: int,
    dt: Scalar,
    motility: Array,
    chemotaxis: Scalar,
    signals: Array,
    attractant: int,
    half_saturation: Scalar,
    region: Array,
    neighbors: Array,
    geometry: Array,
) -> None:
    n = neighbors.shape[0]
    for block in prange((n + BLOCK - 1) // BLOCK):
        hazard = np.empty(6, geometry.dtype)
        for i in range(block * BLOCK, min(block * BLOCK + BLOCK, n)):
            _hazards(
                hazard,
                i,
                motility,
                chemotaxis,
                signals,
                attractant,
                half_saturation,
                region,
                neighbors,
                geometry,
            )
            for k in range(6):
                outflow[i, k] = dt * hazard[k] * cells[i, column]


@njit(cache=True, error_model="numpy", parallel=True, nogil=True)
def _outflow_stochastic(
    outflow: Array,
    cells: Array,
    column: int,
    dt: Scalar,
    motility: Array,
    chemotaxis: Scalar,
    signals: Array,
    attractant: int,
    half_saturation: Scalar,
    region: Array,
    neighbors: Array,
    geometry: Array,
    box_index: Array,
    word: int,
    tick: int,
    draw: int,
    k0: int,
    k1: int,
) -> None:
    n = neighbors.shape[0]
    for block in prange((n + BLOCK - 1) // BLOCK):
        hazard = np.empty(6, geometry.dtype)
        rest = np.empty(6, geometry.dtype)
        for i in range(block * BLOCK, min(block * BLOCK + BLOCK, n)):
            outflow[i, :] = 0
            count = np.int64(cells[i, column])
            if count <= 0:
                continue
            total = _hazards(
                hazard,
                i,
                motility,
                chemotaxis,
                signals,
                attractant,
                half_saturation,
                region,
                neighbors,
                geometry,
            )
            leave = np.float64(dt * total)
            left = binomial(count, leave, box_index[i], word, tick, draw, k0, k1)
            if left == 0:
                continue
            rest[5] = hazard[5]
            for k in range(4, -1, -1):
                rest[k] = hazard[k] + rest[k + 1]
            for k in range(6):
                if hazard[k] > ZERO:
                    share = np.float64(hazard[k]) / np.float64(rest[k])
                    through = binomial(left, share, box_index[i], word | (k + 1), tick, draw, k0, k1)
                    outflow[i, k] = through
                    left -= through


@njit(cache=True, error_model="numpy", parallel=True, nogil=True)
def _gather(cells: Array, column: int, outflow: Array, neighbors: Array) -> None:
    for i in prange(neighbors.shape[0]):
        total = cells[i, column]
        for k in range(6):
            total = total - outflow[i, k]
        for k in range(6):
            j = neighbors[i, k]
            if j != i:
                total = total + outflow[j, k ^ 1]
        cells[i, column] = total


@njit(cache=True, error_model="numpy", parallel=True, nogil=True)
def _gather_counts(cells: Array, column: int, outflow: Array, neighbors: Array) -> None:
    for i in prange(neighbors.shape[0]):
        total = np.int64(cells[i, column])
        for k in range(6):
            total = total - outflow[i, k]
        for k in range(6):
            j = neighbors[i, k]
            if j != i:
                total = total + outflow[j, k ^ 1]
        cells[i, column] = total


@njit(cache=True, error_model="numpy", parallel=True, nogil=True)
def _largest_hazards(
    motility: Array,
    chemotaxis: Scalar,
    signals: Array,
    attractant: int,
    half_saturation: Scalar,
    region: Array,
    neighbors: Array,
    geometry: Array,
) -> Array:
    """Return the largest sum of hazards of each block of voxels."""
    n = neighbors.shape[0]
    blocks = (n + BLOCK - 1) // BLOCK
    largest = np.zeros(blocks, geometry.dtype)
    for block in prange(blocks):
        hazard = np.empty(6, geometry.dtype)
        for i in range(block * BLOCK, min(block * BLOCK + BLOCK, n)):
            total = _hazards(
                hazard,
                i,
                motility,
                chemotaxis,
                signals,
                attractant,
                half_saturation,
                region,
                neighbors,
                geometry,
            )
            if total > largest[block] or total != total:
                largest[block] = total
    return largest


def movement_outflow_deterministic(
    outflow: Array,
    cells: Array,
    column: int,
    dt: Scalar,
    motility: Array,
    chemotaxis: Scalar,
    signals: Array,
    attractant: int,
    half_saturation: Scalar,
    region: Array,
    neighbors: Array,
    geometry: Array,
) -> None:
    """Write the cells that leave through each face in a step, ``(n, 6)``."""
    real = geometry.dtype.type
    _outflow_deterministic(
        outflow, cells, column, real(dt), motility, real(chemotaxis), signals, attractant,
        real(half_saturation), region, neighbors, geometry,
    )  # fmt: skip


def movement_outflow_stochastic(
    outflow: Array,
    cells: Array,
    column: int,
    dt: Scalar,
    motility: Array,
    chemotaxis: Scalar,
    signals: Array,
    attractant: int,
    half_saturation: Scalar,
    region: Array,
    neighbors: Array,
    geometry: Array,
    box_index: Array,
    operator: int,
    species: int,
    tick: int,
    substep: int,
    k0: int,
    k1: int,
) -> None:
    """Write the whole number of cells that leave through each face, ``(n, 6)`` int32."""
    real = geometry.dtype.type
    _outflow_stochastic(
        outflow, cells, column, real(dt), motility, real(chemotaxis), signals, attractant,
        real(half_saturation), region, neighbors, geometry, box_index, operator << 24 | species << 16, tick,
        substep << 8, k0, k1,
    )  # fmt: skip


def movement_gather(cells: Array, column: int, outflow: Array, neighbors: Array) -> None:
    """Take what left and add what arrived, in place: whole numbers exactly, real ones left to right."""
    if np.issubdtype(outflow.dtype, np.integer):
        _gather_counts(cells, column, outflow, neighbors)
    else:
        _gather(cells, column, outflow, neighbors)


def largest_movement_hazard(
    motility: Array,
    chemotaxis: Scalar,
    signals: Array,
    attractant: int,
    half_saturation: Scalar,
    region: Array,
    neighbors: Array,
    geometry: Array,
) -> float:
    """Return the largest hazard of leaving a voxel [1/day]; NaN if any is NaN."""
    real = geometry.dtype.type
    largest = _largest_hazards(
        motility, real(chemotaxis), signals, attractant, real(half_saturation), region, neighbors, geometry
    )
    return float(np.max(largest))
