"""PyTorch, eager and compiled: padded copies and slices, the fastest of nine forms that were tried (compiled)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tissuesim.bench.peers.problem import Peer, Prepared, Problem


def _padded(problem: Problem) -> Callable[[Any], Any]:
    from torch.nn.functional import pad

    face = float(problem.face)

    def advance(old: Any) -> Any:
        wide = pad(old, (1, 1, 1, 1, 1, 1), mode="replicate")
        inner = slice(1, -1)
        around = (
            wide[:, inner, inner, 2:]
            + wide[:, inner, inner, :-2]
            + wide[:, inner, 2:, inner]
            + wide[:, inner, :-2, inner]
            + wide[:, 2:, inner, inner]
            + wide[:, :-2, inner, inner]
        )
        return old + face * (around - 6 * old)

    return advance


def _in_place(problem: Problem) -> Callable[[Any], Any]:
    face = float(problem.face)

    def advance(old: Any) -> Any:
        new = old.clone()
        for axis in (1, 2, 3):
            faces = old.shape[axis] - 1
            flux = face * (old.narrow(axis, 1, faces) - old.narrow(axis, 0, faces))
            new.narrow(axis, 0, faces).add_(flux)
            new.narrow(axis, 1, faces).sub_(flux)
        return new

    return advance


def _prepared(problem: Problem, advance: Callable[[Any], Any]) -> Prepared:
    import numpy as np
    import torch

    old = torch.from_numpy(problem.first)

    def step() -> Any:
        with torch.no_grad():
            return advance(old)

    return Prepared(step, lambda: np.asarray(step().numpy()))


def prepare_eager(problem: Problem) -> Prepared:
    """Operation by operation."""
    return _prepared(problem, _in_place(problem))


def prepare_compiled(problem: Problem) -> Prepared:
    """Through torch.compile, which writes C++ with OpenMP."""
    import torch

    torch._dynamo.reset()
    return _prepared(problem, torch.compile(_padded(problem)))


EAGER = Peer("PyTorch", "torch", "torch", prepare_eager)
COMPILED = Peer("torch.compile", "torch", "torch", prepare_compiled, quick=False)
