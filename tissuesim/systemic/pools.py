"""Systemic pools of one virtual patient, or of a whole cohort side by side (one row per patient)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tissuesim.backends.base import Backend
from tissuesim.backends.organ_step import SYSTEMIC, refuse_unsound_rates
from tissuesim.codegen.plan import StepPlan
from tissuesim.model.expression import evaluate
from tissuesim.ticks import TICKS_PER_DAY, power_of_two_below

LARGEST_EXIT = 0.35
"""Largest hazard x sub-step: keeps exits and in-step arrivals in the range where the operator is second order."""

LINES = ("gained", "lost")
"""What the pools report of each count of cells in a step, a row each."""


@dataclass
class SystemicStep:
    """The process operator of the pools.

    ``parameters`` (patients, parameters) canonical; ``key`` the two words of the random generator.
    """

    plan: StepPlan
    backend: Backend
    parameters: NDArray[np.float64]
    key: tuple[int, int]

    def __post_init__(self) -> None:
        program = self.plan.systemic_program
        kind = "stochastic" if self.plan.stochastic else "deterministic"
        self.function = self.backend.compile_programs([program], np.float64, f"systemic_{kind}")[program.name]
        patients = self.parameters.shape[0]
        self.patients = np.arange(patients, dtype=np.int64)
        self.region = np.arange(patients, dtype=np.int64)
        self.ones = np.ones(patients)
        self.nothing = np.zeros((patients, 0))

    def hazard(self, amounts: NDArray[np.float64], inputs: NDArray[np.float64], tick: int) -> float:
        """Largest hazard on any pool now [1/day]: the operator with a step of length zero changes nothing."""
        return self._react(amounts.copy(), inputs, 0.0, tick, 0)[0]

    def advance(
        self,
        amounts: NDArray[np.float64],
        inputs: NDArray[np.float64],
        dt_ticks: int,
        tick: int,
        hazard: float,
        ledger: NDArray[np.float64] | None = None,
        follow: Callable[[dict[str, int], int], None] | None = None,
    ) -> float:
        """Advance the pools in place by ``dt_ticks`` in sub-steps that suit ``hazard``; returns the largest seen.

        ``ledger`` (2, pools) adds up what pools of whole cells gained and lost, summed over the patients. ``follow`` is
        called after each sub-step with the flows of the clonal pools and the number of the sub-step.
        """
        longest = power_of_two_below(int(LARGEST_EXIT / max(hazard, 1e-9) * TICKS_PER_DAY))
        length = min(dt_ticks, longest)
        largest = 0.0
        for substep in range(dt_ticks // length):
            seen, flows = self._react(amounts, inputs, length / TICKS_PER_DAY, tick, substep, ledger)
            largest = max(largest, seen)
            if follow is not None:
                follow(flows, substep)
        return largest

    def _react(
        self,
        amounts: NDArray[np.float64],
        inputs: NDArray[np.float64],
        dt: float,
        tick: int,
        substep: int,
        ledger: NDArray[np.float64] | None = None,
    ) -> tuple[float, dict[str, int]]:
        with np.errstate(all="ignore"):
            totals, sums, maxima = self.function(
                inputs, self.nothing, amounts, self.nothing, self.nothing, self.nothing, self.nothing,
                self.ones, self.ones, self.region, self.parameters, self.ones, self.patients, self.patients,
                np.float64(dt), SYSTEMIC, tick, substep, *self.key,
            )  # fmt: skip
        program = self.plan.systemic_program
        if ledger is not None:
            booked = {
                **dict(zip(program.totals, totals, strict=True)),
                **dict(zip(program.sums, sums, strict=True)),
            }
            for key, value in booked.items():
                line, _, name = key.partition(":")
                if line in LINES:
                    ledger[LINES.index(line), self.plan.systemic.states.index(name)] += float(value)
        found = dict(zip(program.maxima, (float(value) for value in maxima), strict=True))
        refuse_unsound_rates(found, "the pools", tick)
        return found.get("hazard", 0.0), {
            name: int(value)
            for name, value in zip(program.totals, totals, strict=True)
            if name.startswith("flow:")
        }


def first_amounts(plan: StepPlan, values: Mapping[str, Any], patients: int) -> NDArray[np.float64]:
    """Pools at the start, (patients, pools): the ``initial`` expressions; counts are whole in a stochastic run."""
    columns = []
    for pool in plan.model.pools.values():
        amount = np.broadcast_to(
            np.asarray(evaluate(plan.model.expand(pool.initial), values), np.float64), (patients,)
        )
        columns.append(np.floor(amount) if plan.stochastic and pool.kind == "count" else amount)
    return np.stack(columns, axis=1).copy() if columns else np.zeros((patients, 0))
