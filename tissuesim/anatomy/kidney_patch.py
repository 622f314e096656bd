"""A cube of renal cortex: glomeruli, packed winding tubules, an interlobular artery and its vein, interstitium.

Numbers: 1e6 glomeruli per kidney in 105 mL of cortex (model.md section 4; 105 mL is the built-in kidney's) are
are 9.5 per mm^3, of 0.2 mm each: 4 % of the cortex. Tubules are 40-60 um wide. Fluids are no tissue: the lumens of
tubules and vessels and the urinary space of the glomeruli are left out. Capillaries are narrower than a voxel:
they are the `exchange` of the interstitium and of the tufts. z points to the kidney's surface.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tissuesim.errors import InputError

from .drawn import (
    Drawing,
    Points,
    centers_in,
    close_packed,
    distance_to_segment,
    draw_strands,
    drawing_lattice,
    drawn_patch,
    finish,
    rounded,
    segments_of,
    wind,
    window,
)
from .lattice import Lattice
from .noise import random_words, uniform_numbers
from .organ import Organ

REGIONS = ("interstitium", "proximal_tubule", "distal_tubule", "glomerulus", "vessel_wall")
INTERSTITIUM, PROXIMAL, DISTAL, GLOMERULUS, WALL = range(5)

GLOMERULI = 1e6 / 105_000  # per mm^3 of cortex
# Capillary surface per volume, relative to the interstitium: 0.2-0.3 mm^2 in a tuft of 0.004 mm^3 and about
# 12 mm^2 in 1 mm^3 of cortex, a fifth of which is interstitium, are both near 60 mm^2/mm^3. Epithelium and vessel
# walls have none of their own.
EXCHANGE = (1.0, 0.0, 0.0, 1.0, 0.0)

# All lengths in mm.
CAPSULE, CAPSULE_WALL, TUFT, LOOP = 0.100, 0.008, 0.080, 0.045  # radii; wall; width of a capillary loop
_STALK = 0.8  # cosine of the angle of the vascular pole, where the tuft is held
APART, WOBBLE = 0.067, 0.12  # of the tubules' middle lines; share of that by which they stray
GAP = 0.007  # interstitium between two tubules
WIDEST = 0.036  # radius of a tubule that has room
LUMEN = {PROXIMAL: 0.011, DISTAL: 0.016}
_DISTAL_SHARE = 0.25  # of the strands
_SHORTEST = 2  # places of a strand; a single one is none
_CLEAR = 0.016  # from a capsule or a vessel sheath to the middle line of a tubule
ARTERY, ARTERY_WALL = 0.035, 0.020
VEIN, VEIN_WALL = 0.040, 0.006
SHEATH = 0.025  # interstitium around the two
ARTERIOLE, ARTERIOLE_WALL, _ARTERIOLE_REACH = 0.006, 0.007, 0.45
_GLOMERULI_APART = 0.23
_STREAMS = {"glomeruli": 11, "wobble": 12, "strands": 13, "kinds": 14}
_SMALLEST, _LARGEST = 0.3, 2.0
_TURN = (
    np.array([[2.0, -1.0, 2.0], [2.0, 2.0, -1.0], [-1.0, 2.0, 2.0]]) / 3
)  # rows of no packing lie along an axis


def kidney_patch(size: float = 1.0, *, seed: int = 1, glomeruli_per_mm3: float = GLOMERULI) -> Organ:
    """Return a cube of renal cortex of ``size`` mm (0.3 to 2) between 0 and ``size`` on each axis.

    Meant for voxels of 10 to 25 um. InputError for a size or number of glomeruli that cannot be.
    """
    if not _SMALLEST <= size <= _LARGEST:
        raise InputError(f"size of kidney_patch is {size:g} mm; it must be from {_SMALLEST} to {_LARGEST} mm")
    if not 0 <= glomeruli_per_mm3 <= 20:
        raise InputError(f"glomeruli_per_mm3 is {glomeruli_per_mm3:g}; it must be from 0 to 20")
    drawing = _draw(size, seed, glomeruli_per_mm3)
    artery = _vessel_lines(size)[0]
    told = {
        "anatomy": f"{size:g} mm cube of renal cortex: glomeruli, tubules, interlobular artery and vein",
        "regions": "lumens of tubules and vessels and the urinary space are left out",
        "axes": (("x-", "x+"), ("y-", "y+"), ("medulla", "capsule")),
    }
    return drawn_patch(
        "kidney_patch",
        drawing,
        size,
        REGIONS,
        EXCHANGE,
        told,
        reference_region="interstitium",
        niche_regions=("interstitium",),
        vessel_roots=(((float(artery[0]), float(artery[1]), 0.0), (0.0, 0.0, 1.0)),),
    )


def glomerulus_centers(size: float, seed: int, density: float = GLOMERULI) -> Points:
    """Return (k, 3) centers, also of glomeruli that lie in the cube only in part; none overlap each other.

    Centers fill the cube and a rim of one radius at ``density``, drawn one after the other, away from the vessels.
    """
    rim = CAPSULE
    count = round(density * (size + 2 * rim) ** 3)
    tries = uniform_numbers(seed, _STREAMS["glomeruli"], 3 * 200 * max(count, 1)).reshape(-1, 3)
    tries = tries * (size + 2 * rim) - rim
    vessels = _vessel_lines(size)
    centers: list[Points] = []
    for place in tries:
        if len(centers) == count:
            break
        from_vessels = [float(np.hypot(*(place[:2] - line))) for line in vessels]
        free = from_vessels[0] > CAPSULE + ARTERY + ARTERY_WALL + SHEATH
        free &= from_vessels[1] > CAPSULE + VEIN + VEIN_WALL + SHEATH
        if free and all(float(np.linalg.norm(place - other)) > _GLOMERULI_APART for other in centers):
            centers.append(place)
    return np.array(centers).reshape(-1, 3)


def _vessel_lines(size: float) -> tuple[Points, Points]:
    """Return x, y of the artery and the vein beside it; both run along z."""
    artery = size * np.array([0.56, 0.5])
    beside = ARTERY + ARTERY_WALL + VEIN + VEIN_WALL + 0.012
    return artery, artery + beside * np.array([0.6, 0.8])


def _draw(size: float, seed: int, density: float) -> Drawing:
    """Return the drawing: tubules first, then what has its place before them."""
    lattice = drawing_lattice((0.0, 0.0, 0.0), (size, size, size))
    glomeruli = glomerulus_centers(size, seed, density)
    solid, region = _draw_tubules(lattice, size, seed, glomeruli)
    artery, vein = _vessel_lines(size)
    _clear_sheath(lattice, solid, region, artery, ARTERY + ARTERY_WALL + SHEATH)
    _clear_sheath(lattice, solid, region, vein, VEIN + VEIN_WALL + SHEATH)
    for center in glomeruli:
        pole = _towards_artery(center, artery)
        _draw_glomerulus(lattice, solid, region, center, pole)
        if np.hypot(*(center[:2] - artery)) < _ARTERIOLE_REACH:
            _draw_arteriole(lattice, solid, region, center, pole, artery)
    _draw_tube(lattice, solid, region, (np.append(vein, -1.0), np.append(vein, size + 1.0)), VEIN, VEIN_WALL)
    line = np.append(artery, -1.0), np.append(artery, size + 1.0)
    _draw_tube(lattice, solid, region, line, ARTERY, ARTERY_WALL)
    return finish(lattice, solid, region)


def _draw_tubules(
    lattice: Lattice, size: float, seed: int, glomeruli: Points
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Return distance into the tissue and regions of tubules in interstitium."""
    margin = np.full(3, APART)
    places, whole = close_packed(-margin, size + margin, APART, _TURN)
    places = places + WOBBLE * APART * (
        2 * uniform_numbers(seed, _STREAMS["wobble"], 3 * len(places)).reshape(-1, 3) - 1
    )
    free = np.ones(len(places), dtype=np.bool_)
    for center in glomeruli:
        free &= np.linalg.norm(places - center, axis=1) > CAPSULE + _CLEAR
    artery, vein = _vessel_lines(size)
    free &= np.hypot(*(places[:, :2] - artery).T) > ARTERY + ARTERY_WALL + SHEATH + _CLEAR
    free &= np.hypot(*(places[:, :2] - vein).T) > VEIN + VEIN_WALL + SHEATH + _CLEAR
    places, whole = places[free], whole[free]
    strands = [
        strand
        for strand in wind(whole, random_words(seed, _STREAMS["strands"], len(whole)))
        if len(strand) >= _SHORTEST
    ]
    starts, ends, owner = segments_of([rounded(places[strand]) for strand in strands])
    kinds = np.where(uniform_numbers(seed, _STREAMS["kinds"], len(strands)) < _DISTAL_SHARE, DISTAL, PROXIMAL)
    drawn = draw_strands(lattice, starts, ends, WIDEST + GAP + 0.004)
    kind = kinds[owner[np.maximum(drawn.segment, 0)]].astype(np.uint8)
    wall = np.minimum(WIDEST - drawn.first, (drawn.second - drawn.first - GAP) / 2)
    region = np.where(wall > 0, kind, np.uint8(INTERSTITIUM))
    lumen = np.where(kind == DISTAL, LUMEN[DISTAL], LUMEN[PROXIMAL]).astype(np.float32)
    return drawn.first - lumen, region


def _clear_sheath(
    lattice: Lattice, solid: NDArray[np.float32], region: NDArray[np.uint8], line: Points, radius: float
) -> None:
    """Make interstitium of what lies within ``radius`` of a line along z."""
    _, y, x = lattice.axes()
    column = (np.hypot(x - line[0], y - line[1]) < radius)[0]
    solid[:, column], region[:, column] = SHEATH, INTERSTITIUM


def _towards_artery(center: Points, artery: Points) -> Points:
    """Return the direction of the vascular pole: to the artery and a little down, where arterioles come from."""
    away = np.append(artery - center[:2], -0.3 * float(np.hypot(*(artery - center[:2]))))
    return np.asarray(away / np.linalg.norm(away))


def _draw_glomerulus(
    lattice: Lattice, solid: NDArray[np.float32], region: NDArray[np.uint8], center: Points, pole: Points
) -> None:
    """Draw capsule, urinary space and tuft; the tuft's surface is folded into capillary loops."""
    part = window(lattice, center - CAPSULE - lattice.spacing, center + CAPSULE + lattice.spacing)
    if part is None:
        return
    x, y, z = (axis - middle for axis, middle in zip(centers_in(lattice, part), center, strict=True))
    radius = np.sqrt(x**2 + y**2 + z**2)
    waves = 2 * np.pi / LOOP
    folds = np.sin(waves * x) * np.cos(waves * y) + np.sin(waves * y) * np.cos(waves * z)
    folds = folds + np.sin(waves * z) * np.cos(waves * x)
    tuft = TUFT - 0.008 - radius + 0.007 * folds
    capsule = radius - (CAPSULE - CAPSULE_WALL)
    stalk = (x * pole[0] + y * pole[1] + z * pole[2] - _STALK * radius) * (radius > 0.3 * TUFT)
    depth = np.maximum(np.maximum(tuft, capsule), stalk)
    held = radius < CAPSULE
    solid[part] = np.where(held, depth, np.maximum(solid[part], radius - CAPSULE))
    region[part] = np.where(held, GLOMERULUS, region[part])


def _draw_arteriole(
    lattice: Lattice,
    solid: NDArray[np.float32],
    region: NDArray[np.uint8],
    center: Points,
    pole: Points,
    artery: Points,
) -> None:
    """Draw the vessel from the artery to the vascular pole of a glomerulus."""
    end = center + (CAPSULE - ARTERIOLE) * pole
    reach = float(np.hypot(*(artery - end[:2])))
    start = np.append(artery, end[2] - 0.3 * reach)
    _draw_tube(lattice, solid, region, (start, end), ARTERIOLE, ARTERIOLE_WALL)


def _draw_tube(
    lattice: Lattice,
    solid: NDArray[np.float32],
    region: NDArray[np.uint8],
    line: tuple[Points, Points],
    lumen: float,
    wall: float,
) -> None:
    """Draw a vessel with its lumen along a line."""
    start, end = line
    outer = lumen + wall
    part = window(lattice, np.minimum(start, end) - outer, np.maximum(start, end) + outer)
    if part is None:
        return
    distance = distance_to_segment(*centers_in(lattice, part), start, end)
    tube = distance < outer
    # a lumen that is already there stays open, where an arteriole leaves the artery
    open_before = (region[part] == WALL) & (solid[part] < 0)
    depth = np.where(open_before, np.minimum(distance - lumen, solid[part]), distance - lumen)
    solid[part] = np.where(tube, depth, solid[part])
    region[part] = np.where(tube, WALL, region[part])
