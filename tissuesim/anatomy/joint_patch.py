"""The built-in microscopic patch of synovium: lining, sublining with small vessels, one lymphoid aggregate."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tissuesim.errors import InputError

from .lattice import Lattice, Point
from .noise import smooth_normal
from .organ import Organ, built_in_report
from .sampling import cell_mean, counted_ml, scaled
from .segments import Segments, distance_to_segments, near_vessels, plexus

REGIONS = ("sublining", "lining", "fluid", "aggregate", "high_endothelium", "vessel_wall")
SUBLINING, LINING, FLUID, AGGREGATE, HIGH_ENDOTHELIUM, WALL = range(6)

# All lengths in mm; z = 0 is the mean surface of the synovium, the fluid is above.
FLUID_HEIGHT = 0.12
VILLI, VILLI_LENGTH = 0.03, 0.25  # relief of the surface
AGGREGATE_DEPTH = 0.36
FLATTENING = 0.8  # of the aggregate along z
VENULE_RADIUS, HIGH_WALL = 0.012, 0.01  # of the high-endothelial venule: cuboidal endothelium
CAPILLARY_RADIUS, ARTERIOLE_RADIUS, SMALL_WALL = 0.004, 0.014, 0.003
_CAPILLARY_NETS = (0.10, 0.16)  # mean distances below the lining of the superficial capillary net
_DEEP_NETS = (-0.35, -0.6, -0.78)
_EXCHANGE_LENGTH = 0.01  # exchange falls off by e at this distance from a lumen
_HIGH_EXCHANGE = 4.0  # of the high-endothelial venule for cells, relative to a capillary; assumed
_FINEST = 0.01
_STREAMS = {"villi": 61, "aggregate": 62, "capillaries": 63, "deep": 70}


@dataclass(frozen=True)
class _Patch:
    half: float
    lining: float
    aggregate: float
    seed: int

    @property
    def bounds(self) -> tuple[Point, Point]:
        """The corners of the cube."""
        return (-self.half, -self.half, FLUID_HEIGHT - 2 * self.half), (self.half, self.half, FLUID_HEIGHT)

    @cached_property
    def venule(self) -> Segments:
        """The high-endothelial venule: through the middle of the aggregate, then down to the deep vessels."""
        reach, down = 1.1 * self.aggregate, -AGGREGATE_DEPTH
        path = [
            (-self.half - 0.05, -0.15, down - 0.12),
            (-reach, -0.02, down - 0.03),
            (0.0, 0.01, down),
            (reach, -0.01, down - 0.04),
            (self.half + 0.05, 0.1, down - 0.2),
        ]
        return Segments.along(path, VENULE_RADIUS)

    @cached_property
    def small(self) -> Segments:
        """Two capillary nets below the lining, deeper nets, an arteriole, and limbs that join the nets."""
        nets = [
            plexus(
                self.half, 0.16, -below, CAPILLARY_RADIUS, self.seed, _STREAMS["capillaries"] + 3 * k, 0.02
            )
            for k, below in enumerate(_CAPILLARY_NETS)
        ]
        nets += [
            plexus(
                self.half,
                0.3,
                height,
                CAPILLARY_RADIUS + 0.001 * k,
                self.seed,
                _STREAMS["deep"] + 3 * k,
                0.05,
            )
            for k, height in enumerate(_DEEP_NETS)
        ]
        limbs = [self._limbs(upper, lower) for upper, lower in pairwise(nets)]
        path = [(0.33, -self.half - 0.05, -0.75), (0.3, -0.1, -0.62), (0.34, 0.25, -0.4), (0.3, 0.3, -0.16)]
        arteriole = Segments.along(path, [ARTERIOLE_RADIUS, ARTERIOLE_RADIUS, 0.01, 0.006])
        return Segments.joined([*nets, *limbs, arteriole])

    @staticmethod
    def _limbs(upper: Segments, lower: Segments) -> Segments:
        """Return a vessel up from every third vessel's start in the lower net to the nearest one in the upper net."""
        feet = np.unique(lower.start, axis=0)[::3]
        apart = np.square(feet[:, None] - upper.start[None]).sum(axis=2)
        heads = upper.start[np.argmin(apart, axis=1)]
        return Segments(feet, heads, np.full((len(feet), 2), CAPILLARY_RADIUS))

    def lumen(self, lattice: Lattice, reach: float) -> NDArray[np.float64]:
        """Return the signed distance (mm) to the nearest lumen, at most ``reach``."""
        return np.minimum(
            distance_to_segments(lattice, self.venule, reach),
            distance_to_segments(lattice, self.small, reach),
        )

    def surface(self, lattice: Lattice) -> NDArray[np.float64]:
        """Return the height z of the synovial surface, (1, n, n)."""
        x, y, _ = lattice.origin
        flat = Lattice(lattice.spacing, (x, y, -0.5 * lattice.spacing), (1, *lattice.shape[1:]))
        noise = smooth_normal(flat, *self._flat_bounds(), VILLI_LENGTH, self.seed, _STREAMS["villi"])
        return np.asarray(np.round(VILLI * np.clip(noise, -2, 2), 6))

    def _flat_bounds(self) -> tuple[Point, Point]:
        return (-self.half, -self.half, 0.0), (self.half, self.half, 0.0)

    def inside(self, lattice: Lattice) -> NDArray[np.bool_]:
        """Return which centers are in the cube and in no lumen."""
        z, y, x = lattice.axes()
        middle = FLUID_HEIGHT - self.half
        cube = (np.abs(x) < self.half) & (np.abs(y) < self.half) & (np.abs(z - middle) < self.half)
        return np.asarray(cube & (self.lumen(lattice, 1e-3) >= 0))

    def region(self, lattice: Lattice) -> NDArray[np.uint8]:
        """Return the region of each center: vessels before the aggregate before layers."""
        z, y, x = lattice.axes()
        surface = self.surface(lattice)
        region = np.where(z > surface, np.uint8(FLUID), np.uint8(SUBLINING))
        region[(z <= surface) & (z > surface - self.lining)] = LINING
        noise = np.clip(smooth_normal(lattice, *self.bounds, 0.15, self.seed, _STREAMS["aggregate"]), -2, 2)
        away = np.sqrt(x**2 + y**2 + ((z + AGGREGATE_DEPTH) / FLATTENING) ** 2)
        region[(away < np.round(self.aggregate * (1 + 0.12 * noise), 6)) & (region == SUBLINING)] = AGGREGATE
        region[distance_to_segments(lattice, self.small, 2 * SMALL_WALL) < SMALL_WALL] = WALL
        region[distance_to_segments(lattice, self.venule, 2 * HIGH_WALL) < HIGH_WALL] = HIGH_ENDOTHELIUM
        return region

    def exchange(self, lattice: Lattice) -> NDArray[np.float64]:
        """Return the exchange surface at points, relative: it falls off over 0.01 mm from lumens; none in the fluid."""
        z, _, _ = lattice.axes()
        reach = 8 * _EXCHANGE_LENGTH
        small, venule = (
            near_vessels(distance_to_segments(lattice, tubes, reach), _EXCHANGE_LENGTH, reach)
            for tubes in (self.small, self.venule)
        )
        return np.asarray(np.where(z > self.surface(lattice), 0.0, small + _HIGH_EXCHANGE * venule))


def joint_patch(
    size: float = 1.0, lining: float = 0.05, aggregate: float = 0.36, scale: float = 1.0, seed: int = 1
) -> Organ:
    """Return a cube of inflamed synovium of ``size`` mm, its surface near z = 0; for voxels of 0.01-0.02 mm.

    Joint fluid 0.12 mm high (a region), a lining ``lining`` mm thick (0.05 healthy, to 0.2 inflamed), a sublining with
    capillary nets and an arteriole, and one lymphoid aggregate ``aggregate`` mm across (0.2-0.4) around a
    high-endothelial venule. Lumens are not part of the tissue. InputError for sizes that leave no room.
    """
    if not (0.8 <= size <= 2.0 and 0.02 <= lining <= 0.2 and 0.2 <= aggregate <= 0.4):
        raise InputError(
            f"joint_patch of size {size:g} mm with a lining of {lining:g} mm and an aggregate of "
            f"{aggregate:g} mm cannot be made: take a size of 0.8 to 2 mm, a lining of 0.02 to 0.2 mm and an "
            "aggregate of 0.2 to 0.4 mm"
        )
    patch = _Patch(size / 2, lining, aggregate / 2, seed)
    lower, upper = patch.bounds
    organ = Organ(
        source="joint_patch",
        lower=lower,
        upper=upper,
        region_names=REGIONS,
        inside=patch.inside,
        region_at=lambda lattice, depth: patch.region(lattice),
        region_samples=1,
        report=built_in_report(
            anatomy=f"built-in patch of synovium: cube of {size:g} mm with a lymphoid aggregate of {aggregate:g} mm",
            regions=f"fluid above; lining {lining:g} mm; sublining; aggregate; high_endothelium: wall of the "
            "high-endothelial venule; vessel_wall: of the other vessels; lumens are excluded",
            volume_ml=counted_ml(patch.inside, Lattice.of_cells(*patch.bounds, 8_000_000)),
            volume_reference="the same formula on a lattice of about 0.005 mm",
            axes=(("x-", "x+"), ("y-", "y+"), ("capsule", "cavity")),
        ),
        reference_region="whole patch",
        vessel_factors={"fluid": 0.0, "lining": 0.3, "aggregate": 1.5},
        niche_regions=("aggregate",),
        niche_radius=None,
        vessel_roots=(
            ((0.33, -size / 2, -0.75), (0.0, 1.0, 0.0)),
            ((-size / 2, -0.15, -0.48), (1.0, 0.0, 0.0)),
        ),
        exchange=cell_mean(patch.exchange, _FINEST),
    )
    return scaled(organ, scale)
