"""Storage order of voxels: a Morton (Z-order) curve over the dense box, neighbors close in memory."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_SPREAD = (  # shift, mask: moves bit b of a 21-bit number to bit 3 b (the classic "part 1 by 2")
    (32, 0x1F00000000FFFF),
    (16, 0x1F0000FF0000FF),
    (8, 0x100F00F00F00F00F),
    (4, 0x10C30C30C30C30C3),
    (2, 0x1249249249249249),
)


def _spread_bits(number: NDArray[np.integer[Any]]) -> NDArray[np.uint64]:
    """Return the numbers (< 2^21) with two zero bits put between any two of their bits."""
    spread = number.astype(np.uint64)
    for shift, mask in _SPREAD:
        spread = (spread | (spread << np.uint64(shift))) & np.uint64(mask)
    return spread


def morton_code(
    z: NDArray[np.integer[Any]], y: NDArray[np.integer[Any]], x: NDArray[np.integer[Any]]
) -> NDArray[np.uint64]:
    """Return the position along the Morton curve; the indices must be in [0, 2^21); x is the fastest bit."""
    return np.asarray(_spread_bits(x) | (_spread_bits(y) << np.uint64(1)) | (_spread_bits(z) << np.uint64(2)))


def morton_order(box_index: NDArray[np.int64], shape: tuple[int, int, int]) -> NDArray[np.int64]:
    """Return the permutation (n,) that puts voxels (C-order indices into ``shape``) on the Morton curve.

    Blocks of 2^k voxels a side stay together for every k, so any cache size finds its brick.
    """
    z, y, x = np.unravel_index(box_index, shape)
    return np.argsort(morton_code(z, y, x), kind="stable")
