"""Several organs in one run: totals of each, healthy tissue beside diseased tissue."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from tissuesim.scenario import Scenario
from tissuesim.simulation import Simulation
from tissuesim.simulation.totals import TotalsTable

Build = Callable[..., Scenario]


def test_totals_of_the_organs_add_up(build: Build) -> None:
    """Claim: each summary has a column per organ, and they add up to the patient's; a spared organ has no target."""
    simulation = Simulation(build(), "numpy")
    for _ in range(5):
        simulation.step()
    table = TotalsTable(simulation.scenario)
    row = dict(
        zip((c.name for c in table.columns), table.row(simulation.engine, simulation.state), strict=True)
    )
    for name in simulation.scenario.model.summaries:
        parts = [row[f"{organ}.{name}"] for organ in ("left", "other")]
        assert np.isclose(sum(parts), row[name], rtol=1e-12), name
    assert row["other.target_volume"] == row["other.tissue_autoreactive_b"] == 0
    assert np.isclose(row["left.target_volume"], 30e3, rtol=1e-6)
    units = {column.name: column.unit for column in table.columns}
    assert units["left.target_volume"] == units["target_volume"]


def test_organ_sums_are_in_the_checkpoint(build: Build) -> None:
    """Claim: a state read back from a checkpoint has the sums of each organ to the bit."""
    simulation = Simulation(build(), "numpy")
    simulation.step()
    arrays, facts = simulation.engine.snapshot(simulation.state).checkpoint()
    again = simulation.engine.restore(arrays, facts)
    assert set(again.organ_summaries) == {"left", "other"}
    for organ, values in simulation.state.organ_summaries.items():
        assert np.array_equal(again.organ_summaries[organ], values)
    assert again.organ_summaries["left"].any()


def test_means_are_taken_over_each_organ(tmp_path: Path, build: Build) -> None:
    """Claim: a summary that is a mean is, for one organ, the mean over that organ."""
    (tmp_path / "model.yaml").write_text(
        "name: m\nextends: autoimmune\nsummaries: {mean_vessels: {label: Vessels, mean: vascular_density}}\n"
    )
    scenario = build_with_model(build, tmp_path)
    simulation = Simulation(scenario, "numpy")
    place = list(scenario.model.summaries).index("mean_vessels")
    for organ, tissue in scenario.tissues.items():
        mean = float(tissue.maps["vascular_density"] @ tissue.volume / tissue.volume.sum())
        assert np.isclose(simulation.state.organ_summaries[organ][place], mean, rtol=1e-5)


def build_with_model(build: Build, folder: Path) -> Scenario:
    """The run with another model."""
    from .conftest import DISEASE

    return build(DISEASE, f"model={folder / 'model.yaml'}")


def test_tissue_around_lesions_stays_healthy(build: Build) -> None:
    """Claim: 120 days of untreated disease fill the lesions and leave the tissue between them alone.

    Inflammation is above 0.5 in the lesions and below 0.05 everywhere else, although signals and cells cross the edge;
    the spared organ has none.
    """
    simulation = Simulation(build(), "numba")
    while not simulation.finished:
        simulation.step()
    simulation.check(simulation.state)
    model, state = simulation.scenario.model, simulation.state
    column, cells = list(model.states).index("inflammation"), list(model.cells).index("autoreactive_b")
    lesion = simulation.engine.organs["left"].tissue.maps["susceptibility"]
    inflammation = state.organs["left"].states[:, column]
    assert inflammation[lesion == 1].mean() > 0.5
    assert inflammation[lesion == 0].max() < 0.05
    assert state.organs["other"].states[:, column].max() < 0.01
    assert not state.organs["other"].cells[:, cells].any()
    inside, outside = (state.organs["left"].cells[lesion == k, cells].sum() for k in (1, 0))
    assert inside > 1e5 and outside < 0.05 * inside
