"""The built-in kidney: a bent superellipsoid with a renal sinus, a cortex of even depth and nine pyramids."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .kidney_vessels import renal_arteries
from .lattice import Lattice, Point
from .organ import Organ, built_in_report, make_atlas
from .sampling import scaled
from .tree import Tree, demand_points

REGIONS = ("cortex", "medulla", "pelvis")
CORTEX, MEDULLA, PELVIS = range(3)

# All lengths in mm; x to the hilum (medial), z along the long axis.
HALF_SIZE = (30.0, 18.2, 55.0)  # adult kidney 110 x 63 x 36 mm, about 150 mL
POWER = 2.5
BEND = 17.0  # how far the poles lean to the medial side: makes that side concave
CORTEX_THICKNESS = 6.0
VOLUME_ML = 150.96  # of the shape below, on a 0.1 mm lattice
_SINUS_CENTER, _SINUS_HALF = (22.0, 0.0, 0.0), (17.0, 7.5, 24.0)
_HILUM_CENTER, _HILUM_HALF = (38.0, 0.0, 0.0), (15.0, 7.5, 20.0)  # the open mouth of the sinus
_PYRAMIDS = 9  # 7 to 18 in man
_PYRAMID_SPREAD = 108.0  # degrees to either side of the lateral direction
_PYRAMID_HALF_ANGLE = 18.0
_PAPILLA_RADIUS = 3.5
_PAPILLA_ELLIPSE = (14.5, 4.5, 20.4)  # papillae on the sinus wall, alternately in front and behind
_GLOMERULI = 1000  # ends of the arterial tree, one for about a thousand glomeruli
_COLUMN_SIDE = 9.0  # mm in front of or behind the middle, where arteries pass beside a pyramid
_DECIMALS = 6  # the last bits of cos differ between processors; six decimals do not

# model.md 5.8: medulla 0.5, pelvis 0.4 of the cortex; niches at the corticomedullary border
RENAL_MAPS: dict[str, Any] = {
    "reference_region": "cortex",
    "vessel_factors": {"medulla": 0.5, "pelvis": 0.4},
    "niche_regions": ("cortex",),
    "niche_border": "medulla",
}

Coordinates = NDArray[np.float64]


def kidney(scale: float = 1.0) -> Organ:
    """Return the built-in kidney, centered on the origin; ``scale`` multiplies every length.

    InputError for a scale that is no positive number.
    """
    lower, upper = _bounds()
    organ = Organ(
        source="kidney",
        lower=lower,
        upper=upper,
        region_names=REGIONS,
        inside=inside_kidney,
        region_at=_region_at,
        region_samples=None,
        report=built_in_report(
            anatomy="built-in kidney: bent superellipsoid, sinus, 9 pyramids",
            regions="cortex: depth <= 6 mm and columns; medulla: pyramids; pelvis: renal sinus",
            volume_ml=VOLUME_ML,
            volume_reference="the same formula on a 0.1 mm lattice",
            axes=(("lateral", "medial"), ("P", "A"), ("I", "S")),
        ),
        arteries=kidney_arteries,
        **RENAL_MAPS,
    )
    return scaled(organ, scale)


@lru_cache(maxsize=4)
def kidney_arteries(seed: int) -> Tree:
    """Return the arteries of the built-in kidney, from the hilum to the cortex, grown by seed."""
    return arteries_between_pyramids(glomeruli_of(kidney(), seed), seed)


def arteries_between_pyramids(glomeruli: Coordinates, seed: int) -> Tree:
    """Return the arteries to points (k, 3) in the cortex, along the columns of the built-in kidney; its coordinates."""
    return renal_arteries(glomeruli, _columns(), seed)


def glomeruli_of(organ: Organ, seed: int) -> Coordinates:
    """Return the points (k, 3) in the cortex of any kidney, x y z in mm, at which its arteries end."""
    atlas = make_atlas(organ)

    def in_cortex(lattice: Lattice) -> NDArray[np.bool_]:
        region = organ.region_at(lattice, atlas.depth.on(lattice))
        return np.asarray(organ.inside(lattice) & (region == CORTEX))

    return demand_points(in_cortex, organ.lower, organ.upper, _GLOMERULI, seed)


def _columns() -> list[tuple[Point, Point]]:
    """Return where an artery leaves the sinus for each column and where it reaches the base of the pyramids.

    Pyramids lie in front and behind by turns, so beside each one, on the other side, a column leads to the cortex.
    The base is at the depth of the cortex.
    """
    angles = np.linspace(-_PYRAMID_SPREAD, _PYRAMID_SPREAD, _PYRAMIDS)
    center = np.array([_SINUS_CENTER[0], _SINUS_CENTER[2]])
    columns = []
    for number, angle in enumerate(angles):
        side = -_pyramid_side(number)
        way = np.array([-np.cos(np.radians(angle)), np.sin(np.radians(angle))])  # x, z
        reach = np.arange(0.0, 2 * HALF_SIZE[2], 0.01)
        surface = float(reach[_outline(*(center[:, None] + way[:, None] * reach)) < 1].max())
        entry = center + way * (_SINUS_HALF[0] - 1.0, _SINUS_HALF[2] - 2.0)
        base = center + way * (surface - CORTEX_THICKNESS - 1.0)
        columns.append((_beside(entry, side), _beside(base, side)))
    return columns


def _beside(place: Coordinates, side: float) -> Point:
    x, z = np.round(place, _DECIMALS)
    return float(x), side * _COLUMN_SIDE, float(z)


def _pyramid_side(number: int) -> float:
    return 1.0 if number % 2 else -1.0


def inside_kidney(lattice: Lattice) -> NDArray[np.bool_]:
    """Return which centers have |(x - b (z/c)^2)/a|^p + |y/t|^p + |z/c|^p < 1 and are not in the hilum.

    The first and third terms depend on (z, x), the second on y alone, so a box costs one sum per sample.
    """
    z, y, x = lattice.axes()
    solid = (_outline(x, z) + np.abs(y / HALF_SIZE[1]) ** POWER) < 1
    return np.asarray(solid & ~_in_ellipsoid(x, y, z, _HILUM_CENTER, _HILUM_HALF))


def _outline(x: Coordinates, z: Coordinates) -> Coordinates:
    """Return |(x - b (z/c)^2)/a|^p + |z/c|^p, below 1 in the plane y = 0 of the kidney without its hilum."""
    width, _, length = HALF_SIZE
    bent = (x - BEND * (z / length) ** 2) / width
    return np.asarray(np.abs(bent) ** POWER + np.abs(z / length) ** POWER)


def renal_region(x: Coordinates, y: Coordinates, z: Coordinates, depth: Coordinates) -> NDArray[np.uint8]:
    """Return the region number at points given in the built-in kidney's coordinates and depth (mm).

    Sinus before cortex before pyramids; what is left between the pyramids are the cortical columns.
    """
    deep = depth > CORTEX_THICKNESS
    region = np.where(deep & _in_pyramids(x, y, z), np.uint8(MEDULLA), np.uint8(CORTEX))
    return np.where(_in_ellipsoid(x, y, z, _SINUS_CENTER, _SINUS_HALF), np.uint8(PELVIS), region)


def _region_at(lattice: Lattice, depth: NDArray[np.float64]) -> NDArray[np.uint8]:
    z, y, x = lattice.axes()
    return renal_region(x, y, z, depth)


def _in_ellipsoid(
    x: Coordinates, y: Coordinates, z: Coordinates, center: Point, half: Point
) -> NDArray[np.bool_]:
    terms = (((value - c) / s) ** 2 for value, c, s in zip((x, y, z), center, half, strict=True))
    return np.asarray(sum(terms) < 1)


def _in_pyramids(x: Coordinates, y: Coordinates, z: Coordinates) -> NDArray[np.bool_]:
    """Return which points are in a cone that widens from a papilla on the sinus wall towards the surface."""
    inside = np.zeros(np.broadcast_shapes(x.shape, y.shape, z.shape), dtype=np.bool_)
    slope = np.tan(np.radians(_PYRAMID_HALF_ANGLE))
    for number, angle in enumerate(np.radians(np.linspace(-_PYRAMID_SPREAD, _PYRAMID_SPREAD, _PYRAMIDS))):
        side = _pyramid_side(number)
        from_x = x - (_SINUS_CENTER[0] - _PAPILLA_ELLIPSE[0] * np.cos(angle))
        from_y = y - side * _PAPILLA_ELLIPSE[1]
        from_z = z - _PAPILLA_ELLIPSE[2] * np.sin(angle)
        along = from_z * np.sin(angle) - from_x * np.cos(angle)
        radius = _PAPILLA_RADIUS + slope * along
        across = from_x**2 + from_z**2 - along**2 + from_y**2
        inside |= (along > 0) & (across < radius**2)
    return inside


def _bounds() -> tuple[Point, Point]:
    """Return the corners of the tight box: x reaches b s^2 + a (1 - s^p)^(1/p) at height s = |z|/c."""
    width, thickness, length = HALF_SIZE
    height = np.linspace(0, 1, 10_001)
    reach = BEND * height**2 + width * (1 - height**POWER) ** (1 / POWER)
    return (-width, -thickness, -length), (float(reach.max()), thickness, length)
