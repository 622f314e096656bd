"""A solid from closed surface parts: even-odd rasterization part by part, and the cavities they enclose."""

from __future__ import annotations

from math import ceil, floor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .lattice import Lattice, Point
from .mesh import Mesh

_CAVITY_CELLS = 250  # cells along the longest side of the lattice on which cavities are found


def rasterize(mesh: Mesh, lattice: Lattice) -> tuple[tuple[slice, slice, slice], NDArray[np.bool_]] | None:
    """Return (z, y, x) slices of the box and which of their centers lie inside a closed part; None if none can.

    VTK's image stencil with tolerance 0: even-odd, blind to orientation, right for nested shells.
    """
    from vtkmodules.util.numpy_support import vtk_to_numpy
    from vtkmodules.vtkImagingStencil import vtkImageStencilToImage, vtkPolyDataToImageStencil

    extent: list[int] = []
    slices: list[slice] = []
    for k in range(3):  # x, y, z
        count = lattice.shape[2 - k]
        low = max(floor((mesh.lower[k] - lattice.origin[k]) / lattice.spacing - 0.5), 0)
        high = min(ceil((mesh.upper[k] - lattice.origin[k]) / lattice.spacing - 0.5), count - 1)
        if high < low:
            return None
        extent += [low, high]
        slices.insert(0, slice(low, high + 1))
    stencil = vtkPolyDataToImageStencil()
    stencil.SetInputData(_poly_data(mesh))
    stencil.SetTolerance(0.0)
    stencil.SetOutputOrigin([corner + 0.5 * lattice.spacing for corner in lattice.origin])
    stencil.SetOutputSpacing([lattice.spacing] * 3)
    stencil.SetOutputWholeExtent(extent)
    image = vtkImageStencilToImage()
    image.SetInputConnection(stencil.GetOutputPort())
    image.SetInsideValue(1)
    image.SetOutsideValue(0)
    image.SetOutputScalarTypeToUnsignedChar()
    image.Update()
    flat = vtk_to_numpy(image.GetOutput().GetPointData().GetScalars())
    shape = tuple(part.stop - part.start for part in slices)
    return (slices[0], slices[1], slices[2]), flat.reshape(shape).astype(np.bool_)


def _poly_data(mesh: Mesh) -> Any:
    import pyvista

    return pyvista.PolyData.from_regular_faces(mesh.points, mesh.triangles)


class Solid:
    """Parts painted one over the other, lowest priority first, on top of the cavities they enclose."""

    def __init__(self, parts: tuple[Mesh, ...], labels: tuple[int, ...], cavity_label: int) -> None:
        """Take parts in painting order with their labels (> 0); ``cavity_label`` 0 leaves cavities empty."""
        self.parts, self.labels, self.cavity_label = parts, labels, cavity_label
        lower = np.min([part.lower for part in parts], axis=0)
        upper = np.max([part.upper for part in parts], axis=0)
        self.lower: Point = (float(lower[0]), float(lower[1]), float(lower[2]))
        self.upper: Point = (float(upper[0]), float(upper[1]), float(upper[2]))
        self.longest = float((upper - lower).max())
        self._cavities: tuple[Lattice, NDArray[np.bool_]] | None = None
        self._last: tuple[Lattice, NDArray[np.uint8]] | None = None
        if cavity_label:
            self._cavities = self._find_cavities()

    def paint(self, lattice: Lattice) -> NDArray[np.uint8]:
        """Return the label at every center, 0 outside; the last answer is kept."""
        if self._last is not None and self._last[0] == lattice:
            return self._last[1]
        painted = np.zeros(lattice.shape, dtype=np.uint8)
        if self._cavities is not None:
            painted[_look_up(*self._cavities, lattice)] = self.cavity_label
        for part, label in zip(self.parts, self.labels, strict=True):
            found = rasterize(part, lattice)
            if found is not None:
                painted[found[0]][found[1]] = label
        self._last = (lattice, painted)
        return painted

    def volume(self, spacing: float) -> float:
        """Return the volume (mm^3) by counting the centers of a lattice."""
        lattice = Lattice.covering(self.lower, self.upper, spacing)
        count = sum(int(np.count_nonzero(self.paint(slab))) for _, slab in lattice.slabs())
        self._last = None
        return count * spacing**3

    def _find_cavities(self) -> tuple[Lattice, NDArray[np.bool_]]:
        """Return the cells that no path from outside reaches without crossing a part or its surface.

        Cells touched by a surface block the path (thin shells hold); those of them that border a cavity and
        lie in no part then count as cavity, so that no gap of half a cell stays between cavity and parts.
        """
        spacing = self.longest / _CAVITY_CELLS
        margin = 2 * spacing
        lower, upper = np.asarray(self.lower) - margin, np.asarray(self.upper) + margin
        lattice = Lattice.covering(tuple(lower.tolist()), tuple(upper.tolist()), spacing)
        solid = self.paint(lattice) > 0
        touched = np.zeros(lattice.shape, dtype=np.bool_)
        for part in self.parts:
            cells = np.floor((_surface_points(part, 0.5 * spacing) - lattice.origin) / spacing).astype(
                np.int64
            )
            touched[cells[:, 2], cells[:, 1], cells[:, 0]] = True
        blocked = solid | touched
        cavity = ~blocked & ~reached_from_border(~blocked)
        return lattice, cavity | (_grown(cavity) & touched)


def reached_from_border(free: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the free cells connected (through faces) to the border of the box.

    Along each axis in turn every run of free cells is filled if one of its cells is; until nothing changes.
    """
    reached = free.copy()
    reached[1:-1, 1:-1, 1:-1] = False
    while True:
        before = int(reached.sum())
        for axis in range(3):
            turned, open_cells = np.moveaxis(reached, axis, -1), np.moveaxis(free, axis, -1)
            walls = ~open_cells
            walls[..., 0] = True  # a run ends with its line
            run = np.cumsum(walls.reshape(-1), dtype=np.int32).reshape(walls.shape)
            filled = np.zeros(int(run.max()) + 1, dtype=np.bool_)
            filled[run[turned]] = True
            turned[...] = filled[run] & open_cells
        if int(reached.sum()) == before:
            return reached


def _grown(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the mask with all 26 neighbors of its cells added."""
    grown = mask
    for axis in range(3):
        ahead, behind = np.roll(grown, 1, axis), np.roll(grown, -1, axis)
        grown = grown | ahead | behind
    return grown


def _look_up(source: Lattice, mask: NDArray[np.bool_], target: Lattice) -> NDArray[np.bool_]:
    """Return the mask at the centers of another lattice (the cell that holds them; False beyond the box)."""
    picks, valid = [], []
    for axis, centers in enumerate(target.axes()):
        cell = np.floor((centers.ravel() - source.origin[2 - axis]) / source.spacing).astype(np.int64)
        valid.append((cell >= 0) & (cell < source.shape[axis]))
        picks.append(np.clip(cell, 0, source.shape[axis] - 1))
    return np.asarray(mask[np.ix_(*picks)] & valid[0][:, None, None] & valid[1][None, :, None] & valid[2])


def _surface_points(mesh: Mesh, step: float) -> NDArray[np.float64]:
    """Return points on the triangles no farther apart than ``step`` along their edges."""
    corners = mesh.points[mesh.triangles]
    edge = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2).max(axis=1)
    cuts = 2 ** np.ceil(np.log2(np.maximum(edge / step, 1.0))).astype(np.int64)
    points = []
    for cut in np.unique(cuts):
        i, j = np.meshgrid(np.arange(cut + 1), np.arange(cut + 1), indexing="ij")
        keep = i + j <= cut
        weights = np.stack([i[keep], j[keep], cut - i[keep] - j[keep]], axis=1) / cut
        points.append(np.einsum("wk,tkx->twx", weights, corners[cuts == cut]).reshape(-1, 3))
    return np.concatenate(points)
