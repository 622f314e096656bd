"""`organ_from_file`: an organ from any file that can be imported, by the kind of file."""

from __future__ import annotations

from pathlib import Path

from tissuesim.errors import InputError, nearest

from . import label_files, surface, tetrahedra
from .imported import organ_from_surface
from .labels import organ_from_labels, sidecar
from .organ import Organ
from .selection import ImportOptions
from .vessel_entry import with_vessels
from .vtk_files import legacy_kind

SUFFIXES = (*surface.SUFFIXES, *label_files.SUFFIXES, *tetrahedra.SUFFIXES)


def organ_from_file(path: str | Path, options: ImportOptions | None = None) -> Organ:
    """Return the organ in a surface, a label volume or a volume mesh; InputError names the file and says why not."""
    path = Path(path)
    try:
        organ = _read(path, path.suffix.lower(), options)
        return with_vessels(organ, () if options is None else options.vessel_entries)
    except InputError as error:
        if path.name in str(error):
            raise
        raise InputError(f"'{path}': {error}") from None


def _read(path: Path, suffix: str, options: ImportOptions | None) -> Organ:
    if label_files.volume_suffix(path):
        return organ_from_labels(path, options)
    if is_volume_mesh(path):
        return tetrahedra.organ_from_cells(path, options)
    if suffix in surface.SUFFIXES:
        return organ_from_surface(path, options)
    raise InputError(
        f"'{path}' has the unknown kind '{path.suffix}'; "
        f"allowed are {', '.join(SUFFIXES)}{nearest(suffix, SUFFIXES)}"
    )


def is_importable(path: Path) -> bool:
    """Return whether the suffix of a path is one that can be imported."""
    return path.name.lower().endswith(SUFFIXES)


def is_volume_mesh(path: Path) -> bool:
    """Return whether a file holds cells: tetrahedra or others."""
    suffix = path.suffix.lower()
    return suffix in tetrahedra.SUFFIXES or (suffix == ".vtk" and _holds_cells(path))


def _holds_cells(path: Path) -> bool:
    return path.is_file() and legacy_kind(path) == "UNSTRUCTURED_GRID"


def contents(path: Path) -> bytes:
    """Return all bytes that decide what is imported, with those of the files beside it; empty if there is none."""
    files = (
        [path, sidecar(path), *label_files.data_files(path)] if label_files.volume_suffix(path) else [path]
    )
    return b"".join(file.read_bytes() for file in files if file.is_file())
