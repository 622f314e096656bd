"""Every shipped config is a run: it builds and steps."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from tissuesim.scenario import load
from tissuesim.simulation import Simulation

CONFIGS = sorted(path.stem for path in Path(str(files("tissuesim.configs"))).glob("*.yaml"))


def test_configs_are_found() -> None:
    """Claim: the shipped configs are where the package says, the default run among them."""
    assert "kidney_car_t" in CONFIGS and len(CONFIGS) >= 6


@pytest.mark.parametrize("name", CONFIGS)
def test_config_runs(name: str) -> None:
    """Claim: a shipped config builds in coarse voxels and takes three sound steps from its start."""
    scenario = load(name, ("organs.kidney.spacing=8 mm",))
    simulation = Simulation(scenario, "numba")
    start = scenario.config.time.start_tick
    assert simulation.state.tick == start
    for _ in range(3):
        simulation.step()
    simulation.check(simulation.state)
    assert simulation.state.tick > start and simulation.state.steps == 3
    assert simulation.state.organs["kidney"].signals.max() > 0
    assert (
        np.issubdtype(simulation.state.organs["kidney"].cells.dtype, np.integer) == scenario.config.stochastic
    )
