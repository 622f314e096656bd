"""Diffusion of signals on a graph of control volumes: the version written to be read.

Signals are rows ``(n, S)``; ``neighbors (n, 6)`` holds the voxel behind each face (-x +x -y +y -z +z),
itself where there is none; ``geometry (n, 6)`` is conductance / volume [1/mm^2], 0 at a wall. Sums over
faces go strictly left to right, so that the compiled backends give the same bits. ``coefficient`` is dt
times diffusivity [mm^2]: ``(S,)`` where each signal has one (``region`` is then ignored), or ``(R, R, S)``
per pair of regions (harmonic mean).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.floating[Any]]
Neighbors = NDArray[np.int32]
Regions = NDArray[np.uint8]


def _face(coefficient: Reals, region: Regions, neighbors: Neighbors, geometry: Reals, k: int) -> Reals:
    """Return coefficient x geometry of face k for every voxel and signal, ``(n, S)``."""
    if coefficient.ndim == 1:
        return coefficient * geometry[:, k, None]
    return coefficient[region, region[neighbors[:, k]]] * geometry[:, k, None]


def signal_sweep(
    new: Reals,
    current: Reals,
    right_hand_side: Reals,
    inverse_diagonal: Reals,
    omega: Reals,
    coefficient: Reals,
    region: Regions,
    neighbors: Neighbors,
    geometry: Reals,
) -> None:
    """Do one Chebyshev sweep of ``(diagonal - faces) x = b``: new is x_{k-1} on entry and x_{k+1} on exit.

    ``x_{k+1} = omega (jacobi(x_k) - x_{k-1}) + x_{k-1}``, ``jacobi(x) = (b + sum_k coefficient geometry_k
    x_k) / diagonal`` (Golub, Varga 1961). ``omega (S,)`` from ``numerics.chebyshev``; 1 makes a Jacobi
    sweep.
    """
    total = right_hand_side
    for k in range(6):
        total = total + _face(coefficient, region, neighbors, geometry, k) * current[neighbors[:, k]]
    jacobi = total * inverse_diagonal
    new[...] = omega * (jacobi - new) + new


def signal_diagonal(
    diagonal: Reals,
    inverse: Reals,
    loss: Reals,
    dt: float,
    coefficient: Reals,
    region: Regions,
    neighbors: Neighbors,
    geometry: Reals,
) -> None:
    """Write ``1 + dt loss + sum_k coefficient geometry_k`` and its inverse, both ``(n, S)``; loss [1/day]."""
    total = 1.0 + geometry.dtype.type(dt) * loss
    for k in range(6):
        total = total + _face(coefficient, region, neighbors, geometry, k)
    diagonal[...] = total
    inverse[...] = 1.0 / total


def _residual(
    x: Reals,
    right_hand_side: Reals,
    diagonal: Reals,
    coefficient: Reals,
    region: Regions,
    neighbors: Neighbors,
    geometry: Reals,
) -> Reals:
    total = right_hand_side
    for k in range(6):
        total = total + _face(coefficient, region, neighbors, geometry, k) * x[neighbors[:, k]]
    return np.asarray(total - diagonal * x)


def signal_residual(
    x: Reals,
    right_hand_side: Reals,
    diagonal: Reals,
    inverse_diagonal: Reals,
    coefficient: Reals,
    region: Regions,
    neighbors: Neighbors,
    geometry: Reals,
) -> tuple[Reals, Reals]:
    """Return, per signal, max |residual / diagonal| and max |x| over the voxels; NaN if any is NaN."""
    residual = _residual(x, right_hand_side, diagonal, coefficient, region, neighbors, geometry)
    return np.max(np.abs(residual * inverse_diagonal), axis=0), np.max(np.abs(x), axis=0)


def signal_audit(
    x: Reals,
    right_hand_side: Reals,
    diagonal: Reals,
    volume: NDArray[np.float64],
    scale: NDArray[np.float64],
    coefficient: Reals,
    region: Regions,
    neighbors: Neighbors,
    geometry: Reals,
) -> NDArray[np.int64]:
    """Return the sum over voxels of residual x volume per signal, in fixed point.

    Each voxel adds ``floor(residual volume scale + 1/2)``: whole numbers add up to the same in any order.
    ``scale (S,)`` is a power of two; the caller keeps ``|residual volume scale| n`` below 2^62 and finite.
    """
    residual = _residual(x, right_hand_side, diagonal, coefficient, region, neighbors, geometry)
    scaled = np.floor(residual.astype(np.float64) * volume[:, None] * scale + 0.5)
    return np.asarray(scaled.astype(np.int64).sum(axis=0))


def clip_signals(x: Reals) -> None:
    """Set negative values and -0 to 0, in place; NaN stays to be found."""
    x[x <= 0.0] = 0.0


def diffuse_explicit(
    new: Reals, current: Reals, coefficient: Reals, region: Regions, neighbors: Neighbors, geometry: Reals
) -> None:
    """Write one explicit step, ``x_i + sum_k coefficient geometry_k (x_k - x_i)``."""
    total = current
    for k in range(6):
        face = _face(coefficient, region, neighbors, geometry, k)
        total = total + face * (current[neighbors[:, k]] - current)
    new[...] = total
