"""Transport in three languages gives the same bits on an irregular graph, in float32 and in float64."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tissuesim.backends.base import BACKENDS, Backend, load_backend

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
        motility=np.array([[0.01, 0.02, -1.0], [0.02, 0.03, 0.0], [-1.0, 0.0, 0.2]], real),
    )


def mesh(case: SimpleNamespace, backend: Backend) -> tuple[Any, Any, Any]:
    """Region, neighbors and geometry in the order of the signatures."""
    rows = backend.arrays.put_rows
    return (
        backend.arrays.put(case.graph.region),
        rows(case.graph.neighbors),
        rows(case.graph.geometry(case.real)),
    )


def equal_on_all(run: Callable[[Backend], tuple[Any, ...]]) -> tuple[np.ndarray, ...]:
    """Run on all backends and compare bits; returns the result."""
    results = []
    for name in BACKENDS:
        backend = load_backend(name)
        results.append([np.asarray(backend.arrays.get_rows(part)) for part in run(backend)])
    reference, *others = results
    for other in others:
        for expected, found in zip(reference, other, strict=True):
            assert expected.dtype == found.dtype
            assert np.array_equal(expected, found)
            assert np.array_equal(np.signbit(expected), np.signbit(found))
    return tuple(reference)


@pytest.mark.parametrize("which", [0, 1], ids=["uniform", "regions"])
def test_signal_solve_agrees(case: SimpleNamespace, which: int, cuda: str) -> None:
    """Claim: diagonal, sweeps and clipping agree in every bit, both coefficients."""

    def run(backend: Backend) -> tuple[Any, ...]:
        arrays, transport = backend.arrays, backend.transport
        coefficient, faces = arrays.put(case.coefficients[which]), mesh(case, backend)
        diagonal, b = arrays.put_rows(case.loss.copy()), arrays.put_rows(case.b)
        transport.signal_diagonal(diagonal, 0.0625, coefficient, *faces)
        old, current = arrays.put_rows(case.x.copy()), arrays.put_rows(case.x.copy())
        for _ in range(7):
            transport.signal_sweep(old, current, b, diagonal, arrays.put(case.omega), coefficient, *faces)
            current, old = old, current
        below = arrays.get_rows(current) - case.real(0.3)
        below[0] = -0.0
        clipped = arrays.put_rows(below)
        transport.clip_signals(clipped)
        return diagonal, current, clipped

    *_, clipped = equal_on_all(run)
    assert not np.signbit(clipped).any()


@pytest.mark.parametrize("fields", [3, 16])
@pytest.mark.parametrize("which", [0, 1], ids=["uniform", "regions"])
def test_explicit_diffusion_agrees(case: SimpleNamespace, which: int, fields: int, cuda: str) -> None:
    """Claim: the explicit pass agrees in every bit for rows of any length."""
    rows = np.ascontiguousarray(np.resize(case.x, (case.graph.n, fields)))
    coefficient = case.coefficients[which]
    coefficient = np.ascontiguousarray(
        np.resize(coefficient, (*coefficient.shape[:-1], fields)) * case.real(1e-3)
    )

    def run(backend: Backend) -> tuple[Any, ...]:
        arrays = backend.arrays
        new = arrays.zeros_rows(case.graph.n, fields, case.real)
        backend.transport.diffuse_explicit(
            new, arrays.put_rows(rows), arrays.put(coefficient), *mesh(case, backend)
        )
        return (new,)

    equal_on_all(run)


@pytest.mark.parametrize("chemotaxis", [0.0, 0.7])
def test_deterministic_movement_agrees(case: SimpleNamespace, chemotaxis: float, cuda: str) -> None:
    """Claim: hazards, outflow and gathering of expected cells agree in every bit, with and without attractant."""
    largest = []

    def run(backend: Backend) -> tuple[Any, ...]:
        arrays, movement = backend.arrays, backend.movement
        faces = mesh(case, backend)
        moving = (arrays.put(case.motility), chemotaxis, arrays.put_rows(case.x), 2, 1.5, *faces)
        largest.append(movement.largest_movement_hazard(*moving))
        outflow = arrays.zeros_rows(case.graph.n, 6, case.real)
        cells = arrays.put_rows(case.cells.astype(np.float64))
        movement.movement_outflow_deterministic(outflow, cells, 3, 0.01, *moving)
        movement.movement_gather(cells, 3, outflow, faces[1])
        return outflow, cells

    equal_on_all(run)
    assert largest[0] > 0 and len(set(largest)) == 1


@pytest.mark.parametrize("chemotaxis", [0.0, 0.7])
def test_stochastic_movement_agrees(case: SimpleNamespace, chemotaxis: float, cuda: str) -> None:
    """Claim: whole cells leave through the same faces everywhere, and none is lost or made."""
    counts = case.cells.astype(np.int32)

    def run(backend: Backend) -> tuple[Any, ...]:
        arrays, movement = backend.arrays, backend.movement
        faces = mesh(case, backend)
        moving = (arrays.put(case.motility), chemotaxis, arrays.put_rows(case.x), 2, 1.5, *faces)
        numbers = case.graph.box_index
        box_index = arrays.put(numbers.astype(np.uint32) if backend.name == "cuda" else numbers)
        outflow, cells = arrays.zeros_rows(case.graph.n, 6, np.int32), arrays.put_rows(counts.copy())
        for tick in (-3, 0, 9):
            movement.movement_outflow_stochastic(
                outflow, cells, 1, 0.3, *moving, box_index, 1, 1, tick, 2, *KEY
            )
            movement.movement_gather(cells, 1, outflow, faces[1])
        return outflow, cells

    outflow, cells = equal_on_all(run)
    assert outflow.sum() > 0
    assert cells.min() >= 0
    assert np.array_equal(cells.sum(axis=0, dtype=np.int64), counts.sum(axis=0, dtype=np.int64))
