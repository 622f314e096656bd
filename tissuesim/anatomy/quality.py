"""The quality report of a file: what was mended, what each region became, and what a run would cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from tissuesim.errors import InputError, nearest
from tissuesim.tissue import Tissue
from tissuesim.units import quantity

from .build import build_tissue
from .importer import SUFFIXES, is_importable, organ_from_file
from .lattice import Point
from .length_unit import UNITS
from .selection import ImportOptions
from .thin import thin_shares

MOSTLY = 0.5  # a region of which more than this is thinner than two voxels is told
OFF = 0.05  # of a region's volume; more is told
# The default run (docs/performance.md): 20,864 voxels, 1,962 steps for 485 days in 48 s on two cores, below
# 1 kB per voxel. That is 48 s / (1962 x 20,864) per step and 4 steps per day.
NANOSECONDS_PER_STEP = 1170.0
STEPS_PER_DAY = 4.0
BYTES_PER_VOXEL = 1000.0


def read_options(
    units: str | None = None,
    labels: Sequence[str] = (),
    regions: Sequence[str] = (),
    voxel_size: str | None = None,
    entries: Sequence[str] = (),
) -> ImportOptions:
    """Return the options of command-line texts.

    ``7=cortex``, ``cortex=pattern,pattern``, ``10um,10um,50um``, ``12mm,0mm,-3mm``.
    """
    table: dict[int, str] = {}
    for text in labels:
        number, equals, name = text.partition("=")
        if not (number.strip().isdecimal() and equals and name.strip()):
            raise InputError(f"--label: '{text}' is not NUMBER=NAME such as 1=cortex")
        table[int(number)] = name.strip()
    chosen: dict[str, tuple[str, ...]] = {}
    for text in regions:
        name, equals, patterns = text.partition("=")
        words = tuple(word.strip() for word in patterns.split(",") if word.strip())
        if not (name.strip() and equals and words):
            raise InputError(f"--region: '{text}' is not NAME=PATTERN,... such as medulla=pyramid")
        chosen[name.strip()] = chosen.get(name.strip(), ()) + words
    if units is not None and units not in UNITS:
        raise InputError(f"--units: '{units}' is not one of {', '.join(UNITS)}{nearest(units, UNITS)}")
    size = None
    if voxel_size is not None:
        lengths = [quantity(word.strip(), "mm") for word in voxel_size.split(",")]
        if len(lengths) not in (1, 3) or not all(np.isfinite(lengths)) or min(lengths) <= 0:
            raise InputError(
                f"--voxel-size: '{voxel_size}' is not one or three lengths such as 10um,10um,50um"
            )
        x, y, z = lengths * (3 // len(lengths))
        size = (x, y, z)
    places = tuple(_place(text) for text in entries)
    return ImportOptions(units=units, labels=table, regions=chosen, voxel_size=size, vessel_entries=places)


def _place(text: str) -> Point:
    """Return the place x, y, z in mm of a text such as ``12mm,0mm,-3mm``."""
    lengths = [quantity(word.strip(), "mm") for word in text.split(",")]
    if len(lengths) != 3 or not all(np.isfinite(lengths)):
        raise InputError(f"--vessel-entry: '{text}' is no place x,y,z such as 12mm,0mm,-3mm")
    return lengths[0], lengths[1], lengths[2]


def examine_file(
    path: Path, spacing: float, options: ImportOptions, name: str = ""
) -> tuple[Tissue, dict[str, Any]]:
    """Return the tissue of a file in voxels of ``spacing`` mm and its quality report, which is plain JSON.

    InputError if the file cannot be imported, `OpenSurfaceError` with the place where it cannot be repaired.
    """
    if not is_importable(path):
        raise InputError(
            f"'{path}' has the unknown kind '{path.suffix}'; "
            f"allowed are {', '.join(SUFFIXES)}{nearest(path.suffix.lower(), SUFFIXES)}"
        )
    tissue = build_tissue(str(path.absolute()), name or "tissue", spacing, options=options)
    organ = organ_from_file(path.absolute(), replace(options, organ=name))
    return tissue, quality_report(tissue, thin_shares(organ, spacing))


def quality_report(tissue: Tissue, thin: Mapping[str, float]) -> dict[str, Any]:
    """Return the report of a tissue that was imported from a file; ``thin`` as from `thin_shares`."""
    facts = tissue.report
    parts = facts.get("parts")
    warnings = list(_as_list(facts.get("warnings")))
    if "volume_warning" in facts:
        warnings.append(str(facts["volume_warning"]))
    regions = _regions(tissue, thin)
    warnings += _region_warnings(regions)
    return {
        "file": str(facts.get("file", "")),
        "kind": str(facts.get("anatomy", "")),
        "units": str(facts.get("units", "")),
        "bounding_box_mm": facts.get("bounding_box_mm"),
        "spacing_mm": tissue.spacing,
        "watertight": None if not parts else _watertight(_as_list(parts)),
        "parts": parts or [],
        "skipped_parts": facts.get("skipped_parts", []),
        "regions": regions,
        "regions_by": str(facts.get("regions", "")),
        "vessels": str(facts.get("vessels_enter", "")),
        "vessels_enter_mm": facts.get("vessels_enter_mm", []),
        "volume": {
            "file_ml": float(str(facts["reference_volume_ml"])),
            "voxels_ml": float(tissue.volume.sum()) / 1000,
            "error": float(str(facts["volume_error"])),
            "reference": str(facts.get("volume_reference", "")),
        },
        "voxels": tissue.n,
        "box": list(reversed(tissue.shape)),
        "components": facts.get("components"),
        "loose_volume_ml": facts.get("loose_volume_ml"),
        "estimate": estimate(tissue.n),
        "warnings": warnings,
    }


def _region_warnings(regions: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return one sentence each on regions without voxels, mostly thin ones, and those whose volume is off."""
    held = [row for row in regions if row["voxels"]]
    none = [f"'{row['name']}'" for row in regions if not row["voxels"]]
    thin = [f"'{row['name']}' ({row['thin_share']:.0%})" for row in held if row["thin_share"] > MOSTLY]
    off = [f"'{row['name']}' ({row['error']:+.0%})" for row in held if abs(row["error"] or 0.0) > OFF]
    found = (
        (none, "no voxel is theirs, they are too thin for this spacing"),
        (thin, "thinner than two voxels in so much of their volume"),
        (off, f"voxels differ from the file by more than {OFF:.0%}; a smaller spacing is nearer"),
    )
    return [f"{words}: {', '.join(names)}" for names, words in found if names]


def estimate(voxels: int) -> dict[str, float]:
    """Return what a run of the shipped model would take, scaled from the measured default run; an estimate."""
    return {
        "bytes_per_voxel": BYTES_PER_VOXEL,
        "memory_mb": voxels * BYTES_PER_VOXEL / 1e6,
        "nanoseconds_per_voxel_and_step": NANOSECONDS_PER_STEP,
        "steps_per_day": STEPS_PER_DAY,
        "seconds_per_simulated_day": voxels * NANOSECONDS_PER_STEP * STEPS_PER_DAY / 1e9,
    }


def _regions(tissue: Tissue, thin: Mapping[str, float]) -> list[dict[str, Any]]:
    reference = tissue.report.get("region_reference_ml")
    known: Mapping[str, Any] = reference if isinstance(reference, dict) else {}
    count = len(tissue.region_names)
    voxels = np.bincount(tissue.region, minlength=count)
    rows = []
    for number, (name, volume) in enumerate(tissue.region_volumes().items()):
        ml = float(known[name]) if name in known else None
        rows.append(
            {
                "name": name,
                "file_ml": ml,
                "voxels_ml": volume / 1000,
                "error": volume / 1000 / ml - 1 if ml else None,
                "voxels": int(voxels[number]),
                "thin_share": thin[name],
            }
        )
    return rows


def _watertight(parts: Sequence[Any]) -> bool | None:
    """Return whether every part was closed as it came, None for parts that are no surfaces."""
    if any("mended" not in part for part in parts):
        return None
    return all(str(part["mended"]).startswith("watertight") for part in parts)


def _as_list(value: object) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else ()
