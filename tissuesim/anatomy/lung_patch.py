"""A cube of lung: alveoli packed around alveolar ducts, a bronchiole and its artery in one cuff, a venule.

Numbers: 170 alveoli per mm^3 of parenchyma, 4.2e6 um^3 each (Ochs et al. 2004, Am J Respir Crit Care Med 169:120), so
about 0.2 mm wide. Septa are 0.005 to 0.010 mm thick (model.md section 4), thinner than a voxel; they are drawn
0.020 mm thick, one voxel of 20 um, which is what inflamed septa have. Thinner ones may be asked for: voxels of
20 um then hold them as a fraction. Air and blood are no tissue and left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from tissuesim.errors import InputError

from .drawn import Drawing, centers_in, drawing_lattice, drawn_patch, finish, window
from .lattice import Lattice
from .noise import uniform_numbers
from .organ import Organ
from .tree import Tree, distance_to_segments, grow_tree

REGIONS = ("septum", "cuff", "airway_wall", "vessel_wall")
SEPTUM, CUFF, AIRWAY_WALL, VESSEL_WALL = range(4)

# Capillary surface per tissue volume, relative to the septum, where capillaries form a sheet: 126 m^2 in about 0.4 L
# of septa are 300 mm^2/mm^3 (Gehr, Bachofen and Weibel 1978, Respir Physiol 32:121). Connective tissue and airway
# walls are fed by bronchial vessels, 10 to 30 mm^2/mm^3 [assumed]; walls of small vessels have none of their own.
EXCHANGE = (1.0, 0.05, 0.1, 0.0)

# All lengths in mm.
SEPTUM_THICKNESS = 0.020
CELL_VOLUME = 0.0055  # mm^3: an alveolus of 0.0042 mm^3 with its half of the septa around it
_JITTER = 0.22  # of the edge of the body-centered lattice, to either side
DUCT_RADIUS = 0.075  # to the free edges of the septa; alveoli open into it all around
_RING, _RING_WIDTH = (
    0.8,
    0.020,
)  # septa are so much thicker at their free edges (entrance rings), so far from them
_DUCTS_APART = 0.40
BRONCHIOLE, AIRWAY = 0.105, 0.028  # radius of the lumen, thickness of the wall
ARTERY, ARTERY_WALL = 0.055, 0.020
VENULE, VENULE_WALL = 0.032, 0.008
CUFF_WIDTH, VENULE_CUFF = 0.050, 0.012  # connective tissue with lymphatics around the walls
_BRONCHIOLE_AT, _ARTERY_AT = (0.27, 0.27), (0.51, 0.235)  # x, y; both run along z
_VENULE_FROM_CORNER = 0.13
_DUCT_LEAVES = 0.42  # of the height: where the first duct leaves the bronchiole
_SMALLEST, _LARGEST = 0.7, 2.0
_ALVEOLI_STREAM, _DUCT_STREAM = 21, 22
_BEND, _FOLDS = (0.10, 0.06), 7  # of vessels over the height (x, y); folds of a lining
_CORNER = 0.08  # how near two tubes are where their cuff fills the corner between them
_TAKEN = 0.04  # alveoli whose centers are so near a duct's free edges are part of it
_BLOCK = 10  # cells per side of a block that looks at the same few alveoli


def lung_patch(
    size: float = 1.0,
    *,
    seed: int = 1,
    septum: float = SEPTUM_THICKNESS,
    cuff_width: float = CUFF_WIDTH,
) -> Organ:
    """Return a cube of lung of ``size`` mm (0.7 to 2) between 0 and ``size`` on each axis.

    ``septum`` (mm) is the thickness of alveolar septa, ``cuff_width`` that of the connective tissue around bronchiole
    and artery; both swell in disease. Meant for voxels of 10 to 20 um. InputError for sizes that cannot be.
    """
    for name, value, least, most in (
        ("size", size, _SMALLEST, _LARGEST),
        ("septum", septum, 0.005, 0.08),
        ("cuff_width", cuff_width, 0.02, 0.12),
    ):
        if not least <= value <= most:
            raise InputError(
                f"{name} of lung_patch is {value:g} mm; it must be from {least:g} to {most:g} mm"
            )
    drawing = _draw(size, seed, septum, cuff_width)
    told = {
        "anatomy": f"{size:g} mm cube of lung: alveoli, alveolar ducts, bronchiole and artery in a cuff, venule",
        "regions": f"septa {1000 * septum:g} um thick; air and blood are left out",
        "axes": (("x-", "x+"), ("y-", "y+"), ("z-", "z+")),
    }
    return drawn_patch(
        "lung_patch",
        drawing,
        size,
        REGIONS,
        EXCHANGE,
        told,
        reference_region="septum",
        niche_regions=("cuff",),
        niche_radius=None,
        vessel_roots=(((*_ARTERY_AT, 0.0), (0.0, 0.0, 1.0)),),
        exchange=partial(_exchange, drawing),
    )


def alveoli(size: float, seed: int) -> NDArray[np.float64]:
    """Return the centers (k, 3) of alveoli in the cube and a rim of half a millimeter, shaken by seed.

    A body-centered lattice: its cells are truncated octahedra, the shape of bubbles in foam.
    """
    edge = float(np.cbrt(2 * CELL_VOLUME))
    count = int(np.ceil((size + 1.0) / edge)) + 1
    corner = np.stack(np.meshgrid(*3 * (np.arange(count),), indexing="ij"), axis=-1).reshape(-1, 3)
    places = np.concatenate([corner, corner + 0.5])
    shaken = 2 * uniform_numbers(seed, _ALVEOLI_STREAM, places.size).reshape(-1, 3) - 1
    return np.asarray(np.round((places + _JITTER * shaken) * edge - 0.5, 7), dtype=np.float64)


def ducts(size: float, seed: int) -> Tree:
    """Return the alveolar ducts: a tree that leaves the bronchiole and reaches every part of the cube."""
    count = max(round((size + 0.2) / _DUCTS_APART), 2)
    line = (np.arange(count) + 0.5) * (size + 0.2) / count - 0.1
    points = np.stack(np.meshgrid(line, line, line, indexing="ij"), axis=-1).reshape(-1, 3)
    points = points + 0.1 * (uniform_numbers(seed, _DUCT_STREAM, points.size).reshape(-1, 3) - 0.5)
    away = np.minimum(*(np.hypot(*(points[:, :2] - at).T) for at in (_BRONCHIOLE_AT, _ARTERY_AT)))
    root = (*_BRONCHIOLE_AT, _DUCT_LEAVES * size)
    return grow_tree(
        points[away > 0.3],
        root,
        (0.6, 0.8, 0.0),
        seed,
        generations=12,
        radius=DUCT_RADIUS,
        largest_angle=80.0,
    )


def _draw(size: float, seed: int, septum: float, cuff_width: float) -> Drawing:
    """Return the drawing: foam first, then ducts, then what has its place before them."""
    lattice = drawing_lattice((0.0, 0.0, 0.0), (size, size, size))
    airways = ducts(size, seed)
    to_axis = distance_to_segments(airways, lattice, 2 * DUCT_RADIUS).astype(np.float32)
    free_edge = to_axis - np.float32(DUCT_RADIUS)
    thickness = septum * (1 + _RING * np.exp(-np.square(np.maximum(free_edge, 0) / _RING_WIDTH)))
    foam = 0.5 * thickness - _to_septum(lattice, alveoli(size, seed), airways)
    solid = np.minimum(foam, free_edge).astype(np.float32)
    region = np.full(lattice.shape, SEPTUM, dtype=np.uint8)
    corner = size - _VENULE_FROM_CORNER
    venule = _Tube((corner, corner), VENULE, VENULE_WALL, VESSEL_WALL)
    bronchiole = _Tube(_BRONCHIOLE_AT, BRONCHIOLE, AIRWAY, AIRWAY_WALL, folds=0.1)
    artery = _Tube(_ARTERY_AT, ARTERY, ARTERY_WALL, VESSEL_WALL)
    _draw_bundle(lattice, solid, region, [venule], VENULE_CUFF)
    _draw_bundle(lattice, solid, region, [bronchiole, artery], cuff_width)
    _open_bronchiole(lattice, solid, airways)
    return finish(lattice, solid, region)


def _to_septum(lattice: Lattice, centers: NDArray[np.float64], airways: Tree) -> NDArray[np.float32]:
    """Return the distance (mm) of cells to the plane between the two nearest alveoli; ducts take the place of some."""
    kept = centers[_distance_to_tree(centers, airways) > DUCT_RADIUS + _TAKEN]
    result = np.empty(lattice.shape, dtype=np.float32)
    axes = [axis.ravel() for axis in lattice.axes()]
    for corner in np.ndindex(*(-(-size // _BLOCK) for size in lattice.shape)):
        part = tuple(slice(first * _BLOCK, (first + 1) * _BLOCK) for first in corner)
        z, y, x = (axis[cut] for axis, cut in zip(axes, part, strict=True))
        middle = np.array([0.5 * (place[0] + place[-1]) for place in (x, y, z)])
        reach = np.sqrt(sum((place[-1] - place[0]) ** 2 for place in (x, y, z)))
        away = np.sqrt(np.square(kept - middle).sum(axis=1))
        near = kept[away <= np.partition(away, 1)[1] + reach + 1e-9]
        squared = np.square(z[:, None, None] - near[:, 2, None, None, None])
        squared = squared + np.square(y[:, None] - near[:, 1, None, None, None])
        squared = (squared + np.square(x - near[:, 0, None, None, None])).reshape(len(near), -1)
        column = np.arange(squared.shape[1])
        first = squared.argmin(axis=0)
        closest = squared[first, column]
        squared[first, column] = np.inf
        second = squared.argmin(axis=0)
        apart = np.sqrt(np.square(near[first] - near[second]).sum(axis=1))
        gap = (squared[second, column] - closest) / (2 * apart)
        result[part] = gap.reshape(len(z), len(y), len(x))
    return result


def _distance_to_tree(places: NDArray[np.float64], tree: Tree) -> NDArray[np.float64]:
    """Return the distance (k,) of places (k, 3) to the nearest center line."""
    nearest = np.full(len(places), np.inf)
    for start, end in zip(tree.start, tree.end, strict=True):
        way, offset = end - start, places - start
        along = np.clip((offset * way).sum(axis=1) / max(float(np.square(way).sum()), 1e-30), 0, 1)
        nearest = np.minimum(nearest, np.sqrt(np.square(offset - along[:, None] * way).sum(axis=1)))
    return nearest


@dataclass(frozen=True)
class _Tube:
    """A vessel or airway along z: x, y of its middle, radius of its lumen, thickness and region of its wall."""

    at: tuple[float, float]
    lumen: float
    wall: float
    region: int
    folds: float = 0.0  # share of the radius by which the lining is folded


def _draw_bundle(
    lattice: Lattice,
    solid: NDArray[np.float32],
    region: NDArray[np.uint8],
    tubes: list[_Tube],
    cuff_width: float,
) -> None:
    """Draw tubes that bend together, in one cuff of connective tissue, over what is there."""
    part = _around(lattice, tubes, cuff_width)
    x, y, z = centers_in(lattice, part)
    t = z / (lattice.shape[0] * lattice.spacing) - 0.5
    kind = np.full(solid[part].shape, CUFF, dtype=np.uint8)
    beyond = into = np.full(kind.shape, np.inf)
    for tube in tubes:
        across, along = x - tube.at[0] - _BEND[0] * t**2, y - tube.at[1] - _BEND[1] * t**2
        distance = np.sqrt(across**2 + along**2)
        lining = tube.lumen * (1 + tube.folds * np.cos(_FOLDS * np.arctan2(along, across)))
        kind[distance < tube.lumen + tube.wall] = tube.region
        into = np.minimum(into, distance - lining)
        beyond = _rounded_union(beyond, distance - (tube.lumen + tube.wall))
    cuff = cuff_width - beyond
    region[part] = np.where(cuff > 0, kind, region[part])
    solid[part] = np.minimum(np.maximum(solid[part], cuff), into)


def _around(lattice: Lattice, tubes: list[_Tube], cuff_width: float) -> tuple[slice, slice, slice]:
    """Return the cells (z, y, x) that a bundle can touch."""
    middles = np.array([tube.at for tube in tubes])
    beyond = max(tube.lumen + tube.wall for tube in tubes) + cuff_width + _CORNER
    low = np.append(middles.min(axis=0) - beyond, 0.0)
    high = np.append(middles.max(axis=0) + 0.25 * np.array(_BEND) + beyond, np.inf)
    part = window(lattice, low, np.minimum(high, lattice.shape[0] * lattice.spacing))
    assert part is not None  # a bundle lies in the cube
    return part


def _rounded_union(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the least of two distances, less near their ridge: connective tissue fills the corner there."""
    blend = np.clip(1 - np.abs(np.where(np.isinf(one), np.inf, one - other)) / _CORNER, 0, None)
    return np.asarray(np.minimum(one, other) - 0.25 * _CORNER * blend**2)


def _open_bronchiole(lattice: Lattice, solid: NDArray[np.float32], airways: Tree) -> None:
    """Cut the first duct through the wall of the bronchiole and its cuff."""
    stem = airways.only(np.arange(airways.size) == 0)
    solid[:] = np.minimum(solid, distance_to_segments(stem, lattice, 2 * DUCT_RADIUS) - DUCT_RADIUS)


def _exchange(drawing: Drawing, lattice: Lattice) -> NDArray[np.float64]:
    """Return the mean weight of a cell's tissue by its regions, 0 where it has none: per tissue, not per cell."""
    tissue = drawing.mean_of((1.0,) * len(REGIONS), lattice)
    return np.asarray(drawing.mean_of(EXCHANGE, lattice) / np.where(tissue > 0, tissue, 1.0))
