"""A cube of myocardium: rows of muscle cells along z, a capillary between every three of them, one arteriole.

Numbers: 3000 capillaries per mm^2 across the fibers and 18-20 um from one to the next (Rakusan 1992, Circ Res 70:1),
one per muscle cell; interstitium and capillaries are a third of the tissue (extracellular volume 0.25 and blood 0.14
with larger vessels, model.md section 4). A capillary is narrower than a voxel: it is no hole but the `exchange` of the
interstitium. Voxels of 10 um still show rows; in those of 20 um muscle has the majority everywhere and only the
exchange knows of capillaries.
"""

from __future__ import annotations

from functools import partial
from math import ceil, sqrt

import numpy as np
from numpy.typing import NDArray

from tissuesim.errors import InputError

from .heart_form import in_parts
from .lattice import Lattice, Point, ScalarField
from .noise import smooth_normal, uniform_numbers
from .organ import Organ, built_in_report
from .primitives import Values, tube
from .sampling import cell_mean

REGIONS = ("muscle", "interstitium", "perivascular", "arteriole_wall")
MUSCLE, INTERSTITIUM, PERIVASCULAR, ARTERIOLE_WALL = range(4)

# All lengths in mm.
APART = 0.019  # from one capillary to the next
SLEEVE = 0.0056  # radius around a capillary's middle line: its lumen, wall and interstitium
LUMEN, WALL, SPACE = 0.020, 0.010, 0.030  # of the arteriole: radius, thickness, width of the space around it
_STRAY = 0.0025  # how far a capillary lies from its place in the rows, at most, along each axis
_BEND, _BEND_LENGTH = 0.004, 0.12  # standard deviation and correlation length of the rows' windings
_BEND_STEP = 0.02  # of the lattice that holds the windings
_LINE = ((0.58, 0.42), (0.68, 0.48))  # of the arteriole at the lower and the upper face, in sides
_ROW = APART * sqrt(3.0) / 2
_MARGIN = 6  # rows beyond the cube: windings and strays never reach so far
_STREAMS = {"stray": 21, "bend_x": 22, "bend_y": 23}
_SMALLEST, _LARGEST = 0.2, 2.0
_FINEST = 0.0025  # of the samples of the exchange surface


class _Rows:
    """Capillaries as a triangular lattice in x, y that strays a little and winds along z."""

    def __init__(self, size: float, seed: int) -> None:
        count = ceil(size / _ROW) + 2 * _MARGIN
        stray = uniform_numbers(seed, _STREAMS["stray"], 2 * count**2)
        self.stray = (2.0 * stray - 1.0).reshape(count, count, 2) * _STRAY
        upper = (size, size, size)
        lattice = Lattice.covering((0.0, 0.0, 0.0), upper, _BEND_STEP).padded(1)
        self.bend = [
            ScalarField(lattice, np.round(_BEND * field, 9))
            for field in (
                smooth_normal(lattice, (0.0, 0.0, 0.0), upper, _BEND_LENGTH, seed, _STREAMS[name])
                for name in ("bend_x", "bend_y")
            )
        ]

    def places(self) -> NDArray[np.float64]:
        """Return where all capillaries, those beyond the cube too, cross a plane without windings, (k, 2)."""
        row, column = np.indices(self.stray.shape[:2])
        straight = np.stack([column + 0.5 * (row % 2), row * (_ROW / APART)], axis=-1)
        return np.asarray(((straight - _MARGIN) * APART + self.stray).reshape(-1, 2))

    def in_sleeve(self, lattice: Lattice) -> NDArray[np.bool_]:
        """Return which centers (z, y, x) lie around a capillary."""
        _, y, x = lattice.axes()
        return in_parts(self._near, x + self.bend[0].on(lattice), y + self.bend[1].on(lattice))

    def _near(self, x: Values, y: Values) -> NDArray[np.bool_]:
        x, y = x / APART + _MARGIN, y / APART + _MARGIN
        row = np.rint(y * (APART / _ROW)).astype(np.int64)
        last = len(self.stray) - 1
        near = np.zeros(x.shape, dtype=np.bool_)
        for row_step in (-1, 0, 1):
            here = np.clip(row + row_step, 0, last)
            shift = 0.5 * (here % 2)
            column = np.rint(x - shift).astype(np.int64)
            for column_step in (-1, 0, 1):
                there = np.clip(column + column_step, 0, last)
                stray = self.stray[here, there] / APART
                from_x = x - (there + shift) - stray[..., 0]
                from_y = y - here * (_ROW / APART) - stray[..., 1]
                near |= from_x * from_x + from_y * from_y < (SLEEVE / APART) ** 2
        return near


def heart_patch(size: float = 0.5, *, seed: int = 1) -> Organ:
    """Return a cube of myocardium of ``size`` mm (0.2 to 2) between 0 and ``size`` on each axis, fibers along z.

    Meant for voxels of 5 to 12 um. The lumen of the arteriole is left out and open at both ends; ``seed`` decides
    where capillaries lie and how rows wind. Raises InputError for a size that cannot be.
    """
    if not _SMALLEST <= size <= _LARGEST:
        raise InputError(f"size of heart_patch is {size:g} mm; it must be from {_SMALLEST} to {_LARGEST} mm")
    rows = _Rows(size, seed)
    start, end = arteriole_line(size)
    lumen = np.pi * LUMEN**2 * sqrt(sum((b - a) ** 2 for a, b in zip(start, end, strict=True)))
    return Organ(
        source="heart_patch",
        lower=(0.0, 0.0, 0.0),
        upper=(size, size, size),
        region_names=REGIONS,
        inside=partial(_inside, size=size),
        region_at=partial(_region_at, size=size, rows=rows),
        region_samples=3,
        report=built_in_report(
            anatomy=f"{size:g} mm cube of myocardium: muscle cells along z, capillaries between, one arteriole",
            regions="interstitium: 5.6 um around capillaries; the lumen of the arteriole is left out",
            volume_ml=(size**3 - lumen) / 1000,
            volume_reference="cube less the oblique cylinder of the lumen",
            axes=(("x-", "x+"), ("y-", "y+"), ("along fibers", "along fibers")),
        ),
        reference_region="",
        vessel_factors={"muscle": 0.0, "interstitium": 1.0, "perivascular": 0.0, "arteriole_wall": 0.0},
        niche_regions=("perivascular",),
        niche_radius=None,
        vessel_roots=((start, _direction(start, end)),),
        exchange=cell_mean(partial(_exchange, size=size, rows=rows), _FINEST),
        fibre=_along_z,
    )


def arteriole_line(size: float) -> tuple[Point, Point]:
    """Return where the arteriole's middle line enters the lower and leaves the upper face (x, y, z in mm)."""
    (low_x, low_y), (high_x, high_y) = _LINE
    return (low_x * size, low_y * size, 0.0), (high_x * size, high_y * size, size)


def capillary_places(size: float, seed: int) -> NDArray[np.float64]:
    """Return x, y (k, 2) of the capillaries of a patch in a plane without windings."""
    places = _Rows(size, seed).places()
    return np.asarray(places[((places > 0) & (places < size)).all(axis=1)])


def _direction(start: Point, end: Point) -> Point:
    x, y, z = (b - a for a, b in zip(start, end, strict=True))
    length = sqrt(x * x + y * y + z * z)
    return (x / length, y / length, z / length)


def _from_arteriole(lattice: Lattice, size: float) -> Values:
    """Return the distance to the arteriole's middle line, which goes on beyond the cube."""
    z, y, x = lattice.axes()
    start, end = arteriole_line(size)
    low_x, low_y, low_z = (2 * a - b for a, b in zip(start, end, strict=True))
    high_x, high_y, high_z = (2 * b - a for a, b in zip(start, end, strict=True))
    return tube((x, y, z), (low_x, low_y, low_z), (high_x, high_y, high_z))[0]


def _inside(lattice: Lattice, size: float) -> NDArray[np.bool_]:
    solid = _from_arteriole(lattice, size) > LUMEN
    for centers in lattice.axes():
        solid &= (centers > 0) & (centers < size)
    return solid


def _region_at(lattice: Lattice, depth: NDArray[np.float64], size: float, rows: _Rows) -> NDArray[np.uint8]:
    distance = _from_arteriole(lattice, size)
    region = np.where(rows.in_sleeve(lattice), np.uint8(INTERSTITIUM), np.uint8(MUSCLE))
    region[distance < LUMEN + WALL + SPACE] = PERIVASCULAR
    region[distance < LUMEN + WALL] = ARTERIOLE_WALL
    return region


def _exchange(lattice: Lattice, size: float, rows: _Rows) -> NDArray[np.float64]:
    """Return 1 around capillaries, 0 elsewhere."""
    region = _region_at(lattice, np.zeros(()), size, rows)
    return np.asarray((region == INTERSTITIUM) & _inside(lattice, size), dtype=np.float64)


def _along_z(lattice: Lattice) -> NDArray[np.float64]:
    fibre = np.zeros((*lattice.shape, 3))
    fibre[..., 2] = 1.0
    return fibre
