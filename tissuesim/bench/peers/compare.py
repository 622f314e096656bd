"""Ours and another program at the same step: first that they agree, then both timed in turns with a copy."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tissuesim.backends.base import Backend
from tissuesim.bench.cases import Bound, Case, bind
from tissuesim.bench.measure import Action, Effort, Row, copy_of, in_turns
from tissuesim.bench.operators import table_bytes
from tissuesim.bench.peers import (
    fipy_cells,
    jax_xla,
    plain_numpy,
    py_pde,
    scipy_ndimage,
    torch_cpu,
    warp_kernels,
)
from tissuesim.bench.peers.problem import Peer, Prepared, Problem

PEERS = (
    plain_numpy.PEER,
    scipy_ndimage.PEER,
    jax_xla.PEER,
    torch_cpu.EAGER,
    torch_cpu.COMPILED,
    warp_kernels.PEER,
    py_pde.PEER,
    fipy_cells.PEER,
)
OURS = "tissuesim"


def prepare_ours(problem: Problem, backend: Backend) -> tuple[Prepared, Bound]:
    """The explicit step of the backend, on the rows of the box."""
    bound = bind(problem.case, backend)
    tissue, arrays = backend.arrays.stored(problem.case.tissue), backend.arrays
    coefficient, _ = bound.coefficient()
    old = arrays.put_rows(np.ascontiguousarray(tissue.gather(np.moveaxis(problem.first, 0, -1))))
    new, mesh = bound.zeros(), bound.mesh

    def step() -> None:
        backend.transport.diffuse_explicit(new, old, coefficient, mesh.region, mesh.neighbors, mesh.geometry)

    def fields() -> NDArray[Any]:
        return np.moveaxis(tissue.scatter(arrays.get_rows(new)), -1, 0)

    return Prepared(step, fields), bound


def difference(ours: NDArray[Any], theirs: NDArray[Any]) -> float:
    """Largest absolute difference; NaN if there is one."""
    return float(np.max(np.abs(ours.astype(np.float64) - theirs.astype(np.float64))))


def peer_rows(case: Case, backend: Backend, effort: Effort, *, quick: bool) -> Iterator[Row]:
    """Our own line, then one line per program: its time over ours, or why there is none."""
    problem = Problem(case)
    ours, bound = prepare_ours(problem, backend)
    ours.step()
    expected = ours.fields()
    yield _own_row(ours, bound, effort)
    for peer in PEERS:
        with redirect_stdout(sys.stderr):  # some programs print; our stdout is for the report
            row = _compare(peer, problem, ours.step, expected, bound, effort, quick=quick)
        yield row


def _own_row(ours: Prepared, bound: Bound, effort: Effort) -> Row:
    seconds, copying = in_turns((ours.step, copy_of(bound)), effort, bound.backend.arrays.synchronize)
    tables = table_bytes(bound.n, np.dtype(bound.case.real).itemsize, by_region=False)
    moved = 2 * bound.row_bytes + tables
    return _row(OURS, bound, seconds=seconds, moved=moved, copy_bandwidth=2 * bound.row_bytes / copying)


def _compare(
    peer: Peer,
    problem: Problem,
    ours: Action,
    expected: NDArray[Any],
    bound: Bound,
    effort: Effort,
    *,
    quick: bool,
) -> Row:
    facts: dict[str, Any] = {"version": peer.version, "against": OURS}
    if not peer.installed:
        return _row(peer.name, bound, note="not installed", against=OURS)
    if quick and not peer.quick:
        return _row(peer.name, bound, note="left out of the quick set: it compiles for too long", **facts)
    if problem.case.side > peer.largest:
        return _row(peer.name, bound, note=f"too slow beyond side {peer.largest}", **facts)
    try:
        theirs = peer.prepare(problem)
        theirs.step()
        found = difference(expected, theirs.fields())
    except Exception as error:  # another program's failure is a line of the report, never the end of ours
        return _row(peer.name, bound, note=f"error: {type(error).__name__}: {error}"[:200], **facts)
    if not found <= problem.tolerance():
        return _row(
            peer.name, bound, note="error: disagrees with ours, so it is not timed", error=found, **facts
        )
    own, other = in_turns((ours, theirs.step), effort, bound.backend.arrays.synchronize)
    other /= theirs.steps
    return _row(peer.name, bound, seconds=other, ratio=other / own, error=found, **facts)


def _row(name: str, bound: Bound, **more: Any) -> Row:
    case = bound.case
    facts: dict[str, Any] = {"updates": bound.n * case.fields} | more
    return Row("peers", name, case.place, bound.n, case.fields, case.precision, **facts)
