"""Openly licensed kidneys of the Human Reference Atlas, where they are at hand."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from tissuesim.anatomy import build_tissue
from tissuesim.errors import InputError
from tissuesim.tissue import Tissue

FOLDER = Path(os.environ.get("TISSUESIM_ANATOMY", Path(__file__).parents[3] / "shared" / "anatomy"))
needs_meshes = pytest.mark.skipif(
    not FOLDER.is_dir(), reason=f"no anatomy meshes: set TISSUESIM_ANATOMY (looked in {FOLDER})"
)


@pytest.fixture(scope="module")
def glb() -> Tissue:
    """Return the original file of 15 named, open, overlapping parts."""
    return build_tissue("VH_F_Kidney_L.glb", "kidney", 2.0, base=FOLDER / "kidney")


@pytest.fixture(scope="module")
def outer() -> Tissue:
    """Return the clean closed outer surface."""
    return build_tissue("VH_F_Kidney_L_outer_mm.stl", "kidney", 2.0, base=FOLDER / "kidney")


@pytest.fixture(scope="module")
def parts() -> Tissue:
    """Return the same parts, repaired."""
    return build_tissue("VH_F_Kidney_L_parts_mm.vtp", "kidney", 2.0, base=FOLDER / "kidney")


@needs_meshes
@pytest.mark.parametrize("name", ["outer", "parts", "glb"])
def test_volume_of_a_real_kidney(name: str, request: pytest.FixtureRequest) -> None:
    """Claim: closed surface, repaired parts and original GLB all give 258.5 mL within 2 % at 2 mm."""
    tissue: Tissue = request.getfixturevalue(name)
    assert tissue.volume.sum() / 1000 == pytest.approx(258.5, rel=0.02)
    assert abs(float(str(tissue.report["volume_error"]))) < 0.02
    assert float(str(tissue.report["loose_volume_ml"])) < 0.1
    assert tissue.region_volumes()["pelvis"] / tissue.volume.sum() > 0.03


@needs_meshes
def test_parts_of_a_real_kidney(glb: Tissue) -> None:
    """Claim: the GLB's pyramids (41.5 mL by the label map) are the medulla to 3 %; every part is known."""
    assert glb.region_volumes()["medulla"] / 1000 == pytest.approx(41.5, rel=0.03)
    assert glb.report["unrecognized_parts"] == []
    assert "scaled to 124.9 mm" in str(glb.report["units"])


@needs_meshes
def test_hilum_of_the_outer_surface_is_where_the_atlas_has_it(outer: Tissue, glb: Tissue) -> None:
    """Claim: from the outer surface alone the hilum is found within 35 degrees of the named hilum part."""
    center = np.average(glb.centers(), axis=0, weights=glb.volume)
    pelvis = glb.in_regions(["pelvis"]) & (glb.maps["depth"] < 6)
    towards = np.average(glb.centers()[pelvis], axis=0, weights=glb.volume[pelvis]) - center
    found = np.asarray(outer.report["hilum_direction"])
    assert found @ towards / np.linalg.norm(towards) > np.cos(np.radians(35))


@needs_meshes
@pytest.mark.parametrize(
    "name",
    ["VH_M_tertiary_cartilage_4faces_degenerate_m.off", "VH_F_medial_epicondylar_enthesis_openpatch_m.ply"],
)
def test_real_files_without_a_solid_are_refused(name: str) -> None:
    """Claim: an open patch and an unknown kind of file are refused in one sentence that names the file."""
    with pytest.raises(InputError, match=name.split(".")[0]):
        build_tissue(name, "knee", 1.0, base=FOLDER / "awkward")


@needs_meshes
def test_patchwork_is_refused() -> None:
    """Claim: a lobe of overlapping patches (even-odd would give 476 instead of 536 mL) is refused."""
    with pytest.raises(InputError, match="no single closed surface"):
        build_tissue("VH_F_left_lower_lobe_patch_soup_mm.obj", "lung", 4.0, base=FOLDER / "awkward")


@needs_meshes
def test_ascii_surface_in_metres() -> None:
    """Claim: an ASCII STL of 3 cm in metres is scaled by 1000 and holds its 0.97 mL."""
    tissue = build_tissue(
        "smith2019-R-lateral-meniscus_ascii_m.stl", "meniscus", 1.0, base=FOLDER / "awkward"
    )
    assert tissue.volume.sum() / 1000 == pytest.approx(0.97, rel=0.02)
