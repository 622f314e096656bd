"""Volume meshes: their regions, volumes and places on voxels; kinds of cells; damage."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pyvista

from tissuesim.anatomy import build_tissue
from tissuesim.anatomy.importer import organ_from_file
from tissuesim.anatomy.selection import ImportOptions
from tissuesim.anatomy.tetrahedra import read_cells
from tissuesim.errors import InputError


def grid(cells: int = 12) -> Any:
    """Return hexahedra of 4 mm with a bent side and a core of region 2."""
    box = pyvista.ImageData(dimensions=(cells + 1,) * 3, spacing=(4.0,) * 3, origin=(-24.0,) * 3)
    mesh = box.cast_to_unstructured_grid()
    mesh["region"] = (np.linalg.norm(mesh.cell_centers().points, axis=1) < 14).astype(int) + 1
    points = np.asarray(mesh.points)
    mesh.points = points + np.stack([0 * points[:, 0], points[:, 0] ** 2 / 100, 0.1 * points[:, 1]], axis=1)
    return mesh


def write(path: Path, mesh: Any) -> Path:
    """Write a mesh as .vtu, legacy .vtk or Gmsh .msh with named groups."""
    if path.suffix != ".msh":
        mesh.save(path)
        return path
    meshio = pytest.importorskip("meshio")
    cells = mesh.cells.reshape(-1, 5)[:, 1:]
    region = np.asarray(mesh["region"]).astype(int)
    tags = {f"gmsh:{tag}": [region] for tag in ("physical", "geometrical")}
    names = {"rim": np.array([1, 3]), "core": np.array([2, 3])}
    whole = meshio.Mesh(np.asarray(mesh.points), [("tetra", cells)], cell_data=tags, field_data=names)
    meshio.write(path, whole, file_format="gmsh22")
    return path


@pytest.mark.parametrize("suffix", ["vtu", "vtk", "msh"])
def test_tetrahedra_keep_volume_regions_and_place(suffix: str, tmp_path: Path) -> None:
    """Claim: tetrahedra of each kind of file fill voxels with their volume to 0.1 %, each region in its place."""
    mesh = grid().triangulate()
    path = write(tmp_path / f"a.{suffix}", mesh)
    tissue = build_tissue(str(path), "a", 1.5)
    sizes = mesh.compute_cell_sizes(length=False, area=False)["Volume"] / 1000
    names = ("rim", "core") if suffix == "msh" else ("region_1", "region_2")
    assert tissue.region_names == names
    reference = tissue.report["region_reference_ml"]
    for number, name in enumerate(names, start=1):
        exact = float(sizes[mesh["region"] == number].sum())
        assert reference[name] == pytest.approx(exact, rel=1e-5)  # type: ignore[index]
        assert tissue.region_volumes()[name] / 1000 == pytest.approx(exact, rel=0.05)
    assert tissue.volume.sum() / 1000 == pytest.approx(float(sizes.sum()), rel=1e-3)
    center = np.average(tissue.centers(), axis=0, weights=tissue.volume)
    np.testing.assert_allclose(
        center, np.average(mesh.cell_centers().points, axis=0, weights=sizes), atol=0.05
    )


def test_hexahedra_with_bent_faces_leave_no_gap(tmp_path: Path) -> None:
    """Claim: cells whose quads are not flat meet without gap or overlap: one component, volume to 0.2 %."""
    mesh = grid()
    tissue = build_tissue(str(write(tmp_path / "a.vtu", mesh)), "a", 1.5)
    sizes = mesh.compute_cell_sizes(length=False, area=False)["Volume"] / 1000
    assert tissue.volume.sum() / 1000 == pytest.approx(float(sizes.sum()), rel=2e-3)
    assert tissue.report["components"] == 1


def test_wedges_and_pyramids_are_read(tmp_path: Path) -> None:
    """Claim: a wedge and a pyramid count with their volumes, 1/2 and 1/3 of their boxes."""
    wedge = [[0, 0, 0], [40, 0, 0], [0, 40, 0], [0, 0, 40], [40, 0, 40], [0, 40, 40]]
    pyramid = [[50, 0, 0], [90, 0, 0], [90, 40, 0], [50, 40, 0], [70, 20, 40]]
    points = np.array([*wedge, *pyramid], dtype=float)
    mesh = pyvista.UnstructuredGrid(
        [6, 0, 1, 2, 3, 4, 5, 5, 6, 7, 8, 9, 10], [pyvista.CellType.WEDGE, pyvista.CellType.PYRAMID], points
    )
    mesh.save(tmp_path / "a.vtu")
    organ = organ_from_file(tmp_path / "a.vtu")
    assert organ.report["reference_volume_ml"] == pytest.approx(32.0 + 64.0 / 3)


def test_regions_are_chosen_by_name_and_number(tmp_path: Path) -> None:
    """Claim: `labels` names cell numbers, `regions` chooses among names, a number that is absent is refused."""
    path = write(tmp_path / "a.vtu", grid().triangulate())
    one = build_tissue(str(path), "a", 3.0, options=ImportOptions(labels={2: "tumour"}))
    assert one.region_names == ("tumour",)
    both = build_tissue(str(path), "a", 3.0, options=ImportOptions(regions={"all": ("region_*",)}))
    assert both.region_names == ("all",)
    with pytest.raises(InputError, match="has no cells of number 5"):
        organ_from_file(path, ImportOptions(labels={5: "x"}))


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_mirrored_mesh_gives_the_mirror_image(axis: int, tmp_path: Path) -> None:
    """Claim: mirrored points give mirrored fractions and regions to the bit, though every cell is inside out."""
    boxes = []
    for sign in (1, -1):
        mesh = grid(6).triangulate()
        turn = np.ones(3)
        turn[axis] = sign
        mesh.points = (np.asarray(mesh.points) + np.array([0.3, 0.7, 1.1])) * turn
        tissue = build_tissue(str(write(tmp_path / f"{sign}.vtu", mesh)), "a", 1.7, units="mm")
        boxes.append((tissue.scatter(tissue.fraction, 0.0), tissue.scatter(tissue.region, 255)))
    for here, there in zip(*boxes, strict=True):
        np.testing.assert_array_equal(np.flip(here, 2 - axis), there)


@pytest.mark.parametrize("kind", ["surface", "nan", "index", "missing", "words"])
def test_what_is_no_volume_mesh_is_refused(kind: str, tmp_path: Path) -> None:
    """Claim: a file without solid cells, with bad points or corners, or of words is refused by name."""
    path = tmp_path / f"{kind}.vtu"
    mesh = grid(3).triangulate()
    sentence = {
        "surface": "no tetrahedra or other solid cells",
        "nan": "not a finite number",
        "index": "does not exist",
        "missing": "does not exist",
        "words": "damaged or not a readable .vtu file",
    }[kind]
    if kind == "surface":
        mesh.extract_surface(algorithm=None).cast_to_unstructured_grid().save(path)
    elif kind == "nan":
        points = np.asarray(mesh.points).copy()
        points[3] = np.nan
        mesh.points = points
        mesh.save(path)
    elif kind == "index":
        mesh.save(path, binary=False)
        first, last = " ".join(map(str, mesh.cells[1:4])), mesh.n_points + 5
        text = path.read_text()
        assert first in " ".join(text.split())
        path.write_text(text.replace(f"{mesh.cells[1]} {mesh.cells[2]} ", f"{mesh.cells[1]} {last} ", 1))
    elif kind == "words":
        path.write_text("this is no mesh")
    with pytest.raises(InputError, match=sentence) as refusal:
        read_cells(path)
    assert path.name in str(refusal.value)
