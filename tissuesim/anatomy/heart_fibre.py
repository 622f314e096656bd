"""Directions of muscle fibers in the built-in heart, by rule: a helix that turns through the wall."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .heart_form import AXES, BASE, CHAMBERS, LEFT, RIGHT, ROOF, Walls, chamber_form, in_parts, to_heart
from .lattice import Lattice
from .primitives import Coordinates, Values

# Streeter 1969 (Circ Res 24:339): +60 degrees at the endocardium, 0 in the middle, -60 at the epicardium; as a rule for
# any geometry: Bayer 2012 (Ann Biomed Eng 40:2243).
HELIX = 60.0
_STEP = 0.05  # mm, of the differences that give the normal
_SMALL = 1e-6
_DECIMALS = 6  # the last bits of sin differ between processors; six decimals do not


def fibre_directions(lattice: Lattice, walls: Walls) -> NDArray[np.float64]:
    """Return unit vectors (z, y, x, 3), components x y z, at every center of the box.

    In the ventricles the angle to the circumference falls from +60 to -60 degrees from the inner to the outer
    surface; atria run around their axis; other points have the direction of the nearest chamber's surface.
    """
    _, y, x = lattice.axes()
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
    at = _same_shape(at)
    chamber = nearest_chamber(at, walls)
    depth, normal = np.empty(chamber.shape), np.empty((*chamber.shape, 3))
    for one in CHAMBERS:
        own = chamber == one
        if own.any():
            points = at[0][own], at[1][own], at[2][own]
            depth[own], normal[own] = _transmural(points, walls, one), _normals(points, walls, one)
    around = np.stack([-normal[..., 1], normal[..., 0], np.zeros_like(normal[..., 0])], axis=-1)
    length = np.sqrt(np.square(around).sum(axis=-1, keepdims=True))
    # on the axis every direction is tangential; q is as good as any
    around = np.where(length > _SMALL, around / np.maximum(length, _SMALL), [0.0, 1.0, 0.0])
    turn = np.where(chamber <= RIGHT, 1.0 - 2.0 * np.clip(depth, 0.0, 1.0), 0.0)
    angle = np.radians(HELIX * turn)[..., None]
    fibre = np.cos(angle) * around + np.sin(angle) * np.cross(normal, around)
    return np.asarray(fibre / np.sqrt(np.square(fibre).sum(axis=-1, keepdims=True)))


def nearest_chamber(at: Coordinates, walls: Walls) -> NDArray[np.int64]:
    """Return which chamber's wall a point belongs to: the first that encloses it, else the nearest."""
    outer = np.stack([chamber_form(at, walls, one)[1] for one in CHAMBERS])
    outer[[LEFT, RIGHT]] = np.maximum(
        outer[[LEFT, RIGHT]], at[2] - (BASE + ROOF)
    )  # ventricles end at their roof
    enclosed = outer < 0
    return np.asarray(np.where(enclosed.any(axis=0), enclosed.argmax(axis=0), outer.argmin(axis=0)))


def _same_shape(at: Coordinates) -> Coordinates:
    """Return the coordinates as arrays of one shape."""
    p, q, w = np.broadcast_arrays(*at)
    return p, q, w


def _transmural(at: Coordinates, walls: Walls, chamber: int) -> Values:
    """Return the depth in the wall: 0 at the inner surface, 1 at the outer one."""
    inner, outer = chamber_form(at, walls, chamber)
    return np.asarray(inner / np.maximum(inner - outer, _SMALL))


def _normals(at: Coordinates, walls: Walls, chamber: int) -> NDArray[np.float64]:
    """Return the outward unit normal (n, 3): the gradient of the transmural depth, by central differences."""
    slopes = []
    for axis in range(3):
        ends = []
        for side in (-_STEP, _STEP):
            p, q, w = (values + side if k == axis else values for k, values in enumerate(at))
            ends.append(_transmural((p, q, w), walls, chamber))
        slopes.append(ends[1] - ends[0])
    normal = np.stack(slopes, axis=-1)
    length = np.sqrt(np.square(normal).sum(axis=-1, keepdims=True))
    # in the middle of a chamber the depth has no slope: there is no wall either
    return np.where(length > _SMALL, normal / np.maximum(length, _SMALL), [1.0, 0.0, 0.0])
