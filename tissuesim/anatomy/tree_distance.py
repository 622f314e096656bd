"""Distances from lattice centers to the nearest branch of a tree, compiled: trees have thousands of branches.

A block of half diagonal h whose middle is c from the nearest branch needs only branches within c + 2 h of it, so blocks
of 16 voxels a side choose among all branches, and blocks of 4 among what is left. Exact; serial, so that the same
branches win on every machine.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numba import njit

Array: TypeAlias = Any  # to the compiler the annotations say nothing

_LARGE, _SMALL = 16, 4  # voxels per side


@njit(cache=True, error_model="numpy", nogil=True)
def least_distances(
    nearest: Array, z: Array, y: Array, x: Array, start: Array, way: Array, radius: Array, limit: float
) -> None:
    """Lower ``nearest`` (z, y, x), filled with the limit, to the distances; ``start``, ``way`` (m, 3) are z, y, x."""
    block = np.empty((_LARGE, _LARGE, _LARGE))
    for k in range(0, len(z), _LARGE):
        for j in range(0, len(y), _LARGE):
            for i in range(0, len(x), _LARGE):
                zs, ys, xs = z[k : k + _LARGE], y[j : j + _LARGE], x[i : i + _LARGE]
                if _fill(block, zs, ys, xs, start, way, radius, limit):
                    for a in range(len(zs)):
                        for b in range(len(ys)):
                            for c in range(len(xs)):
                                nearest[k + a, j + b, i + c] = min(block[a, b, c], limit)


@njit(cache=True, error_model="numpy", nogil=True)
def closer_than(
    inside: Array, z: Array, y: Array, x: Array, start: Array, way: Array, radius: Array, limit: float
) -> None:
    """Set ``inside`` (z, y, x), filled with False, where the distance is less than the limit."""
    block = np.empty((_LARGE, _LARGE, _LARGE))
    for k in range(0, len(z), _LARGE):
        for j in range(0, len(y), _LARGE):
            for i in range(0, len(x), _LARGE):
                zs, ys, xs = z[k : k + _LARGE], y[j : j + _LARGE], x[i : i + _LARGE]
                if _fill(block, zs, ys, xs, start, way, radius, limit):
                    for a in range(len(zs)):
                        for b in range(len(ys)):
                            for c in range(len(xs)):
                                inside[k + a, j + b, i + c] = block[a, b, c] < limit


@njit(cache=True, error_model="numpy", nogil=True)
def _fill(
    block: Array, z: Array, y: Array, x: Array, start: Array, way: Array, radius: Array, limit: float
) -> bool:
    """Fill a block with distances, infinity where they are beyond the limit; False where all are."""
    every = np.arange(len(radius))
    chosen = _needed(z, y, x, start, way, radius, every, limit)
    if len(chosen) == 0:
        return False
    block[:] = np.inf
    for k in range(0, len(z), _SMALL):
        for j in range(0, len(y), _SMALL):
            for i in range(0, len(x), _SMALL):
                zs, ys, xs = z[k : k + _SMALL], y[j : j + _SMALL], x[i : i + _SMALL]
                few = _needed(zs, ys, xs, start, way, radius, chosen, limit)
                for a in range(len(zs)):
                    for b in range(len(ys)):
                        for c in range(len(xs)):
                            least = np.inf
                            for row in few:
                                least = min(least, _distance(zs[a], ys[b], xs[c], start, way, radius, row))
                            block[k + a, j + b, i + c] = least
    return True


@njit(cache=True, error_model="numpy", nogil=True)
def _needed(
    z: Array, y: Array, x: Array, start: Array, way: Array, radius: Array, rows: Array, limit: float
) -> Array:
    """Return the branches that can be nearest to a voxel of the block and within the limit."""
    mz, my, mx = 0.5 * (z[0] + z[-1]), 0.5 * (y[0] + y[-1]), 0.5 * (x[0] + x[-1])
    half = 0.5 * np.sqrt((z[-1] - z[0]) ** 2 + (y[-1] - y[0]) ** 2 + (x[-1] - x[0]) ** 2)
    distance = np.empty(len(rows))
    least = np.inf
    for number, row in enumerate(rows):
        distance[number] = _distance(mz, my, mx, start, way, radius, row)
        least = min(least, distance[number])
    return rows[distance <= min(least + 2 * half, limit + half) + 1e-9]


@njit(cache=True, error_model="numpy", nogil=True, inline="always")
def _distance(z: float, y: float, x: float, start: Array, way: Array, radius: Array, row: int) -> float:
    """Return the distance (mm) of a place to the wall of a branch, negative in its lumen."""
    dz, dy, dx = z - start[row, 0], y - start[row, 1], x - start[row, 2]
    wz, wy, wx = way[row, 0], way[row, 1], way[row, 2]
    squared = wz * wz + wy * wy + wx * wx
    along = dz * wz + dy * wy + dx * wx
    along = min(max(along / squared if squared > 0 else 0.0, 0.0), 1.0)
    dz, dy, dx = dz - along * wz, dy - along * wy, dx - along * wx
    return float(np.sqrt(dz * dz + dy * dy + dx * dx) - radius[row])
