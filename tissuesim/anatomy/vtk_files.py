"""Readers of VTK's own files (.vtp, .vtu, legacy .vtk): what VTK would print as an error is a ValueError."""

from __future__ import annotations

from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .gltf import Named
from .polygons import fan

_LEGACY_HEADER = 2000  # bytes in which the kind of data set is named


def legacy_kind(path: Path) -> str:
    """Return what a legacy .vtk file says it holds, such as 'POLYDATA'; '' if it does not say."""
    words = path.read_bytes()[:_LEGACY_HEADER].decode("ascii", errors="replace").upper().split()
    return next((after for word, after in pairwise(words) if word == "DATASET"), "")


def read_polygons(path: Path) -> list[Named]:
    """Return one part, or those of the cell array ``part_id`` (1-based) and the field ``part_names``."""
    data = _poly_data(path)
    if data.GetNumberOfStrips():
        raise ValueError("it holds triangle strips; save plain triangles")
    if data.GetPoints() is None or data.GetNumberOfPolys() == 0:
        return []
    points = as_array(data.GetPoints().GetData()).astype(np.float64)
    offsets = as_array(data.GetPolys().GetOffsetsArray()).astype(np.int64)
    corners = as_array(data.GetPolys().GetConnectivityArray()).astype(np.int64)
    sizes = np.diff(offsets)
    if offsets[0] != 0 or (sizes < 0).any():
        raise ValueError("its polygons are garbled")
    triangles = fan(sizes, corners)
    number = data.GetCellData().GetArray("part_id")
    if number is None:
        return [(path.stem, points, triangles)]
    # cells are stored as vertices, lines, polygons; polygons come last
    skipped = data.GetNumberOfVerts() + data.GetNumberOfLines()
    owner = np.repeat(as_array(number)[skipped : skipped + len(sizes)], np.maximum(sizes - 2, 0))
    names = field_texts(data, "part_names")
    return [
        (names[part - 1] if 1 <= part <= len(names) else f"part {part}", points, triangles[owner == part])
        for part in np.unique(owner).astype(int).tolist()
    ]


def _poly_data(path: Path) -> Any:
    if path.suffix.lower() == ".vtp":
        return run_reader("vtkmodules.vtkIOXML", "vtkXMLPolyDataReader", path)
    kind = legacy_kind(path)
    if kind != "POLYDATA":
        raise ValueError(f"it holds {kind or 'no data set'}, not POLYDATA")
    return run_reader("vtkmodules.vtkIOLegacy", "vtkPolyDataReader", path)


def run_reader(module: str, reader_name: str, path: Path) -> Any:
    """Return the output of a VTK reader, which prints nothing; ValueError with what it complains about."""
    core: Any = import_module("vtkmodules.vtkCommonCore")
    reader = getattr(import_module(module), reader_name)()
    window, shown = core.vtkStringOutputWindow(), core.vtkOutputWindow.GetInstance()
    verbosity = core.vtkLogger.GetCurrentVerbosityCutoff()
    core.vtkOutputWindow.SetInstance(window)
    core.vtkLogger.SetStderrVerbosity(core.vtkLogger.VERBOSITY_OFF)
    try:
        reader.SetFileName(str(path))
        reader.Update()
    finally:
        core.vtkOutputWindow.SetInstance(shown)
        core.vtkLogger.SetStderrVerbosity(verbosity)
    complaint = window.GetOutput()
    if "ERROR:" in complaint:
        # "ERROR: In file.cxx, line 1\nclass (0xaddress): what happened\n"
        raise ValueError(complaint.partition("): ")[2].partition("\n")[0].strip() or "it cannot be read")
    if (
        "Error reading" in complaint
    ):  # a mere warning of VTK's, which leaves in the array whatever was in memory
        raise ValueError("it is cut short")
    return reader.GetOutput()


def as_array(values: Any) -> NDArray[Any]:
    """Return a VTK array as a NumPy array."""
    support: Any = import_module("vtkmodules.util.numpy_support")
    return np.asarray(support.vtk_to_numpy(values))


def field_texts(data: Any, name: str) -> list[str]:
    """Return the texts of a field array, none if there is no such array."""
    field = data.GetFieldData().GetAbstractArray(name)
    return [] if field is None else [str(field.GetValue(k)) for k in range(field.GetNumberOfValues())]
