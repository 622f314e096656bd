"""Diffusion of signals, compiled; formulas and shapes in ``backends/numpy/transport.py``.

The sweeps are built once per number of fields: a loop whose length is known is vectorised over a row of
fields without a remainder (with 8 float32 fields, twice as fast). Constants are float32 and exact, so
float32 stays float32.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, TypeAlias

import numpy as np
from numba import njit, prange

Array: TypeAlias = Any
Scalar: TypeAlias = Any
Kernel: TypeAlias = Callable[..., Any]

PLACE = np.uint32  # unsigned: no code for negative indices, a third faster
ZERO, ONE = np.float32(0.0), np.float32(1.0)
BLOCK = 2048
# LLVM unrolls loops of up to 8 between constants and then no longer vectorises them (three times slower). Short
# loops over fields therefore start at an argument that is always 0, which the compiler cannot know.
UNROLLED = 8
FIRST = np.uint8(0)


@cache
def _sweep_uniform(fields: int) -> Kernel:
    short = fields <= UNROLLED

    @njit(cache=True, error_model="numpy", parallel=True, nogil=True)
    def sweep(
        new: Array, x: Array, b: Array, inverse: Array, omega: Array, coefficient: Array, neighbors: Array,
        geometry: Array, first: int,
    ) -> None:  # fmt: skip
        for i in prange(neighbors.shape[0]):
            n0, n1, n2 = PLACE(neighbors[i, 0]), PLACE(neighbors[i, 1]), PLACE(neighbors[i, 2])
            n3, n4, n5 = PLACE(neighbors[i, 3]), PLACE(neighbors[i, 4]), PLACE(neighbors[i, 5])
            g0, g1, g2 = geometry[i, 0], geometry[i, 1], geometry[i, 2]
            g3, g4, g5 = geometry[i, 3], geometry[i, 4], geometry[i, 5]
            for s in range(first if short else 0, fields):
                c = coefficient[s]
                total = b[i, s]
                total = total + (c * g0) * x[n0, s]
                total = total + (c * g1) * x[n1, s]
                total = total + (c * g2) * x[n2, s]
                total = total + (c * g3) * x[n3, s]
                total = total + (c * g4) * x[n4, s]
                total = total + (c * g5) * x[n5, s]
                old = new[i, s]
                new[i, s] = omega[s] * (total * inverse[i, s] - old) + old

    return sweep


@cache
def _sweep_regions(fields: int) -> Kernel:
    short = fields <= UNROLLED

    @njit(cache=True, error_model="numpy", parallel=True, nogil=True)
    def sweep(
        new: Array, x: Array, b: Array, inverse: Array, omega: Array, table: Array, region: Array,
        neighbors: Array, geometry: Array, first: int,
    ) -> None:  # fmt: skip
        for i in prange(neighbors.shape[0]):
            n0, n1, n2 = PLACE(neighbors[i, 0]), PLACE(neighbors[i, 1]), PLACE(neighbors[i, 2])
            n3, n4, n5 = PLACE(neighbors[i, 3]), PLACE(neighbors[i, 4]), PLACE(neighbors[i, 5])
            g0, g1, g2 = geometry[i, 0], geometry[i, 1], geometry[i, 2]
            g3, g4, g5 = geometry[i, 3], geometry[i, 4], geometry[i, 5]
            r = region[i]
            r0, r1, r2 = region[n0], region[n1], region[n2]
            r3, r4, r5 = region[n3], region[n4], region[n5]
            for s in range(first if short else 0, fields):
                total = b[i, s]
                total = total + (table[r, r0, s] * g0) * x[n0, s]
                total = total + (table[r, r1, s] * g1) * x[n1, s]
                total = total + (table[r, r2, s] * g2) * x[n2, s]
                total = total + (table[r, r3, s] * g3) * x[n3, s]
                total = total + (table[r, r4, s] * g4) * x[n4, s]
                total = total + (table[r, r5, s] * g5) * x[n5, s]
                old = new[i, s]
                new[i, s] = omega[s] * (total * inverse[i, s] - old) + old

    return sweep


@cache
def _diffuse_uniform(fields: int) -> Kernel:
    short = fields <= UNROLLED

    @njit(cache=True, error_model="numpy", parallel=True, nogil=True)
    def diffuse(
        new: Array, x: Array, coefficient: Array, neighbors: Array, geometry: Array, first: int
    ) -> None:
        for i in prange(neighbors.shape[0]):
            n0, n1, n2 = PLACE(neighbors[i, 0]), PLACE(neighbors[i, 1]), PLACE(neighbors[i, 2])
            n3, n4, n5 = PLACE(neighbors[i, 3]), PLACE(neighbors[i, 4]), PLACE(neighbors[i, 5])
            g0, g1, g2 = geometry[i, 0], geometry[i, 1], geometry[i, 2]
            g3, g4, g5 = geometry[i, 3], geometry[i, 4], geometry[i, 5]
            for s in range(first if short else 0, fields):
                c = coefficient[s]
                own = x[i, s]
                total = own
                total = total + (c * g0) * (x[n0, s] - own)
                total = total + (c * g1) * (x[n1, s] - own)
                total = total + (c * g2) * (x[n2, s] - own)
                total = total + (c * g3) * (x[n3, s] - own)
                total = total + (c * g4) * (x[n4, s] - own)
                total = total + (c * g5) * (x[n5, s] - own)
                new[i, s] = total

    return diffuse


@cache
def _diffuse_regions(fields: int) -> Kernel:
    short = fields <= UNROLLED

    @njit(cache=True, error_model="numpy", parallel=True, nogil=True)
    def diffuse(
        new: Array, x: Array, table: Array, region: Array, neighbors: Array, geometry: Array, first: int
    ) -> None:
        for i in prange(neighbors.shape[0]):
            n0, n1, n2 = PLACE(neighbors[i, 0]), PLACE(neighbors[i, 1]), PLACE(neighbors[i, 2])
            n3, n4, n5 = PLACE(neighbors[i, 3]), PLACE(neighbors[i, 4]), PLACE(neighbors[i, 5])
            g0, g1, g2 = geometry[i, 0], geometry[i, 1], geometry[i, 2]
            g3, g4, g5 = geometry[i, 3], geometry[i, 4], geometry[i, 5]
            r = region[i]
            r0, r1, r2 = region[n0], region[n1], region[n2]
            r3, r4, r5 = region[n3], region[n4], region[n5]
            for s in range(first if short else 0, fields):
                own = x[i, s]
                total = own
                total = total + (table[r, r0, s] * g0) * (x[n0, s] - own)
                total = total + (table[r, r1, s] * g1) * (x[n1, s] - own)
                total = total + (table[r, r2, s] * g2) * (x[n2, s] - own)
                total = total + (table[r, r3, s] * g3) * (x[n3, s] - own)
                total = total + (table[r, r4, s] * g4) * (x[n4, s] - own)
                total = total + (table[r, r5, s] * g5) * (x[n5, s] - own)
                new[i, s] = total

    return diffuse


@njit(cache=True, error_model="numpy", parallel=True, nogil=True)
def _diagonal(
    diagonal: Array, inverse: Array, loss: Array, dt: Scalar, table: Array, region: Array, neighbors: Array,
    geometry: Array,
) -> None:  # fmt: skip
    for i in prange(neighbors.shape[0]):
        for s in range(loss.shape[1]):
            diagonal[i, s] = ONE + dt * loss[i, s]
        for k in range(6):
            row = table[region[i], region[neighbors[i, k]]]
            for s in range(loss.shape[1]):
                diagonal[i, s] = diagonal[i, s] + row[s] * geometry[i, k]
        for s in range(loss.shape[1]):
            inverse[i, s] = ONE / diagonal[i, s]


@njit(cache=True, error_model="numpy")
def _write_residual(
    residual: Array, i: int, x: Array, b: Array, diagonal: Array, table: Array, region: Array,
    neighbors: Array, geometry: Array,
) -> None:  # fmt: skip
    """Write b + faces x - diagonal x of voxel i for every signal."""
    for s in range(residual.size):
        residual[s] = b[i, s]
    for k in range(6):
        j = neighbors[i, k]
        row = table[region[i], region[j]]
        for s in range(residual.size):
            residual[s] = residual[s] + (row[s] * geometry[i, k]) * x[j, s]
    for s in range(residual.size):
        residual[s] = residual[s] - diagonal[i, s] * x[i, s]


@njit(cache=True, error_model="numpy", parallel=True, nogil=True)
def _residuals(
    x: Array, b: Array, diagonal: Array, inverse: Array, table: Array, region: Array, neighbors: Array,
    geometry: Array,
) -> Array:  # fmt: skip
    """Return max |residual / diagonal| and max |x| of each block of voxels, ``(blocks, 2, S)``."""
    n, fields = x.shape
    blocks = (n + BLOCK - 1) // BLOCK
    largest = np.zeros((blocks, 2, fields), x.dtype)
    for block in prange(blocks):
        residual = np.empty(fields, x.dtype)
        for i in range(block * BLOCK, min(block * BLOCK + BLOCK, n)):
            _write_residual(residual, i, x, b, diagonal, table, region, neighbors, geometry)
            for s in range(fields):
                scaled, size = abs(residual[s] * inverse[i, s]), abs(x[i, s])
                if scaled > largest[block, 0, s] or scaled != scaled:
                    largest[block, 0, s] = scaled
                if size > largest[block, 1, s] or size != size:
                    largest[block, 1, s] = size
    return largest


@njit(cache=True, error_model="numpy", parallel=True, nogil=True)
def _audit(
    x: Array, b: Array, diagonal: Array, volume: Array, scale: Array, table: Array, region: Array,
    neighbors: Array, geometry: Array,
) -> Array:  # fmt: skip
    """Return the fixed-point sum of residual x volume of each block of voxels, ``(blocks, S)``."""
    n, fields = x.shape
    blocks = (n + BLOCK - 1) // BLOCK
    total = np.zeros((blocks, fields), np.int64)
    for block in prange(blocks):
        residual = np.empty(fields, x.dtype)
        for i in range(block * BLOCK, min(block * BLOCK + BLOCK, n)):
            _write_residual(residual, i, x, b, diagonal, table, region, neighbors, geometry)
            for s in range(fields):
                total[block, s] += np.int64(np.floor(np.float64(residual[s]) * volume[i] * scale[s] + 0.5))
    return total


@njit(cache=True, error_model="numpy", parallel=True, nogil=True)
def _clip(x: Array) -> None:
    for i in prange(x.shape[0]):
        for s in range(x.shape[1]):
            if x[i, s] <= ZERO:
                x[i, s] = ZERO


def _table(coefficient: Array, region: Array) -> tuple[Array, Array]:
    """Return a coefficient per pair of regions and the regions; one coefficient for all makes one region."""
    if coefficient.ndim == 3:
        return coefficient, region
    return coefficient.reshape(1, 1, -1), np.zeros_like(region)


def signal_sweep(
    new: Array,
    current: Array,
    right_hand_side: Array,
    inverse_diagonal: Array,
    omega: Array,
    coefficient: Array,
    region: Array,
    neighbors: Array,
    geometry: Array,
) -> None:
    """Do one Chebyshev sweep: new is x_{k-1} on entry and x_{k+1} on exit."""
    arrays = (new, current, right_hand_side, inverse_diagonal, omega, coefficient)
    if coefficient.ndim == 1:
        _sweep_uniform(new.shape[1])(*arrays, neighbors, geometry, FIRST)
    else:
        _sweep_regions(new.shape[1])(*arrays, region, neighbors, geometry, FIRST)


def diffuse_explicit(
    new: Array, current: Array, coefficient: Array, region: Array, neighbors: Array, geometry: Array
) -> None:
    """Write one explicit diffusion step of all fields."""
    if coefficient.ndim == 1:
        _diffuse_uniform(new.shape[1])(new, current, coefficient, neighbors, geometry, FIRST)
    else:
        _diffuse_regions(new.shape[1])(new, current, coefficient, region, neighbors, geometry, FIRST)


def signal_diagonal(
    diagonal: Array,
    inverse: Array,
    loss: Array,
    dt: Scalar,
    coefficient: Array,
    region: Array,
    neighbors: Array,
    geometry: Array,
) -> None:
    """Write ``1 + dt loss + sum_k coefficient geometry_k`` and its inverse."""
    _diagonal(
        diagonal, inverse, loss, geometry.dtype.type(dt), *_table(coefficient, region), neighbors, geometry
    )


def signal_residual(
    x: Array,
    right_hand_side: Array,
    diagonal: Array,
    inverse_diagonal: Array,
    coefficient: Array,
    region: Array,
    neighbors: Array,
    geometry: Array,
) -> tuple[Array, Array]:
    """Return, per signal, max |residual / diagonal| and max |x| over the voxels; NaN if any is NaN."""
    largest = _residuals(
        x, right_hand_side, diagonal, inverse_diagonal, *_table(coefficient, region), neighbors, geometry
    ).max(axis=0)
    return largest[0], largest[1]


def signal_audit(
    x: Array,
    right_hand_side: Array,
    diagonal: Array,
    volume: Array,
    scale: Array,
    coefficient: Array,
    region: Array,
    neighbors: Array,
    geometry: Array,
) -> Array:
    """Return the fixed-point sum over voxels of residual x volume per signal, int64 ``(S,)``."""
    return _audit(
        x, right_hand_side, diagonal, volume, scale, *_table(coefficient, region), neighbors, geometry
    ).sum(axis=0)


def clip_signals(x: Array) -> None:
    """Set negative values and -0 to 0, in place; NaN stays to be found."""
    _clip(x)
