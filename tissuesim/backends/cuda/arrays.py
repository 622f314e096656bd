"""Arrays of the device: fields are columns ``(columns, n)``, so that neighboring threads read neighboring numbers.

Voxels are kept in the canonical order (rising box index): a block of threads is a block of the sums, and no table of
the order is needed. The interface is described in ``backends/numpy/arrays.py``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from tissuesim.backends.base import ColumnFacts, Mesh, Workspace
from tissuesim.backends.cuda.device import cupy
from tissuesim.backends.cuda.launch import (
    blocks,
    compute_stream,
    copy_stream,
    empty,
    fetch,
    kernel,
    launch,
    upload,
    zeros,
)
from tissuesim.backends.cuda.memory import require_memory
from tissuesim.backends.cuda.sums import Partials

if TYPE_CHECKING:
    from tissuesim.tissue import Tissue

__all__ = [
    "Download", "Repeater", "column_facts", "copy_rows", "get", "get_rows", "mesh", "put", "put_rows", "refill",
    "require_memory", "stored", "synchronize", "workspace", "zeros_rows",
]  # fmt: skip

NO_GRAPHS = "TISSUESIM_CUDA_GRAPHS"
"""Set to 0, launches are not recorded: for profilers that want to see every one of them."""

LARGEST_NUMBER = 8
"""Recordings that are kept: one per operator, length of step and place of the signals."""


def callers() -> int:
    """How many threads may call operators at the same time: one, all work is put on one stream."""
    return 1


def use_one_thread() -> None:
    """Threads of the host make no difference here."""


def stored(tissue: Tissue) -> Tissue:
    """The tissue in canonical order."""
    order = np.argsort(tissue.box_index, kind="stable")
    return tissue if np.array_equal(order, np.arange(tissue.n)) else tissue.reordered(order)


def put(values: NDArray[Any]) -> Any:
    """A table on the device."""
    return upload(values)


def put_rows(values: NDArray[Any]) -> Any:
    """Rows ``(n, columns)`` as columns on the device."""
    return put(values.T)


def refill(table: Any, values: NDArray[Any]) -> Any:
    """The table with new values, in the same place."""
    table.set(values, stream=compute_stream())
    return table


def get(array: Any) -> NDArray[Any]:
    """A table as a NumPy array."""
    return fetch(array)


def get_rows(array: Any) -> NDArray[Any]:
    """Columns as NumPy rows ``(n, columns)``."""
    return np.ascontiguousarray(fetch(array).T)


def zeros_rows(n: int, columns: int, dtype: DTypeLike) -> Any:
    """Rows of zeros."""
    return zeros((columns, n), dtype)


def copy_rows(target: Any, source: Any) -> None:
    """Copy all rows."""
    target.data.copy_from_device_async(source.data, source.nbytes, stream=compute_stream())


def synchronize() -> None:
    """Wait until everything asked for is done."""
    compute_stream().synchronize()


def mesh(tissue: Tissue, real: type[np.floating[Any]]) -> Mesh:
    """The tables of a tissue in canonical order. The inverse volume and the order are not kept: kernels have them."""
    geometry = (tissue.conductance / tissue.volume[:, None]).astype(real)
    return Mesh(
        region=put(tissue.region),
        neighbors=put_rows(tissue.neighbors),
        geometry=put_rows(geometry),
        volume=put(tissue.volume.astype(real)),
        inverse_volume=None,
        box_index=put(tissue.box_index.astype(np.uint32)),
        order=None,
    )


def workspace(n: int, signals: int, entries: int, real: type[np.floating[Any]], *, counts: bool) -> Workspace:
    """Arrays that hold something only within an operator, in one piece of memory but for ``spare``.

    ``spare`` takes turns with the signals of the state, so it has memory of its own.
    """
    moving = np.dtype(np.int32 if counts else real)
    size = np.dtype(real).itemsize
    arena = empty((n * max(2 * signals * size, 8 * entries, 6 * moving.itemsize, 1),), np.uint8)

    def part(first: int, columns: int, dtype: DTypeLike) -> Any:
        end = first + columns * n * np.dtype(dtype).itemsize
        return arena[first:end].view(dtype).reshape(columns, n)

    return Workspace(
        spare=zeros((signals, n), real),
        right_hand_side=part(0, signals, real),
        diagonal=part(signals * n * size, signals, real),
        weights=part(0, entries, np.float64),
        outflow=part(0, 6, moving),
    )


def column_facts(rows: Any, mesh: Mesh) -> ColumnFacts:
    """Sums, volume-weighted sums, how far below zero and the greatest value of each column."""
    columns, n = rows.shape
    if not columns:
        return ColumnFacts(*(np.zeros(0) for _ in range(4)))
    real = mesh.volume.dtype
    partials = Partials(4 * columns, 2 * columns, n)
    name = "column_facts_of_fields" if rows.dtype == real else "column_facts_of_cells"
    function = kernel("sums.cu", name, real, expected=rows.dtype == np.float64)
    launch(function, (columns * blocks(n),), n, columns, rows, mesh.volume, partials.array)
    return ColumnFacts(*partials.join().values().reshape(4, columns))


@dataclass
class _Recording:
    """What was done with certain arrays, kept alive for the launches that refer to them."""

    arrays: tuple[Any, ...]
    graph: Any = None
    value: Any = None


class Repeater:
    """Launches that come again and again with the same arrays, recorded once and then started as one.

    The first call does the work as usual (it may load kernels), the second records it as a CUDA graph. A small organ,
    whose kernels are shorter than their launches, needs this. Each recording keeps the results it writes to, so only
    the last ``LARGEST_NUMBER`` used stay.
    """

    def __init__(self) -> None:
        """Nothing is recorded yet."""
        self._known: dict[Hashable, _Recording] = {}
        self._recording = os.environ.get(NO_GRAPHS) != "0"

    def __call__(self, key: Hashable, arrays: Sequence[Any], work: Callable[[], Any]) -> Any:
        """Do ``work``; ``key`` and the identity of ``arrays`` say when it is the same again."""
        if not self._recording:
            return work()
        same = (key, *map(id, arrays))
        known = self._known.pop(same, None)
        if known is None:
            self._known[same] = _Recording(tuple(arrays))
            if len(self._known) > LARGEST_NUMBER:
                del self._known[next(iter(self._known))]
            return work()
        self._known[same] = known  # the last one used stands last
        if known.graph is None:
            stream = compute_stream()
            stream.begin_capture()
            try:
                known.value = work()
            except BaseException:
                del self._known[same]  # half a recording
                raise
            finally:
                known.graph = stream.end_capture()
        known.graph.launch(stream=compute_stream())
        return known.value


class Download:
    """Rows on their way to the host: copied on the device at once, then sent while the next steps run.

    The copies stay for the next download: given back, CuPy would cut small arrays from them, and the next copies would
    not fit in what is left.
    """

    live = False

    def __init__(
        self, rows: Mapping[str, Any], order: NDArray[np.int64] | None, before: Download | None = None
    ) -> None:
        """Begin. ``order``: which voxel of the tissue each stored row is. ``before``: one of the same rows."""
        self._order = order
        if before is None:
            self._staged = {name: empty(array.shape, array.dtype) for name, array in rows.items()}
        else:
            before.wait()
            self._staged = before._staged
        for name, array in rows.items():
            copy_rows(self._staged[name], array)
        copy_stream().wait_event(compute_stream().record())
        self._pinned = {name: _pinned(array.shape, array.dtype) for name, array in rows.items()}
        for name, array in self._staged.items():
            array.get(stream=copy_stream(), out=self._pinned[name], blocking=False)
        # a thread that waits for it sleeps: the writer must not take a processor from the pools
        self._done = copy_stream().record(cupy().cuda.Event(block=True, disable_timing=True))

    def wait(self) -> None:
        """Wait until the rows have arrived."""
        self._done.synchronize()

    def result(self) -> dict[str, NDArray[Any]]:
        """The rows by name, (n, columns) each, in the order of the tissue; waits for them."""
        self.wait()
        return {name: self._in_order(columns.T) for name, columns in self._pinned.items()}

    def _in_order(self, rows: NDArray[Any]) -> NDArray[Any]:
        if self._order is None:
            return np.array(rows, order="C")
        placed = np.empty(rows.shape, rows.dtype)
        placed[self._order] = rows
        return placed


def _pinned(shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
    count = int(np.prod(shape))
    memory = cupy().cuda.alloc_pinned_memory(max(count, 1) * np.dtype(dtype).itemsize)
    return np.frombuffer(memory, dtype, count).reshape(shape)
