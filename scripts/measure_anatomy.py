"""Import every file of a folder of anatomy: what is measured, as the Markdown tables of docs/anatomy.md.

    python scripts/measure_anatomy.py ../shared/anatomy

The first table has every surface that is closed as it comes, whole or part by part: its signed volume, and the error of
the voxels' volume at 1 and 2 mm. The second has every file: imported as it is, mended how far, or refused why.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from tissuesim.anatomy.importer import is_importable, organ_from_file
from tissuesim.anatomy.organ import make_atlas
from tissuesim.anatomy.voxelize import voxelize
from tissuesim.errors import InputError

SPACINGS = (1.0, 2.0)
LARGEST_BOX = 100_000_000  # voxels: a whole body is measured at 2 mm alone


def files(folder: Path) -> list[Path]:
    """Return every file that can be imported."""
    return sorted(path for path in folder.rglob("*") if path.is_file() and is_importable(path))


def closed(path: Path) -> float | None:
    """Return the volume (mL) of a file that is one closed surface as it comes, None for any other."""
    try:
        report = organ_from_file(path).report
    except InputError:
        return None
    if report.get("volume_reference") != "signed volume of the closed surface":
        return None
    return float(str(report["reference_volume_ml"]))


def volume_row(folder: Path, path: Path, volume: float) -> str:
    """Return the row of a closed surface: its volume and the voxels' error at each spacing."""
    organ = organ_from_file(path)
    atlas = make_atlas(organ)
    errors = []
    for spacing in SPACINGS:
        if np.prod(np.subtract(organ.upper, organ.lower)) > LARGEST_BOX * spacing**3:
            errors.append("-")
        else:
            found = float(voxelize(organ, atlas, spacing).fraction.sum()) * spacing**3 / 1000
            errors.append(f"{found / volume - 1:+.3%}")
    return f"| {path.relative_to(folder)} | {volume:.5g} | {' | '.join(errors)} |"


def outcome_row(folder: Path, path: Path) -> str:
    """Return the row of a file: what became of it, and its volume against that of its own reference at 2 mm."""
    try:
        organ = organ_from_file(path)
    except InputError as error:
        sentence = str(error).replace(str(path), path.name).replace("|", "/")
        return f"| {path.relative_to(folder)} | refused | | {sentence} |"
    parts = organ.report.get("parts")
    rows = parts if isinstance(parts, list) else []
    mended = sum(not str(part.get("mended", "watertight")).startswith("watertight") for part in rows)
    told = f"{mended} of {len(rows)} parts mended" if mended else "as it is"
    sheets = sum("left out" in str(warning) for warning in _warnings(organ.report))
    if sheets:
        told += f", {sheets} left out and told"
    volume = float(str(organ.report["reference_volume_ml"]))
    return f"| {path.relative_to(folder)} | {told} | {volume:.5g} | {organ.report['volume_reference']} |"


def _warnings(report: dict[str, object]) -> list[object]:
    warnings = report.get("warnings")
    return warnings if isinstance(warnings, list) else []


def main(folder: Path) -> None:
    """Print both tables."""
    found = files(folder)
    print("| closed surface | mL | error at 1 mm | at 2 mm |\n|---|---|---|---|")
    for path in found:
        volume = closed(path)
        if volume is not None:
            print(volume_row(folder, path, volume), flush=True)
    print("\n| file | outcome | mL | reference, or why not |\n|---|---|---|---|")
    for path in found:
        print(outcome_row(folder, path), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "../shared/anatomy"))
