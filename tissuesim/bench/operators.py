"""The operators of a step, one by one: signals and movement, each against a copy of the same rows."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from tissuesim.bench.cases import Bound
from tissuesim.bench.measure import Action, Effort, Row, copy_of, measure

OMEGA = 1.2
KEY = (0xDEADBEEF, 0x12345678)
FACES = 6
PLACE_BYTES = 4  # a neighbor is an int32


@dataclass(frozen=True)
class Operator:
    """What one call does, and the bytes it must move: each array once, tables included."""

    name: str
    action: Action
    moved: int


def table_bytes(n: int, itemsize: int, *, by_region: bool) -> int:
    """Bytes of the neighbors and the geometry of n voxels, and of their regions where they are read."""
    return n * (FACES * (PLACE_BYTES + itemsize) + int(by_region))


def transport_operators(bound: Bound) -> list[Operator]:
    """A copy, then explicit step, diagonal, sweep, ledger and clipping, all on the same few rows of a case."""
    transport, ledger, mesh, real = bound.backend.transport, bound.backend.ledger, bound.mesh, bound.case.real
    coefficient, by_region = bound.coefficient()
    faces = (coefficient, mesh.region, mesh.neighbors, mesh.geometry)
    omega = bound.backend.arrays.put(np.full(bound.case.fields, OMEGA, real))
    new, current, right_hand_side, diagonal = (bound.rows(seed) for seed in range(4))
    rows, itemsize = bound.row_bytes, np.dtype(real).itemsize
    tables = table_bytes(bound.n, itemsize, by_region=by_region)
    sums = bound.n * (itemsize + 8)  # volume and canonical order

    def sweep() -> None:
        transport.signal_sweep(new, current, right_hand_side, diagonal, omega, *faces)

    return [
        Operator("copy", lambda: bound.backend.arrays.copy_rows(new, current), 2 * rows),
        Operator(
            "explicit step", lambda: transport.diffuse_explicit(new, current, *faces), 2 * rows + tables
        ),
        Operator(
            "diagonal", lambda: transport.signal_diagonal(diagonal, real(0.0), *faces), 2 * rows + tables
        ),
        Operator("sweep", sweep, 5 * rows + tables),
        Operator(
            "ledger",
            lambda: ledger.signal_ledger(right_hand_side, diagonal, current, *faces, mesh.volume, mesh.order),
            3 * rows + tables + sums,
        ),
        # nothing is negative, so nothing is written
        Operator("clip", lambda: transport.clip_signals(current), rows),
    ]


def transport_rows(
    bound: Bound, effort: Effort, section: str = "operators", clock: Callable[[], float] = time.perf_counter
) -> Iterator[Row]:
    """Time the operators of the signals."""
    copy, *operators = transport_operators(bound)
    for operator in operators:
        yield measure(
            section, operator.name, bound, operator.action, operator.moved, effort, copy.action, clock
        )


def movement_rows(
    bound: Bound, effort: Effort, section: str = "movement", clock: Callable[[], float] = time.perf_counter
) -> Iterator[Row]:
    """Time crawling of one cell type, whole and expected, with cells in a tenth and in all of the voxels."""
    for stochastic in (False, True):
        for share in (0.1, 1.0):
            kind = "stochastic" if stochastic else "deterministic"
            name = f"movement, {kind}, {share:.0%} occupied"
            action, moved = _movement(bound, share, stochastic=stochastic)
            copy = copy_of(bound)
            yield measure(section, name, bound, action, moved, effort, copy, clock, updates=bound.n, fields=1)


def _movement(bound: Bound, share: float, *, stochastic: bool) -> tuple[Action, int]:
    """One movement of one cell type on fresh cells, and its bytes: the fresh cells are copied in each time."""
    arrays, mesh, real = bound.backend.arrays, bound.mesh, bound.case.real
    movement = bound.backend.movement
    cells_type: Any = np.int32 if stochastic else np.float64
    random = np.random.default_rng(1)
    numbers = random.integers(1, 2000, (bound.n, 1)) * (random.random((bound.n, 1)) < share)
    full = arrays.put_rows(numbers.astype(cells_type))
    cells = arrays.put_rows(numbers.astype(cells_type))
    space = arrays.workspace(bound.n, 1, 0, real, counts=stochastic)
    signal = bound.rows(5, columns=1)
    motility = arrays.put(np.full((2, 2), FACES / 60, real))
    leaving = (motility, real(0.05), signal, 0, real(1.0), mesh.region, mesh.neighbors, mesh.geometry)

    def once() -> None:
        arrays.copy_rows(cells, full)
        if stochastic:
            movement.movement_outflow_stochastic(
                space.outflow, cells, 0, real(0.5), *leaving, mesh.box_index, 1, 0, 0, 0, *KEY
            )
        else:
            movement.movement_outflow_deterministic(space.outflow, cells, 0, real(0.5), *leaving)
        movement.movement_gather(cells, 0, space.outflow, mesh.neighbors)

    itemsize, cell = np.dtype(real).itemsize, np.dtype(cells_type).itemsize
    outflow = FACES * (cell if stochastic else itemsize)
    once_per_voxel = 5 * cell + itemsize + 2 * outflow + FACES * PLACE_BYTES + 8 * int(stochastic)
    return once, bound.n * once_per_voxel + table_bytes(bound.n, itemsize, by_region=True)


def thread_rows(bound: Bound, effort: Effort) -> Iterator[Row]:
    """The explicit step beside a copy on one thread, two and so on; on a backend without threads there is no line."""
    if bound.backend.name != "numba":
        return
    import numba

    copy, operator, *_ = transport_operators(bound)
    most = numba.get_num_threads()
    try:
        for threads in range(1, most + 1):
            numba.set_num_threads(threads)
            name = f"{operator.name}, {threads} thread{'s' if threads > 1 else ''}"
            yield measure(
                "threads",
                name,
                bound,
                operator.action,
                operator.moved,
                effort,
                copy.action,
                note=str(threads),
            )
    finally:
        numba.set_num_threads(most)
