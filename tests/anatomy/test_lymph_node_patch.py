"""A cube of lymph node: layers in their order, a follicle of textbook width, venules where lymphocytes enter."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from tissuesim.anatomy.lymph_node_patch import (
    EXCHANGE,
    FOLLICLE_WIDTH,
    REGIONS,
    follicle_centers,
    lymph_node_patch,
)
from tissuesim.anatomy.organ import Organ, make_atlas
from tissuesim.anatomy.voxelize import Voxels, voxelize
from tissuesim.errors import InputError
from tissuesim.tissue import build_graph


@cache
def patch(seed: int = 1) -> Organ:
    """The patch of the tests, drawn once."""
    return lymph_node_patch(seed=seed)


@cache
def voxels(spacing: float) -> Voxels:
    """Its voxels of a size."""
    return voxelize(patch(), make_atlas(patch()), spacing)


def shares(spacing: float) -> dict[str, float]:
    """Share of each region in the tissue."""
    found = voxels(spacing)
    total = found.fraction.sum()
    return {name: float(found.fraction[found.region == k].sum() / total) for k, name in enumerate(REGIONS)}


def layers(found: Voxels, name: str) -> np.ndarray:
    """Depths (mm) below the surface of the voxels of a region."""
    z = np.nonzero(found.region == REGIONS.index(name))[0]
    return np.asarray(1.0 - (z + 0.5) * found.lattice.spacing)


def test_layers_lie_in_order() -> None:
    """Capsule above sinus above follicles above T zone above cords, as the lymph meets them."""
    found = voxels(0.02)
    middle = [np.median(layers(found, name)) for name in ("follicle", "t_zone", "medullary_cord")]
    assert middle == sorted(middle)
    assert set(np.unique(found.region[-1])) == {REGIONS.index("capsule")}
    top_sinus = found.region[round((1.0 - 0.04) / 0.02)]
    assert (top_sinus == REGIONS.index("sinus")).mean() > 0.9
    assert layers(found, "medullary_cord").min() > 0.65


def test_shares_of_regions() -> None:
    """Every region is there with its part of the cube."""
    share = shares(0.02)
    bands = {
        "t_zone": (0.4, 0.7),
        "follicle": (0.05, 0.15),
        "germinal_centre": (0.01, 0.05),
        "sinus": (0.1, 0.25),
        "medullary_cord": (0.05, 0.2),
        "venule_wall": (0.004, 0.03),
        "capsule": (0.02, 0.06),
    }
    assert set(bands) == set(REGIONS)
    for name, (low, high) in bands.items():
        assert low < share[name] < high, (name, share[name])


def test_follicle_is_as_wide_as_in_the_book() -> None:
    """The middle follicle is 0.3-0.5 mm wide and its germinal center lies within it."""
    found = voxels(0.01)
    center = follicle_centers(1.0)[np.argmin(np.linalg.norm(follicle_centers(1.0)[:, :2] - 0.5, axis=1))]
    row = found.region[round(center[2] / 0.01), round(center[1] / 0.01)]
    inside = np.isin(row, (REGIONS.index("follicle"), REGIONS.index("germinal_centre")))
    run = inside[20:80]
    assert 0.3 < run.sum() * 0.01 < 0.5
    assert pytest.approx(FOLLICLE_WIDTH, abs=0.04) == run.sum() * 0.01
    core = found.region == REGIONS.index("germinal_centre")
    for axis in range(3):
        here, there = (np.moveaxis(part, axis, 0) for part in (core, found.region))
        beside = np.concatenate([there[1:][here[:-1]], there[:-1][here[1:]]])
        names = {REGIONS[k] for k in np.unique(beside)}
        assert names == {"follicle", "germinal_centre"}


@pytest.mark.parametrize("spacing", [0.01, 0.02, 0.025])
def test_volume_does_not_depend_on_the_voxels(spacing: float) -> None:
    """Voxels of 10 to 25 um hold the tissue of the drawing within 1 %."""
    volume = voxels(spacing).fraction.sum() * spacing**3
    assert volume == pytest.approx(1000 * float(str(patch().report["reference_volume_ml"])), rel=0.01)


def test_sinuses_hang_together() -> None:
    """Lymph gets from the subcapsular to the medullary sinus along the trabeculae."""
    found = voxels(0.01)
    sinus = np.where(found.region == REGIONS.index("sinus"), found.fraction, 0.0)
    tissue = build_graph("lymph", sinus, np.zeros(sinus.shape, np.uint8), 0.01)
    assert float(str(tissue.report["loose_volume_ml"])) < 0.02 * float(str(tissue.report["volume_ml"]))


def test_venules_are_where_lymphocytes_enter() -> None:
    """The exchange surface of venule walls is far above that of every other region; blood is left out."""
    organ, found = patch(), voxels(0.01)
    assert organ.exchange is not None
    surface = organ.exchange(found.lattice)
    means = [surface[(found.region == k) & (found.fraction > 0.9)].mean() for k in range(len(REGIONS))]
    venule = REGIONS.index("venule_wall")
    assert means[venule] > 5 * max(value for k, value in enumerate(means) if k != venule)
    assert max(EXCHANGE) == EXCHANGE[venule]
    assert found.fraction.min() == 0.0 and found.fraction.mean() > 0.99


def test_same_seed_same_patch() -> None:
    """A seed decides everything; another seed moves venules and cords, not the follicles."""
    lattice = voxels(0.025).lattice
    nothing = np.zeros(0)
    first = patch().region_at(lattice, nothing)
    assert np.array_equal(lymph_node_patch(seed=1).region_at(lattice, nothing), first)
    other = patch(2).region_at(lattice, nothing)
    assert not np.array_equal(other, first)
    core = REGIONS.index("germinal_centre")
    assert np.mean((other == core) != (first == core)) < 0.01


@pytest.mark.parametrize(("size", "follicles"), [(0.5, 1), (2.0, 8)])
def test_sizes(size: float, follicles: int) -> None:
    """A small patch shows a follicle, a large one many; a medulla only where it is deep enough."""
    organ = lymph_node_patch(size)
    assert len(follicle_centers(size)) >= follicles
    found = voxelize(organ, make_atlas(organ), 0.05)
    assert (found.region == REGIONS.index("medullary_cord")).any() == (size > 0.75)
    assert (found.region == REGIONS.index("follicle")).any()


@pytest.mark.parametrize("arguments", [{"size": 5.0}, {"size": 0.1}, {"follicle_width": 1.0}])
def test_sizes_that_cannot_be(arguments: dict[str, float]) -> None:
    """A patch that is no patch is refused with its limits."""
    with pytest.raises(InputError, match="must be from"):
        lymph_node_patch(**arguments)
