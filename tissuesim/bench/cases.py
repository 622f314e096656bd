"""What is measured on: shapes as tissues, fields as rows, on any backend."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tissuesim.backends.base import Backend, Mesh
from tissuesim.errors import InputError, nearest
from tissuesim.tissue import Tissue, build_graph

Real = type[np.float32] | type[np.float64]

PRECISIONS: dict[str, Real] = {"float32": np.float32, "float64": np.float64}
REGIONS = ("outer", "inner")
FACE = 0.1  # dt D / h^2 of every face: an explicit step is stable below 1/6


@dataclass(frozen=True)
class Case:
    """One measurement: a shape in a box of ``side`` voxels, ``fields`` per voxel, a precision."""

    shape: str
    side: int
    fields: int
    precision: str

    @property
    def real(self) -> Real:
        """The NumPy type of the fields."""
        return PRECISIONS[self.precision]

    @property
    def tissue(self) -> Tissue:
        """The control volumes."""
        return shape_tissue(self.shape, self.side)

    @property
    def place(self) -> str:
        """Shape and side, such as 'box 64'."""
        return f"{self.shape} {self.side}"


@dataclass(frozen=True)
class Bound:
    """A case on a backend: its tables, and rows to compute on."""

    case: Case
    backend: Backend
    mesh: Mesh
    n: int

    @property
    def row_bytes(self) -> int:
        """Bytes of one array of rows."""
        return self.n * self.case.fields * np.dtype(self.case.real).itemsize

    def rows(self, seed: int, columns: int | None = None) -> Any:
        """Random rows in (0.5, 1.5)."""
        generator = np.random.default_rng(seed)
        values = generator.random((self.n, columns or self.case.fields), np.float32) + np.float32(0.5)
        return self.backend.arrays.put_rows(values.astype(self.case.real))

    def zeros(self) -> Any:
        """Rows of zeros."""
        return self.backend.arrays.zeros_rows(self.n, self.case.fields, self.case.real)

    def coefficient(self) -> tuple[Any, bool]:
        """dt D: one number per field in a box, a table over pairs of regions in an organ; and which it is."""
        by_region = self.case.shape != "box"
        shape = (len(REGIONS), len(REGIONS), self.case.fields) if by_region else (self.case.fields,)
        return self.backend.arrays.put(np.full(shape, FACE, self.case.real)), by_region


@lru_cache(maxsize=2)
def shape_tissue(shape: str, side: int) -> Tissue:
    """The tissue of a shape in a box of ``side`` voxels of 1 mm.

    Raises:
        InputError: there is no such shape.
    """
    if shape not in SHAPES:
        raise InputError(f"shape '{shape}' is not one of {', '.join(SHAPES)}{nearest(shape, SHAPES)}")
    inside = np.broadcast_to(SHAPES[shape](side), (side, side, side))
    axis = np.abs(np.arange(side) - side / 2 + 0.5) < side / 4
    inner = axis[:, None, None] & axis[:, None] & axis
    return build_graph(shape, inside.astype(np.float32), inner.astype(np.uint8), 1.0, region_names=REGIONS)


def bind(case: Case, backend: Backend) -> Bound:
    """The case with its tables on the backend, in the order in which the backend stores voxels."""
    tissue = backend.arrays.stored(case.tissue)
    return Bound(case, backend, backend.arrays.mesh(tissue, case.real), tissue.n)


def _axes(side: int) -> list[NDArray[np.float64]]:
    """z, y, x of the voxel centers in -1 to 1, to be broadcast."""
    axis = (np.arange(side) + 0.5) / side * 2 - 1
    return list(np.meshgrid(axis, axis, axis, indexing="ij", sparse=True))


def _box(side: int) -> NDArray[np.bool_]:
    return np.ones((side, side, side), np.bool_)


def _kidney(side: int) -> NDArray[np.bool_]:
    """A superellipsoid less the hilus: 39 % of its box."""
    z, y, x = _axes(side)
    body = (np.abs(x) / 0.86) ** 2.5 + (np.abs(y) / 0.8) ** 2.5 + (np.abs(z) / 0.98) ** 2.5 < 1
    hilus = (x - 0.95) ** 2 / 0.4 + y**2 / 0.25 + z**2 / 0.5 < 1
    return np.asarray(body & ~hilus)


def _lung(side: int) -> NDArray[np.bool_]:
    """Two lobes that narrow to the top, the left one with room for a heart: 31 % of the box."""
    z, y, x = _axes(side)
    width = np.sqrt(np.clip((1 - z) / 1.6, 0, 1))
    lobes = (((np.abs(x) - 0.5) / 0.42) ** 2 + (y / 0.9) ** 2 < width**2) & (np.abs(z) < 0.97)
    heart = ((x + 0.2) / 0.4) ** 2 + ((y + 0.5) / 0.6) ** 2 + ((z + 0.4) / 0.6) ** 2 < 1
    return np.asarray(lobes & ~heart)


SHAPES: dict[str, Callable[[int], NDArray[np.bool_]]] = {"box": _box, "kidney": _kidney, "lung": _lung}
