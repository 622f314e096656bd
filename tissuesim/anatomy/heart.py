"""The built-in heart: two ventricles and their septum, two atria, fat in the grooves, stumps of the vessels."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from tissuesim.errors import InputError

from .heart_fibre import fibre_directions
from .heart_form import (
    BASE,
    RIGHT_CENTER,
    Walls,
    heart_form,
    in_parts,
    to_body,
    to_heart,
)
from .implicit import negative_where
from .lattice import Lattice, Point
from .organ import Organ, built_in_report
from .primitives import Coordinates, Values, ellipsoid
from .sampling import counted_ml, scaled

REGIONS = (
    "left_ventricle",
    "right_ventricle",
    "septum",
    "left_atrium",
    "right_atrium",
    "epicardium",
    "great_vessels",
)
LEFT_VENTRICLE, RIGHT_VENTRICLE, SEPTUM, LEFT_ATRIUM, RIGHT_ATRIUM, EPICARDIUM, GREAT_VESSELS = range(7)
DEFAULT = Walls(left=9.6, right=3.8, atria=2.3, fat=1.2)
VOLUME_ML = 345.95  # of the default shape on a 0.25 mm lattice
# capillaries per volume relative to the left ventricle; fat and vessel walls have few
VESSEL_FACTORS = {
    "right_ventricle": 0.9,
    "septum": 1.0,
    "left_atrium": 0.6,
    "right_atrium": 0.6,
    "epicardium": 0.25,
    "great_vessels": 0.15,
}
# (point, direction) of the coronary ostia on the aortic root in p, q, w: left towards the groove behind the
# pulmonary trunk, right towards the groove between right appendage and outflow tract.
_OSTIA: tuple[tuple[Point, Point], ...] = (
    ((-3.7, 24.4, 28.0), (-0.8, 0.6, 0.0)),
    ((20.8, 20.5, 28.0), (0.95, 0.312, 0.0)),
)
_LIMITS = {"left_wall": (4.0, 20.0), "right_wall": (1.5, 12.0), "atrial_wall": (1.0, 5.0), "fat": (0.0, 6.0)}
_REACH = 110.0  # mm: no part of the heart is further from the middle of the left ventricle
_STEEPEST = 1.3  # change of the field per mm near a surface; a true distance has 1


def heart(
    scale: float = 1.0,
    left_wall: float = DEFAULT.left,
    right_wall: float = DEFAULT.right,
    atrial_wall: float = DEFAULT.atria,
    fat: float = DEFAULT.fat,
) -> Organ:
    """Return the built-in heart at end-diastole, x right, y front, z up, around the left ventricle's middle.

    ``scale`` multiplies every length. Wall thicknesses and that of the fat outside the grooves are in mm at scale 1;
    walls grow outwards, so that the chambers keep their volumes. Raises InputError for a size that no heart has.
    """
    values = {"left_wall": left_wall, "right_wall": right_wall, "atrial_wall": atrial_wall, "fat": fat}
    for name, value in values.items():
        low, high = _LIMITS[name]
        if not low <= value <= high:
            raise InputError(f"{name} of the heart is {value} mm; it must be {low:g} to {high:g} mm")
    walls = Walls(left_wall, right_wall, atrial_wall, fat)
    lower, upper = _bounds(walls)
    inside = partial(_inside, walls=walls)
    volume = VOLUME_ML if walls == DEFAULT else counted_ml(inside, Lattice.covering(lower, upper, 0.5))
    organ = Organ(
        source="heart",
        lower=lower,
        upper=upper,
        region_names=REGIONS,
        inside=inside,
        region_at=partial(_region_at, walls=walls),
        region_samples=None,
        report=built_in_report(
            anatomy="built-in heart: truncated ellipsoids, right ventricle as a crescent, fat fills the grooves",
            regions="septum: wall between the ventricles; epicardium: outer layer and grooves; roof with atria",
            volume_ml=volume,
            volume_reference="the same formula on a finer lattice",
            axes=(("L", "R"), ("P", "A"), ("I", "S")),
        ),
        reference_region="left_ventricle",
        vessel_factors=VESSEL_FACTORS,
        niche_regions=("epicardium",),
        niche_radius=1.0,
        vessel_roots=tuple((to_body(point), to_body(inwards)) for point, inwards in _OSTIA),
        fibre=partial(fibre_directions, walls=walls),
    )
    return scaled(organ, scale)


def heart_region(at: Coordinates, walls: Walls) -> NDArray[np.uint8]:
    """Return the region number at points p, q, w (mm): ventricles before atria before vessels before fat."""
    form = heart_form(at, walls)
    left = form.left_outer < 0
    region = np.full(left.shape, EPICARDIUM, dtype=np.uint8)
    region[form.vessels_outer < 0] = GREAT_VESSELS
    region[form.right_atrium_outer < 0] = RIGHT_ATRIUM
    region[form.left_atrium_outer < 0] = LEFT_ATRIUM
    region[form.right_outer < 0] = RIGHT_VENTRICLE
    region[left] = np.where(_faces_right(at, walls), np.uint8(SEPTUM), np.uint8(LEFT_VENTRICLE))[left]
    region[left & (at[2] > BASE)] = LEFT_ATRIUM  # the fibrous roof
    return region


def _faces_right(at: Coordinates, walls: Walls) -> NDArray[np.bool_]:
    """Return which points, moved outwards onto the left ventricle, lie in the right one."""
    half = walls.left_outer_half
    squares = sum((value / size) ** 2 for value, size in zip(at, half, strict=True))
    level = np.sqrt(np.maximum(squares, 1e-12))
    p, q, w = (value / level for value in at)
    return np.asarray(ellipsoid((p, q, w), RIGHT_CENTER, walls.right_outer_half) < 0)


def _inside(lattice: Lattice, walls: Walls) -> NDArray[np.bool_]:
    def tissue(x: Values, y: Values, z: Values) -> Values:
        return heart_form(to_heart(x, y, z), walls).tissue

    return negative_where(tissue, lattice, _STEEPEST)


def _region_at(lattice: Lattice, depth: NDArray[np.float64], walls: Walls) -> NDArray[np.uint8]:
    z, y, x = lattice.axes()
    return in_parts(lambda *part: heart_region(to_heart(*part), walls), x, y, z)


def _bounds(walls: Walls) -> tuple[Point, Point]:
    """Return whole millimeters around all tissue, found on a 2 mm lattice."""
    spacing = 2.0
    lattice = Lattice.covering((-_REACH, -_REACH, -_REACH), (_REACH, _REACH, _REACH), spacing)
    cells = np.argwhere(_inside(lattice, walls))[:, ::-1]
    corner = np.asarray(lattice.origin)
    x, y, z = (float(value) for value in cells.min(axis=0) * spacing + corner - spacing)
    right, front, top = (float(value) for value in (cells.max(axis=0) + 1) * spacing + corner + spacing)
    return (x, y, z), (right, front, top)
