"""Every shipped config is a run: it builds and steps."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from tissuesim.config import load_config
from tissuesim.scenario import load
from tissuesim.simulation import Simulation

CONFIGS = sorted(path.stem for path in Path(str(files("tissuesim.configs"))).glob("*.yaml"))


COARSE = {"kidney": 8, "lungs": 16, "heart": 8, "skin": 1.5, "joint": 6}
"""Voxels in mm by kind of organ."""


def coarse(name: str) -> tuple[str, ...]:
    """Changes that make a shipped config small enough to try."""
    return tuple(
        f"organs.{organ}.spacing={0.1 if item.anatomy.endswith('_patch') else COARSE[item.organ_kind]} mm"
        for organ, item in load_config(name).organs.items()
        if item.organ_kind is not None
    )


def test_configs_are_found() -> None:
    """Claim: the shipped configs are where the package says, the default run among them."""
    assert "kidney_car_t" in CONFIGS and len(CONFIGS) >= 6


@pytest.mark.parametrize("name", CONFIGS)
def test_config_runs(name: str) -> None:
    """Claim: a shipped config builds in coarse voxels and takes three sound steps from its start."""
    scenario = load(name, coarse(name))
    simulation = Simulation(scenario, "numba")
    start = scenario.config.time.start_tick
    assert simulation.state.tick == start
    for _ in range(3):
        simulation.step()
    simulation.check(simulation.state)
    assert simulation.state.tick > start and simulation.state.steps == 3
    assert max(organ.signals.max() for organ in simulation.state.organs.values()) > 0
    for organ in simulation.state.organs.values():
        assert np.issubdtype(organ.cells.dtype, np.integer) == scenario.config.stochastic
