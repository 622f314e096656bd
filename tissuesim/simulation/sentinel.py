"""Never silently wrong: NaN, negative amounts, counts out of range, a ledger that does not close."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tissuesim.errors import NumericsError
from tissuesim.ticks import days

if TYPE_CHECKING:
    from tissuesim.scenario import Scenario
    from tissuesim.simulation.state import State

LARGEST_COUNT = 2**24
"""Counts above this are not exact as float32 and are refused."""

LEDGER_TOLERANCE = 1e-9
"""Relative gap of the cell ledger that is still rounding, in a deterministic run (float64 amounts)."""


def check_state(scenario: Scenario, state: State) -> None:
    """Raise NumericsError if anything in the state cannot be."""
    day = days(state.tick)
    for organ, fields in state.organs.items():
        names = {
            "signals": scenario.plan.organ.signals,
            "cells": scenario.plan.organ.cells,
            "states": scenario.plan.organ.states,
        }
        for array_name, array in fields.arrays().items():
            for column, name in enumerate(names[array_name]):
                _check(array[:, column], f"field '{name}' of '{organ}'", day)
        if scenario.plan.stochastic and fields.cells.size and int(fields.cells.max()) > LARGEST_COUNT:
            raise NumericsError(
                f"more than 2^24 cells in one voxel of '{organ}' on day {day:g}; use smaller voxels"
            )
    for column, name in enumerate(scenario.plan.systemic.states):
        _check(state.pools[:, column], f"pool '{name}'", day)


def _check(values: np.ndarray, what: str, day: float) -> None:
    if not np.all(np.isfinite(values)):
        raise NumericsError(f"{what} is not a finite number on day {day:g}")
    if values.size and values.min() < 0:
        raise NumericsError(f"{what} is negative ({float(values.min()):.3g}) on day {day:g}")


def check_ledger(scenario: Scenario, state: State) -> None:
    """Cells of every organ are where the ledger says: exactly when they are integers."""
    for organ, fields in state.organs.items():
        ledger = state.cell_ledger[organ]
        expected = ledger[0] + ledger[1] - ledger[2] + ledger[3]
        present = fields.cells.sum(axis=0, dtype=np.float64)
        scale = ledger[0] + ledger[1] + ledger[3] + 1.0
        allowed = 0.0 if scenario.plan.stochastic else LEDGER_TOLERANCE
        gap = np.abs(expected - present) / scale
        if np.any(gap > allowed):
            worst = int(np.argmax(gap))
            raise NumericsError(
                f"the ledger of '{scenario.plan.organ.cells[worst]}' in '{organ}' does not close on day "
                f"{days(state.tick):g}: {present[worst]:.10g} cells, expected {expected[worst]:.10g}"
            )
