"""Directions of muscle fibers in the built-in heart, by rule: a helix that turns through the wall."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .heart_form import AXES, BASE, ROOF, Chambers, Walls, chambers, in_parts, to_heart
from .lattice import Lattice
from .primitives import Coordinates, Values

# Streeter 1969 (Circ Res 24:339): +60 degrees at the endocardium, 0 in the middle, -60 at the epicardium; as a rule for
# any geometry: Bayer 2012 (Ann Biomed Eng 40:2243).
HELIX = 60.0
_STEP = 0.05  # mm, of the differences that give the normal
_SMALL = 1e-6
_DECIMALS = 6  # the last bits of sin differ between processors; six decimals do not
LEFT, RIGHT, LEFT_ATRIUM, RIGHT_ATRIUM = range(4)


def fibre_directions(lattice: Lattice, walls: Walls) -> NDArray[np.float64]:
    """Return unit vectors (z, y, x, 3), components x y z, at every center of the box.

    In the ventricles the angle to the circumference falls from +60 to -60 degrees from the inner to the outer
    surface; atria run around their axis; other points have the direction of the nearest chamber's surface.
    """
    z, y, x = lattice.axes()
    result = np.empty((*lattice.shape, 3))
    for layers, slab in lattice.slabs(4):
        z = slab.axes()[0]
        result[layers] = in_parts(lambda x, y, z: helix(to_heart(x, y, z), walls) @ AXES, x, y, z)
    return np.asarray(np.round(result, _DECIMALS))


def helix(at: Coordinates, walls: Walls) -> NDArray[np.float64]:
    """Return unit vectors (..., 3) in p, q, w at points p, q, w.

    With n the outward normal and c = w x n the circumference, counterclockwise seen from the base, the fiber is
    cos(a) c + sin(a) n x c: a right-handed helix within, a left-handed one outside.
    """
    here = chambers(at, walls)
    chamber = nearest_chamber(here, at[2])
    normal = _normals(at, walls, chamber)
    around = np.stack([-normal[..., 1], normal[..., 0], np.zeros_like(normal[..., 0])], axis=-1)
    length = np.sqrt(np.square(around).sum(axis=-1, keepdims=True))
    # on the axis every direction is tangential; q is as good as any
    around = np.where(length > _SMALL, around / np.maximum(length, _SMALL), [0.0, 1.0, 0.0])
    turn = np.where(chamber <= RIGHT, 1.0 - 2.0 * np.clip(_transmural(here, chamber), 0.0, 1.0), 0.0)
    angle = np.radians(HELIX * turn)[..., None]
    fibre = np.cos(angle) * around + np.sin(angle) * np.cross(normal, around)
    return np.asarray(fibre / np.sqrt(np.square(fibre).sum(axis=-1, keepdims=True)))


def nearest_chamber(here: Chambers, level: Values) -> NDArray[np.int64]:
    """Return which chamber's wall a point belongs to: the first that encloses it, else the nearest.

    Ventricles end at their roof, ``level`` (w, mm) = 23.
    """
    above = level - (BASE + ROOF)
    ventricles = [np.maximum(here.left[1], above), np.maximum(here.right[1], above)]
    outer = np.stack([*ventricles, here.left_atrium[1], here.right_atrium[1]])
    enclosed = outer < 0
    return np.asarray(np.where(enclosed.any(axis=0), enclosed.argmax(axis=0), outer.argmin(axis=0)))


def _transmural(here: Chambers, chamber: NDArray[np.int64]) -> Values:
    """Return the depth in the wall: 0 at the inner surface, 1 at the outer one."""
    depths = []
    for inner, outer in (here.left, here.right, here.left_atrium, here.right_atrium):
        depths.append(inner / np.maximum(inner - outer, _SMALL))
    return np.asarray(np.choose(chamber, depths))


def _normals(at: Coordinates, walls: Walls, chamber: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the outward unit normal (..., 3): the gradient of the transmural depth, by central differences."""
    slopes = []
    for axis in range(3):
        ends = []
        for side in (-_STEP, _STEP):
            moved = [values + side if k == axis else values for k, values in enumerate(at)]
            ends.append(_transmural(chambers((moved[0], moved[1], moved[2]), walls), chamber))
        slopes.append(ends[1] - ends[0])
    normal = np.stack(slopes, axis=-1)
    length = np.sqrt(np.square(normal).sum(axis=-1, keepdims=True))
    # in the middle of a chamber the depth has no slope: there is no wall either
    return np.where(length > _SMALL, normal / np.maximum(length, _SMALL), [1.0, 0.0, 0.0])
