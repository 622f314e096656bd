"""A seed decides a result; threads, output, storage order and restarts do not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytest

from tissuesim.errors import NumericsError
from tissuesim.scenario import Scenario
from tissuesim.simulation import Simulation
from tissuesim.simulation.state import State
from tissuesim.tissue import Tissue

from .conftest import held

INFUSION = ("time.start=0 day", "treatment=[{type: car_t, day: 0, dose: 1e7 cell/kg}]")


@pytest.mark.parametrize("stochastic", ["on", "off"])
def test_threads(
    treated: Callable[..., Scenario],
    advance: Callable[..., Simulation],
    same_state: Callable[[Simulation, Simulation], None],
    stochastic: str,
) -> None:
    """Claim: one thread and two give the same bits, in an organ large enough for parallel loops."""
    scenario = treated("organs.kidney.spacing=3.5 mm", f"stochastic={stochastic}", *INFUSION)
    assert scenario.voxels > 4096
    alone = advance(scenario, "numba", 30)
    numba.set_num_threads(2)
    assert numba.get_num_threads() == 2
    same_state(alone, advance(scenario, "numba", 30))


def test_seeds(treated: Callable[..., Scenario], advance: Callable[..., Simulation]) -> None:
    """Claim: the seed of a run changes cells, signals and pools; the same seed gives the same run."""
    first, again, other = (
        held(advance(treated(*INFUSION, f"seed={seed}"), "numba", 40))[0] for seed in (1, 1, 2)
    )
    for name in ("kidney/cells", "kidney/signals", "kidney/states", "pools"):
        assert np.array_equal(first[name], again[name])
        assert not np.array_equal(first[name], other[name]), name
    # the anatomy has a seed of its own
    assert np.array_equal(
        treated("seed=1").tissues["kidney"].volume, treated("seed=2").tissues["kidney"].volume
    )


def test_organs_draw_their_own_numbers(
    treated: Callable[..., Scenario], advance: Callable[..., Simulation]
) -> None:
    """Claim: two equal organs of one patient do not share their random numbers."""
    scenario = treated("organs.twin={anatomy: kidney, spacing: 8 mm, seed: 1}", *INFUSION)
    state = advance(scenario, "numba", 10).state
    assert state.organs["kidney"].cells.shape == state.organs["twin"].cells.shape
    assert not np.array_equal(state.organs["kidney"].cells, state.organs["twin"].cells)


def test_output_changes_nothing(
    treated: Callable[..., Scenario], same_state: Callable[[Simulation, Simulation], None], tmp_path: Path
) -> None:
    """Claim: no output, rare output and output at every hour leave the same final state."""
    short = (
        "time.end=0.5 day",
        "time.start=-0.5 day",
        "treatment=[{type: car_t, day: 0, dose: 1e6 cell/kg}]",
    )
    settings: list[tuple[str, ...] | None] = [
        None,
        (
            "output.frames.every=10 day",
            "output.totals_every=2 day",
            "checkpoint_every=30 day",
            "output.fields=[il6]",
        ),
        ("output.frames.every=3 h", "output.totals_every=10 min", "checkpoint_every=2 h"),
        (
            "output.frames={every: 7 h, days: [0.123, 0.2]}",
            "output.fields=[il6]",
            "output.totals_every=1.3 h",
        ),
    ]
    finished = []
    for number, setting in enumerate(settings):
        simulation = Simulation(treated(*short, *(setting or ())), "numba")
        if setting is not None:
            simulation.create_run(out=tmp_path / str(number))
        simulation.run()
        finished.append(simulation)
    for other in finished[1:]:
        same_state(finished[0], other)


def permuted(tissue: Tissue, seed: int) -> Tissue:
    """The same organ with its voxels stored in another order."""
    new = np.random.default_rng(seed).permutation(tissue.n)  # new place -> old place
    place = np.empty(tissue.n, np.int32)
    place[new] = np.arange(tissue.n, dtype=np.int32)
    return replace(
        tissue,
        box_index=tissue.box_index[new].copy(),
        neighbors=place[tissue.neighbors[new]].copy(),
        conductance=tissue.conductance[new].copy(),
        volume=tissue.volume[new].copy(),
        region=tissue.region[new].copy(),
        maps={name: values[new].copy() for name, values in tissue.maps.items()},
    )


@pytest.mark.parametrize("backend", ["numpy", "numba"])
@pytest.mark.parametrize("stochastic", ["on", "off"])
def test_storage_order(
    treated: Callable[..., Scenario], advance: Callable[..., Simulation], stochastic: str, backend: str
) -> None:
    """Claim: storing the voxels in another order gives the same numbers in the same places of the box."""
    scenario = treated(f"stochastic={stochastic}", *INFUSION)
    tissue = scenario.tissues["kidney"]
    shuffled = permuted(tissue, 1)
    shuffled.check()
    assert not np.array_equal(shuffled.box_index, tissue.box_index)
    steps = 40 if backend == "numba" else 15
    first = advance(scenario, backend, steps).state
    other = advance(replace(scenario, tissues={"kidney": shuffled}), backend, steps).state
    for name, array in first.organs["kidney"].arrays().items():
        there = shuffled.scatter(other.organs["kidney"].arrays()[name], fill=0)
        assert np.array_equal(tissue.scatter(array, fill=0), there), name
    for found, expected in zip(_shared(other), _shared(first), strict=True):
        assert np.array_equal(found, expected)
    assert first.tick == other.tick


def _shared(state: State) -> list[Any]:
    return [state.pools, state.summaries, state.signal_ledger["kidney"], state.cell_ledger["kidney"]]


def test_restart_from_memory(
    treated: Callable[..., Scenario],
    advance: Callable[..., Simulation],
    same_state: Callable[[Simulation, Simulation], None],
) -> None:
    """Claim: a state restored from what a checkpoint holds goes on as if nothing had happened, at any step."""
    scenario = treated()
    whole = Simulation(scenario, "numba")
    broken = Simulation(scenario, "numba")
    for step in range(60):
        whole.step()
        broken.step()
        if step in (0, 1, 7, 20, 33, 47):
            arrays, facts = held(broken)
            broken = Simulation(scenario, "numba")
            broken.state = broken.engine.restore(
                {name: array.copy() for name, array in arrays.items()}, facts
            )
    same_state(whole, broken)


def test_backends_can_be_changed_at_a_restart(
    treated: Callable[..., Scenario],
    advance: Callable[..., Simulation],
    same_state: Callable[[Simulation, Simulation], None],
) -> None:
    """Claim: a run begun on one backend and finished on the other is the same run."""
    scenario = treated(*INFUSION)
    begun = advance(scenario, "numba", 15)
    finished = Simulation(scenario, "numpy")
    finished.state = finished.engine.restore(*held(begun))
    for _ in range(15):
        finished.step()
    same_state(advance(scenario, "numba", 30), finished)


def test_a_stopped_solver_leaves_no_half_step(treated: Callable[..., Scenario], tmp_path: Path) -> None:
    """Claim: a run that refuses to go on says so in its status and keeps its last sound checkpoint."""
    simulation = Simulation(treated("time.end=-2 day"), "numba")
    simulation.create_run(out=tmp_path / "run")
    engine = simulation.engine.organs["kidney"]
    healthy = engine.reactions

    def broken(*arguments: Any) -> Any:
        result = healthy(*arguments)
        if simulation.state.tick >= -2.5 * 6144:
            simulation.state.organs["kidney"].states[3, -1] = np.nan  # nothing else depends on it
        return result

    engine.reactions = broken  # type: ignore[method-assign]
    with pytest.raises(
        NumericsError, match=r"field 'killing_integral' of 'kidney' is not a finite number on day"
    ):
        simulation.run()
    from tissuesim.run import load_latest_checkpoint, read_status

    status = read_status(tmp_path / "run")
    assert status["status"] == "failed" and "killing_integral" in status["reason"]
    found = load_latest_checkpoint(tmp_path / "run" / "checkpoints")
    assert found is not None and all(np.isfinite(array).all() for array in found[0].values())
