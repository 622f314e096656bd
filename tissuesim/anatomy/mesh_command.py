"""What ``tissuesim mesh`` does: import, report, save, draw."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from tissuesim.config.schema import MAXIMUM_SPACING, MINIMUM_SPACING
from tissuesim.errors import InputError
from tissuesim.units import quantity

from .quality import examine_file, read_options
from .saved import save_tissue
from .surface import OpenSurfaceError


def import_file(
    file: Path,
    spacing: str,
    units: str | None = None,
    labels: Sequence[str] = (),
    regions: Sequence[str] = (),
    voxel_size: str | None = None,
    name: str = "",
    out: Path | None = None,
    picture: Path | None = None,
    entries: Sequence[str] = (),
) -> dict[str, Any]:
    """Return the quality report of a file; save its tissue to ``out`` and draw it to ``picture`` if asked.

    A surface that cannot be repaired is drawn too, to ``picture`` or else to NAME-open-edges.png beside ``out`` or
    in the current folder, and the InputError says where.
    """
    size = quantity(spacing, "mm")
    if not MINIMUM_SPACING <= size <= MAXIMUM_SPACING:
        raise InputError(f"--spacing: {spacing} is not between 2 um and 100 mm")
    if picture is not None and (picture.suffix.lower() != ".png" or not picture.parent.is_dir()):
        raise InputError(f"--picture: '{picture}' is no PNG file in a folder that exists")
    options = read_options(units, labels, regions, voxel_size, entries)
    try:
        tissue, report = examine_file(file, size, options, name)
    except OpenSurfaceError as error:
        target = picture or (out.parent if out else Path()) / f"{file.stem}-open-edges.png"
        import_module("tissuesim.viz.mesh_defects").draw_open_edges(error, target)
        raise InputError(f"{error}; where is shown in '{target}'") from None
    if out is not None:
        save_tissue(tissue, out)
        report["saved"] = str(out)
    if picture is not None:
        import_module("tissuesim.viz.anatomy").draw_anatomy(tissue, picture, name or file.name)
        report["picture"] = str(picture)
    return report
