"""Vascular density: how much exchange surface a voxel has, relative to the mean of the cortex."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .lattice import Lattice
from .noise import smooth_normal
from .organ import Organ

# model.md 5.8: lognormal, sd(log) 0.45, correlation 8 mm, cortex mean 1, floor 0.35, cap 4;
# medulla 0.5, pelvis 0.4
SPREAD, CORRELATION, FLOOR, CAP = 0.45, 8.0, 0.35, 4.0
REGION_FACTOR = {"medulla": 0.5, "pelvis": 0.4}
_STREAM = 1
_DECIMALS = 6  # the last bits of exp differ between processors; six decimals do not


def vascular_density(
    organ: Organ,
    lattice: Lattice,
    fraction: NDArray[np.float64],
    region: NDArray[np.uint8],
    seed: int,
) -> NDArray[np.float64]:
    """Return the dense map (z, y, x): clip(k f_region exp(sd g), 0.35, 4), dimensionless.

    g is the smooth normal field of the place and seed; k makes the cortex mean (by tissue volume) 1.
    """
    field = smooth_normal(lattice, organ.lower, organ.upper, CORRELATION, seed, _STREAM)
    lognormal = np.exp(SPREAD * field - 0.5 * SPREAD**2)
    factor = np.array([REGION_FACTOR.get(name, 1.0) for name in organ.region_names])
    cortex = region == organ.region_names.index("cortex")
    weight = fraction[cortex]
    scale = mean_one_scale(lognormal[cortex], weight) if weight.sum() > 0 else 1.0
    density: NDArray[np.float64] = np.clip(scale * factor[region] * lognormal, FLOOR, CAP)
    return np.asarray(np.round(density, _DECIMALS), dtype=np.float64)


def mean_one_scale(values: NDArray[np.float64], weight: NDArray[np.float64]) -> float:
    """Return k with weighted mean of clip(k values, floor, cap) = 1, by bisection (the mean grows with k)."""
    low, high = FLOOR / float(values.max()), CAP / float(values.min())
    for _ in range(60):
        middle = 0.5 * (low + high)
        mean = float((np.clip(middle * values, FLOOR, CAP) * weight).sum() / weight.sum())
        low, high = (middle, high) if mean < 1 else (low, middle)
    return 0.5 * (low + high)
