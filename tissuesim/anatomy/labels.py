"""`Organ` from a label volume: each voxel of the file has a number, each number is a region or nothing."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tissuesim.errors import InputError, nearest

from .imported import kidney_fitted, painted_organ
from .kidney import RENAL_MAPS
from .label_files import Volume, read_volume, volume_suffix
from .lattice import Lattice, Point
from .length_unit import scale_to_mm
from .organ import Organ
from .pose import Pose, cell_centers
from .selection import (
    ImportOptions,
    Regions,
    chosen_regions,
    kidney_regions,
    named_regions,
    names_kidney,
    tells_kidney,
)

_MOST_LABELS = 1000  # more different values are an image, not labels
_ALIGNED = 0.01  # of a voxel: by so much a turned grid may miss the axes over its whole length


@dataclass(frozen=True)
class Labelled:
    """Region + 1 of each voxel (x, y, z), 0 outside, and where in space (mm) voxel numbers lie."""

    codes: NDArray[np.uint8]
    to_index: NDArray[np.float64]  # (3, 4): index = to_index (x, y, z, 1)
    lower: Point
    upper: Point

    def paint(self, lattice: Lattice) -> NDArray[np.uint8]:
        """Return the code at every center of a lattice: of the voxel it lies in."""
        z, y, x = cell_centers(lattice)
        turn = self.to_index[:, :3]
        if np.count_nonzero(turn) == 3 and (np.diag(turn) != 0).all():
            picks = [
                self._within(np.floor(turn[axis, axis] * place + self.to_index[axis, 3] + 0.5), axis)
                for axis, place in enumerate((x, y, z))
            ]
            return np.pad(self.codes, (0, 1))[np.ix_(*picks)].transpose(2, 1, 0)
        places = (x[None, None, :], y[None, :, None], z[:, None, None])
        index = [
            self._within(np.floor(sum(row[k] * places[k] for k in range(3)) + row[3] + 0.5), axis)
            for axis, row in enumerate(self.to_index)
        ]
        return np.asarray(np.pad(self.codes, (0, 1))[tuple(index)])

    def _within(self, index: NDArray[np.float64], axis: int) -> NDArray[np.int64]:
        """Return voxel numbers, those beyond the box as the number of the layer of zeros behind it."""
        size = self.codes.shape[axis]
        return np.where((index >= 0) & (index < size), index, size).astype(np.int64)


def organ_from_labels(path: str | Path, options: ImportOptions | None = None) -> Organ:
    """Return the organ in a NIfTI, NRRD, MetaImage or TIFF label volume; its world axes become x, y, z.

    Labels get their names from ``options.labels`` (others are left out), else from the file NAME.labels.json beside
    it, else from their number. A name is a region unless ``options.regions`` chooses, or the names are a kidney's.
    InputError if the file is damaged, is an image, not labels, or if a named label does not exist.
    """
    path, options = Path(path), options or ImportOptions()
    volume = read_volume(path, options.voxel_size)
    numbers, counts = _count_labels(path, volume.values)
    table, strays = _table(path, numbers, options)
    names = [table[number] for number in numbers if number in table]
    if not names:
        raise InputError(f"'{path}' holds no label to be tissue; it has {_listed(numbers)}")
    kept = np.array([number in table for number in numbers])
    regions = _choose(names, counts[kept], options)
    code = np.zeros(len(numbers), np.uint8)
    code[kept] = [max((-1 if region is None else region) + 1, 0) for region in regions.of_part]
    codes = code[np.searchsorted(numbers, volume.values)]
    if not codes.any():
        raise InputError(f"'{path}': no label is chosen to be tissue")
    scale, note = _scale(path, volume, options.units)
    pose, solid, voxel_ml = _placed(codes, volume.affine, scale)
    volumes = np.bincount(codes.reshape(-1), minlength=256) * voxel_ml
    report: dict[str, object] = {
        "anatomy": "imported label volume",
        "file": path.name,
        "units": note,
        "world_axes": volume.world,
        "file_voxels": list(volume.values.shape),
        "bounding_box_mm": _box_in_file(pose, solid),
        "labels": {
            name: {"label": int(number), "region": regions.words(part)}
            for part, (name, number) in enumerate(zip(names, np.asarray(numbers)[kept], strict=True))
        },
        "regions": "by label",
        "warnings": _stray_words(strays, numbers, counts, voxel_ml),
        "reference_volume_ml": float(volumes[1:].sum()),
        "region_reference_ml": {
            name: float(volumes[number + 1]) for number, name in enumerate(regions.names)
        },
        "volume_reference": "the file's voxels, counted",
    }
    if len(regions.names) == 1 and not options.regions and names_kidney(f"{options.organ} {names[0]}"):
        return pose.placed(kidney_fitted(path.name, solid, report, pose))
    extra = RENAL_MAPS if tells_kidney(names) and not options.regions else None
    return pose.placed(painted_organ(path.name, solid, regions.names, report, extra))


def _count_labels(path: Path, values: NDArray[np.generic]) -> tuple[list[int], NDArray[np.int64]]:
    """Return the labels in rising order and how many voxels have each; InputError for an image."""
    image = f"'{path}' is an image, not a label volume"
    if values.dtype.kind not in "biuf":
        raise InputError(f"{image}: its values are no numbers")
    found, counts = np.unique(values, return_counts=True)
    if found.dtype.kind == "f" and not (np.isfinite(found).all() and (found == np.rint(found)).all()):
        raise InputError(f"{image}: its values are no whole numbers")
    if found[0] < 0:
        raise InputError(f"{image}: it has negative values down to {int(found[0])}")
    if len(found) > _MOST_LABELS:
        raise InputError(f"{image}: it has {len(found):,} different values")
    return [int(number) for number in found], counts


def _table(path: Path, numbers: list[int], options: ImportOptions) -> tuple[dict[int, str], list[int]]:
    """Return the name of each label, and the labels that a table exists for but does not name."""
    if options.labels:
        absent = [number for number in options.labels if number not in numbers]
        if absent:
            raise InputError(
                f"labels: '{path}' has no label {absent[0]}{nearest(str(absent[0]), map(str, numbers))}; "
                f"it has {_listed(numbers)}"
            )
        return dict(options.labels), [number for number in numbers if number and number not in options.labels]
    side = sidecar(path)
    if side.is_file():
        table = _read_sidecar(side)
        return table, [number for number in numbers if number and number not in table]
    return {number: f"label_{number}" for number in numbers if number}, []


def sidecar(path: Path) -> Path:
    """Return the place of the table of label names beside a volume."""
    return path.with_name(path.name[: len(path.name) - len(volume_suffix(path))] + ".labels.json")


def _read_sidecar(path: Path) -> dict[int, str]:
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
        return {int(number): str(name) for number, name in table.items()}
    except (ValueError, AttributeError, OSError) as error:
        raise InputError(
            f'\'{path}\' is no table of label names such as {{"1": "cortex"}} ({error})'
        ) from error


def _choose(names: list[str], counts: NDArray[np.int64], options: ImportOptions) -> Regions:
    if options.regions:
        return chosen_regions(names, options.regions)
    if tells_kidney(names):
        return kidney_regions(names)
    return named_regions(names, counts.astype(float).tolist())


def _scale(path: Path, volume: Volume, units: str | None) -> tuple[float, str]:
    sides = np.linalg.norm(volume.affine[:3, :3], axis=0) * volume.values.shape
    scale, note = scale_to_mm(path, float(sides.max()), units or volume.units)
    return scale, note.replace("as told", "as the file says") if units is None else note


def _placed(
    codes: NDArray[np.uint8], affine: NDArray[np.float64], scale: float
) -> tuple[Pose, Labelled, float]:
    """Return the pose, the labels in it with axes in the order x, y, z where the grid allows, and mL per voxel."""
    turn, corner = affine[:3, :3] * scale, affine[:3, 3] * scale
    order = np.argmax(np.abs(turn), axis=1)
    size = np.abs(turn).max(axis=1)
    drift = (np.abs(turn) @ codes.shape) - size * np.take(codes.shape, order)
    if len(set(order.tolist())) == 3 and (drift < _ALIGNED * size).all():
        codes = codes.transpose(order)
        step = turn[np.arange(3), order]
        corner = np.where(step < 0, corner + step * (np.array(codes.shape) - 1), corner)
        codes = codes[tuple(slice(None, None, -1 if length < 0 else 1) for length in step)]
        turn = np.diag(np.abs(step))
    voxel_ml = abs(float(np.linalg.det(turn))) / 1000
    used = [np.flatnonzero(codes.any(axis=tuple(k for k in range(3) if k != axis))) for axis in range(3)]
    first = np.array([places[0] for places in used])
    codes = np.ascontiguousarray(codes[tuple(slice(places[0], places[-1] + 1) for places in used)])
    corner = corner + turn @ first
    pose = _pose(codes, turn)
    signs = np.array(pose.signs, dtype=np.float64)
    if (
        np.count_nonzero(turn) == 3
    ):  # keep steps positive, so that a mirrored grid is looked up in the same way
        codes = codes[tuple(slice(None, None, sign) for sign in pose.signs)]
        last = corner + np.diag(turn) * (np.array(codes.shape) - 1)
        corner = np.where(signs < 0, -last, corner)
    else:
        turn, corner = signs[:, None] * turn, signs * corner
    corner = np.round(corner, 9)
    ends = np.array(np.meshgrid(*([-0.5, count - 0.5] for count in codes.shape), indexing="ij")).reshape(
        3, -1
    )
    reach = turn @ ends + corner[:, None]
    inverse = np.linalg.inv(turn) if np.count_nonzero(turn) > 3 else np.diag(1 / np.diag(turn))
    low, high = reach.min(axis=1).tolist(), reach.max(axis=1).tolist()
    to_index = np.column_stack([inverse, -inverse @ corner])
    return pose, Labelled(codes, to_index, (low[0], low[1], low[2]), (high[0], high[1], high[2])), voxel_ml


def _pose(codes: NDArray[np.uint8], turn: NDArray[np.float64]) -> Pose:
    """Return the pose by the third moments of the labelled voxels along x, y and z; whole numbers on aligned grids."""
    filled = [
        np.count_nonzero(codes, axis=tuple(k for k in range(3) if k != axis)).tolist() for axis in range(3)
    ]
    if np.count_nonzero(turn) == 3:
        sums = [
            sum(count * (2 * place - len(counts) + 1) ** 3 for place, count in enumerate(counts))
            for counts in filled
        ]
        x, y, z = (-1 if total < 0 else 1 for total in sums)
        return Pose((x, y, z))
    places = np.argwhere(codes) @ turn.T
    return Pose.of_points(places[:: max(1, len(places) // 200_000)])


def _box_in_file(pose: Pose, solid: Labelled) -> list[list[float]]:
    low, high = pose.points(np.array(solid.lower)), pose.points(np.array(solid.upper))
    return [np.round(np.minimum(low, high), 4).tolist(), np.round(np.maximum(low, high), 4).tolist()]


def _stray_words(
    strays: list[int], numbers: list[int], counts: NDArray[np.int64], voxel_ml: float
) -> list[str]:
    if not strays:
        return []
    volume = sum(int(counts[numbers.index(number)]) for number in strays) * voxel_ml
    return [f"labels {_listed(strays)} are in no table and left out ({volume:.3g} mL)"]


def _listed(numbers: list[int]) -> str:
    shown = ", ".join(str(number) for number in numbers[:20])
    return shown + (f" and {len(numbers) - 20} more" if len(numbers) > 20 else "")
