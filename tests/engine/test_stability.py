"""What a run records of its own stability is what its steps really were."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from tissuesim.backends.margins import Margins
from tissuesim.scenario import Scenario
from tissuesim.simulation import Simulation
from tissuesim.simulation.engine import SMALL_NUMBER
from tissuesim.simulation.stability import LIMITS, stability
from tissuesim.ticks import TICKS_PER_DAY


def test_margins_are_those_of_the_steps(treated: Callable[..., Scenario]) -> None:
    """Claim: largest rate x step and growth are those that an observer of every step works out from the state."""
    simulation = Simulation(treated("time.end=8 day"), "numba")
    state, rates, growths = simulation.state, [], []
    fields, ledger = state.organs["kidney"], state.cell_ledger["kidney"]
    while not simulation.finished:
        tick, before = state.tick, ledger.copy()
        simulation.step()
        dt = (state.tick - tick) / TICKS_PER_DAY
        rates.append(fields.hazard * dt)
        net = (ledger[1] - before[1]) - (ledger[2] - before[2])
        # births and losses are booked before the second half of what enters
        present = ledger[0] + ledger[1] - ledger[2] + before[3] + (ledger[3] - before[3]) / 2
        many = present > SMALL_NUMBER + 2
        growths.append(float(np.max(net[many] / present[many], initial=0.0)))
    told = stability(state.facts())
    seen = told["organs"]["kidney"]
    assert told["steps"] == state.steps == len(rates) and told["day"] == 8.0
    assert seen["rate"] == max(rates) > 0.0
    assert seen["growth"] == pytest.approx(max(growths), rel=0.05) and seen["growth"] > 0.01
    for key in ("movement", "residual", "clipping"):
        assert 0.0 <= seen[key] <= LIMITS[key], key
    assert seen["movement"] > 0.0 and seen["residual"] > 0.0


def test_margins_are_the_same_on_both_backends(treated: Callable[..., Scenario]) -> None:
    """Claim: they are measured from the same bits, so NumPy and Numba tell the same numbers."""
    told = []
    for backend in ("numpy", "numba"):
        simulation = Simulation(treated("organs.kidney.spacing=12 mm"), backend)
        for _ in range(40):
            simulation.step()
        told.append(stability(simulation.state.facts()))
    assert told[0] == told[1]


def test_no_number_is_not_lost_under_a_larger_one() -> None:
    """A margin that is not a number stays, whatever is met before or after: a clean record would be untrue."""
    for values in ((0.5, float("nan"), 0.7), (float("nan"), 1.0)):
        margins = Margins()
        for value in values:
            margins.saw("rate", value)
        assert math.isnan(margins["rate"])
