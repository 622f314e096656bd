"""What must hold for a tissue, checked once when it is built or loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tissuesim.errors import InputError

if TYPE_CHECKING:
    from .tissue import Tissue

FACES = 6


def check_tissue(tissue: Tissue) -> None:
    """Raise InputError, naming the fault, unless shapes, values, neighbors and conductances are sound."""
    _check_shapes(tissue)
    _check_values(tissue)
    _check_faces(tissue)


def _fault(tissue: Tissue, what: str) -> InputError:
    return InputError(f"tissue '{tissue.name}': {what}")


def _check_shapes(tissue: Tissue) -> None:
    n = tissue.n
    if n == 0:
        raise _fault(tissue, "it has no voxel")
    expected = {
        "box_index": ((n,), np.int64),
        "neighbors": ((n, FACES), np.int32),
        "conductance": ((n, FACES), np.float64),
        "volume": ((n,), np.float64),
        "region": ((n,), np.uint8),
    }
    for key, (shape, kind) in expected.items():
        array = getattr(tissue, key)
        if array.shape != shape or array.dtype != kind:
            raise _fault(tissue, f"{key} is {array.dtype} {array.shape} instead of {np.dtype(kind)} {shape}")
    for name, values in tissue.maps.items():
        if values.shape != (n,) or values.dtype != np.float64:
            raise _fault(tissue, f"map '{name}' is {values.dtype} {values.shape} instead of float64 ({n},)")


def _check_values(tissue: Tissue) -> None:
    if not (np.isfinite(tissue.spacing) and tissue.spacing > 0):
        raise _fault(tissue, f"spacing {tissue.spacing} mm is not a positive length")
    if not (np.isfinite(tissue.volume).all() and (tissue.volume > 0).all()):
        raise _fault(tissue, "a voxel volume is not a positive number")
    if tissue.volume.max() > tissue.spacing**3 * (1 + 1e-12):
        raise _fault(tissue, "a voxel volume is larger than the voxel")
    if tissue.region.max() >= len(tissue.region_names):
        raise _fault(tissue, f"region number {tissue.region.max()} has no name")
    ordered = np.sort(tissue.box_index)
    if ordered[0] < 0 or ordered[-1] >= np.prod(tissue.shape) or (np.diff(ordered) == 0).any():
        raise _fault(tissue, "box_index leaves the box or repeats itself")
    for name, values in tissue.maps.items():
        if not np.isfinite(values).all():
            raise _fault(tissue, f"map '{name}' has a value that is not finite")


def _check_faces(tissue: Tissue) -> None:
    from .links import ASYMMETRIC, THROUGH_A_WALL, UNSEEN, find_fault

    if tissue.neighbors.min() < 0 or tissue.neighbors.max() >= tissue.n:
        raise _fault(tissue, "a neighbor index is out of range")
    if not (np.isfinite(tissue.conductance).all() and (tissue.conductance >= 0).all()):
        raise _fault(tissue, "a conductance is negative or not finite")
    fault, face = find_fault(tissue.neighbors, tissue.conductance)
    words = {
        THROUGH_A_WALL: f"face {face} conducts through a wall",
        UNSEEN: f"face {face} has a neighbor that does not see its neighbor",
        ASYMMETRIC: f"conductance of face {face} is not symmetric",
    }
    if fault in words:
        raise _fault(tissue, words[fault])
