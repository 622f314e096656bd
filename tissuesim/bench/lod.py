"""Signals solved line by line (LOD), of our own writing, to stand beside the sweeps in cost and error.

A locally one-dimensional step solves ``(1 - dt D d2/dx2 + dt k / 3) c' = c`` along x, then y, then z, each line by the
Thomas algorithm (N. N. Yanenko, "The Method of Fractional Steps", 1971). It needs no iteration, but the balance that it
settles to is not the balance of the equation: the error is of the order of the sub-step, and it stays.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

Array = Any


@dataclass(frozen=True)
class Decay:
    """``dc/dt = D lap c - k c + source`` on a closed cube, for one step: ``spread`` dt D / h^2 and ``loss`` dt k."""

    side: int
    fields: int
    spread: float
    loss: float


@njit(cache=True, error_model="numpy", parallel=True, nogil=True)
def _along_x(c: Array, upper: Array, inverse: Array, lower: Any) -> None:
    nz, ny, nx, fields = c.shape
    for line in prange(nz * ny):
        row = c[line // ny, line % ny]
        for s in range(fields):
            row[0, s] = row[0, s] * inverse[0]
        for x in range(1, nx):
            for s in range(fields):
                row[x, s] = (row[x, s] + lower * row[x - 1, s]) * inverse[x]
        for x in range(nx - 2, -1, -1):
            for s in range(fields):
                row[x, s] = row[x, s] + upper[x] * row[x + 1, s]


@njit(cache=True, error_model="numpy", parallel=True, nogil=True)
def _along_slowest(c: Array, upper: Array, inverse: Array, lower: Any) -> None:
    """Lines along the first axis of each (lines, length, row) block: whole rows at once."""
    blocks, length, row = c.shape
    for block in prange(blocks):
        part = c[block]
        for e in range(row):
            part[0, e] = part[0, e] * inverse[0]
        for i in range(1, length):
            for e in range(row):
                part[i, e] = (part[i, e] + lower * part[i - 1, e]) * inverse[i]
        for i in range(length - 2, -1, -1):
            for e in range(row):
                part[i, e] = part[i, e] + upper[i] * part[i + 1, e]


@njit(cache=True, error_model="numpy", parallel=True, nogil=True)
def _along_z(c: Array, upper: Array, inverse: Array, lower: Any) -> None:
    length, lines, row = c.shape
    for line in prange(lines):
        for e in range(row):
            c[0, line, e] = c[0, line, e] * inverse[0]
        for i in range(1, length):
            for e in range(row):
                c[i, line, e] = (c[i, line, e] + lower * c[i - 1, line, e]) * inverse[i]
        for i in range(length - 2, -1, -1):
            for e in range(row):
                c[i, line, e] = c[i, line, e] + upper[i] * c[i + 1, line, e]


@njit(cache=True, error_model="numpy", parallel=True, nogil=True)
def _add(c: Array, source: Array, share: Any) -> None:
    nz, ny, row = c.shape
    for line in prange(nz * ny):
        for e in range(row):
            c[line // ny, line % ny, e] = (
                c[line // ny, line % ny, e] + share * source[line // ny, line % ny, e]
            )


@dataclass(frozen=True)
class LineByLine:
    """The solver of one step in ``substeps`` parts; the factors of the lines are made once."""

    problem: Decay
    substeps: int
    real: type[np.floating[Any]] = np.float32

    def factors(self) -> tuple[NDArray[Any], NDArray[Any], Any]:
        """Thomas factors (upper, 1 / pivot) of a line with closed ends, and its constant lower neighbor."""
        spread = self.problem.spread / self.substeps
        loss = self.problem.loss / self.substeps / 3.0
        side = self.problem.side
        diagonal = np.full(side, 1.0 + loss + 2.0 * spread)
        diagonal[[0, -1]] -= spread
        upper, inverse = np.zeros(side), np.zeros(side)
        inverse[0] = 1.0 / diagonal[0]
        upper[0] = spread * inverse[0]
        for i in range(1, side):
            inverse[i] = 1.0 / (diagonal[i] - spread * upper[i - 1])
            upper[i] = spread * inverse[i]
        return upper.astype(self.real), inverse.astype(self.real), self.real(spread)

    def step(self, c: NDArray[Any], source: NDArray[Any], factors: tuple[Any, Any, Any]) -> None:
        """Advance ``c`` (z, y, x, S) by one step in place; ``source`` is dt times the source."""
        side, fields = self.problem.side, self.problem.fields
        share = self.real(1.0 / self.substeps)
        planes, columns = c.reshape(side, side, side * fields), source.reshape(side, side, side * fields)
        for _ in range(self.substeps):
            _add(planes, columns, share)
            _along_x(c, *factors)
            _along_slowest(planes, *factors)
            _along_z(planes, *factors)


def cosines(side: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Orthonormal eigenvectors (side, side), a column each, and eigenvalues (side,) of -d2/dx2 with closed ends."""
    mode = np.arange(side)
    vectors = np.cos(np.pi * np.outer(mode + 0.5, mode) / side) * np.sqrt(2.0 / side)
    vectors[:, 0] /= np.sqrt(2.0)
    return vectors, 2.0 - 2.0 * np.cos(np.pi * mode / side)


def exact(problem: Decay, first: NDArray[Any], source: NDArray[Any], steps: float) -> NDArray[np.float64]:
    """The field (z, y, x, S) after ``steps`` steps (inf: the balance), exact in time on the same voxels."""
    vectors, values = cosines(problem.side)
    along = values[:, None, None] + values[:, None] + values
    rate = (problem.spread * along + problem.loss)[..., None]

    def transform(field: NDArray[Any], matrix: NDArray[np.float64]) -> NDArray[np.float64]:
        result = field.astype(np.float64)
        for axis in range(3):
            result = np.moveaxis(np.tensordot(matrix, result, axes=(1, axis)), 0, axis)
        return result

    kept = np.exp(-rate * steps)
    modes = transform(first, vectors.T) * kept + transform(source, vectors.T) * (1.0 - kept) / rate
    return transform(modes, vectors)


@njit(cache=True, error_model="numpy", parallel=True, nogil=True)
def sum_rows(target: Array, a: Array, b: Array) -> None:
    """``target = a + b`` on all rows."""
    for i in prange(target.shape[0]):
        for s in range(target.shape[1]):
            target[i, s] = a[i, s] + b[i, s]
