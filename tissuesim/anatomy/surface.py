"""Import of a surface file: its triangle parts, scaled to mm, welded and closed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tissuesim.errors import InputError, nearest

from .gltf import Named, read_gltf
from .mesh import Closing, Mesh, area, close, signed_volume, weld
from .readers import read_plain

SUFFIXES = (".glb", ".gltf", ".stl", ".ply", ".obj", ".vtp")
UNITS = {"m": 1000.0, "cm": 10.0, "mm": 1.0, "um": 1e-3}
LARGEST_FILL = 0.25  # a lone surface that lacks more of its area than this is a sheet, not a solid
_METRES_BELOW, _MILLIMETRES_ABOVE = 3.0, 30.0


@dataclass(frozen=True)
class Surface:
    """Closed parts in mm, how each was closed, and a report of what was read."""

    path: Path
    parts: tuple[Mesh, ...]
    closings: tuple[Closing, ...]
    report: dict[str, object]

    def signed_volume(self) -> float | None:
        """Return the enclosed volume (mm^3) if the surface is one soundly wound closed part, else None."""
        if len(self.parts) != 1 or not self.closings[0].consistent:
            return None
        return abs(signed_volume(self.parts[0]))


def read_surface(path: str | Path, units: str | None = None) -> Surface:
    """Return the closed surface parts of a file in mm.

    ``units`` is 'm', 'cm', 'mm' or 'um'; by default a longest side < 3 means metres and > 30 millimetres.
    InputError if the file is missing, of another kind, damaged or empty, if a coordinate is not finite,
    if the size leaves the units open, or if the surface encloses no volume.
    """
    path = Path(path)
    raw = [part for part in _read_parts(path) if len(part[2])]
    if not raw:
        raise InputError(f"'{path}' holds no triangles")
    if not all(np.isfinite(points).all() for _, points, _ in raw):
        raise InputError(f"'{path}' has a point whose coordinate is not a finite number")
    scale, note = _scale(path, raw, units)
    welded = [weld(Mesh(name, points * scale, triangles)) for name, points, triangles in raw]
    parts, closings, skipped = [], [], []
    for mesh in welded:
        if len(mesh.triangles) < 4 or _is_flat(mesh):
            skipped.append(mesh.name or "(unnamed)")
            continue
        closed, closing = close(mesh)
        parts.append(closed)
        closings.append(closing)
    if not parts:
        raise InputError(f"'{path}' encloses no volume: every part is degenerate or flat")
    if len(parts) == 1 and closings[0].filled_share > LARGEST_FILL:
        raise InputError(
            f"'{path}' is an open sheet, not a solid: closing it would add {closings[0].filled_share:.0%} "
            f"of its area (at most {LARGEST_FILL:.0%} is filled)"
        )
    report: dict[str, object] = {"file": path.name, "units": note, "skipped_parts": skipped}
    return Surface(path, tuple(parts), tuple(closings), report)


def _is_flat(mesh: Mesh) -> bool:
    """Return whether the part is thinner than a thousandth of its size in some direction, or has no area."""
    used = mesh.points[np.unique(mesh.triangles)]
    spread = np.linalg.svd(used - used.mean(axis=0), compute_uv=False)
    return bool(spread[-1] <= 1e-3 * spread[0] or area(mesh) <= 0)


def _scale(path: Path, raw: list[Named], units: str | None) -> tuple[float, str]:
    """Return the factor to mm and a sentence that says what was assumed."""
    lower = np.min([points[triangles].min(axis=(0, 1)) for _, points, triangles in raw], axis=0)
    upper = np.max([points[triangles].max(axis=(0, 1)) for _, points, triangles in raw], axis=0)
    longest = float((upper - lower).max())
    if units is not None:
        if units not in UNITS:
            raise InputError(
                f"units '{units}' of '{path}': allowed are {', '.join(UNITS)}{nearest(units, UNITS)}"
            )
        return UNITS[units], f"{units} as told: longest side {longest * UNITS[units]:.4g} mm"
    if longest == 0:
        raise InputError(f"'{path}' encloses no volume: all its points coincide")
    if longest < _METRES_BELOW:
        return 1000.0, f"m, guessed from a longest side of {longest:.4g}: scaled to {longest * 1000:.4g} mm"
    if longest > _MILLIMETRES_ABOVE:
        return 1.0, f"mm, guessed from a longest side of {longest:.4g}: kept at {longest:.4g} mm"
    raise InputError(
        f"'{path}' has a longest side of {longest:.4g}, which could be cm, mm or m; "
        f"say which with `units` ({', '.join(UNITS)})"
    )


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
