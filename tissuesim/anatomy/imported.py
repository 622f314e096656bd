"""`Organ` from an imported surface: regions by part name, by the user's choice, or by depth and position."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tissuesim.errors import InputError

from .frame import fit_frame
from .kidney import (
    CORTEX,
    CORTEX_THICKNESS,
    PELVIS,
    REGIONS,
    RENAL_MAPS,
    arteries_between_pyramids,
    glomeruli_of,
    renal_region,
)
from .kidney_vessels import HILUM
from .lattice import Lattice, Point
from .mesh import signed_volume
from .organ import Organ
from .pose import Pose
from .selection import (
    UNNAMED_RANK,
    WRAPPING_RANKS,
    ImportOptions,
    Regions,
    chosen_regions,
    kidney_kind,
    kidney_regions,
    named_regions,
    names_kidney,
    tells_kidney,
)
from .solid import Solid
from .surface import Part, Surface, read_surface
from .tree import Tree
from .voxelize import SUPERSAMPLING

_FRAME_CELLS = 60_000  # of the lattice on which the axes are found
_LARGEST_VOID = 0.005  # of the volume
# Between signed and filled volume; more means that the surface overlaps itself. Counting costs a sound one with flat
# sides up to 1 %; of one that was wound at random or branches (True) less is taken.
_LARGEST_MISFIT = {False: 0.02, True: 0.005}
_FILL_CELLS = 1_500_000  # of the lattice that compares the two
_REFERENCE_CELLS = 10_000_000  # of the lattice that measures what has no signed volume


def organ_from_surface(path: str | Path, options: ImportOptions | None = None) -> Organ:
    """Return the organ enclosed by a surface file; InputError as `read_surface`, or if it encloses nothing.

    The user's ``regions`` choose parts by name. Without them, parts whose names tell a kidney (pyramid, cortex, hilum
    ...) are painted in anatomical order and the cavities they enclose are the renal sinus; into a lone surface of a
    kidney the built-in kidney's sinus, pyramids and cortex are fitted; any other part is a region of its own.
    """
    options = options or ImportOptions()
    return organ_of(read_surface(path, options.units), options)


def organ_of(surface: Surface, options: ImportOptions) -> Organ:
    """Return the organ of a surface that was read."""
    names = [part.name for part in surface.parts]
    if options.regions:
        organ = _by_choice(surface, chosen_regions(names, options.regions), "as chosen by `regions`")
    elif tells_kidney(names):
        organ = _kidney_by_name(surface)
    elif len(names) == 1 and any(names_kidney(text) for text in (options.organ, surface.path.stem, *names)):
        organ = _kidney_by_position(surface)
    else:
        sizes = [_size(part) for part in surface.parts]
        organ = _by_choice(
            surface, named_regions(names, sizes), "each part one, smaller ones over larger ones"
        )
    if organ.report["reference_volume_ml"] == 0:
        raise InputError(f"'{surface.path}' encloses no volume")
    return surface.pose.placed(organ)


def _size(part: Part) -> float:
    return sum(abs(signed_volume(solid)) for solid in part.solids)


def _by_choice(surface: Surface, regions: Regions, words: str) -> Organ:
    painted = [(solid, regions.label(part)) for part in regions.order for solid in surface.parts[part].solids]
    if not any(label for _, label in painted):
        raise InputError(f"'{surface.path}': no part is chosen to be tissue")
    solid = Solid(tuple(mesh for mesh, _ in painted), tuple(label for _, label in painted))
    report = {
        **_describe(surface, [regions.words(part) for part in range(len(surface.parts))]),
        "regions": words,
        **_reference(surface, solid, regions.names),
    }

    return painted_organ(surface.path.name, solid, regions.names, report)


def _kidney_by_name(surface: Surface) -> Organ:
    names = [part.name for part in surface.parts]
    regions = kidney_regions(names)
    ranks = [(kidney_kind(name) or (CORTEX, UNNAMED_RANK))[1] for name in names]
    painted = [(solid, part) for part in regions.order for solid in surface.parts[part].solids]
    solid = Solid(
        tuple(mesh for mesh, _ in painted),
        tuple(regions.label(part) for _, part in painted),
        cavity_label=PELVIS + 1,
        wrapping=tuple(ranks[part] in WRAPPING_RANKS for _, part in painted),
        wrapping_label=CORTEX + 1,
    )

    report = {
        **_describe(surface, [regions.words(part) for part in range(len(names))]),
        "regions": "by part name; cavities enclosed by the parts are the renal sinus (pelvis)",
        "unrecognized_parts": [name for name in names if kidney_kind(name) is None],
        **_counted(solid, REGIONS, "union of parts and their cavities"),
    }
    return painted_organ(surface.path.name, solid, REGIONS, report, RENAL_MAPS)


def _kidney_by_position(surface: Surface) -> Organ:
    meshes = surface.parts[0].solids
    solid = Solid(meshes, (1,) * len(meshes))
    report = {**_describe(surface, ["by position"]), **_reference(surface, solid, ("kidney",))}
    return kidney_fitted(surface.path.name, solid, report, surface.pose)


class Painted(Protocol):
    """A solid that says, for every center of a lattice, which region + 1 it is in, 0 outside."""

    @property
    def lower(self) -> Point:
        """Lower corner, mm."""

    @property
    def upper(self) -> Point:
        """Upper corner, mm."""

    def paint(self, lattice: Lattice) -> NDArray[np.uint8]:
        """Return the box (z, y, x) of region + 1."""


def painted_organ(
    source: str,
    solid: Painted,
    regions: tuple[str, ...],
    report: dict[str, object],
    maps: dict[str, Any] | None = None,
) -> Organ:
    """Return the organ of a painted solid; ``maps`` say where vessels and niches are, else its largest region."""
    volumes = report["region_reference_ml"]
    assert isinstance(volumes, dict)
    largest = max(volumes, key=lambda name: float(volumes[name]))

    def region_at(lattice: Lattice, depth: NDArray[np.float64]) -> NDArray[np.uint8]:
        labels = solid.paint(lattice)
        return np.where(labels > 0, labels - 1, 0).astype(np.uint8)

    return Organ(
        source=source,
        lower=solid.lower,
        upper=solid.upper,
        region_names=regions,
        inside=lambda lattice: solid.paint(lattice) > 0,
        region_at=region_at,
        region_samples=SUPERSAMPLING,
        regions_need_depth=False,
        report=report,
        **(maps or {"reference_region": largest, "niche_regions": (largest,)}),
    )


def kidney_fitted(source: str, solid: Painted, report: dict[str, object], pose: Pose) -> Organ:
    """Return a solid as a kidney, into which the built-in kidney's inner anatomy is fitted."""
    lattice = Lattice.of_cells(solid.lower, solid.upper, _FRAME_CELLS)
    inside = solid.paint(lattice) > 0
    if not inside.any():
        raise InputError(f"'{source}' encloses no volume")
    frame = fit_frame(lattice, inside)

    def region_at(lattice: Lattice, depth: NDArray[np.float64]) -> NDArray[np.uint8]:
        x, y, z = frame.coordinates(lattice)
        return renal_region(x, y, z, depth / frame.scale)

    words = (
        "by depth and position: the built-in kidney's inner anatomy fitted along the long, middle and "
        f"short axis of the solid (cortex to {CORTEX_THICKNESS * frame.scale:.1f} mm and columns, "
        "9 pyramids, sinus at the side to which the poles bend)"
    )
    entry = pose.points(frame.back(np.array([HILUM])))[0]
    organ = Organ(
        source=source,
        lower=solid.lower,
        upper=solid.upper,
        region_names=REGIONS,
        inside=lambda lattice: solid.paint(lattice) > 0,
        region_at=region_at,
        region_samples=None,
        report={
            **{key: value for key, value in report.items() if key != "region_reference_ml"},
            "regions": words,
            "hilum_direction": [round(float(part), 4) for part in pose.points(frame.rows[0])],
            "vessels_enter": "at the hilum of the fitted kidney, then between its pyramids",
            "vessels_enter_mm": [[round(float(value), 3) for value in entry]],
        },
        **RENAL_MAPS,
    )

    def arteries(seed: int) -> Tree:
        own = arteries_between_pyramids(frame.inwards(glomeruli_of(organ, seed)), seed)
        return replace(
            own,
            start=frame.back(own.start),
            end=frame.back(own.end),
            radius=frame.scale * own.radius,
        )

    return replace(organ, arteries=arteries)


def _check_filling(surface: Surface, solid: Solid) -> float | None:
    """Return the volume (mm^3) of one soundly closed part, None where there is no such thing.

    In a lone surface wound at random the overlapping patches cancel in even-odd filling. InputError if that leaves
    holes inside which its signed volume does not have either; a surface wound soundly may have voids on purpose.
    """
    if len(surface.parts) > 1:
        return None
    mending, coarse = surface.parts[0].mending, Lattice.of_cells(solid.lower, solid.upper, _FILL_CELLS)
    filled = float(solid.volumes(coarse).sum())
    misfit = _LARGEST_MISFIT[mending.patched]
    if mending.volume is not None and abs(filled - mending.volume) < misfit * mending.volume:
        return mending.volume
    void = solid.enclosed_void() if mending.patched else 0.0
    if void > _LARGEST_VOID * filled:
        raise surface.open_surface(
            f"'{surface.path}' is no single closed surface: it has {mending.open_edges} open and "
            f"{mending.branching_edges} branching edges, and {void / 1000:.3g} mL inside it are left empty because "
            f"its patches overlap and are wound inconsistently; repair it in a mesh program first"
        )
    return None


def _reference(surface: Surface, solid: Solid, regions: tuple[str, ...]) -> dict[str, object]:
    """Return the volume that voxels are held to: exact for one sound closed surface, else counted finely."""
    volume = _check_filling(surface, solid)
    if volume is None:
        return _counted(solid, regions, "union of parts" if len(surface.parts) > 1 else "even-odd count")
    return {
        "reference_volume_ml": volume / 1000,
        "region_reference_ml": {regions[0]: volume / 1000},
        "volume_reference": "signed volume of the closed surface",
    }


def _counted(solid: Solid, regions: tuple[str, ...], what: str) -> dict[str, object]:
    fine = Lattice.of_cells(solid.lower, solid.upper, _REFERENCE_CELLS)
    volumes = solid.volumes(fine) / 1000
    return {
        "reference_volume_ml": float(volumes.sum()),
        "region_reference_ml": {name: float(volumes[number + 1]) for number, name in enumerate(regions)},
        "volume_reference": f"{what}, counted on a {fine.spacing:.2f} mm lattice",
    }


def _describe(surface: Surface, regions: list[str]) -> dict[str, object]:
    parts = [
        {
            "name": part.name,
            "region": region,
            "triangles": part.triangles,
            "open_edges": part.mending.open_edges,
            "branching_edges": part.mending.branching_edges,
            "filled_loops": part.mending.loops,
            "filled_area_share": round(part.mending.filled_share, 4),
            "turned_triangles": part.mending.turned_triangles,
            "shells": part.mending.bodies,
            "mended": part.mending.words(),
        }
        for part, region in zip(surface.parts, regions, strict=True)
    ]
    warnings = [
        f"part '{part.name}': triangles are wound inconsistently or share edges with more than one other"
        for part in surface.parts
        if not part.mending.consistent
    ]
    skipped, sheets = surface.report["skipped_parts"], surface.report["open_sheets"]
    assert isinstance(skipped, list) and isinstance(sheets, list)
    flat = [f"part '{name}' is flat or without area and left out" for name in skipped]
    facts = {key: value for key, value in surface.report.items() if key != "open_sheets"}
    return {"anatomy": "imported surface", **facts, "parts": parts, "warnings": [*warnings, *flat, *sheets]}
