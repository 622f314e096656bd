"""The numpy and numba backends give the same bits for whole runs, whatever happens in them."""

from __future__ import annotations

from collections.abc import Callable

import numba
import numpy as np
import pytest

from tissuesim.scenario import Scenario
from tissuesim.simulation import Simulation
from tissuesim.simulation.state import CELL_LINES

ENTERED = 1 + CELL_LINES.index("entered")


@pytest.mark.parametrize("stochastic", ["on", "off"])
@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_two_hundred_steps(
    treated: Callable[..., Scenario],
    same_state: Callable[[Simulation, Simulation], None],
    precision: str,
    stochastic: str,
) -> None:
    """Claim: every array and every fact of the state is the same after 200 steps, and on the way.

    Lymphodepletion, a drug, an infusion, movement, exchange and spill-over happen meanwhile.
    """
    scenario = treated(f"precision={precision}", f"stochastic={stochastic}")
    reference, compiled = Simulation(scenario, "numpy"), Simulation(scenario, "numba")
    same_state(reference, compiled)
    for step in range(1, 201):
        reference.step()
        compiled.step()
        if step in (1, 2, 5, 10, 50, 100, 200):
            same_state(reference, compiled)
    _assert_everything_happened(reference)


def _assert_everything_happened(simulation: Simulation) -> None:
    """Nothing in the run was switched off."""
    state, scenario = simulation.state, simulation.scenario
    assert state.next_event == len(scenario.events) == 9
    pools = dict(zip(scenario.model.pools, state.pools[0], strict=True))
    assert pools["plasma_il6"] > 0 and pools["plasma_ifn_gamma"] > 0, "no spill-over"
    for name, column in zip(scenario.model.cells, state.cell_ledger["kidney"].T, strict=True):
        assert name == "plasmablast" or column[ENTERED] > 0, f"no {name} entered"
        assert name == "naive_b" or column[1] > 0, f"no {name} was made"
        assert column[2] > 0, f"no {name} was lost"
    assert all(np.ptp(column) > 0 for column in state.signal_ledger["kidney"][1:3]), "signals stood still"
    engine, fields = simulation.engine.organs["kidney"], state.organs["kidney"]
    before = fields.cells.copy()
    engine.movement(fields, 1.0, state.tick, 0)
    assert np.any(before != fields.cells), "cells stood still"


def test_parallel_loops(
    treated: Callable[..., Scenario],
    advance: Callable[..., Simulation],
    same_state: Callable[[Simulation, Simulation], None],
) -> None:
    """Claim: above the size from which loops and the tree of arrivals run in parallel, the bits are the same."""
    scenario = treated(
        "organs.kidney.spacing=4 mm",
        "time.start=0 day",
        "treatment=[{type: car_t, day: 0, dose: 1e7 cell/kg}]",
    )
    assert scenario.voxels > 2048
    numba.set_num_threads(2)
    same_state(advance(scenario, "numpy", 12), advance(scenario, "numba", 12))


@pytest.mark.parametrize("stochastic", ["on", "off"])
def test_two_organs(
    treated: Callable[..., Scenario],
    advance: Callable[..., Simulation],
    same_state: Callable[[Simulation, Simulation], None],
    stochastic: str,
) -> None:
    """Claim: two organs that share the blood agree too, each with arrivals of its own."""
    scenario = treated(
        "organs.kidney.spacing=10 mm",
        "organs.other={anatomy: kidney, spacing: 12 mm, seed: 2}",
        "time.start=0 day",
        "treatment=[{type: car_t, day: 0, dose: 1e6 cell/kg}]",
        f"stochastic={stochastic}",
    )
    reference = advance(scenario, "numpy", 60)
    same_state(reference, advance(scenario, "numba", 60))
    for name in ("kidney", "other"):
        entered = reference.state.cell_ledger[name][ENTERED]
        effector = list(scenario.model.cells).index("car_t_effector")
        assert entered[effector] > 0, name
