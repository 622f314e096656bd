"""Tails of diffusion end at the faint limit: no subnormal number is left in a run, and nothing that counts is lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tissuesim.backends.base import load_backend
from tissuesim.codegen.instructions import FAINT
from tissuesim.config import load_config_text
from tissuesim.scenario import Scenario, build_scenario
from tissuesim.simulation import Simulation

SPREADING = """
name: spreading
description: A signal made in the medulla alone drives a tissue state by its square; both have long tails in the cortex.
signals:
  lure: {label: Lure, unit: pM, diffusivity: spread, initial: "0"}
states:
  scar: {label: Scar, unit: "1", initial: "0"}
parameters:
  spread: {value: "1e-5 um^2/s", source: test, grade: A}
  made: {value: "0 pM/day", source: test, grade: A, regions: {medulla: "3 pM/day"}}
  lose: {value: "5 1/day", source: test, grade: A}
  half: {value: "1 pM", source: test, grade: A}
  heal: {value: "0.5 1/day", source: test, grade: A}
processes:
  lure_made: {rate: "made", change: {lure: 1}}
  lure_lost: {rate: "lose * lure", change: {lure: -1}}
  scarring: {rate: "heal * (lure / half) * (lure / half)", change: {scar: 1}}
  healing: {rate: "heal * scar", change: {scar: -1}}
"""
CONFIG = """
model: {model}
organs: {{kidney: {{anatomy: kidney, spacing: 4 mm}}}}
time: {{start: 0 day, end: 40 day, maximum_step: 4 h}}
stochastic: off
precision: float32
"""


@pytest.fixture
def spreading(tmp_path: Path) -> Scenario:
    """A signal and a state that reach far beyond where they are made."""
    (tmp_path / "spreading.yaml").write_text(SPREADING)
    return build_scenario(load_config_text(CONFIG.format(model=tmp_path / "spreading.yaml")))


def test_a_run_leaves_no_faint_numbers(spreading: Scenario, advance: Callable[..., Simulation]) -> None:
    """Signals and states are at or above the limit or exactly 0, and the ledger of the signal still closes."""
    simulation = advance(spreading, "numpy", 60)
    (fields,) = simulation.state.organs.values()
    for rows in (fields.signals, fields.states):
        assert np.any(rows == 0.0) and np.any(
            (rows > 0.0) & (rows < 1e-12)
        )  # the tails are there, and they end
        assert np.all((rows == 0.0) | (rows >= FAINT))
    before, source, decay, imbalance, clipped, after = simulation.state.signal_ledger["kidney"][:, 0]
    assert after == pytest.approx(before + source - decay - imbalance + clipped, rel=1e-9)
    assert 0.0 >= clipped > -1e-20 * after


def test_the_limit_is_the_same_on_both_backends(
    spreading: Scenario, advance: Callable[..., Simulation]
) -> None:
    """What is dropped, and so every later bit, does not depend on the backend."""
    simulation = advance(spreading, "numpy", 60)
    twin = advance(spreading, "numba", 60)
    for ours, theirs in zip(simulation.state.organs.values(), twin.state.organs.values(), strict=True):
        assert np.array_equal(ours.signals, theirs.signals) and np.array_equal(ours.states, theirs.states)


@pytest.mark.parametrize("backend", ["numpy", "numba"])
@pytest.mark.parametrize("real", [np.float32, np.float64])
def test_clipping_hides_no_error(backend: str, real: type) -> None:
    """Negative and faint values become 0, the limit itself and all above stay, NaN stays to be found."""
    values = np.array([[-1.0, -0.0, FAINT / 2, FAINT, 1.0, np.nan, 1e-40, np.inf]], real)
    load_backend(backend).transport.clip_signals(values)
    np.testing.assert_array_equal(values, np.array([[0, 0, 0, FAINT, 1, np.nan, 0, np.inf]], real))


def test_a_negative_state_stays_to_be_found(spreading: Scenario, advance: Callable[..., Simulation]) -> None:
    """The limit drops what is near zero, not what is below it: the sentinel must see a state that went negative."""
    simulation = advance(spreading, "numpy", 2)
    (fields,) = simulation.state.organs.values()
    fields.states[:, 0] = -0.25
    simulation.step()
    assert np.all(fields.states[:, 0] < 0.0)
