"""`Organ` from an imported surface: regions by part name, or by depth and position."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tissuesim.errors import InputError

from .kidney import CORTEX, CORTEX_THICKNESS, HALF_SIZE, MEDULLA, PELVIS, REGIONS, RENAL_MAPS, VOLUME_ML, renal_region
from .lattice import Lattice
from .organ import Organ, RegionAt
from .solid import Solid
from .surface import Surface, read_surface
from .voxelize import SUPERSAMPLING

# Word in a part's name -> region and painting order (later ones win where parts overlap). The first word
# found decides: 'hilum_of_kidney' is pelvis although it names the kidney.
_WORDS: tuple[tuple[str, int, int], ...] = (
    ("papilla", MEDULLA, 6),
    ("pyramid", MEDULLA, 5),
    ("medulla", MEDULLA, 5),
    ("pelvis", PELVIS, 1),
    ("calyx", PELVIS, 1),
    ("calyces", PELVIS, 1),
    ("hilum", PELVIS, 0),
    ("sinus", PELVIS, 0),
    ("ureter", PELVIS, 0),
    ("column", CORTEX, 4),
    ("cortex", CORTEX, 3),
    ("cortical", CORTEX, 3),
    ("capsule", CORTEX, 2),
    ("kidney", CORTEX, 2),
    ("renal", CORTEX, 2),
)
_UNNAMED_RANK = 2
_WRAPPING_RANKS = (2, 3)  # capsule and outer cortex: gaps beside them are cortex, not sinus
_FRAME_CELLS = 60_000  # of the lattice on which the axes are found
_LARGEST_VOID = 0.005  # of the volume
_REFERENCE_CELLS = 10_000_000  # of the lattice that measures what has no signed volume


def organ_from_surface(path: str | Path, units: str | None = None) -> Organ:
    """Return the organ enclosed by a surface file; InputError as `read_surface`, or if it encloses nothing.

    Parts whose names tell (pyramid, cortex, hilum ...) are painted in anatomical order, and the cavities they
    enclose are the renal sinus. Otherwise the built-in kidney's sinus, pyramids and cortex are fitted in.
    """
    surface = read_surface(path, units)
    kinds = [_kind(part.name) for part in surface.parts]
    organ = _by_name(surface, kinds) if _tells_regions(kinds) else _by_position(surface)
    if organ.report["reference_volume_ml"] == 0:
        raise InputError(f"'{surface.path}' encloses no volume")
    return organ


def _kind(name: str) -> tuple[int, int] | None:
    """Return (region, painting order) a part's name stands for, or None."""
    words = name.lower()
    return next(((region, rank) for word, region, rank in _WORDS if word in words), None)


def _tells_regions(kinds: list[tuple[int, int] | None]) -> bool:
    return len({kind[0] for kind in kinds if kind is not None}) > 1


def _by_name(surface: Surface, kinds: list[tuple[int, int] | None]) -> Organ:
    known = [kind or (CORTEX, _UNNAMED_RANK) for kind in kinds]
    order = sorted(range(len(known)), key=lambda number: known[number][1])
    labels = tuple(known[number][0] + 1 for number in order)
    solid = Solid(
        tuple(surface.parts[number] for number in order),
        labels,
        cavity_label=PELVIS + 1,
        wrapping=tuple(known[number][1] in _WRAPPING_RANKS for number in order),
        wrapping_label=CORTEX + 1,
    )

    def region_at(lattice: Lattice, depth: NDArray[np.float64]) -> NDArray[np.uint8]:
        painted = solid.paint(lattice)
        return np.where(painted > 0, painted - 1, CORTEX).astype(np.uint8)

    fine = Lattice.of_cells(solid.lower, solid.upper, _REFERENCE_CELLS)
    report = {
        **_describe(surface, [REGIONS[region] for region, _ in known]),
        "regions": "by part name; cavities enclosed by the parts are the renal sinus (pelvis)",
        "unrecognized_parts": [
            part.name for part, kind in zip(surface.parts, kinds, strict=True) if kind is None
        ],
        "reference_volume_ml": solid.volume(fine) / 1000,
        "volume_reference": f"union of parts and their cavities, counted on a {fine.spacing:.2f} mm lattice",
    }
    return _organ(surface, solid, region_at, SUPERSAMPLING, report)


def _by_position(surface: Surface) -> Organ:
    solid = Solid(surface.parts, (1,) * len(surface.parts))
    lattice = Lattice.of_cells(solid.lower, solid.upper, _FRAME_CELLS)
    inside = solid.paint(lattice) > 0
    if not inside.any():
        raise InputError(f"'{surface.path}' encloses no volume")
    _refuse_patchwork(surface, solid, float(np.count_nonzero(inside)) * lattice.spacing**3)
    frame = _fit_frame(lattice, inside)

    def region_at(lattice: Lattice, depth: NDArray[np.float64]) -> NDArray[np.uint8]:
        x, y, z = frame.coordinates(lattice)
        return renal_region(x, y, z, depth / frame.scale)

    report = {
        **_describe(surface, ["by position"] * len(surface.parts)),
        "regions": (
            "by depth and position: the built-in kidney's inner anatomy fitted along the long, middle and "
            f"short axis of the solid (cortex to {CORTEX_THICKNESS * frame.scale:.1f} mm and columns, "
            "9 pyramids, sinus at the side to which the poles bend)"
        ),
        "hilum_direction": [round(float(part), 4) for part in frame.rows[0]],
        **_reference_volume(surface, solid),
    }
    return _organ(surface, solid, region_at, None, report)


def _refuse_patchwork(surface: Surface, solid: Solid, volume: float) -> None:
    """Raise InputError if even-odd filling leaves holes inside a surface whose triangles are wound at random.

    Overlapping patches cancel in even-odd filling; a surface wound soundly may have such voids on purpose.
    """
    if all(closing.consistent for closing in surface.closings):
        return
    void = solid.enclosed_void()
    if void > _LARGEST_VOID * volume:
        raise InputError(
            f"'{surface.path}' is no single closed surface: {void / 1000:.3g} mL inside it are left empty because "
            f"its patches overlap and are wound inconsistently; repair it in a mesh program first"
        )


def _organ(
    surface: Surface, solid: Solid, region_at: RegionAt, samples: int | None, report: dict[str, object]
) -> Organ:
    return Organ(
        source=surface.path.name,
        lower=solid.lower,
        upper=solid.upper,
        region_names=REGIONS,
        inside=lambda lattice: solid.paint(lattice) > 0,
        region_at=region_at,
        region_samples=samples,
        report=report,
        **RENAL_MAPS,
    )


def _reference_volume(surface: Surface, solid: Solid) -> dict[str, object]:
    volume = surface.signed_volume()
    if volume is not None:
        return {
            "reference_volume_ml": volume / 1000,
            "volume_reference": "signed volume of the closed surface",
        }
    fine = Lattice.of_cells(solid.lower, solid.upper, _REFERENCE_CELLS)
    return {
        "reference_volume_ml": solid.volume(fine) / 1000,
        "volume_reference": f"even-odd count on a {fine.spacing:.2f} mm lattice (no sound closed surface)",
    }


def _describe(surface: Surface, regions: list[str]) -> dict[str, object]:
    parts = [
        {
            "name": part.name,
            "region": region,
            "triangles": len(part.triangles),
            "open_edges": closing.open_edges,
            "filled_loops": closing.loops,
            "filled_area_share": round(closing.filled_share, 4),
        }
        for part, closing, region in zip(surface.parts, surface.closings, regions, strict=True)
    ]
    warnings = [
        f"part '{part.name}': triangles are wound inconsistently or share edges with more than one other"
        for part, closing in zip(surface.parts, surface.closings, strict=True)
        if not closing.consistent
    ]
    return {"anatomy": "imported surface", **surface.report, "parts": parts, "warnings": warnings}


class _Frame(NamedTuple):
    """Where the built-in kidney's axes lie in a solid: x_kidney = stretch (rows p - middle)."""

    rows: NDArray[np.float64]  # unit vectors (3, 3): to the hilum, through the thickness, along the length
    middle: NDArray[np.float64]  # of the solid's extent along each axis, mm
    stretch: NDArray[np.float64]  # built-in half size / half extent
    scale: float  # size of this organ in built-in kidneys, cube root of the volume ratio

    def coordinates(self, lattice: Lattice) -> tuple[NDArray[np.float64], ...]:
        """Return the built-in kidney's x, y, z of every center."""
        z, y, x = lattice.axes()
        return tuple(
            ((row[0] * x + row[1] * y + row[2] * z) - middle) * stretch
            for row, middle, stretch in zip(self.rows, self.middle, self.stretch, strict=True)
        )


def _fit_frame(lattice: Lattice, inside: NDArray[np.bool_]) -> _Frame:
    """Return the kidney's axes in a solid: principal axes, the hilum on the side to which the poles bend.

    A kidney's outline is x = b z^2, so the sign of the covariance of u (middle axis) with w^2 (long axis)
    tells the medial side.
    """
    cells = np.argwhere(inside)[:, ::-1]
    points = (cells + 0.5) * lattice.spacing + np.asarray(lattice.origin)
    centered = points - points.mean(axis=0)
    _, vectors = np.linalg.eigh(centered.T @ centered)
    middle, long = vectors[:, 1], vectors[:, 2]  # eigenvalues ascend
    u, w = centered @ middle, centered @ long
    if float(np.mean(u * (w**2 - np.mean(w**2)))) < 0:
        middle = -middle
    if long[np.argmax(np.abs(long))] < 0:
        long = -long
    rows = np.stack([middle, np.cross(long, middle), long])  # right-handed: x hilum, z long
    along = points @ rows.T
    lower, upper = along.min(axis=0) - 0.5 * lattice.spacing, along.max(axis=0) + 0.5 * lattice.spacing
    volume_ml = len(points) * lattice.spacing**3 / 1000
    return _Frame(
        rows=rows,
        middle=(lower + upper) / 2,
        stretch=2 * np.asarray(HALF_SIZE) / (upper - lower),
        scale=float((volume_ml / VOLUME_ML) ** (1 / 3)),
    )
