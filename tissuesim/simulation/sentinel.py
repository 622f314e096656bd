"""Never silently wrong: NaN, negative amounts, counts out of range, a ledger that does not close."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tissuesim.errors import NumericsError
from tissuesim.ticks import days

if TYPE_CHECKING:
    from tissuesim.simulation.engine import Engine
    from tissuesim.simulation.state import State

LARGEST_COUNT = 2**24
"""Counts above this are not exact as float32 and are refused."""

LEDGER_TOLERANCE = 1e-9
"""Relative gap of the cell ledger that is still rounding, in a deterministic run (float64 amounts)."""


def check_state(engine: Engine, state: State) -> None:
    """Raise NumericsError if anything in the state cannot be, or if cells are not where the ledger says."""
    plan, day = engine.plan, days(state.tick)
    names = {"signals": plan.organ.signals, "cells": plan.organ.cells, "states": plan.organ.states}
    for organ, facts in engine.facts(state).items():
        for rows, columns in names.items():
            for name, greatest, below in zip(
                columns, facts[rows].greatest, facts[rows].below_zero, strict=True
            ):
                _check(float(greatest), float(below), f"field '{name}' of '{organ}'", day)
        if plan.stochastic and np.any(facts["cells"].greatest > LARGEST_COUNT):
            raise NumericsError(
                f"more than 2^24 cells in one voxel of '{organ}' on day {day:g}; use smaller voxels"
            )
        _check_ledger(engine, state, organ, facts["cells"].total)
    if engine.clones is not None and state.clones is not None:
        engine.clones.check(state.clones, engine.clonal_amounts(state), day)
    for column, name in enumerate(plan.systemic.states):
        amounts = state.pools[:, column]
        _check(float(np.max(amounts)), float(np.max(-amounts)), f"pool '{name}'", day)
    _check_pools(engine, state)


def _check_pools(engine: Engine, state: State) -> None:
    """Cells of the pools are where the ledger says: exactly when they are whole numbers."""
    pools, ledger = engine.plan.model.pools.values(), state.pool_ledger
    counted = np.array([pool.kind == "count" for pool in pools], bool)
    first, gained, lost, given, arrived, left = ledger
    expected = first + gained - lost + given + arrived - left
    scale = first + gained + np.abs(given) + arrived + 1.0
    gap = np.where(counted, np.abs(expected - state.pools[0]) / scale, 0.0)
    if np.any(gap > (0.0 if engine.plan.stochastic else LEDGER_TOLERANCE)):
        worst = int(np.argmax(gap))
        raise NumericsError(
            f"the ledger of pool '{engine.plan.systemic.states[worst]}' does not close on day {days(state.tick):g}: "
            f"{state.pools[0, worst]:.12g}, expected {expected[worst]:.12g}"
        )


def _check(greatest: float, below_zero: float, what: str, day: float) -> None:
    if not (np.isfinite(greatest) and np.isfinite(below_zero)):
        raise NumericsError(f"{what} is not a finite number on day {day:g}")
    if below_zero > 0.0:
        raise NumericsError(f"{what} is negative ({-below_zero:.3g}) on day {day:g}")


def _check_ledger(engine: Engine, state: State, organ: str, present: NDArray[np.float64]) -> None:
    """Cells of an organ are where the ledger says: exactly when they are whole numbers."""
    ledger = state.cell_ledger[organ]
    expected = ledger[0] + ledger[1] - ledger[2] + ledger[3]
    scale = ledger[0] + ledger[1] + ledger[3] + 1.0
    allowed = 0.0 if engine.plan.stochastic else LEDGER_TOLERANCE
    gap = np.abs(expected - present) / scale
    if np.any(gap > allowed):
        worst = int(np.argmax(gap))
        raise NumericsError(
            f"the ledger of '{engine.plan.organ.cells[worst]}' in '{organ}' does not close on day "
            f"{days(state.tick):g}: {present[worst]:.10g} cells, expected {expected[worst]:.10g}"
        )
