"""The cube of lung: alveoli, ducts and a cuff of the stated sizes, at any voxel size."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from tissuesim.anatomy.lattice import Lattice
from tissuesim.anatomy.lung_patch import (
    AIRWAY_WALL,
    ARTERY,
    BRONCHIOLE,
    CELL_VOLUME,
    CUFF,
    DUCT_RADIUS,
    EXCHANGE,
    REGIONS,
    SEPTUM,
    VESSEL_WALL,
    alveoli,
    ducts,
    lung_patch,
)
from tissuesim.anatomy.organ import Organ, make_atlas
from tissuesim.anatomy.tree import distance_to_segments
from tissuesim.anatomy.voxelize import Voxels, voxelize
from tissuesim.errors import InputError

Sampled = tuple[Lattice, np.ndarray, np.ndarray]


@pytest.fixture(scope="module")
def organ() -> Organ:
    """Return the patch with its defaults."""
    return lung_patch()


@pytest.fixture(scope="module")
def fine(organ: Organ) -> Sampled:
    """Return a 5 um lattice over the patch, what is inside, and the region numbers."""
    lattice = Lattice.covering(organ.lower, organ.upper, 0.005)
    return lattice, organ.inside(lattice), organ.region_at(lattice, np.zeros(0))


@pytest.fixture(scope="module", params=[0.02, 0.04])
def voxels(request: pytest.FixtureRequest, organ: Organ) -> Voxels:
    """Return the patch in voxels of 20 and 40 um."""
    return voxelize(organ, make_atlas(organ), request.param)


def sections(fine: Sampled) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return (inside, region) of the layers below where the first duct leaves the bronchiole."""
    return [(fine[1][k], fine[2][k]) for k in (10, 25, 40)]


def pieces(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return face-connected components of a mask and their sizes, the largest first."""
    ndimage = pytest.importorskip("scipy.ndimage")
    label, _ = ndimage.label(mask)
    return label, np.sort(np.bincount(label.ravel())[1:])[::-1]


def test_volume_is_the_same_at_every_voxel_size(voxels: Voxels, organ: Organ) -> None:
    """Claim: 20 and 40 um voxels hold the tissue of the drawing within 1 %."""
    volume = voxels.fraction.sum() * voxels.lattice.spacing**3 / 1000
    assert volume == pytest.approx(float(str(organ.report["reference_volume_ml"])), rel=0.01)


def test_a_third_is_tissue_and_the_rest_air_and_blood(fine: Sampled) -> None:
    """Claim: septa 17-27 % of the cube, cuff 5-12 %, airway wall 1-4 %, vessel walls 0.5-2 %; air most of it."""
    _, inside, region = fine
    share = [float((inside & (region == number)).mean()) for number in range(len(REGIONS))]
    assert 0.17 < share[SEPTUM] < 0.27
    assert 0.05 < share[CUFF] < 0.12
    assert 0.01 < share[AIRWAY_WALL] < 0.04
    assert 0.005 < share[VESSEL_WALL] < 0.02
    assert 0.25 < inside.mean() < 0.4


def test_alveoli_have_the_number_and_size_of_real_ones(fine: Sampled) -> None:
    """Claim: 170 alveoli per mm^3 within 15 % in the cube; closed ones hold 2-4.2 nL (median)."""
    centers = alveoli(1.0, 1)
    assert np.all((centers > 0) & (centers < 1), axis=1).sum() == pytest.approx(170, rel=0.15)
    assert pytest.approx(170, rel=0.1) == 1 / CELL_VOLUME
    label, _ = pieces(~fine[1])
    closed = set(np.unique(label)) - set(
        np.unique(np.concatenate([np.unique(label.take(end, axis)) for axis in range(3) for end in (0, -1)]))
    )
    size = np.bincount(label.ravel())[sorted(closed - {0})] * 0.005**3
    whole = size[size > 1e-3]
    assert len(whole) > 5
    assert 0.002 < np.median(whole) < 0.0042


def test_septa_are_as_thick_as_stated() -> None:
    """Claim: half the thickness, away from free edges, is half the tissue of the septa within 15 %."""
    share = []
    for septum in (0.01, 0.02):
        patch = lung_patch(0.7, septum=septum)
        lattice = Lattice.covering(patch.lower, patch.upper, 0.005)
        region, inside = patch.region_at(lattice, np.zeros(0)), patch.inside(lattice)
        far = distance_to_segments(ducts(0.7, 1), lattice, 0.3) > 0.2
        share.append(float((inside & far & (region == SEPTUM)).sum() / (far & (region == SEPTUM)).sum()))
    assert share[0] / share[1] == pytest.approx(0.5, rel=0.15)


def test_tissue_is_one_piece(voxels: Voxels) -> None:
    """Claim: in voxels, septa, cuffs and walls hang together: 99.5 % of the tissue in one piece."""
    _, sizes = pieces(voxels.fraction > 1e-3)
    assert sizes[0] > 0.995 * sizes.sum()


def test_air_reaches_alveoli_from_the_bronchiole(fine: Sampled) -> None:
    """Claim: more than 60 % of the air is open to the bronchiole inside the cube; blood is not."""
    lattice, inside, region = fine
    label, sizes = pieces(~inside)
    lumen = label[10, int(0.27 / lattice.spacing) + 3, int(0.29 / lattice.spacing)]
    assert lumen > 0
    assert np.count_nonzero(label == lumen) > 0.6 * sizes.sum()
    wall = inside & (region == VESSEL_WALL)
    center = np.argwhere(wall[10, :, 80:])
    artery = label[10, int(center[:, 0].mean()), 80 + int(center[:, 1].mean())]
    assert artery != lumen


def test_artery_and_bronchiole_share_a_cuff(fine: Sampled) -> None:
    """Claim: below the first duct each section has one cuff around both, walls within it, lumens of their size."""
    for inside, region in sections(fine):
        label, _ = pieces(inside & (region != SEPTUM))
        bundle = label[:120, :140]
        assert len(np.unique(bundle)) == 2  # nothing and one bundle
        lumen, count = pieces(~(inside & (region != SEPTUM)))
        assert len(count) == 4  # the outside, two lumens of the bundle, the venule's
        assert count[1] * 0.005**2 == pytest.approx(np.pi * BRONCHIOLE**2, rel=0.1)
        assert count[2] * 0.005**2 == pytest.approx(np.pi * ARTERY**2, rel=0.1)
        assert lumen.max() == 4


def test_walls_do_not_touch_septa(fine: Sampled) -> None:
    """Claim: between a wall and the septa there is always cuff: no two neighboring cells of both."""
    _, inside, region = fine
    septum = inside & (region == SEPTUM)
    wall = inside & ((region == AIRWAY_WALL) | (region == VESSEL_WALL))
    away = distance_to_segments(ducts(1.0, 1), fine[0], 0.3) > DUCT_RADIUS + 0.02
    for axis in range(3):
        ahead = np.roll(septum, 1, axis) & wall & away
        behind = np.roll(septum, -1, axis) & wall & away
        inner = tuple(slice(1, -1) for _ in range(3))
        assert not ahead[inner].any()
        assert not behind[inner].any()


def test_exchange_is_that_of_the_tissue_in_a_cell(organ: Organ, voxels: Voxels) -> None:
    """Claim: 1 in cells with septa alone, however little they hold; between the regions' values elsewhere."""
    assert organ.exchange is not None
    exchange = organ.exchange(voxels.lattice)
    held = voxels.fraction > 0.05
    assert exchange.min() >= 0
    assert exchange.max() <= 1 + 1e-12
    septal = held & (voxels.region == SEPTUM)
    assert np.median(exchange[septal]) == 1
    assert exchange[held & (voxels.region == CUFF)].mean() < 0.35
    deep = held & (voxels.region == CUFF) & (voxels.fraction > 0.999)
    assert exchange[deep].min() <= EXCHANGE[CUFF] + 1e-12


def test_disease_thickens_septa_and_cuffs(fine: Sampled) -> None:
    """Claim: septa of 40 um and a cuff of 100 um give more of both than the defaults, in the same places."""
    ill = lung_patch(septum=0.04, cuff_width=0.1)
    inside, region = ill.inside(fine[0]), ill.region_at(fine[0], np.zeros(0))
    for number, least in ((SEPTUM, 1.4), (CUFF, 1.6)):
        before = np.count_nonzero(fine[1] & (fine[2] == number))
        assert np.count_nonzero(inside & (region == number)) > least * before
    assert np.count_nonzero(fine[1] & ~inside) < 1e-3 * np.count_nonzero(fine[1])


@pytest.mark.parametrize("size", [0.7, 1.2])
def test_other_sizes_fill_their_cube(size: float) -> None:
    """Claim: 0.7 and 1.2 mm cubes hold all regions and tissue up to every face, none beyond."""
    patch = lung_patch(size)
    lattice = Lattice.covering(patch.lower, patch.upper, 0.01).padded(3)
    inside = patch.inside(lattice)
    where = np.argwhere(inside)
    assert where.min(axis=0).tolist() == [3, 3, 3]
    assert where.max(axis=0).tolist() == [size_ - 4 for size_ in lattice.shape]
    assert set(np.unique(patch.region_at(lattice, np.zeros(0))[inside])) == set(range(len(REGIONS)))
    assert 0.2 < inside.sum() * 0.01**3 / size**3 < 0.5


def test_same_seed_same_patch() -> None:
    """Claim: drawing twice gives the same cells, another seed other alveoli."""
    lattice = Lattice.covering((0.0, 0.0, 0.0), (0.7, 0.7, 0.7), 0.02)
    first, again, other = (lung_patch(0.7, seed=seed).inside(lattice) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert np.mean(again != other) > 0.1


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: lung_patch(0.5), "size"),
        (lambda: lung_patch(float("nan")), "size"),
        (lambda: lung_patch(septum=0.001), "septum"),
        (lambda: lung_patch(cuff_width=1.0), "cuff_width"),
    ],
)
def test_refuses_sizes_that_cannot_be(make: Callable[[], Organ], name: str) -> None:
    """Claim: a size out of range is refused with its name, value and range in one sentence."""
    with pytest.raises(InputError, match=name):
        make()
