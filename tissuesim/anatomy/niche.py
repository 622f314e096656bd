"""Lymphoid niche (tertiary lymphoid structure) sites: small balls, in a kidney along the corticomedullary border."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from .distance import distance_to
from .lattice import Lattice
from .noise import random_words
from .organ import Atlas, Organ
from .voxelize import Voxels

SHARE = 0.04  # of the volume of the regions; model.md 5.8 gives 3-5 % of the cortex
_BORDER = (0.5, 3.0)  # mm from the border region: where centers may lie
_STREAM = 2
_DECIMALS = 9
_SAMPLES = 4  # per voxel side, at voxels that a ball touches


def niches_of(
    organ: Organ,
    atlas: Atlas,
    voxels: Voxels,
    seed: int,
    shares: Mapping[str, float] | None = None,
) -> tuple[NDArray[np.float64], int]:
    """Return the dense map (z, y, x) of niche sites and their number.

    ``shares`` say which part of each region may bear niches; regions of one share are filled together, and where voxels
    cut balls in thin regions short the map is raised until the volume is that of the share. Without ``shares``
    4 % of the organ's own niche regions, or all of them where the niche is a part of the geometry (no radius). There
    a share is spread evenly over its region.
    """
    names, lattice, region = organ.region_names, voxels.lattice, voxels.region
    given = shares is not None
    if shares is None:
        own = [name for name in organ.niche_regions if name in names]
        shares = dict.fromkeys(own, SHARE if organ.niche_radius is not None else 1.0)
    covered, count = np.zeros(lattice.shape), 0
    border = names.index(organ.niche_border) if organ.niche_border in names else None
    for share in sorted({value for name, value in shares.items() if value > 0 and name in names}):
        regions = [names.index(name) for name, value in shares.items() if value == share and name in names]
        if organ.niche_radius is None:
            covered[_belongs(region, regions)] = share
            continue
        bordered = border if all(names[number] in organ.niche_regions for number in regions) else None
        radius = _radius_that_fits(atlas, regions, organ.niche_radius, share)
        sites = niche_sites(atlas, regions, bordered, radius, seed, share)
        balls = niche_map(lattice, region, regions, sites, radius)
        if given:
            balls = _raised(balls, np.where(_belongs(region, regions), voxels.fraction, 0.0), share)
        covered += balls
        count += len(sites)
    return covered, count


def _raised(covered: NDArray[np.float64], weight: NDArray[np.float64], share: float) -> NDArray[np.float64]:
    """Return min(k covered, 1), k such that its weighted mean is the share; where that cannot be, as near as it can."""
    target, most = share * float(weight.sum()), float(weight[covered > 0].sum())
    if target >= most:
        return np.where(covered > 0, 1.0, 0.0)
    low, high = 0.0, 1.0 / float(covered[covered > 0].min())
    for _ in range(60):
        middle = 0.5 * (low + high)
        short = float((np.minimum(middle * covered, 1.0) * weight).sum()) < target
        low, high = (middle, high) if short else (low, middle)
    return np.asarray(np.minimum(round(0.5 * (low + high), _DECIMALS) * covered, 1.0))


def _radius_that_fits(atlas: Atlas, regions: Sequence[int], radius: float, share: float) -> float:
    """Return the radius (mm), less where a single ball would hold more than the share."""
    target = share * np.count_nonzero(atlas.in_regions(regions)) * atlas.lattice.spacing**3
    return min(radius, float(np.cbrt(target / (4 / 3 * np.pi))))


def niche_sites(
    atlas: Atlas, regions: Sequence[int], border: int | None, radius: float, seed: int, share: float = SHARE
) -> NDArray[np.float64]:
    """Return the centers (s, 3) x, y, z in mm of balls that fill a ``share`` of some regions, drawn by seed.

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
    candidates = candidates[order]
    points = (candidates[:, ::-1] + 0.5) * spacing + np.asarray(atlas.lattice.origin)
    taken = np.zeros(home.shape, dtype=np.bool_)  # cells too near to a site
    target = share * np.count_nonzero(home) * spacing**3
    sites: list[NDArray[np.float64]] = []
    filled = 0.0
    for cell, site in zip(map(tuple, candidates), points, strict=True):
        if filled >= target:
            break
        if taken[cell]:
            continue
        sites.append(site)
        filled += _volume_in(home, atlas.lattice, site, radius)
        around = _window(atlas.lattice, site, 2 * radius + spacing)
        z, y, x = (
            np.square(
                (np.arange(part.start, part.stop) + 0.5) * spacing + atlas.lattice.origin[2 - k] - site[2 - k]
            )
            for k, part in enumerate(around)
        )
        taken[around] |= (x + y[:, None]) + z[:, None, None] <= (2 * radius) ** 2
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
    return np.where(_belongs(region, regions), np.minimum(covered, 1.0), 0.0)


def _belongs(region: NDArray[np.uint8], regions: Sequence[int]) -> NDArray[np.bool_]:
    """Return where the region is one of some, by a table of all 256: much faster than a search."""
    table = np.zeros(256, dtype=np.bool_)
    table[list(regions)] = True
    return table[region]


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
