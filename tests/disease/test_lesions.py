"""Where a disease lives: exact volumes, the same places at any spacing, patterns that lie where they should."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tissuesim.anatomy import build_tissue
from tissuesim.anatomy.lattice import Lattice
from tissuesim.anatomy.lesion import lesion_map, susceptibility
from tissuesim.anatomy.noise import placed_normal
from tissuesim.config.disease import Lesion
from tissuesim.errors import InputError
from tissuesim.tissue import Tissue


def number(value: str) -> dict[str, object]:
    """A number of a disease file."""
    unit = value.partition(" ")[2]
    return {"value": value, "range": (f"1e-6 {unit}", f"1e6 {unit}"), "source": "chosen", "grade": "A"}


def lesion(pattern: str, **given: object) -> Lesion:
    """A lesion; texts of volume, share and lengths become numbers."""
    lengths = ("volume", "share", "reach", "rise", "correlation")
    data = {key: number(str(value)) if key in lengths else value for key, value in given.items()}
    return Lesion.model_validate({"pattern": pattern, "source": "chosen", "grade": "A", **data})


@pytest.fixture(scope="module")
def kidney() -> Tissue:
    """A kidney in voxels of 4 mm."""
    return build_tissue("kidney", "kidney", 4.0)


LESIONS = {
    "whole": lesion("whole", regions=["cortex"]),
    "half": lesion("whole", regions=["cortex"], share="0.5"),
    "rim": lesion("rim", regions=["cortex", "medulla"], volume="20 mL"),
    "subpleural": lesion("subpleural", volume="20 mL", reach="10 mm", rise="30 mm"),
    "patches": lesion("patches", regions=["cortex"], volume="20 mL", correlation="16 mm"),
    "perivascular": lesion("perivascular", regions=["cortex"], share="0.3"),
}


@pytest.mark.parametrize("name", LESIONS)
def test_volume_is_met_exactly(kidney: Tissue, name: str) -> None:
    """Claim: the lesion has the volume it is given, lies in its regions, and is a share of each voxel."""
    own = LESIONS[name]
    covered = lesion_map(kidney, own, 1, name)
    cortex = kidney.region_volumes()["cortex"]
    wanted = {"whole": cortex, "half": cortex / 2, "perivascular": 0.3 * cortex}.get(name, 20e3)
    assert float(covered @ kidney.volume) == pytest.approx(wanted, rel=1e-9)
    assert covered.min() >= 0 and covered.max() <= 1
    if own.regions:
        assert not covered[~kidney.in_regions(own.regions)].any()
    if name not in ("whole", "half"):
        assert np.count_nonzero((covered > 0) & (covered < 1)) <= 1


def test_patterns_lie_where_they_should(kidney: Tissue) -> None:
    """Claim: a rim is shallow, a subpleural lesion low and shallow, a perivascular one rich in vessels."""
    depth, height, vessels = kidney.maps["depth"], kidney.centers()[:, 2], kidney.maps["vascular_density"]
    rim = lesion_map(kidney, LESIONS["rim"], 1, "a") > 0.5
    home = kidney.in_regions(["cortex", "medulla"])
    assert depth[rim].max() <= depth[home & ~rim].min() + 1e-9
    low = lesion_map(kidney, LESIONS["subpleural"], 1, "a") > 0.5
    assert height[low].mean() < height.mean() - 20 and depth[low].mean() < depth.mean()
    rich = lesion_map(kidney, LESIONS["perivascular"], 1, "a") > 0.5
    assert vessels[rich].min() >= vessels[kidney.in_regions(["cortex"]) & ~rich].max() - 1e-9


@pytest.mark.parametrize("name", ["rim", "subpleural", "patches"])
def test_spacing_does_not_move_a_lesion(kidney: Tissue, name: str) -> None:
    """Claim: at 4 and at 8 mm most of a lesion covers the same places; a lesion laid by chance would 0.13 of it."""
    coarse = build_tissue("kidney", "kidney", 8.0)
    fine_map, coarse_map = (lesion_map(tissue, LESIONS[name], 1, name) for tissue in (kidney, coarse))
    cell = np.floor((kidney.centers() - np.array(coarse.origin)) / 8.0).astype(int)
    there = coarse.scatter(coarse_map, 0.0)[cell[:, 2], cell[:, 1], cell[:, 0]]
    overlap = float((np.minimum(fine_map, there) * kidney.volume).sum() / (fine_map @ kidney.volume))
    assert overlap > 0.6


def test_patches_hang_on_the_seed(kidney: Tissue) -> None:
    """Claim: another seed has patches elsewhere, the same seed the same."""
    first, again, other = (lesion_map(kidney, LESIONS["patches"], seed, "a") for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert float((np.minimum(first, other)).sum() / first.sum()) < 0.6


def test_each_lesion_of_each_organ_has_patches_of_its_own(kidney: Tissue) -> None:
    """Claim: patches hang on the names of organ and lesion, so that one more of either moves no other."""
    one, two = (lesion_map(kidney, LESIONS["patches"], 1, name) for name in ("a", "b"))
    other = lesion_map(replace(kidney, name="other"), LESIONS["patches"], 1, "a")
    for map_ in (two, other):
        assert float(np.minimum(one, map_).sum() / one.sum()) < 0.6
    only = susceptibility(kidney, [("a", LESIONS["patches"])], 1)
    among = susceptibility(kidney, [("z", lesion("whole", share="1e-6")), ("a", LESIONS["patches"])], 1)
    assert np.abs(among - only).max() <= 1e-6


def test_lesions_add_up(kidney: Tissue) -> None:
    """Claim: two lesions cover what either covers, and no voxel twice."""
    both = susceptibility(kidney, [("a", LESIONS["rim"]), ("b", LESIONS["half"])], 1)
    assert np.all(both <= 1)
    expected = np.maximum(lesion_map(kidney, LESIONS["rim"], 1, "a"), 0.5 * kidney.in_regions(["cortex"]))
    assert np.allclose(both, expected)


def test_noise_belongs_to_places() -> None:
    """Claim: a part of a lattice, cut out, sees the same field; mean 0, variance 1 and correlation are as said."""
    whole = Lattice(2.0, (-60.0, -60.0, -60.0), (60, 60, 60))
    part = Lattice(2.0, (-20.0, 10.0, -40.0), (12, 9, 20))
    field = placed_normal(whole, 8.0, 5, 1)
    cut = field[10:22, 35:44, 20:40]
    assert np.allclose(placed_normal(part, 8.0, 5, 1), cut, atol=1e-12)
    assert abs(field.mean()) < 0.1 and field.var() == pytest.approx(1.0, abs=0.1)
    for steps in (2, 4):
        measured = float((field[steps:] * field[:-steps]).mean())
        assert measured == pytest.approx(np.exp(-((2.0 * steps / 8.0) ** 2)), abs=0.08)
    assert abs(float((field * placed_normal(whole, 8.0, 6, 1)).mean())) < 0.1


def test_refusals(kidney: Tissue) -> None:
    """Claim: a region that is not there, a volume that does not fit, a pattern without its lengths have a sentence."""
    with pytest.raises(InputError, match=r"rash: region 'dermis' is not in tissue 'kidney'"):
        susceptibility(kidney, [("rash", lesion("whole", regions=["dermis"]))], 1)
    with pytest.raises(InputError, match=r"a lesion of 90\.0 mL does not fit into medulla"):
        lesion_map(kidney, lesion("rim", regions=["medulla"], volume="90 mL"), 1, "a")
    for given, said in (
        ({"volume": "5 mL"}, "correlation: missing"),
        ({"volume": "5 mL", "share": "0.1", "correlation": "5 mm"}, "a volume or a share, not both"),
        ({"correlation": "5 mm"}, "needs a volume or a share"),
        ({"volume": "5 mL", "correlation": "0 mm"}, "outside its range"),
    ):
        with pytest.raises(ValueError, match=said):
            lesion("patches", **given)
