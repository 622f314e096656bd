"""A run on the tetrahedra of a mesh: `domain: tetrahedra`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import pyvista
from scipy.spatial import Delaunay

from tissuesim.anatomy import build_tissue
from tissuesim.anatomy.on_cells import nearest_voxel
from tissuesim.errors import InputError
from tissuesim.run import Run
from tissuesim.scenario import load
from tissuesim.simulation import Simulation
from tissuesim.viz.frames import read_pictures


@pytest.fixture(scope="module")
def mesh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bar of 40 x 20 x 20 mm in two regions, as a VTU file of tetrahedra."""
    axes = [np.linspace(0, length, cells + 1) for length, cells in ((40, 10), (20, 5), (20, 5))]
    middles = [(axis[1:] + axis[:-1]) / 2 for axis in axes]
    grids = [np.stack(np.meshgrid(*some, indexing="ij"), axis=-1).reshape(-1, 3) for some in (axes, middles)]
    points = np.concatenate(grids)
    cells = Delaunay(points).simplices
    corners = points[cells]
    volume = np.abs(np.linalg.det(corners[:, 1:] - corners[:, :1])) / 6
    cells = cells[volume > 1e-6]
    grid = pyvista.UnstructuredGrid({pyvista.CellType.TETRA: cells}, points)
    grid.cell_data["region"] = np.where(points[cells].mean(axis=1)[:, 0] < 20, 1, 2).astype(np.int32)
    path = tmp_path_factory.mktemp("mesh") / "bar.vtu"
    grid.save(path)
    return path


def test_the_cells_are_the_tissue(mesh: Path) -> None:
    """Claim: volume and regions are those of the cells, and maps those of the voxels that hold them."""
    tissue = build_tissue(str(mesh), "bar", 2.0, units="mm", domain="tetrahedra")
    voxels = build_tissue(str(mesh), "bar", 2.0, units="mm")
    assert tissue.points is not None and tissue.volume.sum() == pytest.approx(16_000, rel=1e-9)
    assert tissue.region_names == voxels.region_names
    assert list(tissue.region_volumes().values()) == pytest.approx([8000, 8000], rel=0.05)
    assert set(tissue.maps) == set(voxels.maps) | {"middle_x", "middle_y", "middle_z"}
    assert tissue.maps["depth"].max() == pytest.approx(voxels.maps["depth"].max(), rel=0.2)
    assert tissue.report["components"] == 1 and abs(float(str(tissue.report["volume_error"]))) < 1e-9


def test_every_voxel_finds_itself(mesh: Path) -> None:
    """Claim: the middle of a voxel is in that voxel, and a place just outside belongs to the nearest one."""
    voxels = build_tissue(str(mesh), "bar", 4.0, units="mm")
    centers = voxels.centers()
    assert np.array_equal(nearest_voxel(voxels, centers), np.arange(voxels.n))
    outside = centers[:1] - np.array([[5.0, 0.0, 0.0]])
    found = centers[nearest_voxel(voxels, outside)]
    assert np.linalg.norm(found - outside) <= np.linalg.norm(centers - outside, axis=1).min() + 1e-9


def test_a_run_on_tetrahedra(mesh: Path, tmp_path: Path) -> None:
    """Claim: the shipped model runs on a mesh by one key of the config, writes its fields, and closes its ledger."""
    scenario = load(
        "kidney_car_t",
        (
            f"organs.kidney.anatomy={mesh}",
            "organs.kidney.units=mm",
            "organs.kidney.domain=tetrahedra",
            "organs.kidney.regions={cortex: [region_1], medulla: [region_2]}",
            "time.start=-1 day",
            "time.end=0 day",
            "treatment=[]",
        ),
    )
    simulation = Simulation(scenario, "numba")
    folder = simulation.create_run(out=tmp_path / "run")
    simulation.run()
    simulation.check(simulation.state)
    assert simulation.state.organs["kidney"].signals.max() > 0
    assert (folder / "fields.zarr" / "kidney" / "center").is_dir()
    pictures = read_pictures(Run(folder), "kidney", [0.0], "inflammation")
    (frame,) = pictures.frames
    assert pictures.fraction.sum() * pictures.spacing**3 == pytest.approx(16_000, rel=0.01)
    inside = pictures.fraction > 0
    assert np.isfinite(frame.values[inside]).all() and np.isnan(frame.values[~inside]).all()
    state = simulation.state.organs["kidney"].states
    assert (
        frame.values[inside].min() >= state.min() - 1e-6 and frame.values[inside].max() <= state.max() + 1e-6
    )
    column = simulation.scenario.plan.organ.cells.index("autoreactive_b")
    total = simulation.state.organs["kidney"].cells[:, column].sum()
    assert next(layer for layer in frame.layers if layer.key == "autoreactive").total == pytest.approx(total)


def test_what_is_no_mesh_is_refused(tmp_path: Path) -> None:
    """Claim: a built-in organ, and cells that are no tetrahedra, are refused in one sentence."""
    with pytest.raises(InputError, match=r"domain 'tetrahedra' needs a volume mesh .* 'kidney' is none"):
        build_tissue("kidney", "kidney", 8.0, domain="tetrahedra")
    path = tmp_path / "bricks.vtu"
    pyvista.ImageData(dimensions=(4, 4, 4), spacing=(5, 5, 5)).cast_to_unstructured_grid().save(path)
    with pytest.raises(InputError, match="no tetrahedra"):
        build_tissue(str(path), "bricks", 5.0, units="mm", domain="tetrahedra")
