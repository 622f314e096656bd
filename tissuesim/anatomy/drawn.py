"""A microscopic patch drawn once on a fine lattice of its own and read from there at any voxel size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .lattice import Lattice, Point, ScalarField
from .organ import Organ, built_in_report

FINEST = 0.005  # mm, the step of a drawing of up to 1 mm side
MOST_CELLS = 8_000_000  # of a drawing; larger patches are drawn with a wider step
_SAME_STRAND = 2  # segments along: closer ones do not wall each other off
_ON_EDGE = 1e-6  # cells: a place on the border of two cells belongs to the upper one, whatever the rounding
_DECIMALS = 7  # mm: the last bits of cos and exp differ between processors, 0.1 nm does not

Points = NDArray[np.float64]


@dataclass(frozen=True)
class Drawing:
    """A patch on its lattice: ``solid`` is the distance (mm) into the tissue, negative in lumens."""

    solid: ScalarField
    region: NDArray[np.uint8]

    def inside(self, lattice: Lattice) -> NDArray[np.bool_]:
        """Return which centers are tissue: in the box and not in a lumen."""
        box = self.solid.lattice
        within = np.array(True)
        for axis, centers in enumerate(lattice.axes()):
            low = box.origin[2 - axis]
            within = within & (centers > low) & (centers < low + box.shape[axis] * box.spacing)
        return np.asarray((self.solid.on(lattice) > 0) & within)

    def region_at(self, lattice: Lattice, depth: NDArray[np.float64]) -> NDArray[np.uint8]:
        """Return the region of the drawing's cell at each center; beyond the box that of its border."""
        box = self.solid.lattice
        index = [
            np.clip(
                np.floor((centers.ravel() - box.origin[2 - axis]) / box.spacing + _ON_EDGE),
                0,
                box.shape[axis] - 1,
            )
            for axis, centers in enumerate(lattice.axes())
        ]
        return np.asarray(self.region[np.ix_(*(part.astype(np.int64) for part in index))])

    def volume(self) -> float:
        """Return the tissue volume, mm^3, by cells of the drawing."""
        return float(np.count_nonzero(self.solid.values > 0)) * self.solid.lattice.spacing**3

    def mean_of(self, weights: tuple[float, ...], lattice: Lattice) -> NDArray[np.float64]:
        """Return the mean over each cell of a weight per region, by 2 x 2 x 2 samples; 0 in lumens."""
        result = np.zeros(lattice.shape)
        for layers, slab in lattice.slabs(2):
            fine = slab.refined(2)
            values = np.asarray(weights)[self.region_at(fine, np.zeros(0))] * self.inside(fine)
            depth, height, width = slab.shape
            result[layers] = values.reshape(depth, 2, height, 2, width, 2).mean(axis=(1, 3, 5))
        return result


def drawn_patch(
    source: str,
    drawing: Drawing,
    size: float,
    region_names: tuple[str, ...],
    per_region: tuple[float, ...],
    told: Mapping[str, Any],
    **maps: Any,
) -> Organ:
    """Return the cube of ``size`` mm between 0 and ``size`` that a drawing fills.

    ``per_region`` is the exchange surface of each region, relative to the reference region; ``told`` are arguments of
    `built_in_report`, ``maps`` of `Organ`.
    """
    return Organ(
        source=source,
        lower=(0.0, 0.0, 0.0),
        upper=(size, size, size),
        region_names=region_names,
        inside=drawing.inside,
        region_at=drawing.region_at,
        region_samples=3,
        report=built_in_report(
            volume_ml=drawing.volume() / 1000, volume_reference="the same drawing on its own lattice", **told
        ),
        vessel_factors=dict(zip(region_names, per_region, strict=True)),
        **{"exchange": lambda lattice: drawing.mean_of(per_region, lattice), **maps},
    )


def drawing_lattice(lower: Point, upper: Point) -> Lattice:
    """Return the lattice of a drawing over a box: 5 um, or wider so that it has no more than 8 million cells."""
    sides = [high - low for low, high in zip(lower, upper, strict=True)]
    step = max(FINEST, (sides[0] * sides[1] * sides[2] / MOST_CELLS) ** (1 / 3))
    cells = [max(round(side / step), 1) for side in sides]
    return Lattice(sides[0] / cells[0], lower, (cells[2], cells[1], cells[0]))


def finish(lattice: Lattice, solid: NDArray[np.float32], region: NDArray[np.uint8]) -> Drawing:
    """Return the drawing of a signed distance and regions on a lattice."""
    steady = np.asarray(np.round(solid.astype(np.float64), _DECIMALS), dtype=np.float64)
    return Drawing(ScalarField(lattice, steady), region)


def window(lattice: Lattice, low: Points, high: Points) -> tuple[slice, slice, slice] | None:
    """Return the cells (z, y, x) whose centers lie in a box, None if there are none."""
    first = np.ceil((low - lattice.origin) / lattice.spacing - 0.5).astype(int)[::-1]
    last = np.floor((high - lattice.origin) / lattice.spacing - 0.5).astype(int)[::-1] + 1
    z, y, x = (
        slice(max(int(a), 0), min(int(b), n)) for a, b, n in zip(first, last, lattice.shape, strict=True)
    )
    return None if any(part.stop <= part.start for part in (z, y, x)) else (z, y, x)


def centers_in(lattice: Lattice, part: tuple[slice, slice, slice]) -> tuple[Points, Points, Points]:
    """Return x, y, z of the centers in a window, shaped to broadcast."""
    z, y, x = lattice.axes()
    return x[:, :, part[2]], y[:, part[1]], z[part[0]]


def distance_to_segment(x: Points, y: Points, z: Points, start: Points, end: Points) -> Points:
    """Return the distance of places to the segment from ``start`` to ``end`` (x, y, z)."""
    along = end - start
    length2 = float(along @ along)
    offset = (x - start[0], y - start[1], z - start[2])
    t = (offset[0] * along[0] + offset[1] * along[1] + offset[2] * along[2]) / max(length2, 1e-30)
    t = np.clip(t, 0.0, 1.0)
    squares = sum((part - t * step) ** 2 for part, step in zip(offset, along, strict=True))
    return np.asarray(np.sqrt(squares))


@dataclass(frozen=True)
class Strands:
    """Distances (mm) to the nearest strand, to the next other one, and the number of the nearest segment."""

    first: NDArray[np.float32]
    second: NDArray[np.float32]
    segment: NDArray[np.int32]


def draw_strands(lattice: Lattice, starts: Points, ends: Points, reach: float) -> Strands:
    """Return the distances to segments (k, 3), at most ``reach``; k, k + 1 and k + 2 count as one strand.

    Rows of NaN are gaps: two of them keep the numbers of different strands apart.
    """
    first = np.full(lattice.shape, reach, dtype=np.float32)
    second = np.full(lattice.shape, reach, dtype=np.float32)
    nearest = np.full(lattice.shape, -10, dtype=np.int32)
    for number, (start, end) in enumerate(zip(starts, ends, strict=True)):
        if np.isnan(start[0]):  # a gap between strands
            continue
        part = window(lattice, np.minimum(start, end) - reach, np.maximum(start, end) + reach)
        if part is None:
            continue
        distance = distance_to_segment(*centers_in(lattice, part), start, end).astype(np.float32)
        near, other, own = first[part], second[part], nearest[part]
        same = np.abs(own - number) <= _SAME_STRAND
        closer = distance < near
        np.minimum(other, np.where(same, other, np.where(closer, near, distance)), out=other)
        own[closer] = number
        np.minimum(near, distance, out=near)
    return Strands(first, second, nearest)


def close_packed(
    lower: Points, upper: Points, apart: float, turn: NDArray[np.float64]
) -> tuple[Points, NDArray[np.int64]]:
    """Return the places (n, 3) of a turned face-centered lattice in a box and their integer coordinates (n, 3).

    Neighbors are ``apart`` mm from each other; they are the places whose coordinates differ by one of the
    twelve steps of `CLOSE_STEPS`. ``turn`` is a rotation matrix.
    """
    edge = apart / np.sqrt(2.0)
    middle = (lower + upper) / 2
    reach = int(np.ceil(float(np.linalg.norm(upper - lower)) / 2 / edge)) + 1
    line = np.arange(-reach, reach + 1)
    whole = np.stack(np.meshgrid(line, line, line, indexing="ij"), axis=-1).reshape(-1, 3)
    whole = whole[whole.sum(axis=1) % 2 == 0]
    places = middle + edge * (
        whole[:, :1] * turn[:, 0] + whole[:, 1:2] * turn[:, 1] + whole[:, 2:] * turn[:, 2]
    )
    held = np.all((places > lower) & (places < upper), axis=1)
    return places[held], whole[held].astype(np.int64)


CLOSE_STEPS = tuple(
    step for step in product((-1, 0, 1), repeat=3) if sum(abs(part) for part in step) == 2
)  # to the twelve neighbors in a face-centered lattice


def rounded(points: Points) -> Points:
    """Return the polyline (2 n - 1, 3) through the middles of a polyline (n, 3) and its corners, drawn inwards."""
    middles = (points[1:] + points[:-1]) / 2
    result = np.empty((2 * len(points) - 1, 3))
    result[1::2] = middles
    result[0], result[-1] = points[0], points[-1]
    result[2:-1:2] = points[1:-1] / 2 + (middles[1:] + middles[:-1]) / 4
    return result


def segments_of(strands: list[Points]) -> tuple[Points, Points, NDArray[np.int64]]:
    """Return (starts, ends, strand number) of polylines in a row, two rows of NaN between them."""
    gap = np.full((_SAME_STRAND, 3), np.nan)
    starts = [part for strand in strands for part in (strand[:-1], gap)]
    ends = [part for strand in strands for part in (strand[1:], gap)]
    counts = [len(strand) - 1 + _SAME_STRAND for strand in strands]
    return np.concatenate(starts), np.concatenate(ends), np.repeat(np.arange(len(strands)), counts)


def wind(whole: NDArray[np.int64], words: NDArray[np.uint64]) -> list[list[int]]:
    """Return strands, lists of place numbers, that wind through all places without crossing themselves.

    From a place the strand goes on, without turning back, to the free neighbor that has fewest free neighbors
    left (so few places are left over); ``words`` (n,) decide between equals and where strands begin.
    """
    number = {tuple(place): index for index, place in enumerate(whole.tolist())}
    neighbors = [
        [
            (number[key], step)
            for step in CLOSE_STEPS
            if (key := (a + step[0], b + step[1], c + step[2])) in number
        ]
        for a, b, c in whole.tolist()
    ]
    order = np.argsort(words, kind="stable")
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    ranks = rank.tolist()
    free = [True] * len(neighbors)
    strands = []
    for start in order.tolist():
        if not free[start]:
            continue
        strand, here, before = [start], start, (0, 0, 0)
        free[start] = False
        while True:
            ahead = [
                (sum(free[other] for other, _ in neighbors[place]), ranks[place], place, step)
                for place, step in neighbors[here]
                if free[place] and sum(a * b for a, b in zip(step, before, strict=True)) >= 0
            ]
            if not ahead:
                break
            _, _, here, before = min(ahead)
            free[here] = False
            strand.append(here)
        strands.append(strand)
    return strands
