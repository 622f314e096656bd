"""Diffusion on tetrahedra inside a real organ's surface, where it is at hand."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import pyvista
from scipy.spatial import Delaunay

from tissuesim.anatomy import build_tissue
from tissuesim.tissue import Tissue
from tissuesim.verification.diffusion import signal_model, steady

FOLDER = Path(os.environ.get("TISSUESIM_ANATOMY", Path(__file__).parents[3] / "shared" / "anatomy"))
KIDNEY = FOLDER / "kidney" / "VH_F_Kidney_L_outer_mm.stl"
pytestmark = pytest.mark.skipif(
    not KIDNEY.is_file(), reason=f"no anatomy meshes: set TISSUESIM_ANATOMY (looked for {KIDNEY})"
)


def depth_of(surface: pyvista.PolyData, points: np.ndarray) -> np.ndarray:
    """Depth (mm) of points below a closed surface, negative outside."""
    return -np.asarray(pyvista.PolyData(points).compute_implicit_distance(surface)["implicit_distance"])


def mesh_of(surface: pyvista.PolyData, h: float, path: Path) -> Path:
    """Write the Delaunay tetrahedra of a body-centered lattice inside the surface and of points on it, h apart."""
    low, high = np.array(surface.bounds).reshape(3, 2).T
    axes = [np.arange(a, b + h, h) for a, b in zip(low, high, strict=True)]
    lattice = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    lattice = np.concatenate([lattice, lattice + h / 2])
    lattice = lattice[depth_of(surface, lattice) > 0.45 * h]
    corners = np.asarray(surface.points, dtype=np.float64)
    cell = np.floor(corners / (0.85 * h)).astype(int)
    _, first = np.unique(cell, axis=0, return_index=True)
    points = np.concatenate([lattice, corners[first]])
    cells = Delaunay(points).simplices
    a, b, c, d = (points[cells[:, k]] for k in range(4))
    volume = np.abs(np.einsum("ij,ij->i", b - a, np.cross(c - a, d - a))) / 6.0
    cells = cells[(volume > 1e-4 * h**3) & (depth_of(surface, points[cells].mean(axis=1)) > 0)]
    used, cells = np.unique(cells, return_inverse=True)
    pyvista.UnstructuredGrid({pyvista.CellType.TETRA: cells.reshape(-1, 4)}, points[used]).save(path)
    return path


def test_order_in_a_real_kidney(tmp_path: Path) -> None:
    """Claim: in an imported kidney's own tetrahedra the steady state 2 + (1 - r^2/R^2)^4 is met at order 1.8 in L2.

    r is the distance from the deepest place, R its depth: there is no flux through the organ's surface, as its walls
    have it. The mesh goes through a file and the importer.
    """
    surface = pyvista.read(KIDNEY)
    low, high = np.array(surface.bounds).reshape(3, 2).T
    grid = np.stack(np.meshgrid(*np.linspace(low, high, 24).T, indexing="ij"), axis=-1).reshape(-1, 3)
    depth = depth_of(surface, grid)
    center, reach = grid[np.argmax(depth)], float(depth.max())
    errors, sizes, diffusivity = [], (6.0, 4.0, 2.7), 10.0
    for h in sizes:
        file = mesh_of(surface, h, tmp_path / f"kidney_{h:g}.vtu")
        tissue = build_tissue(str(file), "kidney", 4.0, units="mm", domain="tetrahedra")
        assert tissue.points is not None and tissue.n > 1000
        assert float(tissue.volume.sum()) == pytest.approx(258_500, rel=0.05)
        errors.append(l2_error(tissue, center, reach, diffusivity))
    orders = np.log(np.array(errors[:-1]) / errors[1:]) / np.log(np.array(sizes[:-1]) / sizes[1:])
    assert np.all(orders > 1.8), (errors, orders)


def l2_error(tissue: Tissue, center: np.ndarray, reach: float, diffusivity: float) -> float:
    """Error of the steady state under a source, loss 1/day, as a volume mean."""
    square = ((tissue.centers() - center) ** 2).sum(axis=1) / reach**2
    left = np.maximum(1 - square, 0)
    exact = 2.0 + left**4
    # in three dimensions, with s = r^2 / R^2: laplacian = (4 s f'' + 6 f') / R^2, f = (1 - s)^4
    laplacian = (48 * square * left**2 - 24 * left**3) / reach**2
    model = signal_model({"diffusivity": f"{diffusivity} mm^2/day", "loss": "1 1/day"})
    found = steady(model, tissue, exact - diffusivity * laplacian).signal("signal")
    return float(np.sqrt((tissue.volume * (found - exact) ** 2).sum() / tissue.volume.sum()))
