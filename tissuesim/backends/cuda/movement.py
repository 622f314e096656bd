"""Movement of cells on the device; formulas and shapes in ``backends/numpy/movement.py``."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

from tissuesim.backends.cuda.launch import blocks, kernel, launch
from tissuesim.backends.cuda.sums import Partials

Array: TypeAlias = Any
Scalar: TypeAlias = Any


def _hazard_arguments(
    motility: Array,
    chemotaxis: Scalar,
    signals: Array,
    attractant: int,
    half_saturation: Scalar,
    region: Array,
    neighbors: Array,
    geometry: Array,
) -> tuple[Any, ...]:
    """What ``movement_hazard`` of movement.cu takes; without chemotaxis the attractant is not read."""
    real = geometry.dtype.type
    followed = signals[attractant] if chemotaxis != 0.0 else geometry
    return (motility, real(chemotaxis), followed, real(half_saturation), region, neighbors, geometry)


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
    """Write the cells that leave through each face in a step."""
    real, n = geometry.dtype, region.size
    hazard = _hazard_arguments(
        motility, chemotaxis, signals, attractant, half_saturation, region, neighbors, geometry
    )
    launch(
        kernel("movement.cu", "movement_outflow_deterministic", real), (blocks(n),), n, int(motility.shape[0]),
        outflow, cells[column], real.type(dt), *hazard,
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
    """Write the whole number of cells that leave through each face."""
    real, n = geometry.dtype, region.size
    hazard = _hazard_arguments(
        motility, chemotaxis, signals, attractant, half_saturation, region, neighbors, geometry
    )
    words = (operator << 24 | species << 16, tick & 0xFFFFFFFF, substep << 8, k0, k1)
    launch(
        kernel("movement.cu", "movement_outflow_stochastic", real), (blocks(n),), n, int(motility.shape[0]),
        outflow, cells[column], real.type(dt), *hazard, box_index, *(np.uint32(word) for word in words),
    )  # fmt: skip


def movement_gather(cells: Array, column: int, outflow: Array, neighbors: Array) -> None:
    """Take what left and add what arrived, in place: whole numbers exactly, real ones left to right."""
    whole = np.issubdtype(outflow.dtype, np.integer)
    n = int(cells.shape[1])
    real = np.dtype(np.float32) if whole else outflow.dtype
    name = "movement_gather_stochastic" if whole else "movement_gather_deterministic"
    launch(kernel("movement.cu", name, real), (blocks(n),), n, cells[column], outflow, neighbors)


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
    """Return the largest hazard of leaving a voxel [1/day]; NaN if any is NaN."""
    n = region.size
    partials = Partials(1, 0, n)
    hazard = _hazard_arguments(
        motility, chemotaxis, signals, attractant, half_saturation, region, neighbors, geometry
    )
    launch(
        kernel("movement.cu", "largest_movement_hazard", geometry.dtype), (blocks(n),), n, int(motility.shape[0]),
        partials.array, *hazard,
    )  # fmt: skip
    return float(partials.join().values()[0])
