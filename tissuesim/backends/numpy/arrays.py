"""Arrays of the CPU: fields are rows ``(n, columns)`` of NumPy in the order of the tissue. Read this as the interface.

Every backend has the same functions. Rows may lie otherwise there (a GPU keeps columns together); nothing outside a
backend looks into them except through ``get_rows``.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from tissuesim.backends.base import ColumnFacts, Mesh, Workspace
from tissuesim.backends.numpy.sums import largest, ordered_sum

if TYPE_CHECKING:
    from tissuesim.codegen.plan import StepPlan
    from tissuesim.tissue import Tissue


def require_memory(plan: StepPlan, tissues: Mapping[str, Tissue], real: type[np.floating[Any]]) -> None:
    """Refuse a scenario that does not fit; the host has swap and its own way to say so."""


def callers() -> int:
    """How many threads may call operators at the same time, each for another organ."""
    return 1


def use_one_thread() -> None:
    """Let operators that this thread calls from now on work on it alone."""


def stored(tissue: Tissue) -> Tissue:
    """The tissue in the order in which this backend keeps its voxels."""
    return tissue


def put(values: NDArray[Any]) -> NDArray[Any]:
    """A table as the backend keeps it."""
    return np.ascontiguousarray(values)


def put_rows(values: NDArray[Any]) -> NDArray[Any]:
    """Rows ``(n, columns)`` as the backend keeps them."""
    return np.ascontiguousarray(values)


def refill(table: NDArray[Any], values: NDArray[Any]) -> NDArray[Any]:
    """The table with new values."""
    return values


def get(array: NDArray[Any]) -> NDArray[Any]:
    """A table as a NumPy array."""
    return array


def get_rows(array: NDArray[Any]) -> NDArray[Any]:
    """Rows as a NumPy array ``(n, columns)``."""
    return array


def zeros_rows(n: int, columns: int, dtype: DTypeLike) -> NDArray[Any]:
    """Rows of zeros."""
    return np.zeros((n, columns), dtype)


def copy_rows(target: NDArray[Any], source: NDArray[Any]) -> None:
    """Copy all rows."""
    target[...] = source


def synchronize() -> None:
    """Wait until everything asked for is done."""


def mesh(tissue: Tissue, real: type[np.floating[Any]]) -> Mesh:
    """The tables of a tissue that is in the order of ``stored``."""
    volume = tissue.volume.astype(real)
    return Mesh(
        region=tissue.region,
        neighbors=tissue.neighbors,
        geometry=(tissue.conductance / tissue.volume[:, None]).astype(real),
        volume=volume,
        inverse_volume=real(1.0) / volume,
        box_index=tissue.box_index,
        order=np.argsort(tissue.box_index, kind="stable").astype(np.int64),
    )


def workspace(n: int, signals: int, entries: int, real: type[np.floating[Any]], *, counts: bool) -> Workspace:
    """Arrays that hold something only within an operator; ``counts``: cells that move are whole numbers."""
    spare, right_hand_side, diagonal = (np.zeros((n, signals), real) for _ in range(3))
    return Workspace(
        spare,
        right_hand_side,
        diagonal,
        weights=np.zeros((n, entries)),
        outflow=np.zeros((n, 6), np.int32 if counts else real),
    )


def column_facts(rows: NDArray[Any], mesh: Mesh) -> ColumnFacts:
    """Sums, volume-weighted sums, how far below zero and the greatest value of each column."""
    columns = rows.T
    weight = mesh.volume.astype(np.float64)
    return ColumnFacts(
        total=np.array([ordered_sum(column, mesh.order) for column in columns]),
        weighted=np.array(
            [ordered_sum(weight * column.astype(np.float64), mesh.order) for column in columns]
        ),
        below_zero=np.array([largest(0.0, -column.astype(np.float64)) for column in columns]),
        greatest=np.array([largest(0.0, column.astype(np.float64)) for column in columns]),
    )


class Repeater:
    """Does work that is asked for again and again with the same arrays; a GPU records it instead."""

    def __call__(self, key: Hashable, arrays: Sequence[Any], work: Callable[[], Any]) -> Any:
        """Do ``work``; ``key`` and the identity of ``arrays`` say when it would be the same again."""
        return work()


class Download:
    """Rows on their way to the host. On the CPU they are there already: the live arrays themselves.

    ``live``: what ``result`` gives changes with the next step. ``order`` says which voxel of the tissue each stored
    row belongs to, None where the tissue's own order is kept.
    """

    live = True

    def __init__(
        self,
        rows: Mapping[str, NDArray[Any]],
        order: NDArray[np.int64] | None = None,
        before: Download | None = None,
    ) -> None:
        """Begin. ``before``: an earlier download of the same rows, whose place is taken when it has arrived."""
        self._rows = dict(rows)

    def result(self) -> dict[str, NDArray[Any]]:
        """The rows by name, (n, columns) each, in the order of the tissue."""
        return self._rows
