"""A small piece of tissue with a model in it: the real operators, ready to be stepped one by one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tissuesim.backends.base import load_backend
from tissuesim.backends.organ_step import OrganState, OrganStep, StepResult
from tissuesim.codegen.plan import compile_model
from tissuesim.model.model import Model
from tissuesim.simulation.clock import movement_step
from tissuesim.ticks import TICKS_PER_DAY
from tissuesim.tissue import Tissue

Fill = Callable[[NDArray[np.float64]], NDArray[Any]] | NDArray[Any] | float
"""Initial values: a number, an array per voxel, or a function of the voxel centers (n, 3) in mm."""


def build_model(name: str, parameters: Mapping[str, str | Mapping[str, Any]], **sections: Any) -> Model:
    """Return a checked model; parameters are quantities such as ``"2 1/day"``, or mappings with more keys."""
    origin = {"source": "chosen for verification", "grade": "A"}
    full = {
        key: origin | ({"value": value} if isinstance(value, str) else dict(value))
        for key, value in parameters.items()
    }
    return Model.from_mapping({"name": name, "parameters": full, **sections})


@dataclass
class Specimen:
    """One organ step with its state; time in ticks of 1/6144 day."""

    step: OrganStep
    state: OrganState
    tick: int = 0

    @classmethod
    def of(
        cls,
        model: Model,
        tissue: Tissue,
        initial: Mapping[str, Fill] | None = None,
        *,
        stochastic: bool = False,
        real: type[np.floating[Any]] = np.float64,
        backend: str = "auto",
        seed: int = 1,
    ) -> Specimen:
        """Compile a model for a tissue; ``initial``: concentrations, cells per voxel and states by name."""
        plan = compile_model(model, stochastic=stochastic)
        rows = [model.parameter_values(region=region) for region in tissue.region_names]
        table = np.array([[float(row[name]) for name in plan.organ.parameters] for row in rows])
        step = OrganStep(plan, tissue, load_backend(backend), real, table, (seed, 20_240_613))
        count = np.int32 if stochastic else np.float64
        organ, fills = plan.organ, initial or {}
        state = OrganState(
            _columns(organ.signals, tissue, fills, real),
            _columns(organ.cells, tissue, fills, count),
            _columns(organ.states, tissue, fills, real),
        )
        return cls(step, state)

    # ---- reading
    def signal(self, name: str) -> NDArray[Any]:
        """Concentration per voxel."""
        rows: NDArray[Any] = self.step.backend.arrays.get_rows(self.state.signals)
        return rows[:, self.step.plan.organ.signals.index(name)]

    def cells(self, name: str) -> NDArray[Any]:
        """Cells per voxel."""
        rows: NDArray[Any] = self.step.backend.arrays.get_rows(self.state.cells)
        return rows[:, self.step.plan.organ.cells.index(name)]

    @property
    def tissue(self) -> Tissue:
        """The tissue."""
        return self.step.tissue

    @property
    def scalars(self) -> NDArray[Any]:
        """Pools and summaries, all zero."""
        scalars: NDArray[Any] = self.step.scalars(np.zeros(len(self.step.plan.organ.scalars)))
        return scalars

    # ---- stepping; each call lasts so many ticks and may be repeated
    def diffuse(self, ticks: int, repeats: int = 1) -> NDArray[np.float64]:
        """Implicit steps of the signals; returns the ledger of each, (repeats, 6 lines, signals)."""
        lines = []
        for _ in range(repeats):
            dt = ticks / TICKS_PER_DAY
            lines.append(self.step.signals(self.state, self.scalars, ticks, dt, self.tick)[1])
            self.tick += ticks
        return np.array(lines)

    def react(self, ticks: int, repeats: int = 1) -> list[StepResult]:
        """Steps of the process operator."""
        results = []
        for _ in range(repeats):
            dt = ticks / TICKS_PER_DAY
            results.append(self.step.reactions(self.state, self.scalars, dt, self.tick))
            self.tick += ticks
        return results

    def move(self, ticks: int, repeats: int = 1) -> None:
        """Single movement steps, each of the given length."""
        for _ in range(repeats):
            self.step.movement(self.state, ticks / TICKS_PER_DAY, self.tick, 0)
            self.tick += ticks

    def move_stably(self, ticks: int) -> int:
        """One movement as the simulation loop does it, in stable sub-steps; returns their number."""
        hazard = self.step.movement_hazard(self.state)
        covered, substeps = movement_step(self.tick, ticks, hazard)
        for substep in range(substeps):
            self.step.movement(self.state, covered / TICKS_PER_DAY / substeps, self.tick, substep)
        self.tick += covered
        return substeps


def _columns(
    names: tuple[str, ...], tissue: Tissue, initial: Mapping[str, Fill], dtype: type[Any]
) -> NDArray[Any]:
    values = np.zeros((tissue.n, len(names)), dtype)
    for column, name in enumerate(names):
        fill = initial.get(name, 0.0)
        values[:, column] = fill(tissue.centers()) if callable(fill) else fill
    return values
