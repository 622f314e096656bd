"""The built-in lungs against anatomy's numbers, at any voxel size."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tissuesim.anatomy.implicit import negative_where
from tissuesim.anatomy.lattice import Lattice
from tissuesim.anatomy.lung_shape import SLOPE, above_horizontal, above_oblique, lobe, outline
from tissuesim.anatomy.lungs import (
    GENERATIONS,
    LOWER,
    PLEURA,
    REGIONS,
    SHEATH,
    UPPER,
    airway_tree,
    lungs,
    sheath_of,
)
from tissuesim.anatomy.organ import Organ, make_atlas
from tissuesim.anatomy.tree import in_segments
from tissuesim.anatomy.voxelize import Voxels, voxelize
from tissuesim.errors import InputError

FOLDER = Path(os.environ.get("TISSUESIM_ANATOMY", Path(__file__).parents[3] / "shared" / "anatomy"))
REAL = FOLDER / "expected.json"
# Lobe shares by volume, from CT of healthy adults
TEXTBOOK = {0: (0.18, 0.22), 1: (0.08, 0.12), 2: (0.22, 0.27), 3: (0.20, 0.25), 4: (0.20, 0.25)}


@pytest.fixture(scope="module")
def organ() -> Organ:
    """Return the lungs with their defaults."""
    return lungs()


@pytest.fixture(scope="module")
def fine(organ: Organ) -> tuple[Lattice, np.ndarray, np.ndarray]:
    """Return a 1 mm lattice over the lungs, what is inside, and the region numbers."""
    lattice = Lattice.covering(organ.lower, organ.upper, 1.0)
    return lattice, organ.inside(lattice), organ.region_at(lattice, np.zeros(()))


@pytest.fixture(scope="module", params=[2.0, 4.0])
def voxels(request: pytest.FixtureRequest, organ: Organ) -> Voxels:
    """Return the lungs in voxels of 2 and 4 mm."""
    return voxelize(organ, make_atlas(organ), request.param)


def lobe_shares(lattice: Lattice, inside: np.ndarray) -> np.ndarray:
    """Return the share of the volume in each lobe, pleura and sheaths included."""
    z, y, x = lattice.axes()
    count = np.bincount(lobe(x, y, z)[inside], minlength=5)
    return np.asarray(count / count.sum())


def pieces(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return face-connected components of a mask and their sizes, largest first."""
    ndimage = pytest.importorskip("scipy.ndimage")
    label, _ = ndimage.label(mask)
    return label, np.sort(np.bincount(label.ravel())[1:])[::-1]


def test_volume_is_that_of_lungs_after_a_deep_breath(voxels: Voxels, organ: Organ) -> None:
    """Claim: whole lungs of an adult hold 5 to 6 L; 5.5 L within 10 %, tightly enough to stay in the range.

    Any voxel size has the volume of the formula within 0.5 %.
    """
    volume = voxels.fraction.sum() * voxels.lattice.spacing**3 / 1000
    assert 5000 < volume < 6000
    assert volume == pytest.approx(float(str(organ.report["reference_volume_ml"])), rel=0.005)


def test_every_region_is_there_at_every_voxel_size(voxels: Voxels) -> None:
    """Claim: lobes without their pleura 6-22 % each, pleura 8-17 %, sheaths 0.8-2.5 %."""
    volume = np.bincount(voxels.region.ravel(), weights=voxels.fraction.ravel(), minlength=len(REGIONS))
    share = volume / volume.sum()
    assert share[:5].min() > 0.06
    assert share[:5].max() < 0.22
    assert 0.08 < share[PLEURA] < 0.17
    assert 0.008 < share[SHEATH] < 0.025


def test_lobes_have_textbook_shares(fine: tuple[Lattice, np.ndarray, np.ndarray]) -> None:
    """Claim: each lobe's share lies in the textbook band; the right lung is 52-56 % of both."""
    share = lobe_shares(fine[0], fine[1])
    for number, (least, most) in TEXTBOOK.items():
        assert least < share[number] < most
    assert 0.52 < share[:3].sum() < 0.56


def test_lobes_are_like_those_of_the_visible_human(fine: tuple[Lattice, np.ndarray, np.ndarray]) -> None:
    """Claim: against one real man (3.7 L, after death) each lobe's share differs by less than 6 points.

    Scaled by 0.86, to the air of a quiet breath, the volume differs by less than 10 %.
    """
    if not REAL.exists():
        pytest.skip("the measured lungs are not here")
    volumes = json.loads(REAL.read_text())["lung/VH_M_lung_labels_1mm.nii.gz"]["label_volumes_mL"]
    real = np.array([volumes[str(number)] for number in (3, 4, 5, 1, 2)])
    assert np.abs(lobe_shares(fine[0], fine[1]) - real / real.sum()).max() < 0.06
    assert np.count_nonzero(fine[1]) * 0.86**3 / 1000 == pytest.approx(real.sum(), rel=0.1)


def test_outer_dimensions(fine: tuple[Lattice, np.ndarray, np.ndarray]) -> None:
    """Claim: 289 mm wide, 201 deep, 258 high to 5 mm; nothing lies beyond the box."""
    where = np.argwhere(fine[1])
    extent = np.ptp(where, axis=0) + 1
    assert extent == pytest.approx([258, 201, 289], abs=5)
    beyond = lungs().inside(fine[0].padded(4))
    assert np.count_nonzero(beyond) == len(where)


def test_two_lungs_that_do_not_touch(fine: tuple[Lattice, np.ndarray, np.ndarray]) -> None:
    """Claim: two connected pieces, one on each side, the right one larger, and no loose crumbs above 0.1 mL."""
    lattice, inside, _ = fine
    _, sizes = pieces(inside)
    assert sizes[1] > 0.4 * inside.sum()
    assert sizes[2:].sum() <= 100
    x = lattice.axes()[2].ravel()
    assert not inside[:, :, np.abs(x) < 3].any()
    right = np.count_nonzero(inside[:, :, x > 0])
    assert right > np.count_nonzero(inside) / 2


def test_airway_lumen_is_open_to_the_outside(
    organ: Organ, fine: tuple[Lattice, np.ndarray, np.ndarray]
) -> None:
    """Claim: what the airways take from the outline, 10-30 mL, is connected to the hila, not a bubble."""
    lattice, inside, _ = fine
    full = negative_where(outline, lattice, SLOPE)
    lumen = full & ~inside
    assert 10_000 < np.count_nonzero(lumen) < 30_000
    assert not (inside & in_segments(airway_tree(1), lattice)).any()
    label, _ = pieces(~inside)
    outside = label[0, 0, 0]
    assert np.count_nonzero(lumen & (label != outside)) < 0.01 * np.count_nonzero(lumen)


def test_airways_have_weibels_diameters() -> None:
    """Claim: trachea to generation 6 within 35 % of 18, 12.2, 8.3, 5.6, 4.5, 3.5, 2.8 mm, always thinner."""
    tree = airway_tree(1)
    assert tree.generation.max() == GENERATIONS
    mean = [2 * tree.radius[tree.generation == number].mean() for number in range(GENERATIONS + 1)]
    assert mean == pytest.approx([18, 12.2, 8.3, 5.6, 4.5, 3.5, 2.8], rel=0.35)
    assert (np.diff(mean) < 0).all()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_airways_stay_in_their_lobes(seed: int) -> None:
    """Claim: at every seed, branches beyond the lobar ones end in the lungs; all tips but few in their own lobe."""
    tree = airway_tree(seed)
    x, y, z = tree.end[tree.generation > 3].T
    assert outline(x, y, z).max() < 0
    tips = tree.end[tree.terminal()].T
    assert np.bincount(lobe(*tips), minlength=5) == pytest.approx([16, 8, 8, 16, 16], abs=1)


def test_sheaths_surround_airways(fine: tuple[Lattice, np.ndarray, np.ndarray]) -> None:
    """Claim: tissue next to an airway is sheath; sheaths lie within their stated distance of airways."""
    lattice, inside, region = fine
    tree = airway_tree(1)
    assert (region[inside & in_segments(tree, lattice, 0.9)] == SHEATH).all()
    assert in_segments(sheath_of(tree), lattice)[inside & (region == SHEATH)].all()


def test_pleura_lines_surface_and_fissures(fine: tuple[Lattice, np.ndarray, np.ndarray]) -> None:
    """Claim: cells 0.5 mm from a fissure or with an outside neighbor are pleura or sheath; deep cells are not."""
    lattice, inside, region = fine
    z, y, x = lattice.axes()
    lining = (region == PLEURA) | (region == SHEATH)
    assert lining[inside & (np.abs(above_oblique(x, y, z)) < 0.5)].all()
    right_upper = inside & (x > 0) & (above_oblique(x, y, z) > 0)
    assert lining[right_upper & (np.abs(above_horizontal(y, z)) < 0.5)].all()
    surface = inside & ~negative_where(lambda x, y, z: outline(x, y, z, inset=0.5), lattice, SLOPE)
    assert np.count_nonzero(surface) > 50_000
    assert lining[surface].all()


def test_heart_and_diaphragm_shape_the_lungs(fine: tuple[Lattice, np.ndarray, np.ndarray]) -> None:
    """Claim: cardiac notch on the left only, domes under both lungs, the right one higher, apices behind the front."""
    lattice, inside, _ = fine

    def column(x: float, y: float) -> np.ndarray:
        at = np.floor((np.array([x, y]) - lattice.origin[:2]) / lattice.spacing).astype(int)
        return np.flatnonzero(inside[:, at[1], at[0]]) + lattice.origin[2]

    assert column(52, 63).size - column(-52, 63).size > 50  # the notch takes more than 5 cm of height
    right, left = column(71, -28).min(), column(-71, -28).min()
    assert 2 < right - left < 15
    assert right > column(136, -28).min() + 30
    apex = np.argwhere(inside)[-1]
    assert -70 < apex[1] + lattice.origin[1] < -10


@pytest.mark.parametrize("spacing", [1.0, 3.7])
def test_blocks_give_what_the_formula_gives(spacing: float) -> None:
    """Claim: skipping blocks changes no cell, in a slab of 1 mm and in all of 3.7 mm."""
    upper = (UPPER[0], UPPER[1], 70.0) if spacing == 1 else UPPER
    lattice = Lattice.covering(LOWER, upper, spacing)
    z, y, x = lattice.axes()
    assert np.array_equal(negative_where(outline, lattice, SLOPE), outline(x, y, z) < 0)


@pytest.mark.parametrize("inset", [0.0, 2.0, 7.0])
def test_the_outline_is_no_steeper_than_stated(inset: float) -> None:
    """Claim: the slope bound on which skipping blocks rests holds on a 1.5 mm lattice, between all neighbors."""
    lattice = Lattice.covering(LOWER, UPPER, 1.5)
    z, y, x = lattice.axes()
    field = outline(x, y, z, inset)
    kept = tuple(slice(0, size - 1) for size in field.shape)
    squared = sum(np.square(np.diff(field, axis=axis)[kept]) for axis in range(3))
    assert np.sqrt(squared.max()) / 1.5 < SLOPE


def test_size_scales_everything(organ: Organ) -> None:
    """Claim: the lungs of a 0.8 scale subject are the same lungs at 0.8 times the spacing, regions included."""
    small = lungs(0.8, pleura_depth=1.6)
    one = Lattice.covering(organ.lower, organ.upper, 4.0)
    other = Lattice(3.2, tuple(0.8 * value for value in one.origin), one.shape)
    assert np.mean(small.inside(other) != organ.inside(one)) < 1e-5
    none = np.zeros(())
    assert np.mean(small.region_at(other, none) != organ.region_at(one, none)) < 1e-4
    assert small.report["reference_volume_ml"] == pytest.approx(0.512 * 5555.5)
    assert small.vessel_roots[0][0] == pytest.approx([0.8 * value for value in organ.vessel_roots[0][0]])


def test_open_fissures_part_the_lobes() -> None:
    """Claim: with a gap of 5 mm there are five lobes in five pieces, and the reference volume knows the gap."""
    opened = lungs(fissure_gap=5.0)
    lattice = Lattice.covering(opened.lower, opened.upper, 2.0)
    inside = opened.inside(lattice)
    _, sizes = pieces(inside)
    assert sizes[4] > 200_000 / 8
    assert sizes[5:].sum() * 8 < 1000
    volume = np.count_nonzero(inside) * 8 / 1000
    assert volume == pytest.approx(float(str(opened.report["reference_volume_ml"])), rel=0.01)


def test_same_seed_same_lungs(organ: Organ) -> None:
    """Claim: building twice gives the same cells; another seed other airways in the same outline."""
    lattice = Lattice.covering(organ.lower, organ.upper, 3.0)
    first, again, other = (lungs(seed=seed).inside(lattice) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    changed = first != other
    assert 0 < np.count_nonzero(changed) < 0.03 * np.count_nonzero(first)


def test_vessels_enter_at_the_hila(organ: Organ) -> None:
    """Claim: two roots, one per lung, each on the medial surface: outside, and inside a centimeter on."""
    assert len(organ.vessel_roots) == 2
    for point, direction in organ.vessel_roots:
        x, y, z = np.asarray(point)[:, None] + np.outer(direction, [0.0, 10.0])
        outside, inside = outline(x, y, z)
        assert outside > 0 > inside


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: lungs(0.0), "scale"),
        (lambda: lungs(float("nan")), "scale"),
        (lambda: lungs(pleura_depth=-1.0), "pleura_depth"),
        (lambda: lungs(fissure_gap=np.inf), "fissure_gap"),
    ],
)
def test_refuses_sizes_that_make_no_sense(make: Callable[[], Organ], name: str) -> None:
    """Claim: a size that is no length is refused with its name in one sentence."""
    with pytest.raises(InputError, match=name):
        make()
