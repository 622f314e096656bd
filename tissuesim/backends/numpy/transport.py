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

from tissuesim.codegen.instructions import FAINT

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
    diagonal: Reals,
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
    jacobi = total / diagonal
    new[...] = omega * (jacobi - new) + new


def signal_diagonal(
    diagonal: Reals, dt: float, coefficient: Reals, region: Regions, neighbors: Neighbors, geometry: Reals
) -> None:
    """Turn the loss [1/day] in ``diagonal (n, S)`` into ``1 + dt loss + sum_k coefficient geometry_k``, in place."""
    total = 1.0 + geometry.dtype.type(dt) * diagonal
    for k in range(6):
        total = total + _face(coefficient, region, neighbors, geometry, k)
    diagonal[...] = total


def clip_signals(x: Reals) -> None:
    """Set negative and faint values to 0, in place; NaN stays to be found."""
    x[x < FAINT] = 0.0


def diffuse_explicit(
    new: Reals, current: Reals, coefficient: Reals, region: Regions, neighbors: Neighbors, geometry: Reals
) -> None:
    """Write one explicit step, ``x_i + sum_k coefficient geometry_k (x_k - x_i)``."""
    total = current
    for k in range(6):
        face = _face(coefficient, region, neighbors, geometry, k)
        total = total + face * (current[neighbors[:, k]] - current)
    new[...] = total
