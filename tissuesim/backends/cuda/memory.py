"""How much memory a scenario takes on the device, told before the first array is made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from tissuesim.backends.cuda.device import device_name, free_memory
from tissuesim.errors import InputError

if TYPE_CHECKING:
    from tissuesim.codegen.plan import StepPlan
    from tissuesim.tissue import Tissue

FACES, REGION, INDEX = 6, 1, 4
PARTIAL_SUMS = 4
"""Bytes per voxel of sums on their way: 8 bytes a row and 256 voxels, about 100 rows."""

KEPT_FREE = 256 * 2**20
"""Bytes for the context of the driver, kernels and small tables."""

SHARE_KEPT_FREE = 1 / 16
"""Of what is free: results of recorded launches (about 2 bytes per voxel each), and gaps between the arrays of CuPy."""


def bytes_per_voxel(plan: StepPlan, real: type[np.floating[Any]]) -> int:
    """Device memory of one voxel: state, tables, workspace, and the copy on its way to the host."""
    organ, size = plan.organ, np.dtype(real).itemsize
    cell = 4 if plan.stochastic else 8
    state = size * (len(organ.signals) + len(organ.states)) + cell * len(organ.cells)
    tables = FACES * (4 + size) + REGION + INDEX + size + size * len(organ.maps)
    moving = 4 if plan.stochastic else size
    arena = max(2 * size * len(organ.signals), 8 * len(plan.entries), FACES * moving)
    spare = size * len(organ.signals)
    return 2 * state + tables + spare + arena + PARTIAL_SUMS


def require_memory(plan: StepPlan, tissues: Mapping[str, Tissue], real: type[np.floating[Any]]) -> None:
    """Refuse a scenario that does not fit.

    Raises:
        InputError: with the voxel size that would fit.
    """
    voxels = sum(tissue.n for tissue in tissues.values())
    each, free = bytes_per_voxel(plan, real), int((free_memory() - KEPT_FREE) * (1.0 - SHARE_KEPT_FREE))
    if voxels * each <= free:
        return
    largest = max(tissues, key=lambda name: tissues[name].n)
    spacing = tissues[largest].spacing
    # Voxels grow with the cube of the spacing; the surface makes it a little less, so 2 % are added.
    fits = spacing * (voxels * each / max(free, 1)) ** (1 / 3) * 1.02
    raise InputError(
        f"organs.{largest}.spacing: {voxels:,} voxels of {each} bytes need {voxels * each / 1e9:.1f} GB, and "
        f"{max(free, 0) / 1e9:.1f} GB are free on {device_name()}; {_rounded_up(fits):g} mm would fit"
    )


def _rounded_up(spacing: float) -> float:
    """Two digits, upwards."""
    step = 10.0 ** (np.floor(np.log10(spacing)) - 1)
    return float(np.ceil(spacing / step) * step)
