"""What leaves one place enters another: cells are counted exactly, and the sentinel sees what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tissuesim.config import load_config_text
from tissuesim.errors import NumericsError
from tissuesim.scenario import Scenario, build_scenario
from tissuesim.simulation import Simulation
from tissuesim.simulation.sentinel import LARGEST_COUNT

TRAVELERS = """
name: travelers
description: Cells that only travel between blood and tissue, drawn by a signal; none is born, none dies.
signals:
  lure: {label: Lure, unit: pM, diffusivity: spread, initial: "0"}
cells:
  t_cell:
    {label: T cell, motility: crawl, chemotaxis: pull, attractant: lure, half_saturation: half, initial: "density"}
pools:
  blood_t: {label: T cells in blood, unit: cell, kind: count, initial: "many"}
  plasma_lure: {label: Lure in plasma, unit: amol, kind: real, initial: "0"}
maps:
  vascular_density: {unit: "1", default: 1}
parameters:
  spread: {value: "30 um^2/s", source: test, grade: A}
  crawl: {value: "6 mm^2/day", source: test, grade: A}
  pull: {value: "20 mm^2/day", source: test, grade: A}
  half: {value: "1 pM", source: test, grade: A}
  density: {value: "4 cell/mm^3", source: test, grade: A, regions: {medulla: "0.4 cell/mm^3"}}
  many: {value: "3e5 cell", source: test, grade: A}
  entry: {value: "3e-6 1/mm^3/day", source: test, grade: A}
  leave: {value: "0.7 1/day", source: test, grade: A}
  secrete: {value: "1 pM*mm^3/cell/day", source: test, grade: A}
  lose: {value: "5 1/day", source: test, grade: A}
processes:
  lure_made: {rate: "secrete * t_cell", change: {lure: 1}}
  lure_lost: {rate: "lose * lure", change: {lure: -1}}
  lure_spills: {rate: "lose * vascular_density * lure", change: {lure: -1, plasma_lure: 1}}
  enters: {rate: "entry * blood_t * vascular_density", change: {blood_t: -1, t_cell: 1}}
  leaves: {rate: "leave * t_cell", change: {t_cell: -1, blood_t: 1}}
"""
CONFIG = """
model: {model}
organs: {{kidney: {{anatomy: kidney, spacing: 8 mm}}, other: {{anatomy: kidney, spacing: 10 mm}}}}
time: {{start: 0 day, end: 100 day, maximum_step: 2 h}}
stochastic: {stochastic}
precision: float32
"""


@pytest.fixture
def travelers(tmp_path: Path) -> Callable[[str], Scenario]:
    """Builder of a scenario of cells that only travel, with two organs: ``travelers("on")``."""

    def build(stochastic: str) -> Scenario:
        (tmp_path / "travelers.yaml").write_text(TRAVELERS)
        text = CONFIG.format(model=tmp_path / "travelers.yaml", stochastic=stochastic)
        return build_scenario(load_config_text(text))

    return build


def all_cells(simulation: Simulation) -> float:
    """Cells in both organs and in blood."""
    organs = sum(float(fields.cells.sum(dtype=np.float64)) for fields in simulation.state.organs.values())
    return organs + float(simulation.state.pools[0, 0])


def test_travelers_are_counted_exactly(travelers: Callable[[str], Scenario]) -> None:
    """Claim: over 400 steps of crawling, entering and leaving, whole cells of organs and blood keep their number."""
    simulation = Simulation(travelers("on"), "numpy")
    start = all_cells(simulation)
    for _ in range(400):
        simulation.step()
        assert all_cells(simulation) == start
    simulation.check(simulation.state)
    for ledger in simulation.state.cell_ledger.values():
        assert ledger[2, 0] > 1e4 and ledger[3, 0] > 1e4 and ledger[1, 0] == 0
    entered = sum(ledger[3, 0] for ledger in simulation.state.cell_ledger.values())
    left = sum(ledger[2, 0] for ledger in simulation.state.cell_ledger.values())
    assert simulation.state.pools[0, 0] == 3e5 - entered + left


def test_expected_travelers_are_conserved(travelers: Callable[[str], Scenario]) -> None:
    """Claim: their expected numbers, in a float32 run, drift by less than 1e-6 in 400 steps."""
    simulation = Simulation(travelers("off"), "numpy")
    start = all_cells(simulation)
    for _ in range(400):
        simulation.step()
    assert all_cells(simulation) == pytest.approx(start, rel=1e-6)
    simulation.check(simulation.state)


@pytest.mark.parametrize("stochastic", ["on", "off"])
def test_signals_close_their_ledger(travelers: Callable[[str], Scenario], stochastic: str) -> None:
    """Claim: source less decay, imbalance and clipping explain the amount of a signal to 1e-6 of what was made."""
    simulation = Simulation(travelers(stochastic), "numpy")
    for _ in range(300):
        simulation.step()
    spilled = float(simulation.state.pools[0, 1])
    made = 0.0
    for name, ledger in simulation.state.signal_ledger.items():
        before, source, decay, imbalance, clipped, after = ledger[:, 0]
        made += source
        assert source > 0 and after > 0
        assert before + source - decay - imbalance + clipped == pytest.approx(after, abs=1e-6 * source)
        amount = simulation.scenario.tissues[name].volume @ simulation.state.organs[name].signals[
            :, 0
        ].astype(float)
        assert after == pytest.approx(float(amount), rel=1e-6)
        assert abs(imbalance) < 1e-4 * source
    assert 0 < spilled < made


def test_every_step_of_the_full_model_adds_up(treated: Callable[..., Scenario]) -> None:
    """Claim: in each step, what the organ reports as sent is what the blood receives, and what left it entered.

    Cell by cell of the organ: after = before + made - lost + entered, exactly.
    """
    simulation = Simulation(
        treated("time.start=0 day", "treatment=[{type: car_t, day: 0, dose: 1e6 cell/kg}]"), "numba"
    )
    engine, state, model = simulation.engine, simulation.state, simulation.scenario.model
    organ, seen = engine.organs["kidney"], {}
    react, advance = organ.reactions, engine.systemic.advance

    def reactions(*arguments: Any) -> Any:
        seen["result"] = react(*arguments)
        return seen["result"]

    def pools_move(amounts: Any, *arguments: Any) -> Any:
        seen["exchanged"] = amounts[0].copy()
        return advance(amounts, *arguments)

    organ.reactions, engine.systemic.advance = reactions, pools_move  # type: ignore[method-assign]
    simulation.step()  # the infusion
    pools, totals = list(model.pools), np.zeros(3)
    for _ in range(60):
        before, ledger = state.pools[0].copy(), state.cell_ledger["kidney"].copy()
        cells = state.organs["kidney"].cells.sum(axis=0, dtype=np.int64)
        simulation.step()
        result, entered = seen["result"], state.cell_ledger["kidney"][3] - ledger[3]
        after = state.organs["kidney"].cells.sum(axis=0, dtype=np.int64)
        for column, cell in enumerate(model.cells):
            gained, lost = result.gained.get(cell, 0), result.lost.get(cell, 0)
            assert after[column] == cells[column] + gained - lost + entered[column], cell
            blood = f"blood_{cell}"
            if blood in pools:
                change = seen["exchanged"][pools.index(blood)] - before[pools.index(blood)]
                assert change == result.to_pools[blood] - entered[column], cell
                assert result.to_pools[blood] <= lost
        sent = result.to_pools["plasma_cell_short_lived"]
        assert seen["exchanged"][pools.index("plasma_cell_short_lived")] - before[
            pools.index("plasma_cell_short_lived")
        ] == pytest.approx(sent, abs=1e-3)
        totals += (sum(result.to_pools.values()), sum(result.lost.values()), entered.sum())
    assert np.all(totals > 1000), "nothing was exchanged"


@pytest.mark.parametrize("array", ["signals", "states"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -1.0])
def test_sentinel_sees_a_bad_number(treated: Callable[..., Scenario], array: str, value: float) -> None:
    """Claim: one bad number in one voxel stops the run with the name of its field, its organ and the day."""
    simulation = Simulation(treated(), "numba")
    simulation.check(simulation.state)
    getattr(simulation.state.organs["kidney"], array)[17, 2] = value
    name = list(getattr(simulation.scenario.model, array))[2]
    what = "is negative" if value == -1.0 else "is not a finite number"
    with pytest.raises(NumericsError, match=rf"field '{name}' of 'kidney' {what}.* on day -3"):
        simulation.check(simulation.state)


def test_sentinel_sees_a_bad_pool(treated: Callable[..., Scenario]) -> None:
    """Claim: the same holds for a pool."""
    simulation = Simulation(treated(), "numba")
    column = list(simulation.scenario.model.pools).index("blood_naive_b")
    for value, what in ((np.nan, "is not a finite number"), (-2.0, r"is negative \(-2\)")):
        simulation.state.pools[0, column] = value
        with pytest.raises(NumericsError, match=rf"pool 'blood_naive_b' {what}"):
            simulation.check(simulation.state)


@pytest.mark.parametrize("change", [1, -1])
def test_sentinel_counts_every_cell(treated: Callable[..., Scenario], change: int) -> None:
    """Claim: one cell too many, or too few, in a million is found, with both numbers in the sentence."""
    simulation = Simulation(treated(), "numba")
    for _ in range(3):
        simulation.step()
    simulation.check(simulation.state)
    cells = simulation.state.organs["kidney"].cells
    assert cells[:, 0].sum() > 1e6
    cells[int(np.argmax(cells[:, 0])), 0] += change
    with pytest.raises(
        NumericsError, match=r"ledger of 'autoreactive_b' in 'kidney' does not close on day .*: \d+ cells"
    ):
        simulation.check(simulation.state)


def test_sentinel_refuses_counts_that_float32_cannot_hold(treated: Callable[..., Scenario]) -> None:
    """Claim: more than 2^24 cells in a voxel are refused with what to do about it."""
    simulation = Simulation(treated(), "numba")
    simulation.state.organs["kidney"].cells[3, 1] = LARGEST_COUNT + 1
    with pytest.raises(
        NumericsError, match=r"2\^24 cells in one voxel of 'kidney' on day -3; use smaller voxels"
    ):
        simulation.check(simulation.state)


@pytest.mark.parametrize("stochastic", ["on", "off"])
def test_pools_add_up(treated: Callable[..., Scenario], stochastic: str) -> None:
    """Claim: treatment, traffic with the organs, births and deaths explain every pool of cells after every step."""
    simulation = Simulation(treated("time.start=-4 day", f"stochastic={stochastic}"), "numba")
    for _ in range(80):
        simulation.step()
        simulation.check(simulation.state)
    first, gained, lost, given, arrived, left = simulation.state.pool_ledger
    pools = list(simulation.scenario.model.pools)
    blood = pools.index("blood_car_t_effector")
    assert (
        given[blood] > 1e7
        and arrived[blood] > 0
        and left[blood] > 0
        and gained[blood] > 0
        and first[blood] == 0
    )
    naive = pools.index("blood_naive_b")
    assert min(gained[naive], lost[naive], arrived[naive], left[naive]) > 1e6


@pytest.mark.parametrize("change", [1, -1])
def test_sentinel_counts_every_cell_of_the_pools(treated: Callable[..., Scenario], change: int) -> None:
    """Claim: one cell too many, or too few, among 5e8 in blood is found, with both numbers in the sentence."""
    simulation = Simulation(treated(), "numba")
    for _ in range(3):
        simulation.step()
    simulation.check(simulation.state)
    column = list(simulation.scenario.model.pools).index("blood_naive_b")
    assert simulation.state.pools[0, column] > 1e8
    simulation.state.pools[0, column] += change
    with pytest.raises(
        NumericsError, match=r"ledger of pool 'blood_naive_b' does not close on day .*: \d+, expec"
    ):
        simulation.check(simulation.state)
