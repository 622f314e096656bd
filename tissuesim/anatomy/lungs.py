"""The built-in lungs: five lobes around an airway tree of six generations, near total lung capacity."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tissuesim.errors import InputError

from .implicit import Coordinates, negative_where
from .lattice import Lattice, Point
from .lung_shape import HEIGHT, SLOPE, lobe, outline, to_fissure
from .organ import Organ, built_in_report
from .tree import Tree, demand_points, grow_tree, in_segments, join_trees

REGIONS = (
    "right_upper_lobe",
    "right_middle_lobe",
    "right_lower_lobe",
    "left_upper_lobe",
    "left_lower_lobe",
    "bronchovascular_sheath",
    "pleura",
)
SHEATH, PLEURA = 5, 6

# mm and mL at scale 1: x to the patient's right, y forwards, z upwards from the recesses behind the diaphragm
LOWER, UPPER = (-145.0, -107.0, 8.0), (148.0, 98.0, HEIGHT)
VOLUME_ML = 5555.5  # of the shape below without airway lumen, on a 0.5 mm lattice
FISSURE_AREA = 4.70e4  # mm^2 of the three fissures, from the volume that a gap takes away
PLEURA_DEPTH = 2.0  # mm: the pleura itself is 0.1 to 0.2 mm; the region is pleura with subpleural parenchyma
GENERATIONS = 6
NICHE_RADIUS = 1.5  # mm: a group of lymphoid follicles of 0.2 to 1 mm
_LOBE_SHARES = (0.192, 0.099, 0.237, 0.239, 0.232)

# Trachea, main bronchi and bronchus intermedius; Weibel (1963) gives diameters of 18, 12.2, 8.3, 5.6, 4.5, 3.5, 2.8 mm.
_CARINA: Point = (0.0, -7.0, 175.5)
_TRUNK: tuple[tuple[Point, Point, float, int, int], ...] = (  # start, end, radius, generation, parent
    ((0.0, 9.0, 302.5), _CARINA, 8.5, 0, -1),
    (_CARINA, (27.5, -9.0, 158.0), 6.5, 1, 0),
    (_CARINA, (-42.5, -9.0, 146.5), 5.8, 1, 0),
    ((27.5, -9.0, 158.0), (38.0, -4.5, 132.5), 5.0, 2, 1),
)
# trunk branch that each lobar bronchus leaves, and its first direction
_LOBAR: tuple[tuple[int, Point], ...] = (
    (1, (0.8, -0.1, 0.6)),
    (3, (0.6, 0.7, -0.4)),
    (3, (0.4, -0.4, -0.8)),
    (2, (-0.6, 0.5, 0.6)),
    (2, (-0.4, -0.4, -0.8)),
)
_LOBAR_RADIUS = 6.4  # of a bronchus for all lobes at once; Murray's law gives 2.9 to 4 mm for a lobe
_BRANCH_SHARE = 0.48  # of the way to the centroid; with 0.4 the sixth generation stays near the hila
_POINTS = 150  # demand points per lobe
_MARGIN = 8.0  # mm that they keep from the surface
# mm, radii: airway wall (0.2 r), the artery at its side (r) and loose connective tissue
_SHEATH_WALL = (1.0, 1.5)


def lungs(
    scale: float = 1.0, *, seed: int = 1, pleura_depth: float = PLEURA_DEPTH, fissure_gap: float = 0.0
) -> Organ:
    """Return both lungs, 5.56 L at ``scale`` 1 (subject size, of all lengths), in standing coordinates.

    The volume is that of the parenchyma with its air spaces and small vessels; the lumen of airways up to the sixth
    generation is not tissue. At rest, after breathing out, lungs hold about 3.5 L: ``scale`` 0.86. ``seed`` grows
    the airways. ``pleura_depth`` (mm) is the depth of the region below the surface and beside the fissures;
    ``fissure_gap`` (mm) opens the fissures, which are planes if it is 0: the true gap of 0.02 mm is far below a
    voxel. InputError for sizes that are not positive numbers.
    """
    for name, value, least in (
        ("scale", scale, 0.2),
        ("pleura_depth", pleura_depth, 0.0),
        ("fissure_gap", fissure_gap, 0.0),
    ):
        if not (np.isfinite(value) and least <= value <= 10):
            raise InputError(f"lungs: {name} is {value}; it must lie between {least:g} and 10")
    airways = airway_tree(seed)
    depth, gap = pleura_depth / scale, fissure_gap / scale
    return Organ(
        source="lungs",
        lower=_times(LOWER, scale),
        upper=_times(UPPER, scale),
        region_names=REGIONS,
        inside=_inside(airways, scale, gap),
        region_at=_region_at(airways, scale, depth, gap),
        region_samples=None,
        report=built_in_report(
            anatomy=f"built-in lungs: five lobes, {airways.size} airways of generations 0 to {GENERATIONS}",
            regions=f"lobes; pleura: {pleura_depth:g} mm below the surface and beside fissures; sheath of airways",
            volume_ml=(VOLUME_ML - FISSURE_AREA * gap / 1000) * scale**3,
            axes=(("L", "R"), ("P", "A"), ("I", "S")),
            volume_reference="the same formula on a 0.5 mm lattice; with air, near total lung capacity",
        ),
        reference_region="right_lower_lobe",
        vessel_factors={"bronchovascular_sheath": 0.5, "pleura": 0.6},
        niche_regions=("bronchovascular_sheath", "pleura"),
        niche_radius=NICHE_RADIUS * scale,
        vessel_roots=tuple(
            (_times(point, scale), inwards)
            for point, inwards in (
                ((-48.5, 4.5, 143.0), (-1.0, 0.0, 0.0)),
                ((48.5, 4.5, 143.0), (1.0, 0.0, 0.0)),
            )
        ),
    )


@lru_cache(maxsize=8)
def airway_tree(seed: int) -> Tree:
    """Return trachea, main and lobar bronchi and their branches to generation 6 at scale 1; depends on the seed."""
    start, end, radius, generation, parent = zip(*_TRUNK, strict=True)
    trunk = Tree(
        np.array(start),
        np.array(end),
        np.array(radius),
        np.array(generation),
        np.array(parent, dtype=np.int64),
    )
    return join_trees([trunk, *(_lobar_tree(number, seed) for number in range(len(_LOBAR)))])


def _lobar_tree(number: int, seed: int) -> Tree:
    trunk, direction = _LOBAR[number]
    _, root, _, generation, _ = _TRUNK[trunk]

    def inside(lattice: Lattice) -> NDArray[np.bool_]:
        z, y, x = lattice.axes()
        deep = (outline(x, y, z, inset=_MARGIN) < 0) & (to_fissure(x, y, z) > _MARGIN)
        return np.asarray(deep & (lobe(x, y, z) == number))

    points = demand_points(inside, LOWER, UPPER, _POINTS, seed + number)
    return grow_tree(
        points,
        root,
        direction,
        seed + number,
        generations=GENERATIONS - generation - 1,
        share=_BRANCH_SHARE,
        radius=_LOBAR_RADIUS * float(np.cbrt(_LOBE_SHARES[number])),
        first_generation=generation + 1,
    )


def sheath_of(airways: Tree) -> Tree:
    """Return the airways as thick as their bronchovascular sheaths."""
    wall, radii = _SHEATH_WALL
    return Tree(airways.start, airways.end, wall + radii * airways.radius, airways.generation, airways.parent)


def _inside(airways: Tree, scale: float, gap: float) -> Callable[[Lattice], NDArray[np.bool_]]:
    def field(x: Coordinates, y: Coordinates, z: Coordinates) -> Coordinates:
        surface = outline(x, y, z)
        return np.maximum(surface, gap / 2 - to_fissure(x, y, z)) if gap else surface

    def inside(lattice: Lattice) -> NDArray[np.bool_]:
        own = _at_scale_one(lattice, scale)
        return negative_where(field, own, SLOPE) & ~in_segments(airways, own)

    return inside


def _region_at(
    airways: Tree, scale: float, depth: float, gap: float
) -> Callable[[Lattice, NDArray[np.float64]], NDArray[np.uint8]]:
    sheath = sheath_of(airways)

    def core(x: Coordinates, y: Coordinates, z: Coordinates) -> Coordinates:
        return np.maximum(outline(x, y, z, inset=depth), depth + gap / 2 - to_fissure(x, y, z))

    def region_at(lattice: Lattice, _: NDArray[np.float64]) -> NDArray[np.uint8]:
        own = _at_scale_one(lattice, scale)
        z, y, x = own.axes()
        region = np.where(negative_where(core, own, SLOPE), lobe(x, y, z), np.uint8(PLEURA))
        region[in_segments(sheath, own)] = SHEATH
        return region

    return region_at


def _at_scale_one(lattice: Lattice, scale: float) -> Lattice:
    return Lattice(lattice.spacing / scale, _times(lattice.origin, 1 / scale), lattice.shape)


def _times(point: Point, factor: float) -> Point:
    return point[0] * factor, point[1] * factor, point[2] * factor
