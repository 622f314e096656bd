"""`Organ` from a volume mesh (VTU, legacy VTK, Gmsh MSH): the outer faces of each region's cells are its surface."""

from __future__ import annotations

from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from importlib import import_module
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tissuesim.errors import InputError

from .imported import Painted, kidney_fitted, painted_organ
from .kidney import RENAL_MAPS
from .length_unit import scale_to_mm
from .mesh import Mesh
from .organ import Organ
from .pose import Pose
from .selection import (
    ImportOptions,
    Regions,
    chosen_regions,
    kidney_regions,
    named_regions,
    names_kidney,
    tells_kidney,
)
from .solid import Solid
from .vtk_files import as_array, field_texts, run_reader

SUFFIXES = (".vtu", ".msh")
REGION_ARRAYS = (
    "region",
    "regions",
    "label",
    "labels",
    "part_id",
    "material",
    "gmsh:physical",
    "CellEntityIds",
)
_MOST_REGIONS = 1000  # more different numbers are no regions
# VTK cell types; faces of the cell with the given number of corners, run through from outside
_TETRAHEDRON = ((0, 2, 1), (0, 1, 3), (1, 2, 3), (0, 3, 2))
_HEXAHEDRON = ((0, 3, 2, 1), (4, 5, 6, 7), (0, 1, 5, 4), (1, 2, 6, 5), (2, 3, 7, 6), (3, 0, 4, 7))
_VOXEL = ((0, 2, 3, 1), (4, 5, 7, 6), (0, 1, 5, 4), (1, 3, 7, 5), (3, 2, 6, 7), (2, 0, 4, 6))  # rows along x
_WEDGE = ((0, 1, 2), (3, 5, 4), (0, 3, 4, 1), (1, 4, 5, 2), (2, 5, 3, 0))
_PYRAMID = ((0, 3, 2, 1), (0, 1, 4), (1, 2, 4), (2, 3, 4), (3, 0, 4))
_CELLS = {
    10: (4, _TETRAHEDRON),
    24: (4, _TETRAHEDRON),  # with points on its edges, which are not needed
    11: (8, _VOXEL),
    12: (8, _HEXAHEDRON),
    25: (8, _HEXAHEDRON),
    13: (6, _WEDGE),
    14: (5, _PYRAMID),
}
_TETRAHEDRA = (10, 24)
NO_REGION = -1  # left out or cut out
_GMSH_CELLS = {"tetra": 10, "tetra10": 10, "hexahedron": 12, "hexahedron20": 12, "wedge": 13, "pyramid": 14}


@dataclass(frozen=True)
class Cells:
    """A volume mesh: points (p, 3), corner numbers by kind of cell, and the region number of each cell."""

    points: NDArray[np.float64]
    corners: tuple[tuple[int, NDArray[np.int64]], ...]  # (VTK type, (c, corners))
    numbers: NDArray[np.int64]  # of all cells in that order
    names: dict[int, str]  # of region numbers


def organ_from_cells(path: str | Path, options: ImportOptions | None = None) -> Organ:
    """Return the organ of a volume mesh: cells with the same number in an array such as ``region`` are a region.

    Names of numbers come from Gmsh's physical groups, from a field array ``region_names`` (1-based), or are
    'region_N'; ``options`` choose and name as for label volumes. InputError if the file is damaged or holds no cells.
    """
    path, options = Path(path), options or ImportOptions()
    cells, numbers, names, scale, note = _selected(path, options)
    pose = Pose.of_points(cells.points * scale)
    placed = Cells(pose.points(cells.points * scale), cells.corners, cells.numbers, cells.names)
    size = _cell_volumes(placed)
    volumes = [float(size[cells.numbers == number].sum()) / 1000 for number in numbers]
    if not names or not sum(volumes):
        raise InputError(f"'{path}' encloses no volume")
    regions = _choose(names, volumes, options)
    painted = [
        (Mesh(names[part], placed.points, _surface(placed, int(numbers[part]))), regions.label(part))
        for part in regions.order
    ]
    painted = [(_compact(mesh), label) for mesh, label in painted if len(mesh.triangles)]
    solid = Solid(tuple(mesh for mesh, _ in painted), tuple(label for _, label in painted))
    return pose.placed(
        _organ(path, options, solid, regions, names, volumes, pose, {"units": note, **_facts(cells, scale)})
    )


def _selected(path: Path, options: ImportOptions) -> tuple[Cells, NDArray[np.int64], list[str], float, str]:
    """Return the cells of a file, the numbers that are parts and their names, the scale to mm and how it was found."""
    cells = read_cells(path)
    numbers = np.unique(cells.numbers)
    if len(numbers) > _MOST_REGIONS:
        raise InputError(f"'{path}' gives its cells {len(numbers):,} different numbers, which are no regions")
    table = options.labels or {
        int(number): cells.names.get(int(number), f"region_{number}") for number in numbers
    }
    numbers = np.array([number for number in numbers if int(number) in table])
    absent = [number for number in table if number not in numbers]
    if options.labels and absent:
        raise InputError(
            f"labels: '{path}' has no cells of number {absent[0]}; it has {np.unique(cells.numbers)}"
        )
    names = [table[int(number)] for number in numbers]
    extent = float(np.ptp(cells.points, axis=0).max())
    scale, note = scale_to_mm(path, extent, options.units)
    return cells, numbers, names, scale, note


def tetrahedra_of(
    path: str | Path, options: ImportOptions | None = None
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.uint8], tuple[str, ...]]:
    """Return points (p, 3) mm, tetrahedra (m, 4), the region of each and the names of regions.

    InputError if the file is damaged or has cells of another kind.
    """
    path, options = Path(path), options or ImportOptions()
    cells, numbers, names, scale, _ = _selected(path, options)
    if any(kind not in _TETRAHEDRA for kind, _ in cells.corners):
        raise InputError(
            f"'{path}' has cells that are no tetrahedra; take domain: voxels, or split them in the mesher"
        )
    size = _cell_volumes(Cells(cells.points * scale, cells.corners, cells.numbers, cells.names))
    volumes = [float(size[cells.numbers == number].sum()) / 1000 for number in numbers]
    regions = _choose(names, volumes, options)
    corners = np.concatenate([corner for _, corner in cells.corners])
    region_of = dict(zip(numbers.tolist(), regions.of_part, strict=True))
    found = [region_of.get(number) for number in cells.numbers.tolist()]
    region = np.array([NO_REGION if number is None else number for number in found])
    kept = region >= 0
    return cells.points * scale, corners[kept], region[kept].astype(np.uint8), tuple(regions.names)


def _organ(
    path: Path,
    options: ImportOptions,
    solid: Painted,
    regions: Regions,
    names: list[str],
    volumes: list[float],
    pose: Pose,
    facts: dict[str, object],
) -> Organ:
    reference = {
        name: sum(volume for part, volume in enumerate(volumes) if regions.of_part[part] == number)
        for number, name in enumerate(regions.names)
    }
    report: dict[str, object] = {
        "anatomy": "imported volume mesh",
        "file": path.name,
        **facts,
        "parts": [
            {"name": name, "region": regions.words(part), "volume_ml": volumes[part]}
            for part, name in enumerate(names)
        ],
        "regions": "by cell number",
        "warnings": [],
        "reference_volume_ml": sum(reference.values()),
        "region_reference_ml": reference,
        "volume_reference": "sum of the cells' volumes",
    }
    if (
        len(regions.names) == 1
        and not options.regions
        and names_kidney(f"{options.organ} {path.stem} {names[0]}")
    ):
        return kidney_fitted(path.name, solid, report, pose)
    extra = RENAL_MAPS if tells_kidney(names) and not options.regions else None
    return painted_organ(path.name, solid, regions.names, report, extra)


def _choose(names: list[str], volumes: list[float], options: ImportOptions) -> Regions:
    if options.regions:
        return chosen_regions(names, options.regions)
    return kidney_regions(names) if tells_kidney(names) else named_regions(names, volumes)


def _facts(cells: Cells, scale: float) -> dict[str, object]:
    low, high = cells.points.min(axis=0) * scale, cells.points.max(axis=0) * scale
    return {
        "cells": len(cells.numbers),
        "bounding_box_mm": [np.round(low, 4).tolist(), np.round(high, 4).tolist()],
    }


def read_cells(path: Path) -> Cells:
    """Return the solid cells of a .vtu, .vtk or .msh file; InputError if it is missing, damaged or has none."""
    if not path.is_file():
        raise InputError(f"volume mesh '{path}' does not exist")
    try:
        cells = _read_gmsh(path) if path.suffix.lower() == ".msh" else _read_vtk(path)
        used = np.concatenate(
            [corners.reshape(-1) for _, corners in cells.corners] or [np.zeros(0, np.int64)]
        )
        if used.size == 0:
            raise ValueError("it holds no tetrahedra or other solid cells")
        if used.min() < 0 or used.max() >= len(cells.points):
            raise ValueError("a cell names a point that does not exist")
        keep, compact = np.unique(used, return_inverse=True)
        if not np.isfinite(cells.points[keep]).all():
            raise ValueError("a coordinate is not a finite number")
    except InputError:
        raise
    except (Exception, SystemExit) as error:  # meshio raises many kinds, and ends the program for some
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"'{path}' is damaged or not a readable {path.suffix} file: {reason}") from error
    ends = np.cumsum([corners.size for _, corners in cells.corners])[:-1]
    corners = tuple(
        (kind, numbers.reshape(before.shape))
        for (kind, before), numbers in zip(cells.corners, np.split(compact.reshape(-1), ends), strict=True)
    )
    return Cells(cells.points[keep], corners, cells.numbers, cells.names)


def _read_vtk(path: Path) -> Cells:
    if path.suffix.lower() == ".vtu":
        data = run_reader("vtkmodules.vtkIOXML", "vtkXMLUnstructuredGridReader", path)
    else:
        data = run_reader("vtkmodules.vtkIOLegacy", "vtkUnstructuredGridReader", path)
    if data.GetPoints() is None or data.GetNumberOfCells() == 0:
        raise ValueError("it holds no cells")
    points = as_array(data.GetPoints().GetData()).astype(np.float64)
    kinds = as_array(
        data.GetCellTypes() if hasattr(data, "GetCellTypes") else data.GetCellTypesArray()
    ).astype(np.int64)
    offsets = as_array(data.GetCells().GetOffsetsArray()).astype(np.int64)
    connectivity = as_array(data.GetCells().GetConnectivityArray()).astype(np.int64)
    array = next((found for name in REGION_ARRAYS if (found := data.GetCellData().GetArray(name))), None)
    number = np.ones(len(kinds), np.int64) if array is None else np.rint(as_array(array)).astype(np.int64)
    if len(offsets) != len(kinds) + 1 or number.shape != kinds.shape:
        raise ValueError("its cells are garbled")
    corners, numbers = [], []
    for kind, (count, _) in _CELLS.items():
        chosen = np.flatnonzero(kinds == kind)
        if not len(chosen):
            continue
        if (offsets[chosen] < 0).any() or offsets[chosen].max() + count > len(connectivity):
            raise ValueError("its cells are cut short")
        corners.append((kind, connectivity[offsets[chosen][:, None] + np.arange(count)]))
        numbers.append(number[chosen])
    names = dict(enumerate(field_texts(data, "region_names"), start=1))
    return Cells(points, tuple(corners), np.concatenate(numbers or [np.zeros(0, np.int64)]), names)


def _read_gmsh(path: Path) -> Cells:
    try:
        gmsh: Any = import_module("meshio.gmsh")
    except ImportError:
        raise InputError(f"'{path}' needs the package meshio: pip install meshio") from None
    with redirect_stderr(StringIO()) as said, redirect_stdout(said):  # it prints what it finds odd
        mesh = gmsh.read(str(path))
    if "not closed" in said.getvalue():
        raise ValueError("a section has no end")
    physical = mesh.cell_data.get("gmsh:physical") or mesh.cell_data.get("gmsh:geometrical")
    corners, numbers = [], []
    for place, block in enumerate(mesh.cells):
        kind = _GMSH_CELLS.get(block.type)
        if kind is None or not len(block.data):
            continue
        corners.append((kind, np.asarray(block.data, np.int64)[:, : _CELLS[kind][0]]))
        numbers.append(
            np.ones(len(block.data), np.int64) if physical is None else np.asarray(physical[place], np.int64)
        )
    names = {
        int(number): str(name) for name, (number, dimension) in mesh.field_data.items() if dimension == 3
    }
    points = np.asarray(mesh.points, np.float64)
    return Cells(points, tuple(corners), np.concatenate(numbers or [np.zeros(0, np.int64)]), names)


def _triangles(cells: Cells) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return all faces as triangles (t, 3) and the cell of each; quads are cut at their lowest point number.

    So both cells at a quad cut it alike, even if it is not flat.
    """
    found, owners, first = [], [], 0
    for kind, corners in cells.corners:
        cell = first + np.arange(len(corners))
        first += len(corners)
        for face in _CELLS[kind][1]:
            ring = corners[:, face]
            if len(face) == 4:
                turn = (np.argmin(ring, axis=1)[:, None] + np.arange(4)) % 4
                ring = np.take_along_axis(ring, turn, axis=1)
                found += [ring[:, [0, 1, 2]], ring[:, [0, 2, 3]]]
                owners += [cell, cell]
            else:
                found.append(ring)
                owners.append(cell)
    return np.concatenate(found), np.concatenate(owners)


def _cell_volumes(cells: Cells) -> NDArray[np.float64]:
    """Return (c,) the volume of each cell by its faces, whatever way it is wound."""
    triangles, owner = _triangles(cells)
    middle = cells.points.mean(axis=0)
    a, b, c = (cells.points[triangles[:, k]] - middle for k in range(3))
    signed = np.einsum("ij,ij->i", a, np.cross(b, c)) / 6
    return np.abs(np.bincount(owner, signed, len(cells.numbers)))


def _surface(cells: Cells, number: int) -> NDArray[np.int64]:
    """Return the triangles that an odd number of cells of a region have: where the region ends."""
    triangles, owner = _triangles(cells)
    chosen = np.sort(triangles[cells.numbers[owner] == number], axis=1)
    faces, count = np.unique(chosen, axis=0, return_counts=True)
    return np.asarray(faces[count % 2 == 1])


def _compact(mesh: Mesh) -> Mesh:
    used, compact = np.unique(mesh.triangles, return_inverse=True)
    return Mesh(mesh.name, mesh.points[used], compact.reshape(-1, 3))
