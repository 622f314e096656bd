"""Organs from files: regions by name and by choice, mirrored files, what is left out."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import pyvista

from tissuesim.anatomy import build_tissue
from tissuesim.anatomy.importer import SUFFIXES, is_importable, organ_from_file
from tissuesim.anatomy.lattice import Lattice
from tissuesim.anatomy.selection import (
    ImportOptions,
    chosen_regions,
    named_regions,
    names_kidney,
    tells_kidney,
)
from tissuesim.config.load import ANATOMY_SUFFIXES
from tissuesim.errors import InputError
from tissuesim.tissue import Tissue


def heart(meshes: SimpleNamespace, folder: Path) -> Path:
    """Write a wall of 30 mm with two chambers in it, a bent valve and a flat disc."""
    valve = pyvista.Plane(
        center=(0, 0, 40), i_size=10, j_size=10, i_resolution=4, j_resolution=4
    ).triangulate()
    bent = np.asarray(valve.points) + np.asarray(valve.points)[:, :1] ** 2 / 50 * [0, 0, 1]
    parts = [
        meshes.arrays(meshes.sphere(8, (12, 0, 0)), "right chamber"),
        meshes.arrays(meshes.sphere(30), "heart wall"),
        meshes.arrays(meshes.sphere(10, (-12, 0, 0)), "left chamber"),
        ("valve", bent, valve.regular_faces),
        ("disc", np.asarray(valve.points) - [0, 0, 80], valve.regular_faces),
    ]
    nodes = [{"name": part[0], "mesh": number} for number, part in enumerate(parts)]
    return Path(meshes.write_glb(folder / "heart.glb", nodes, parts))


def volumes(tissue: Tissue) -> dict[str, float]:
    """Return mL by region."""
    return {name: volume / 1000 for name, volume in tissue.region_volumes().items()}


def test_each_named_part_is_a_region_and_smaller_ones_win(meshes: SimpleNamespace, tmp_path: Path) -> None:
    """Claim: chambers inside a wall are regions of their own whatever their order; sheets are left out aloud."""
    tissue = build_tissue(str(heart(meshes, tmp_path)), "heart", 2.0)
    ball = {radius: meshes.sphere(radius).volume / 1000 for radius in (8, 10, 30)}
    found = volumes(tissue)
    assert found["right_chamber"] == pytest.approx(ball[8], rel=0.05)
    assert found["left_chamber"] == pytest.approx(ball[10], rel=0.05)
    assert sum(found.values()) == pytest.approx(ball[30], rel=5e-3)
    flat, open_sheet = tissue.report["warnings"]  # type: ignore[misc]
    assert flat == "part 'disc' is flat or without area and left out"
    assert "part 'valve' is an open sheet and left out: 16 open edges" in open_sheet
    reference = tissue.report["region_reference_ml"]
    assert reference["left_chamber"] == pytest.approx(ball[10], rel=5e-3)  # type: ignore[index]


def test_regions_are_chosen_by_patterns(meshes: SimpleNamespace, tmp_path: Path) -> None:
    """Claim: a plain pattern fits any part of a name, one with * the whole; 'outside' is cut out."""
    path = heart(meshes, tmp_path)
    options = ImportOptions(regions={"muscle": ("WALL",), "outside": ("*chamber",)})
    tissue = build_tissue(str(path), "heart", 2.0, options=options)
    ball = {radius: meshes.sphere(radius).volume / 1000 for radius in (8, 10, 30)}
    assert volumes(tissue) == {"muscle": pytest.approx(ball[30] - ball[10] - ball[8], rel=5e-3)}
    one = build_tissue(str(path), "heart", 2.0, options=ImportOptions(regions={"left": ("left",)}))
    assert volumes(one) == {"left": pytest.approx(ball[10], rel=0.01)}


def test_a_pattern_that_fits_nothing_names_the_nearest_part(meshes: SimpleNamespace, tmp_path: Path) -> None:
    """Claim: the refusal tells the key, the nearest name, the names there are, and the file."""
    options = ImportOptions(regions={"wall": ("heart wal1",)})
    sentence = (
        r"heart.glb': regions.wall: no part is named 'heart wal1' \(did you mean 'heart wall'\?\); "
        "the file has 'right chamber', 'heart wall', 'left chamber'"
    )
    with pytest.raises(InputError, match=sentence):
        organ_from_file(heart(meshes, tmp_path), options)


def test_choice_and_painting_order() -> None:
    """Claim: the first region that fits takes a part, later regions paint over, and too many regions are refused."""
    regions = chosen_regions(["a1", "b1", "a2"], {"last": ("b*",), "first": ("a", "1")})
    assert regions.of_part == (1, 0, 1)
    assert regions.order == (1, 0, 2)
    assert named_regions(["x", "x", "-"], [1, 3, 2]).names == ("x", "part_3")
    assert named_regions(["x", "y", "z"], [1, 3, 2]).order == (1, 2, 0)
    with pytest.raises(InputError, match="at most 250"):
        named_regions([f"p{k}" for k in range(251)], [1.0] * 251)


def test_kidneys_are_told_by_words() -> None:
    """Claim: names of renal parts make a kidney, an abdomen with adrenal glands or a heart does not."""
    assert tells_kidney(["outer_cortex", "renal_pyramid_a", "capsule"])
    assert not tells_kidney(["adrenal_gland_left", "spleen", "liver", "colon"])
    assert not tells_kidney(["coronary_sinus", "left_ventricle"])
    assert names_kidney("VH_F_Kidney_L")
    assert names_kidney("ren.stl")
    assert not names_kidney("children")


def mirrored(
    part: tuple[str, np.ndarray, np.ndarray], signs: np.ndarray
) -> tuple[str, np.ndarray, np.ndarray]:
    """Return a part mirrored as a program would write it: faces turned so that they still look outwards."""
    name, points, triangles = part
    return name, points * signs, triangles[:, ::-1] if signs.prod() < 0 else triangles


@pytest.mark.parametrize("signs", [(-1, 1, 1), (1, -1, 1), (1, 1, -1), (-1, -1, -1)])
@pytest.mark.parametrize("organ", ["kidney", "liver", "parts"])
def test_a_mirrored_file_gives_the_mirror_image(
    organ: str, signs: tuple[int, int, int], meshes: SimpleNamespace, tmp_path: Path
) -> None:
    """Claim: fractions and regions of a mirrored file are the mirror image to the bit, at an odd spacing."""
    random = np.random.default_rng(5)
    lump = meshes.sphere(25, (3.1, -7.7, 140.3), parts=20)
    lump.points = lump.points * [1.0, 0.6, 1.7] + random.normal(size=lump.points.shape) * 0.4
    parts = [meshes.arrays(lump, organ)]
    if organ == "parts":
        parts.append(meshes.arrays(meshes.sphere(9, (8.3, -2.2, 230.1), parts=20), "core"))
        name, points, triangles = parts[0]
        parts[0] = (name, points, triangles[random.random(len(triangles)) > 0.03])
    boxes = []
    for number, turn in enumerate((np.ones(3), np.array(signs))):
        found = [mirrored(part, turn) for part in parts]
        nodes = [{"name": part[0], "mesh": place} for place, part in enumerate(found)]
        path = meshes.write_glb(tmp_path / f"{number}.glb", nodes, found)
        tissue = build_tissue(str(path), organ, 2.3)
        boxes.append((tissue.scatter(tissue.fraction, 0.0), tissue.scatter(tissue.region, 255)))
    axes = [2 - axis for axis, sign in enumerate(signs) if sign < 0]
    for here, there in zip(*boxes, strict=True):
        np.testing.assert_array_equal(np.flip(here, axes), there)


def test_a_slab_of_a_lattice_gets_the_bits_of_the_whole(meshes: SimpleNamespace, tmp_path: Path) -> None:
    """Claim: an organ asked layer by layer answers as asked at once."""
    meshes.sphere(25, (0.3, 0.7, 0.1), parts=20).save(tmp_path / "ball.stl")
    organ = organ_from_file(tmp_path / "ball.stl")
    lattice = Lattice.covering(organ.lower, organ.upper, 0.7)
    whole = organ.inside(lattice)
    for first in range(0, lattice.shape[0], 7):
        x, y, z = lattice.origin
        shape = (min(7, lattice.shape[0] - first), *lattice.shape[1:])
        slab = Lattice(0.7, (x, y, z + first * 0.7), shape)
        np.testing.assert_array_equal(organ.inside(slab), whole[first : first + 7])


def test_the_config_knows_every_kind_of_file() -> None:
    """Claim: a config looks for a file wherever the importer would read one, or a saved tissue."""
    assert set(ANATOMY_SUFFIXES) == {*SUFFIXES, ".npz", ".zarr"}
    assert is_importable(Path("A.NII.GZ"))
    assert not is_importable(Path("a.gz"))
