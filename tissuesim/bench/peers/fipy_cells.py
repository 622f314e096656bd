"""FiPy: an explicit diffusion term, solved as the matrix that FiPy builds."""

from __future__ import annotations

from tissuesim.bench.peers.problem import Peer, Prepared, Problem


def prepare(problem: Problem) -> Prepared:
    """One cell variable per field; zero flux is FiPy's own border."""
    import numpy as np
    from fipy import CellVariable, ExplicitDiffusionTerm, Grid3D, TransientTerm
    from fipy.solvers.scipy import LinearLUSolver

    side = problem.case.side
    mesh = Grid3D(nx=side, ny=side, nz=side)
    fields = [
        CellVariable(mesh=mesh, value=values.ravel().astype(float), hasOld=True) for values in problem.first
    ]
    equation = TransientTerm() == ExplicitDiffusionTerm(coeff=float(problem.face))

    def step() -> None:
        for field in fields:
            field.updateOld()
            equation.solve(var=field, dt=1.0, solver=solver)

    solver = LinearLUSolver()
    step()
    after = np.stack([np.array(field.value).reshape((side,) * 3) for field in fields])
    return Prepared(step, lambda: after)


PEER = Peer("FiPy", "fipy", "fipy", prepare, quick=False, largest=32)
