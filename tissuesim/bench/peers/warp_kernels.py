"""Warp on the CPU: one thread of a kernel per voxel and field, compiled by Warp, which uses one core there."""

from __future__ import annotations

from typing import Any

from tissuesim.bench.peers.problem import Peer, Prepared, Problem


def prepare(problem: Problem) -> Prepared:
    """A kernel over (S, z, y, x)."""
    import warp as wp

    wp.config.quiet = True  # else it prints to stdout, where the JSON is to be
    wp.init()
    from tissuesim.bench.peers.warp_step import explicit_step

    kind: Any = wp.float32 if problem.case.precision == "float32" else wp.float64
    old = wp.array(problem.first, dtype=kind, device="cpu")
    new = wp.empty_like(old)
    inputs = [old, new, kind(problem.face)]

    def step() -> None:
        wp.launch(explicit_step, dim=old.shape, inputs=inputs, device="cpu")

    return Prepared(step, lambda: new.numpy())


PEER = Peer("Warp", "warp-lang", "warp", prepare)
