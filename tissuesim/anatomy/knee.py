"""The solids of a knee as signed distances (mm, below 0 inside): bones, cartilage, menisci, cruciates, fat pad.

A left knee in full extension: x to the medial side, which is the subject's right, y to the front, z up, origin between
the condyles. Shapes are smooth unions of ellipsoids, so a distance is exact on the surface and to first order near it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from .lattice import Lattice, Point, ScalarField
from .segments import Segments, distance_to_segments

FEMORAL_CARTILAGE, TIBIAL_CARTILAGE, PATELLAR_CARTILAGE = 2.1, 2.5, 3.2  # thickness
GAP = 0.2  # between cartilages that face each other
CLOSE = 0.7  # surfaces face each other where both are nearer than this
BOX_LOWER, BOX_UPPER = (-51.0, -48.0, -64.0), (51.0, 72.0, 86.0)  # bones are cut at the ends of the box
SPACING = (
    1.0  # of the lattice on which distances are kept: binary, so that a mirrored knee is the same to the bit
)

SAMPLE_SPACING = 0.5  # of the points at which the volume of fluid is counted

Distance = NDArray[np.float64]


@dataclass(frozen=True)
class Knee:
    """Signed distances on one lattice."""

    femur: ScalarField
    bone: ScalarField
    cartilage: ScalarField
    meniscus: ScalarField
    ligament: ScalarField
    fat_pad: ScalarField
    contact: ScalarField  # where cartilages and menisci face each other: a film and no synovium between them
    recess: ScalarField  # where the suprapatellar pouch and the gutters can be, along the femur


@cache
def knee() -> Knee:
    """Return the distances; made once, 15 MB each."""
    lattice = Lattice.covering(BOX_LOWER, BOX_UPPER, SPACING)
    femur = _femur(lattice)
    tibia = _tibia(lattice, femur)
    patella = _patella(lattice, femur)
    caps = _cartilage(lattice, femur, tibia, patella)
    meniscus = _meniscus(lattice, femur, tibia)
    facing = np.maximum(caps[0], np.minimum(np.minimum(caps[1], caps[2]), meniscus))
    values = {
        "femur": femur,
        "bone": np.minimum(np.minimum(femur, tibia), patella),
        "cartilage": np.minimum(np.minimum(caps[0], caps[1]), caps[2]),
        "meniscus": meniscus,
        "ligament": distance_to_segments(lattice, _cruciates(), 20.0),
        "fat_pad": _fat_pad(lattice),
        "contact": np.minimum(facing, np.maximum(caps[1], meniscus)) - CLOSE,
        "recess": _recess(lattice),
    }
    return Knee(**{name: ScalarField(lattice, value) for name, value in values.items()})


@dataclass(frozen=True)
class SoftPoints:
    """Distances at points around the cavity that are in no bone, cartilage, meniscus or ligament; (n,) each."""

    solids: Distance
    contact: Distance
    femur: Distance
    recess: Distance


def solids() -> ScalarField:
    """Return the distance to what fluid wets: cartilage, menisci and cruciate ligaments."""
    shapes = knee()
    wet = np.minimum(shapes.cartilage.values, shapes.meniscus.values)
    return ScalarField(shapes.bone.lattice, np.minimum(wet, shapes.ligament.values))


@cache
def soft_points() -> SoftPoints:
    """Return the points of a 0.5 mm lattice that synovium or fluid can reach."""
    shapes = knee()
    lattice = Lattice.covering(BOX_LOWER, BOX_UPPER, SAMPLE_SPACING)
    femur, recess, wet = (field.on(lattice) for field in (shapes.femur, shapes.recess, solids()))
    soft = (wet < 3.0) | ((femur < 22.0) & (recess < 9.0))
    for field in (shapes.bone, shapes.cartilage, shapes.meniscus, shapes.ligament):
        soft &= field.on(lattice) >= 0
    return SoftPoints(wet[soft], shapes.contact.on(lattice)[soft], femur[soft], recess[soft])


def union(first: Distance, second: Distance, blend: float = 0.0) -> Distance:
    """Return min(a, b), rounded over ``blend`` mm: min - b max(1 - |a - b| / b, 0)^2 / 4."""
    lower = np.minimum(first, second)
    if not blend:
        return lower
    return np.asarray(lower - blend / 4 * np.square(np.maximum(1 - np.abs(first - second) / blend, 0)))


def both(first: Distance, second: Distance) -> Distance:
    """Return the distance to what two solids share, true also beside the edge where their surfaces meet."""
    outside = np.sqrt(np.square(np.maximum(first, 0)) + np.square(np.maximum(second, 0)))
    return np.asarray(outside + np.minimum(np.maximum(first, second), 0))


def without(solid: Distance, hole: Distance, blend: float = 0.0) -> Distance:
    """Return the solid less a hole."""
    return -union(-solid, hole, blend)


def _ellipsoid(lattice: Lattice, center: Point, half: Point) -> Distance:
    """Return k (k - 1) / m with k = |p / half|, m = |p / half^2|: the distance to first order."""
    z, y, x = lattice.axes()
    k, m = (
        np.sqrt(
            ((x - center[0]) / half[0] ** power) ** 2
            + ((y - center[1]) / half[1] ** power) ** 2
            + ((z - center[2]) / half[2] ** power) ** 2
        )
        for power in (1, 2)
    )
    return np.asarray(k * (k - 1) / np.maximum(m, 1e-3))


def _rod(lattice: Lattice, path: list[Point], radius: list[float]) -> Distance:
    return distance_to_segments(lattice, Segments.along(path, radius), 100.0)


def _femur(lattice: Lattice) -> Distance:
    """Two condyles that diverge to the back, two facets of the trochlea, the flare and the shaft, less the notch."""
    medial = union(
        _ellipsoid(lattice, (22.5, -8.0, 1.0), (14.0, 25.0, 22.0)),
        _ellipsoid(lattice, (20.5, 5.0, -1.0), (14.0, 25.0, 23.0)),
        4.0,
    )
    lateral = union(
        _ellipsoid(lattice, (-22.0, -7.0, 1.5), (14.5, 25.0, 21.5)),
        _ellipsoid(lattice, (-20.5, 6.0, 0.0), (14.5, 25.0, 23.0)),
        4.0,
    )
    lateral = union(lateral, _ellipsoid(lattice, (-15.0, 17.0, 9.0), (15.0, 16.5, 18.0)), 6.0)
    medial = union(medial, _ellipsoid(lattice, (15.0, 16.0, 8.0), (14.0, 15.0, 17.0)), 6.0)
    flare = union(
        _ellipsoid(lattice, (0.0, 0.0, 21.0), (35.0, 20.0, 21.0)),
        _rod(lattice, [(0.0, 2.0, 30.0), (0.0, 2.0, 55.0), (0.0, 3.0, 130.0)], [21.0, 14.5, 13.5]),
        18.0,
    )
    bone = union(union(medial, lateral, 8.0), flare, 10.0)
    return without(bone, _ellipsoid(lattice, (0.0, -18.0, -11.0), (10.5, 25.0, 21.0)), 4.0)


def _tibia(lattice: Lattice, femur: Distance) -> Distance:
    """A plateau hollowed to fit the condyles, two eminences, the tuberosity and the shaft."""
    z, _, _ = lattice.axes()
    plateau = union(
        _ellipsoid(lattice, (19.0, -3.0, -36.0), (19.5, 25.0, 16.0)),
        _ellipsoid(lattice, (-19.0, -2.0, -36.0), (19.5, 23.0, 16.0)),
        10.0,
    )
    shaft = _rod(lattice, [(0.0, -2.0, -44.0), (0.0, -4.0, -62.0), (0.0, -5.0, -130.0)], [25.0, 17.0, 13.0])
    bone = union(plateau, shaft, 14.0)
    bone = union(bone, _ellipsoid(lattice, (-2.0, 17.0, -60.0), (10.0, 9.0, 13.0)), 8.0)
    flat = both(bone, z + 28.6 + np.zeros_like(bone))
    for x in (-5.0, 5.5):
        flat = union(flat, _ellipsoid(lattice, (x, -3.0, -29.0), (4.0, 8.0, 6.5)), 3.0)
    return without(flat, femur - (FEMORAL_CARTILAGE + TIBIAL_CARTILAGE + GAP), 1.0)


def _patella(lattice: Lattice, femur: Distance) -> Distance:
    """An ellipsoid, its back cut parallel to the trochlea: the ridge of the patella fits the groove."""
    body = _ellipsoid(lattice, (0.0, 42.0, 10.0), (22.0, 15.0, 21.0))
    return without(body, femur - (FEMORAL_CARTILAGE + PATELLAR_CARTILAGE + GAP), 1.5)


def _cartilage(lattice: Lattice, femur: Distance, tibia: Distance, patella: Distance) -> list[Distance]:
    """Femoral, tibial and patellar caps of even thickness that thin out over the last 4 mm before their margin."""
    z, y, x = lattice.axes()
    wide = np.abs(x) - 34.5 + np.zeros_like(femur)
    condyles = np.maximum(z - 8.0 + 0.25 * y, 10.0 - np.abs(x) - np.maximum(y - 2.0, 0.0))
    trochlea = np.maximum(11.0 - y, np.maximum(z - 27.0 + 0.02 * x**2, np.abs(x) - 27.0))
    on_femur = np.maximum(wide, np.minimum(condyles, trochlea))
    rings = [np.sqrt(((x - side) / 15.5) ** 2 + ((y + 2.0) / 21.0) ** 2) for side in (20.0, -20.0)]
    on_tibia = np.maximum((np.minimum(*rings) - 1) * 15.5, -36.0 - z)
    facing = femur - (FEMORAL_CARTILAGE + GAP + PATELLAR_CARTILAGE + 0.5)  # the cut back of the patella
    on_patella = np.maximum(np.maximum(np.abs(z - 11.0) - 16.0, np.abs(x) - 19.0), facing)
    return [
        both(femur - _thinning(FEMORAL_CARTILAGE, on_femur), on_femur),
        both(tibia - _thinning(TIBIAL_CARTILAGE, on_tibia), on_tibia),
        both(patella - _thinning(PATELLAR_CARTILAGE, on_patella), on_patella),
    ]


def _thinning(thickness: float, beyond_margin: Distance) -> Distance:
    return thickness * np.clip(0.3 - 0.7 / 4 * beyond_margin, 0.3, 1.0)


def _meniscus(lattice: Lattice, femur: Distance, tibia: Distance) -> Distance:
    """Two crescents, open to the middle, that fill the wedge between condyle and plateau."""
    z, y, x = lattice.axes()
    between = np.maximum(FEMORAL_CARTILAGE + GAP / 2 - femur, TIBIAL_CARTILAGE + GAP / 2 - tibia)
    crescents = []
    for side in (1.0, -1.0):
        inwards = side * x - 20.0  # negative towards the middle of the knee
        ring = np.sqrt((inwards / 17.5) ** 2 + ((y + 2.0) / 22.0) ** 2)
        band = np.maximum(0.45 - ring, ring - 1.06) * 19.0
        opening = -inwards - 1.15 * np.abs(y + 2.0) - 6.0  # horns end where they meet the eminences
        top = z + 28.5 - 8.0 * ring  # highest at the rim, a thin edge inside
        crescents.append(np.maximum(np.maximum(band, opening), np.maximum(top, -30.5 - z)))
    return np.maximum(np.minimum(*crescents), between)


def _fat_pad(lattice: Lattice) -> Distance:
    """Hoffa's fat pad: between patella, condyles and tibia, flat in front where the patellar ligament lies."""
    z, y, _ = lattice.axes()
    ligament = 0.928 * (y - 45.0) - 0.371 * (z + 8.0)
    return both(_ellipsoid(lattice, (0.0, 32.0, -22.0), (23.0, 18.0, 20.0)), np.asarray(ligament))


def _cruciates() -> Segments:
    """The anterior one to the lateral condyle, the posterior one to the medial condyle."""
    return Segments.joined(
        [
            Segments.along([(1.0, 9.0, -30.0), (-5.0, -4.0, -17.0), (-10.0, -13.0, -4.0)], [4.5, 3.8, 4.5]),
            Segments.along([(0.0, -22.0, -36.0), (3.0, -14.0, -21.0), (9.0, -3.0, -8.0)], [5.0, 4.5, 5.0]),
        ]
    )


def _recess(lattice: Lattice) -> Distance:
    """The pouch above and behind the patella, and a gutter on either side of the condyles."""
    pouch = _ellipsoid(lattice, (0.0, 26.0, 42.0), (31.0, 30.0, 36.0))
    gutters = [_ellipsoid(lattice, (side, 5.0, 7.0), (16.0, 22.0, 25.0)) for side in (36.0, -36.0)]
    return union(pouch, np.minimum(*gutters), 6.0)
