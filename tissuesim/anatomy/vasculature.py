"""Vascular density: how much exchange surface a voxel has, relative to the mean of a reference region."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .lattice import Lattice
from .noise import smooth_normal
from .organ import Atlas, Organ
from .tree import Tree, demand_points, grow_tree, relative_supply
from .tree_flow import end_flows, normal_by_rank, smoothed_supply

# model.md 5.8: lognormal, sd(log) 0.45, correlation 8 mm, mean 1 (of the cortex of a kidney), floor 0.35, cap 4
SPREAD, CORRELATION, FLOOR, CAP = 0.45, 8.0, 0.35, 4.0
TIPS, GENERATIONS, ROOT_RADIUS = 2000, 12, 2.5  # demand points of a whole organ; mm
# mm over which exchange is averaged around the ends of arteries: with it the map of the built-in kidney has the
# correlation exp(-(r / 8 mm)^2) of the calibrated field (0.73, 0.37, 0.16 at 4, 8, 12 mm)
WIDTH = 3.2
_STREAM = 1
_DECIMALS = 6  # the last bits of exp differ between processors; six decimals do not


def vascular_density(
    organ: Organ,
    atlas: Atlas,
    lattice: Lattice,
    fraction: NDArray[np.float64],
    region: NDArray[np.uint8],
    seed: int,
) -> NDArray[np.float64]:
    """Return the dense map (z, y, x): clip(k f_region supply exp(sd g), 0.35, 4), dimensionless.

    g is a standard normal field. Where an organ has arteries of its own course, g are the ranks of the blood
    that they bring (`_arterial_field`) and supply is 1; else g is the smooth normal field of the place and seed, and
    supply is what the vessel tree gives a place (1 without a tree). k makes the mean of the reference region (by tissue
    volume) 1. Where vessels are part of the geometry the exchange surface takes the place of all three, and
    nothing is clipped.
    """
    names = organ.region_names
    home = region == names.index(organ.reference_region) if organ.reference_region in names else fraction > 0
    weight = fraction[home]
    if organ.exchange is not None:
        surface = organ.exchange(lattice)
        mean = float((surface[home] * weight).sum() / max(float(weight.sum()), 1e-300))
        return np.asarray(np.round(surface / mean if mean > 0 else surface, _DECIMALS), dtype=np.float64)
    if organ.arteries is not None:
        field = _arterial_field(organ, organ.arteries(seed), atlas, lattice, region, seed)
    else:
        field = smooth_normal(lattice, organ.lower, organ.upper, CORRELATION, seed, _STREAM)
    density = np.exp(SPREAD * field - 0.5 * SPREAD**2)
    if organ.vessel_roots:
        density = density * _supply(organ, lattice, seed)
    factor = np.array([organ.vessel_factors.get(name, 1.0) for name in names])
    scale = mean_one_scale(density[home], weight) if weight.sum() > 0 else 1.0
    clipped: NDArray[np.float64] = np.clip(scale * factor[region] * density, FLOOR, CAP)
    return np.asarray(np.round(clipped, _DECIMALS), dtype=np.float64)


def _arterial_field(
    organ: Organ, arteries: Tree, atlas: Atlas, lattice: Lattice, region: NDArray[np.uint8], seed: int
) -> NDArray[np.float64]:
    """Return the flow that arteries bring, averaged over `WIDTH`, as a field of the same ranks, normal in every region.

    The ranks are those of a region's cells on the organ's atlas: no voxel size changes them.
    """
    supply = smoothed_supply(arteries, end_flows(arteries, seed), organ.lower, organ.upper, WIDTH)
    here, known = supply.on(lattice), supply.on(atlas.lattice)
    field = np.zeros(lattice.shape)
    for number in range(len(organ.region_names)):
        cells = atlas.in_regions([number])
        if cells.any():
            own = region == number
            field[own] = normal_by_rank(here[own], known[cells])
    return field


def _supply(organ: Organ, lattice: Lattice, seed: int) -> NDArray[np.float64]:
    """Return what the arteries of an organ, grown from where they enter, give each cell; the mean is near 1."""
    points = demand_points(organ.inside, organ.lower, organ.upper, TIPS, seed)
    trees = []
    roots = np.array([root for root, _ in organ.vessel_roots])
    nearest = np.argmin(np.linalg.norm(points[:, None] - roots, axis=2), axis=1)
    for number, (root, direction) in enumerate(organ.vessel_roots):
        own = points[nearest == number]
        if len(own):
            trees.append(grow_tree(own, root, direction, seed, generations=GENERATIONS, radius=ROOT_RADIUS))
    return relative_supply(trees, lattice)


def mean_one_scale(values: NDArray[np.float64], weight: NDArray[np.float64]) -> float:
    """Return k with weighted mean of clip(k values, floor, cap) = 1.

    The mean grows with k, linearly while no value reaches floor or cap: each step solves for those that are between
    them now, and halves the interval where that leads out of it.
    """
    low, high = FLOOR / float(values.max()), CAP / float(values.min())
    target, weighted = float(weight.sum()), values * weight
    scale = min(max(1.0, low), high)
    for _ in range(100):
        below, above = values <= FLOOR / scale, values >= CAP / scale
        between = float(weighted[~(below | above)].sum())
        fixed = FLOOR * float(weight[below].sum()) + CAP * float(weight[above].sum())
        short = scale * between + fixed < target
        low, high = (scale, high) if short else (low, scale)
        new = (target - fixed) / between if between > 0 else 0.5 * (low + high)
        if not low <= new <= high:
            new = 0.5 * (low + high)
        if abs(new - scale) <= 1e-15 * scale:
            return new
        scale = new
    return scale
