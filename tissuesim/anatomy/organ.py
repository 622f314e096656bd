"""`Organ`: a solid with regions that can be sampled on any lattice, the common form of built-in and imported."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .distance import depth_below_surface
from .lattice import Lattice, Point, ScalarField

ATLAS_CELLS = 110  # cells along the longest side of an organ's atlas: 1 mm for a kidney
Inside = Callable[[Lattice], NDArray[np.bool_]]
RegionAt = Callable[[Lattice, NDArray[np.float64]], NDArray[np.uint8]]


@dataclass(frozen=True)
class Organ:
    """A solid: its bounds (mm), whether points are inside, and which region they belong to given their depth."""

    source: str
    lower: Point
    upper: Point
    region_names: tuple[str, ...]
    inside: Inside
    region_at: RegionAt
    region_samples: int | None  # per voxel side for the region vote; None: as many as the atlas needs
    report: dict[str, object]

    @property
    def atlas_spacing(self) -> float:
        """Cell size (mm) of the organ's own fixed lattice."""
        return max(high - low for low, high in zip(self.lower, self.upper, strict=True)) / ATLAS_CELLS


@dataclass(frozen=True)
class Atlas:
    """What is decided once per organ on its own fixed lattice, so that no voxel size changes it."""

    lattice: Lattice
    inside: NDArray[np.bool_]
    depth: ScalarField  # mm below the surface
    region: NDArray[np.uint8]

    def in_region(self, number: int) -> NDArray[np.bool_]:
        """Return the mask of atlas cells inside the organ that belong to a region."""
        return self.inside & (self.region == number)


def depth_field(inside: Inside, lower: Point, upper: Point, spacing: float) -> ScalarField:
    """Return the depth below the surface (mm) on a lattice that covers the bounds."""
    lattice = Lattice.covering(lower, upper, spacing)
    return ScalarField(lattice, depth_below_surface(inside(lattice), spacing))


def make_atlas(organ: Organ) -> Atlas:
    """Return the organ sampled on its own lattice of about 110 cells along the longest side."""
    depth = depth_field(organ.inside, organ.lower, organ.upper, organ.atlas_spacing)
    lattice = depth.lattice
    return Atlas(lattice, organ.inside(lattice), depth, organ.region_at(lattice, depth.values))
