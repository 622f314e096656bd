"""Control-volume graph of an organ from dense tissue fractions and region labels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tissuesim.errors import InputError

from .order import pencil_order
from .tissue import Tissue

SMALLEST_FRACTION = 1e-3  # voxels with less tissue than this are dropped; what they held is reported


def build_graph(
    name: str,
    fraction: NDArray[np.floating[Any]],
    region: NDArray[np.integer[Any]],
    spacing: float,
    origin: tuple[float, float, float] = (0.0, 0.0, 0.0),
    region_names: tuple[str, ...] = ("tissue",),
    maps: Mapping[str, NDArray[np.floating[Any]]] | None = None,
    report: Mapping[str, object] | None = None,
) -> Tissue:
    """Return the checked tissue of the voxels with fraction >= 1e-3, stored in pencils.

    ``fraction`` (z, y, x) is the share of each voxel that is tissue, 0 to 1; ``region`` (z, y, x) its region
    number; ``maps`` dense arrays, read only inside the organ; ``origin`` (x, y, z) the corner of the box, mm.
    The report gains voxel and component counts and volumes. InputError if nothing is left or a value is bad.
    """
    fraction = np.asarray(fraction, dtype=np.float64)
    if fraction.ndim != 3 or fraction.shape != region.shape:
        raise InputError(
            f"tissue '{name}': fraction {fraction.shape} and region {region.shape} must be one 3D box"
        )
    if not (
        np.isfinite(fraction).all() and fraction.min(initial=0) >= 0 and fraction.max(initial=0) <= 1 + 1e-9
    ):
        raise InputError(f"tissue '{name}': tissue fractions must be finite and between 0 and 1")
    shape = (fraction.shape[0], fraction.shape[1], fraction.shape[2])
    box_index = np.flatnonzero(fraction.reshape(-1) >= SMALLEST_FRACTION).astype(np.int64)
    if box_index.size == 0:
        raise InputError(f"tissue '{name}': no voxel of {spacing:g} mm holds tissue; use a smaller spacing")
    box_index = box_index[pencil_order(box_index, shape)]
    kept = np.minimum(fraction.reshape(-1)[box_index], 1.0)
    neighbors = find_neighbors(box_index, shape)
    conductance = face_conductance(kept, neighbors, spacing)
    component = connected_components(neighbors)
    volume = kept * float(spacing) ** 3
    tissue = Tissue(
        name=name,
        spacing=float(spacing),
        shape=shape,
        origin=(float(origin[0]), float(origin[1]), float(origin[2])),
        box_index=box_index,
        neighbors=neighbors,
        conductance=conductance,
        volume=volume,
        region=region.reshape(-1)[box_index].astype(np.uint8),
        region_names=tuple(region_names),
        maps={
            key: np.asarray(dense.reshape(-1)[box_index], dtype=np.float64)
            for key, dense in (maps or {}).items()
        },
        report={
            **(report or {}),
            "voxels": int(box_index.size),
            **_count_volume(fraction, volume, spacing),
            **_count_components(component, volume),
        },
    )
    tissue.check()
    tissue.report["region_volumes_ml"] = {key: value / 1000 for key, value in tissue.region_volumes().items()}
    return tissue


def box_tissue(
    shape: tuple[int, int, int],
    spacing: float,
    name: str = "box",
    region_names: tuple[str, ...] = ("tissue",),
) -> Tissue:
    """Return a full box of (z, y, x) voxels in one region: the plain domain of tests and closed solutions."""
    return build_graph(name, np.ones(shape), np.zeros(shape, np.uint8), spacing, region_names=region_names)


def find_neighbors(box_index: NDArray[np.int64], shape: tuple[int, int, int]) -> NDArray[np.int32]:
    """Return (n, 6): the voxel through each face -x +x -y +y -z +z, itself where there is none."""
    from .links import number_neighbors  # compiled: not for those who only read a tissue

    return np.asarray(number_neighbors(box_index, *shape))


def face_conductance(
    fraction: NDArray[np.float64], neighbors: NDArray[np.int32], spacing: float
) -> NDArray[np.float64]:
    """Return (n, 6) face area / center distance in mm: min(fraction_i, fraction_j) h^2 / h, 0 at walls.

    The smaller fraction is taken so that slivers at the surface drive neither spectral radius nor step.
    """
    from .links import shared_faces

    return np.asarray(shared_faces(fraction, neighbors, float(spacing)))


def connected_components(neighbors: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return (n,) the smallest voxel number of each voxel's connected component (through faces)."""
    from .links import smallest_linked

    return np.asarray(smallest_linked(neighbors))


def _count_volume(
    fraction: NDArray[np.floating[Any]], volume: NDArray[np.float64], spacing: float
) -> dict[str, object]:
    kept, total = float(volume.sum()), float(fraction.sum()) * float(spacing) ** 3
    return {"volume_ml": kept / 1000, "dropped_volume_ml": max(total - kept, 0.0) / 1000}


def _count_components(component: NDArray[np.int32], volume: NDArray[np.float64]) -> dict[str, object]:
    volumes = np.bincount(component, weights=volume)
    volumes = volumes[volumes > 0]
    return {
        "components": int(volumes.size),
        "loose_volume_ml": float(volumes.sum() - volumes.max()) / 1000,
    }
