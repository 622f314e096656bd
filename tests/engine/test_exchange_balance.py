"""Entering and leaving tissue: the balance does not depend on the length of the step."""

from __future__ import annotations

from pathlib import Path

import pytest

from tissuesim.config import load_config_text
from tissuesim.scenario import build_scenario
from tissuesim.simulation import Simulation

GUESTS = """
name: guests
description: Cells that enter an organ from a large pool in blood and leave it again.
cells:
  guest: {label: Guest, initial: "0 * density"}
pools:
  blood_guest: {label: Guests in blood, unit: cell, kind: count, initial: "many"}
maps:
  vascular_density: {unit: "1", default: 1}
parameters:
  density: {value: "1 cell/mm^3", source: test, grade: A}
  many: {value: "4e7 cell", source: test, grade: A}
  entry: {value: "3e-8 1/mm^3/day", source: test, grade: A}
  leave: {value: "0.5 1/day", source: test, grade: A}
processes:
  enters: {rate: "entry * blood_guest * vascular_density", change: {blood_guest: -1, guest: 1}}
  leaves: {rate: "leave * guest", change: {guest: -1, blood_guest: 1}}
"""
CONFIG = """
model: {model}
organs: {{kidney: {{anatomy: kidney, spacing: 10 mm}}}}
time: {{start: 0 day, end: 200 day, maximum_step: {step}, minimum_step: 1 min}}
stochastic: {stochastic}
precision: float64
"""


@pytest.mark.parametrize("stochastic", ["off", "on"])
@pytest.mark.parametrize(("step", "tolerance"), [("16 h", 0.015), ("8 h", 0.006), ("1 h", 0.004)])
def test_balance_at_every_step(tmp_path: Path, step: str, tolerance: float, stochastic: str) -> None:
    """Claim: guests in tissue settle at influx / exit rate, as steps go to 2/3 of a day.

    With all arrivals after the exits of a step it would be 17 % more at 16 h and 8 % more at 8 h; with half of them
    before, x / 2 / tanh(x / 2) - 1 of the hazard times step x, 0.9 % and 0.2 %.
    """
    model = tmp_path / "guests.yaml"
    model.write_text(GUESTS)
    text = CONFIG.format(model=model, step=step, stochastic=stochastic)
    simulation = Simulation(build_scenario(load_config_text(text)), "numpy")
    while simulation.state.tick < 40 * 6144:
        simulation.step()
    organ = simulation.engine.organs["kidney"]
    volume = float(organ.tissue.volume @ organ.host_maps[:, 0])
    inside = float(simulation.state.organs["kidney"].cells.sum())
    blood = float(simulation.state.pools[0, 0])
    assert inside + blood == pytest.approx(4e7, rel=1e-12)
    balance = 4e7 * 3e-8 * volume / (3e-8 * volume + 0.5)
    assert inside == pytest.approx(balance, rel=tolerance)
    longest = {"16 h": 4096, "8 h": 2048, "1 h": 256}[step]
    assert simulation.state.step_ticks == longest, "the steps were shorter than the test means"
