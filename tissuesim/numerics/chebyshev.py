"""Relaxation factors and number of sweeps of the Chebyshev iteration.

For a Jacobi iteration matrix with real spectrum in [-rho, rho], the Chebyshev semi-iterative method
``x_{k+1} = omega_{k+1} (jacobi(x_k) - x_{k-1}) + x_{k-1}`` needs no global sums. Source: G. H. Golub, R. S.
Varga, "Chebyshev semi-iterative methods, successive overrelaxation iterative methods, and second order
Richardson iterative methods", Numerische Mathematik 3 (1961) 147-156.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

MARGIN = 1.3  # the bound counts the max norm of the error too low


def chebyshev_omegas(rho: ArrayLike, sweeps: int) -> NDArray[np.float64]:
    """Return the factors ``(sweeps, S)`` for spectral bounds ``rho (S,)``, each in [0, 1).

    ``omega_1 = 1, omega_2 = 1 / (1 - rho^2 / 2), omega_{k+1} = 1 / (1 - rho^2 omega_k / 4)``; raises
    ValueError for other bounds.
    """
    square = _checked(rho) ** 2
    omegas = np.ones((sweeps, square.size))
    for k in range(1, sweeps):
        omegas[k] = 1.0 / (1.0 - square * (0.5 if k == 1 else 0.25 * omegas[k - 1]))
    return omegas


def sweeps_needed(rho: ArrayLike, tolerance: float) -> NDArray[np.int64]:
    """Return the sweeps ``(S,)`` from a cold start: ``1.3 acosh(1/tolerance) / acosh(1/rho)``.

    At least 1; raises ValueError unless every rho is in [0, 1) and the tolerance in (0, 1).
    """
    bound = _checked(rho)
    if not 0.0 < tolerance < 1.0:
        raise ValueError(f"tolerance {tolerance} of the signal solve: must lie between 0 and 1")
    with np.errstate(divide="ignore"):
        sweeps = MARGIN * np.arccosh(1.0 / tolerance) / np.arccosh(1.0 / bound)
    return np.asarray(np.maximum(np.ceil(sweeps), 1.0).astype(np.int64))


def _checked(rho: ArrayLike) -> NDArray[np.float64]:
    bound = np.atleast_1d(np.asarray(rho, np.float64))
    if not np.all((bound >= 0.0) & (bound < 1.0)):
        raise ValueError(f"spectral bound {bound} of the signal solve: must lie in [0, 1)")
    return bound
