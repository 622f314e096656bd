"""The built-in knee joint: synovium around a cavity with fluid, cartilage, menisci, cruciates and fat pad."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tissuesim.errors import InputError

from .knee import BOX_LOWER, BOX_UPPER, SAMPLE_SPACING, SPACING, SoftPoints, knee, soft_points, solids
from .lattice import Lattice, Point, ScalarField
from .organ import Organ, built_in_report
from .sampling import counted_ml, scaled, thin_slabs

REGIONS = ("sublining", "lining", "fluid", "cartilage", "meniscus", "ligament", "fat_pad")
SUBLINING, LINING, FLUID, CARTILAGE, MENISCUS, LIGAMENT, FAT_PAD, BONE = range(8)
LINING_SHARE = 0.2  # of the synovium: 0.05 mm of 0.25 mm in health, more in hyperplasia
FILM_SHARE = 0.08  # of the film on cartilage, relative to half the depth of fluid in pouch and gutters
_DEEPEST = 8.0  # mm: 130 mL

# relative to the sublining; assumed: cartilage and fluid have no vessels, ligaments and menisci few
_VESSEL_FACTORS = {
    "lining": 0.7,
    "fluid": 0.0,
    "cartilage": 0.0,
    "meniscus": 0.1,
    "ligament": 0.3,
    "fat_pad": 0.5,
    "bone": 0.3,
}
# Genicular arteries of a left knee: superior and inferior, medial and lateral, and the middle one from behind.
_ARTERIES: tuple[tuple[Point, Point], ...] = (
    ((36.0, 5.0, 30.0), (-1.0, 0.0, 0.0)),
    ((-36.0, 5.0, 30.0), (1.0, 0.0, 0.0)),
    ((36.0, 8.0, -30.0), (-1.0, 0.0, 0.0)),
    ((-36.0, 8.0, -30.0), (1.0, 0.0, 0.0)),
    ((0.0, -28.0, -10.0), (0.0, 1.0, 0.0)),
)


@dataclass(frozen=True)
class _Joint:
    """A left knee with so much fluid and so thick a synovium."""

    thickness: float
    fluid: float  # mm^3
    bone: bool

    @cached_property
    def depth(self) -> float:
        """Half the depth of fluid in the pouch (mm) at which the cavity holds ``fluid``, by bisection."""
        points = soft_points()
        low, high = 0.0, _DEEPEST
        for _ in range(16):
            middle = 0.5 * (low + high)
            wet = np.count_nonzero(self._cavity(middle, points) < 0) * SAMPLE_SPACING**3
            low, high = (middle, high) if wet < self.fluid else (low, middle)
        return 0.5 * (low + high)

    def _cavity(self, depth: float, at: SoftPoints) -> NDArray[np.float64]:
        """Return the signed distance to cavity and solids: films on and between solids, a pouch along the femur.

        The pouch is what lies within ``depth`` of the surface at a fixed distance from the femur; its back wall touches
        the bone, its front wall bulges as the fluid grows.
        """
        from_sheet = np.abs(at.femur - (depth + 0.8 * self.thickness))
        pouch = np.sqrt(np.square(from_sheet) + np.square(np.maximum(at.recess, 0.0))) - depth
        return np.asarray(np.minimum(np.minimum(at.solids - FILM_SHARE * depth, at.contact), pouch))

    def cavity(self, lattice: Lattice) -> NDArray[np.float64]:
        """Return the signed distance to cavity and solids at the centers of a lattice."""
        shapes = knee()
        fields = (self._solids, shapes.contact, shapes.femur, shapes.recess)
        return self._cavity(self.depth, SoftPoints(*(field.on(lattice) for field in fields)))

    @cached_property
    def _solids(self) -> ScalarField:
        return solids()

    @cached_property
    def _outside(self) -> ScalarField:
        """Below 0 inside the organ: synovium and all it encloses, and the fat pad; without bones unless wanted."""
        shapes = knee()
        lattice = shapes.bone.lattice
        soft = np.minimum(self.cavity(lattice) - self.thickness, shapes.fat_pad.values)
        bone = shapes.bone.values
        return ScalarField(lattice, np.minimum(soft, bone) if self.bone else np.maximum(soft, -bone))

    def bounds(self) -> tuple[Point, Point]:
        """Return the corners of the smallest box of whole lattice cells around the organ."""
        lattice = self._outside.lattice
        mask = self._outside.values < 0.5 * SPACING
        lower, upper = [], []
        for axis in (2, 1, 0):
            used = np.flatnonzero(mask.any(axis=tuple(k for k in range(3) if k != axis)))
            lower.append(float(lattice.origin[2 - axis] + used[0] * SPACING))
            upper.append(float(lattice.origin[2 - axis] + (used[-1] + 1) * SPACING))
        return (lower[0], lower[1], lower[2]), (upper[0], upper[1], upper[2])

    def inside(self, lattice: Lattice) -> NDArray[np.bool_]:
        """Return which centers are in the organ."""
        inside = np.empty(lattice.shape, dtype=np.bool_)
        for layers, slab in thin_slabs(lattice):
            inside[layers] = self._outside.on(slab) < 0
        z, y, x = lattice.axes()
        for axis, low, high in zip((x, y, z), BOX_LOWER, BOX_UPPER, strict=True):
            inside &= (axis > low) & (axis < high)  # where bones are cut
        return inside

    def region(self, lattice: Lattice) -> NDArray[np.uint8]:
        """Return the region of each center."""
        region = np.empty(lattice.shape, dtype=np.uint8)
        for layers, slab in thin_slabs(lattice):
            region[layers] = self._region(slab)
        return region

    def _region(self, lattice: Lattice) -> NDArray[np.uint8]:
        """Solids before fluid before synovium before fat."""
        shapes, cavity = knee(), self.cavity(lattice)
        region = np.full(lattice.shape, FAT_PAD, dtype=np.uint8)
        region[cavity < self.thickness] = SUBLINING
        region[cavity < LINING_SHARE * self.thickness] = LINING
        region[cavity < 0] = FLUID
        for number, field in (
            (LIGAMENT, shapes.ligament),
            (MENISCUS, shapes.meniscus),
            (CARTILAGE, shapes.cartilage),
        ):
            region[field.on(lattice) < 0] = number
        if self.bone:
            region[shapes.bone.on(lattice) < 0] = BONE
        return region

    def lining_area(self) -> float:
        """Return the area (cm^2) of the synovium towards the cavity: an inner layer's volume over its thickness."""
        layer = min(self.thickness, 0.25)
        distance = self._cavity(self.depth, soft_points())
        lining = np.count_nonzero((distance >= 0) & (distance < layer))
        return float(lining * SAMPLE_SPACING**3 / layer / 100)


def joint(
    thickness: float = 1.2,
    fluid_ml: float = 10.0,
    bone: bool = False,
    side: str = "left",
    scale: float = 1.0,
) -> Organ:
    """Return a knee joint; x to the subject's right, y to the front, z up, origin between the condyles.

    ``thickness`` (mm) of the synovium, lining and sublining: 0.3 in health (5-10 mL), 1 to 2 in arthritis (20-60 mL);
    ``fluid_ml``: 1-4 in health, up to 60. The default is a knee with active arthritis. The lining is a fifth of the
    synovium, thinner than any voxel of 0.5 mm or more, which then mostly count as sublining. Bone has no signals and is
    left out; ``bone`` keeps it as a region. InputError for values outside these ranges.
    """
    if not (0.1 <= thickness <= 5.0 and 1.0 <= fluid_ml <= 60.0 and side in ("right", "left")):
        raise InputError(
            f"joint with a synovium of {thickness:g} mm, {fluid_ml:g} mL of fluid, side '{side}' cannot be made: "
            "take 0.1 to 5 mm, 1 to 60 mL, and 'right' or 'left'"
        )
    left = _Joint(thickness, 1000.0 * fluid_ml, bone)
    lower, upper = left.bounds()
    organ = Organ(
        source="joint",
        lower=lower,
        upper=upper,
        region_names=(*REGIONS, "bone") if bone else REGIONS,
        inside=left.inside,
        region_at=lambda lattice, depth: left.region(lattice),
        region_samples=3,
        report=built_in_report(
            anatomy=f"built-in {side} knee: synovium {thickness:g} mm thick, {fluid_ml:g} mL of fluid, cartilage, "
            "menisci, cruciate ligaments and fat pad",
            regions=f"lining: the inner {LINING_SHARE * thickness:.2g} mm of the synovium, below most voxels; "
            "sublining: the rest; fluid: pouch, gutters and a film on cartilage; bone "
            + ("included" if bone else "excluded"),
            synovial_area_cm2=left.lining_area(),
            volume_ml=counted_ml(left.inside, Lattice.covering(lower, upper, SAMPLE_SPACING)),
            volume_reference=f"the same formula on a {SAMPLE_SPACING:g} mm lattice",
            axes=(("L", "R"), ("P", "A"), ("I", "S")),
        ),
        reference_region="sublining",
        vessel_factors=_VESSEL_FACTORS,
        niche_regions=("sublining",),
        niche_radius=1.0,
        vessel_roots=_ARTERIES,
    )
    return scaled(organ if side == "left" else _mirrored(organ), scale)


def _mirrored(organ: Organ) -> Organ:
    """Return the organ seen in a mirror across the sagittal plane x = 0."""

    def flipped(lattice: Lattice) -> Lattice:
        x, y, z = lattice.origin
        return Lattice(lattice.spacing, (-(x + lattice.shape[2] * lattice.spacing), y, z), lattice.shape)

    return replace(
        organ,
        lower=(-organ.upper[0], *organ.lower[1:]),
        upper=(-organ.lower[0], *organ.upper[1:]),
        inside=lambda lattice: organ.inside(flipped(lattice))[:, :, ::-1],
        region_at=lambda lattice, depth: organ.region_at(flipped(lattice), depth[:, :, ::-1])[:, :, ::-1],
        vessel_roots=tuple(
            ((-point[0], *point[1:]), (-inwards[0], *inwards[1:])) for point, inwards in organ.vessel_roots
        ),
    )
