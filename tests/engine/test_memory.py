"""Memory of a run grows slowly with its voxels."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tissuesim.anatomy import build_tissue

LARGEST_SLOPE = 1000.0
"""Bytes per voxel of the default model."""

MEASURE = """
import sys
from dataclasses import replace
from pathlib import Path
from tissuesim.scenario import load
from tissuesim.simulation.engine import Engine
from tissuesim.backends.base import load_backend
from tissuesim.tissue import Tissue

tissue = Tissue.load(Path(sys.argv[1]))
scenario = load("kidney_car_t", ("organs.kidney.spacing=8 mm", "time.start=-5 day"))
scenario = replace(scenario, tissues={"kidney": tissue})
engine = Engine(scenario, load_backend("numba"))
state = engine.first_state()
for _ in range(4):
    engine.step(state)
lines = Path("/proc/self/status").read_text().splitlines()
print(1024 * int(next(line for line in lines if line.startswith("VmHWM:")).split()[1]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc, which only Linux has")
def test_memory_per_voxel(tmp_path: Path) -> None:
    """Claim: between two sizes of the default kidney, the peak memory of tissue, engine and state grows by at
    most 1 kB per voxel.
    """  # noqa: D205
    sizes, peaks = [], []
    for number, spacing in enumerate((8.0, 2.0, 1.2)):  # the first run fills the cache of compiled kernels
        tissue = build_tissue("kidney", "kidney", spacing)
        path = tmp_path / f"{number}.npz"
        tissue.save(path)
        result = subprocess.run(
            [sys.executable, "-c", MEASURE, str(path)],
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert result.returncode == 0, result.stderr
        sizes.append(tissue.n)
        peaks.append(float(result.stdout))
    slope = (peaks[2] - peaks[1]) / (sizes[2] - sizes[1])
    assert 100.0 < slope <= LARGEST_SLOPE, f"{slope:.0f} bytes per voxel"
