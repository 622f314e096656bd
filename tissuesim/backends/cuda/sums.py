"""Partial sums of blocks joined on the device; the order of the sums is that of ``backends/numpy/sums.py``."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tissuesim.backends.cuda.launch import blocks, empty, fetch, kernel, launch

DOUBLE = np.dtype(np.float64)


class Partials:
    """One row per sum or maximum, one column per block of 256 voxels; ``added`` rows are sums, the rest maxima.

    A kernel fills ``array``, ``join`` reduces it; the arrays live as long as this object, so that a recorded launch
    finds them again.
    """

    def __init__(self, rows: int, added: int, n: int) -> None:
        """Lay out the levels for ``n`` voxels."""
        self.rows, self.added = rows, added
        counts = [blocks(n)]
        while counts[-1] > 1:
            counts.append(blocks(counts[-1]))
        self.levels = [empty((rows, count), DOUBLE) for count in counts]

    @property
    def array(self) -> Any:
        """Where a kernel writes the partial results, ``(rows, blocks)``."""
        return self.levels[0]

    def join(self) -> Partials:
        """Reduce every row to one number, on the device."""
        join = kernel("sums.cu", "join_partials", DOUBLE)
        for partial, joint in zip(self.levels, self.levels[1:], strict=False):
            count = partial.shape[1]
            launch(join, (self.rows * joint.shape[1],), self.rows, count, self.added, partial, joint)
        return self

    def values(self) -> NDArray[np.float64]:
        """The numbers, ``(rows,)``, on the host: what the last launch found."""
        return fetch(self.levels[-1])[:, 0]
