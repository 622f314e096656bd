"""How much of each region is thinner than two voxels, measured on the shape itself."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .distance import distance_to
from .lattice import Lattice
from .organ import Organ, make_atlas

_CELLS = 6_000_000  # of the finest lattice this is measured on


def thin_shares(organ: Organ, spacing: float) -> dict[str, float]:
    """Return the share of each region that no ball of two voxels across (``spacing`` mm) inside the region covers.

    A plate of less than two voxels is thin as a whole; of a thick body only sharp corners are. Measured on cells of
    half a voxel, or larger ones in organs of more than six million such cells. 1 for a region without any cell.
    """
    atlas = make_atlas(organ)
    coarse = Lattice.of_cells(organ.lower, organ.upper, _CELLS).spacing
    lattice = Lattice.covering(organ.lower, organ.upper, max(spacing / 2, coarse)).padded(1)
    inside = organ.inside(lattice)
    region = organ.region_at(lattice, atlas.depth.on(lattice))
    return {
        name: _thin_share(_cropped(inside & (region == number)), lattice.spacing, spacing)
        for number, name in enumerate(organ.region_names)
    }


def _cropped(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the mask within its bounding box and one layer of nothing around it."""
    for axis in range(3):
        used = np.flatnonzero(mask.any(axis=tuple(k for k in range(3) if k != axis)))
        if not len(used):
            return np.zeros((1, 1, 1), dtype=np.bool_)
        mask = mask.take(range(used[0], used[-1] + 1), axis)
    return np.pad(mask, 1)


def _thin_share(mask: NDArray[np.bool_], cell: float, radius: float) -> float:
    if not mask.any():
        return 1.0
    # a center lies half a cell before the surface that parts it from the next one
    core = distance_to(~mask, cell, limit=radius + 2 * cell) >= radius + 0.5 * cell - 0.25 * cell
    if not core.any():
        return 1.0
    near = distance_to(core, cell, limit=radius + 2 * cell) <= radius + 0.25 * cell
    return float(1 - np.count_nonzero(mask & near) / np.count_nonzero(mask))
