"""Planes of an organ as pictures: a section through a voxel along each axis, drawn in mm with regions outlined."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import xarray
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap

Box = NDArray[np.float64]
AXES = ("z", "y", "x")
OUTLINE = "#2B2F36"
BORDER = "#FFFFFF"
NO_TISSUE = 255


@dataclass(frozen=True)
class Plane:
    """One section: the axis it is normal to, the index along it, and the two axes of the picture (up, right)."""

    normal: int
    index: int

    @property
    def up(self) -> int:
        """The axis that stands upright."""
        return 1 if self.normal == 0 else 0

    @property
    def right(self) -> int:
        """The axis that lies flat."""
        return 1 if self.normal == 2 else 2

    def cut(self, box: NDArray[Any]) -> NDArray[Any]:
        """Return the section of ``box`` (z, y, x): rows along `up`, columns along `right`."""
        return np.asarray(np.take(box, self.index, axis=self.normal))


class Geometry:
    """Where the voxels of an organ are: coordinates of centers in mm, tissue, regions."""

    def __init__(self, dataset: xarray.Dataset) -> None:
        """Read the box of ``dataset`` (fields over z, y, x)."""
        self.spacing = float(dataset.attrs["spacing_mm"])
        self.centers = [np.asarray(dataset[axis].values, dtype=np.float64) for axis in AXES]
        self.volume = np.asarray(dataset["volume"].values, dtype=np.float64)
        self.tissue = self.volume > 0.0
        self.region = np.asarray(dataset["region"].values)

    def planes(self, place: tuple[int, int, int] | None = None) -> list[Plane]:
        """Return the three sections through the voxel ``place``, by default those with the most tissue."""
        if place is None:
            z, y, x = (int(np.argmax(self.tissue.sum(axis=others))) for others in ((1, 2), (0, 2), (0, 1)))
            place = (z, y, x)
        return [Plane(axis, place[axis]) for axis in (1, 2, 0)]

    def extent(self, plane: Plane) -> tuple[float, float, float, float]:
        """Return left, right, bottom, top of a section in mm."""
        half = self.spacing / 2
        right, up = self.centers[plane.right], self.centers[plane.up]
        return right[0] - half, right[-1] + half, up[0] - half, up[-1] + half

    def size(self, plane: Plane) -> tuple[float, float]:
        """Return width and height of a section in mm."""
        left, right, bottom, top = self.extent(plane)
        return right - left, top - bottom


def draw_plane(
    ax: Axes, geometry: Geometry, plane: Plane, box: Box, colors: Colormap, top: float, low: float = 0.0
) -> Any:
    """Draw a section of ``box`` (nan where there is nothing to show) with outlines; return the image."""
    values = plane.cut(np.where(geometry.tissue, box, np.nan))
    image = ax.imshow(
        values, origin="lower", extent=geometry.extent(plane), cmap=colors, vmin=low, vmax=top,
        interpolation="nearest", aspect="equal",
    )  # fmt: skip
    tissue, region = plane.cut(geometry.tissue), plane.cut(geometry.region)
    outline(ax, geometry, plane, tissue.astype(np.float64), OUTLINE, 1.1)
    for label in np.unique(region[tissue])[1:]:
        outline(ax, geometry, plane, (tissue & (region == label)).astype(np.float64), BORDER, 0.8)
    ax.set_xlabel(f"{AXES[plane.right]} [mm]")
    ax.set_ylabel(f"{AXES[plane.up]} [mm]")
    ax.grid(False)
    return image


def outline(ax: Axes, geometry: Geometry, plane: Plane, inside: Box, color: str, width: float) -> None:
    """Draw the border of ``inside`` (rows, columns; 0 or 1) along the edges of its voxels."""
    edges = _edges(np.pad(inside > 0.5, 1))
    if not len(edges):
        return
    from matplotlib.collections import LineCollection

    left, _, bottom, _ = geometry.extent(plane)
    lines = edges * geometry.spacing + np.array([left, bottom]) - geometry.spacing
    ax.add_collection(LineCollection(list(lines), colors=color, linewidths=width))


def _edges(inside: NDArray[np.bool_]) -> Box:
    """Return the border of ``inside`` as segments (k, 2 ends, 2: column, row), in voxels."""
    row, column = np.nonzero(inside[:, 1:] != inside[:, :-1])
    upright = np.stack([np.stack([column + 1, row], 1), np.stack([column + 1, row + 1], 1)], 1)
    row, column = np.nonzero(inside[1:, :] != inside[:-1, :])
    flat = np.stack([np.stack([column, row + 1], 1), np.stack([column + 1, row + 1], 1)], 1)
    return np.concatenate([upright, flat]).astype(np.float64)
