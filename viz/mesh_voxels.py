"""A run on the cells of a mesh as if it lay on voxels, for pictures: the same volumes, counts and levels.

Each voxel belongs to the cell with the nearest middle. As many voxels as hold the organ's volume are tissue, those
nearest to the middles around them. Levels are those of the cell; numbers are shared among its voxels, so their
sum stays.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import xarray

BOX = ("z", "y", "x")
FINENESS = 0.7  # voxel side over the cube root of the mean cell volume
MOST_VOXELS = 2_000_000
OUTSIDE = 255
_NEIGHBORS = 4  # middles whose mean distance tells inside from outside


@dataclass(frozen=True)
class MeshVoxels:
    """Voxels of ``spacing`` mm whose box of ``shape`` (z, y, x) begins at ``corner`` (x, y, z), mm.

    ``place`` (v,) are the flat places of tissue in the box, ``cell`` (v,) their cells, ``share`` (v,) the part of its
    cell's number that a voxel has; cells without a voxel (``homeless``) give theirs to the voxels ``home`` (rows).
    """

    spacing: float
    corner: NDArray[np.float64]
    shape: tuple[int, int, int]
    place: NDArray[np.int64]
    cell: NDArray[np.int64]
    share: NDArray[np.float64]
    homeless: NDArray[np.int64]
    home: NDArray[np.int64]

    @classmethod
    def of(cls, center: NDArray[np.float64], volume: NDArray[np.float64]) -> MeshVoxels:
        """Return the voxels of cells with middles ``center`` (n, 3) x, y, z mm, of ``volume`` (n,) mm^3."""
        from scipy.spatial import cKDTree

        size = np.cbrt(volume)
        low, high = (center - size[:, None]).min(axis=0), (center + size[:, None]).max(axis=0)
        spacing = max(
            FINENESS * float(np.cbrt(volume.mean())), float(np.cbrt(np.prod(high - low) / MOST_VOXELS))
        )
        count = np.ceil((high - low) / spacing).astype(np.int64)
        shape = (int(count[2]), int(count[1]), int(count[0]))
        index = np.stack(np.unravel_index(np.arange(int(np.prod(count))), shape), axis=1)[:, ::-1]
        tree = cKDTree(center)
        near = min(_NEIGHBORS, len(center))
        distance, cells = tree.query(low + (index + 0.5) * spacing, k=[*range(1, near + 1)], workers=1)
        number = min(max(round(float(volume.sum()) / spacing**3), 1), len(cells))
        place = np.flatnonzero(_nearest_without_holes(distance.mean(axis=1).reshape(shape), number))
        cell = cells[place, 0].astype(np.int64)
        held = np.bincount(cell, minlength=len(center))
        homeless = np.flatnonzero(held == 0)
        home = cKDTree(index[place]).query((center[homeless] - low) / spacing - 0.5, workers=1)[1]
        return cls(spacing, low, shape, place, cell, 1.0 / held[cell], homeless, np.asarray(home, np.int64))

    def levels(self, values: NDArray[Any], fill: float) -> NDArray[Any]:
        """Return the box (z, y, x) of a level per cell (n,), ``fill`` outside."""
        box = np.full(int(np.prod(self.shape)), fill, dtype=values.dtype)
        box[self.place] = values[self.cell]
        return box.reshape(self.shape)

    def numbers(self, values: NDArray[np.float64], fill: float = np.nan) -> NDArray[np.float64]:
        """Return the box (z, y, x) of a number per cell (n,), shared among voxels; the sum stays."""
        own = values[self.cell] * self.share
        np.add.at(own, self.home, values[self.homeless])
        box = np.full(int(np.prod(self.shape)), fill)
        box[self.place] = own
        return box.reshape(self.shape)


def _nearest_without_holes(distance: NDArray[np.float64], number: int) -> NDArray[np.bool_]:
    """Return the nearest voxels (z, y, x), holes that they enclose filled, ``number`` of them as nearly as can be."""
    from scipy.ndimage import binary_fill_holes

    ranked = np.sort(distance, axis=None)
    low, high = 0, number - 1
    while low < high:
        middle = (low + high) // 2
        short = np.count_nonzero(binary_fill_holes(distance <= ranked[middle])) < number
        low, high = (middle + 1, high) if short else (low, middle)
    return np.asarray(binary_fill_holes(distance <= ranked[low]))


def on_voxels(dataset: xarray.Dataset) -> xarray.Dataset:
    """Return the fields of an organ over (time, z, y, x) voxels; those of a run on voxels as they are.

    Frames are read when they are asked for.
    """
    if "center" not in dataset:
        return dataset
    import xarray

    rows = dataset["box_index"].values
    volume = dataset["volume"].values.reshape(-1)[rows]
    middle = np.stack([dataset[f"middle_{axis}"].values.reshape(-1)[rows] for axis in "xyz"], axis=1)
    grid = MeshVoxels.of(middle, volume)
    variables: dict[str, Any] = {}
    for name, array in dataset.data_vars.items():
        numbers = array.attrs.get("units") == "cell"
        if array.dims == ("time", *BOX):
            data: Any = _lazy(array, grid, rows, numbers)
        elif array.dims == BOX:
            values = array.values.reshape(-1)[rows]
            whole = np.issubdtype(values.dtype, np.integer)
            data = grid.levels(values, OUTSIDE if whole else np.nan)
        elif array.dims == ("time",):
            data = array.values
        else:
            continue
        variables[str(name)] = (array.dims, data, array.attrs)
    inside = np.zeros(int(np.prod(grid.shape)))
    inside[grid.place] = grid.spacing**3
    variables["volume"] = (BOX, inside.reshape(grid.shape), dataset["volume"].attrs)
    coordinates: dict[str, Any] = {"time": dataset["time"]}
    for axis, size, corner in zip(BOX, grid.shape, grid.corner[::-1], strict=True):
        middle = corner + (np.arange(size) + 0.5) * grid.spacing
        coordinates[axis] = (axis, middle, dataset[axis].attrs)
    return xarray.Dataset(variables, coordinates, {**dataset.attrs, "spacing_mm": grid.spacing})


def _lazy(array: xarray.DataArray, grid: MeshVoxels, rows: NDArray[np.int64], numbers: bool) -> Any:
    from xarray.backends import BackendArray
    from xarray.core import indexing

    class Frames(BackendArray):
        """The frames of one field, taken to voxels one by one."""

        shape = (array.shape[0], *grid.shape)
        dtype = np.dtype(np.float64)

        def __getitem__(self, key: Any) -> Any:
            return indexing.explicit_indexing_adapter(
                key, self.shape, indexing.IndexingSupport.BASIC, self._frames
            )

        def _frames(self, key: tuple[Any, ...]) -> NDArray[np.float64]:
            times = np.arange(self.shape[0])[key[0]]
            boxes = [self._frame(int(time)) for time in np.atleast_1d(times)]
            found = np.stack(boxes) if boxes else np.zeros((0, *grid.shape))
            return np.asarray((found[0] if np.ndim(times) == 0 else found)[(..., *key[1:])])

        def _frame(self, time: int) -> NDArray[np.float64]:
            values = array[time].values.reshape(-1)[rows].astype(np.float64)
            return grid.numbers(values) if numbers else grid.levels(values, np.nan)

    return indexing.LazilyIndexedArray(Frames())
