"""The two stores of a run: fields of every organ in its box, and totals as time series (Zarr v3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from tissuesim.errors import InputError, nearest
from tissuesim.run.layout import TIME, add_array, add_values, create_store, write_together

if TYPE_CHECKING:
    from tissuesim.tissue import Tissue

BOX = ("z", "y", "x")
OUTSIDE = 255  # region label of box voxels that are no tissue
ROWS_PER_CHUNK = 1024


@dataclass(frozen=True)
class FieldDescription:
    """One field of the organs: what it is called, its unit and how it is stored."""

    name: str
    label: str
    unit: str
    dtype: Literal["float32", "float64", "int32"]
    kind: Literal["signal", "cells", "state"]


@dataclass(frozen=True)
class ColumnDescription:
    """One time series of the run and its unit."""

    name: str
    label: str
    unit: str


class FieldStore:
    """``fields.zarr``: one group per organ with ``(time, z, y, x)`` arrays, all frames there from the start.

    Frames not written yet read as NaN (-1 for integer counts). ``frame_written`` (time,) says which are
    complete: 1 after all fields of a frame are on disk, 0 before.
    """

    def __init__(self, path: Path, root: Any) -> None:
        """Wrap an open Zarr group; use ``create`` or ``open``."""
        self.path = path
        self._organs = {name: _Organ(group) for name, group in root.groups()}

    @classmethod
    def create(
        cls,
        path: Path | str,
        tissues: Mapping[str, Tissue],
        fields: Sequence[FieldDescription],
        frame_days: Sequence[float],
    ) -> FieldStore:
        """Create the store at ``path``: ``tissues`` by organ, a frame for each of ``frame_days`` [day]."""
        days = np.asarray(frame_days, dtype=np.float64)
        for organ, tissue in tissues.items():
            taken = {"time", *BOX, "region", "volume", "box_index", "frame_written", *tissue.maps}
            if clash := sorted(taken & {field.name for field in fields}):
                raise InputError(
                    f"'{organ}' already has an array '{clash[0]}'; rename the field of that name."
                )

        def fill(root: Any) -> None:
            for organ, tissue in tissues.items():
                group = root.create_group(organ, attributes={"spacing_mm": float(tissue.spacing)})
                _add_geometry(group, tissue, days)
                for field in fields:
                    add_array(
                        group, field.name, ("time", *BOX), (days.size, *tissue.shape), field.dtype,
                        {"units": field.unit, "long_name": field.label, "kind": field.kind},
                        chunks=(1, *tissue.shape),
                    )  # fmt: skip

        create_store(Path(path), fill, groups=tuple(tissues))
        return cls.open(path)

    @classmethod
    def open(cls, path: Path | str) -> FieldStore:
        """Open an existing store for writing (a resumed run); InputError if there is none."""
        return cls(Path(path), _open_group(path))

    def write_frame(self, index: int, organ: str, values: Mapping[str, NDArray[Any]]) -> None:
        """Write frame ``index`` of ``organ``: for each field its values ``(n,)`` in voxel order."""
        if organ not in self._organs:
            raise KeyError(f"organ '{organ}' is not in this store{nearest(organ, self._organs)}")
        self._organs[organ].write(index, values)


class _Organ:
    """The arrays of one organ and the way from voxels to its box."""

    def __init__(self, group: Any) -> None:
        self.arrays = dict(group.arrays())
        self.written = self.arrays["frame_written"]
        self.box_index = np.asarray(self.arrays["box_index"][...])
        self.shape = self.arrays["region"].shape

    def write(self, index: int, values: Mapping[str, NDArray[Any]]) -> None:
        frames = self.written.shape[0]
        if not 0 <= index < frames:
            raise IndexError(f"frame {index} is outside 0..{frames - 1}")
        writes = []
        for name, voxels in values.items():
            array = self.arrays.get(name)
            if array is None:
                raise KeyError(f"field '{name}' is not in this store{nearest(name, self.arrays)}")
            if voxels.shape != self.box_index.shape:
                raise ValueError(f"'{name}' has shape {voxels.shape}, the organ {self.box_index.shape}")
            box = np.full(self.shape, array.metadata.fill_value, dtype=array.dtype)
            box.reshape(-1)[self.box_index] = voxels
            writes.append((array, index, box))
        write_together(writes)
        self.written[index] = 1


def _add_geometry(group: Any, tissue: Tissue, days: NDArray[np.float64]) -> None:
    """Add the coordinates, the regions, the voxel volumes and the maps of an organ."""
    add_values(group, "time", ("time",), days, TIME)
    origin_zyx = tuple(tissue.origin)[::-1]
    for axis, extent, start in zip(BOX, tissue.shape, origin_zyx, strict=True):
        centers = start + (np.arange(extent) + 0.5) * tissue.spacing
        attributes = {"units": "mm", "long_name": f"{axis} of voxel center", "axis": axis.upper()}
        add_values(group, axis, (axis,), centers, attributes)

    def in_box(voxels: NDArray[Any], outside: float) -> NDArray[Any]:
        box = np.full(tissue.shape, outside, dtype=voxels.dtype)
        box.reshape(-1)[tissue.box_index] = voxels
        return box

    meanings = " ".join(name.replace(" ", "_") for name in (*tissue.region_names, "outside"))
    labels = np.array([*range(len(tissue.region_names)), OUTSIDE], dtype=np.uint8)
    add_values(
        group, "region", BOX, in_box(tissue.region.astype(np.uint8), OUTSIDE),
        {"long_name": "Region", "flag_values": labels.tolist(), "flag_meanings": meanings},
    )  # fmt: skip
    volume = {"units": "mm3", "long_name": "Tissue volume in the voxel"}
    add_values(group, "volume", BOX, in_box(tissue.volume, 0.0), volume)
    for name, voxels in tissue.maps.items():
        values = in_box(np.asarray(voxels, dtype=np.float64), np.nan)
        add_values(group, name, BOX, values, {"units": "1", "long_name": name.replace("_", " ").capitalize()})
    if tissue.points is not None:
        place = {"units": "mm", "long_name": "Center of each cell of the mesh (x, y, z)"}
        add_values(group, "center", ("voxel", "axis"), np.asarray(tissue.points), place)
    add_values(
        group, "box_index", ("voxel",), np.asarray(tissue.box_index, dtype=np.int64),
        {"long_name": "Place of each voxel in the flattened (z, y, x) box"},
    )  # fmt: skip
    unwritten = np.zeros(days.size, dtype=np.int8)
    add_values(group, "frame_written", ("time",), unwritten, {"long_name": "Frame is complete"})


class TotalsStore:
    """``totals.zarr``: one array per column over the days of all rows, NaN until written.

    Rows are kept in memory too, so that writing touches each chunk once and never has to read.
    """

    def __init__(self, path: Path, root: Any) -> None:
        """Wrap an open Zarr group; use ``create`` or ``open``."""
        self.path = path
        self.columns: tuple[str, ...] = tuple(root.attrs["columns"])
        self._arrays = [root[name] for name in self.columns]
        self._rows = np.stack([array[...] for array in self._arrays], axis=1)

    @classmethod
    def create(
        cls,
        path: Path | str,
        columns: Sequence[ColumnDescription],
        days: Sequence[float],
        attributes: Mapping[str, Any] | None = None,
    ) -> TotalsStore:
        """Create the store at ``path`` for rows at ``days`` [days since infusion].

        ``attributes`` are facts a reader needs with the series: ``baseline_day``, ``arm``, ...
        """
        names = [column.name for column in columns]
        twice = sorted({name for name in names if names.count(name) > 1} | ({"time"} & set(names)))
        if twice:
            raise InputError(f"totals: the column name '{twice[0]}' is used twice.")
        time = np.asarray(days, dtype=np.float64)

        def fill(root: Any) -> None:
            root.attrs.update({**(attributes or {}), "columns": names})
            add_values(root, "time", ("time",), time, TIME)
            for column in columns:
                add_array(
                    root, column.name, ("time",), (time.size,), "float64",
                    {"units": column.unit, "long_name": column.label},
                    chunks=(min(time.size, ROWS_PER_CHUNK),),
                )  # fmt: skip

        create_store(Path(path), fill)
        return cls.open(path)

    @classmethod
    def open(cls, path: Path | str) -> TotalsStore:
        """Open an existing store for writing (a resumed run); InputError if there is none."""
        return cls(Path(path), _open_group(path))

    def write_rows(self, first_index: int, rows: NDArray[np.float64]) -> None:
        """Write ``rows`` (k, number of columns) at ``first_index`` onwards, in the order of ``columns``."""
        total, width = self._rows.shape
        last = first_index + rows.shape[0]
        if rows.shape[1:] != (width,) or first_index < 0 or last > total:
            raise ValueError(f"rows of shape {rows.shape} at {first_index} do not fit into {total} x {width}")
        self._rows[first_index:last] = rows
        start = first_index - first_index % ROWS_PER_CHUNK
        stop = min(total, last + (-last) % ROWS_PER_CHUNK)
        columns = np.ascontiguousarray(self._rows[start:stop].T)
        place = slice(start, stop)
        write_together([(array, place, values) for array, values in zip(self._arrays, columns, strict=True)])


def _open_group(path: Path | str) -> Any:
    import zarr

    if not Path(path).is_dir():
        raise InputError(f"'{path}' does not exist.")
    return zarr.open_group(path, mode="r+", zarr_format=3)
