"""Cells as dots: one dot stands for a round number of cells, and stays where it is from day to day."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MOST_DOTS = 30000  # in the whole organ of the fullest frame; a still shows those near its cut faces
TRIES = 6
SPREAD = 1e4  # steps of the sequence below, somewhere in which the dots of a voxel begin
PULLS = 4
# Steps of the low-discrepancy sequence of Roberts (2018), "The unreasonable effectiveness of quasirandom
# sequences", in 3 dimensions: fractional parts of k times these numbers fill the unit box evenly.
PLASTIC = np.array([0.8191725133961645, 0.6710436067037893, 0.5497004779019703])


def cells_per_dot(largest_total: float, most_dots: int = MOST_DOTS) -> float:
    """Return how many cells one dot stands for (1, 2 or 5 times a power of ten, at least 1)."""
    wanted = max(largest_total / most_dots, 1.0)
    power = 10.0 ** np.floor(np.log10(wanted))
    return float(next(step * power for step in (1.0, 2.0, 5.0, 10.0) if step * power >= wanted * (1 - 1e-9)))


def dot_positions(
    counts: NDArray[np.float64],
    per_dot: float,
    fraction: NDArray[np.float64],
    origin: NDArray[np.float64],
    spacing: float,
) -> NDArray[np.float64]:
    """Return the dots (k, 3) in mm for cell numbers ``counts`` (z, y, x), inside the tissue.

    A voxel shows counts / per_dot dots, rounded up or down by a fixed threshold of its own, so that the
    expected number is right everywhere and a dot that has gone comes back only if cells do. ``fraction``
    (z, y, x) is the share of tissue in each voxel, ``origin`` (x, y, z) the corner of the box.
    """
    voxel = np.flatnonzero(counts > 0.0)
    threshold = _scattered(voxel)
    number = np.floor(counts.reshape(-1)[voxel] / per_dot + threshold).astype(np.int64)
    owner = np.repeat(voxel, number)
    rank = np.arange(owner.size) - np.repeat(np.cumsum(number) - number, number)
    corner = np.stack(np.unravel_index(owner, counts.shape)[::-1], axis=1).astype(np.float64)  # x, y, z

    chosen = corner + 0.5
    undecided = np.ones(owner.size, dtype=np.bool_)
    start = SPREAD * _scattered(owner)
    for attempt in range(TRIES):
        place = (start + rank * TRIES + attempt + 1.0)[:, None] * PLASTIC
        candidate = corner + place % 1.0
        good = undecided & (_smooth_fraction(fraction, candidate) >= 0.5)
        chosen[good] = candidate[good]
        undecided &= ~good
    chosen[undecided] = _pulled_inside(fraction, chosen[undecided])
    return np.asarray(origin + chosen * spacing)


def _scattered(index: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return a number in [0, 1) for each ``index``, unlike those of its neighbors, so that dots form no stripes.

    The finalizer of SplitMix64 (Steele, Lea and Flood 2014).
    """
    mixed = index.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray((mixed ^ (mixed >> np.uint64(31))) >> np.uint64(11), dtype=np.float64) * 2.0**-53


def _pulled_inside(fraction: NDArray[np.float64], place: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ``place`` (k, 3) moved up the gradient of the tissue share to about one half (Newton steps)."""
    place = place.copy()
    for _ in range(PULLS):
        share = _smooth_fraction(fraction, place)
        slope = np.stack(
            [
                _smooth_fraction(fraction, place + step) - _smooth_fraction(fraction, place - step)
                for step in np.eye(3) / 2
            ],
            axis=1,
        )
        steepness = np.maximum(np.sum(slope * slope, axis=1), 0.05)
        place += (np.maximum(0.55 - share, 0.0) / steepness)[:, None] * slope
    return place


def _smooth_fraction(fraction: NDArray[np.float64], place: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the tissue share at ``place`` (k, 3; x, y, z in voxels), linear between voxel centers."""
    padded = np.pad(fraction, 2)
    grid = place[:, ::-1] + 1.5  # z, y, x; padded voxel i has its center at i
    grid = np.clip(grid, 0.0, np.array(padded.shape) - 1.001)
    low = np.floor(grid).astype(np.int64)
    weight = grid - low
    result = np.zeros(len(place))
    for step in np.ndindex(2, 2, 2):
        share = np.prod(np.where(np.array(step) == 1, weight, 1.0 - weight), axis=1)
        result += share * padded[tuple((low + step).T)]
    return result
