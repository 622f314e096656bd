"""The CUDA text of movement, compiled as C++, with the signatures of the other backends."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

from tissuesim.backends.host.compile import call, load_kernels

Array: TypeAlias = Any
Scalar: TypeAlias = Any


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
    real = geometry.dtype
    call(
        load_kernels("movement.cu", real), "movement_outflow_deterministic", real,
        *cells.shape, signals.shape[1], len(motility), outflow, cells, int(column), float(dt), motility,
        float(chemotaxis), signals, int(attractant), float(half_saturation), region, neighbors, geometry,
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
    real = geometry.dtype
    words = np.array([operator << 24 | species << 16, tick, substep << 8, k0, k1]).astype(np.uint32)
    call(
        load_kernels("movement.cu", real), "movement_outflow_stochastic", real,
        *cells.shape, signals.shape[1], len(motility), outflow, cells, int(column), float(dt), motility,
        float(chemotaxis), signals, int(attractant), float(half_saturation), region, neighbors, geometry,
        box_index, *words,
    )  # fmt: skip


def movement_gather(cells: Array, column: int, outflow: Array, neighbors: Array) -> None:
    """Take what left and add what arrived, in place: whole numbers exactly, real ones left to right."""
    kernel = "movement_gather_counts" if np.issubdtype(outflow.dtype, np.integer) else "movement_gather"
    library = load_kernels("movement.cu", cells.dtype)
    call(library, kernel, cells.dtype, *cells.shape, cells, int(column), outflow, neighbors)


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
    """Return the largest hazard of leaving a voxel [1/day]."""
    real = geometry.dtype
    largest = np.zeros(1, real)
    call(
        load_kernels("movement.cu", real), "largest_movement_hazard", real,
        *signals.shape, len(motility), largest, motility, float(chemotaxis), signals, int(attractant),
        float(half_saturation), region, neighbors, geometry,
    )  # fmt: skip
    return float(largest[0])
