"""Signals at a step of r = dt D / h^2 = 10: cost and largest error, Chebyshev sweeps beside a line-by-line solver.

Cells that secrete stand in a hundredth of the voxels. Two errors are told, each relative to the greatest value: after
one step from nothing, against the solution exact in time, and at the balance, where a field spends its days.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tissuesim.backends.base import Backend
from tissuesim.bench.cases import Bound, Case, bind
from tissuesim.bench.lod import Decay, LineByLine, exact
from tissuesim.bench.measure import Effort, Row, copy_of, in_turns
from tissuesim.bench.operators import table_bytes
from tissuesim.numerics.signals import SignalSolve

SPREAD, LOSS, SECRETING = 10.0, 1.0, 0.01
STEPS_TO_BALANCE = 40
"""Steps from nothing to the balance: exp(-40) is below every error here."""

Step = Callable[[], None]


@dataclass(frozen=True)
class Method:
    """One solver: a step in place, and its field (z, y, x, S); ``restart`` begins from nothing."""

    name: str
    step: Step
    restart: Step
    field: Callable[[], NDArray[Any]]
    moved: int


def sources(problem: Decay) -> NDArray[np.float32]:
    """dt times the source (z, y, x, S): cells that secrete in a hundredth of the voxels."""
    cube = (problem.side,) * 3
    there = np.random.default_rng(7).random((*cube, 1)) < SECRETING
    return np.broadcast_to(there, (*cube, problem.fields)).astype(np.float32)


def chebyshev(bound: Bound, problem: Decay, source: NDArray[Any], substeps: int) -> Method:
    """Backward Euler by Chebyshev sweeps as in a run, in ``substeps`` parts."""
    arrays, transport, mesh, real = bound.backend.arrays, bound.backend.transport, bound.mesh, bound.case.real
    tissue = arrays.stored(bound.case.tissue)
    dt = 1.0 / substeps
    one = np.ones((1, problem.fields))
    geometry = tissue.conductance / tissue.volume[:, None]
    solve = SignalSolve.build(dt, problem.spread * one, geometry, problem.loss * one[0], real, arrays.put)
    faces = (solve.coefficient, mesh.region, mesh.neighbors, mesh.geometry)
    diagonal = arrays.put_rows(np.full((bound.n, problem.fields), problem.loss, real))
    transport.signal_diagonal(diagonal, real(dt), *faces)
    given = arrays.put_rows(np.ascontiguousarray(tissue.gather(source * real(dt))))
    rows = {"now": bound.zeros(), "old": bound.zeros()}
    right_hand_side = bound.zeros()

    def step() -> None:
        for _ in range(substeps):
            now, old = rows["now"], rows["old"]
            add_rows(bound.backend.name)(right_hand_side, now, given)
            arrays.copy_rows(old, now)
            for omega in solve.omegas:
                transport.signal_sweep(old, now, right_hand_side, diagonal, omega, *faces)
                now, old = old, now
            transport.clip_signals(now)
            rows["now"], rows["old"] = now, old

    def restart() -> None:
        rows["now"], rows["old"] = bound.zeros(), bound.zeros()

    size, itemsize = bound.row_bytes, np.dtype(real).itemsize
    sweep = 5 * size + table_bytes(bound.n, itemsize, by_region=False)
    return Method(
        f"Chebyshev, {substeps} sub-steps, {len(solve.omegas)} sweeps each",
        step,
        restart,
        lambda: tissue.scatter(arrays.get_rows(rows["now"])),
        substeps * (len(solve.omegas) * sweep + 6 * size),
    )


def add_rows(backend: str) -> Callable[[Any, Any, Any], None]:
    """``target = a + b``, compiled for Numba, else by the arrays of the backend."""
    if backend == "numba":
        from tissuesim.bench.lod import sum_rows

        return sum_rows

    def add(target: Any, a: Any, b: Any) -> None:
        target[...] = a + b

    return add


def line_by_line(bound: Bound, problem: Decay, source: NDArray[Any], substeps: int) -> Method:
    """The line-by-line solver in ``substeps`` parts."""
    solver = LineByLine(problem, substeps, bound.case.real)
    factors = solver.factors()
    field = np.zeros_like(source)

    def restart() -> None:
        field[...] = 0.0

    # per part: source (two read, one written), and along each axis forth and back, each read and written
    moved = substeps * (3 + 3 * 4) * source.nbytes
    return Method(
        f"line by line, {substeps} sub-steps", lambda: solver.step(field, source, factors), restart,
        lambda: field, moved,
    )  # fmt: skip


def signal_rows(case: Case, backend: Backend, effort: Effort, substeps: tuple[int, ...]) -> Iterator[Row]:
    """Cost and errors of both solvers at every number of sub-steps."""
    bound = bind(case, backend)
    problem = Decay(case.side, case.fields, SPREAD, LOSS)
    source = sources(problem)
    # all fields of this problem are alike: one of them is solved exactly
    one = Decay(case.side, 1, SPREAD, LOSS)
    nothing = np.zeros_like(source[..., :1])
    after_one, balance = (exact(one, nothing, source[..., :1], steps) for steps in (1.0, np.inf))
    for build in (chebyshev, line_by_line):
        for parts in substeps:
            if build is chebyshev and parts > 4:
                continue  # its balance is exact at one sub-step; more only refine the way there
            method = build(bound, problem, source, parts)
            one_step, at_balance = errors(method, after_one, balance, parts)
            method.restart()
            seconds, copying = in_turns((method.step, copy_of(bound)), effort, backend.arrays.synchronize)
            yield Row(
                "signals at r = 10", method.name, case.place, bound.n, case.fields, case.precision, seconds,
                bound.n * case.fields, method.moved, 2 * bound.row_bytes / copying, error=at_balance,
                note=f"error of one step {one_step:.2%}, at the balance {at_balance:.3%}",
            )  # fmt: skip


def errors(method: Method, after_one: NDArray[Any], balance: NDArray[Any], parts: int) -> tuple[float, float]:
    """Largest error after one step and at the balance, relative to the greatest value."""
    method.restart()
    method.step()
    first = _relative(method.field(), after_one)
    for _ in range(max(STEPS_TO_BALANCE // parts, 15)):
        method.step()
    return first, _relative(method.field(), balance)


def _relative(field: NDArray[Any], expected: NDArray[Any]) -> float:
    return float(np.max(np.abs(field[..., :1] - expected)) / np.max(np.abs(expected)))
