"""The cube of myocardium against what a section of heart muscle shows."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial import cKDTree

from tissuesim.anatomy.heart_patch import (
    ARTERIOLE_WALL,
    INTERSTITIUM,
    LUMEN,
    MUSCLE,
    PERIVASCULAR,
    REGIONS,
    arteriole_line,
    capillary_places,
    heart_patch,
)
from tissuesim.anatomy.lattice import Lattice
from tissuesim.anatomy.organ import Organ, make_atlas
from tissuesim.anatomy.voxelize import Voxels, voxelize
from tissuesim.errors import InputError

SIDE = 0.3
ANY_DEPTH = np.zeros(())


@pytest.fixture(scope="module")
def organ() -> Organ:
    """Return a cube of 0.3 mm."""
    return heart_patch(SIDE)


@pytest.fixture(scope="module")
def voxels(organ: Organ) -> Voxels:
    """Return it in voxels of 10 um."""
    return voxelize(organ, make_atlas(organ), 0.01)


@pytest.fixture(scope="module")
def fine(organ: Organ) -> tuple[Lattice, np.ndarray, np.ndarray]:
    """Return a 2.5 um lattice, what is inside, and the region numbers."""
    lattice = Lattice.covering(organ.lower, organ.upper, 0.0025)
    return lattice, organ.inside(lattice), organ.region_at(lattice, ANY_DEPTH)


def test_capillaries_are_as_many_and_as_far_apart_as_in_the_heart() -> None:
    """Claim: 2800-3500 per mm^2, the six neighbors 18-21 um away on average, none closer than 11 um."""
    places = capillary_places(1.0, seed=1)
    assert 2800 < len(places) < 3500
    middle = ((places > 0.1) & (places < 0.9)).all(axis=1)
    distance = cKDTree(places).query(places[middle], 7)[0][:, 1:]
    assert 0.018 < distance.mean() < 0.021
    assert distance.min() > 0.011


def test_shares_of_the_regions(fine: tuple[Lattice, np.ndarray, np.ndarray]) -> None:
    """Claim: beside the arteriole muscle is 64-72 % and interstitium with capillaries 28-36 %; all regions occur."""
    _, inside, region = fine
    count = np.bincount(region[inside], minlength=len(REGIONS))
    muscle = count[MUSCLE] / (count[MUSCLE] + count[INTERSTITIUM])
    assert 0.64 < muscle < 0.72
    assert 0.04 < count[PERIVASCULAR] / count.sum() < 0.15
    assert 0.005 < count[ARTERIOLE_WALL] / count.sum() < 0.04


def test_rows_show_in_voxels_of_10_um(voxels: Voxels) -> None:
    """Claim: a capillary goes on along z, not across: neighbors along z share it three times as often as by chance."""
    capillary = voxels.region == INTERSTITIUM
    share = capillary.mean()
    assert 0.15 < share < 0.32
    along = np.mean(capillary[1:][capillary[:-1]])
    across = [
        np.mean(capillary[:, :, 1:][capillary[:, :, :-1]]),
        np.mean(capillary[:, 1:][capillary[:, :-1]]),
    ]
    assert along > 3 * share
    assert max(across) < 1.7 * share


def test_volume_is_the_cube_less_the_lumen(organ: Organ, voxels: Voxels) -> None:
    """Claim: 10 and 20 um voxels hold the analytic volume to 0.2 %."""
    reference = float(str(organ.report["reference_volume_ml"])) * 1000
    assert voxels.fraction.sum() * 0.01**3 == pytest.approx(reference, rel=0.002)
    coarse = voxelize(organ, make_atlas(organ), 0.02)
    assert coarse.fraction.sum() * 0.02**3 == pytest.approx(reference, rel=0.002)


def test_lumen_is_open_at_both_ends(fine: tuple[Lattice, np.ndarray, np.ndarray]) -> None:
    """Claim: the only hole is the lumen: one piece from the lower to the upper face, walled by arteriole wall."""
    lattice, inside, region = fine
    parts, count = ndimage.label(~inside)
    assert count == 1
    assert (parts[0] > 0).any()
    assert (parts[-1] > 0).any()
    around = ndimage.binary_dilation(~inside) & inside
    assert (region[around] == ARTERIOLE_WALL).all()
    start, _ = arteriole_line(SIDE)
    row, column = np.argwhere(parts[0] > 0).mean(axis=0)
    middle = (np.array([column, row]) + 0.5) * lattice.spacing
    assert middle == pytest.approx(start[:2], abs=0.1 * LUMEN)


def test_exchange_is_high_at_capillaries(organ: Organ) -> None:
    """Claim: cell means of 1 around capillaries and 0 elsewhere, the same in total at any spacing."""
    assert organ.exchange is not None
    fine = Lattice.covering(organ.lower, organ.upper, 0.005)
    exchange, region = organ.exchange(fine), organ.region_at(fine, ANY_DEPTH)
    assert exchange[region == INTERSTITIUM].mean() > 0.75
    assert exchange[region == MUSCLE].mean() < 0.2
    assert exchange[region == ARTERIOLE_WALL].max() == 0
    coarse = organ.exchange(Lattice.covering(organ.lower, organ.upper, 0.02))
    assert coarse.mean() == pytest.approx(exchange.mean(), rel=0.01)
    assert 0.2 < exchange.mean() < 0.36


def test_fibers_run_along_z(organ: Organ) -> None:
    """Claim: every direction is exactly z."""
    assert organ.fibre is not None
    fibre = organ.fibre(Lattice.covering(organ.lower, organ.upper, 0.05))
    assert np.array_equal(np.unique(fibre.reshape(-1, 3), axis=0), [[0.0, 0.0, 1.0]])


def test_same_seed_same_patch(organ: Organ) -> None:
    """Claim: places depend on seed and position only: a part of a lattice has the answers of the whole."""
    lattice = Lattice.covering(organ.lower, organ.upper, 0.01)
    whole = organ.region_at(lattice, ANY_DEPTH)
    assert np.array_equal(whole, heart_patch(SIDE).region_at(lattice, ANY_DEPTH))
    assert np.mean(whole != heart_patch(SIDE, seed=2).region_at(lattice, ANY_DEPTH)) > 0.1
    x, y, z = lattice.origin
    part = Lattice(0.01, (x, y, z + 0.1), (4, *lattice.shape[1:]))
    assert (
        np.mean(whole[10:14] != organ.region_at(part, ANY_DEPTH)) < 1e-3
    )  # rounding at the border of a sleeve


@pytest.mark.parametrize("size", [0.1, 5.0, float("nan")])
def test_bad_size_is_refused(size: float) -> None:
    """Claim: a cube too small for its arteriole, or too large for its rows, is an InputError."""
    with pytest.raises(InputError, match="size of heart_patch"):
        heart_patch(size)
