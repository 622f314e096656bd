"""Polygons to triangles."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Corners = NDArray[np.int64]


def fan(sizes: NDArray[np.int64], corners: Corners) -> Corners:
    """Return triangles (t, 3) that split polygons, given end to end, into fans around their first corner."""
    if sizes.size and int(sizes.sum()) != corners.size:
        raise ValueError("polygons and their corners do not match")
    start = np.cumsum(sizes) - sizes
    count = np.maximum(sizes - 2, 0)
    first = np.repeat(start, count)
    step = np.arange(int(count.sum())) - np.repeat(np.cumsum(count) - count, count)
    return np.stack([corners[first], corners[first + step + 1], corners[first + step + 2]], axis=1)
