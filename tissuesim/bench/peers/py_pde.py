"""py-pde with its compiled backend: an Euler stepper of its own making, field after field."""

from __future__ import annotations

from tissuesim.bench.peers.problem import Peer, Prepared, Problem

STEPS = 2
"""Euler steps per call of its stepper: what a call costs beside them is not the point."""


def prepare(problem: Problem) -> Prepared:
    """One equation for one field; its stepper is called for each field in turn."""
    import numpy as np
    import pde
    from pde.solvers import EulerSolver

    side, real = problem.case.side, problem.case.real
    grid = pde.CartesianGrid([[0, side]] * 3, side)
    fields = [pde.ScalarField(grid, values, dtype=real) for values in problem.first]
    equation = pde.PDE({"u": f"{problem.face} * laplace(u)"}, bc={"derivative": 0})
    advance = EulerSolver(equation, backend="numba").make_stepper(fields[0], dt=1.0)

    def fresh() -> object:
        first = [field.copy() for field in fields]
        for field in first:
            advance(field, 0.0, 1.0)
        return np.stack([field.data for field in first])

    def step() -> None:
        for field in fields:
            advance(field, 0.0, float(STEPS))

    after = np.asarray(fresh())
    return Prepared(step, lambda: after, STEPS)


PEER = Peer("py-pde", "py-pde", "pde", prepare, quick=False)
