"""A solid from closed surface parts: even-odd rasterization part by part, and the cavities they enclose."""

from __future__ import annotations

from importlib import import_module
from math import ceil, floor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .distance import distance_to
from .lattice import Lattice, Point
from .mesh import Mesh
from .pose import cell_centers, first_cells

_CAVITY_CELLS = 2_000_000  # of the lattice on which cavities are found
_GAP_CELLS = 5  # how far a gap looks for the nearest part


def rasterize(mesh: Mesh, lattice: Lattice) -> tuple[tuple[slice, slice, slice], NDArray[np.bool_]] | None:
    """Return (z, y, x) slices of the box and which of their centers lie inside a part; None if none can.

    VTK's image stencil with tolerance 0: even-odd, blind to orientation, right for nested shells. Cells are numbered
    from the origin of space, so that a slab of a lattice gets the same bits as the whole.
    """
    imaging: Any = import_module("vtkmodules.vtkImagingStencil")
    numpy_support: Any = import_module("vtkmodules.util.numpy_support")
    spacing = lattice.spacing
    extent: list[int] = []
    slices: list[slice] = []
    base: list[float] = []
    for k, first in enumerate(first_cells(lattice)):  # x, y, z
        whole, count = round(first), lattice.shape[2 - k]
        base.append((first - whole + 0.5) * spacing)
        low = max(floor((mesh.lower[k] - base[k]) / spacing) - whole, 0)
        high = min(ceil((mesh.upper[k] - base[k]) / spacing) - whole, count - 1)
        if high < low:
            return None
        extent += [low + whole, high + whole]
        slices.insert(0, slice(low, high + 1))
    stencil = imaging.vtkPolyDataToImageStencil()
    bottom, top = base[2] + extent[4] * spacing, base[2] + extent[5] * spacing
    stencil.SetInputData(_poly_data(mesh, bottom - spacing, top + spacing))
    stencil.SetTolerance(0.0)
    stencil.SetOutputOrigin(base)
    stencil.SetOutputSpacing([spacing] * 3)
    stencil.SetOutputWholeExtent(extent)
    image = imaging.vtkImageStencilToImage()
    image.SetInputConnection(stencil.GetOutputPort())
    image.SetInsideValue(1)
    image.SetOutsideValue(0)
    image.SetOutputScalarTypeToUnsignedChar()
    image.Update()
    flat = numpy_support.vtk_to_numpy(image.GetOutput().GetPointData().GetScalars())
    shape = tuple(part.stop - part.start for part in slices)
    return (slices[0], slices[1], slices[2]), flat.reshape(shape).astype(np.bool_)


def _poly_data(mesh: Mesh, bottom: float, top: float) -> Any:
    """Return the triangles that reach into the layers from ``bottom`` to ``top`` (z, mm): the others cut none."""
    pyvista: Any = import_module("pyvista")
    lowest, highest = mesh.heights
    near = (highest >= bottom) & (lowest <= top)
    # winding does not matter to even-odd filling; sorted corners give a file wound the other way the same bits
    return pyvista.PolyData.from_regular_faces(mesh.points, np.sort(mesh.triangles[near], axis=1))


class Solid:
    """Parts painted one over the other, lowest priority first, on top of the cavities they enclose."""

    def __init__(
        self,
        parts: tuple[Mesh, ...],
        labels: tuple[int, ...],
        cavity_label: int = 0,
        wrapping: tuple[bool, ...] = (),
        wrapping_label: int = 0,
    ) -> None:
        """Take parts in painting order with their labels; label 0 cuts a part out of those before it.

        ``cavity_label`` is given to enclosed cavities (0 leaves them empty); gaps next to parts that are
        ``wrapping`` (capsule, outer cortex) get ``wrapping_label`` instead.
        """
        self.parts, self.labels, self.cavity_label = parts, labels, cavity_label
        self.wrapping, self.wrapping_label = wrapping, wrapping_label
        lower = np.min([part.lower for part in parts], axis=0)
        upper = np.max([part.upper for part in parts], axis=0)
        self.lower: Point = (float(lower[0]), float(lower[1]), float(lower[2]))
        self.upper: Point = (float(upper[0]), float(upper[1]), float(upper[2]))
        self._cavities: tuple[Lattice, NDArray[np.uint8]] | None = None
        self._last: tuple[Lattice, NDArray[np.uint8]] | None = None
        if cavity_label:
            self._cavities = self._find_cavities()

    def paint(self, lattice: Lattice) -> NDArray[np.uint8]:
        """Return the label at every center, 0 outside; the last answer is kept."""
        if self._last is not None and self._last[0] == lattice:
            return self._last[1]
        if self._cavities is None:
            painted = np.zeros(lattice.shape, dtype=np.uint8)
        else:
            painted = _look_up(*self._cavities, lattice)
        for part, label in zip(self.parts, self.labels, strict=True):
            found = rasterize(part, lattice)
            if found is not None:
                painted[found[0]][found[1]] = label
        self._last = (lattice, painted)
        return painted

    def volumes(self, lattice: Lattice) -> NDArray[np.float64]:
        """Return (256,) the volume (mm^3) of each label by counting the centers of a lattice; 0 for label 0."""
        count = np.zeros(256)
        for _, slab in lattice.slabs():
            count += np.bincount(self.paint(slab).reshape(-1), minlength=256)
        self._last = None
        count[0] = 0
        return np.asarray(count * lattice.spacing**3)

    def enclosed_void(self) -> float:
        """Return the volume (mm^3) in no part that no path from outside reaches."""
        lattice, blocked, _, reached = self._flood()
        return float(np.count_nonzero(~blocked & ~reached)) * lattice.spacing**3

    def _find_cavities(self) -> tuple[Lattice, NDArray[np.uint8]]:
        """Return the labels of cells that no path from outside reaches without crossing a part.

        Cells touched by a surface block the path, so thin shells hold. All that is hidden counts, cells
        inside parts too: the parts are painted over it, and no slit between neighboring parts stays empty.
        Only the outermost layer, which the true surface cuts, is left to the parts alone.
        """
        lattice, blocked, touched, reached = self._flood()
        cavity = ~reached & (~blocked | ~_grown(reached))
        return lattice, np.where(cavity, self._cavity_labels(lattice, touched), 0).astype(np.uint8)

    def _flood(self) -> tuple[Lattice, NDArray[np.bool_], list[NDArray[np.bool_]], NDArray[np.bool_]]:
        """Return a lattice, cells in or at a part, cells at each part's surface, cells reached from outside."""
        lattice = Lattice.of_cells(self.lower, self.upper, _CAVITY_CELLS).padded(2)
        touched = [_touched(part, lattice) for part in self.parts]
        blocked = np.logical_or.reduce([self.paint(lattice) > 0, *touched])
        return lattice, blocked, touched, reached_from_border(~blocked)

    def _cavity_labels(self, lattice: Lattice, touched: list[NDArray[np.bool_]]) -> NDArray[np.uint8]:
        """Return the cavity label, or the wrapping's where a wrapping part is nearest (below a capsule)."""
        labels = np.full(lattice.shape, self.cavity_label, dtype=np.uint8)
        outer = [mask for mask, wraps in zip(touched, self.wrapping, strict=True) if wraps]
        inner = [mask for mask, wraps in zip(touched, self.wrapping, strict=True) if not wraps]
        if outer and inner:
            limit = _GAP_CELLS * lattice.spacing
            to_outer = distance_to(np.logical_or.reduce(outer), lattice.spacing, limit)
            to_inner = distance_to(np.logical_or.reduce(inner), lattice.spacing, limit)
            labels[to_outer < to_inner] = self.wrapping_label
        return labels


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


def _look_up(source: Lattice, labels: NDArray[np.uint8], target: Lattice) -> NDArray[np.uint8]:
    """Return the label at the centers of another lattice: of the cell that holds them, 0 beyond the box."""
    picks = []
    for axis, centers in enumerate(cell_centers(target)):
        cell = np.floor((centers - source.origin[2 - axis]) / source.spacing).astype(np.int64)
        beyond = source.shape[axis]  # the layer of zeros put behind the box
        picks.append(np.where((cell >= 0) & (cell < beyond), cell, beyond))
    return np.asarray(np.pad(labels, (0, 1))[np.ix_(*picks)])


def _touched(mesh: Mesh, lattice: Lattice) -> NDArray[np.bool_]:
    """Return the cells that the surface of a part passes through."""
    touched = np.zeros(lattice.shape, dtype=np.bool_)
    cells = np.floor((_surface_points(mesh, 0.5 * lattice.spacing) - lattice.origin) / lattice.spacing)
    x, y, z = cells.astype(np.int64).T
    touched[z, y, x] = True
    return touched


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
