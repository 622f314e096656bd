"""The CUDA text of diffusion, compiled as C++, with the signatures of the other backends.

For tests: what holds here in every bit holds for the text that runs on the GPU.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

from tissuesim.backends.host.compile import call, load_kernels

Array: TypeAlias = Any
Scalar: TypeAlias = Any


def _diffusion(kernel: str, fields: Array, coefficient: Array, *arguments: Any) -> None:
    """Call a kernel of transport.cu; ``fields (n, S)`` gives the sizes."""
    regions = 1 if coefficient.ndim == 1 else len(coefficient)
    call(load_kernels("transport.cu", fields.dtype), kernel, fields.dtype, *fields.shape, regions, *arguments)


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
    _diffusion(
        "signal_sweep", new, coefficient, new, current, right_hand_side, inverse_diagonal, omega, coefficient,
        region, neighbors, geometry,
    )  # fmt: skip


def diffuse_explicit(
    new: Array, current: Array, coefficient: Array, region: Array, neighbors: Array, geometry: Array
) -> None:
    """Write one explicit diffusion step of all fields."""
    _diffusion("diffuse_explicit", new, coefficient, new, current, coefficient, region, neighbors, geometry)


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
    _diffusion(
        "signal_diagonal", loss, coefficient, diagonal, inverse, loss, float(dt), coefficient, region,
        neighbors, geometry,
    )  # fmt: skip


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
    """Return, per signal, max |residual / diagonal| and max |x| over the voxels."""
    left, size = np.zeros(x.shape[1], x.dtype), np.zeros(x.shape[1], x.dtype)
    _diffusion(
        "signal_residual", x, coefficient, left, size, x, right_hand_side, diagonal, inverse_diagonal,
        coefficient, region, neighbors, geometry,
    )  # fmt: skip
    return left, size


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
    total = np.zeros(x.shape[1], np.int64)
    _diffusion(
        "signal_audit", x, coefficient, total, x, right_hand_side, diagonal, volume, scale, coefficient,
        region, neighbors, geometry,
    )  # fmt: skip
    return total


def clip_signals(x: Array) -> None:
    """Set negative values and -0 to 0, in place."""
    call(load_kernels("transport.cu", x.dtype), "clip_signals", x.dtype, *x.shape, x)
