"""A whole step and its generated programs on the shipped kidney, as ratios within one process.

    pytest benchmarks --benchmark-only

Nanoseconds are shown for orientation; what is compared over time are ratios: NumPy over Numba, stochastic over
deterministic, 100 % over 10 % of the voxels occupied.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest

from tissuesim.scenario import load
from tissuesim.simulation import Simulation

FROM_INFUSION = ("time.start=-3 day", "treatment.0.start=-2 day", "treatment.0.end=-1 day")
WARM_STEPS = 60


def prepared(backend: str, *changes: str) -> Simulation:
    """The kidney at the height of killing, about day 5, where all processes are at work."""
    simulation = Simulation(load("kidney_car_t", (*FROM_INFUSION, *changes)), "numba")
    for _ in range(WARM_STEPS):
        simulation.step()
    other = Simulation(simulation.scenario, backend)
    other.state = simulation.state
    other.step()
    return other


@pytest.mark.parametrize("stochastic", [True, False])
@pytest.mark.parametrize("spacing", ["2 mm", "4 mm"])
def test_whole_step(benchmark: Any, spacing: str, stochastic: bool) -> None:
    """Time of one whole step per voxel."""
    simulation = prepared(
        "numba", f"organs.kidney.spacing={spacing}", f"stochastic={str(stochastic).lower()}"
    )
    benchmark.pedantic(simulation.step, rounds=20, iterations=1, warmup_rounds=2)
    benchmark.extra_info["ns_per_voxel"] = benchmark.stats["median"] * 1e9 / simulation.scenario.voxels


def test_numpy_over_numba(benchmark: Any) -> None:
    """The NumPy backend is at most 30 times slower than Numba on the same steps."""
    reference, fast = (prepared(name, "organs.kidney.spacing=2 mm") for name in ("numpy", "numba"))
    benchmark.pedantic(fast.step, rounds=10, iterations=1, warmup_rounds=1)
    start = time.perf_counter()
    for _ in range(3):
        reference.step()
    ratio = (time.perf_counter() - start) / 3 / benchmark.stats["median"]
    benchmark.extra_info["numpy_over_numba"] = ratio
    assert ratio < 30


@pytest.mark.parametrize("occupancy", [0.0, 0.1, 1.0])
@pytest.mark.parametrize("operator", ["reactions", "movement"])
def test_occupancy(benchmark: Any, operator: str, occupancy: float) -> None:
    """Process pass and stochastic movement with cells in none, a tenth and all of the voxels."""
    simulation = prepared("numba", "organs.kidney.spacing=2 mm")
    engine, fields = simulation.engine, simulation.state.organs["kidney"]
    organ = engine.organs["kidney"]
    random = np.random.default_rng(1)
    full = random.integers(1, 2000, fields.cells.shape).astype(np.int32)
    full[random.random(fields.cells.shape[0]) >= occupancy] = 0
    blood = organ.scalars(np.concatenate([simulation.state.pools[0], simulation.state.summaries[0]]))

    def once() -> None:
        fields.cells[...] = full
        if operator == "reactions":
            organ.reactions(fields, blood, 1 / 24, simulation.state.tick)
        else:
            organ.movement(fields, 0.5, simulation.state.tick, 0)

    benchmark.pedantic(once, rounds=20, iterations=1, warmup_rounds=3)
    cell_types = fields.cells.shape[1]
    nanoseconds = benchmark.stats["median"] * 1e9 / (simulation.scenario.voxels * cell_types)
    benchmark.extra_info["ns_per_voxel_and_cell_type"] = nanoseconds
