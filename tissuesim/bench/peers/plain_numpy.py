"""NumPy with slices: the flux through every inner face, added to one side and taken from the other."""

from __future__ import annotations

from tissuesim.bench.peers.problem import Peer, Prepared, Problem


def prepare(problem: Problem) -> Prepared:
    """Arrays (S, z, y, x); the result is written into one array that is used again."""
    import numpy as np

    old, new = problem.first, np.empty_like(problem.first)
    face = problem.face
    sides = []
    for axis in (1, 2, 3):
        lower, upper = [slice(None)] * 4, [slice(None)] * 4
        lower[axis], upper[axis] = slice(None, -1), slice(1, None)
        sides.append((tuple(lower), tuple(upper)))

    def step() -> None:
        new[...] = old
        for lower, upper in sides:
            flux = face * (old[upper] - old[lower])
            new[lower] += flux
            new[upper] -= flux

    return Prepared(step, lambda: new)


PEER = Peer("NumPy slicing", "numpy", "numpy", prepare)
