"""Speed of the transport operators against a plain copy in the same process.

The ratio is the bytes an operator must move per call (each array once, tables included) divided by its time, over
the bandwidth of a compiled copy of arrays of the same size. ``copy_ratio`` is wall time on all threads,
``copy_ratio_one_thread`` processor time on one: the latter stands other work on the machine. Copy and operator are
timed in turns and the best of each counts. Both ratios and the absolute times are stored in ``extra_info``.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numba
import numpy as np
import pytest

from tissuesim.backends.numba import transport
from tissuesim.tissue.order import pencil_order

REGIONS = 4
SECONDS = 0.7
STEPS = ((0, 0, -1), (0, 0, 1), (0, -1, 0), (0, 1, 0), (-1, 0, 0), (1, 0, 0))


@dataclass(frozen=True)
class Organ:
    """A kidney-like solid as control volumes."""

    region: np.ndarray
    neighbors: np.ndarray
    geometry: np.ndarray

    @property
    def n(self) -> int:
        """The number of voxels."""
        return len(self.neighbors)

    @property
    def table_bytes(self) -> int:
        """Bytes of neighbors and geometry."""
        return self.neighbors.nbytes + self.geometry.nbytes


@cache
def organ(side: int, order: str) -> Organ:
    """Return a superellipsoid with a hilus in a box of ``side`` voxels.

    Order: ``rows`` (C order) or ``pencils`` (the order of a tissue).
    """
    axis = (np.arange(side) + 0.5) / side * 2 - 1
    z, y, x = np.meshgrid(axis, axis, axis, indexing="ij", sparse=True)
    inside = np.abs(x) ** 2.5 + np.abs(y) ** 2.5 + np.abs(z) ** 2.5 < 0.95
    inside &= (x - 1) ** 2 + y**2 + 0 * z > 0.16
    box_index = np.flatnonzero(inside)
    if order == "pencils":
        box_index = box_index[pencil_order(box_index, inside.shape)]
    n = box_index.size
    place = np.full(inside.size, -1, np.int32)
    place[box_index] = np.arange(n)
    place = np.pad(place.reshape(inside.shape), 1, constant_values=-1)
    position = np.stack(np.unravel_index(box_index, inside.shape), axis=1) + 1
    neighbors = np.stack([place[tuple((position + step).T)] for step in STEPS], axis=1)
    wall = neighbors < 0
    neighbors = np.where(wall, np.arange(n, dtype=np.int32)[:, None], neighbors)
    region = (position[:, 0] * REGIONS // (side + 2)).astype(np.uint8)
    return Organ(region, np.ascontiguousarray(neighbors), (~wall).astype(np.float32))


@numba.njit(parallel=True)
def copy(target: np.ndarray, source: np.ndarray) -> None:
    """Copy rows on all threads."""
    for i in numba.prange(source.shape[0]):
        for s in range(source.shape[1]):
            target[i, s] = source[i, s]


def best_times(clock: Callable[[], float], calls: int, *actions: Callable[[], Any]) -> list[float]:
    """Return the best time of one call of each action, done in turns."""
    best = [np.inf] * len(actions)
    begin = time.perf_counter()
    turn = 0
    while turn < 6 or time.perf_counter() - begin < SECONDS:
        for place, action in enumerate(actions):
            start = clock()
            for _ in range(calls):
                action()
            best[place] = min(best[place], (clock() - start) / calls)
        turn += 1
    return best


def fields_of(n: int, fields: int, arrays: int) -> list[np.ndarray]:
    """Return random float32 rows."""
    generator = np.random.default_rng(0)
    return [generator.random((n, fields), dtype=np.float32) for _ in range(arrays)]


def measure(benchmark: Any, action: Callable[[], None], moved: int, rows: np.ndarray) -> None:
    """Run the benchmark and store the ratio to a copy of rows of the same size."""
    target = np.zeros_like(rows)
    actions = (action, lambda: copy(target, rows))
    calls = max(1, 20_000_000 // rows.nbytes)
    threads = numba.get_num_threads()
    for act in actions:
        act()
    ours, plain = best_times(time.perf_counter, calls, *actions)
    numba.set_num_threads(1)
    try:
        ours_one, plain_one = best_times(time.process_time, calls, *actions)
    finally:
        numba.set_num_threads(threads)
    work = moved / (2 * rows.nbytes)
    benchmark.extra_info.update(
        voxels=len(rows),
        megabytes=round(rows.nbytes / 1e6, 1),
        threads=threads,
        copy_gigabytes_per_second=round(2 * rows.nbytes / plain / 1e9, 1),
        copy_ratio=round(work * plain / ours, 3),
        copy_ratio_one_thread=round(work * plain_one / ours_one, 3),
        nanoseconds_per_voxel_and_field=round(ours / rows.size * 1e9, 3),
    )
    benchmark.pedantic(action, rounds=5, warmup_rounds=1)
    assert np.isfinite(benchmark.stats.stats.min)


# side 28 fits the second cache, 128 with 16 fields is 75 MB an array
sizes = pytest.mark.parametrize("side", [28, 128], ids=["in_cache", "large"])
orders = pytest.mark.parametrize("order", ["rows", "pencils"])
rows = pytest.mark.parametrize("fields", [8, 16])
coefficients = pytest.mark.parametrize("coefficient", ["uniform", "regions"])


def coefficient_of(kind: str, fields: int) -> np.ndarray:
    """Return one coefficient per field, or a table per pair of regions."""
    shape = (fields,) if kind == "uniform" else (REGIONS, REGIONS, fields)
    return np.full(shape, 0.1, np.float32)


@sizes
@orders
@rows
@coefficients
def test_explicit_diffusion(benchmark: Any, coefficient: str, fields: int, order: str, side: int) -> None:
    """One explicit pass: one array read, one written, neighbors and geometry."""
    tissue = organ(side, order)
    current, new = fields_of(tissue.n, fields, 2)
    table = coefficient_of(coefficient, fields)
    moved = 2 * current.nbytes + tissue.table_bytes + (tissue.n if coefficient == "regions" else 0)
    measure(
        benchmark,
        lambda: transport.diffuse_explicit(
            new, current, table, tissue.region, tissue.neighbors, tissue.geometry
        ),
        moved,
        current,
    )


@sizes
@orders
@rows
@coefficients
def test_signal_sweep(benchmark: Any, coefficient: str, fields: int, order: str, side: int) -> None:
    """One Chebyshev sweep: four arrays read, one of them written, neighbors and geometry."""
    tissue = organ(side, order)
    current, new, right_hand_side, inverse = fields_of(tissue.n, fields, 4)
    table, omega = coefficient_of(coefficient, fields), np.full(fields, 1.2, np.float32)
    moved = 5 * current.nbytes + tissue.table_bytes + (tissue.n if coefficient == "regions" else 0)
    measure(
        benchmark,
        lambda: transport.signal_sweep(
            new,
            current,
            right_hand_side,
            inverse,
            omega,
            table,
            tissue.region,
            tissue.neighbors,
            tissue.geometry,
        ),
        moved,
        current,
    )
