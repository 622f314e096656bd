"""Draw every built-in organ and patch into docs/gallery/anatomy_<name>.png.

    python scripts/make_anatomy_gallery.py [NAME ...] [--out FOLDER]

Each is drawn at half the voxel it is meant for, so that walls and borders are seen.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tissuesim.anatomy import build_tissue
from tissuesim.anatomy.catalogue import CATALOGUE
from tissuesim.errors import InputError, nearest
from tissuesim.viz.anatomy import draw_anatomy

ROOT = Path(__file__).resolve().parents[1]
GALLERY = ROOT / "docs" / "gallery"
# The epidermis is a tenth of a millimeter thick: a smaller piece of skin shows it as one layer.
FINER = {"skin": (0.05, {"size": 8.0})}
LARGEST = 250_000  # bytes of a picture


def title_of(name: str) -> str:
    """Return the catalogue's summary as a title, with its parts left to the legend."""
    entry = CATALOGUE[name]
    what = "8 x 8 mm of 20 x 20 x 4 mm" if name in FINER else entry.summary.partition(":")[0]
    return f"{name.replace('_', ' ').capitalize()}: {what}"


def draw(name: str, folder: Path) -> Path:
    """Draw one anatomy and return its picture."""
    spacing, shape = FINER.get(name, (CATALOGUE[name].spacing / 2, {}))
    tissue = build_tissue(name, name, spacing, shape=shape)
    path = draw_anatomy(tissue, folder / f"anatomy_{name}.png", title_of(name))
    print(f"{path.name}: {tissue.n:,} voxels, {path.stat().st_size / 1000:.0f} kB", flush=True)
    if path.stat().st_size > LARGEST:
        raise InputError(f"{path} has {path.stat().st_size} bytes; the gallery takes {LARGEST}")
    return path


def main() -> None:
    """Draw those named, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=[], metavar="NAME")
    parser.add_argument("--out", type=Path, default=GALLERY)
    options = parser.parse_args()
    for name in options.names:
        if name not in CATALOGUE:
            sys.exit(f"there is no built-in anatomy '{name}'{nearest(name, CATALOGUE)}")
    for name in options.names or CATALOGUE:
        draw(name, options.out)


if __name__ == "__main__":
    main()
