"""Distances on a lattice with NumPy alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def distance_to(mask: NDArray[np.bool_], spacing: float, limit: float = np.inf) -> NDArray[np.float64]:
    """Return the distance (mm) of every cell center to the nearest center in ``mask``, at most ``limit``.

    Exact Euclidean distance, one axis at a time (Felzenszwalb and Huttenlocher 2012):
    D_axis(i) = min_k [ D_before(i + k) + k^2 ], k growing until k^2 can improve nothing.
    """
    far = min(limit / spacing, float(np.sqrt(sum(size**2 for size in mask.shape)))) + 1.0
    squared = np.where(mask, 0.0, far**2).astype(np.float32)
    for axis in sorted(range(mask.ndim), key=lambda k: mask.shape[k]):
        before = np.moveaxis(squared, axis, 0)
        nearest, shifted = before.copy(), np.empty_like(before)
        for step in range(1, before.shape[0]):
            if step % 4 == 1 and step**2 >= nearest.max():
                break
            np.add(before, np.float32(step**2), out=shifted)
            np.minimum(nearest[:-step], shifted[step:], out=nearest[:-step])
            np.minimum(nearest[step:], shifted[:-step], out=nearest[step:])
        squared = np.moveaxis(nearest, 0, axis)
    return np.minimum(np.sqrt(squared.astype(np.float64)) * spacing, limit)


def depth_below_surface(inside: NDArray[np.bool_], spacing: float) -> NDArray[np.float64]:
    """Return the depth (mm) of every cell center below the surface of ``inside``, 0 outside.

    The surface lies on average half a cell before the nearest outside center, hence the half cell taken off.
    """
    padded = np.pad(~inside, 1, constant_values=True)
    distance = distance_to(padded, spacing)[1:-1, 1:-1, 1:-1]
    return np.maximum(distance - 0.5 * spacing, 0.0)
