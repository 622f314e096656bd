"""Solids given by a formula, sampled fast: only blocks that the surface can cross are looked at in full."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from .lattice import Lattice

Coordinates = NDArray[np.float64]
Field = Callable[[Coordinates, Coordinates, Coordinates], Coordinates]  # x, y, z that broadcast together
BLOCK = 8  # samples per side
_BLOCKS_AT_ONCE = 500  # a quarter of a million samples stay in the cache


def negative_where(field: Field, lattice: Lattice, slope: float) -> NDArray[np.bool_]:
    """Return which centers (z, y, x) have field < 0.

    ``slope`` bounds the change of the field per mm: a block of 8 x 8 x 8 samples whose middle value exceeds slope times
    its half diagonal has one sign throughout. The answer is that of the formula at every sample, unless the bound is
    too small.
    """
    blocks = tuple(-(-size // BLOCK) for size in lattice.shape)
    coarse = Lattice(lattice.spacing * BLOCK, lattice.origin, (blocks[0], blocks[1], blocks[2]))
    z, y, x = coarse.axes()
    middle = np.broadcast_to(field(x, y, z), coarse.shape)
    reach = slope * 0.5 * np.sqrt(3.0) * (BLOCK - 1) * lattice.spacing
    inside = np.empty([size * BLOCK for size in blocks], dtype=np.bool_)
    view = inside.reshape(blocks[0], BLOCK, blocks[1], BLOCK, blocks[2], BLOCK)
    view[:] = (middle < 0)[:, None, :, None, :, None]
    unsure = np.argwhere(np.abs(middle) <= reach)
    for first in range(0, len(unsure), _BLOCKS_AT_ONCE):
        part = unsure[first : first + _BLOCKS_AT_ONCE]
        places = (part[:, :, None] * BLOCK + np.arange(BLOCK) + 0.5) * lattice.spacing
        zs, ys, xs = (np.asarray(places[:, k] + lattice.origin[2 - k], dtype=np.float64) for k in range(3))
        values = field(xs[:, None, None, :], ys[:, None, :, None], zs[:, :, None, None])
        view[part[:, 0], :, part[:, 1], :, part[:, 2], :] = values < 0
    return inside[: lattice.shape[0], : lattice.shape[1], : lattice.shape[2]]
