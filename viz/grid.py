"""Voxels as VTK takes them: a padded grid with tissue share and regions, and fields read off at points."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

BORDER = 3  # voxels by which a field is continued beyond the organ, for clean colors at its surface
SMOOTHING, PASS_BAND = 30, 0.08
NOTHING = 255  # region where there is no tissue
Values = NDArray[np.float32]


class OrganGrid:
    """The voxels of one organ with a border of nothing, and its smooth surface (mm)."""

    def __init__(
        self, fraction: NDArray[Any], region: NDArray[np.uint8], spacing: float, origin: NDArray[np.float64]
    ) -> None:
        """Take tissue share and region (z, y, x), and the corner ``origin`` (x, y, z) of the box in mm."""
        import pyvista

        self.spacing = spacing
        self.fraction = np.pad(np.asarray(fraction, dtype=np.float32), BORDER)
        self.region = np.pad(region, BORDER, constant_values=NOTHING)
        self.tissue = self.region != NOTHING
        self.corner = np.asarray(origin) + (0.5 - BORDER) * spacing  # center of the first voxel
        self.image: Any = pyvista.ImageData(
            dimensions=self.fraction.shape[::-1], spacing=(spacing,) * 3, origin=tuple(self.corner)
        )
        self.add("fraction", self.fraction)

    def add(self, name: str, values: NDArray[Any]) -> None:
        """Give the grid the point values ``name`` (z, y, x)."""
        self.image.point_data[name] = values.reshape(-1).astype(np.float32, copy=False)

    def surface(self) -> Any:
        """Return the smooth surface of the organ with normals that point outwards."""
        return smooth_shell(self.image, "fraction", level_of(self.fraction, self.tissue))

    def field(self, values: NDArray[Any]) -> Values:
        """Return ``values`` (z, y, x; NaN outside) on the padded grid, continued beyond the tissue."""
        padded = np.pad(np.asarray(values, dtype=np.float32), BORDER, constant_values=np.nan)
        return extended(padded, np.isfinite(padded))

    def region_share(self, label: int) -> Values:
        """Return how much of each place belongs to region ``label``, continued and smoothed for clean borders."""
        return blurred(extended((self.region == label).astype(np.float32), self.tissue))

    def reader(self, points: NDArray[Any]) -> PointReader:
        """Return what reads fields of the padded grid off at ``points`` (n, 3)."""
        return PointReader(
            (np.asarray(points, dtype=np.float64) - self.corner) / self.spacing, self.fraction.shape
        )


class PointReader:
    """Values at fixed points, linear between voxel centers; the weights are worked out once."""

    def __init__(self, place: NDArray[np.float64], shape: tuple[int, ...]) -> None:
        """Take points (n, 3) as x, y, z in voxels of a grid of ``shape`` (z, y, x)."""
        place = np.clip(place[:, ::-1], 0.0, np.array(shape) - 1.001)
        low = np.floor(place).astype(np.int64)
        self._weight = (place - low).astype(np.float32)
        strides = np.array([shape[1] * shape[2], shape[2], 1])
        self._first = low @ strides
        self._steps = strides

    def __call__(self, values: Values) -> Values:
        """Return the values (n,) of a padded field."""
        flat, result = values.reshape(-1), np.zeros(len(self._first), dtype=np.float32)
        for corner in np.ndindex(2, 2, 2):
            part = np.where(np.array(corner) == 1, self._weight, 1.0 - self._weight).prod(axis=1)
            result += part * flat[self._first + int(np.dot(corner, self._steps))]
        return result


def level_of(share: NDArray[Any], tissue: NDArray[np.bool_]) -> float:
    """Return the tissue share that counts as surface: a half, less where walls are thinner than a voxel."""
    return 0.5 * min(1.0, float(np.median(share[tissue])))


def smooth_shell(image: Any, name: str, level: float, rounds: int = SMOOTHING) -> Any:
    """Return the surface where point values ``name`` of ``image`` are ``level``, smoothed, with outward normals."""
    shell = image.contour([level], scalars=name, method="flying_edges")
    if shell.n_points == 0:
        return shell
    shell = shell.smooth_taubin(n_iter=rounds, pass_band=PASS_BAND)
    return shell.compute_normals(auto_orient_normals=True, split_vertices=False)


def extended(values: NDArray[Any], known: NDArray[np.bool_]) -> Values:
    """Return ``values`` (z, y, x) continued ``BORDER`` voxels beyond ``known`` by means of neighbors.

    Zero elsewhere. The box must have a border of ``BORDER`` unknown voxels, or values would wrap around.
    """
    shape = values.shape
    result = np.where(known, values, 0.0).astype(np.float32).reshape(-1)
    seen = known.copy().reshape(-1)
    strides = (shape[1] * shape[2], shape[2], 1)
    for _ in range(BORDER):
        new = _beside(seen.reshape(shape))
        index = np.flatnonzero(new)
        total, weight = np.zeros(index.size, dtype=np.float32), np.zeros(index.size, dtype=np.float32)
        for step in (step for stride in strides for step in (stride, -stride)):
            near = (index - step) % result.size
            total += result[near] * seen[near]
            weight += seen[near]
        result[index] = total / weight
        seen[index] = True
    return result.reshape(shape)


def _beside(known: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the places that are unknown and have a known neighbor."""
    near = np.zeros_like(known)
    for axis in range(3):
        for step in (1, -1):
            near |= np.roll(known, step, axis)
    return near & ~known


def blurred(field: NDArray[Any], rounds: int = 2) -> Values:
    """Return ``field`` (z, y, x) averaged with their six neighbors ``rounds`` times (smooth lines)."""
    values: Values = np.asarray(field, dtype=np.float32)
    for _ in range(rounds):
        total = 2.0 * values
        for axis in range(3):
            for step in (1, -1):
                total += np.roll(values, step, axis)
        values = np.asarray(total / np.float32(8.0), dtype=np.float32)
    return values
