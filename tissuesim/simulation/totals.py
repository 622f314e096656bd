"""Rows of the totals: pools, readouts, sums of every organ and the mass ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tissuesim.model.expression import evaluate
from tissuesim.run import ColumnDescription
from tissuesim.simulation.readouts import readout_trees
from tissuesim.simulation.state import CELL_LINES, POOL_LINES, SIGNAL_LINES

if TYPE_CHECKING:
    from tissuesim.model.parts import Signal, TissueState
    from tissuesim.scenario import Scenario
    from tissuesim.simulation.engine import Engine
    from tissuesim.simulation.state import State


class TotalsTable:
    """The columns of the totals of a scenario, and the row of a state."""

    def __init__(self, scenario: Scenario) -> None:
        """Lay out the columns."""
        self.scenario, self.model = scenario, scenario.model
        self.parameters = self.model.parameter_values()
        self.readouts = readout_trees(self.model)
        self.counted = {
            name: k for k, (name, pool) in enumerate(self.model.pools.items()) if pool.kind == "count"
        }
        self.columns = self._columns()

    def _columns(self) -> list[ColumnDescription]:
        model = self.model
        averaged: list[Signal | TissueState] = [*model.signals.values(), *model.states.values()]
        columns = [ColumnDescription(p.name, p.label, str(p.unit)) for p in model.pools.values()]
        columns += [
            ColumnDescription(s.name, s.label, str(model.dimensions[s.name]))
            for s in model.summaries.values()
        ]
        columns += [
            ColumnDescription(name, model.definitions[name].label or name, str(model.dimensions[name]))
            for name in self.readouts
        ]
        columns += [
            ColumnDescription(f"pools.{pool}.ledger.{line}", f"{pool} {line}", "cell")
            for line in ("initial", *POOL_LINES)
            for pool in self.counted
        ]
        for organ in self.scenario.tissues:
            columns += [
                ColumnDescription(f"{organ}.{s.name}", f"{s.label}, {organ}", str(model.dimensions[s.name]))
                for s in model.summaries.values()
            ]
            columns += [
                ColumnDescription(f"{organ}.{c.name}.sum", f"{c.label}, {organ}", "cell")
                for c in model.cells.values()
            ]
            columns += [
                ColumnDescription(
                    f"{organ}.{item.name}.mean", f"{item.label}, mean of {organ}", str(item.unit)
                )
                for item in averaged
            ]
            columns += [
                ColumnDescription(f"{organ}.{s}.ledger.{line}", f"{s} {line}, {organ}", "amol")
                for line in SIGNAL_LINES
                for s in model.signals
            ]
            columns += [
                ColumnDescription(f"{organ}.{c}.ledger.{line}", f"{c} {line}, {organ}", "cell")
                for line in ("initial", *CELL_LINES)
                for c in model.cells
            ]
        columns += [
            ColumnDescription(f"clone.{label}", f"Clone {label}, whole body", "cell")
            for label in self.scenario.plan.clone_labels
        ]
        return [*columns, ColumnDescription("step_length", "Bound on the next step", "day")]

    def row(self, engine: Engine, state: State) -> NDArray[np.float64]:
        """One row, in the order of the columns."""
        from tissuesim.ticks import TICKS_PER_DAY

        values = dict(self.parameters)
        values |= dict(zip(self.model.pools, state.pools[0], strict=True))
        values |= dict(zip(self.model.summaries, state.summaries[0], strict=True))
        parts: list[NDArray[np.float64]] = [state.pools[0], state.summaries[0]]
        parts.append(np.array([float(evaluate(tree, values)) for tree in self.readouts.values()]))
        parts.append(state.pool_ledger[:, list(self.counted.values())].ravel())
        for organ, facts in engine.facts(state).items():
            volume = engine.organs[organ].total_volume
            parts.append(state.organ_summaries[organ])
            parts.append(facts["cells"].total)
            parts += [facts[rows].weighted / volume for rows in ("signals", "states")]
            parts.append(state.signal_ledger[organ].ravel())
            parts.append(state.cell_ledger[organ].ravel())
        if state.clones is not None:
            parts.append(state.clones.counts.sum(axis=0).astype(np.float64))
        return np.concatenate([*parts, np.array([state.step_ticks / TICKS_PER_DAY])])
