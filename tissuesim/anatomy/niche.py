"""Lymphoid niche (tertiary lymphoid structure) sites: small balls, in a kidney along the corticomedullary border."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .distance import distance_to
from .lattice import Lattice
from .noise import random_words
from .organ import Atlas

SHARE = 0.04  # of the volume of the regions; model.md 5.8 gives 3-5 % of the cortex
_BORDER = (0.5, 3.0)  # mm from the border region: where centers may lie
_STREAM = 2
_SAMPLES = 4  # per voxel side, at voxels that a ball touches


def niche_sites(
    atlas: Atlas, regions: Sequence[int], border: int | None, radius: float, seed: int
) -> NDArray[np.float64]:
    """Return the centers (s, 3) x, y, z in mm of balls that fill 4 % of some regions, drawn by seed.

    Decided on the organ's atlas, so every voxel size sees the same places. With a ``border`` region, centers lie 0.5
    to 3 mm from it; empty where there is none.
    """
    spacing = atlas.lattice.spacing
    home = atlas.in_regions(regions)
    allowed = home
    if border is not None:
        # only cells with the other region on all sides make a border: a speck of a cell or two is no pyramid
        core = distance_to(~atlas.in_regions([border]), spacing, limit=2 * spacing) > 1.01 * spacing
        distance = distance_to(core, spacing, limit=_BORDER[1] + 2 * spacing) - spacing
        allowed = home & (distance >= _BORDER[0]) & (distance <= _BORDER[1])
    candidates = np.argwhere(allowed)
    order = np.argsort(random_words(seed, _STREAM, len(candidates)), kind="stable")
    points = (candidates[order][:, ::-1] + 0.5) * spacing + np.asarray(atlas.lattice.origin)
    target = SHARE * np.count_nonzero(home) * spacing**3
    sites: list[NDArray[np.float64]] = []
    filled = 0.0
    while len(points) and filled < target:
        site = points[0]
        sites.append(site)
        filled += _volume_in(home, atlas.lattice, site, radius)
        points = points[np.square(points - site).sum(axis=1) > (2 * radius) ** 2]
    return np.array(sites).reshape(-1, 3)


def niche_map(
    lattice: Lattice,
    region: NDArray[np.uint8],
    regions: Sequence[int],
    sites: NDArray[np.float64],
    radius: float,
) -> NDArray[np.float64]:
    """Return the dense map (z, y, x): the share of each voxel of the regions that lies in a ball, 0 elsewhere."""
    covered = np.zeros(lattice.shape)
    for site in sites:
        window = _window(lattice, site, radius)
        if any(part.stop <= part.start for part in window):
            continue
        covered[window] += _ball_share(lattice, window, site, radius)  # balls are disjoint
    return np.where(np.isin(region, regions), np.minimum(covered, 1.0), 0.0)


def _window(lattice: Lattice, site: NDArray[np.float64], radius: float) -> tuple[slice, slice, slice]:
    """Return the cells a ball can touch."""
    low = np.floor((site - radius - lattice.origin) / lattice.spacing).astype(int)[::-1]
    high = np.ceil((site + radius - lattice.origin) / lattice.spacing).astype(int)[::-1]
    z, y, x = (slice(max(a, 0), min(b, n)) for a, b, n in zip(low, high, lattice.shape, strict=True))
    return z, y, x


def _ball_share(
    lattice: Lattice, window: tuple[slice, slice, slice], site: NDArray[np.float64], radius: float
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
    ball = squares[0][:, None, None] + squares[1][None, :, None] + squares[2] < radius**2
    shape = [size for part in window for size in (part.stop - part.start, _SAMPLES)]
    return np.asarray(ball.reshape(shape).mean(axis=(1, 3, 5)))


def _volume_in(mask: NDArray[np.bool_], lattice: Lattice, site: NDArray[np.float64], radius: float) -> float:
    window = _window(lattice, site, radius)
    return float((_ball_share(lattice, window, site, radius) * mask[window]).sum()) * lattice.spacing**3
