"""Vessels of organs from files: where they enter, where they lead, and how a config moves them."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import pyvista

from tissuesim.anatomy import build_tissue
from tissuesim.anatomy.importer import organ_from_file
from tissuesim.anatomy.kidney import CORTEX, glomeruli_of, kidney, kidney_arteries
from tissuesim.anatomy.kidney_vessels import HILUM
from tissuesim.anatomy.organ import Organ, make_atlas
from tissuesim.anatomy.selection import ImportOptions
from tissuesim.anatomy.tree import Tree
from tissuesim.anatomy.voxelize import voxelize
from tissuesim.config import load_config
from tissuesim.errors import InputError
from tissuesim.scenario import _tissue

TURN = np.array(
    [[0.0, -0.6, 0.8], [1.0, 0.0, 0.0], [0.0, 0.8, 0.6]]
)  # a rotation: file = TURN kidney + SHIFT
SHIFT = np.array([40.0, -25.0, 300.0])


@pytest.fixture(scope="module")
def outline(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the outer surface of the built-in kidney as a file, turned and moved."""
    organ = kidney()
    voxels = voxelize(organ, make_atlas(organ), 1.5)
    lattice = voxels.lattice.padded(2)
    image: Any = pyvista.ImageData(dimensions=lattice.shape[::-1], spacing=(lattice.spacing,) * 3)
    image.origin = np.asarray(lattice.origin) + lattice.spacing / 2
    image["fraction"] = np.pad(voxels.fraction, 2).reshape(-1)
    surface = image.contour([0.5], scalars="fraction").triangulate().clean()
    surface.points = surface.points @ TURN.T + SHIFT
    path = tmp_path_factory.mktemp("kidney") / "kidney.stl"
    surface.save(path)
    return path


@pytest.fixture(scope="module")
def labels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the built-in kidney as a label volume of cortex, medulla and pelvis, in 1.5 mm voxels."""
    nibabel = pytest.importorskip("nibabel")
    organ = kidney()
    voxels = voxelize(organ, make_atlas(organ), 1.5)
    values = np.where(voxels.fraction > 0.5, voxels.region + 1, 0).astype(np.uint8)
    affine = np.diag([1.5, 1.5, 1.5, 1.0])
    affine[:3, 3] = np.asarray(voxels.lattice.origin) + 0.75
    path = tmp_path_factory.mktemp("labels") / "organ.nii"
    nibabel.save(nibabel.Nifti1Image(values.transpose(2, 1, 0), affine), path)
    path.with_name("organ.labels.json").write_text('{"1": "cortex", "2": "medulla", "3": "pelvis"}')
    return path


def arteries_of(organ: Organ) -> Tree:
    """Return the arteries of seed 1."""
    assert organ.arteries is not None
    return organ.arteries(1)


def root_of(tree: Tree) -> np.ndarray:
    """Return where the only root starts."""
    (row,) = np.flatnonzero(tree.parent < 0)
    return np.asarray(tree.start[row])


def share_in_cortex(organ: Organ, tree: Tree) -> float:
    """Return the share of the ends that lie in cortex, by the atlas of the organ."""
    atlas = make_atlas(organ)
    ends = tree.end[tree.terminal()]
    cell = np.floor((ends - np.asarray(atlas.lattice.origin)) / atlas.lattice.spacing).astype(int)[:, ::-1]
    cell = np.clip(cell, 0, np.asarray(atlas.lattice.shape) - 1)
    return float(np.mean(atlas.in_regions([CORTEX])[tuple(cell.T)]))


def test_a_surface_of_a_kidney_has_the_arteries_of_the_built_in_one(outline: Path) -> None:
    """Claim: from its outline alone a kidney, turned and moved, has its artery at the hilum within 5 mm, as many orders
    and ends as the built-in one, ends in the cortex, and Murray's law.
    """  # noqa: D205
    organ = organ_from_file(outline, ImportOptions(organ="kidney"))
    tree, own = arteries_of(organ), kidney_arteries(1)
    assert np.linalg.norm(root_of(tree) - (TURN @ HILUM + SHIFT)) < 5.0
    assert organ.report["vessels_enter_mm"] == [pytest.approx(root_of(tree), abs=1e-3)]
    assert tree.terminal().sum() == pytest.approx(own.terminal().sum(), rel=0.1)
    assert np.bincount(tree.generation)[:4].tolist() == np.bincount(own.generation)[:4].tolist()
    assert share_in_cortex(organ, tree) > 0.85
    child = tree.parent >= 0
    assert np.allclose(tree.start[child], tree.end[tree.parent[child]])
    cubes = np.bincount(tree.parent[child], weights=tree.radius[child] ** 3, minlength=tree.size)
    assert np.allclose(cubes[~tree.terminal()], tree.radius[~tree.terminal()] ** 3, rtol=1e-4)


def test_arteries_are_turned_with_a_mirrored_file(outline: Path) -> None:
    """Claim: the mirrored surface has the mirrored arteries."""
    mirrored = pyvista.read(outline)
    mirrored.points = mirrored.points * np.array([1.0, -1.0, 1.0], np.float32)
    path = outline.with_name("mirrored_kidney.stl")
    mirrored.save(path)
    one, other = (
        arteries_of(organ_from_file(file, ImportOptions(organ="kidney"))) for file in (outline, path)
    )
    assert np.array_equal(one.start * [1.0, -1.0, 1.0], other.start)
    assert np.array_equal(one.radius, other.radius)


def test_a_kidney_with_named_regions_is_entered_at_its_hilum(labels: Path) -> None:
    """Claim: of a label volume the entry is the mouth of the sinus, within 8 mm, heading inwards; ends are cortex."""
    organ = organ_from_file(labels)
    tree = arteries_of(organ)
    # the sinus opens into the hilum at about x = 24 of the built-in kidney
    assert root_of(tree) == pytest.approx([24.0, 0.0, 0.0], abs=8.0)
    row = int(np.flatnonzero(tree.parent < 0)[0])
    assert (tree.end - tree.start)[row, 0] < 0
    assert share_in_cortex(organ, tree) > 0.85
    assert len(glomeruli_of(organ, 1)) == pytest.approx(len(glomeruli_of(kidney(), 1)), rel=0.05)


def test_the_map_of_an_imported_kidney_is_that_of_its_tree(labels: Path) -> None:
    """Claim: mean 1 and spread 0.45 in the cortex as calibrated; where an entry of one's own lies changes the map, the
    seed too, the spacing not.
    """  # noqa: D205
    tissue = build_tissue(str(labels), "left", 3.0)
    cortex = tissue.in_regions(["cortex"])
    density = tissue.maps["vascular_density"]
    assert np.average(density[cortex], weights=tissue.volume[cortex]) == pytest.approx(1.0, abs=1e-5)
    assert np.log(density[cortex]).std() == pytest.approx(0.45, rel=0.15)
    pole = ImportOptions(vessel_entries=((0.0, 0.0, 52.0),))
    for other in (
        build_tissue(str(labels), "left", 3.0, seed=2),
        build_tissue(str(labels), "left", 3.0, options=pole),
    ):
        assert np.corrcoef(density[cortex], other.maps["vascular_density"][cortex])[0, 1] < 0.9
    fine = build_tissue(str(labels), "left", 1.0)
    cells = np.floor((tissue.centers() - np.asarray(fine.origin)) / 1.0).astype(int)[:, ::-1]
    there = fine.scatter(fine.maps["vascular_density"])[tuple(cells[tissue.fraction == 1].T)]
    known = np.isfinite(there) & cortex[tissue.fraction == 1]
    assert np.corrcoef(density[tissue.fraction == 1][known], there[known])[0, 1] > 0.95


def test_other_organs_are_entered_on_their_surface(tmp_path: Path, meshes: SimpleNamespace) -> None:
    """Claim: two balls apart have an entry each, on the surface of each, heading to its middle; a crumb has none."""
    centers = ((0.0, 0.0, 0.0), (100.0, 0.0, 0.0), (50.0, 40.0, 0.0))
    balls = [meshes.sphere(radius, center) for radius, center in zip((30.0, 25.0, 3.0), centers, strict=True)]
    path = tmp_path / "organ.stl"
    balls[0].merge(balls[1:], merge_points=False).save(path)
    organ = organ_from_file(path)
    assert organ.arteries is None and len(organ.vessel_roots) == 2
    for (point, way), center, radius in zip(organ.vessel_roots, centers, (30.0, 25.0), strict=False):
        towards = np.asarray(center) - point
        assert np.linalg.norm(towards) == pytest.approx(radius, abs=4.0)
        assert np.asarray(way) == pytest.approx(towards / np.linalg.norm(towards), abs=0.05)


def test_blood_comes_from_where_it_enters(tmp_path: Path, meshes: SimpleNamespace) -> None:
    """Claim: an entry at either end of a rod leads the stem from there; the density keeps a mean of 1."""
    path = tmp_path / "rod.stl"
    rod = meshes.sphere(10.0)
    rod.points = rod.points * np.array([5.0, 1.0, 1.0], np.float32)
    rod.save(path)
    maps = []
    for x in (-50.0, 50.0):
        options = ImportOptions(vessel_entries=((x, 0.0, 0.0),))
        organ = organ_from_file(path, options)
        ((point, way),) = organ.vessel_roots
        assert point == (x, 0.0, 0.0) and way == pytest.approx((-np.sign(x), 0.0, 0.0), abs=0.05)
        tissue = build_tissue(str(path), "organ", 2.0, options=options)
        maps.append(tissue.maps["vascular_density"])
        assert np.average(maps[-1], weights=tissue.volume) == pytest.approx(1.0, abs=1e-5)
    assert np.corrcoef(*maps)[0, 1] < 0.95


def test_entries_in_a_config(outline: Path) -> None:
    """Claim: `vessel_entries` with units reaches the organ; one far away, or for a built-in organ, is refused."""
    config = outline.with_name("run.yaml")
    text = (
        f"model: autoimmune\ntime: {{start: 0 day, end: 1 day}}\norgans:\n  kidney:\n    anatomy: {outline}\n"
        "    spacing: 6 mm\n    vessel_entries: [[4 cm, -30 mm, 300]]\n"
    )
    config.write_text(text.replace("300]", "300 mm]"))
    organ = load_config(config).organs["kidney"]
    assert organ.vessel_entries == ((40.0, -30.0, 300.0),)
    assert _tissue("kidney", organ).report["vessels_enter_mm"] == [[40.0, -30.0, 300.0]]
    for entry, sentence in (
        ("900 mm", "organs.kidney.anatomy: .*is 5[0-9]+ mm from the tissue, which lies at x"),
    ):
        config.write_text(text.replace("300]", f"{entry}]"))
        with pytest.raises(InputError, match=sentence):
            _tissue("kidney", load_config(config).organs["kidney"])
    for wrong in ("[4 cm, 1 mm, 2 mm]", "[[4 cm, 1 mm]]", "[[4 kg, 1 mm, 2 mm]]"):
        config.write_text(text.replace("[[4 cm, -30 mm, 300]]", wrong))
        with pytest.raises(InputError, match=r"organs\.kidney\.vessel_entries"):
            load_config(config)
    config.write_text(text.replace("300]", "300 mm]").replace(str(outline), "kidney"))
    with pytest.raises(InputError, match="the built-in 'kidney' knows where its vessels enter"):
        _tissue("kidney", load_config(config).organs["kidney"])


def test_an_organ_thinner_than_a_cell_has_no_entry(tmp_path: Path, meshes: SimpleNamespace) -> None:
    """Claim: a plate too thin for the lattice on which entries are found is still imported."""
    path = tmp_path / "plate.stl"
    plate = meshes.sphere(40.0)
    plate.points = plate.points * np.array([1.0, 1.0, 0.003], np.float32)
    plate.save(path)
    assert build_tissue(str(path), "plate", 0.25).n > 10_000
