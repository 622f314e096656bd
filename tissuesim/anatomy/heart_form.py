"""The form of the built-in heart: signed distances of walls and chambers in the heart's own axes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .heart_vessels import vessel_forms
from .lattice import Point
from .primitives import Coordinates, Values, ellipsoid, smooth_union, tube

LEFT, RIGHT, LEFT_ATRIUM, RIGHT_ATRIUM = CHAMBERS = range(4)

# Axes of the heart as rows of a rotation. In the body x is right, y front, z up; in the heart p points from the
# left to the right ventricle, q to the anterior wall and w from the apex (left, front, down) to the base.
AXES = np.array(
    [
        [0.735581, 0.598336, -0.317671],
        [-0.148946, 0.600302, 0.785782],
        [0.660860, -0.530690, 0.530690],
    ]
)

# All lengths in mm, of a man's heart at end-diastole; positions in p, q, w from the middle of the left ventricle.
BASE = 20.0  # w of the valve plane
ROOF = 3.0  # fibrous tissue over the ventricles around the valves
LEFT_POOL = (26.0, 26.0, 66.5)
RIGHT_CENTER, RIGHT_POOL = (23.0, 3.0, 6.0), (45.0, 38.0, 62.5)
CONUS = ((24.0, 22.0, -8.0), (14.0, 41.0, 20.0))  # right outflow tract, up to the pulmonary valve
CONUS_RADIUS = 12.0
ATRIA = {  # middle and half axes of the body and of the appendage
    LEFT_ATRIUM: (((-8.0, -10.0, 40.0), (24.0, 20.0, 20.0)), ((-27.0, 14.0, 33.0), (7.0, 15.0, 7.0))),
    RIGHT_ATRIUM: (((46.0, -5.0, 37.0), (23.0, 23.0, 22.0)), ((36.0, 19.0, 33.0), (14.0, 10.0, 8.0))),
}
MITRAL, MITRAL_RADIUS = (-6.0, -8.0), 14.0
TRICUSPID, TRICUSPID_RADIUS = (46.0, -4.0), 13.0
PAPILLARY = (((-13.0, 17.0, -36.0), (-11.0, 11.0, -8.0)), ((-13.0, -17.0, -36.0), (-11.0, -12.0, -8.0)))
PAPILLARY_RADIUS = 4.0
APEX_SHARE = 0.8  # wall thickness at the apex relative to the equator
GROOVE = 16.0  # width over which fat fills the creases between chambers
BLEND = 8.0  # width over which parts of one chamber join, and over which the ventricles' rims are rounded
_PART = 8_192  # points evaluated at once: their arrays stay in the cache


@dataclass(frozen=True)
class Walls:
    """Thicknesses in mm: walls of left ventricle, right ventricle and atria; fat outside the grooves."""

    left: float
    right: float
    atria: float
    fat: float

    @property
    def left_outer_half(self) -> Point:
        """Half axes of the left ventricle's outer surface: its wall is thinner at the apex."""
        across, _, length = LEFT_POOL
        return (across + self.left, across + self.left, length + APEX_SHARE * self.left)

    @property
    def right_outer_half(self) -> Point:
        """Half axes of the outer surface of the right ventricle's body."""
        return (RIGHT_POOL[0] + self.right, RIGHT_POOL[1] + self.right, RIGHT_POOL[2] + self.right)


@dataclass(frozen=True)
class Form:
    """Signed distances (mm, negative inside); outer forms include the blood within."""

    left_outer: Values
    left_pool: Values
    right_outer: Values
    right_pool: Values
    left_atrium_outer: Values
    right_atrium_outer: Values
    vessels_outer: Values
    blood: Values
    envelope: Values

    @property
    def tissue(self) -> Values:
        """Signed distance of the walls: all that is enclosed, without the blood."""
        return np.asarray(np.maximum(np.minimum(self.envelope, self.vessels_outer), -self.blood))


def to_heart(x: Values, y: Values, z: Values) -> Coordinates:
    """Return p, q, w of body coordinates (mm) that broadcast together."""
    p, q, w = (row[0] * x + row[1] * y + row[2] * z for row in AXES)
    return p, q, w


def to_body(point: Point) -> Point:
    """Return x, y, z of a point or direction given in p, q, w."""
    x, y, z = (float(value) for value in np.asarray(point) @ AXES)
    return x, y, z


def in_parts(function: Callable[..., NDArray[Any]], *coordinates: Values) -> NDArray[Any]:
    """Return function(x, y, z) of arrays of one dimensionality that broadcast together, a cache-sized part at a time.

    Parts are compact, so that what is far from all of a part can be skipped.
    """
    shape = np.broadcast_shapes(*(values.shape for values in coordinates))
    size = list(shape)
    while int(np.prod(size)) > _PART:
        longest = int(np.argmax(size))
        size[longest] = -(-size[longest] // 2)
    result: NDArray[Any] | None = None
    for corner in np.ndindex(*(-(-whole // part) for whole, part in zip(shape, size, strict=True))):
        window = tuple(
            slice(place * part, (place + 1) * part) for place, part in zip(corner, size, strict=True)
        )
        found = function(*(_window(values, window) for values in coordinates))
        if result is None:
            result = np.empty(shape + found.shape[len(shape) :], found.dtype)
        result[window] = found
    return function(*coordinates) if result is None else result


def _window(values: Values, window: tuple[slice, ...]) -> Values:
    """Return the part of an array that broadcasts to a window."""
    pairs = zip(window, values.shape, strict=True)
    return values[tuple(part if count > 1 else slice(None) for part, count in pairs)]


def chamber_form(at: Coordinates, walls: Walls, chamber: int) -> tuple[Values, Values]:
    """Return the signed distances (mm) of a chamber's blood and of its outer surface at points p, q, w.

    Both go on beyond the valve plane and into other chambers; `heart_form` cuts them.
    """
    if chamber == LEFT:
        origin = (0.0, 0.0, 0.0)
        return ellipsoid(at, origin, LEFT_POOL), ellipsoid(at, origin, walls.left_outer_half)
    if chamber == RIGHT:
        body = ellipsoid(at, RIGHT_CENTER, RIGHT_POOL)
        outer_body = ellipsoid(at, RIGHT_CENTER, walls.right_outer_half)
        conus = tube(at, *CONUS)[0] - CONUS_RADIUS
        return smooth_union(body, conus, BLEND), smooth_union(outer_body, conus - walls.right, BLEND)
    main, appendage = ATRIA[chamber]
    pool = smooth_union(ellipsoid(at, *main), ellipsoid(at, *appendage), BLEND)
    return pool, pool - walls.atria


def heart_form(at: Coordinates, walls: Walls) -> Form:
    """Return the signed distances of all parts at points p, q, w (mm)."""
    (left, left_solid), (right, right_solid) = (chamber_form(at, walls, one) for one in (LEFT, RIGHT))
    left_atrium_pool, left_atrium = chamber_form(at, walls, LEFT_ATRIUM)
    right_atrium_pool, right_atrium = chamber_form(at, walls, RIGHT_ATRIUM)
    below_roof, conus_top = at[2] - (BASE + ROOF), at[2] - CONUS[1][2]
    papillary = _union(*(tube(at, *ends)[0] - PAPILLARY_RADIUS for ends in PAPILLARY))
    left_pool = np.maximum(np.maximum(left, at[2] - BASE), -papillary)
    right_pool = np.maximum(np.maximum(right, conus_top), -left_solid)
    atrial_pools = _union(left_atrium_pool, np.maximum(right_atrium_pool, -left_atrium))
    lumens, vessels = vessel_forms(at)
    aorta = vessels[0]
    left_outer, right_outer = _cut(left_solid, below_roof), _cut(right_solid, below_roof)
    envelope = smooth_union(
        smooth_union(left_outer, right_outer, GROOVE),
        smooth_union(left_atrium, right_atrium, GROOVE),
        GROOVE,
    )
    blood = _union(
        left_pool,
        np.maximum(_union(right_pool, np.maximum(atrial_pools, -below_roof)), -aorta),
        _orifice(at, MITRAL, MITRAL_RADIUS),
        np.maximum(_orifice(at, TRICUSPID, TRICUSPID_RADIUS), -left_solid),
        *lumens,
    )
    return Form(
        left_outer=left_outer,
        left_pool=left_pool,
        right_outer=right_outer,
        right_pool=right_pool,
        left_atrium_outer=left_atrium,
        right_atrium_outer=right_atrium,
        vessels_outer=_union(*vessels),
        blood=blood,
        envelope=envelope - walls.fat,
    )


def _union(*parts: Values) -> Values:
    return reduce(np.minimum, parts)


def _cut(solid: Values, plane: Values) -> Values:
    """Return what lies in both, with a rounded rim."""
    return -smooth_union(-solid, -plane, BLEND)


def _orifice(at: Coordinates, center: tuple[float, float], radius: float) -> Values:
    """Return the distance to a valve opening: a disc through the roof that reaches into both chambers."""
    p, q = at[0] - center[0], at[1] - center[1]
    return np.asarray(np.maximum(np.sqrt(p * p + q * q) - radius, np.abs(at[2] - (BASE + 4.0)) - 6.0))
