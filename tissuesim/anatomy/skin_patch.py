"""The built-in microscopic patch of skin: a cube of dermis with one ascending vessel in a lymphocytic cuff."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tissuesim.errors import InputError

from .lattice import Lattice
from .noise import smooth_normal, uniform_numbers
from .organ import Organ, built_in_report
from .sampling import cell_mean, counted_ml, scaled
from .segments import Segments, distance_to_segments, near_vessels, plexus

REGIONS = ("epidermis", "papillary_dermis", "reticular_dermis", "collagen", "cuff", "vessel_wall")
EPIDERMIS, PAPILLARY, RETICULAR, COLLAGEN, CUFF, WALL = range(6)

# All lengths in mm; z = 0 is the surface of the skin, z grows outwards.
RIDGE_LENGTH = 0.25  # 32 papillae per mm^2; man has 20 to 40
EPIDERMIS_THICKNESS, RIDGE_HEIGHT = 0.085, 0.035
PAPILLARY_DEPTH = 0.3
PLEXUS_DEPTH, PLEXUS_APART = 0.28, 0.25
VESSEL_RADIUS, WALL_THICKNESS = 0.02, 0.008  # of the ascending vessel
CAPILLARY_RADIUS, VENULE_RADIUS, SMALL_WALL = 0.004, 0.009, 0.003
BUNDLE_LAYER, BUNDLE_APART, BUNDLE_HALF = 0.055, 0.07, (0.030, 0.022)  # collagen bundles 60 x 44 um
_LOOP_LIMB = 0.012  # the two limbs of a capillary loop stand this far to either side
_EXCHANGE_LENGTH = 0.01  # exchange falls off by e at this distance from a lumen
_FINEST = 0.01
_ANGLES = 8  # directions that layers of bundles may have
_STREAMS = {"cuff": 41, "angles": 42, "waves": 43, "plexus": 44}


@dataclass(frozen=True)
class _Patch:
    half: float
    cuff: float
    seed: int

    @cached_property
    def ascending(self) -> Segments:
        """The ascending vessel: from the deep face, slightly bent, into the plexus."""
        bottom = -2 * self.half - 0.1
        path = [(-0.05, 0.03, bottom), (0.02, -0.02, -0.7), (-0.01, 0.01, -0.45), (0.0, 0.0, -PLEXUS_DEPTH)]
        return Segments.along(path, [VESSEL_RADIUS, VESSEL_RADIUS, 0.9 * VESSEL_RADIUS, 0.7 * VESSEL_RADIUS])

    @cached_property
    def small(self) -> Segments:
        """The superficial plexus, its tie to the ascending vessel, and a hairpin loop in every papilla."""
        net = plexus(
            self.half, PLEXUS_APART, -PLEXUS_DEPTH, VENULE_RADIUS, self.seed, _STREAMS["plexus"], 0.02
        )
        root = np.array([0.0, 0.0, -PLEXUS_DEPTH])
        nearest = np.argsort(np.square(net.start - root).sum(axis=1), kind="stable")[:2]
        ties = [
            Segments.along([(0.0, 0.0, -PLEXUS_DEPTH), tuple(net.start[k])], VENULE_RADIUS) for k in nearest
        ]
        tip = -(EPIDERMIS_THICKNESS - RIDGE_HEIGHT) - 0.02
        loops = []
        for x, y in self._papillae():
            left, right = x - _LOOP_LIMB, x + _LOOP_LIMB
            top = [(left, y, tip - 0.01), (x, y, tip), (right, y, tip - 0.01)]
            loops.append(
                Segments.along([(left, y, -PLEXUS_DEPTH), *top, (right, y, -PLEXUS_DEPTH)], CAPILLARY_RADIUS)
            )
        return Segments.joined([net, *ties, *loops])

    def _papillae(self) -> list[tuple[float, float]]:
        step = RIDGE_LENGTH / 2
        count = int(self.half / step) + 1
        places = range(-count, count + 1)
        return [(i * step, j * step) for i in places for j in places if (i + j) % 2]

    def lumen(self, lattice: Lattice, reach: float) -> NDArray[np.float64]:
        """Return the signed distance (mm) to the nearest lumen, at most ``reach``."""
        return np.minimum(
            distance_to_segments(lattice, self.ascending, reach),
            distance_to_segments(lattice, self.small, reach),
        )

    def inside(self, lattice: Lattice) -> NDArray[np.bool_]:
        """Return which centers are in the cube and in no lumen."""
        z, y, x = lattice.axes()
        cube = (np.abs(x) < self.half) & (np.abs(y) < self.half) & (np.abs(z + self.half) < self.half)
        return np.asarray(cube & (self.lumen(lattice, 1e-3) >= 0))

    def region(self, lattice: Lattice) -> NDArray[np.uint8]:
        """Return the region of each center: walls before cuff before layers."""
        z, y, x = lattice.axes()
        turn = 2 * np.pi / RIDGE_LENGTH
        pattern = np.round(np.cos(turn * x) * np.cos(turn * y), 6)
        layer = (z < -(EPIDERMIS_THICKNESS + RIDGE_HEIGHT * pattern)).astype(np.uint8)
        layer += z < -PAPILLARY_DEPTH
        layer[(layer == RETICULAR) & self._bundles(lattice)] = COLLAGEN
        around = distance_to_segments(lattice, self.ascending, 2 * self.cuff)
        small = distance_to_segments(lattice, self.small, 2 * SMALL_WALL)
        layer[(around < self._cuff_thickness(lattice)) & (layer != EPIDERMIS)] = CUFF
        layer[(around < WALL_THICKNESS) | (small < SMALL_WALL)] = WALL
        return layer

    def exchange(self, lattice: Lattice) -> NDArray[np.float64]:
        """Return the exchange surface at points, relative: it falls off over 0.01 mm from the lumens."""
        reach = 8 * _EXCHANGE_LENGTH
        return near_vessels(self.lumen(lattice, reach), _EXCHANGE_LENGTH, reach)

    def _cuff_thickness(self, lattice: Lattice) -> NDArray[np.float64]:
        """Return how far the cuff reaches from the lumen: uneven, and thinning out towards the deep face."""
        z, _, _ = lattice.axes()
        box = (-self.half, -self.half, -2 * self.half), (self.half, self.half, 0.0)
        noise = np.clip(smooth_normal(lattice, *box, 0.12, self.seed, _STREAMS["cuff"]), -2, 2)
        fading = np.clip((z + 1.7 * self.half) / (0.4 * self.half), 0.0, 1.0)
        return np.asarray(np.round(self.cuff * (1 + 0.25 * noise) * fading, 6))

    def _bundles(self, lattice: Lattice) -> NDArray[np.bool_]:
        """Return which centers are in a collagen bundle: wavy elliptic cylinders, each layer in its own direction.

        In layer k, across = (y cos a_k - x sin a_k + waves) from the middle of the nearest bundle, and
        (across / 0.030)^2 + (height / 0.022)^2 < 1, overlapping with the layers above and below.
        """
        z, y, x = lattice.axes()
        box = (-self.half, -self.half, -2 * self.half), (self.half, self.half, 0.0)
        waves = np.round(0.02 * smooth_normal(lattice, *box, 0.25, self.seed, _STREAMS["waves"]), 6)
        height = z + waves
        layers = int(2 * self.half / BUNDLE_LAYER) + 2
        turns = np.floor(uniform_numbers(self.seed, _STREAMS["angles"], layers) * _ANGLES) / _ANGLES
        inside = np.zeros(lattice.shape, dtype=np.bool_)
        for number, angle in enumerate((turns * np.pi).tolist()):
            above = np.abs(height + (number + 0.5) * BUNDLE_LAYER) / BUNDLE_HALF[1]
            rows = np.flatnonzero((above < 1).any(axis=(1, 2)))
            if not rows.size:
                continue
            cut = slice(rows[0], rows[-1] + 1)
            across = y * round(np.cos(angle), 12) - x * round(np.sin(angle), 12) + 1.5 * waves[cut]
            from_bundle = (across / BUNDLE_APART - np.floor(across / BUNDLE_APART) - 0.5) * BUNDLE_APART
            inside[cut] |= np.square(from_bundle / BUNDLE_HALF[0]) + np.square(above[cut]) < 1
        return inside


def skin_patch(size: float = 1.0, cuff: float = 0.09, scale: float = 1.0, seed: int = 1) -> Organ:
    """Return a cube of skin of ``size`` mm, its upper face the skin's surface at z = 0; for voxels of 0.01-0.02 mm.

    Epidermis with rete ridges, papillae with a capillary loop each, a superficial plexus, reticular dermis of collagen
    bundles with ground substance between them, and one ascending vessel with a cuff of lymphocytes that reaches about
    ``cuff`` mm from its lumen. Lumens are not part of the tissue. InputError for sizes that leave no room.
    """
    if not (0.8 <= size <= 2.0 and 0.03 <= cuff <= 0.2):
        raise InputError(
            f"skin_patch of size {size:g} mm with a cuff of {cuff:g} mm cannot be made: take a size of 0.8 to 2 mm and "
            "a cuff of 0.03 to 0.2 mm"
        )
    patch = _Patch(size / 2, cuff, seed)
    lower, upper = (-size / 2, -size / 2, -size), (size / 2, size / 2, 0.0)
    organ = Organ(
        source="skin_patch",
        lower=lower,
        upper=upper,
        region_names=REGIONS,
        inside=patch.inside,
        region_at=lambda lattice, depth: patch.region(lattice),
        region_samples=1,
        report=built_in_report(
            anatomy=f"built-in patch of skin: cube of {size:g} mm with an ascending vessel in a lymphocytic cuff",
            regions="epidermis 0.05-0.12 mm; papillary dermis to 0.3 mm; collagen: bundles of the reticular dermis; "
            "reticular_dermis: what is between them; cuff; vessel_wall; lumens are excluded",
            volume_ml=counted_ml(patch.inside, Lattice.of_cells(lower, upper, 8_000_000)),
            volume_reference="the same formula on a lattice of about 0.005 mm",
            axes=(("x-", "x+"), ("y-", "y+"), ("fat", "surface")),
        ),
        reference_region="whole patch",
        vessel_factors={"epidermis": 0.0, "cuff": 2.0, "collagen": 0.5},
        niche_regions=("cuff",),
        niche_radius=None,
        vessel_roots=(((-0.05, 0.03, -size), (0.0, 0.0, 1.0)),),
        exchange=cell_mean(patch.exchange, _FINEST),
    )
    return scaled(organ, scale)
