"""What a large tissue takes: memory per voxel of the box, and processor time against sorting as many numbers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "measure_tissue.py"
LARGEST_MEMORY = 4e9 / 256**3
"""Bytes per voxel of the box: 256^3 in 4 GB."""
LARGEST_RATIO = 10.0
"""Processor time of building over that of sorting the box (by merging): 20 s over the 2 s that 256^3 numbers take."""


def measured(size: int) -> dict[str, float]:
    """Return what the script prints for a box of ``size``^3."""
    result = subprocess.run(
        [sys.executable, str(SCRIPT), str(size)], capture_output=True, text=True, check=True, timeout=600
    )
    return dict(json.loads(result.stdout))


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc, which only Linux has")
def test_time_and_memory_of_a_large_box() -> None:
    """Claim: from 64^3 to 160^3 voxels, 45 % filled, memory grows by less than 238 B per voxel of the box (4 GB for
    256^3), and processor time by less than ten times what sorting as many numbers takes.
    """  # noqa: D205
    small, large = measured(64), measured(160)
    assert large["fill"] == pytest.approx(0.45, abs=0.02)
    more = large["box"] - small["box"]
    assert 20 < (large["peak_bytes"] - small["peak_bytes"]) / more < LARGEST_MEMORY
    seconds = large["processor_seconds"] - small["processor_seconds"]
    assert seconds < LARGEST_RATIO * (large["sorting_the_box_seconds"] - small["sorting_the_box_seconds"])
