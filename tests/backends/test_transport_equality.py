"""Transport in three languages gives the same bits on an irregular graph, in float32 and in float64."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tissuesim.backends.host.compile import call, compile_host
from tissuesim.backends.kernel_source import read_kernel
from tissuesim.backends.numba import transport as numba_transport
from tissuesim.backends.numpy import transport as numpy_transport

KEY = (0xDEADBEEF, 0x12345678)
TYPES = 5


class HostTransport:
    """The CUDA text compiled by g++, with the signatures of the other backends."""

    def __init__(self, real: type) -> None:
        self.real = real
        self.diffusion = compile_host(read_kernel("transport.cu"), real)
        self.moving = compile_host(read_kernel("movement.cu"), real)

    def _call(self, library: ctypes.CDLL, kernel: str, *arguments: Any) -> None:
        call(library, kernel, self.real, *arguments)

    @staticmethod
    def _sizes(x: np.ndarray, coefficient: np.ndarray) -> tuple[int, int, int]:
        return *x.shape, 1 if coefficient.ndim == 1 else len(coefficient)

    def signal_sweep(self, new, current, b, inverse, omega, coefficient, *graph) -> None:
        sizes = self._sizes(new, coefficient)
        self._call(
            self.diffusion, "signal_sweep", *sizes, new, current, b, inverse, omega, coefficient, *graph
        )

    def diffuse_explicit(self, new, current, coefficient, *graph) -> None:
        sizes = self._sizes(new, coefficient)
        self._call(self.diffusion, "diffuse_explicit", *sizes, new, current, coefficient, *graph)

    def signal_diagonal(self, diagonal, inverse, loss, dt, coefficient, *graph) -> None:
        sizes = self._sizes(loss, coefficient)
        self._call(
            self.diffusion, "signal_diagonal", *sizes, diagonal, inverse, loss, float(dt), coefficient, *graph
        )

    def signal_residual(self, x, b, diagonal, inverse, coefficient, *graph) -> tuple[np.ndarray, np.ndarray]:
        left, size = np.zeros(x.shape[1], x.dtype), np.zeros(x.shape[1], x.dtype)
        sizes = self._sizes(x, coefficient)
        self._call(
            self.diffusion,
            "signal_residual",
            *sizes,
            left,
            size,
            x,
            b,
            diagonal,
            inverse,
            coefficient,
            *graph,
        )
        return left, size

    def signal_audit(self, x, b, diagonal, volume, scale, coefficient, *graph) -> np.ndarray:
        total = np.zeros(x.shape[1], np.int64)
        sizes = self._sizes(x, coefficient)
        self._call(
            self.diffusion, "signal_audit", *sizes, total, x, b, diagonal, volume, scale, coefficient, *graph
        )
        return total

    def clip_signals(self, x) -> None:
        self._call(self.diffusion, "clip_signals", *x.shape, x)

    def movement_outflow_deterministic(
        self, outflow, cells, column, dt, motility, chemotaxis, signals, attractant, half, *graph
    ) -> None:
        self._call(
            self.moving, "movement_outflow_deterministic",
            *cells.shape, signals.shape[1], len(motility), outflow, cells, column, float(dt), motility,
            float(chemotaxis), signals, attractant, float(half), *graph,
        )  # fmt: skip

    def movement_outflow_stochastic(
        self, outflow, cells, column, dt, motility, chemotaxis, signals, attractant, half, region, neighbors,
        geometry, box_index, operator, species, tick, substep, k0, k1,
    ) -> None:  # fmt: skip
        words = [operator << 24 | species << 16, tick, substep << 8, k0, k1]
        self._call(
            self.moving, "movement_outflow_stochastic",
            *cells.shape, signals.shape[1], len(motility), outflow, cells, column, float(dt), motility,
            float(chemotaxis), signals, attractant, float(half), region, neighbors, geometry, box_index,
            *(np.asarray(word).astype(np.uint32)[()] for word in words),
        )  # fmt: skip

    def movement_gather(self, cells, column, outflow, neighbors) -> None:
        kernel = "movement_gather_counts" if outflow.dtype == np.int32 else "movement_gather"
        self._call(self.moving, kernel, *cells.shape, cells, column, outflow, neighbors)

    def largest_movement_hazard(self, motility, chemotaxis, signals, attractant, half, *graph) -> float:
        largest = np.zeros(1, self.real)
        n, fields = signals.shape
        self._call(
            self.moving, "largest_movement_hazard", n, fields, len(motility), largest, motility,
            float(chemotaxis), signals, attractant, float(half), *graph,
        )  # fmt: skip
        return float(largest[0])


@pytest.fixture(scope="module", params=[np.float32, np.float64], ids=["float32", "float64"])
def case(request: pytest.FixtureRequest, irregular_graph: Any) -> SimpleNamespace:
    """A graph, random fields over many decades and the three backends, for one dtype."""
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
        backends=(numpy_transport, numba_transport, HostTransport(real)),
    )


def mesh(case: SimpleNamespace) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Region, neighbors and geometry in the order of the signatures."""
    return case.graph.region, case.graph.neighbors, case.graph.geometry(case.real)


def equal_on_all(
    case: SimpleNamespace, run: Callable[[Any], tuple[np.ndarray, ...]]
) -> tuple[np.ndarray, ...]:
    """Run on NumPy, Numba and the CUDA text and compare bits; returns the result."""
    reference, *others = (run(backend) for backend in case.backends)
    for other in others:
        for expected, found in zip(reference, other, strict=True):
            assert expected.dtype == found.dtype
            assert np.array_equal(expected, found)
            assert np.array_equal(np.signbit(expected), np.signbit(found))
    return reference


@pytest.mark.parametrize("which", [0, 1], ids=["uniform", "regions"])
def test_signal_solve_agrees(case: SimpleNamespace, which: int) -> None:
    """Claim: diagonal, sweeps, residual, audit and clipping agree in every bit, both coefficients."""
    coefficient, volume = case.coefficients[which], case.graph.volume
    scale = 2.0 ** np.arange(10, 18)

    def run(transport: Any) -> tuple[np.ndarray, ...]:
        diagonal, inverse = np.zeros_like(case.x), np.zeros_like(case.x)
        transport.signal_diagonal(diagonal, inverse, case.loss, 0.0625, coefficient, *mesh(case))
        old, current = case.x.copy(), case.x.copy()
        for _ in range(7):
            transport.signal_sweep(old, current, case.b, inverse, case.omega, coefficient, *mesh(case))
            current, old = old, current
        left, size = transport.signal_residual(current, case.b, diagonal, inverse, coefficient, *mesh(case))
        total = transport.signal_audit(current, case.b, diagonal, volume, scale, coefficient, *mesh(case))
        clipped = current - case.real(0.3)
        clipped[0] = -0.0
        transport.clip_signals(clipped)
        return diagonal, inverse, current, left, size, total, clipped

    *_, clipped = equal_on_all(case, run)
    assert not np.signbit(clipped).any()


@pytest.mark.parametrize("fields", [1, 3, 8, 16])
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

    equal_on_all(case, run)


@pytest.mark.parametrize("chemotaxis", [0.0, 0.7])
def test_deterministic_movement_agrees(case: SimpleNamespace, chemotaxis: float) -> None:
    """Claim: hazards, outflow and gathering of real cells agree in every bit, with and without attractant."""

    def run(transport: Any) -> tuple[np.ndarray, ...]:
        moving = (case.motility, chemotaxis, case.x, 2, 1.5, *mesh(case))
        largest = transport.largest_movement_hazard(*moving)
        outflow, cells = np.zeros((case.graph.n, 6), case.real), case.cells.copy()
        transport.movement_outflow_deterministic(outflow, cells, 3, 0.01, *moving)
        transport.movement_gather(cells, 3, outflow, case.graph.neighbors)
        return np.array([largest]), outflow, cells

    equal_on_all(case, run)


@pytest.mark.parametrize("chemotaxis", [0.0, 0.7])
def test_stochastic_movement_agrees(case: SimpleNamespace, chemotaxis: float) -> None:
    """Claim: whole cells leave through the same faces everywhere, and none is lost or made."""

    def run(transport: Any) -> tuple[np.ndarray, ...]:
        outflow, cells = np.zeros((case.graph.n, 6), np.int32), case.cells.copy()
        for tick in (-3, 0, 9):
            transport.movement_outflow_stochastic(
                outflow, cells, 1, 0.3, case.motility, chemotaxis, case.x, 2, 1.5, *mesh(case),
                case.graph.box_index, 1, 1, tick, 2, *KEY,
            )  # fmt: skip
            transport.movement_gather(cells, 1, outflow, case.graph.neighbors)
        return outflow, cells

    outflow, cells = equal_on_all(case, run)
    assert outflow.sum() > 0
    assert cells.min() >= 0
    assert np.array_equal(cells.sum(axis=0, dtype=np.float64), case.cells.sum(axis=0, dtype=np.float64))
