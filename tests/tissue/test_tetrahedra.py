"""Tetrahedra as control volumes: six slots for any graph, second order, the same kernels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import Delaunay

from tissuesim.backends.base import load_backend
from tissuesim.errors import InputError
from tissuesim.tissue import Tissue, build_tetrahedra
from tissuesim.tissue.faces import six_slots
from tissuesim.verification.diffusion import signal_model, steady
from tissuesim.verification.movement import crawling
from tissuesim.verification.specimen import Specimen


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 60), st.integers(0, 10**6))
def test_every_graph_of_six_neighbors_has_slots(n: int, seed: int) -> None:
    """Claim: no node uses a slot twice, and slot k of one side is k ^ 1 of the other, for any graph of degree six."""
    generator = np.random.default_rng(seed)
    pairs = generator.permutation([(a, b) for a in range(n) for b in range(a)])
    degree, edges = np.zeros(n, int), []
    for a, b in pairs:
        if degree[a] < 6 and degree[b] < 6 and generator.random() < 0.9:
            edges.append((a, b))
            degree[a] += 1
            degree[b] += 1
    first, second = np.array(edges, np.int64).reshape(-1, 2).T
    slot = six_slots(n, first, second)
    used = np.concatenate([first * 6 + slot, second * 6 + (slot ^ 1)])
    assert len(np.unique(used)) == len(used) and slot.min(initial=0) >= 0 and slot.max(initial=0) < 6


def test_seven_neighbors_are_refused() -> None:
    """Claim: a node with more neighbors than slots is refused."""
    with pytest.raises(ValueError, match="7 neighbors"):
        six_slots(8, np.zeros(7, np.int64), np.arange(1, 8))


def cube_points(cells: int, jitter: float) -> np.ndarray:
    """Corners and centers of the cells of a unit cube, those inside moved at random."""
    edge, middle = np.arange(cells + 1) / cells, (np.arange(cells) + 0.5) / cells
    grids = [np.stack(np.meshgrid(axis, axis, axis), axis=-1).reshape(-1, 3) for axis in (edge, middle)]
    points = np.concatenate(grids)
    inside = np.all((points > 1e-9) & (points < 1 - 1e-9), axis=1)
    points[inside] += jitter / cells * np.random.default_rng(1).uniform(-1, 1, (int(inside.sum()), 3))
    return points


def delaunay(points: np.ndarray) -> np.ndarray:
    """Tetrahedra of the points, without the flat ones on the hull."""
    cells = Delaunay(points).simplices
    a, b, c, d = (points[cells[:, k]] for k in range(4))
    volume = np.abs(np.einsum("ij,ij->i", b - a, np.cross(c - a, d - a))) / 6.0
    edge = np.linalg.norm(points[cells] - np.roll(points[cells], 1, axis=1), axis=2).max(axis=1)
    return cells[volume > 1e-4 * edge**3]


def mesh_of(points: np.ndarray) -> Tissue:
    """A tissue of one region."""
    cells = delaunay(points)
    return build_tetrahedra("mesh", points, cells, np.zeros(len(cells), np.uint8))


def l2_error(tissue: Tissue, exact: np.ndarray, source: np.ndarray) -> float:
    """Error of the steady state under a source, D = 0.1 mm^2/day and loss 1/day, as a volume mean."""
    model = signal_model({"diffusivity": "0.1 mm^2/day", "loss": "1 1/day"})
    found = steady(model, tissue, source).signal("signal")
    return float(np.sqrt((tissue.volume * (found - exact) ** 2).sum() / tissue.volume.sum()))


@pytest.mark.parametrize("jitter", [0.0, 0.2], ids=["regular", "irregular"])
def test_order_on_a_cube(jitter: float) -> None:
    """Claim: the steady state 2 + cos cos cos is met with order 1.8 or more in L2, on regular and irregular meshes."""
    errors = []
    for cells in (4, 8, 12):
        tissue = mesh_of(cube_points(cells, jitter))
        wave = np.prod(np.cos(np.pi * tissue.centers()), axis=1)
        errors.append(l2_error(tissue, 2.0 + wave, 2.0 + (1.0 + 0.3 * np.pi**2) * wave))
    orders = np.log(np.array(errors[:-1]) / errors[1:]) / np.log([8 / 4, 12 / 8])
    assert np.all(orders > 1.8), orders


def ball_points(h: float) -> np.ndarray:
    """Points of a body-centered lattice inside the unit ball, and as many on its surface as are needed."""
    axis = np.arange(-1.5, 1.5, h)
    lattice = np.stack(np.meshgrid(axis, axis, axis), axis=-1).reshape(-1, 3)
    points = np.concatenate([lattice, lattice + h / 2])
    points = points[np.linalg.norm(points, axis=1) < 1.0 - 0.45 * h]
    count = int(4 * np.pi / (0.7 * h**2))
    k = np.arange(count) + 0.5
    polar, turn = np.arccos(1 - 2 * k / count), np.pi * (1 + 5**0.5) * k
    surface = np.stack([np.cos(turn) * np.sin(polar), np.sin(turn) * np.sin(polar), np.cos(polar)], axis=1)
    return np.concatenate([points, surface])


def test_order_on_a_ball() -> None:
    """Claim: on a ball with a curved surface, c = 2 + cos(pi r^2) is met with order 1.8 or more in L2."""
    errors, sizes = [], (0.4, 0.2, 0.1)
    for h in sizes:
        tissue = mesh_of(ball_points(h))
        assert abs(float(tissue.volume.sum()) / (4 / 3 * np.pi) - 1) < 1.5 * h**2
        square = (tissue.centers() ** 2).sum(axis=1)
        wave, slope = np.cos(np.pi * square), np.sin(np.pi * square)
        laplacian = -6 * np.pi * slope - 4 * np.pi**2 * square * wave
        errors.append(l2_error(tissue, 2.0 + wave, 2.0 + wave - 0.1 * laplacian))
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    assert np.all(orders > 1.8), (errors, orders)


@pytest.mark.parametrize("stochastic", [True, False])
def test_backends_agree_on_a_mesh(stochastic: bool, cuda: str) -> None:
    """Claim: cells crawl through a mesh with the same bits on every backend, and none is lost."""
    tissue = mesh_of(cube_points(5, 0.2))
    model = crawling(0.02, 0.0)
    start = np.random.default_rng(4).integers(0, 30, tissue.n)
    found = []
    for backend in ("numpy", "numba", "cuda"):
        specimen = Specimen.of(model, tissue, stochastic=stochastic, backend=backend)
        rows = start[:, None].astype(np.int32 if stochastic else np.float64)
        specimen.state = specimen.step.put_state(
            {
                "signals": np.zeros((tissue.n, len(model.signals))),
                "cells": rows,
                "states": np.zeros((tissue.n, 0)),
            }
        )
        assert load_backend(backend).name == specimen.step.backend.name
        specimen.move_stably(600)
        found.append(specimen.step.begin_download(specimen.state).result()["cells"][:, 0].copy())
    assert np.array_equal(found[0], found[1]) and np.array_equal(found[0], found[2])
    assert not np.array_equal(found[0], rows[:, 0])
    assert found[0].sum() == pytest.approx(start.sum(), rel=0 if stochastic else 1e-6)


def test_a_cube_cut_in_six_is_one_cell() -> None:
    """Claim: tetrahedra on one sphere become one control volume: a box cut in sixths is the voxel graph."""
    edge = np.arange(4.0)
    points = np.stack(np.meshgrid(edge, edge, edge, indexing="ij"), axis=-1).reshape(-1, 3)
    cells = []
    for corner in np.ndindex(3, 3, 3):
        for path in ((0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)):
            walk = [np.array(corner)]
            for axis in path:
                walk.append(walk[-1] + np.eye(3, dtype=int)[axis])
            cells.append([int(np.ravel_multi_index(tuple(step), (4, 4, 4))) for step in walk])
    tissue = build_tetrahedra("cubes", points, np.array(cells), np.zeros(len(cells), np.uint8))
    assert tissue.n == 27 and tissue.volume == pytest.approx(np.ones(27))
    assert sorted((tissue.conductance > 0).sum(axis=1))[-1] == 6
    assert tissue.conductance[tissue.conductance > 0] == pytest.approx(1.0)
    assert np.sort(tissue.centers(), axis=0)[0] == pytest.approx([0.5] * 3)


def test_regions_and_maps_follow_the_cells(tmp_path: object) -> None:
    """Claim: regions stay apart, maps are volume means, and a saved mesh comes back as it was."""
    points = cube_points(4, 0.1)
    cells = delaunay(points)
    x = points[cells].mean(axis=1)[:, 0]
    tissue = build_tetrahedra("two", points, cells, (x > 0.5).astype(np.uint8), ("left", "right"), {"x": x})
    assert tissue.region_volumes()["left"] == pytest.approx(0.5, abs=0.08)
    assert float(tissue.maps["x"] @ tissue.volume) == pytest.approx(0.5, abs=1e-3)
    path = f"{tmp_path}/mesh.npz"
    tissue.save(path)
    again = Tissue.load(path)
    assert again.digest() == tissue.digest() and np.array_equal(again.centers(), tissue.centers())


def test_bad_meshes_are_refused() -> None:
    """Claim: wrong numbers, flat cells, NaN, overlaps and meshes far from Delaunay end in one sentence."""
    points = cube_points(3, 0.0)
    cells = delaunay(points)
    region = np.zeros(len(cells), np.uint8)

    def build(points: np.ndarray, cells: np.ndarray) -> Tissue:
        return build_tetrahedra("bad", points, cells, np.zeros(len(cells), np.uint8))

    with pytest.raises(InputError, match="names point 999"):
        build(points, np.where(cells == cells.max(), 999, cells))
    with pytest.raises(InputError, match="1 tetrahedra are flat"):
        build(
            np.concatenate([points, points[cells[0, :1]]]),
            np.concatenate([cells, [[*cells[0, :3], len(points)]]]),
        )
    with pytest.raises(InputError, match="not a finite number"):
        build(np.where(np.arange(len(points))[:, None] == cells[0, 0], np.nan, points), cells)
    with pytest.raises(InputError, match="rows of four"):
        build(points, cells[:, :3])
    with pytest.raises(InputError, match="share one face"):
        build_tetrahedra(
            "bad", points, np.concatenate([cells, cells[:1], cells[:1]]), np.append(region, [0, 0])
        )
    sheared = points @ np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [2.0, 1.5, 1.0]])
    with pytest.raises(InputError, match="Delaunay"):
        build(sheared, cells)
