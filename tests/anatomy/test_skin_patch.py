"""The built-in microscopic patch of skin."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from tissuesim.anatomy.lattice import Lattice
from tissuesim.anatomy.organ import Organ, make_atlas
from tissuesim.anatomy.skin_patch import (
    COLLAGEN,
    CUFF,
    EPIDERMIS,
    PAPILLARY,
    REGIONS,
    RETICULAR,
    WALL,
    skin_patch,
)
from tissuesim.anatomy.voxelize import Voxels, voxelize
from tissuesim.errors import InputError
from tissuesim.tissue import build_graph


@cache
def patch() -> Organ:
    """Return the default patch."""
    return skin_patch()


@cache
def voxels(spacing: float = 0.02) -> Voxels:
    """Return the default patch in voxels."""
    return voxelize(patch(), make_atlas(patch()), spacing)


def points(lattice: Lattice | None = None) -> tuple[Lattice, np.ndarray, np.ndarray]:
    """Return a lattice (of 0.01 mm over the patch) with what is inside and the regions."""
    lattice = lattice or Lattice.covering(patch().lower, patch().upper, 0.01)
    return lattice, patch().inside(lattice), patch().region_at(lattice, np.zeros(lattice.shape))


def test_a_cubic_millimeter_less_its_lumens() -> None:
    """Claim: 1 mm^3 less 0.2-3 % lumen; voxels of 0.02 mm hold it within 0.5 %."""
    reference = float(str(patch().report["reference_volume_ml"])) * 1000
    assert 0.97 < reference < 0.998
    assert voxels().fraction.sum() * 0.02**3 == pytest.approx(reference, rel=0.005)


def test_every_region_has_its_share() -> None:
    """Claim: epidermis 7-11 %, papillary dermis 15-25 %, collagen 50-70 % of the deeper one, a cuff 1-5 %."""
    _, inside, region = points()
    share = np.bincount(region[inside], minlength=len(REGIONS)) / inside.sum()
    assert 0.07 < share[EPIDERMIS] < 0.11
    assert 0.15 < share[PAPILLARY] < 0.25
    assert 0.5 < share[COLLAGEN] / (share[COLLAGEN] + share[RETICULAR]) < 0.7
    assert 0.01 < share[CUFF] < 0.05
    assert 0.001 < share[WALL] < 0.02


def test_cuff_surrounds_the_vessel() -> None:
    """Claim: the cuff lies within 0.2 mm of the vertical axis and reaches from below -0.7 mm to above -0.3 mm."""
    lattice, inside, region = points()
    z, y, x = np.broadcast_arrays(*lattice.axes())
    cuff = inside & (region == CUFF)
    assert np.hypot(x[cuff], y[cuff]).max() < 0.2
    assert z[cuff].min() < -0.7
    assert z[cuff].max() > -0.3


def test_lumens_are_open_and_walled() -> None:
    """Claim: the ascending lumen meets the deep face, and what is next to it is wall."""
    lattice, inside, region = points(Lattice(0.005, (-0.15, -0.15, -1.0), (130, 60, 60)))
    assert (~inside[0]).sum() * 0.005**2 == pytest.approx(np.pi * 0.02**2, rel=0.3)
    z, y, x = np.broadcast_arrays(*lattice.axes())
    around = (np.hypot(x, y) < 0.12) & (z < -0.35)
    beside = np.zeros_like(inside)
    beside[:, :, 1:-1] = ~inside[:, :, 2:] | ~inside[:, :, :-2]
    assert (region[beside & inside & around] == WALL).all()


def test_a_loop_in_every_papilla() -> None:
    """Claim: between the ridges, capillary walls stand at 20-64 places per mm^2, and none near the surface."""
    lattice, _, region = points(Lattice(0.005, (-0.5, -0.5, -0.1), (20, 200, 200)))
    height = lattice.axes()[0].ravel()
    layer = region[np.argmin(np.abs(height + 0.09))] == WALL
    rows = np.add.reduceat(
        np.add.reduceat(layer, np.arange(0, 200, 25), axis=0), np.arange(0, 200, 25), axis=1
    )
    assert 20 <= np.count_nonzero(rows) <= 64
    assert not (region[height > -0.04] == WALL).any()


def test_one_piece() -> None:
    """Claim: tissue around the lumens is one piece but for 0.1 %."""
    sampled = voxels()
    tissue = build_graph("skin", sampled.fraction, sampled.region, 0.02, region_names=REGIONS)
    assert float(str(tissue.report["loose_volume_ml"])) <= 0.001 * tissue.volume.sum() / 1000


def test_exchange_is_at_vessels() -> None:
    """Claim: exchange is 1 at a lumen, none 0.1 mm away from all of them, and of coarse cells the mean of fine ones."""
    exchange = patch().exchange
    assert exchange is not None
    lattice, inside, region = points()
    values = exchange(lattice)
    assert values[~inside].min() > 0.9
    assert values[inside & (region == WALL)].min() > 0.2
    assert np.median(values[region == COLLAGEN]) < 0.01
    coarse = exchange(Lattice(0.02, lattice.origin, (50, 50, 50)))
    assert np.abs(values.reshape(50, 2, 50, 2, 50, 2).mean(axis=(1, 3, 5)) - coarse).max() < 3e-6


def test_same_seed_same_patch_and_scale() -> None:
    """Claim: a seed gives one patch to the bit, another one another cuff; a scale of 1.5 gives 3.375 volumes."""
    lattice = Lattice(0.02, patch().lower, (50, 50, 50))
    first, again, other = (
        skin_patch(seed=seed).region_at(lattice, np.zeros(lattice.shape)) for seed in (1, 1, 2)
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first == CUFF, other == CUFF)
    ratio = float(str(skin_patch(scale=1.5).report["reference_volume_ml"])) / float(
        str(patch().report["reference_volume_ml"])
    )
    assert ratio == pytest.approx(3.375)


@pytest.mark.parametrize("sizes", [{"size": 0.1}, {"cuff": 0.0}, {"cuff": float("nan")}, {"scale": -1.0}])
def test_impossible_patches_are_refused(sizes: dict[str, float]) -> None:
    """Claim: sizes that make no patch are an InputError that names it."""
    with pytest.raises(InputError, match="skin_patch"):
        skin_patch(**sizes)  # type: ignore[arg-type]
