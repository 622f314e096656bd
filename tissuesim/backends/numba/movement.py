"""Movement of cells, compiled; formulas and shapes in ``backends/numpy/movement.py``.

Constants are float32 and exact, so that float32 stays float32; scalars take the type of ``geometry`` on
entry.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numba import njit, prange

from tissuesim.backends.numba.lanes import WORDS, WORK, binomial_lanes
from tissuesim.codegen.print_lanes import LANES

Array: TypeAlias = Any
Scalar: TypeAlias = Any

ZERO, HALF, ONE = np.float32(0.0), np.float32(0.5), np.float32(1.0)
FACES = 6
BLOCK = 2048
"""Voxels of a task; in groups of LANES side by side."""

OWN, BEHIND, GEOMETRY, HAZARD, REST, TOTAL, ROWS = 0, 1, 7, 13, 19, 25, 26
"""Rows of LANES numbers that a group keeps: the attractant here and behind each face, and so on."""


@njit(cache=True, error_model="numpy")
def _hazards(
    rows: Array,
    voxels: Array,
    count: int,
    motility: Array,
    chemotaxis: Scalar,
    signals: Array,
    attractant: int,
    half_saturation: Scalar,
    region: Array,
    neighbors: Array,
    geometry: Array,
) -> None:
    """The six hazards of each voxel of a group, their sum left to right, and the sums of the last ones."""
    for k in range(count):
        i = np.uint64(voxels[k])
        here = region[i]
        rows[OWN * LANES + k] = signals[i, attractant] if chemotaxis != ZERO else ZERO
        for face in range(FACES):
            j = np.uint64(neighbors[i, face])
            rows[(HAZARD + face) * LANES + k] = motility[here, region[j]]
            rows[(GEOMETRY + face) * LANES + k] = geometry[i, face]
            if chemotaxis != ZERO:
                rows[(BEHIND + face) * LANES + k] = signals[j, attractant]
    lanes = rows.size // ROWS
    for face in range(FACES):
        if chemotaxis != ZERO:
            for k in range(lanes):
                u = rows[OWN * LANES + k] / half_saturation
                behind = rows[(BEHIND + face) * LANES + k] / half_saturation
                mean = ONE + (u + behind) * HALF
                drift = chemotaxis * (behind - u) / (mean * mean)
                speed = rows[(HAZARD + face) * LANES + k]
                drawn = (drift > ZERO) & (speed >= ZERO)
                rows[(HAZARD + face) * LANES + k] = speed + drift if drawn else speed
        for k in range(lanes):
            speed = rows[(HAZARD + face) * LANES + k]
            hazard = rows[(GEOMETRY + face) * LANES + k] * (ZERO if speed < ZERO else speed)
            rows[(HAZARD + face) * LANES + k] = hazard
            rows[TOTAL * LANES + k] = hazard if face == 0 else rows[TOTAL * LANES + k] + hazard
    for k in range(lanes):
        rows[(REST + 5) * LANES + k] = rows[(HAZARD + 5) * LANES + k]
    for face in range(4, -1, -1):
        for k in range(lanes):
            rest = rows[(HAZARD + face) * LANES + k] + rows[(REST + face + 1) * LANES + k]
            rows[(REST + face) * LANES + k] = rest


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
        rows, voxels = np.zeros(ROWS * LANES, geometry.dtype), np.zeros(LANES, np.int64)
        for first in range(block * BLOCK, min(block * BLOCK + BLOCK, n), LANES):
            count = min(LANES, n - first)
            for k in range(count):
                voxels[k] = first + k
            _hazards(
                rows, voxels, count, motility, chemotaxis, signals, attractant, half_saturation, region, neighbors,
                geometry,
            )  # fmt: skip
            for k in range(count):
                for face in range(FACES):
                    hazard = rows[(HAZARD + face) * LANES + k]
                    outflow[first + k, face] = dt * hazard * cells[first + k, column]


@njit(cache=True, error_model="numpy")
def _send(
    outflow: Array, voxels: Array, count: int, dt: Scalar, rows: Array, whole: Array, shares: Array, work: Array,
    words: Array, boxes: Array, word: int, tick: int, draw: int, k0: int, k1: int,
) -> None:  # fmt: skip
    """Whole numbers that leave the voxels of a group: binomials of all that go, conditional ones for the faces."""
    left, through = whole[LANES : 2 * LANES], whole[2 * LANES : 3 * LANES]
    for k in range(shares.size):
        shares[k] = np.float64(dt * rows[TOTAL * LANES + k])
    binomial_lanes(left, whole[:LANES], shares, work, words, boxes, word, tick, draw, k0, k1)
    for face in range(FACES):
        for k in range(shares.size):
            hazard = rows[(HAZARD + face) * LANES + k]
            share = np.float64(hazard) / np.float64(rows[(REST + face) * LANES + k])
            shares[k] = share if hazard > ZERO else 0.0
        if face < FACES - 1:
            binomial_lanes(through, left, shares, work, words, boxes, word | (face + 1), tick, draw, k0, k1)
        else:  # all that is left goes through the last face, or none: no draw decides that
            for k in range(shares.size):
                through[k] = left[k] if shares[k] > 0.0 else 0
        for k in range(count):
            outflow[voxels[k], face] = through[k]
        for k in range(shares.size):
            left[k] -= through[k]


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
        rows, voxels = np.zeros(ROWS * LANES, geometry.dtype), np.zeros(LANES, np.int64)
        whole, boxes, shares = np.zeros(3 * LANES, np.int64), np.zeros(LANES, np.int64), np.zeros(LANES)
        work, words = np.zeros(WORK), np.zeros(WORDS, np.uint64)
        held, stop = 0, min(block * BLOCK + BLOCK, n)
        for i in range(block * BLOCK, stop):
            for face in range(FACES):
                outflow[i, face] = 0
            if cells[i, column] > 0:  # only voxels with cells take a lane: most are empty when cells are few
                voxels[held], whole[held], boxes[held] = i, cells[i, column], box_index[i]
                held += 1
            if held == LANES or (held > 0 and i == stop - 1):
                whole[held:LANES] = 0
                _hazards(
                    rows, voxels, held, motility, chemotaxis, signals, attractant, half_saturation, region, neighbors,
                    geometry,
                )  # fmt: skip
                _send(
                    outflow,
                    voxels,
                    held,
                    dt,
                    rows,
                    whole,
                    shares,
                    work,
                    words,
                    boxes,
                    word,
                    tick,
                    draw,
                    k0,
                    k1,
                )
                held = 0


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
        rows, voxels = np.zeros(ROWS * LANES, geometry.dtype), np.zeros(LANES, np.int64)
        for first in range(block * BLOCK, min(block * BLOCK + BLOCK, n), LANES):
            count = min(LANES, n - first)
            for k in range(count):
                voxels[k] = first + k
            _hazards(
                rows, voxels, count, motility, chemotaxis, signals, attractant, half_saturation, region, neighbors,
                geometry,
            )  # fmt: skip
            for k in range(count):
                total = rows[TOTAL * LANES + k]
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
