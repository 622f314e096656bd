"""A cube of lymph node below the capsule: sinuses, follicles with germinal centers, T zone with venules, medulla.

Depths are counted from the surface (z = size): capsule, subcapsular sinus, cortex with follicles of 0.3-0.5 mm
(model.md section 4), T zone with high endothelial venules, and, deeper than 0.75 mm, medullary cords between
medullary sinuses. Lymph in sinuses is part of the tissue, because cells and signals move in it; blood in venules is
not. Capillaries are narrower than a voxel and are, as the venules' wall, the `exchange` of their region.
"""

from __future__ import annotations

from itertools import pairwise

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

REGIONS = ("t_zone", "follicle", "germinal_centre", "sinus", "medullary_cord", "venule_wall", "capsule")
T_ZONE, FOLLICLE, GERMINAL_CENTRE, SINUS, CORD, VENULE, CAPSULE = range(7)

# Exchange surface per volume relative to the T zone's capillaries. Nearly all lymphocytes enter through the wall of
# high endothelial venules; germinal centers have few vessels, cords many. Assumed, except for that order.
EXCHANGE = (1.0, 0.5, 0.3, 0.0, 2.0, 20.0, 0.3)

# All lengths in mm.
CAPSULE_DEPTH, SINUS_DEPTH = 0.025, 0.055  # where they end
MEDULLA_DEPTH, _MEDULLA_WAVE, _WAVE_LENGTH = 0.75, 0.035, 0.45
FOLLICLE_WIDTH = 0.42
_FOLLICLES_APART = 0.64
_BELOW_SINUS = 0.015  # from the sinus to the top of a follicle
_LENGTHENED = 1.1  # follicles are a little longer towards the T zone
_CENTRE_SHARE, _CENTRE_SHIFT = (
    0.62,
    0.025,
)  # of the width; deeper than the follicle's middle: the mantle caps it
_RIPPLE = 0.02  # of the radius: follicles are no perfect balls
VENULE_LUMEN, VENULE_WALL_WIDTH = 0.010, 0.012  # radius, height of the endothelium
_VENULES_APART, _VENULE_TOP = 0.30, 0.16  # their place in a square net; depth where they begin
_WANDER = 0.05
CORD_RADIUS, _CORDS_APART, _CORD_GAP = 0.045, 0.115, 0.028
TRABECULA, _TRABECULA_SINUS = 0.022, 0.020  # radius of a column of capsule; width of the sinus around it
_STREAMS = {"ripples": 21, "venules": 22, "cords": 23, "wobble": 24}
_SMALLEST, _LARGEST = 0.5, 2.0
_TURN = np.array([[2.0, -1.0, 2.0], [2.0, 2.0, -1.0], [-1.0, 2.0, 2.0]]) / 3


def lymph_node_patch(size: float = 1.0, *, seed: int = 1, follicle_width: float = FOLLICLE_WIDTH) -> Organ:
    """Return a cube of lymph node of ``size`` mm (0.5 to 2) between 0 and ``size``, capsule at the upper z.

    One follicle lies in the middle, its neighbors in part beside it. Meant for voxels of 10 to 25 um. InputError for
    a size or a follicle that cannot be.
    """
    if not _SMALLEST <= size <= _LARGEST:
        raise InputError(
            f"size of lymph_node_patch is {size:g} mm; it must be from {_SMALLEST} to {_LARGEST} mm"
        )
    if not 0.2 <= follicle_width <= 0.5:
        raise InputError(f"follicle_width is {follicle_width:g} mm; it must be from 0.2 to 0.5 mm")
    drawing = _draw(size, seed, follicle_width)
    told = {
        "anatomy": f"{size:g} mm cube of lymph node: follicle, T zone, sinuses, medullary cords",
        "regions": "lymph in the sinuses is included, blood in venules is left out",
        "axes": (("x-", "x+"), ("y-", "y+"), ("hilum", "capsule")),
    }
    return drawn_patch(
        "lymph_node_patch",
        drawing,
        size,
        REGIONS,
        EXCHANGE,
        told,
        reference_region="t_zone",
        niche_regions=("follicle", "germinal_centre"),
        niche_radius=None,
        vessel_roots=tuple(
            ((float(x), float(y), 0.0), (0.0, 0.0, 1.0)) for x, y in _venule_places(size, seed)[:, :2]
        ),
    )


def follicle_centers(size: float, width: float = FOLLICLE_WIDTH) -> Points:
    """Return (k, 3) centers of the follicles that reach into the cube: a triangular net around its middle."""
    reach = int(np.ceil(size / _FOLLICLES_APART)) + 1
    depth = SINUS_DEPTH + _BELOW_SINUS + _LENGTHENED * width / 2
    centers = [
        (
            size / 2 + _FOLLICLES_APART * (a + b / 2),
            size / 2 + _FOLLICLES_APART * b * np.sqrt(0.75),
            size - depth,
        )
        for a in range(-2 * reach, 2 * reach + 1)
        for b in range(-reach, reach + 1)
    ]
    rim = width / 2
    return np.array([place for place in centers if all(-rim < part < size + rim for part in place[:2])])


def _draw(size: float, seed: int, width: float) -> Drawing:
    lattice = drawing_lattice((0.0, 0.0, 0.0), (size, size, size))
    region = np.full(lattice.shape, T_ZONE, dtype=np.uint8)
    solid = np.full(lattice.shape, VENULE_LUMEN, dtype=np.float32)
    _draw_medulla(lattice, region, size, seed)
    _draw_layers(lattice, region, size)
    for number, center in enumerate(follicle_centers(size, width)):
        _draw_follicle(lattice, region, center, width, seed, number)
    for line in _venules(size, seed):
        _draw_venule(lattice, solid, region, line)
    return finish(lattice, solid, region)


def _draw_layers(lattice: Lattice, region: NDArray[np.uint8], size: float) -> None:
    """Draw capsule and subcapsular sinus, and trabeculae with their sinuses that run from them to the medulla."""
    z, y, x = lattice.axes()
    depth = size - z
    for place in _trabecula_places(size):
        distance = np.hypot(x - place[0], y - place[1])
        region[(distance < TRABECULA + _TRABECULA_SINUS) & (depth < MEDULLA_DEPTH + _MEDULLA_WAVE)] = SINUS
        region[(distance < TRABECULA) & (depth > 0)] = CAPSULE
    region[(depth < SINUS_DEPTH)[:, 0, 0]] = SINUS
    region[(depth < CAPSULE_DEPTH)[:, 0, 0]] = CAPSULE
    for place in _trabecula_places(size):  # they hang on the capsule, through the sinus
        region[(np.hypot(x - place[0], y - place[1]) < TRABECULA) & (depth < SINUS_DEPTH)] = CAPSULE


def _trabecula_places(size: float) -> Points:
    """Return x, y of trabeculae: in the middle between three follicles each."""
    centers = follicle_centers(size + 2 * _FOLLICLES_APART)[:, :2] - _FOLLICLES_APART
    places = centers + _FOLLICLES_APART * np.array([0.5, np.sqrt(1 / 12)])
    return places[np.all((places > -0.05) & (places < size + 0.05), axis=1)]


def _draw_follicle(
    lattice: Lattice, region: NDArray[np.uint8], center: Points, width: float, seed: int, number: int
) -> None:
    """Draw mantle and germinal center, ellipsoids whose surface ripples."""
    half = width / 2 * np.array([1.0, 1.0, _LENGTHENED])
    part = window(lattice, center - 1.1 * half, center + 1.1 * half)
    if part is None:
        return
    x, y, z = (axis - middle for axis, middle in zip(centers_in(lattice, part), center, strict=True))
    phase = 2 * np.pi * uniform_numbers(seed, _STREAMS["ripples"] + 100 * number, 3)
    waves = 4 * np.pi / width
    ripple = np.sin(waves * x + phase[0]) + np.sin(waves * y + phase[1]) + np.sin(waves * z + phase[2])
    outline = np.sqrt((x / half[0]) ** 2 + (y / half[1]) ** 2 + (z / half[2]) ** 2) + _RIPPLE * ripple
    core = half * _CENTRE_SHARE
    centre = np.sqrt((x / core[0]) ** 2 + (y / core[1]) ** 2 + ((z + _CENTRE_SHIFT) / core[2]) ** 2)
    centre = np.round(centre + _RIPPLE * ripple, 9)
    free = (region[part] == T_ZONE) & (np.round(outline, 9) < 1)
    region[part][free] = FOLLICLE
    region[part][free & (centre < 1)] = GERMINAL_CENTRE


def _draw_medulla(lattice: Lattice, region: NDArray[np.uint8], size: float, seed: int) -> None:
    """Draw winding cords in sinus where the T zone ends, at a depth that goes up and down a little."""
    z, y, x = lattice.axes()
    wave = np.sin(2 * np.pi * x / _WAVE_LENGTH) * np.cos(2 * np.pi * y / _WAVE_LENGTH)
    below = np.round(size - z - MEDULLA_DEPTH - _MEDULLA_WAVE * wave, 9)
    top = size - MEDULLA_DEPTH + 2 * _MEDULLA_WAVE
    if top <= 0 or not (below > 0).any():
        return
    margin = np.full(3, _CORDS_APART)
    places, whole = close_packed(-margin, np.array([size, size, top]) + margin, _CORDS_APART, _TURN)
    wobble = 2 * uniform_numbers(seed, _STREAMS["wobble"], 3 * len(places)).reshape(-1, 3) - 1
    places = places + 0.15 * _CORDS_APART * wobble
    strands = wind(whole, random_words(seed, _STREAMS["cords"], len(whole)))
    starts, ends, _ = segments_of([rounded(places[strand]) for strand in strands if len(strand) > 1])
    drawn = draw_strands(lattice, starts, ends, CORD_RADIUS + _CORD_GAP)
    cord = (drawn.first < CORD_RADIUS) & (drawn.second - drawn.first > _CORD_GAP)
    region[:] = np.where(below > 0, np.where(cord, CORD, SINUS), region)


def _venule_places(size: float, seed: int) -> Points:
    """Return (k, 5): x, y and three numbers from 0 to 1 for each venule, at least one."""
    count = max(1, round(size / _VENULES_APART))
    numbers = uniform_numbers(seed, _STREAMS["venules"], 5 * count**2).reshape(-1, 5)
    row, column = np.divmod(np.arange(count**2), count)
    step = size / count
    numbers[:, 0] = (column + 0.25 + 0.5 * numbers[:, 0]) * step
    numbers[:, 1] = (row + 0.25 + 0.5 * numbers[:, 1]) * step
    return numbers


def _venules(size: float, seed: int) -> list[Points]:
    """Return polylines of venules: a winding stem from below to the cortex and one branch from its middle."""
    lines = []
    for x, y, turn, high, way in _venule_places(size, seed):
        height = np.linspace(-0.05, size - _VENULE_TOP - 0.15 * high, 40)
        angle = 2 * np.pi * (height / 0.6 + turn)
        stem = np.stack([x + _WANDER * np.sin(angle), y + _WANDER * np.sin(1.7 * angle), height], axis=1)
        lines.append(stem)
        fork = stem[22]
        direction = np.array([np.cos(2 * np.pi * way), np.sin(2 * np.pi * way), 0.7])
        bent = np.linspace(0.0, 1.0, 12)[:, None]
        lines.append(fork + 0.22 * bent * direction + 0.03 * bent * (1 - bent) * np.array([0.0, 0.0, 4.0]))
    return [np.asarray(np.round(line, 9)) for line in lines]


def _draw_venule(
    lattice: Lattice, solid: NDArray[np.float32], region: NDArray[np.uint8], line: Points
) -> None:
    """Draw a venule where there is T zone or cord: follicles, sinuses and trabeculae stop it."""
    outer = VENULE_LUMEN + VENULE_WALL_WIDTH
    for start, end in pairwise(line):
        part = window(lattice, np.minimum(start, end) - outer, np.maximum(start, end) + outer)
        if part is None:
            continue
        distance = distance_to_segment(*centers_in(lattice, part), start, end)
        tube = (distance < outer) & np.isin(region[part], (T_ZONE, CORD, VENULE))
        solid[part] = np.where(tube, np.minimum(solid[part], distance - VENULE_LUMEN), solid[part])
        region[part][tube] = VENULE
