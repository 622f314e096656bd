"""The built-in microscopic patch of synovium."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from tissuesim.anatomy.joint_patch import (
    AGGREGATE,
    FLUID,
    HIGH_ENDOTHELIUM,
    LINING,
    REGIONS,
    SUBLINING,
    WALL,
    joint_patch,
)
from tissuesim.anatomy.lattice import Lattice
from tissuesim.anatomy.organ import Organ, make_atlas
from tissuesim.anatomy.voxelize import voxelize
from tissuesim.errors import InputError
from tissuesim.tissue import build_graph


@cache
def patch() -> Organ:
    """Return the default patch."""
    return joint_patch()


@cache
def points(spacing: float = 0.01) -> tuple[Lattice, np.ndarray, np.ndarray]:
    """Return a lattice over the patch with what is inside and the regions."""
    lattice = Lattice.covering(patch().lower, patch().upper, spacing)
    return lattice, patch().inside(lattice), patch().region_at(lattice, np.zeros(lattice.shape))


def test_a_cubic_millimeter_in_one_piece() -> None:
    """Claim: 1 mm^3 less 0.1-2 % lumen; voxels of 0.02 mm hold it within 0.5 %, in one piece but for 0.1 %."""
    reference = float(str(patch().report["reference_volume_ml"])) * 1000
    assert 0.98 < reference < 0.999
    sampled = voxelize(patch(), make_atlas(patch()), 0.02)
    assert sampled.fraction.sum() * 0.02**3 == pytest.approx(reference, rel=0.005)
    tissue = build_graph("synovium", sampled.fraction, sampled.region, 0.02, region_names=REGIONS)
    assert float(str(tissue.report["loose_volume_ml"])) <= 0.001 * tissue.volume.sum() / 1000


def test_every_region_has_its_share() -> None:
    """Claim: fluid 12 %, lining 5 %, both within a fifth; an aggregate 0.36 mm across; vessel walls 0.5-4 %."""
    _, inside, region = points()
    share = np.bincount(region[inside], minlength=len(REGIONS)) / inside.sum()
    assert share[FLUID] == pytest.approx(0.12, rel=0.2)
    assert share[LINING] == pytest.approx(0.05, rel=0.2)
    aggregate = share[AGGREGATE] + share[HIGH_ENDOTHELIUM]
    assert aggregate == pytest.approx(np.pi / 6 * 0.36**3 * 0.8, rel=0.35)
    assert 0.005 < share[WALL] < 0.04
    assert share[SUBLINING] > 0.7


def test_layers_follow_each_other() -> None:
    """Claim: from the cavity down come fluid, lining 0.04-0.06 mm thick, sublining; the surface is uneven."""
    lattice, _, region = points(0.005)
    lining = (region == LINING).sum(axis=0) * lattice.spacing
    assert lining.min() >= 0.04
    assert lining.max() <= 0.06
    surface = (region == FLUID).sum(axis=0) * lattice.spacing
    assert 0.03 < np.ptp(surface) < 0.15
    assert (region[0] != FLUID).all()


def test_aggregate_is_around_the_high_endothelial_venule() -> None:
    """Claim: the venule runs through the aggregate, and its lumen is open at both sides of the cube."""
    lattice, inside, region = points()
    z, y, x = np.broadcast_arrays(*lattice.axes())
    wall = inside & (region == HIGH_ENDOTHELIUM)
    middle = wall & (np.abs(x) < 0.1)
    assert np.hypot(y[middle], z[middle] + 0.36).max() < 0.1
    assert x[wall].min() < -0.45
    assert x[wall].max() > 0.45
    for face in (0, -1):
        assert (~inside[:, :, face]).any()
    aggregate = region == AGGREGATE
    assert abs(float(x[aggregate].mean())) < 0.05
    assert np.abs(z[aggregate] + 0.36).max() < 0.25


def test_exchange_is_highest_at_the_high_endothelial_venule() -> None:
    """Claim: none in the fluid; at the high endothelium at least twice what is at other walls."""
    exchange = patch().exchange
    assert exchange is not None
    lattice, inside, region = points()
    values = exchange(lattice)
    assert values[region == FLUID].max() == 0
    assert np.median(values[inside & (region == HIGH_ENDOTHELIUM)]) > 2 * np.median(
        values[inside & (region == WALL)]
    )


def test_sizes_seed_and_scale() -> None:
    """Claim: a thicker lining and a smaller aggregate are that; a seed gives one patch; scale cubes volume."""
    lattice = Lattice(0.02, patch().lower, (50, 50, 50))
    depth = np.zeros(lattice.shape)
    usual = patch().region_at(lattice, depth)
    changed = joint_patch(lining=0.1, aggregate=0.25).region_at(lattice, depth)
    assert (changed == LINING).sum() == pytest.approx(2 * (usual == LINING).sum(), rel=0.1)
    assert (changed == AGGREGATE).sum() < 0.5 * (usual == AGGREGATE).sum()
    assert np.array_equal(joint_patch(seed=1).region_at(lattice, depth), usual)
    assert not np.array_equal(joint_patch(seed=2).region_at(lattice, depth), usual)
    ratio = float(str(joint_patch(scale=0.9).report["reference_volume_ml"])) / float(
        str(patch().report["reference_volume_ml"])
    )
    assert ratio == pytest.approx(0.729)


@pytest.mark.parametrize(
    "sizes", [{"size": 0.1}, {"lining": 0.0}, {"aggregate": 0.6}, {"scale": float("nan")}]
)
def test_impossible_patches_are_refused(sizes: dict[str, float]) -> None:
    """Claim: sizes that make no patch are an InputError that names it."""
    with pytest.raises(InputError, match="joint_patch"):
        joint_patch(**sizes)  # type: ignore[arg-type]
