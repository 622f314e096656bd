"""Where the amount of each signal went in one implicit step.

With M the matrix of the step and b the right-hand side, summing ``V (b - M c')`` over voxels gives, line by line,

    sum V c' - sum V c = source - decay - imbalance + (flux rounding)

source = V (b - c), decay = V (diagonal - 1 - sum of face coefficients) c', imbalance = V (b - M c'), and clipping
adds -V c' where c' is below zero or faint. All in float64 from the very numbers of the step, summed in canonical order.
The sums before the solve (what was there, and the source) come from the program ``signal_rates``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tissuesim.backends.numpy.sums import ordered_sum
from tissuesim.codegen.instructions import FAINT

LINES = ("decay", "imbalance", "clipped", "after")


def signal_ledger(
    right_hand_side: NDArray[Any],
    diagonal: NDArray[Any],
    after: NDArray[Any],
    coefficient: NDArray[Any],
    region: NDArray[np.uint8],
    neighbors: NDArray[np.int32],
    geometry: NDArray[Any],
    volume: NDArray[Any],
    order: NDArray[np.int64],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Sums over voxels, (4 lines, signals) in amol; max |residual / diagonal| and max |c'| per signal."""
    new, b = after.astype(np.float64), right_hand_side.astype(np.float64)
    off_diagonal = np.zeros_like(new)
    inflow = np.zeros_like(new)
    for face in range(neighbors.shape[1]):
        neighbor = neighbors[:, face]
        factor = coefficient[region, region[neighbor]] if coefficient.ndim == 3 else coefficient
        face_coefficient = (factor * geometry[:, face : face + 1]).astype(np.float64)
        off_diagonal = off_diagonal + face_coefficient
        inflow = inflow + face_coefficient * new[neighbor]
    diagonal_wide = diagonal.astype(np.float64)
    residual = b - diagonal_wide * new + inflow
    kept = np.where(new < FAINT, 0.0, new)
    terms = (
        (diagonal_wide - 1.0 - off_diagonal) * new,
        residual,
        kept - new,
        kept,
    )
    wide_volume = volume.astype(np.float64)
    sums = np.array(
        [[ordered_sum(wide_volume * term[:, s], order) for s in range(new.shape[1])] for term in terms]
    )
    return sums, np.max(np.abs(residual / diagonal_wide), axis=0), np.max(np.abs(new), axis=0)
