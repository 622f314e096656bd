"""Signed distances of simple shapes (mm, negative inside) and how to join them; arithmetic and square roots only."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .lattice import Point

Values = NDArray[np.float64]
Coordinates = tuple[Values, Values, Values]


def ellipsoid(at: Coordinates, center: Point, half: Point) -> Values:
    """Return k (k - 1) / |grad k^2 / 2| with k^2 = sum ((x - c) / s)^2: exact at the surface to first order."""
    level, slope = _weighted_squares(at, center, half)
    return np.asarray((level - np.sqrt(level)) / np.sqrt(np.maximum(slope, 1e-12)))


def tube(at: Coordinates, start: Point, end: Point) -> tuple[Values, Values]:
    """Return (distance to the segment, position along its line, 0 at ``start``) in mm."""
    length = sum((b - a) ** 2 for a, b in zip(start, end, strict=True)) ** 0.5
    direction = [(b - a) / length for a, b in zip(start, end, strict=True)]
    x, y, z = (value - a for value, a in zip(at, start, strict=True))
    along = x * direction[0] + y * direction[1] + z * direction[2]
    nearest = np.minimum(np.maximum(along, 0.0), length)
    x, y, z = x - nearest * direction[0], y - nearest * direction[1], z - nearest * direction[2]
    return np.asarray(np.sqrt(x * x + y * y + z * z)), np.asarray(along)


def smooth_union(first: Values, second: Values, width: float) -> Values:
    """Return the union whose crease is filled: min(a, b) - max(width - |a - b|, 0)^2 / (4 width)."""
    overlap = np.abs(first - second)
    np.subtract(width, overlap, out=overlap)
    np.maximum(overlap, 0.0, out=overlap)
    overlap *= overlap
    overlap *= 0.25 / width
    return np.asarray(np.minimum(first, second) - overlap)


def _weighted_squares(at: Coordinates, center: Point, half: Point) -> tuple[Values, Values]:
    """Return sum (x - c)^2 / s^2 and sum (x - c)^2 / s^4."""
    second: list[Values] = []
    fourth: list[Values] = []
    for value, middle, size in zip(at, center, half, strict=True):
        square = value - middle
        square = square * square
        second.append(square * size**-2)
        fourth.append(square * size**-4)
    return second[0] + second[1] + second[2], fourth[0] + fourth[1] + fourth[2]
