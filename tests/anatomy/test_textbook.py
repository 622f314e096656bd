"""Volumes of the built-in organs against textbooks, read from the table of docs/anatomy.md."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tissuesim.anatomy import CATALOGUE, build_tissue
from tissuesim.anatomy.physics import load_physics
from tissuesim.tissue import Tissue

TABLE = Path(__file__).parents[2] / "docs" / "anatomy.md"


def rows() -> list[tuple[str, float, str, str, float]]:
    """Return organ, voxel (mm), what is measured, textbook value or range, and volume (mL) of each row."""
    lines = [
        line for line in TABLE.read_text().splitlines() if line.split(" ")[1:2] and line.startswith("| ")
    ]
    cells = [[cell.strip() for cell in line.strip("| ").split("|")] for line in lines]
    return [(c[0], float(c[1]), c[2], c[3], float(c[4])) for c in cells if c[0] in CATALOGUE and len(c) == 6]


def millilitres(tissue: Tissue, what: str) -> float:
    """Return the volume of all regions, of the named ones, or of the tissue without its air."""
    volume = np.bincount(tissue.region, weights=tissue.volume, minlength=len(tissue.region_names)) / 1000
    if what.startswith("whole"):
        return float(volume.sum())
    if what.startswith("tissue"):
        physics = load_physics(tissue.name)
        share = [physics.value(name, "tissue_share") for name in tissue.region_names]
        return float(volume @ share)
    return float(sum(volume[tissue.region_names.index(name)] for name in what.split(", ")))


def test_every_organ_has_its_row() -> None:
    """Claim: the table tells a volume of each of the five organs, at the voxel that the organ is meant for."""
    told = rows()
    assert {row[0] for row in told} == {name for name, entry in CATALOGUE.items() if entry.kind == "organ"}
    assert all(row[1] == CATALOGUE[row[0]].spacing for row in told)


@pytest.mark.parametrize("row", rows(), ids=lambda row: f"{row[0]}: {row[2]}")
def test_volumes_are_those_of_textbooks(row: tuple[str, float, str, str, float]) -> None:
    """Claim: each volume is within 10 % of its textbook value, or inside its range, and what the table says."""
    organ, spacing, what, textbook, told = row
    volume = millilitres(build_tissue(organ, organ, spacing), what)
    assert volume == pytest.approx(told, rel=0.01)
    if "-" in textbook:
        least, most = (float(number) for number in textbook.split("-"))
        assert least <= volume <= most
    else:
        assert volume == pytest.approx(float(textbook), rel=0.1)
