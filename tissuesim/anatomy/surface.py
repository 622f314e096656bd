"""Import of a surface file: its triangle parts, scaled to mm, mended and closed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tissuesim.errors import InputError, nearest

from .gltf import Named, read_gltf
from .length_unit import scale_to_mm
from .mesh import Mesh
from .pose import Pose
from .readers import read_plain
from .repair import Mending, border_lines, is_flat, mend, weld

SUFFIXES = (".glb", ".gltf", ".stl", ".ply", ".obj", ".vtp", ".vtk", ".off")
LARGEST_FILL = 0.25  # a lone surface that lacks more of its area than this is a sheet, not a solid
LARGEST_PART_FILL = 0.4  # the same for one of several parts, whose others cover it: left out
Lines = NDArray[np.float64]  # (k, 2, 3) ends of edges


class OpenSurfaceError(InputError):
    """A surface that no repair makes a solid; says where: its parts and their open or branching edges, in mm."""

    def __init__(self, sentence: str, parts: tuple[Mesh, ...], border: Lines) -> None:
        super().__init__(sentence)
        self.parts, self.border = parts, border


@dataclass(frozen=True)
class Part:
    """A part of a file: surfaces whose union is its solid, each filled by even-odd, and how it was mended."""

    name: str
    solids: tuple[Mesh, ...]
    mending: Mending
    border: Lines

    @property
    def triangles(self) -> int:
        """How many triangles it has, those that fill holes among them."""
        return sum(len(solid.triangles) for solid in self.solids)


@dataclass(frozen=True)
class Surface:
    """Closed parts in mm, lying in ``pose``, and a report of what was read."""

    path: Path
    parts: tuple[Part, ...]
    pose: Pose
    report: dict[str, object]

    def open_surface(self, sentence: str) -> OpenSurfaceError:
        """Return the error that refuses this surface, with its open edges where the file has them."""
        return _open_surface(sentence, self.parts, self.pose)


def read_surface(path: str | Path, units: str | None = None) -> Surface:
    """Return the closed surface parts of a file in mm.

    ``units`` is 'm', 'cm', 'mm' or 'um'; by default a longest side < 3 means metres and > 30 millimetres.
    InputError if the file is missing, of another kind, damaged or empty, if a coordinate is not finite,
    if the size leaves the units open, or if the surface encloses no volume.
    """
    path = Path(path)
    return surface_of_parts(path, _read_parts(path), units)


def surface_of_parts(path: Path, named: list[Named], units: str | None) -> Surface:
    """Return the mended surface of parts as they stand in a file, in its units."""
    raw = [(name, *_used(points, triangles)) for name, points, triangles in named if len(triangles)]
    if not raw:
        raise InputError(f"'{path}' holds no triangles")
    if not all(np.isfinite(points).all() for _, points, _ in raw):
        raise InputError(f"'{path}' has a point whose coordinate is not a finite number")
    everything = np.concatenate([points for _, points, _ in raw])
    scale, note = scale_to_mm(path, float(np.ptp(everything, axis=0).max()), units)
    pose = Pose.of_points(everything * scale)
    parts: list[Part] = []
    sheets: list[Part] = []
    skipped = []
    for name, points, triangles in raw:
        welded = weld(Mesh(name, pose.points(points * scale), triangles))
        if len(welded.triangles) < 4 or is_flat(welded):
            skipped.append(name or "(unnamed)")
            continue
        part = _mended(Mesh(name, pose.points(points * scale), triangles), welded)
        is_sheet = part.mending.filled_share > (LARGEST_FILL if len(raw) == 1 else LARGEST_PART_FILL)
        (sheets if is_sheet else parts).append(part)
    if not parts:
        _refuse_sheets(path, tuple(sheets), pose)
    report: dict[str, object] = {
        "file": path.name,
        "units": note,
        "skipped_parts": skipped,
        "open_sheets": [_sheet_words(sheet) for sheet in sheets],
        "bounding_box_mm": [
            [round(float(value) * scale, 4) for value in corner]
            for corner in (everything.min(axis=0), everything.max(axis=0))
        ],
    }
    return Surface(path, tuple(parts), pose, report)


def _mended(mesh: Mesh, welded: Mesh) -> Part:
    solids, mending = mend(mesh)
    return Part(mesh.name, solids, mending, border_lines(welded))


def _refuse_sheets(path: Path, sheets: tuple[Part, ...], pose: Pose) -> None:
    if not sheets:
        raise InputError(f"'{path}' encloses no volume: every part is degenerate or flat")
    worst, limit = sheets[0].mending, LARGEST_FILL if len(sheets) == 1 else LARGEST_PART_FILL
    which = "is an open sheet" if len(sheets) == 1 else f"holds open sheets only ({len(sheets)} parts)"
    count = sum(sheet.mending.open_edges for sheet in sheets)
    raise _open_surface(
        f"'{path}' {which}, not a solid: it has {count} open edges, and closing it would add "
        f"{worst.filled_share:.0%} of its area (at most {limit:.0%} is filled)",
        sheets,
        pose,
    )


def _sheet_words(part: Part) -> str:
    return (
        f"part '{part.name}' is an open sheet and left out: {part.mending.open_edges} open edges, closing it "
        f"would add {part.mending.filled_share:.0%} of its area"
    )


def _open_surface(sentence: str, parts: tuple[Part, ...], pose: Pose) -> OpenSurfaceError:
    meshes = tuple(
        Mesh(solid.name, pose.points(solid.points), solid.triangles)
        for part in parts
        for solid in part.solids
    )
    border = np.concatenate([part.border for part in parts])
    return OpenSurfaceError(sentence, meshes, border * np.asarray(pose.signs, dtype=np.float64))


def _used(
    points: NDArray[np.float64], triangles: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the points that triangles use, and the triangles of these."""
    used, compact = np.unique(triangles, return_inverse=True)
    return points[used], compact.reshape(-1, 3)


def _read_parts(path: Path) -> list[Named]:
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError(
            f"surface file '{path}' has the unknown kind '{path.suffix}'; "
            f"allowed are {', '.join(SUFFIXES)}{nearest(suffix, SUFFIXES)}"
        )
    if not path.is_file():
        raise InputError(f"surface file '{path}' does not exist")
    if suffix in (".glb", ".gltf"):
        return read_gltf(path)
    return read_plain(path)
