"""Arteries of a kidney: in at the hilum, between the pyramids, along their bases and out into the cortex."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .lattice import Point
from .tree import Tree, grow_tree, join_trees
from .tree_flow import graft, with_murray_radii

# mm, in the kidney's coordinates: the renal artery comes from the medial side, parts into a front and a back division
# at the mouth of the sinus, and each division sends one artery into every column
HILUM, _MOUTH = (42.0, 0.0, 0.0), (32.0, 0.0, 0.0)
_DIVISION = (24.0, 5.0, 0.0)  # the end of the front division; that of the back is its mirror image
_ROOT_RADIUS = 2.75  # a renal artery of 5 to 6 mm; commonly quoted, not re-checked
_GENERATIONS = 12  # after the interlobar arteries: arcuate arteries and what rises from them


def renal_arteries(glomeruli: NDArray[np.float64], columns: Sequence[tuple[Point, Point]], seed: int) -> Tree:
    """Return the arteries: one root at the hilum, ends at the ``glomeruli`` (k, 3) that they supply; mm.

    ``columns`` are (where an artery leaves the sinus, where it reaches the base of the pyramids), one for each way
    between them; those in front (y > 0) come from the front division. Radii keep Murray's law.
    """
    trunk, stems = _trunk(columns)
    ends = trunk.end[stems]
    nearest = np.argmin(np.square(glomeruli[:, None] - ends).sum(axis=2), axis=1)
    branches = []
    for number, row in enumerate(stems):
        own = glomeruli[nearest == number]
        if not len(own):
            continue
        root, way = _point(trunk.end[row]), _point(trunk.end[row] - trunk.start[row])
        branch = grow_tree(
            own,
            root,
            way,
            seed + number,
            generations=_GENERATIONS,
            radius=1.0,
            largest_angle=180.0,  # arcuate arteries turn sharply, and every end must be reached
            first_generation=4,
        )
        branches.append((row, branch))
    return with_murray_radii(graft(trunk, branches), _ROOT_RADIUS)


def arteries_from(glomeruli: NDArray[np.float64], roots: Sequence[tuple[Point, Point]], seed: int) -> Tree:
    """Return arteries that lead straight from ``roots`` (place, direction inwards) to the ``glomeruli`` (k, 3); mm.

    For a kidney whose columns are not known; each end is fed by the nearest root.
    """
    places = np.array([place for place, _ in roots])
    nearest = np.argmin(np.square(glomeruli[:, None] - places).sum(axis=2), axis=1)
    trees = [
        grow_tree(
            glomeruli[nearest == number],
            root,
            way,
            seed + number,
            generations=_GENERATIONS,
            radius=1.0,
            largest_angle=180.0,
        )
        for number, (root, way) in enumerate(roots)
        if (nearest == number).any()
    ]
    return with_murray_radii(join_trees(trees), _ROOT_RADIUS)


def _trunk(columns: Sequence[tuple[Point, Point]]) -> tuple[Tree, list[int]]:
    """Return the renal artery down to the bases of the pyramids, and the rows of the last branches."""
    start, end, generation, parent = [HILUM], [_MOUTH], [0], [-1]
    stems = []
    for side in (1.0, -1.0):
        division = len(start)
        start.append(_MOUTH)
        end.append(_mirrored(_DIVISION, side))
        generation.append(1)
        parent.append(0)
        for entry, base in (column for column in columns if column[0][1] * side > 0):
            for first, last, level, before in (
                (_mirrored(_DIVISION, side), entry, 2, division),
                (entry, base, 3, len(start)),
            ):
                start.append(first)
                end.append(last)
                generation.append(level)
                parent.append(before)
            stems.append(len(start) - 1)
    trunk = Tree(
        np.array(start),
        np.array(end),
        np.ones(len(start)),
        np.array(generation, dtype=np.int64),
        np.array(parent, dtype=np.int64),
    )
    return trunk, stems


def _mirrored(point: Point, side: float) -> Point:
    return point[0], side * point[1], point[2]


def _point(values: NDArray[np.float64]) -> Point:
    return float(values[0]), float(values[1]), float(values[2])
