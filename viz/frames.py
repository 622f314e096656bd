"""What a still shows, read from a run: one field, the cells, and scales that are the same on every day."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tissuesim.errors import InputError, nearest

from .body import FRONT, STANDING, UP, organ_kind
from .dots import MOST_DOTS, cells_per_dot, dot_positions
from .mesh_voxels import on_voxels
from .style import day_text, nice_ceiling
from .view import organ_frame

if TYPE_CHECKING:
    from tissuesim.run import Run

Box = NDArray[np.float64]
LAYERS = {  # dots of a still: the fields that are counted together, and the color key in `style.DOT_COLORS`
    "autoreactive": ("Autoreactive B cells", ("autoreactive_b",)),
    "car_t": ("CAR T cells", ("car_t_effector", "car_t_memory")),
}
SCALE_PERCENTILE = 99.8
MOST_VALUES_FOR_SCALE = (
    12_000_000  # of all frames together; above, the frames with the highest means are read
)
FRAMES_KEPT = 4  # of the boxes read last, for days between two frames
SLACK = 1e-6  # day


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
class Scale:
    """What pictures that are compared share: the end of the colors, and the cells one dot stands for."""

    top: float
    per_dot: dict[str, float]


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
    region_names: tuple[str, ...]
    spacing: float
    origin: NDArray[np.float64]  # x, y, z of the corner of the box, mm
    frames: tuple[Frame, ...]
    body_part: str = ""  # kind of organ, as in `body.KINDS`

    def stance(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return (front, up): which way the organ looks and stands in its own axes."""
        return (FRONT, UP) if self.body_part in STANDING else organ_frame(self.points())

    def points(self) -> NDArray[np.float64]:
        """Return the centers (n, 3) of the voxels with tissue, x y z in mm."""
        index = np.argwhere(self.fraction > 0.0)[:, ::-1]
        return np.asarray(self.origin + (index + 0.5) * self.spacing)


def read_pictures(
    run: Run, organ: str, days: Sequence[float], field: str, scale: Scale | None = None
) -> Pictures:
    """Return the frames of ``organ`` nearest to ``days``, showing ``field`` and the cells.

    Without ``scale`` it is that of this organ over the whole run. InputError for an unknown organ or field, for a
    day that the run does not have, or if no frame is written yet.
    """
    reader = OrganReader(run, organ, field)
    scale = scale or shared_scale([reader])
    chosen = sorted({reader.index_of(day) for day in days})
    return reader.pictures([reader.frame(index, scale) for index in chosen], scale)


def shared_scale(
    readers: Sequence[OrganReader], most_dots: int = MOST_DOTS, top: float | None = None
) -> Scale:
    """Return one scale for organs or runs that are compared: the largest of their values and cell numbers.

    ``top`` is the end of the colors where it is known already.
    """
    per_dot = {}
    for key in LAYERS:
        totals = [reader.most_cells(key) for reader in readers if reader.has(key)]
        if totals:
            per_dot[key] = cells_per_dot(max(totals), most_dots)
    if top is None:
        top = nice_ceiling(max(reader.largest() for reader in readers))
    return Scale(top, per_dot)


class OrganReader:
    """One organ of a run: its geometry, and what one field and the cells are on its days."""

    def __init__(self, run: Run, organ: str, field: str) -> None:
        """Open ``organ``; InputError for an unknown organ or field, or if no frame is written yet."""
        self.run, self.organ, self.field = run, organ, field
        self.dataset = on_voxels(run[organ])
        settings = (run.scenario.get("organs") or {}).get(organ) or {}
        self.body_part = organ_kind(organ, settings)
        self._check_field()
        self.written = written_frames(run, organ)
        self.days = np.asarray(self.dataset["time"].values, dtype=np.float64)
        self.spacing = float(self.dataset.attrs["spacing_mm"])
        self.volume = self.dataset["volume"].values
        self.fraction = self.volume / self.spacing**3
        corner = [float(self.dataset[axis][0]) for axis in ("x", "y", "z")]
        self.origin = np.array(corner) - self.spacing / 2
        shown = self.dataset[field].attrs
        self.is_count = shown["kind"] == "cells" and shown["units"] == "cell"
        # Cells are shown per mm3, or half-filled voxels at the surface would look empty.
        self._divisor = np.where(self.volume > 0.0, self.volume, np.nan) if self.is_count else 1.0
        self._read = lru_cache(maxsize=FRAMES_KEPT * (1 + len(LAYERS)))(self._read_box)

    def _check_field(self) -> None:
        if self.field in self.dataset and self.dataset[self.field].dims == ("time", "z", "y", "x"):
            return
        arrays = self.dataset.data_vars.items()
        known = [str(name) for name, array in arrays if "z" in array.dims and "time" in array.dims]
        hint = nearest(self.field, known)
        raise InputError(
            f"field '{self.field}' is not in the organ '{self.organ}'; it has {', '.join(known)}{hint}."
        )

    def index_of(self, day: float) -> int:
        """Return the index of the written frame nearest to ``day``; InputError for a day beyond them."""
        first, last = (float(self.days[self.written[end]]) for end in (0, -1))
        if not first - SLACK <= day <= last + SLACK:
            going = " so far" if self.run.status["status"] == "running" else ""
            raise InputError(
                f"{day_text(day)} is not in '{self.run.path}', whose pictures{going} go from {day_text(first)} to "
                f"{day_text(last)}"
            )
        return nearest_frame(self.days, self.written, day)

    def values(self, index: int) -> Box:
        """Return the field (z, y, x) of one frame, NaN outside the organ; cells as cell/mm3."""
        return np.asarray(self._read(self.field, index) / self._divisor)

    def has(self, key: str) -> bool:
        """Return whether the organ has cells of layer ``key``."""
        return any(name in self.dataset for name in LAYERS[key][1])

    def counts(self, key: str, index: int) -> Box:
        """Return the cells of one layer per voxel (z, y, x), zero outside the organ."""
        names = [name for name in LAYERS[key][1] if name in self.dataset]
        boxes = [np.nan_to_num(self._read(name, index)) * self._per_value(name) for name in names]
        return np.asarray(np.sum(boxes, axis=0))

    def frame(self, index: int, scale: Scale) -> Frame:
        """Return one written frame."""
        counts = {key: self.counts(key, index) for key in scale.per_dot if self.has(key)}
        return self._frame(float(self.days[index]), self.values(index), counts, scale)

    def between(self, day: float, scale: Scale) -> Frame:
        """Return the moment ``day``: values and cells linear in time between the two frames around it."""
        days = self.days[self.written]
        after = int(np.clip(np.searchsorted(days, day), 1, max(days.size - 1, 1)))
        if days.size == 1:
            return self.frame(int(self.written[0]), scale)
        part = float(np.clip((day - days[after - 1]) / (days[after] - days[after - 1]), 0.0, 1.0))
        one, other = int(self.written[after - 1]), int(self.written[after])
        values = (1.0 - part) * self.values(one) + part * self.values(other)
        counts = {
            key: (1.0 - part) * self.counts(key, one) + part * self.counts(key, other)
            for key in scale.per_dot
            if self.has(key)
        }
        return self._frame(day, values, counts, scale)

    def pictures(self, frames: Sequence[Frame], scale: Scale) -> Pictures:
        """Return ``frames`` with what they share."""
        shown = self.dataset[self.field].attrs
        return Pictures(
            organ=self.organ,
            field=self.field,
            label=str(shown["long_name"]),
            unit="cell/mm^3" if self.is_count else str(shown["units"]),
            kind=str(shown["kind"]),
            top=scale.top,
            fraction=self.fraction,
            region=self.dataset["region"].values,
            region_names=tuple(str(self.dataset["region"].attrs["flag_meanings"]).split()[:-1]),
            spacing=self.spacing,
            origin=self.origin,
            frames=tuple(frames),
            body_part=self.body_part,
        )

    def largest(self) -> float:
        """Return a value above nearly all values of the whole run."""
        most = max(1, MOST_VALUES_FOR_SCALE // self.fraction.size)
        boxes: Iterable[Box]
        if self.written.size > most:
            boxes = (self.values(int(index)) for index in self._fullest(most))
        else:  # in one read: one by one takes longer
            block = self.dataset[self.field][: int(self.written[-1]) + 1].values
            boxes = (np.asarray(block[index], dtype=np.float64) / self._divisor for index in self.written)
        largest = 0.0
        for box in boxes:
            values = box[np.isfinite(box)]
            if values.size:
                largest = max(largest, float(np.percentile(values, SCALE_PERCENTILE)))
        return largest

    def most_cells(self, key: str) -> float:
        """Return the largest number of cells of layer ``key`` in the organ at one time."""
        names = [f"{self.organ}.{name}.sum" for name in LAYERS[key][1] if name in self.dataset]
        columns = self.run.columns(names)
        if all(name in columns for name in names) and columns["time"].size:
            return float(np.sum([columns[name] for name in names], axis=0).max())
        return max(float(self.counts(key, int(index)).sum()) for index in self.written)

    def _fullest(self, most: int) -> NDArray[np.int64]:
        """Return the ``most`` frames with the highest total of the field, else frames evenly spread."""
        columns = self.run.columns([f"{self.organ}.{self.field}.{part}" for part in ("sum", "mean")])
        days = columns.pop("time")
        for series in columns.values():
            if days.size:
                level = np.interp(self.days[self.written], days, series)
                return np.asarray(self.written[np.argsort(level, kind="stable")[-most:]])
        return self.written[np.linspace(0, self.written.size - 1, most).round().astype(np.int64)]

    def _frame(self, day: float, values: Box, counts: dict[str, Box], scale: Scale) -> Frame:
        layers = []
        for key, cells in counts.items():
            per_dot = scale.per_dot[key]
            dots = dot_positions(cells, per_dot, self.fraction, self.origin, self.spacing)
            layers.append(Layer(key, LAYERS[key][0], dots, per_dot, float(cells.sum())))
        return Frame(day, values, tuple(layers))

    def _per_value(self, name: str) -> Box | float:
        return 1.0 if self.dataset[name].attrs["units"] == "cell" else self.volume

    def _read_box(self, name: str, index: int) -> Box:
        return np.asarray(self.dataset[name][index].values, dtype=np.float64)


def written_frames(run: Run, organ: str) -> NDArray[np.int64]:
    """Return the indices of the frames of ``organ`` that are complete; InputError if there is none."""
    written = np.flatnonzero(run[organ]["frame_written"].values)
    if written.size == 0:
        raise InputError(f"'{run.path}' has no finished frame of '{organ}' yet.")
    return written


def nearest_frame(days: NDArray[np.float64], written: NDArray[np.int64], day: float) -> int:
    """Return the index of the complete frame closest to ``day``."""
    return int(written[np.argmin(np.abs(days[written] - day))])
