"""`Tissue`: one organ as control volumes, the noun every operator works on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tissuesim.errors import InputError, nearest

FORMAT = 1  # of the saved file; raised when a field changes its meaning
_ARRAYS = ("box_index", "neighbors", "conductance", "volume", "region")


@dataclass(frozen=True, eq=False)
class Tissue:
    """One organ: n control volumes, their faces, regions and maps; arrays are read-only.

    They are voxels of a box, or, where ``points`` (n, 3) holds their centers, cells of a mesh (the box is then a row).

    Lengths in mm. Faces are in the order -x +x -y +y -z +z. ``neighbors[i, k]`` is i itself where there is
    no neighbor; ``conductance[i, k]`` is face area / center distance [mm], 0 there. ``volume`` in mm^3.
    """

    name: str
    spacing: float
    shape: tuple[int, int, int]
    origin: tuple[float, float, float]
    box_index: NDArray[np.int64]
    neighbors: NDArray[np.int32]
    conductance: NDArray[np.float64]
    volume: NDArray[np.float64]
    region: NDArray[np.uint8]
    region_names: tuple[str, ...]
    maps: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    report: dict[str, object] = field(default_factory=dict)
    points: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        for array in (*(getattr(self, key) for key in _ARRAYS), *self.maps.values()):
            array.setflags(write=False)
        if self.points is not None:
            self.points.setflags(write=False)

    @property
    def n(self) -> int:
        """Number of control volumes."""
        return len(self.box_index)

    @cached_property
    def fraction(self) -> NDArray[np.float64]:
        """Share of each voxel that is tissue, (n,), in (0, 1]."""
        return self.volume / self.spacing**3

    def centers(self) -> NDArray[np.float64]:
        """Return the centers (n, 3), columns x y z, in mm."""
        if self.points is not None:
            return self.points
        z, y, x = np.unravel_index(self.box_index, self.shape)
        return np.asarray((np.stack([x, y, z], axis=1) + 0.5) * self.spacing + np.asarray(self.origin))

    def scatter(self, values: NDArray[Any], fill: float = np.nan) -> NDArray[Any]:
        """Return the dense array (z, y, x, ...) of per-voxel values (n, ...), ``fill`` outside the organ.

        Integer values become float64 if ``fill`` is not a whole number.
        """
        values = np.asarray(values)
        if values.shape[:1] != (self.n,):
            raise ValueError(
                f"scatter: {values.shape} does not begin with the {self.n} voxels of '{self.name}'"
            )
        whole = np.issubdtype(values.dtype, np.inexact) or float(fill).is_integer()
        dense = np.full(
            (int(np.prod(self.shape)), *values.shape[1:]), fill, values.dtype if whole else np.float64
        )
        dense[self.box_index] = values
        return dense.reshape(*self.shape, *values.shape[1:])

    def gather(self, dense: NDArray[Any]) -> NDArray[Any]:
        """Return the per-voxel values (n, ...) of a dense array (z, y, x, ...)."""
        dense = np.asarray(dense)
        if dense.shape[:3] != self.shape:
            raise ValueError(f"gather: {dense.shape} is not the box {self.shape} of '{self.name}'")
        return dense.reshape(-1, *dense.shape[3:])[self.box_index]

    def reordered(self, order: NDArray[np.int64]) -> Tissue:
        """Return the same organ with voxel ``order[j]`` in place j; ``order`` is a permutation (n,)."""
        place = np.empty(self.n, np.int32)
        place[order] = np.arange(self.n, dtype=np.int32)
        return replace(
            self,
            box_index=self.box_index[order],
            neighbors=place[self.neighbors[order]],
            conductance=self.conductance[order],
            volume=self.volume[order],
            region=self.region[order],
            maps={name: values[order] for name, values in self.maps.items()},
            points=None if self.points is None else self.points[order],
        )

    def renumbered(self) -> Tissue:
        """Return the same organ with its box index rising: for meshes, whose index only names the cells."""
        return replace(self, box_index=np.arange(self.n, dtype=np.int64))

    def in_regions(self, names: Iterable[str]) -> NDArray[np.bool_]:
        """Return the mask (n,) of voxels in any of the named regions; InputError for an unknown name."""
        mask = np.zeros(self.n, dtype=np.bool_)
        for name in names:
            if name not in self.region_names:
                raise InputError(
                    f"region '{name}' is not in tissue '{self.name}'; it has "
                    f"{', '.join(self.region_names)}{nearest(name, self.region_names)}"
                )
            mask |= self.region == self.region_names.index(name)
        return mask

    def region_volumes(self) -> dict[str, float]:
        """Return the volume of each region in mm^3."""
        volumes = np.bincount(self.region, weights=self.volume, minlength=len(self.region_names))
        return {name: float(volume) for name, volume in zip(self.region_names, volumes, strict=True)}

    def digest(self) -> str:
        """Return the SHA-256 (hex) of what can change a result: geometry, regions, maps; not the report."""
        digest = hashlib.sha256(json.dumps([FORMAT, *self._header().values()]).encode())
        for key, array in [*((key, getattr(self, key)) for key in _ARRAYS), *sorted(self.maps.items())]:
            digest.update(f"{key}{array.shape}{array.dtype.str}".encode())
            digest.update(np.ascontiguousarray(array).data)
        if self.points is not None:
            digest.update(np.ascontiguousarray(self.points).data)
        return digest.hexdigest()

    def named(self, name: str) -> Tissue:
        """Return the same organ under another name."""
        return self if name == self.name else replace(self, name=name)

    def save(self, path: str | Path, *, compressed: bool = True) -> None:
        """Write the tissue to ``path`` (a NumPy .npz file, no pickles)."""
        header = {"format": FORMAT, **self._header(), "report": self.report}
        arrays = {key: getattr(self, key) for key in _ARRAYS}
        arrays |= {f"map:{key}": array for key, array in self.maps.items()}
        if self.points is not None:
            arrays["points"] = self.points
        with Path(path).open("wb") as file:
            write = np.savez_compressed if compressed else np.savez
            write(file, header=np.array(json.dumps(header)), **arrays)

    @classmethod
    def load(cls, path: str | Path) -> Tissue:
        """Return the checked tissue saved at ``path``; InputError if it is missing, foreign or damaged."""
        path = Path(path)
        if not path.is_file():
            raise InputError(f"tissue file '{path}' does not exist")
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
                header = json.loads(str(stored["header"]))
                arrays = {key: stored[key] for key in _ARRAYS}
                points = stored["points"] if "points" in stored.files else None
                maps = {key[4:]: stored[key] for key in stored.files if key.startswith("map:")}
            form = header.pop("format")
            for key in ("shape", "origin", "region_names"):
                header[key] = tuple(header[key])
            tissue = cls(maps=maps, points=points, **arrays, **header)
        except Exception as error:  # zipfile, zlib, json and NumPy each raise their own kinds
            raise InputError(f"'{path}' is not a readable tissue file ({error})") from error
        if form != FORMAT:
            raise InputError(f"'{path}' is a tissue file of format {form}; this version reads {FORMAT}")
        return tissue.check()

    def check(self) -> Tissue:
        """Return the tissue itself if it is sound; InputError with the first fault found."""
        from .check import check_tissue

        check_tissue(self)
        return self

    def __str__(self) -> str:
        """Short tree for a person: size, regions, maps."""
        total = float(self.volume.sum())
        lines = [
            f"Tissue '{self.name}': {self.n:,} voxels of {self.spacing:g} mm, {volume_text(total)}, "
            f"box {' x '.join(str(size) for size in reversed(self.shape))} (x y z)"
        ]
        for name, volume in self.region_volumes().items():
            lines.append(f"├── region {name}: {volume_text(volume)} ({volume / total:.1%})")
        for name, values in self.maps.items():
            lines.append(f"├── map {name}: {values.min():.3g} to {values.max():.3g}")
        return "\n".join([*lines[:-1], lines[-1].replace("├", "└")])

    __repr__ = __str__

    def _header(self) -> dict[str, object]:
        return {
            "name": self.name,
            "spacing": self.spacing,
            "shape": list(self.shape),
            "origin": list(self.origin),
            "region_names": list(self.region_names),
        }


def volume_text(volume: float) -> str:
    """A volume in mm^3 for a person: in mL from 0.1 mL on."""
    return f"{volume / 1000:.1f} mL" if volume >= 100 else f"{volume:.3g} mm^3"
