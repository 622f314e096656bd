"""A cube of synovium cell by cell: CAR T cells enter, search, hold and kill, one by one."""

from __future__ import annotations

import numpy as np
import pytest

from tissuesim.scenario import load
from tissuesim.simulation import Simulation
from tissuesim.ticks import days

CHANGES = ("organs.joint.spacing='70 um'", "time.end='12 day'", "time.maximum_step='15 min'")


@pytest.mark.slow
def test_single_cells_search_and_kill() -> None:
    """Claim: no B cell is held before a CAR T cell is there; each held cell dies; the infiltrate is gone by day 12.

    Every B cell that leaves the ledger as killed was held first, and no cell is ever in a region closed to it.
    """
    simulation = Simulation(load("patch_joint.yaml", CHANGES), "numba")
    cells = simulation.scenario.plan.organ.cells
    column = {name: cells.index(name) for name in cells}
    tissue = simulation.scenario.tissues["joint"]
    fluid = tissue.region == tissue.region_names.index("fluid")
    course = []
    while not simulation.finished:
        simulation.step()
        counts = simulation.state.organs["joint"].cells
        total = counts.sum(axis=0)
        course.append((days(simulation.state.tick), *(int(total[column[name]]) for name in cells)))
        assert counts[fluid].sum() == 0
    simulation.check(simulation.state)
    table = {
        name: np.array(values)
        for name, values in zip(("day", *cells), zip(*course, strict=True), strict=True)
    }

    car_t, held, clones = table["car_t_effector"], table["engaged_b"], table["autoreactive_b"]
    assert held[: np.flatnonzero(car_t)[0]].sum() == 0
    assert 0 < held.max() < 0.2 * clones[0]
    assert clones[np.searchsorted(table["day"], -4.9)] > 300
    assert clones[-1] + table["plasmablast"][-1] <= 0.02 * clones[0]
    started, born, gone, entered = simulation.state.cell_ledger["joint"][:, column["engaged_b"]]
    assert started == entered == 0
    before = np.flatnonzero(car_t)[0]
    assert born > 0.8 * clones[before]  # few of the clones that were left die of age before they are found
    assert born - gone == held[-1]
