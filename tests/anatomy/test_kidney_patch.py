"""A cube of renal cortex: numbers of the textbook, open lumens, the same at every voxel size."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from tissuesim.anatomy.kidney_patch import CAPSULE, GLOMERULI, REGIONS, glomerulus_centers, kidney_patch
from tissuesim.anatomy.organ import Organ, make_atlas
from tissuesim.anatomy.voxelize import Voxels, voxelize
from tissuesim.errors import InputError
from tissuesim.tissue import build_graph

SIZE = 0.6


@cache
def patch(seed: int = 1) -> Organ:
    """The patch of the tests, drawn once."""
    return kidney_patch(SIZE, seed=seed)


@cache
def voxels(spacing: float, seed: int = 1) -> Voxels:
    """Its voxels of a size."""
    organ = patch(seed)
    return voxelize(organ, make_atlas(organ), spacing)


def shares(spacing: float) -> dict[str, float]:
    """Share of each region in the tissue."""
    found = voxels(spacing)
    total = found.fraction.sum()
    return {name: float(found.fraction[found.region == k].sum() / total) for k, name in enumerate(REGIONS)}


def test_density_of_glomeruli() -> None:
    """9.5 glomeruli per mm^3 (1e6 in 105 mL), those that lie in the cube in part counted with the rim."""
    assert pytest.approx(9.5, abs=0.05) == GLOMERULI
    centers = glomerulus_centers(1.0, 1)
    assert len(centers) == round(GLOMERULI * (1.0 + 2 * CAPSULE) ** 3)
    apart = np.linalg.norm(centers[:, None] - centers, axis=2) + np.eye(len(centers))
    assert apart.min() > 2 * CAPSULE


def test_shares_of_regions() -> None:
    """Tubules fill most of the cortex, proximal ones more than distal; interstitium and tufts have their part."""
    share = shares(0.01)
    assert 0.55 < share["proximal_tubule"] + share["distal_tubule"] < 0.78
    assert share["proximal_tubule"] > 2 * share["distal_tubule"] > 0.1
    assert 0.15 < share["interstitium"] < 0.38
    assert 0.01 < share["glomerulus"] < 0.06
    assert 0.005 < share["vessel_wall"] < 0.04


def test_tubules_are_40_to_70_um_wide() -> None:
    """Across their middle lines: the width of a packed tubule with its lumen, by volume over length, is near 55 um."""
    from tissuesim.anatomy.kidney_patch import APART

    length = np.sqrt(2.0) / APART**2  # mm per mm^3 if all places of the packing are used
    tissue = shares(0.01)
    filled = (tissue["proximal_tubule"] + tissue["distal_tubule"]) * 0.87 + 0.1  # with lumens, of the cube
    assert 0.040 < np.sqrt(4 * filled / (np.pi * length)) < 0.070


@pytest.mark.parametrize("spacing", [0.01, 0.02, 0.025])
def test_volume_does_not_depend_on_the_voxels(spacing: float) -> None:
    """Voxels of 10 to 25 um hold the tissue of the drawing within 1 %."""
    volume = voxels(spacing).fraction.sum() * spacing**3
    assert volume == pytest.approx(1000 * float(str(patch().report["reference_volume_ml"])), rel=0.01)


def test_lumens_are_left_out() -> None:
    """The middle of the artery is no tissue, its wall is; about a tenth of the cube is lumen."""
    found = voxels(0.01)
    middle = found.fraction[:, round(0.5 * SIZE / 0.01), round(0.56 * SIZE / 0.01)]
    assert middle.max() == 0.0
    assert 0.05 < 1 - found.fraction.mean() < 0.25


def test_tissue_hangs_together() -> None:
    """Tufts hang on their stalk and tubules on the interstitium: no loose tissue at 10 um."""
    found = voxels(0.01)
    tissue = build_graph("patch", found.fraction, found.region, 0.01, region_names=REGIONS)
    assert float(str(tissue.report["loose_volume_ml"])) < 1e-3 * float(str(tissue.report["volume_ml"]))


def test_same_seed_same_patch() -> None:
    """A seed decides everything; another seed makes another patch of the same make."""
    again = kidney_patch(SIZE, seed=1)
    lattice = voxels(0.02).lattice
    assert np.array_equal(again.inside(lattice), patch().inside(lattice))
    other = patch(2)
    assert not np.array_equal(other.inside(lattice), patch().inside(lattice))
    volumes = [float(str(organ.report["reference_volume_ml"])) for organ in (other, patch())]
    assert volumes[0] == pytest.approx(volumes[1], rel=0.05)


def test_exchange_is_where_capillaries_are() -> None:
    """Interstitium and tufts exchange with blood; tubules and the walls of large vessels do not."""
    organ, found = patch(), voxels(0.01)
    assert organ.exchange is not None
    surface = organ.exchange(found.lattice)
    means = [surface[(found.region == k) & (found.fraction > 0.9)].mean() for k in range(len(REGIONS))]
    assert means[0] > 0.8 and means[3] > 0.9 and max(means[1], means[2], means[4]) < 0.25
    assert surface.min() >= 0.0 and surface.max() <= 1.0
    assert surface[found.fraction == 0].max() == 0.0


def test_a_point_is_the_same_from_every_lattice() -> None:
    """Nested lattices agree where they share a center."""
    coarse = voxels(0.03).lattice
    fine = coarse.refined(3)
    assert np.array_equal(patch().inside(fine)[1::3, 1::3, 1::3], patch().inside(coarse))
    nothing = np.zeros(0)
    assert np.array_equal(
        patch().region_at(fine, nothing)[1::3, 1::3, 1::3], patch().region_at(coarse, nothing)
    )


@pytest.mark.parametrize("arguments", [{"size": 5.0}, {"size": 0.1}, {"glomeruli_per_mm3": 90.0}])
def test_sizes_that_cannot_be(arguments: dict[str, float]) -> None:
    """A patch that is no patch is refused with its limits."""
    with pytest.raises(InputError, match="must be from"):
        kidney_patch(**arguments)
