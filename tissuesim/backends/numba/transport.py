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

from tissuesim.codegen.instructions import FAINT

Array: TypeAlias = Any
Scalar: TypeAlias = Any
Kernel: TypeAlias = Callable[..., Any]

PLACE = np.uint32  # unsigned: no code for negative indices, a third faster
ZERO, ONE, SMALLEST = np.float32(0.0), np.float32(1.0), np.float32(FAINT)
# LLVM unrolls loops of up to 8 between constants and then no longer vectorises them (three times slower). Short
# loops over fields therefore start at an argument that is always 0, which the compiler cannot know.
UNROLLED = 8
FIRST = np.uint8(0)


@cache
def _sweep_uniform(fields: int) -> Kernel:
    short = fields <= UNROLLED

    @njit(cache=True, error_model="numpy", parallel=True, nogil=True)
    def sweep(
        new: Array, x: Array, b: Array, diagonal: Array, omega: Array, coefficient: Array, neighbors: Array,
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
                new[i, s] = omega[s] * (total / diagonal[i, s] - old) + old

    return sweep


@cache
def _sweep_regions(fields: int) -> Kernel:
    short = fields <= UNROLLED

    @njit(cache=True, error_model="numpy", parallel=True, nogil=True)
    def sweep(
        new: Array, x: Array, b: Array, diagonal: Array, omega: Array, table: Array, region: Array,
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
                new[i, s] = omega[s] * (total / diagonal[i, s] - old) + old

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


@cache
def _diagonal(fields: int) -> Kernel:
    short = fields <= UNROLLED

    @njit(cache=True, error_model="numpy", parallel=True, nogil=True)
    def finish(
        diagonal: Array,
        dt: Scalar,
        table: Array,
        region: Array,
        neighbors: Array,
        geometry: Array,
        first: int,
    ) -> None:
        for i in prange(neighbors.shape[0]):
            g0, g1, g2 = geometry[i, 0], geometry[i, 1], geometry[i, 2]
            g3, g4, g5 = geometry[i, 3], geometry[i, 4], geometry[i, 5]
            r = region[i]
            r0, r1, r2 = region[neighbors[i, 0]], region[neighbors[i, 1]], region[neighbors[i, 2]]
            r3, r4, r5 = region[neighbors[i, 3]], region[neighbors[i, 4]], region[neighbors[i, 5]]
            for s in range(first if short else 0, fields):
                total = ONE + dt * diagonal[i, s]
                total = total + table[r, r0, s] * g0
                total = total + table[r, r1, s] * g1
                total = total + table[r, r2, s] * g2
                total = total + table[r, r3, s] * g3
                total = total + table[r, r4, s] * g4
                total = total + table[r, r5, s] * g5
                diagonal[i, s] = total

    return finish


@njit(cache=True, error_model="numpy", parallel=True, nogil=True)
def _clip(x: Array) -> None:
    for i in prange(x.shape[0]):
        for s in range(x.shape[1]):
            if x[i, s] < SMALLEST:
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
    diagonal: Array,
    omega: Array,
    coefficient: Array,
    region: Array,
    neighbors: Array,
    geometry: Array,
) -> None:
    """Do one Chebyshev sweep: new is x_{k-1} on entry and x_{k+1} on exit."""
    arrays = (new, current, right_hand_side, diagonal, omega, coefficient)
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
    diagonal: Array, dt: Scalar, coefficient: Array, region: Array, neighbors: Array, geometry: Array
) -> None:
    """Turn the loss in ``diagonal`` into ``1 + dt loss + sum_k coefficient geometry_k``, in place."""
    table, rows = _table(coefficient, region)
    scaled = geometry.dtype.type(dt)
    _diagonal(diagonal.shape[1])(diagonal, scaled, table, rows, neighbors, geometry, FIRST)


def clip_signals(x: Array) -> None:
    """Set negative and faint values to 0, in place; NaN stays to be found."""
    _clip(x)
