"""Diffusion and movement do what their formulas say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np
import pytest
from scipy import sparse, stats
from scipy.sparse.linalg import spsolve

from tissuesim.backends.numba import movement as numba_movement
from tissuesim.backends.numba import transport as numba_transport
from tissuesim.backends.numpy import movement, transport
from tissuesim.numerics.chebyshev import chebyshev_omegas, sweeps_needed

SIGNALS = 3


def matrix(graph: Any, coefficient: np.ndarray, diagonal: np.ndarray, geometry: np.ndarray) -> Any:
    """Return the sparse matrix of one signal: diagonal minus faces."""
    rows = np.repeat(np.arange(graph.n), 6)
    faces = coefficient[graph.region[:, None], graph.region[graph.neighbors]] * geometry
    off = sparse.csr_matrix((faces.ravel(), (rows, graph.neighbors.ravel())), shape=(graph.n, graph.n))
    return sparse.csr_matrix(sparse.diags(diagonal) - off)


def problem(graph: Any) -> dict[str, np.ndarray]:
    """Return a float64 system with three signals, slow to fast, and its spectral bound."""
    generator = np.random.default_rng(8)
    geometry = graph.geometry(np.float64)
    table = generator.uniform(0.5, 1.0, (3, 3, SIGNALS)) * np.array([0.05, 1.0, 10.0])
    table = table + table.transpose(1, 0, 2)
    diagonal = np.full((graph.n, SIGNALS), 2.0)
    mesh = (graph.region, graph.neighbors, geometry)
    transport.signal_diagonal(diagonal, 0.05, table, *mesh)
    b = generator.uniform(0.0, 5.0, diagonal.shape)
    spread = diagonal - 1.1
    return {"table": table, "diagonal": diagonal, "b": b,
            "geometry": geometry, "rho": np.max(spread / diagonal, axis=0)}  # fmt: skip


def solve(graph: Any, p: dict[str, np.ndarray], sweeps: int, backend: Any = transport) -> np.ndarray:
    """Return the signals after a number of sweeps from zero."""
    current, old = np.zeros_like(p["b"]), np.zeros_like(p["b"])
    for omega in chebyshev_omegas(p["rho"], sweeps):
        backend.signal_sweep(
            old,
            current,
            p["b"],
            p["diagonal"],
            omega,
            p["table"],
            graph.region,
            graph.neighbors,
            p["geometry"],
        )
        current, old = old, current
    return current


def test_sweeps_reach_the_solution(irregular_graph: Any) -> None:
    """Claim: the predicted number of sweeps solves the system to the tolerance (direct solver)."""
    p, tolerance = problem(irregular_graph), 1e-8
    x = solve(irregular_graph, p, int(sweeps_needed(p["rho"], tolerance).max()))
    for s in range(SIGNALS):
        system = matrix(irregular_graph, p["table"][..., s], p["diagonal"][:, s], p["geometry"])
        exact = spsolve(system.tocsc(), p["b"][:, s])
        assert np.allclose(x[:, s], exact, rtol=0, atol=100 * tolerance * exact.max())
        left = np.max(np.abs((p["b"][:, s] - system @ x[:, s]) / p["diagonal"][:, s]))
        assert left <= tolerance * np.max(np.abs(x[:, s]))


def test_chebyshev_converges_at_its_rate(irregular_graph: Any) -> None:
    """Claim: the error falls at least by 1/T_k(1/rho), within a factor for the max norm."""
    p = problem(irregular_graph)
    exact = solve(irregular_graph, p, 600)
    start = np.max(np.abs(exact), axis=0)
    for sweeps in (5, 10, 20, 40):
        error = np.max(np.abs(solve(irregular_graph, p, sweeps) - exact), axis=0)
        bound = 1.0 / np.cosh(sweeps * np.arccosh(1.0 / p["rho"]))
        assert np.all(error <= 10 * bound * start + 1e-13)


def test_chebyshev_factors() -> None:
    """Claim: factors are 1, 1/(1 - rho^2/2) ... 2/(1 + sqrt(1 - rho^2)); bad bounds are refused."""
    rho = np.array([0.0, 0.5, 0.99])
    omegas = chebyshev_omegas(rho, 400)
    assert np.array_equal(omegas[0], np.ones(3))
    assert np.allclose(omegas[1], 1 / (1 - rho**2 / 2), rtol=1e-15)
    assert np.allclose(omegas[-1], 2 / (1 + np.sqrt(1 - rho**2)), rtol=1e-12)
    assert sweeps_needed(rho, 1e-5).tolist() == [1, 13, 112]
    for bad in (1.0, -0.1, np.nan):
        with pytest.raises(ValueError, match="spectral bound"):
            sweeps_needed(bad, 1e-5)
    with pytest.raises(ValueError, match="tolerance"):
        sweeps_needed(0.5, 0.0)


def test_explicit_diffusion_conserves(irregular_graph: Any) -> None:
    """Claim: diffusion moves and does not make: volume x amount is kept, a flat field stays flat."""
    p, generator = problem(irregular_graph), np.random.default_rng(4)
    mesh = (irregular_graph.region, irregular_graph.neighbors, p["geometry"])
    x = generator.uniform(0.0, 5.0, p["b"].shape)
    new = np.zeros_like(x)
    transport.diffuse_explicit(new, x, 1e-3 * p["table"], *mesh)
    assert np.abs(new - x).max() > 1e-3
    volume = irregular_graph.volume[:, None]
    assert np.allclose(np.sum(new * volume, axis=0), np.sum(x * volume, axis=0), rtol=1e-13)
    transport.diffuse_explicit(new, np.full_like(x, 0.7), 1e-3 * p["table"], *mesh)
    assert np.array_equal(new, np.full_like(x, 0.7))


MOTILITY = np.array([[0.01, 0.02, 0.1], [0.02, 0.03, 0.0], [0.1, 0.0, 0.2]])


def moving(graph: Any, signals: np.ndarray) -> tuple[Any, ...]:
    """Return the arguments of a crawling cell type that follows the first signal."""
    return (MOTILITY, 0.7, signals, 0, 1.5, graph.region, graph.neighbors, graph.geometry(np.float64))


def test_largest_hazard_is_the_largest(irregular_graph: Any) -> None:
    """Claim: the step limit sees the largest sum of hazards, and no wall is crossed."""
    signals = np.random.default_rng(2).uniform(0, 5, (irregular_graph.n, 1))
    outflow, one = np.zeros((irregular_graph.n, 6)), np.ones((irregular_graph.n, 1))
    movement.movement_outflow_deterministic(outflow, one, 0, 1.0, *moving(irregular_graph, signals))
    largest = movement.largest_movement_hazard(*moving(irregular_graph, signals))
    assert largest == pytest.approx(outflow.sum(axis=1).max(), rel=1e-14)
    walls = irregular_graph.neighbors == np.arange(irregular_graph.n)[:, None]
    assert walls.any()
    assert np.all(outflow[walls] == 0)
    assert np.all(outflow >= 0)


def test_hazards_follow_the_formula(irregular_graph: Any) -> None:
    """Claim: each hazard is geometry (D + max(chi du / (1 + u)^2, 0)), written another way here."""
    signals = np.random.default_rng(2).uniform(0, 5, (irregular_graph.n, 1))
    outflow, one = np.zeros((irregular_graph.n, 6)), np.ones((irregular_graph.n, 1))
    movement.movement_outflow_deterministic(outflow, one, 0, 1.0, *moving(irregular_graph, signals))
    u = signals[:, 0] / 1.5
    other = u[irregular_graph.neighbors]
    saturation = (1 + (u[:, None] + other) / 2) ** -2
    drift = np.maximum(0.7 * (other - u[:, None]) * saturation, 0)
    pairs = MOTILITY[irregular_graph.region[:, None], irregular_graph.region[irregular_graph.neighbors]]
    assert np.allclose(outflow, irregular_graph.geometry(np.float64) * (pairs + drift), rtol=1e-13, atol=0)


def test_movement_is_symmetric_left_and_right(graph_of: Callable[..., Any]) -> None:
    """Claim: a mirrored tissue gives the mirrored outflow in every bit: no face is preferred."""
    inside = np.random.default_rng(6).random((6, 7, 8)) < 0.7
    graph = graph_of(inside, 3, shuffled=False)
    signals = np.random.default_rng(7).uniform(0, 5, (graph.n, 1))
    cells = np.random.default_rng(8).uniform(0, 50, (graph.n, 1))
    outflow, mirrored = np.zeros((graph.n, 6)), np.zeros((graph.n, 6))
    movement.movement_outflow_deterministic(outflow, cells, 0, 0.01, *moving(graph, signals))
    swap = [1, 0, 3, 2, 5, 4]
    arguments = list(moving(graph, signals))
    arguments[-2:] = [graph.neighbors[:, swap].copy(), graph.geometry(np.float64)[:, swap].copy()]
    movement.movement_outflow_deterministic(mirrored, cells, 0, 0.01, *arguments)
    assert np.array_equal(mirrored, outflow[:, swap])


def test_deterministic_movement_conserves(irregular_graph: Any) -> None:
    """Claim: two hundred steps of real cells keep their number to rounding, and none turns negative."""
    signals = np.random.default_rng(2).uniform(0, 5, (irregular_graph.n, 1))
    arguments = moving(irregular_graph, signals)
    cells = np.random.default_rng(9).uniform(0, 50, (irregular_graph.n, 2))
    total, dt = cells.sum(axis=0), 0.5 / movement.largest_movement_hazard(*arguments)
    outflow = np.zeros((irregular_graph.n, 6))
    for _ in range(200):
        numba_movement.movement_outflow_deterministic(outflow, cells, 1, dt, *arguments)
        numba_movement.movement_gather(cells, 1, outflow, irregular_graph.neighbors)
    assert np.allclose(cells.sum(axis=0), total, rtol=1e-12)
    assert cells.min() >= 0


def test_leavers_have_the_multinomial_distribution(graph_of: Callable[..., Any]) -> None:
    """Claim: leavers are binomial with the share of the deterministic reading, split over faces like the hazards."""
    graph = graph_of(np.ones((3, 3, 3), bool), 3, shuffled=False)
    signals = np.random.default_rng(2).uniform(0, 5, (graph.n, 1))
    arguments, middle = moving(graph, signals), 13
    hazards, one = np.zeros((graph.n, 6)), np.ones((graph.n, 1))
    movement.movement_outflow_deterministic(hazards, one, 0, 1.0, *arguments)
    hazard = hazards[middle]
    leave = 0.3
    dt = leave / hazard.sum()
    cells = np.full((graph.n, 1), 20.0)
    outflow, split, counts = np.zeros((graph.n, 6), np.int32), np.zeros(6), []
    for tick in range(3000):
        numba_movement.movement_outflow_stochastic(
            outflow, cells, 0, dt, *arguments, graph.box_index, 1, 2, tick, 0, 5, 6
        )
        split += outflow[middle]
        counts.append(outflow[middle].sum())
    open_faces = hazard > 0
    assert np.all(split[~open_faces] == 0)
    expected = split.sum() * hazard / hazard.sum()
    assert stats.chisquare(split[open_faces], expected[open_faces]).pvalue > 1e-3
    assert abs(np.mean(counts) - 20 * leave) < 4 * np.sqrt(20 * leave * (1 - leave) / 3000)
    assert abs(np.var(counts) / (20 * leave * (1 - leave)) - 1) < 5 * np.sqrt(2 / 3000)


@pytest.mark.parametrize(
    ("backend", "moves"), [(transport, movement), (numba_transport, numba_movement)], ids=["numpy", "numba"]
)
def test_voxel_order_changes_nothing(irregular_graph: Any, backend: Any, moves: Any) -> None:
    """Claim: results belong to places, not to storage: a reordered tissue gives the reordered bits."""
    graph, p = irregular_graph, problem(irregular_graph)
    order = np.random.default_rng(12).permutation(graph.n)
    place = np.empty(graph.n, np.int32)
    place[order] = np.arange(graph.n)
    region, neighbors = graph.region[order], place[graph.neighbors[order]]
    geometry, box_index = p["geometry"][order], graph.box_index[order]

    x = solve(graph, p, 9, backend)
    current, old = np.zeros_like(x), np.zeros_like(x)
    b, diagonal = p["b"][order], p["diagonal"][order]
    for omega in chebyshev_omegas(p["rho"], 9):
        backend.signal_sweep(old, current, b, diagonal, omega, p["table"], region, neighbors, geometry)
        current, old = old, current
    assert np.array_equal(current, x[order])

    cells = np.floor(x * 10)
    moved, outflow = cells[order].copy(), np.zeros((graph.n, 6), np.int32)
    draw = (1, 0, 77, 0, 3, 4)
    moves.movement_outflow_stochastic(outflow, cells, 0, 0.4, *moving(graph, x), graph.box_index, *draw)
    moves.movement_gather(cells, 0, outflow, graph.neighbors)
    reordered = (MOTILITY, 0.7, current, 0, 1.5, region, neighbors, geometry)
    moves.movement_outflow_stochastic(outflow, moved, 0, 0.4, *reordered, box_index, *draw)
    moves.movement_gather(moved, 0, outflow, neighbors)
    assert np.array_equal(moved, cells[order])


def test_thread_count_changes_nothing(irregular_graph: Any) -> None:
    """Claim: one thread and all threads give the same bits."""
    p = problem(irregular_graph)
    threads = numba.get_num_threads()
    many = solve(irregular_graph, p, 9, numba_transport)
    try:
        numba.set_num_threads(1)
        one = solve(irregular_graph, p, 9, numba_transport)
    finally:
        numba.set_num_threads(threads)
    assert np.array_equal(one, many)
