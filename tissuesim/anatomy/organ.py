"""`Organ`: a solid with regions, to be sampled on any lattice; built-in and imported alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .distance import depth_below_surface
from .lattice import Lattice, Point, ScalarField

if TYPE_CHECKING:
    from .tree import Tree

ATLAS_CELLS = 400_000  # of an organ's atlas: 0.9 mm for a kidney
Inside = Callable[[Lattice], NDArray[np.bool_]]
RegionAt = Callable[[Lattice, NDArray[np.float64]], NDArray[np.uint8]]
OnLattice = Callable[[Lattice], NDArray[np.float64]]


@dataclass(frozen=True)
class Organ:
    """A solid: its bounds (mm), which points are inside, and their region given their depth (mm).

    ``reference_region`` has a mean vascular density of 1 (the whole organ where it has no such region),
    ``vessel_factors`` says what other regions have relative to it. Niches are balls of ``niche_radius`` mm in
    ``niche_regions``, near ``niche_border`` if there is one; without a radius the regions themselves.
    ``vessel_roots`` are (point, direction inwards) where vessels enter; ``arteries`` grows a tree by seed that follows
    the organ's own course, where it has one. ``exchange`` is the relative exchange surface
    per cell where vessels are part of the geometry, ``fibre`` the direction of fibers, (z, y, x, 3) unit vectors with
    components x, y, z. Without ``regions_need_depth`` the regions are told without a depth.
    """

    source: str
    lower: Point
    upper: Point
    region_names: tuple[str, ...]
    inside: Inside
    region_at: RegionAt
    region_samples: int | None  # per voxel side for the region vote; None: as many as the atlas needs
    report: dict[str, object]
    reference_region: str = "cortex"
    vessel_factors: Mapping[str, float] = field(default_factory=dict)
    niche_regions: tuple[str, ...] = ()
    niche_border: str = ""
    niche_radius: float | None = 2.5
    vessel_roots: tuple[tuple[Point, Point], ...] = ()
    arteries: Callable[[int], Tree] | None = None
    regions_need_depth: bool = True
    exchange: OnLattice | None = None
    fibre: OnLattice | None = None


def built_in_report(
    anatomy: str,
    regions: str,
    volume_ml: float,
    volume_reference: str,
    axes: tuple[tuple[str, str], ...] | None = None,
    **more: object,
) -> dict[str, object]:
    """Return what a built-in anatomy says of itself.

    ``volume_ml`` is what voxels are held to and ``volume_reference`` where it is from; ``axes`` are the letters at the
    lower and upper ends of x, y, z in pictures.
    """
    told = {} if axes is None else {"axes": axes}
    volume = {"reference_volume_ml": volume_ml, "volume_reference": volume_reference}
    return {"anatomy": anatomy, "regions": regions, **volume, **told, **more}


@dataclass(frozen=True)
class Atlas:
    """What is decided once per organ on its own fixed lattice, so that no voxel size changes it."""

    lattice: Lattice
    inside: NDArray[np.bool_]
    depth: ScalarField  # mm below the surface
    region: NDArray[np.uint8]

    def in_regions(self, numbers: Sequence[int]) -> NDArray[np.bool_]:
        """Return the mask of atlas cells inside the organ that belong to any of some regions."""
        return np.asarray(self.inside & np.isin(self.region, numbers))


def make_atlas(organ: Organ) -> Atlas:
    """Return the organ sampled on its own lattice of about 400,000 cells."""
    lattice = Lattice.of_cells(organ.lower, organ.upper, ATLAS_CELLS)
    inside = organ.inside(lattice)
    depth = depth_below_surface(inside, lattice.spacing)
    return Atlas(lattice, inside, ScalarField(lattice, depth), organ.region_at(lattice, depth))
