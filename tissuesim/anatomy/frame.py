"""Where the built-in kidney's axes lie in a solid of another size and direction."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .kidney import HALF_SIZE, VOLUME_ML
from .lattice import Lattice
from .pose import cell_centers


class Frame(NamedTuple):
    """Where the built-in kidney's axes lie in a solid: x_kidney = stretch (rows p - middle)."""

    rows: NDArray[np.float64]  # unit vectors (3, 3): to the hilum, through the thickness, along the length
    middle: NDArray[np.float64]  # of the solid's extent along each axis, mm
    stretch: NDArray[np.float64]  # built-in half size / half extent
    scale: float  # size of this organ in built-in kidneys, cube root of the volume ratio

    def coordinates(self, lattice: Lattice) -> tuple[NDArray[np.float64], ...]:
        """Return the built-in kidney's x, y, z of every center."""
        z, y, x = cell_centers(lattice)
        z, y, x = z[:, None, None], y[None, :, None], x[None, None, :]
        return tuple(
            ((row[0] * x + row[1] * y + row[2] * z) - middle) * stretch
            for row, middle, stretch in zip(self.rows, self.middle, self.stretch, strict=True)
        )

    def inwards(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return points (k, 3) of the solid in the built-in kidney's coordinates."""
        return np.asarray((points @ self.rows.T - self.middle) * self.stretch)

    def back(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return points (k, 3) of the built-in kidney in the solid's coordinates."""
        return np.asarray((points / self.stretch + self.middle) @ self.rows)


def fit_frame(lattice: Lattice, inside: NDArray[np.bool_]) -> Frame:
    """Return the kidney's axes in a solid: principal axes, the hilum on the side to which the poles bend.

    A kidney's outline is x = b z^2, so the sign of the covariance of u (middle axis) with w^2 (long axis)
    tells the medial side.
    """
    cells = np.argwhere(inside)[:, ::-1]
    points = (cells + 0.5) * lattice.spacing + np.asarray(lattice.origin)
    centered = points - points.mean(axis=0)
    _, vectors = np.linalg.eigh(centered.T @ centered)
    middle, long = vectors[:, 1], vectors[:, 2]  # eigenvalues ascend
    u, w = centered @ middle, centered @ long
    if float(np.mean(u * (w**2 - np.mean(w**2)))) < 0:
        middle = -middle
    if long[np.argmax(np.abs(long))] < 0:
        long = -long
    rows = np.stack([middle, np.cross(long, middle), long])  # right-handed: x hilum, z long
    along = points @ rows.T
    lower, upper = along.min(axis=0) - 0.5 * lattice.spacing, along.max(axis=0) + 0.5 * lattice.spacing
    volume_ml = len(points) * lattice.spacing**3 / 1000
    return Frame(
        rows=rows,
        middle=(lower + upper) / 2,
        stretch=2 * np.asarray(HALF_SIZE) / (upper - lower),
        scale=float((volume_ml / VOLUME_ML) ** (1 / 3)),
    )
