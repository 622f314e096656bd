"""The implicit step of the signals: coefficients, spectral bound, sweeps.

    (1 + dt loss) c' - dt L c' = c + dt source

solved by Chebyshev iteration on the Jacobi-scaled matrix, whose spectrum lies in [1 - rho, 1 + rho] with
rho = max_i dt s_i / (1 + dt loss_min + dt s_i), s_i the sum of voxel i's face coefficients (Gershgorin).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tissuesim.model.expression import evaluate, factor_out, names
from tissuesim.numerics.chebyshev import chebyshev_omegas, sweeps_needed

if TYPE_CHECKING:
    from tissuesim.codegen.plan import StepPlan

LARGEST_SWEEPS = 400


@dataclass(frozen=True)
class SignalSolve:
    """Everything the solve needs that depends on the length of the step.

    ``coefficient`` is dt D, per signal (S,) or per pair of regions (R, R, S); ``omegas`` (sweeps, S).
    """

    coefficient: Any
    omegas: Any
    tolerance: float

    @classmethod
    def build(
        cls,
        dt: float,
        diffusivity: NDArray[np.float64],
        geometry: NDArray[Any],
        decay: NDArray[np.float64],
        real: type[np.floating[Any]],
        put: Callable[[NDArray[Any]], Any] = np.ascontiguousarray,
    ) -> SignalSolve:
        """The solve for steps of ``dt`` days.

        ``diffusivity`` (R, S) [mm^2/day], ``geometry`` (n, 6) [1/mm^2], ``decay`` (S,) the part of the loss that is
        always there [1/day]; ``put`` brings the tables to the backend.
        """
        table = np.stack([harmonic_means(column) for column in diffusivity.T], axis=-1)
        face_sum = float(geometry.sum(axis=1).max(initial=0.0))
        spread = dt * diffusivity.max(axis=0) * face_sum
        rho = spread / (1.0 + dt * decay + spread)
        tolerance = solve_tolerance(float(rho.max(initial=0.0)), real)
        sweeps = max(int(np.max(sweeps_needed(rho, tolerance), initial=1)), 2)
        uniform = bool(np.all(diffusivity == diffusivity[:1]))
        coefficient = dt * (diffusivity[0] if uniform else table)
        return cls(put(coefficient.astype(real)), put(chebyshev_omegas(rho, sweeps).astype(real)), tolerance)


def solve_tolerance(rho: float, real: type[np.floating[Any]]) -> float:
    """Largest allowed Jacobi-scaled residual relative to max |c| (numerics.md, section 1)."""
    if real is np.float64:
        return 1e-8
    return max(1e-5, 8.0 * float(np.finfo(real).eps) / (1.0 - rho))


def harmonic_means(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Table (R, R) of harmonic means 2 a b / (a + b): the coefficient of a face between two regions."""
    a, b = values[:, None], values[None, :]
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(a + b > 0, 2.0 * a * b / (a + b), 0.0)
    return np.where(a == b, a, mean)


def diffusivity_table(plan: StepPlan, parameters: NDArray[np.float64]) -> NDArray[np.float64]:
    """Diffusivity of every signal in every region, (regions, signals) [mm^2/day]."""
    columns = [
        parameters[:, plan.organ.parameters.index(signal.diffusivity)]
        if signal.diffusivity is not None
        else np.zeros(parameters.shape[0])
        for signal in plan.model.signals.values()
    ]
    return np.stack(columns, axis=1) if columns else np.zeros((parameters.shape[0], 0))


def decay_floor(plan: StepPlan, parameters: NDArray[np.float64]) -> NDArray[np.float64]:
    """Per signal, the sum of its constant loss rates, the least over the regions [1/day]."""
    values = {name: parameters[:, column] for column, name in enumerate(plan.organ.parameters)}
    floors = []
    for signal in plan.organ.signals:
        total = np.zeros(parameters.shape[0])
        for name in plan.processes("signal"):
            process = plan.model.processes[name]
            if process.change.get(signal, 0) >= 0:
                continue
            hazard = factor_out(plan.model.expand(process.rate), signal)
            if hazard is not None and names(hazard) <= values.keys():
                total = total + evaluate(hazard, values)
        floors.append(float(np.min(total)))
    return np.array(floors)
