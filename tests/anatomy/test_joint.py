"""The built-in knee joint against anatomy's numbers."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from tissuesim.anatomy.joint import REGIONS, joint
from tissuesim.anatomy.lattice import Lattice
from tissuesim.anatomy.organ import Organ, make_atlas
from tissuesim.anatomy.voxelize import Voxels, voxelize
from tissuesim.errors import InputError
from tissuesim.tissue import build_graph

REAL = Path(__file__).parents[3] / "shared" / "anatomy" / "expected.json"


@cache
def arthritic() -> Organ:
    """Return the default knee."""
    return joint()


@cache
def healthy() -> Organ:
    """Return a knee in health."""
    return joint(thickness=0.3, fluid_ml=2.0)


def volumes(organ: Organ, spacing: float = 0.5) -> dict[str, float]:
    """Return the volume of each region (mL), by the region at points ``spacing`` mm apart."""
    lattice = Lattice.covering(organ.lower, organ.upper, spacing)
    count: np.ndarray = np.zeros(len(organ.region_names))
    for _, slab in lattice.slabs():
        region = organ.region_at(slab, np.zeros(slab.shape))[organ.inside(slab)]
        count += np.bincount(region, minlength=len(count))
    return dict(zip(organ.region_names, count * spacing**3 / 1000, strict=True))


@cache
def voxels(spacing: float) -> Voxels:
    """Return the default knee in voxels."""
    return voxelize(arthritic(), make_atlas(arthritic()), spacing)


def test_volumes_of_an_arthritic_knee() -> None:
    """Claim: synovium 20-60 mL, cartilage 20-25 mL, menisci 5-8 mL, fat pad 20-30 mL, and 10 mL of fluid within 5 %."""
    volume = volumes(arthritic())
    assert volume["fluid"] == pytest.approx(10.0, rel=0.05)
    assert 20 < volume["sublining"] + volume["lining"] < 60
    assert 20 < volume["cartilage"] < 25
    assert 5 < volume["meniscus"] < 8
    assert 20 < volume["fat_pad"] < 30
    assert 2 < volume["ligament"] < 6


def test_volumes_of_a_healthy_knee() -> None:
    """Claim: synovium 5-10 mL, and its lining a fifth of that within a tenth; 2 mL of fluid within 20 %."""
    volume = volumes(healthy())
    synovium = volume["sublining"] + volume["lining"]
    assert 5 < synovium < 10
    assert volume["lining"] / synovium == pytest.approx(0.2, abs=0.05)
    assert volume["fluid"] == pytest.approx(2.0, rel=0.2)


def test_effusion_distends_the_pouch() -> None:
    """Claim: 60 mL of fluid are 60 mL within 3 %, and most of what is added lies above the joint line's cartilage."""
    lake = joint(thickness=1.2, fluid_ml=60.0)
    assert volumes(lake)["fluid"] == pytest.approx(60.0, rel=0.03)
    lattice = Lattice.covering(lake.lower, lake.upper, 1.0)
    fluid = lake.inside(lattice) & (
        lake.region_at(lattice, np.zeros(lattice.shape)) == REGIONS.index("fluid")
    )
    height = lattice.axes()[0].ravel()
    assert fluid[height > 25].sum() > 0.4 * fluid.sum()


def test_synovial_area_is_280_square_centimeters() -> None:
    """Claim: in health the synovium has 280 cm^2 within 10 %, folds and villi not counted."""
    assert float(str(healthy().report["synovial_area_cm2"])) == pytest.approx(280, rel=0.10)


@pytest.mark.parametrize("spacing", [1.0, 2.0])
def test_volume_does_not_depend_on_the_voxel(spacing: float) -> None:
    """Claim: voxels of 1 and 2 mm hold the volume of the shape within 1 %."""
    volume = voxels(spacing).fraction.sum() * spacing**3 / 1000
    assert volume == pytest.approx(float(str(arthritic().report["reference_volume_ml"])), rel=0.01)


def test_region_volumes_in_millimeter_voxels() -> None:
    """Claim: at 1 mm cartilage, fluid and synovium (lining with sublining) keep their volume within 15 %."""
    exact, sampled = volumes(arthritic()), voxels(1.0)
    for names in (("cartilage",), ("fluid",), ("sublining", "lining")):
        numbers = [REGIONS.index(name) for name in names]
        found = sampled.fraction[np.isin(sampled.region, numbers)].sum() / 1000
        assert found == pytest.approx(sum(exact[name] for name in names), rel=0.15)


def test_one_piece() -> None:
    """Claim: what is connected by fluid, synovium and cartilage holds at least 99.5 % of the joint."""
    sampled = voxels(1.0)
    tissue = build_graph("knee", sampled.fraction, sampled.region, 1.0, region_names=REGIONS)
    assert float(str(tissue.report["loose_volume_ml"])) < 0.005 * tissue.volume.sum() / 1000


def test_synovium_separates_fluid_from_the_outside() -> None:
    """Claim: no fluid at the outer surface: every point of fluid has tissue or bone on all sides."""
    organ, whole = arthritic(), joint(bone=True)
    lattice = Lattice.covering(whole.lower, whole.upper, 0.5)
    kept = whole.inside(lattice)
    fluid = organ.inside(lattice) & (
        organ.region_at(lattice, np.zeros(lattice.shape)) == REGIONS.index("fluid")
    )
    for axis in range(3):
        for step in (-1, 1):
            assert not (fluid & ~np.roll(kept, step, axis)).any()


def test_bone_is_a_region_only_if_wanted() -> None:
    """Claim: with bone the soft tissue stays the same, and femur, tibia and patella add 250 to 350 mL."""
    bare, whole = volumes(arthritic(), 1.0), volumes(joint(bone=True), 1.0)
    assert "bone" not in bare
    assert 250 < whole["bone"] < 350
    for name in REGIONS:
        assert whole[name] == pytest.approx(bare[name], rel=0.03)


def test_right_knee_is_the_mirror_image_to_the_bit() -> None:
    """Claim: the right knee in a mirror is the left one, region by region, point by point."""
    left, right = arthritic(), joint(side="right")
    lattice = Lattice(1.0, (-50.0, -48.0, -50.0), (130, 110, 100))
    depth = np.zeros(lattice.shape)
    assert np.array_equal(left.inside(lattice)[:, :, ::-1], right.inside(lattice))
    assert np.array_equal(left.region_at(lattice, depth)[:, :, ::-1], right.region_at(lattice, depth))
    assert left.vessel_roots[0][0][0] == -right.vessel_roots[0][0][0]


def test_scale_multiplies_lengths() -> None:
    """Claim: a subject 1.1 times as large has 1.331 times the volume, and the same regions at scaled points."""
    large, usual = joint(scale=1.1), arthritic()
    ratio = float(str(large.report["reference_volume_ml"])) / float(str(usual.report["reference_volume_ml"]))
    assert ratio == pytest.approx(1.331)
    lattice = Lattice(1.0, (-40.0, -40.0, -40.0), (80, 80, 80))
    enlarged = Lattice(1.1, (-44.0, -44.0, -44.0), (80, 80, 80))
    assert (large.inside(enlarged) == usual.inside(lattice)).mean() > 0.9999


@pytest.mark.parametrize(
    "sizes",
    [{"thickness": 0.0}, {"thickness": float("nan")}, {"fluid_ml": 100.0}, {"side": "both"}, {"scale": -1.0}],
)
def test_impossible_knees_are_refused(sizes: dict[str, float]) -> None:
    """Claim: sizes that make no knee are an InputError that names them."""
    with pytest.raises(InputError, match="joint"):
        joint(**sizes)  # type: ignore[arg-type]


@pytest.mark.skipif(not REAL.is_file(), reason="real knees are not here")
def test_sizes_are_those_of_a_real_knee() -> None:
    """Claim: cartilage and menisci differ from a real woman's knee by less than a third, as men differ from women."""
    real = json.loads(REAL.read_text())["knee/VH_F_Knee_L_joint_labels_1mm.nii.gz"]["label_volumes_mL"]
    volume = volumes(arthritic())
    assert volume["cartilage"] == pytest.approx(real["5"], rel=0.33)
    assert volume["meniscus"] == pytest.approx(real["7"], rel=0.33)
