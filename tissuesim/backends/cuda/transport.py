"""Diffusion of signals on the device; formulas and shapes in ``backends/numpy/transport.py``.

Rows lie as columns here, ``(S, n)``.
"""

from __future__ import annotations

from functools import cache
from typing import Any, TypeAlias

from tissuesim.backends.cuda.device import resident_threads
from tissuesim.backends.cuda.launch import blocks, kernel, launch

Array: TypeAlias = Any
Scalar: TypeAlias = Any


@cache
def _groups(n: int, fields: int) -> int:
    """Groups of fields: a small organ gives its fields to more threads, so that the device is full."""
    return max(min(-(-resident_threads() // n), fields), 1)


def _diffuse(name: str, fields: Array, coefficient: Array, *arguments: Any) -> None:
    count, n = fields.shape
    regions = 1 if coefficient.ndim == 1 else int(coefficient.shape[0])
    groups = _groups(n, count)
    function = kernel("transport.cu", name, fields.dtype)
    launch(function, (blocks(n), groups), n, count, regions, -(-count // groups), *arguments)


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
    _diffuse(
        "signal_sweep", new, coefficient, new, current, right_hand_side, diagonal, omega, coefficient, region,
        neighbors, geometry,
    )  # fmt: skip


def diffuse_explicit(
    new: Array, current: Array, coefficient: Array, region: Array, neighbors: Array, geometry: Array
) -> None:
    """Write one explicit diffusion step of all fields."""
    _diffuse("diffuse_explicit", new, coefficient, new, current, coefficient, region, neighbors, geometry)


def signal_diagonal(
    diagonal: Array, dt: Scalar, coefficient: Array, region: Array, neighbors: Array, geometry: Array
) -> None:
    """Turn the loss in ``diagonal`` into ``1 + dt loss + sum_k coefficient geometry_k``, in place."""
    _diffuse(
        "signal_diagonal", diagonal, coefficient, diagonal, geometry.dtype.type(dt), coefficient, region, neighbors,
        geometry,
    )  # fmt: skip


def clip_signals(x: Array) -> None:
    """Set negative values and -0 to 0, in place; NaN stays to be found."""
    launch(kernel("transport.cu", "clip_signals", x.dtype), (blocks(x.size),), int(x.size), x)
