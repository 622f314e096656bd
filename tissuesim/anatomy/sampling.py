"""The same organ at another size, and means of point functions over cells of any size."""

from __future__ import annotations

from dataclasses import replace
from math import ceil

import numpy as np
from numpy.typing import NDArray

from tissuesim.errors import InputError

from .lattice import Lattice, Point
from .organ import Inside, OnLattice, Organ

_DECIMALS = 6  # the last bits of exp differ between processors; six decimals do not


def scaled(organ: Organ, scale: float) -> Organ:
    """Return the organ with every length times ``scale``; InputError if that is no positive number."""
    if not (np.isfinite(scale) and scale > 0):
        raise InputError(f"scale of {organ.source} is {scale}; it must be a positive number")
    if scale == 1.0:
        return organ

    def shrunk(lattice: Lattice) -> Lattice:
        return Lattice(lattice.spacing / scale, _times(lattice.origin, 1 / scale), lattice.shape)

    def on_shrunk(function: OnLattice) -> OnLattice:
        return lambda lattice: function(shrunk(lattice))

    arteries = organ.arteries
    volume = float(str(organ.report["reference_volume_ml"])) * scale**3
    return replace(
        organ,
        lower=_times(organ.lower, scale),
        upper=_times(organ.upper, scale),
        inside=lambda lattice: organ.inside(shrunk(lattice)),
        region_at=lambda lattice, depth: organ.region_at(shrunk(lattice), depth / scale),
        report={**organ.report, "scale": scale, "reference_volume_ml": volume},
        arteries=None if arteries is None else lambda seed: arteries(seed).scaled(scale),
        vessel_roots=tuple((_times(point, scale), inwards) for point, inwards in organ.vessel_roots),
        exchange=None if organ.exchange is None else on_shrunk(organ.exchange),
        fibre=None if organ.fibre is None else on_shrunk(organ.fibre),
    )


def counted_ml(inside: Inside, lattice: Lattice) -> float:
    """Return the volume (mL) of a solid by counting the centers of a lattice."""
    count = sum(int(np.count_nonzero(inside(slab))) for _, slab in lattice.slabs())
    return count * lattice.spacing**3 / 1000


def cell_mean(function: OnLattice, finest: float) -> OnLattice:
    """Return the map of cell means of a point function, by samples at most ``finest`` mm apart.

    Rounded to six decimals, so that functions which use exp or cos give the same map on every machine.
    """

    def mean(lattice: Lattice) -> NDArray[np.float64]:
        times = ceil(lattice.spacing / finest - 1e-9)
        result = np.zeros(lattice.shape)
        for layers, slab in lattice.slabs(times):
            fine = function(slab.refined(times))
            depth, height, width = slab.shape
            blocks = fine.reshape(depth, times, height, times, width, times)
            result[layers] = blocks.mean(axis=(1, 3, 5))
        return np.asarray(np.round(result, _DECIMALS))

    return mean


def _times(point: Point, factor: float) -> Point:
    return point[0] * factor, point[1] * factor, point[2] * factor


def thin_slabs(lattice: Lattice) -> list[tuple[slice, Lattice]]:
    """Return (layers, lattice of these layers) of about 200,000 samples: intermediate arrays then stay in the cache."""
    depth, height, width = lattice.shape
    layers = max(1, 200_000 // (height * width))
    x, y, z = lattice.origin
    result = []
    for start in range(0, depth, layers):
        count = min(layers, depth - start)
        corner = (x, y, z + start * lattice.spacing)
        result.append((slice(start, start + count), Lattice(lattice.spacing, corner, (count, height, width))))
    return result
