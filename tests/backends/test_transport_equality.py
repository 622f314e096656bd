"""Transport in three languages gives the same bits on an irregular graph, in float32 and in float64."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tissuesim.backends.host import movement as host_movement
from tissuesim.backends.host import transport as host_transport
from tissuesim.backends.numba import movement as numba_movement
from tissuesim.backends.numba import transport as numba_transport
from tissuesim.backends.numpy import movement as numpy_movement
from tissuesim.backends.numpy import transport as numpy_transport

DIFFUSION = (numpy_transport, numba_transport, host_transport)
MOVEMENT = (numpy_movement, numba_movement, host_movement)

KEY = (0xDEADBEEF, 0x12345678)
TYPES = 5


@pytest.fixture(scope="module", params=[np.float32, np.float64], ids=["float32", "float64"])
def case(request: pytest.FixtureRequest, irregular_graph: Any) -> SimpleNamespace:
    """A graph and random fields over many decades, for one dtype."""
    real, graph, generator = request.param, irregular_graph, np.random.default_rng(3)
    fields = 8
    x = (10.0 ** generator.uniform(-30, 3, (graph.n, fields))).astype(real)
    x[::5] = 0.0
    table = generator.uniform(0.01, 40.0, (3, 3, fields)).astype(real)
    cells = np.floor(10.0 ** generator.uniform(-1, 4, (graph.n, TYPES))).astype(real)
    return SimpleNamespace(
        real=real,
        graph=graph,
        x=x,
        b=generator.uniform(0.0, 5.0, (graph.n, fields)).astype(real),
        loss=generator.uniform(0.0, 30.0, (graph.n, fields)).astype(real),
        omega=generator.uniform(1.0, 1.9, fields).astype(real),
        coefficients=(table[0, 0].copy(), (table + table.transpose(1, 0, 2)).astype(real)),
        cells=cells,
        motility=np.array([[0.01, 0.02, 0.1], [0.02, 0.03, 0.0], [0.1, 0.0, 0.2]], real),
    )


def mesh(case: SimpleNamespace) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Region, neighbors and geometry in the order of the signatures."""
    return case.graph.region, case.graph.neighbors, case.graph.geometry(case.real)


def equal_on_all(
    modules: tuple[Any, ...], run: Callable[[Any], tuple[np.ndarray, ...]]
) -> tuple[np.ndarray, ...]:
    """Run on NumPy, Numba and the CUDA text and compare bits; returns the result."""
    reference, *others = (run(module) for module in modules)
    for other in others:
        for expected, found in zip(reference, other, strict=True):
            assert expected.dtype == found.dtype
            assert np.array_equal(expected, found)
            assert np.array_equal(np.signbit(expected), np.signbit(found))
    return reference


@pytest.mark.parametrize("which", [0, 1], ids=["uniform", "regions"])
def test_signal_solve_agrees(case: SimpleNamespace, which: int) -> None:
    """Claim: diagonal, sweeps, and clipping agree in every bit, both coefficients."""
    coefficient = case.coefficients[which]

    def run(transport: Any) -> tuple[np.ndarray, ...]:
        diagonal = case.loss.copy()
        transport.signal_diagonal(diagonal, 0.0625, coefficient, *mesh(case))
        old, current = case.x.copy(), case.x.copy()
        for _ in range(7):
            transport.signal_sweep(old, current, case.b, diagonal, case.omega, coefficient, *mesh(case))
            current, old = old, current
        clipped = current - case.real(0.3)
        clipped[0] = -0.0
        transport.clip_signals(clipped)
        return diagonal, current, clipped

    *_, clipped = equal_on_all(DIFFUSION, run)
    assert not np.signbit(clipped).any()


@pytest.mark.parametrize("fields", [3, 16])
@pytest.mark.parametrize("which", [0, 1], ids=["uniform", "regions"])
def test_explicit_diffusion_agrees(case: SimpleNamespace, which: int, fields: int) -> None:
    """Claim: the explicit pass agrees in every bit for rows of any length."""
    rows = np.ascontiguousarray(np.resize(case.x, (case.graph.n, fields)))
    coefficient = case.coefficients[which]
    coefficient = np.ascontiguousarray(
        np.resize(coefficient, (*coefficient.shape[:-1], fields)) * case.real(1e-3)
    )

    def run(transport: Any) -> tuple[np.ndarray, ...]:
        new = np.zeros_like(rows)
        transport.diffuse_explicit(new, rows, coefficient, *mesh(case))
        return (new,)

    equal_on_all(DIFFUSION, run)


@pytest.mark.parametrize("chemotaxis", [0.0, 0.7])
def test_deterministic_movement_agrees(case: SimpleNamespace, chemotaxis: float) -> None:
    """Claim: hazards, outflow and gathering of real cells agree in every bit, with and without attractant."""

    def run(movement: Any) -> tuple[np.ndarray, ...]:
        moving = (case.motility, chemotaxis, case.x, 2, 1.5, *mesh(case))
        largest = movement.largest_movement_hazard(*moving)
        outflow, cells = np.zeros((case.graph.n, 6), case.real), case.cells.copy()
        movement.movement_outflow_deterministic(outflow, cells, 3, 0.01, *moving)
        movement.movement_gather(cells, 3, outflow, case.graph.neighbors)
        return np.array([largest]), outflow, cells

    equal_on_all(MOVEMENT, run)


@pytest.mark.parametrize("chemotaxis", [0.0, 0.7])
def test_stochastic_movement_agrees(case: SimpleNamespace, chemotaxis: float) -> None:
    """Claim: whole cells leave through the same faces everywhere, and none is lost or made."""

    def run(movement: Any) -> tuple[np.ndarray, ...]:
        outflow, cells = np.zeros((case.graph.n, 6), np.int32), case.cells.copy()
        for tick in (-3, 0, 9):
            movement.movement_outflow_stochastic(
                outflow, cells, 1, 0.3, case.motility, chemotaxis, case.x, 2, 1.5, *mesh(case),
                case.graph.box_index, 1, 1, tick, 2, *KEY,
            )  # fmt: skip
            movement.movement_gather(cells, 1, outflow, case.graph.neighbors)
        return outflow, cells

    outflow, cells = equal_on_all(MOVEMENT, run)
    assert outflow.sum() > 0
    assert cells.min() >= 0
    assert np.array_equal(cells.sum(axis=0, dtype=np.float64), case.cells.sum(axis=0, dtype=np.float64))
