"""scipy.ndimage: its Laplacian with the nearest value beyond the border, which is a closed wall."""

from __future__ import annotations

from tissuesim.bench.peers.problem import Peer, Prepared, Problem


def prepare(problem: Problem) -> Prepared:
    """Field by field: ``laplace`` spreads over all axes of its array."""
    import numpy as np
    from scipy.ndimage import laplace

    old, new, face = problem.first, np.empty_like(problem.first), problem.face

    def step() -> None:
        for source, target in zip(old, new, strict=True):
            laplace(source, output=target, mode="nearest")
            np.multiply(target, face, out=target)
            np.add(target, source, out=target)

    return Prepared(step, lambda: new)


PEER = Peer("scipy.ndimage", "scipy", "scipy", prepare)
