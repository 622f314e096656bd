"""Partial volumes: an organ sampled 4 x 4 x 4 times per voxel, its dominant region by vote."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .lattice import Lattice
from .organ import Atlas, Organ

SUPERSAMPLING = 4  # samples per voxel side for the tissue fraction


@dataclass(frozen=True)
class Voxels:
    """Dense (z, y, x) tissue fraction (0 to 1) and dominant region number on a lattice."""

    lattice: Lattice
    fraction: NDArray[np.float64]
    region: NDArray[np.uint8]


def block_mean(fine: NDArray[np.bool_], times: int) -> NDArray[np.float64]:
    """Return the share of true samples in each block of ``times``^3."""
    kind = np.dtype(np.uint8 if times**3 < 256 else np.uint32)
    counts = _over_blocks(fine.view(np.uint8).astype(kind, copy=False), times, np.add)
    return np.asarray(counts / float(times**3))


def _over_blocks(fine: NDArray[Any], times: int, join: np.ufunc) -> NDArray[Any]:
    """Return the join (add, minimum, ...) of the samples of each block of ``times``^3.

    One axis after the other, whole planes at a time: bytes side by side are joined many at once.
    """
    for axis in range(3):
        planes = [fine[(slice(None),) * axis + (slice(first, None, times),)] for first in range(times)]
        fine = planes[0].copy()
        for plane in planes[1:]:
            join(fine, plane, out=fine)
    return fine


def voxelize(organ: Organ, atlas: Atlas, spacing: float) -> Voxels:
    """Return the organ's fractions and dominant regions in voxels of ``spacing`` mm."""
    lattice = Lattice.covering(organ.lower, organ.upper, spacing)
    fraction = np.zeros(lattice.shape)
    region = np.zeros(lattice.shape, dtype=np.uint8)
    samples = organ.region_samples or _odd_samples(spacing, atlas.lattice.spacing)
    for layers, slab in lattice.slabs(SUPERSAMPLING):
        fraction[layers] = block_mean(organ.inside(slab.refined(SUPERSAMPLING)), SUPERSAMPLING)
        region[layers] = _vote(organ, atlas, slab, samples)
    return Voxels(lattice, fraction, region)


def _odd_samples(spacing: float, atlas_spacing: float) -> int:
    """Return samples per voxel side: about one per atlas cell, odd because even blocks tie."""
    cells = spacing / atlas_spacing
    return 1 if cells < 0.75 else min(2 * ceil(cells / 2 - 1e-6) + 1, 5)


def _vote(organ: Organ, atlas: Atlas, slab: Lattice, samples: int) -> NDArray[np.uint8]:
    """Return the region that holds most of each voxel's samples, inside ones counting before outside ones.

    Voxels whose samples all lie in one region need no count; of equals the region named first wins.
    """
    if len(organ.region_names) == 1:
        return np.zeros(slab.shape, dtype=np.uint8)
    fine = slab.refined(samples)
    depth = atlas.depth.on(fine) if organ.regions_need_depth else np.zeros((1, 1, 1))
    region = organ.region_at(fine, depth)
    if samples == 1:
        return region
    winner = _over_blocks(region, samples, np.minimum)
    mixed = winner != _over_blocks(region, samples, np.maximum)
    voxels = np.argwhere(mixed)
    if len(voxels):
        inside = organ.inside(fine)
        number = np.repeat(np.arange(len(voxels)), samples**3)
        places = tuple(
            (voxels[:, None] * samples + np.argwhere(np.ones((samples,) * 3))[None]).reshape(-1, 3).T
        )
        size = len(organ.region_names)
        ballot = number * size + region[places]
        votes, every = (
            np.bincount(ballot[chosen], minlength=len(voxels) * size).reshape(-1, size) / float(samples**3)
            for chosen in (inside[places], slice(None))
        )
        winner[mixed] = np.argmax(votes + 1e-3 * every, axis=1)
    return winner
