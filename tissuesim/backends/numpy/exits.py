"""The probability of leaving within a step, and the share of arrivals that stay."""

from __future__ import annotations

from typing import Any, TypeAlias

Real: TypeAlias = Any  # NDArray or scalar of float32 or float64; all results have its type


def exit_probability(x: Real) -> tuple[Real, Real, Real, Real]:
    """Return ``(E, g, phi, psi)`` for hazard times step ``x >= 0``, in the dtype of x; arithmetic only.

    E survivors (about exp(-x)); g = 1 - E exit probability; phi = g/x mean survival of arrivals spread
    evenly over the step (1 at x = 0); psi = 1 - phi, the share of them that leaves again. None is formed by
    a subtraction of near equals, so all keep their digits for small x. Padé-like start at x/16, ``g =
    s/(1+s)`` with ``s = y + y^2/2``, then four doublings of the interval: ``g <- g(2-g)``, ``phi <-
    phi(1-g/2)``, ``psi <- psi + phi g/2`` with the old g. Hazard error < 0.1 % to x = 1, < 1 % to x = 4.
    """
    y = x * 0.0625
    s = y + y * y * 0.5
    whole = s + 1.0
    survivors = 1.0 / whole
    g = s / whole
    phi = (y * 0.5 + 1.0) / whole
    psi = (y * 0.5 + y * y * 0.5) / whole
    for _ in range(4):
        psi = psi + phi * g * 0.5
        phi = phi * (1.0 - g * 0.5)
        g = g * (2.0 - g)
        survivors = survivors * survivors
    return survivors, g, phi, psi
