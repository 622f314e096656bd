"""The outline of the lungs and the borders of their lobes, as formulas of the place.

Coordinates in mm: x to the patient's right, y forwards, z upwards (as in NIfTI); x = 0 is the median plane, z = 0 the
bottom of the recesses behind the diaphragm. Each function takes x, y, z that broadcast together.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .implicit import Coordinates

HEIGHT = 268.0  # of the lungs from recess to apex, near total lung capacity
_HALF_WIDTH, _HALF_DEPTH = 70.0, 99.0  # of the rib cage on one side, across and from front to back
_LEFT_LESS = 1.7  # what the left half width has less than this, and the right one more
_CENTER = 75.0  # of a side
_APEX_LEAN, _BACK_LEAN = 31.0, 39.0  # of the apices, inwards and backwards
_POWER, _TAPER = 2.3, 2.5
_GAP = 4.5  # half the distance of the lungs where they come closest, in front of the great vessels
_SPINE = ((0.0, -41.5), (25.5, 88.0))  # center and half size (x, y) of the spine and what lies before it
_HEART = ((-20.5, 41.5, 85.0), (71.0, 64.5, 71.0))  # with pericardium; its left part makes the cardiac notch
_HILUM = ((38.0, -4.5, 143.0), (17.0, 25.5, 31.0))  # recess of the medial surface; mirrored on the left
_DOME = (50.0, 6.0, (71.5, 7.0), (53.0, 71.5))  # height, how much more right, center and widths (x, y)
_BASE_RISE = (0.12, 0.15)  # of the lower border per mm inwards and forwards
_STEEPEST = 1.5  # cut of the square forms beyond the surface, which bounds their slope

SLOPE = 1.25  # bound of |gradient| of `outline`; a test measures it


def outline(x: Coordinates, y: Coordinates, z: Coordinates, inset: float = 0.0) -> Coordinates:
    """Return a field (mm, not a distance) that is negative inside the lungs, ``inset`` mm below their surface.

    The rib cage, less the diaphragm's domes, the spine, the heart and the hila.
    """
    u = np.abs(x)
    field = np.maximum(_rib_cage(x, y, z, inset), _GAP + inset - u)
    field = np.maximum(field, _above_diaphragm(x, y, z, inset))
    field = np.maximum(field, _beside_spine(u, y, inset))
    field = np.maximum(field, _outside(x, y, z, *_HEART, inset))
    return np.asarray(np.maximum(field, _outside(u, y, z, *_HILUM, inset)))


def _rib_cage(x: Coordinates, y: Coordinates, z: Coordinates, inset: float) -> Coordinates:
    """|U|^p + |V|^p + t^q - 1: a rounded column whose center leans inwards and backwards towards the apex."""
    t = np.clip(z / HEIGHT, 0.0, 1.5)
    half = _HALF_WIDTH + _LEFT_LESS * _side(x) - inset
    across = (np.abs(x) - _CENTER + _APEX_LEAN * t**2) / half
    along = (y + _BACK_LEAN * t**1.5) / (_HALF_DEPTH - inset)
    top = np.clip(z / (HEIGHT - inset), 0.0, 1.5) ** _TAPER
    form = (np.abs(across) ** _POWER + top) + np.abs(along) ** _POWER
    return np.asarray((np.minimum(form, _STEEPEST) - 1) * (_HALF_WIDTH / 3.0))


def _side(x: Coordinates) -> Coordinates:
    """Return 1 on the right and -1 on the left, without a jump at the median plane."""
    return np.asarray(np.clip(x / 23.0, -1.0, 1.0))


def _above_diaphragm(x: Coordinates, y: Coordinates, z: Coordinates, inset: float) -> Coordinates:
    """Return how far a place is below the diaphragm, in about mm."""
    height, more, center, width = _DOME
    bell = np.exp(-(((np.abs(x) - center[0]) / width[0]) ** 2)) * np.exp(-(((y - center[1]) / width[1]) ** 2))
    floor = (height + more * _side(x)) * bell
    floor = floor + _BASE_RISE[0] * (_CENTER + _HALF_WIDTH - np.abs(x)) + _BASE_RISE[1] * (_HALF_DEPTH + y)
    return np.asarray((floor + 1.2 * inset - z) / 1.35)


def _beside_spine(u: Coordinates, y: Coordinates, inset: float) -> Coordinates:
    center, half = _SPINE
    form = (u / (half[0] + inset)) ** 2 + ((y - center[1]) / (half[1] + inset)) ** 2
    return np.asarray((1 - np.minimum(form, _STEEPEST)) * half[0] / 2.45)


def _outside(
    x: Coordinates,
    y: Coordinates,
    z: Coordinates,
    center: tuple[float, float, float],
    half: tuple[float, float, float],
    inset: float,
) -> Coordinates:
    """Return a field that is negative outside an ellipsoid, with a slope of at most about 1."""
    terms = (
        ((value - c) / (h + inset)) ** 2
        for value, c, h in zip((z, x, y), _zxy(center), _zxy(half), strict=True)
    )
    return np.asarray((1 - np.minimum(sum(terms), _STEEPEST)) * min(half) / 2.45)


def _zxy(point: tuple[float, float, float]) -> tuple[float, float, float]:
    return point[2], point[0], point[1]


# Fissures: z of the oblique one (right, left) in the middle of a side at y = 0, its fall forwards, its sag away
# from there; z of the horizontal one of the right lung, and its fall forwards.
_OBLIQUE = (111.0, 112.0)
_FALL, _SAG = 0.95, 0.0014
_HORIZONTAL, _HORIZONTAL_FALL = 148.0, 0.2


def above_oblique(x: Coordinates, y: Coordinates, z: Coordinates) -> Coordinates:
    """Return the distance (mm, to first order) above the oblique fissure: positive in upper and middle lobes."""
    level = np.where(x > 0, _OBLIQUE[0], _OBLIQUE[1]) - _SAG * (np.abs(x) - _CENTER) ** 2
    return np.asarray((z - (level - _FALL * y)) / np.sqrt(1 + _FALL**2))


def above_horizontal(y: Coordinates, z: Coordinates) -> Coordinates:
    """Return the distance (mm) above the horizontal fissure: positive in the right upper lobe."""
    return np.asarray((z - (_HORIZONTAL - _HORIZONTAL_FALL * y)) / np.sqrt(1 + _HORIZONTAL_FALL**2))


def to_fissure(x: Coordinates, y: Coordinates, z: Coordinates) -> Coordinates:
    """Return the distance (mm, to first order) to the nearest fissure; the horizontal one is on the right only."""
    oblique = above_oblique(x, y, z)
    third = np.where((x > 0) & (oblique > 0), np.abs(above_horizontal(y, z)), np.inf)
    return np.asarray(np.minimum(np.abs(oblique), third))


def lobe(x: Coordinates, y: Coordinates, z: Coordinates) -> NDArray[np.uint8]:
    """Return the number of the lobe: right upper 0, middle 1, lower 2, left upper 3, lower 4."""
    upper = above_oblique(x, y, z) > 0
    right = np.where(upper, np.where(above_horizontal(y, z) > 0, np.uint8(0), np.uint8(1)), np.uint8(2))
    return np.asarray(np.where(x > 0, right, np.where(upper, np.uint8(3), np.uint8(4))), dtype=np.uint8)
