"""Many virtual patients side by side, for models whose tissue is well mixed: pools only, one row per patient."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tissuesim.backends.base import load_backend
from tissuesim.codegen.plan import compile_model
from tissuesim.errors import InputError, nearest
from tissuesim.model.expression import evaluate
from tissuesim.simulation.readouts import readout_trees
from tissuesim.systemic import SystemicStep, first_amounts
from tissuesim.ticks import TICKS_PER_DAY, days, ticks

if TYPE_CHECKING:
    from tissuesim.model.model import Model
    from tissuesim.treatment import Event

LARGEST_DEVIATION = 2.0
"""Parameters are drawn within this many standard deviations of the logarithm."""

LONGEST_STEP = TICKS_PER_DAY // 12
"""Ticks; pools sub-step below this as their hazards ask."""


@dataclass(frozen=True)
class Cohort:
    """Time series of a cohort: ``days`` (k,), ``series`` by pool or readout (k, patients), parameter values."""

    days: NDArray[np.float64]
    series: dict[str, NDArray[np.float64]]
    parameters: dict[str, NDArray[np.float64]]

    def endpoints(self, baseline_day: float = 0.0) -> list[dict[str, Any]]:
        """The endpoints of every patient."""
        from tissuesim.readouts import endpoints

        patients = next(iter(self.series.values())).shape[1]
        return [
            endpoints(
                self.days,
                {name: column[:, j] for name, column in self.series.items()},
                baseline_day=baseline_day,
            )
            for j in range(patients)
        ]


def draw_parameters(model: Model, patients: int, seed: int) -> dict[str, NDArray[np.float64]]:
    """Parameters of virtual patients, (patients,) canonical values by name.

    Lognormal around the model's value, with its ``variability`` as the coefficient of variation; what lies beyond
    two standard deviations is moved to two. Each parameter has a stream of its own, keyed by ``seed`` and its name, so
    that one more parameter or patient changes no other number.
    """
    drawn = {}
    for name, parameter in model.parameters.items():
        if parameter.variability and parameter.value is not None:
            deviation = np.sqrt(np.log(1.0 + parameter.variability**2))
            normal = np.clip(_normal(f"{seed}/{name}", patients), -LARGEST_DEVIATION, LARGEST_DEVIATION)
            drawn[name] = parameter.value * np.exp(deviation * normal)
    return drawn


def _normal(key: str, count: int) -> NDArray[np.float64]:
    """Standard normal numbers of a Philox stream that a text names."""
    digest = hashlib.sha256(f"tissuesim/patients/{key}".encode()).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(digest[:16], "little"))).standard_normal(
        count
    )


def simulate_cohort(
    model: Model,
    *,
    patients: int,
    end: float,
    infusion: Mapping[str, float | NDArray[np.float64]] | None = None,
    treatment: Sequence[Event] = (),
    seed: int = 1,
    every: float = 0.5,
    stochastic: bool = True,
    backend: str = "auto",
) -> Cohort:
    """Run a cohort from day 0, or from the first event of its treatment if that is earlier, to ``end``.

    ``infusion`` are pools set at the start, one number or one per patient; ``treatment`` are events of a schedule,
    the same for every patient. A model with organ fields cannot be run this way.

    Raises:
        InputError: the model has organ fields, or ``infusion`` names a pool it does not have.
    """
    if model.cells or model.signals or model.states:
        raise InputError(f"model '{model.name}' has organ fields; a cohort runs models made of pools only")
    infusion = infusion or {}
    for name in (*infusion, *(event.pool for event in treatment)):
        if name not in model.pools:
            raise InputError(
                f"infusion: '{name}' is not a pool of '{model.name}'{nearest(name, model.pools)}"
            )
    plan = compile_model(model, stochastic=stochastic, cohort=True)
    drawn = draw_parameters(model, patients, seed)
    values = model.parameter_values(overrides=drawn)
    table = np.stack(
        [np.broadcast_to(values[name], (patients,)) for name in plan.systemic.parameters], axis=1
    )
    step = SystemicStep(plan, load_backend(backend), np.ascontiguousarray(table, np.float64), (seed, 0))
    amounts = first_amounts(plan, values, patients)
    for name, value in infusion.items():
        amount = np.broadcast_to(np.asarray(value, np.float64), (patients,))
        whole = stochastic and model.pools[name].kind == "count"
        amounts[:, plan.systemic.states.index(name)] = np.floor(amount) if whole else amount
    nothing = np.zeros((patients, 0))
    trees = readout_trees(model)
    rows: list[dict[str, Any]] = []
    times: list[int] = []
    events = sorted(treatment, key=lambda event: event.tick)
    tick = min([0, *(event.tick // LONGEST_STEP * LONGEST_STEP for event in events)])
    interval, due, done = max(ticks(every), 1), tick, 0
    hazard = step.hazard(amounts, nothing, tick)
    while True:
        while done < len(events) and events[done].tick <= tick:
            column = plan.systemic.states.index(events[done].pool)
            before = amounts[:, column] if events[done].action == "add" else 0.0
            amounts[:, column] = before + events[done].value
            done += 1
            hazard = max(hazard, step.hazard(amounts, nothing, tick))
        if tick >= due:  # the first step boundary at or after the time asked for
            known = {**values, **dict(zip(model.pools, amounts.T, strict=True))}
            row = {name: amounts[:, j].copy() for j, name in enumerate(model.pools)}
            row |= {
                name: np.broadcast_to(evaluate(tree, known), (patients,)).copy()
                for name, tree in trees.items()
            }
            rows.append(row)
            times.append(tick)
            due = (tick // interval + 1) * interval
        if tick >= ticks(end):
            break
        hazard = max(step.advance(amounts, nothing, LONGEST_STEP, tick, hazard), 1e-6)
        tick += LONGEST_STEP
    series = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    return Cohort(np.array([days(tick) for tick in times]), series, drawn)
