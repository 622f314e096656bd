"""Runs of the shipped kidney that several claims look at; computed once, nothing is written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import pytest
from numpy.typing import NDArray

from tissuesim.scenario import load
from tissuesim.simulation import Simulation
from tissuesim.simulation.totals import TotalsTable
from tissuesim.ticks import days


@dataclass
class Course:
    """Totals of a run at every step, and the autoreactive B cells of every voxel from day 0 to day 25."""

    simulation: Simulation
    days: list[float] = field(default_factory=list)
    rows: list[NDArray[np.float64]] = field(default_factory=list)
    voxel_days: list[float] = field(default_factory=list)
    voxel_counts: list[NDArray[np.int32]] = field(default_factory=list)

    def column(self, name: str) -> NDArray[np.float64]:
        """One column of the totals over time."""
        names = [column.name for column in TotalsTable(self.simulation.scenario).columns]
        return np.array([row[names.index(name)] for row in self.rows])

    def at(self, name: str, day: float) -> float:
        """Value of a column on a day."""
        return float(np.interp(day, self.days, self.column(name)))

    def extinction_day(self) -> float | None:
        """First day from the infusion on with no autoreactive B cell in tissue and pools."""
        gone = np.flatnonzero((self.column("autoreactive_total") == 0) & (np.array(self.days) >= 0))
        return self.days[gone[0]] if gone.size else None


def follow(config: str, *changes: str) -> Course:
    """Run a shipped config with changes and keep its course."""
    simulation = Simulation(load(config, changes), "numba")
    table = TotalsTable(simulation.scenario)
    course = Course(simulation)
    column = simulation.scenario.plan.organ.cells.index("autoreactive_b")
    while not simulation.finished:
        simulation.step()
        day = days(simulation.state.tick)
        course.days.append(day)
        course.rows.append(table.row(simulation.engine, simulation.state))
        if 0 <= day <= 25:
            course.voxel_days.append(day)
            course.voxel_counts.append(simulation.state.organs["kidney"].cells[:, column].copy())
    simulation.check(simulation.state)
    return course


@pytest.fixture(scope="session")
def runs() -> Iterator[Callable[..., Course]]:
    """``follow`` that remembers what it ran."""
    known: dict[tuple[str, ...], Course] = {}

    def remembered(*key: str) -> Course:
        if key not in known:
            known[key] = follow(*key)
        return known[key]

    yield remembered
