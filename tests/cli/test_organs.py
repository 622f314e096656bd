"""`tissuesim organs`."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tissuesim.anatomy import CATALOGUE
from tissuesim.cli import main


def test_every_organ_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """Claim: each built-in organ has a line with its kind and voxel size."""
    with pytest.raises(SystemExit) as done:
        main(["organs"])
    assert done.value.code == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(" (")[0] for line in lines] == list(CATALOGUE)
    assert lines[0].startswith("kidney (organ, 2 mm voxels): ")


def test_an_organ_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """Claim: a named organ is built and its voxels, regions and maps are told."""
    with pytest.raises(SystemExit) as done:
        main(["organs", "kidney", "--spacing", "8"])
    assert done.value.code == 0
    out = capsys.readouterr().out
    assert "444 voxels of 8 mm" in out and "region cortex" in out and "map vascular_density" in out


def test_a_wrong_name_is_answered(capsys: pytest.CaptureFixture[str]) -> None:
    """Claim: an unknown organ ends with one sentence, the nearest name and exit code 2."""
    done = subprocess.run(
        [sys.executable, "-m", "tissuesim", "organs", "kidny"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert "'kidny' is no built-in organ" in done.stderr and "kidney" in done.stderr
