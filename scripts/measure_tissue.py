"""Time and memory of building a tissue: a box of N^3 voxels, 45 % of it filled by a closed surface of 82,000 triangles.

    python scripts/measure_tissue.py 256

prints one JSON object. Nothing is taken from the cache of tissues; compiled code is.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

POWER = 1.75  # |x|^p + |y|^p + |z|^p < 1 fills 45.1 % of its box


def write_surface(path: Path, size: int) -> None:
    """Write the surface as an STL of ``size`` mm."""
    import pyvista

    ball = pyvista.Icosphere(radius=1.0, nsub=6)
    direction = ball.points / np.linalg.norm(ball.points, axis=1)[:, None]
    radius = (np.abs(direction) ** POWER).sum(axis=1) ** (-1 / POWER)
    ball.points = direction * radius[:, None] * (0.4996 * size)
    ball.save(path)


def measure(size: int) -> dict[str, float]:
    """Return voxels, fill, seconds of processor and clock, and the peak memory of this program [bytes]."""
    os.environ["TISSUESIM_TISSUE_CACHE"] = "0"
    from tissuesim.anatomy import build_tissue

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "solid.stl"
        write_surface(path, size)
        build_tissue(str(path), "organ", size / 16, units="mm")  # compiles, or reads what was compiled
        processor, clock = time.process_time(), time.perf_counter()
        tissue = build_tissue(str(path), "organ", 1.0, units="mm")
        processor, clock = time.process_time() - processor, time.perf_counter() - clock
    lines = Path("/proc/self/status").read_text().splitlines()
    peak = 1024 * int(next(line for line in lines if line.startswith("VmHWM:")).split()[1])
    values = np.random.default_rng(1).random(size**3)
    sorting = time.process_time()
    values.sort(kind="stable")
    return {
        "voxels": tissue.n,
        "box": tissue.shape[0] * tissue.shape[1] * tissue.shape[2],
        "fill": round(tissue.n / size**3, 4),
        "processor_seconds": round(processor, 3),
        "clock_seconds": round(clock, 3),
        "sorting_the_box_seconds": round(time.process_time() - sorting, 3),
        "peak_bytes": peak,
    }


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 256)))
