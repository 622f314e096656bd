"""A regular lattice of sample points in physical space, and a scalar field that lives on one."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import ceil, floor

import numpy as np
from numpy.typing import NDArray

from tissuesim.errors import InputError

Point = tuple[float, float, float]  # x, y, z in mm
LARGEST_BOX = 400_000_000  # voxels; a dense uint8 box of this size is 0.4 GB
_SLAB_SAMPLES = 16_000_000  # samples held at once while an organ is sampled layer by layer


@dataclass(frozen=True)
class Lattice:
    """Cells of ``spacing`` mm in a box of ``shape`` (z, y, x) whose lower corner is ``origin`` (x, y, z)."""

    spacing: float
    origin: Point
    shape: tuple[int, int, int]

    @classmethod
    def covering(cls, lower: Point, upper: Point, spacing: float) -> Lattice:
        """Return the smallest lattice over a box, its corner on whole multiples of the spacing.

        Because of that, voxels of 2 mm nest in voxels of 4 mm. InputError if there would be too many.
        """
        first = [floor(low / spacing + 1e-9) for low in lower]
        size = [max(ceil(high / spacing - 1e-9) - begin, 1) for high, begin in zip(upper, first, strict=True)]
        if size[0] * size[1] * size[2] > LARGEST_BOX:
            raise InputError(
                f"spacing {spacing:g} mm makes a box of {size[0]} x {size[1]} x {size[2]} voxels; "
                f"at most {LARGEST_BOX:,} are allowed, so take a larger spacing"
            )
        corner = (first[0] * spacing, first[1] * spacing, first[2] * spacing)
        return cls(float(spacing), corner, (size[2], size[1], size[0]))

    @classmethod
    def of_cells(cls, lower: Point, upper: Point, cells: int) -> Lattice:
        """Return a lattice over a box of any shape or size with about ``cells`` cells."""
        volume = 1.0
        for low, high in zip(lower, upper, strict=True):
            volume *= high - low
        return cls.covering(lower, upper, (volume / cells) ** (1 / 3))

    def axes(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Return center coordinates that broadcast to the box: z (n,1,1), y (1,n,1), x (1,1,n)."""
        z, y, x = (
            np.asarray(self.origin[2 - k] + (np.arange(size) + 0.5) * self.spacing, dtype=np.float64)
            for k, size in enumerate(self.shape)
        )
        return z[:, None, None], y[None, :, None], x[None, None, :]

    def refined(self, times: int) -> Lattice:
        """Return the lattice with every cell cut into ``times``^3."""
        depth, height, width = self.shape
        return Lattice(self.spacing / times, self.origin, (depth * times, height * times, width * times))

    def padded(self, cells: int) -> Lattice:
        """Return the lattice with ``cells`` more cells on every side."""
        x, y, z = (corner - cells * self.spacing for corner in self.origin)
        depth, height, width = (size + 2 * cells for size in self.shape)
        return Lattice(self.spacing, (x, y, z), (depth, height, width))

    def slabs(self, times: int = 1) -> list[tuple[slice, Lattice]]:
        """Return (layers, lattice of these layers) such that each, refined ``times``, fits in memory."""
        depth, height, width = self.shape
        layers = max(1, _SLAB_SAMPLES // (height * width * times**3))
        edges = [*range(0, depth, layers), depth]
        x, y, z = self.origin
        return [
            (
                slice(start, stop),
                Lattice(self.spacing, (x, y, z + start * self.spacing), (stop - start, height, width)),
            )
            for start, stop in pairwise(edges)
        ]


@dataclass(frozen=True)
class ScalarField:
    """Values at the centers of a lattice, read anywhere by linear interpolation (constant beyond the box)."""

    lattice: Lattice
    values: NDArray[np.float64]

    def on(self, target: Lattice) -> NDArray[np.float64]:
        """Return the field at the centers of another lattice, one axis after the other."""
        result = self.values
        for axis, (here, there) in enumerate(zip(self.lattice.axes(), target.axes(), strict=True)):
            count = self.lattice.shape[axis]
            position = np.clip((there.ravel() - here.ravel()[0]) / self.lattice.spacing, 0, count - 1)
            low = np.minimum(position.astype(np.int64), max(count - 2, 0))
            high = np.minimum(low + 1, count - 1)
            weight = (position - low).reshape([-1 if k == axis else 1 for k in range(3)])
            result = (1 - weight) * result.take(low, axis) + weight * result.take(high, axis)
        return result
