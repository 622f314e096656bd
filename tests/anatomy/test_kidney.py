"""The built-in kidney against anatomy's numbers, at any voxel size."""

from __future__ import annotations

import numpy as np
import pytest

from tissuesim.anatomy import build_tissue
from tissuesim.errors import InputError
from tissuesim.tissue import Tissue


@pytest.fixture(scope="module", params=[1.0, 2.0, 4.0])
def kidney(request: pytest.FixtureRequest) -> Tissue:
    """Return the built-in kidney in voxels of 1, 2 and 4 mm."""
    return build_tissue("kidney", "kidney", request.param)


def test_volume_is_an_adult_kidney(kidney: Tissue) -> None:
    """Claim: 151 mL within 3 % at 1, 2 and 4 mm, and within 0.5 % of the exact shape."""
    assert kidney.volume.sum() / 1000 == pytest.approx(151, rel=0.03)
    assert abs(float(str(kidney.report["volume_error"]))) < 0.005


def test_region_shares_are_those_of_a_kidney(kidney: Tissue) -> None:
    """Claim: cortex with columns 65-75 %, medulla 20-28 %, pelvis 5-8 % of the volume."""
    assert kidney.region_names == ("cortex", "medulla", "pelvis")
    volumes = kidney.region_volumes()
    shares = {name: volume / kidney.volume.sum() for name, volume in volumes.items()}
    assert 0.65 < shares["cortex"] < 0.75
    assert 0.20 < shares["medulla"] < 0.28
    assert 0.05 < shares["pelvis"] < 0.08


def test_outer_dimensions(kidney: Tissue) -> None:
    """Claim: 110 mm long, about 60 wide and 36-45 thick, to a voxel."""
    extent = np.ptp(kidney.centers(), axis=0) + kidney.spacing
    assert extent[2] == pytest.approx(110, abs=2 * kidney.spacing)
    assert 60 - kidney.spacing <= extent[0] <= 63 + 2 * kidney.spacing
    assert 36 - kidney.spacing <= extent[1] <= 45 + kidney.spacing


def test_one_piece(kidney: Tissue) -> None:
    """Claim: the kidney is one connected piece."""
    assert kidney.report["components"] == 1
    assert kidney.report["loose_volume_ml"] == 0


def test_surface_is_cortex_except_at_the_hilum(kidney: Tissue) -> None:
    """Claim: no medulla within 5 mm (less half a voxel) of the surface; pelvis reaches it medially only."""
    depth, center = kidney.maps["depth"], kidney.centers()
    assert depth[kidney.in_regions(["medulla"])].min() > 5 - kidney.spacing / 2
    pelvis = kidney.in_regions(["pelvis"])
    assert center[pelvis & (depth < 3), 0].min() > 0
    assert center[pelvis, 0].mean() > 15


def test_depth_is_the_distance_to_the_surface(kidney: Tissue) -> None:
    """Claim: on the short axis, away from the hilum, depth is half thickness - |y| to 1 mm."""
    center, half = kidney.centers(), kidney.spacing / 2
    axis = (np.abs(center[:, 0] + 4) <= half + 1) & (np.abs(center[:, 2]) <= half)
    expected = np.maximum(18.2 - np.abs(center[axis, 1]), 0)
    assert axis.sum() >= 9
    assert np.abs(kidney.maps["depth"][axis] - expected).max() < 1.0


def test_medial_side_is_concave(kidney: Tissue) -> None:
    """Claim: seen from the front the medial border is hollow, as in a bean: middle behind both poles."""
    center = kidney.centers()
    reach = {z: center[np.abs(center[:, 2] - z) < 4, 0].max() for z in (-36, 0, 36)}
    assert reach[0] < min(reach[-36], reach[36]) - 2


def test_same_call_same_tissue() -> None:
    """Claim: building twice gives one digest; another seed another one, but the same geometry."""
    first, again, other = (build_tissue("kidney", "kidney", 4.0, seed=seed) for seed in (1, 1, 2))
    assert first.digest() == again.digest() != other.digest()
    assert np.array_equal(first.volume, other.volume)
    assert not np.array_equal(first.maps["vascular_density"], other.maps["vascular_density"])
    assert not np.array_equal(first.maps["niche_site"], other.maps["niche_site"])


@pytest.mark.parametrize("spacing", [0.0, -1.0, float("nan"), 0.01])
def test_bad_spacing_is_refused(spacing: float) -> None:
    """Claim: a spacing that is no length, or makes a box beyond memory, is an InputError."""
    with pytest.raises(InputError, match="spacing"):
        build_tissue("kidney", "kidney", spacing)


def test_misspelt_organ_is_answered_with_the_nearest() -> None:
    """Claim: 'kidny' is refused with a hint."""
    with pytest.raises(InputError, match="did you mean 'kidney'"):
        build_tissue("kidny", "kidney", 2.0)
