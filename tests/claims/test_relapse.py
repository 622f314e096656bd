"""Relapse: it starts where there was least killing, and with the same numbers it comes to some and not to others."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tissuesim.config import load_config_text
from tissuesim.model import Model
from tissuesim.scenario import load
from tissuesim.simulation import Simulation
from tissuesim.simulation.cohort import Cohort, simulate_cohort
from tissuesim.ticks import days
from tissuesim.treatment import events
from tissuesim.viz.plots.relapse import chance_of_less

pytestmark = pytest.mark.slow

POOR = "0.108 1/day"
"""Entry of CAR T cells into tissue: about a third of the shipped value, where the last clones live or die by chance."""


def test_relapse_starts_where_killing_was_weakest() -> None:
    """With a tenth of the access cells come back to the kidney, and to places that had seen less killing.

    From the day of the fewest cells until there are twice as many: a cell gained since lies with a probability above
    0.65 where the killing integral is lower than at a random voxel with 5 cells on day 0, and the twentieth of the
    voxels that gained most with one above 0.75 (0.5 would be anywhere).
    """
    changes = (
        "organs.kidney.spacing=6 mm",
        "time.start=-20 day",
        "time.end=240 day",
        "time.maximum_step=16 h",
    )
    simulation = Simulation(
        load("kidney_car_t", (*changes, "parameters.car_t_entry=1.8e-7 1/day/mm^3")), "numba"
    )
    column = simulation.scenario.plan.organ.cells.index("autoreactive_b")
    place = simulation.scenario.plan.organ.states.index("killing_integral")
    first: np.ndarray | None = None
    fewest = np.inf
    while not simulation.finished:
        simulation.step()
        organ = simulation.state.organs["kidney"]
        day, cells = days(simulation.state.tick), np.asarray(organ.cells[:, column]).astype(float)
        if day < 0:
            continue
        first = cells if first is None else first
        if day > 10 and cells.sum() < fewest:
            fewest, low, killing = cells.sum(), cells, np.asarray(organ.states)[:, place].astype(float)
        if day > 10 and cells.sum() >= 2 * max(fewest, 1):
            break
    assert first is not None and 0 < fewest < 1e-3 * first.sum()
    assert cells.sum() >= 2 * fewest
    home = first >= 5
    gained = np.maximum(cells - low, 0.0)[home]
    assert chance_of_less(killing[home], gained) > 0.65
    most = np.argsort(-gained)[: home.sum() // 20]
    assert chance_of_less(killing[home], np.isin(np.arange(home.sum()), most).astype(float)) > 0.75


@pytest.fixture(scope="module")
def twins() -> Cohort:
    """100 patients with the same numbers and other chance: one well-mixed tissue with poor access, two years."""
    settings = load_config_text(
        "{model: m, organs: {k: {anatomy: kidney}}, time: {start: -10, end: 730}, treatment: "
        "[{use: lymphodepletion}, {use: cd19_car_t}]}"
    )
    model = Model.load(
        "autoimmune_lumped", overrides={"lymphodepletion_kill": "0.6 1/day", "car_t_to_tissue": POOR}
    )
    alike = [replace(parameter, variability=None) for parameter in model.parameters.values()]
    planned = events(settings.treatment, settings.patient)
    return simulate_cohort(model.with_(*alike), patients=100, end=730.0, treatment=planned, seed=3, every=2.0)


def test_relapse_is_a_probability_and_not_a_rule(twins: Cohort) -> None:
    """Patients with the same numbers: between a tenth and nine tenths relapse, and those whose clones died do not.

    Everybody is in remission first; whoever relapses had survivors, and the day of relapse differs by weeks.
    """
    assert not twins.parameters
    activity, clones = twins.series["disease_activity"], twins.series["autoreactive_total"]
    relapsed = np.array([row["relapse_day"] is not None for row in twins.endpoints(-6)])
    extinct = (clones[twins.days > 0] == 0).any(axis=0)
    assert np.all(activity.min(axis=0) < 0.4)
    assert 0.1 < relapsed.mean() < 0.9
    assert 0.1 < extinct.mean() < 0.9
    assert not (relapsed & extinct).any()
    when = [row["relapse_day"] for row in twins.endpoints(-6) if row["relapse_day"] is not None]
    assert np.ptp(when) > 14
