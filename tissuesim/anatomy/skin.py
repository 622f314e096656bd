"""The built-in skin: a patch of trunk skin with rete ridges, dermis, fat, hair follicles and two vascular plexuses."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tissuesim.errors import InputError

from .lattice import Lattice, Point
from .noise import smooth_normal, uniform_numbers
from .organ import Organ, built_in_report
from .sampling import cell_mean, scaled
from .segments import Segments, distance_to_segments, plexus, scattered_sites

REGIONS = ("epidermis", "papillary_dermis", "reticular_dermis", "hypodermis", "follicle")
EPIDERMIS, PAPILLARY, RETICULAR, HYPODERMIS, FOLLICLE = range(5)

# All lengths in mm; z = 0 is the mean surface, z grows outwards.
EPIDERMIS_THICKNESS, RIDGE_HEIGHT, RIDGE_LENGTH = 0.08, 0.035, 0.2  # 0.045 to 0.115, rete ridges 0.2 apart
PAPILLARY_DEPTH = 0.35
RELIEF, RELIEF_LENGTH = 0.04, 5.0  # waves of the surface
FURROW_DEPTH, FURROW_APART = 0.05, 0.7  # primary lines, two families that cross
BORDER_RELIEF, BORDER_LENGTH = 0.12, 1.5  # of the dermis on the hypodermis
_TOP = 0.1  # the surface never rises higher
_SUPERFICIAL_DEPTH, _SUPERFICIAL_APART, _DEEP_APART = 0.4, 1.0, 2.0
_TILT = 0.36  # tangent of 20 degrees: follicles lean
_SHAFT, _BULB, _GLAND = 0.09, 0.17, 0.16  # radii
_NEAR_VESSEL = 0.08  # how far around a vessel of the plexuses exchange takes place
_BASE_EXCHANGE = (0.0, 1.5, 0.6, 0.5, 0.3)  # of the small vessels in each region; the plexuses add to it
_FINEST = 0.1
_STREAMS = {
    "relief": 21,
    "warp": 22,
    "border": 24,
    "follicles": 25,
    "bulbs": 26,
    "superficial": 27,
    "deep": 30,
}


@dataclass(frozen=True)
class _Skin:
    """Sizes of a patch and what follows from them."""

    half: float
    depth: float
    dermis: float
    follicle_apart: float
    seed: int

    def noise(self, lattice: Lattice, length: float, stream: int) -> NDArray[np.float64]:
        """Return a standard normal field of (y, x), shape (1, n, n), cut at two standard deviations."""
        x, y, _ = lattice.origin
        flat = Lattice(lattice.spacing, (x, y, -0.5 * lattice.spacing), (1, *lattice.shape[1:]))
        corner = (self.half, self.half, 0.0)
        field = smooth_normal(flat, (-self.half, -self.half, 0.0), corner, length, self.seed, stream)
        return np.asarray(np.round(np.clip(field, -2, 2), 6), dtype=np.float64)

    def waves(self, lattice: Lattice) -> NDArray[np.float64]:
        """Return the height z of the skin's surface without furrows, (1, n, n)."""
        return np.asarray(RELIEF * self.noise(lattice, RELIEF_LENGTH, _STREAMS["relief"]))

    def surface(self, lattice: Lattice) -> NDArray[np.float64]:
        """Return the height z of the skin's surface, (1, n, n): waves and two families of furrows."""
        _, y, x = lattice.axes()
        bend = 0.25 * self.noise(lattice, 3.0, _STREAMS["warp"])
        furrows = sum(
            np.maximum(1 - 4 * np.abs(_saw((x + slope * y + bend) / FURROW_APART)), 0)
            for slope in (0.6, -0.6)
        )
        return np.asarray(self.waves(lattice) - FURROW_DEPTH * np.minimum(furrows, 1.0))

    def epidermis(self, lattice: Lattice) -> NDArray[np.float64]:
        """Return the thickness of the epidermis, (1, n, n): thick over ridges, thin over papillae."""
        _, y, x = lattice.axes()
        bend = 0.05 * self.noise(lattice, 0.5, _STREAMS["warp"] + 1)
        turn = 2 * np.pi / RIDGE_LENGTH
        pattern = np.round(np.cos(turn * (x + bend)) * np.cos(turn * (y - bend)), 6)
        return np.asarray(EPIDERMIS_THICKNESS + RIDGE_HEIGHT * pattern)

    @cached_property
    def follicles(self) -> Segments:
        """Tubes of the hair follicles: a slanting shaft with a wide mouth, a bulb, a sebaceous gland."""
        sites = scattered_sites(self.half, self.follicle_apart, self.seed, _STREAMS["follicles"])
        numbers = uniform_numbers(self.seed, _STREAMS["bulbs"], len(sites))
        parts = []
        for (x, y), number in zip(sites.tolist(), numbers.tolist(), strict=True):
            deep = self.dermis + 0.2 + 0.8 * number  # bulbs lie in the uppermost fat
            lean = _TILT * deep
            bulb, gland = (x + lean, y, -deep), (x + 0.75 * _TILT + 0.14, y, -0.75)
            parts += [
                Segments.along(
                    [(x, y, 0.1), (x + 0.3 * _TILT, y, -0.3), bulb], [1.4 * _SHAFT, _SHAFT, _SHAFT]
                ),
                Segments.along([bulb, (x + 1.04 * lean, y, -1.04 * deep)], _BULB),
                Segments.along([gland, (gland[0], y, -0.9)], [_GLAND, 0.7 * _GLAND]),
            ]
        return Segments.joined(parts)

    @cached_property
    def vessels(self) -> Segments:
        """Tubes of both plexuses and of the vessels that ascend from the deep to the superficial one."""
        upper = plexus(
            self.half, _SUPERFICIAL_APART, -_SUPERFICIAL_DEPTH, 0.02, self.seed, _STREAMS["superficial"], 0.03
        )
        lower = plexus(self.half, _DEEP_APART, -self.dermis, 0.05, self.seed, _STREAMS["deep"], 0.08)
        foot = np.unique(lower.start, axis=0)
        apart = np.square(foot[:, None, :2] - upper.start[None, :, :2]).sum(axis=2)
        head = upper.start[np.argmin(apart, axis=1)]
        risers = Segments(foot, head, np.tile([0.04, 0.02], (len(foot), 1)))
        return Segments.joined([upper, lower, risers])

    def inside(self, lattice: Lattice) -> NDArray[np.bool_]:
        """Return which centers are below the surface and within the cut faces."""
        z, y, x = lattice.axes()
        column = (np.abs(x) < self.half) & (np.abs(y) < self.half)
        return np.asarray((z < self.surface(lattice)) & (z > -self.depth) & column)

    def region(self, lattice: Lattice) -> NDArray[np.uint8]:
        """Return the region of each center; follicles before layers."""
        z, _, _ = lattice.axes()
        surface, waves = self.surface(lattice), self.waves(lattice)
        border = self.dermis + BORDER_RELIEF * self.noise(lattice, BORDER_LENGTH, _STREAMS["border"])
        layer = (z < surface - self.epidermis(lattice)).astype(np.uint8)
        layer += z < waves - PAPILLARY_DEPTH  # furrows do not reach below the papillae
        layer += z < waves - border
        layer[distance_to_segments(lattice, self.follicles, 1e-3) < 0] = FOLLICLE
        return layer.astype(np.uint8)

    def exchange(self, lattice: Lattice) -> NDArray[np.float64]:
        """Return the exchange surface at points, relative: of the layer's small vessels, more near a plexus vessel."""
        region = self.region(lattice)
        distance = np.maximum(distance_to_segments(lattice, self.vessels, 3 * _NEAR_VESSEL), 0.0)
        near = 4.0 * np.exp(-np.square(distance / _NEAR_VESSEL))
        near[(region == EPIDERMIS) | (region == FOLLICLE)] = 0.0
        return np.asarray(np.asarray(_BASE_EXCHANGE)[region] + near)


def skin(
    size: float = 20.0,
    depth: float = 4.0,
    dermis: float = 1.9,
    follicle_spacing: float = 1.5,
    scale: float = 1.0,
    seed: int = 1,
) -> Organ:
    """Return a patch of skin, ``size`` x ``size`` x ``depth`` mm, centered on z, surface at z = 0.

    Thicknesses are those of the trunk (epidermis 0.04-0.12 mm, dermis ``dermis`` mm, fat to ``depth``); hair follicles
    stand ``follicle_spacing`` mm apart. The epidermis is thinner than most voxels: above about 0.15 mm it is no region
    of its own but a partial volume of the uppermost voxels, and so are follicles above 0.3 mm. ``scale`` multiplies all
    lengths. InputError for sizes that make no skin.
    """
    if not (0 < 2 * PAPILLARY_DEPTH < dermis < depth and size > 0 and follicle_spacing >= 0.5):
        raise InputError(
            f"skin of size {size:g} mm, depth {depth:g} mm, dermis {dermis:g} mm and follicles {follicle_spacing:g} mm "
            f"apart cannot be made: take dermis between {2 * PAPILLARY_DEPTH:g} mm and the depth, follicles 0.5 mm or "
            "more apart"
        )
    patch = _Skin(size / 2, depth, dermis, follicle_spacing, seed)
    organ = Organ(
        source="skin",
        lower=(-size / 2, -size / 2, -depth),
        upper=(size / 2, size / 2, _TOP),
        region_names=REGIONS,
        inside=patch.inside,
        region_at=lambda lattice, depth: patch.region(lattice),
        region_samples=3,
        report=built_in_report(
            anatomy=f"built-in skin: patch {size:g} x {size:g} x {depth:g} mm of trunk skin with "
            f"{len(patch.follicles.start) // 4} hair follicles",
            regions="epidermis 0.04-0.12 mm with rete ridges, avascular, a partial volume above 0.15 mm; "
            f"papillary dermis to 0.35 mm; reticular dermis to {dermis:g} mm; hypodermis: uppermost fat; follicle: "
            "shaft, bulb and sebaceous gland",
            volume_ml=_volume_ml(patch),
            volume_reference="the same formula: mean height of the surface over columns 0.05 mm wide",
            axes=(("x-", "x+"), ("y-", "y+"), ("fat", "surface")),
        ),
        reference_region="reticular_dermis",
        vessel_factors={"epidermis": 0.0, "papillary_dermis": 1.5, "hypodermis": 0.7, "follicle": 0.5},
        niche_regions=("reticular_dermis",),
        niche_radius=0.3,
        vessel_roots=_roots(size / 2, depth),
        exchange=cell_mean(patch.exchange, _FINEST),
    )
    return scaled(organ, scale)


def _saw(turns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the distance to the nearest whole number, with sign, -0.5 to 0.5."""
    return np.asarray(turns - np.floor(turns + 0.5))


def _volume_ml(patch: _Skin) -> float:
    count = round(2 * patch.half / 0.05)
    columns = Lattice(2 * patch.half / count, (-patch.half, -patch.half, 0.0), (1, count, count))
    return float((2 * patch.half) ** 2 * (patch.depth + patch.surface(columns).mean()) / 1000)


def _roots(half: float, depth: float) -> tuple[tuple[Point, Point], ...]:
    """Return four perforating arteries that come up through the fat."""
    return tuple(((x * half, y * half, -depth), (0.0, 0.0, 1.0)) for x in (-0.5, 0.5) for y in (-0.5, 0.5))
