"""Lymphoid niche (tertiary lymphoid structure) sites: small balls along the corticomedullary border."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .distance import distance_to
from .lattice import Lattice
from .noise import random_words
from .organ import Atlas

SHARE = 0.04  # of the cortex volume; model.md 5.8 gives 3-5 %
RADIUS = 2.5  # mm
_BORDER = (0.5, 3.0)  # mm into the cortex from the medulla: where centers may lie
_APART = 2 * RADIUS
_STREAM = 2
_SAMPLES = 4  # per voxel side, at voxels that a ball touches


def niche_sites(atlas: Atlas, cortex: int, medulla: int, seed: int) -> NDArray[np.float64]:
    """Return the centers (s, 3) x, y, z in mm of balls that fill 4 % of the cortex, drawn by seed.

    Decided on the organ's atlas, so every voxel size sees the same places. Empty where there is no border.
    """
    spacing = atlas.lattice.spacing
    in_cortex = atlas.in_region(cortex)
    # only cells with medulla on all sides make a border: a speck of a cell or two is no pyramid
    core = distance_to(~atlas.in_region(medulla), spacing, limit=2 * spacing) > 1.01 * spacing
    distance = distance_to(core, spacing, limit=_BORDER[1] + 2 * spacing) - spacing
    candidates = np.argwhere(in_cortex & (distance >= _BORDER[0]) & (distance <= _BORDER[1]))
    order = np.argsort(random_words(seed, _STREAM, len(candidates)), kind="stable")
    points = (candidates[order][:, ::-1] + 0.5) * spacing + np.asarray(atlas.lattice.origin)
    target = SHARE * np.count_nonzero(in_cortex) * spacing**3
    sites: list[NDArray[np.float64]] = []
    filled = 0.0
    while len(points) and filled < target:
        site = points[0]
        sites.append(site)
        filled += _volume_in(in_cortex, atlas.lattice, site)
        points = points[np.square(points - site).sum(axis=1) > _APART**2]
    return np.array(sites).reshape(-1, 3)


def niche_map(
    lattice: Lattice, region: NDArray[np.uint8], cortex: int, sites: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the dense map (z, y, x): the share of each cortical voxel that lies in a ball, 0 elsewhere."""
    covered = np.zeros(lattice.shape)
    for site in sites:
        window = _window(lattice, site)
        if any(part.stop <= part.start for part in window):
            continue
        covered[window] += _ball_share(lattice, window, site)  # balls are disjoint
    return np.where(region == cortex, np.minimum(covered, 1.0), 0.0)


def _window(lattice: Lattice, site: NDArray[np.float64]) -> tuple[slice, slice, slice]:
    """Return the cells a ball can touch."""
    low = np.floor((site - RADIUS - lattice.origin) / lattice.spacing).astype(int)[::-1]
    high = np.ceil((site + RADIUS - lattice.origin) / lattice.spacing).astype(int)[::-1]
    z, y, x = (slice(max(a, 0), min(b, n)) for a, b, n in zip(low, high, lattice.shape, strict=True))
    return z, y, x


def _ball_share(
    lattice: Lattice, window: tuple[slice, slice, slice], site: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the share of each cell of the window that lies in the ball, by samples."""
    step = lattice.spacing / _SAMPLES
    squares = [
        np.square(
            lattice.origin[2 - k]
            + (np.arange(part.start * _SAMPLES, part.stop * _SAMPLES) + 0.5) * step
            - site[2 - k]
        )
        for k, part in enumerate(window)
    ]
    ball = squares[0][:, None, None] + squares[1][None, :, None] + squares[2] < RADIUS**2
    shape = [size for part in window for size in (part.stop - part.start, _SAMPLES)]
    return np.asarray(ball.reshape(shape).mean(axis=(1, 3, 5)))


def _volume_in(mask: NDArray[np.bool_], lattice: Lattice, site: NDArray[np.float64]) -> float:
    window = _window(lattice, site)
    return float((_ball_share(lattice, window, site) * mask[window]).sum()) * lattice.spacing**3
