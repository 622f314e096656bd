"""What lies open at a tissue's surface: areas and conductances of outer faces, for conditions other than a wall.

The operators know walls only (no flux). A face at which molecules leave is a local loss, and a source where they
enter, so that ordinary processes of a model do the rest: with ``g`` from `open_face_conductance`,

    absorbing    loss D g c             the concentration at the face is 0
    fixed        loss D g c, source D g c_face
    exchange     loss k c, source k c_outside, with k = 1 / (1 / (D g) + 1 / (P s))

where s is `open_face_area` over volume [1/mm] and P a permeability [mm/day].
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from tissuesim.errors import InputError, nearest

from .graph import face_conductance
from .tissue import Tissue

DIRECTIONS = ("-x", "+x", "-y", "+y", "-z", "+z")  # of the faces, in the order of a tissue
_SMOOTHING = 2  # rounds of averaging of the tissue share whose slope is the normal


def open_face_area(
    tissue: Tissue, mask: NDArray[np.bool_], facing: Iterable[str] | None = None
) -> NDArray[np.float64]:
    """Return the area (n,) mm^2 of the outer surface in each voxel of ``mask``.

    A face is open as far as the neighbor behind it holds less tissue. Staircases of voxels have more area than the
    surface they stand for (a ball 1.5 times), so each open face counts with the cosine between it and the surface,
    whose normal is the slope of the smoothed tissue share. ``facing`` ('+z', ...) takes only faces that look there;
    these are flat cuts, as the sides of a patch, and count whole. InputError for a mesh of cells, a bad mask or
    direction.
    """
    if tissue.points is not None:
        raise InputError(f"tissue '{tissue.name}' is a mesh of cells; open faces are known for voxels only")
    if mask.shape != (tissue.n,) or mask.dtype != np.bool_:
        raise InputError(
            f"mask {mask.shape} of open faces is no boolean per voxel of '{tissue.name}' ({tissue.n})"
        )
    area = _open_faces(tissue)
    area = area * _cosines(tissue) if facing is None else area * _chosen(facing)
    pairs = area[:, ::2] + area[:, 1::2]  # opposite faces first, so that a mirrored tissue has the same bits
    return np.where(mask, pairs.sum(axis=1), 0.0)


def open_face_conductance(
    tissue: Tissue, mask: NDArray[np.bool_], facing: Iterable[str] | None = None
) -> NDArray[np.float64]:
    """Return (n,) open face area / (half a voxel x volume) [1/mm^2]: D times it is the loss rate to the face."""
    return open_face_area(tissue, mask, facing) / (0.5 * tissue.spacing * tissue.volume)


def _chosen(facing: Iterable[str]) -> NDArray[np.float64]:
    chosen = list(facing)
    for name in chosen:
        if name not in DIRECTIONS:
            raise InputError(
                f"'{name}' is no direction of a face{nearest(name, DIRECTIONS)}; there are {', '.join(DIRECTIONS)}"
            )
    return np.array([float(name in chosen) for name in DIRECTIONS])


def _open_faces(tissue: Tissue) -> NDArray[np.float64]:
    """Return (n, 6) mm^2: how much of each face's tissue ends there."""
    closed = face_conductance(tissue.fraction, tissue.neighbors, tissue.spacing) * tissue.spacing
    return np.asarray(np.maximum(tissue.fraction[:, None] * tissue.spacing**2 - closed, 0.0))


def _cosines(tissue: Tissue) -> NDArray[np.float64]:
    """Return (n, 6) cosines between each face's outward direction and the slope of the share at the face."""
    pad = _SMOOTHING + 2
    share = np.pad(tissue.scatter(tissue.fraction, 0.0), pad)
    for _ in range(_SMOOTHING):
        for axis in range(3):
            share = (2.0 * share + (np.roll(share, 1, axis) + np.roll(share, -1, axis))) / 4.0
    slope = [0.5 * (np.roll(share, 1, axis) - np.roll(share, -1, axis)) for axis in range(3)]
    inner = (slice(pad, -pad),) * 3
    cosines = np.empty((tissue.n, 6))
    for face in range(6):
        axis, step = (
            2 - face // 2,
            -1 if face % 2 else 1,
        )  # of the box (z, y, x); roll that fetches the neighbor
        down = share - np.roll(share, step, axis)
        beside = [0.5 * (part + np.roll(part, step, axis)) for k, part in enumerate(slope) if k != axis]
        length = np.sqrt(down**2 + beside[0] ** 2 + beside[1] ** 2)
        cosines[:, face] = tissue.gather((np.maximum(down, 0.0) / np.maximum(length, 1e-12))[inner])
    return cosines
