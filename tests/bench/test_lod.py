"""The line-by-line solver that stands beside our sweeps is a good one, and is of first order as its theory says."""

from __future__ import annotations

import numpy as np
import pytest

from tissuesim.backends.base import load_backend
from tissuesim.bench.cases import Case, bind
from tissuesim.bench.lod import Decay, LineByLine, exact
from tissuesim.bench.measure import Effort
from tissuesim.bench.signals import chebyshev, errors, signal_rows, sources

PROBLEM = Decay(side=12, fields=2, spread=2.0, loss=1.0)


def stepped(substeps: int, steps: int, problem: Decay = PROBLEM) -> np.ndarray:
    """The field of the line-by-line solver in float64."""
    source = sources(problem).astype(np.float64)
    solver = LineByLine(problem, substeps, np.float64)
    field = np.zeros_like(source)
    for _ in range(steps):
        solver.step(field, source, solver.factors())
    return field


def test_one_line_is_solved_exactly() -> None:
    """Thomas factors solve the tridiagonal system that they are made for."""
    upper, inverse, lower = LineByLine(PROBLEM, 1, np.float64).factors()
    side = PROBLEM.side
    matrix = np.diag(np.full(side, 1 + PROBLEM.loss / 3 + 2 * PROBLEM.spread))
    matrix[0, 0] -= PROBLEM.spread
    matrix[-1, -1] -= PROBLEM.spread
    matrix -= PROBLEM.spread * (np.eye(side, k=1) + np.eye(side, k=-1))
    given = np.random.default_rng(0).random(side)
    found = given.copy()
    found[0] *= inverse[0]
    for i in range(1, side):
        found[i] = (found[i] + lower * found[i - 1]) * inverse[i]
    for i in range(side - 2, -1, -1):
        found[i] += upper[i] * found[i + 1]
    assert np.allclose(matrix @ found, given, rtol=1e-12)


def test_first_order_in_the_substep() -> None:
    """Twice the sub-steps, half the error of one step, against the solution exact in time."""
    source = sources(PROBLEM)
    expected = exact(PROBLEM, np.zeros_like(source), source, 1.0)
    sizes = [np.abs(stepped(parts, 1) - expected).max() for parts in (64, 128, 256)]
    orders = np.log2(np.array(sizes[:-1]) / np.array(sizes[1:]))
    assert np.all(np.abs(orders - 1.0) < 0.1)


def test_without_source_cells_spread_and_decay_as_a_whole() -> None:
    """Diffusion moves amounts between voxels and makes none: the total follows the decay alone."""
    first = np.random.default_rng(1).random((12, 12, 12, 2))
    field = first.copy()
    solver = LineByLine(PROBLEM, 8, np.float64)
    solver.step(field, np.zeros_like(first), solver.factors())
    expected = (1 + PROBLEM.loss / 24) ** -24.0
    assert field.sum() / first.sum() == pytest.approx(expected, rel=1e-10)


def test_the_exact_solution_is_at_rest_in_its_balance() -> None:
    """The reference solves the equation: its balance does not move, and its first moments follow the source."""
    source = sources(PROBLEM)
    balance = exact(PROBLEM, np.zeros_like(source), source, np.inf)
    assert np.allclose(exact(PROBLEM, balance, source, 3.0), balance, rtol=1e-12, atol=1e-12)
    assert balance.sum() * PROBLEM.loss == pytest.approx(source.sum(), rel=1e-12)


def test_sweeps_reach_the_balance_that_lines_never_do() -> None:
    """At r = 10 our solve ends in the balance of the equation; the other misses it by more than 1 % at 32 sub-steps."""
    problem = Decay(side=16, fields=2, spread=10.0, loss=1.0)
    source = sources(problem)
    one = Decay(problem.side, 1, problem.spread, problem.loss)
    nothing = np.zeros_like(source[..., :1])
    after_one, balance = (exact(one, nothing, source[..., :1], steps) for steps in (1.0, np.inf))
    bound = bind(Case("box", problem.side, problem.fields, "float64"), load_backend("numba"))
    ours = chebyshev(bound, problem, source, 1)
    assert errors(ours, after_one, balance, 1)[1] < 1e-6
    lines = stepped(32, 15, problem)
    assert np.abs(lines[..., :1] - balance).max() > 0.01 * balance.max()


def test_the_report_tells_both_errors() -> None:
    """Every line of the comparison has a time and an error, for both solvers at every number of sub-steps."""
    case = Case("box", 8, 2, "float32")
    rows = list(signal_rows(case, load_backend("numpy"), Effort(0.0, turns=1), (1, 32)))
    assert [row.name.split(",")[0] for row in rows] == ["Chebyshev", "line by line", "line by line"]
    assert all(row.seconds and row.error is not None and "at the balance" in row.note for row in rows)
