"""What a still shows, read from a run: one field, the cells, and scales that are the same on every day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tissuesim.errors import InputError, nearest

from .dots import cells_per_dot, dot_positions
from .mesh_voxels import on_voxels

if TYPE_CHECKING:
    import xarray

    from tissuesim.run import Run

Box = NDArray[np.float64]
LAYERS = {  # dots of a still: the fields that are counted together, and the color key in `style.DOT_COLORS`
    "autoreactive": ("Autoreactive B cells", ("autoreactive_b",)),
    "car_t": ("CAR T cells", ("car_t_effector", "car_t_memory")),
}
SCALE_PERCENTILE = 99.8
MOST_VALUES_FOR_SCALE = 40_000_000  # of all frames together; above, every second, third... frame is read


@dataclass(frozen=True)
class Layer:
    """Dots of one kind of cell: positions (k, 3) in mm, cells per dot, and how many cells there are."""

    key: str
    name: str
    positions: NDArray[np.float64]
    per_dot: float
    total: float


@dataclass(frozen=True)
class Frame:
    """One moment of one organ."""

    day: float
    values: Box
    layers: tuple[Layer, ...]


@dataclass(frozen=True)
class Pictures:
    """Frames of one organ with everything they share: geometry, regions, label, unit and color scale."""

    organ: str
    field: str
    label: str
    unit: str
    kind: str
    top: float  # the color scale runs from 0 to this
    fraction: Box
    region: NDArray[np.uint8]
    spacing: float
    origin: NDArray[np.float64]  # x, y, z of the corner of the box, mm
    frames: tuple[Frame, ...]

    def points(self) -> NDArray[np.float64]:
        """Return the centers (n, 3) of the voxels with tissue, x y z in mm."""
        index = np.argwhere(self.fraction > 0.0)[:, ::-1]
        return np.asarray(self.origin + (index + 0.5) * self.spacing)


def read_pictures(run: Run, organ: str, days: Sequence[float], field: str) -> Pictures:
    """Return the frames of ``organ`` nearest to ``days``, showing ``field`` and the cells.

    InputError for an unknown organ or field, or if no frame is written yet.
    """
    dataset = on_voxels(run[organ])
    if field not in dataset or dataset[field].dims != ("time", "z", "y", "x"):
        known = [
            str(name)
            for name, array in dataset.data_vars.items()
            if "z" in array.dims and "time" in array.dims
        ]
        hint = nearest(field, known)
        raise InputError(f"field '{field}' is not in the organ '{organ}'; it has {', '.join(known)}{hint}.")
    written = written_frames(run, organ)
    chosen = sorted({nearest_frame(dataset["time"].values, written, day) for day in days})
    spacing = float(dataset.attrs["spacing_mm"])
    volume = dataset["volume"].values
    corner = np.array([float(dataset[axis][0]) for axis in ("x", "y", "z")]) - spacing / 2
    kind = str(dataset[field].attrs["kind"])
    is_count = kind == "cells" and dataset[field].attrs["units"] == "cell"
    scale = np.where(volume > 0.0, volume, np.nan) if is_count else np.ones_like(volume)
    layers = _Layers(dataset, written, volume / spacing**3, corner, spacing)
    frames = tuple(
        Frame(float(dataset["time"][index]), _box(dataset, field, index) / scale, layers.at(index))
        for index in chosen
    )
    return Pictures(
        organ=organ,
        field=field,
        label=str(dataset[field].attrs["long_name"]),
        unit="cell/mm^3" if is_count else str(dataset[field].attrs["units"]),
        kind=kind,
        top=_top(dataset, field, written, scale),
        fraction=volume / spacing**3,
        region=dataset["region"].values,
        spacing=spacing,
        origin=corner,
        frames=frames,
    )


def written_frames(run: Run, organ: str) -> NDArray[np.int64]:
    """Return the indices of the frames of ``organ`` that are complete; InputError if there is none."""
    written = np.flatnonzero(run[organ]["frame_written"].values)
    if written.size == 0:
        raise InputError(f"'{run.path}' has no finished frame of '{organ}' yet.")
    return written


def nearest_frame(days: NDArray[np.float64], written: NDArray[np.int64], day: float) -> int:
    """Return the index of the complete frame closest to ``day``."""
    return int(written[np.argmin(np.abs(days[written] - day))])


def _box(dataset: xarray.Dataset, field: str, index: int) -> Box:
    return np.asarray(dataset[field][index].values, dtype=np.float64)


def _top(dataset: xarray.Dataset, field: str, written: NDArray[np.int64], scale: Box) -> float:
    """Return the end of the color scale: a round number above nearly all values of the whole run."""
    from .style import nice_ceiling

    step = max(1, int(np.ceil(written.size * scale.size / MOST_VALUES_FOR_SCALE)))
    largest = 0.0
    for index in written[::step]:
        values = _box(dataset, field, int(index)) / scale
        values = values[np.isfinite(values)]
        largest = max(largest, float(np.percentile(values, SCALE_PERCENTILE)) if values.size else 0.0)
    return nice_ceiling(largest)


class _Layers:
    """The dots of a run, with one number of cells per dot for all days."""

    def __init__(
        self,
        dataset: xarray.Dataset,
        written: NDArray[np.int64],
        fraction: Box,
        corner: NDArray[np.float64],
        spacing: float,
    ) -> None:
        self.dataset, self.fraction, self.corner, self.spacing = dataset, fraction, corner, spacing
        self.per_dot: dict[str, float] = {}
        step = max(1, int(np.ceil(written.size * fraction.size / MOST_VALUES_FOR_SCALE)))
        for key, (_, names) in LAYERS.items():
            if any(name in dataset for name in names):
                totals = [float(self.counts(key, int(index)).sum()) for index in written[::step]]
                self.per_dot[key] = cells_per_dot(max(totals))

    def counts(self, key: str, index: int) -> Box:
        """Cells of one layer per voxel (z, y, x), zero outside the organ."""
        boxes = [self._cells(name, index) for name in LAYERS[key][1] if name in self.dataset]
        return np.asarray(np.sum(boxes, axis=0))

    def _cells(self, name: str, index: int) -> Box:
        cells = np.nan_to_num(_box(self.dataset, name, index))
        density = self.dataset[name].attrs["units"] != "cell"
        return cells * self.fraction * self.spacing**3 if density else cells

    def at(self, index: int) -> tuple[Layer, ...]:
        """Return the layers of one frame."""
        layers = []
        for key, per_dot in self.per_dot.items():
            counts = self.counts(key, index)
            positions = dot_positions(counts, per_dot, self.fraction, self.corner, self.spacing)
            layers.append(Layer(key, LAYERS[key][0], positions, per_dot, float(counts.sum())))
        return tuple(layers)
