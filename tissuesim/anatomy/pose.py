"""The pose in which an imported shape is worked on, chosen so that a mirrored file takes the very same steps.

Sums and rounding do not care for the sign of all numbers at once, but sorting, sweeping and half-open cells do. So
each axis of a shape is first turned to the side on which it is heavier, and what comes out is turned back.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import fsum
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

from .lattice import Lattice, Point
from .organ import Organ

if TYPE_CHECKING:
    from .tree import Tree

Number = TypeVar("Number", bound=np.generic)
_WHOLE = 1e-6  # a corner this close to a whole number of cells is on it


@dataclass(frozen=True)
class Pose:
    """Signs by which x, y and z of a file are multiplied."""

    signs: tuple[int, int, int] = (1, 1, 1)

    @classmethod
    def of_points(cls, points: NDArray[np.float64], weights: NDArray[np.float64] | None = None) -> Pose:
        """Return the pose in which sum w ((x - middle) / half size)^3 >= 0 along each axis; points (p, 3).

        The sum is exactly rounded, so the order of the points does not matter.
        """
        lower, upper = points.min(axis=0), points.max(axis=0)
        half = np.maximum((upper - lower) / 2, 1e-300)
        cubes = ((points - (lower + upper) / 2) / half) ** 3
        if weights is not None:
            cubes = cubes * weights[:, None]
        x, y, z = (-1 if fsum(column.tolist()) < 0 else 1 for column in cubes.T)
        return cls((x, y, z))

    def points(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return points (p, 3) turned into the pose, or back."""
        return np.asarray(points * np.asarray(self.signs, dtype=np.float64))

    def lattice(self, lattice: Lattice) -> Lattice:
        """Return the lattice turned into the pose, or back."""
        spacing = lattice.spacing
        corner = [
            (first if sign > 0 else -(first + size)) * spacing
            for first, size, sign in zip(first_cells(lattice), lattice.shape[::-1], self.signs, strict=True)
        ]
        return Lattice(spacing, (corner[0], corner[1], corner[2]), lattice.shape)

    def box(self, values: NDArray[Number]) -> NDArray[Number]:
        """Return a box (z, y, x) of values turned into the pose, or back."""
        return values[tuple(slice(None, None, sign) for sign in reversed(self.signs))]

    def tree(self, tree: Tree) -> Tree:
        """Return a tree turned into the pose, or back."""
        return replace(tree, start=self.points(tree.start), end=self.points(tree.end))

    def placed(self, organ: Organ) -> Organ:
        """Return an organ that was made in this pose as it lies in the file."""
        low, high = self.points(np.array(organ.lower)), self.points(np.array(organ.upper))
        lower, upper = np.minimum(low, high).tolist(), np.maximum(low, high).tolist()
        arteries = organ.arteries
        return replace(
            organ,
            lower=(lower[0], lower[1], lower[2]),
            upper=(upper[0], upper[1], upper[2]),
            inside=lambda lattice: self.box(organ.inside(self.lattice(lattice))),
            region_at=lambda lattice, depth: self.box(
                organ.region_at(self.lattice(lattice), self.box(np.round(depth, 6)))
            ),
            arteries=None if arteries is None else lambda seed: self.tree(arteries(seed)),
        )


def first_cells(lattice: Lattice) -> Point:
    """Return x, y, z of the corner in cells: whole numbers if the lattice lies on whole multiples of its spacing."""
    cells = [corner / lattice.spacing for corner in lattice.origin]
    x, y, z = (float(round(cell)) if abs(cell - round(cell)) < _WHOLE else cell for cell in cells)
    return x, y, z


def cell_centers(lattice: Lattice) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return z (n,), y (n,), x (n,) of the centers, whose bits do not depend on where a slab was cut."""
    x, y, z = (
        np.asarray((first + np.arange(size) + 0.5) * lattice.spacing, dtype=np.float64)
        for first, size in zip(first_cells(lattice), lattice.shape[::-1], strict=True)
    )
    return z, y, x
