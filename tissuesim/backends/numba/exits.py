"""The probability of leaving within a step, compiled; formulas in ``backends/numpy/exits.py``.

The constants are float32 and exact: with a float32 argument everything stays float32, with float64 all is
float64.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numba import njit

Real: TypeAlias = Any  # float32 or float64 scalar

ONE, TWO, HALF, SIXTEENTH = np.float32(1.0), np.float32(2.0), np.float32(0.5), np.float32(0.0625)


@njit(cache=True, error_model="numpy")
def _double_time(survivors: Real, g: Real, phi: Real, psi: Real) -> tuple[Real, Real, Real, Real]:
    """The four numbers for twice the time."""
    return survivors * survivors, g * (TWO - g), phi * (ONE - g * HALF), psi + phi * g * HALF


@njit(cache=True, error_model="numpy")
def exit_probability(x: Real) -> tuple[Real, Real, Real, Real]:
    """Return ``(E, g, phi, psi)`` for hazard times step ``x >= 0``."""
    y = x * SIXTEENTH
    s = y + y * y * HALF
    whole = s + ONE
    survivors = ONE / whole
    g = s / whole
    phi = (y * HALF + ONE) / whole
    psi = (y * HALF + y * y * HALF) / whole
    # four doublings by name: a loop inside would keep a loop around from being vectorised
    survivors, g, phi, psi = _double_time(survivors, g, phi, psi)
    survivors, g, phi, psi = _double_time(survivors, g, phi, psi)
    survivors, g, phi, psi = _double_time(survivors, g, phi, psi)
    return _double_time(survivors, g, phi, psi)
