"""The signal ledger on the device; formulas in ``backends/numpy/ledger.py``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tissuesim.backends.cuda.launch import blocks, kernel, launch
from tissuesim.backends.cuda.sums import Partials

LINES, EXTREMES = 4, 2


class Ledger:
    """Sums (4 lines, signals), max |residual / diagonal| and max |c'|: unpacking them waits for the device."""

    def __init__(self, partials: Partials, signals: int) -> None:
        """Keep where they will be."""
        self._partials, self._signals = partials, signals

    def __iter__(self) -> Iterator[NDArray[np.float64]]:
        """The sums, the residual, the size."""
        rows = self._partials.values().reshape(LINES + EXTREMES, self._signals)
        yield rows[:LINES]
        yield rows[LINES]
        yield rows[LINES + 1]


def signal_ledger(
    right_hand_side: Any,
    diagonal: Any,
    after: Any,
    coefficient: Any,
    region: Any,
    neighbors: Any,
    geometry: Any,
    volume: Any,
    order: Any,
) -> Ledger:
    """Sums over voxels, (4 lines, signals) in amol; max |residual / diagonal| and max |c'| per signal."""
    signals, n = after.shape
    partials = Partials((LINES + EXTREMES) * signals, LINES * signals, n)
    regions = 1 if coefficient.ndim == 1 else int(coefficient.shape[0])
    launch(
        kernel("ledger.cu", "signal_ledger", after.dtype), (blocks(n),), n, signals, regions, right_hand_side,
        diagonal, after, coefficient, region, neighbors, geometry, volume, partials.array,
    )  # fmt: skip
    return Ledger(partials.join(), signals)
