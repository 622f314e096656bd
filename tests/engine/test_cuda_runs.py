"""Whole runs on the cuda backend: the same bits, and nothing lost on the way between the device and the disk."""

from __future__ import annotations

import gc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr

from tissuesim.errors import InputError
from tissuesim.scenario import Scenario
from tissuesim.simulation import Simulation, resume

INFUSION = ("time.start=0 day", "treatment=[{type: car_t, day: 0, dose: 1e6 cell/kg}]")


@pytest.mark.parametrize("stochastic", ["on", "off"])
@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_two_hundred_steps(
    treated: Callable[..., Scenario],
    same_state: Callable[[Simulation, Simulation], None],
    precision: str,
    stochastic: str,
    cuda: str,
) -> None:
    """Claim: 200 steps with everything that can happen give the state of the CPU in every bit."""
    scenario = treated(f"precision={precision}", f"stochastic={stochastic}")
    reference, device = Simulation(scenario, "numba"), Simulation(scenario, "cuda")
    same_state(reference, device)
    for step in range(1, 201):
        reference.step()
        device.step()
        if step in (1, 2, 3, 10, 50, 200):
            same_state(reference, device)
    device.check(device.state)
    assert reference.state.next_event == len(scenario.events)


@pytest.mark.parametrize("stochastic", ["on", "off"])
def test_two_organs(
    treated: Callable[..., Scenario],
    advance: Callable[..., Simulation],
    same_state: Callable[[Simulation, Simulation], None],
    stochastic: str,
    cuda: str,
) -> None:
    """Claim: two organs that share the blood agree too."""
    scenario = treated(
        "organs.kidney.spacing=10 mm",
        "organs.other={anatomy: kidney, spacing: 12 mm, seed: 2}",
        *INFUSION,
        f"stochastic={stochastic}",
    )
    same_state(advance(scenario, "numba", 60), advance(scenario, "cuda", 60))


def stores(run: Path) -> dict[str, np.ndarray]:
    """Every array of the two stores of a run."""
    found: dict[str, np.ndarray] = {}
    for name in ("fields.zarr", "totals.zarr"):
        group = zarr.open_group(run / name, mode="r")
        for path, item in group.members(max_depth=None):
            if isinstance(item, zarr.Array):
                found[f"{name}/{path}"] = np.asarray(item[...])
    return found


def test_the_run_folder_is_the_same(treated: Callable[..., Scenario], tmp_path: Path, cuda: str) -> None:
    """Claim: output that travels while the next steps run is the output of the CPU, in every array on disk."""
    scenario = treated(*INFUSION, "time.end=3 day", "output.frames={every: 3 h}")
    for backend in ("numba", "cuda"):
        simulation = Simulation(scenario, backend)
        simulation.create_run(out=tmp_path / backend)
        simulation.run()
    expected, found = stores(tmp_path / "numba"), stores(tmp_path / "cuda")
    assert expected.keys() == found.keys() and len(expected) > 40
    for name, values in expected.items():
        assert np.array_equal(values, found[name], equal_nan=values.dtype.kind == "f"), name
    assert found["fields.zarr/kidney/frame_written"].all()
    # the last frames differ from the first ones: what was staged is what was there at that time
    cells = found["fields.zarr/kidney/car_t_effector"]
    assert len({frame.tobytes() for frame in cells}) > 10
    assert (tmp_path / "cuda" / "generated" / "reactions_stochastic.cu").is_file()


def test_a_run_changes_its_backend(treated: Callable[..., Scenario], tmp_path: Path, cuda: str) -> None:
    """Claim: what the GPU began the CPU finishes, and the other way round, with the bits of an unbroken run."""
    scenario = treated(*INFUSION, "time.end=2 day", "checkpoint_every=6 h")
    whole = Simulation(scenario, "numba")
    whole.create_run(out=tmp_path / "whole")
    whole.run()

    class Stop(Exception):  # noqa: N818 - it is no error
        pass

    for first, second in (("cuda", "numba"), ("numba", "cuda")):
        broken = Simulation(scenario, first)
        broken.create_run(out=tmp_path / first)

        def interrupt(day: float, *rest: Any) -> None:
            if day > 0.9:
                raise Stop

        with pytest.raises(Stop):
            broken.run(progress=interrupt)
        resume(tmp_path / first, backend=second)
        expected, found = stores(tmp_path / "whole"), stores(tmp_path / first)
        for name, values in expected.items():
            assert np.array_equal(values, found[name], equal_nan=values.dtype.kind == "f"), (first, name)


def test_memory(treated: Callable[..., Scenario], tmp_path: Path, cuda: str) -> None:
    """Claim: a run with output takes no more device memory than foretold, and that is within the promised bound."""
    from tissuesim.backends.cuda.memory import bytes_per_voxel

    if cuda != "emulated":
        pytest.skip("the emulated device counts bytes exactly; CuPy keeps what is freed")
    from emulation.cupy import Memory

    for stochastic in ("on", "off"):
        scenario = treated(
            *INFUSION, "time.end=0.5 day", "organs.kidney.spacing=3 mm", f"stochastic={stochastic}"
        )
        simulation = None
        gc.collect()
        others = Memory.peak = Memory.used
        simulation = Simulation(scenario, "cuda")
        simulation.create_run(out=tmp_path / stochastic)
        simulation.run()
        taken = Memory.peak - others
        organ = scenario.plan.organ
        each = bytes_per_voxel(scenario.plan, np.float32)
        small_tables = 64_000
        assert taken <= each * scenario.voxels + small_tables
        assert taken > 0.7 * each * scenario.voxels, "the forecast is far too high"
        # four bytes are one field; expected numbers of cells are double and count as two, and so do maps
        wide = 2 if stochastic == "off" else 1
        fields = len(organ.signals) + len(organ.states) + len(organ.maps) + wide * len(organ.cells)
        assert each <= fields * 4 * 3 + 64


def test_memory_of_a_resumed_run(treated: Callable[..., Scenario], tmp_path: Path, cuda: str) -> None:
    """Claim: a resumed run does not keep the state it began with: it takes no more than the run that was stopped."""
    from tissuesim.backends.cuda.memory import bytes_per_voxel

    if cuda != "emulated":
        pytest.skip("the emulated device counts bytes exactly; CuPy keeps what is freed")
    from emulation.cupy import Memory

    scenario = treated(*INFUSION, "time.end=0.5 day", "organs.kidney.spacing=4 mm")
    begun = Simulation(scenario, "cuda")
    rows, facts = begun.engine.snapshot(begun.state).checkpoint()
    begun = None
    gc.collect()
    others = Memory.peak = Memory.used
    resumed = Simulation(scenario, "cuda")
    resumed.state = resumed.engine.restore(rows, facts)
    resumed.create_run(out=tmp_path / "run")
    resumed.run()
    assert Memory.peak - others <= bytes_per_voxel(scenario.plan, np.float32) * scenario.voxels + 64_000


def test_a_scenario_that_does_not_fit_is_refused(
    treated: Callable[..., Scenario], monkeypatch: pytest.MonkeyPatch, cuda: str
) -> None:
    """Claim: too many voxels are refused before anything is made, with a size that fits when it is tried."""
    from tissuesim.backends.cuda import memory

    monkeypatch.setattr(memory, "free_memory", lambda: memory.KEPT_FREE + 300_000)
    scenario = treated(*INFUSION, "organs.kidney.spacing=4 mm")
    with pytest.raises(InputError, match=r"organs\.kidney\.spacing: .* voxels of .* GB, and .* mm would fit"):
        Simulation(scenario, "cuda")
    try:
        Simulation(scenario, "cuda")
    except InputError as error:
        fits = str(error).split("; ")[1].removesuffix(" would fit")
    Simulation(treated(*INFUSION, f"organs.kidney.spacing={fits}"), "cuda")


def test_small_organs_are_not_bound_by_launches(treated: Callable[..., Scenario], cuda: str) -> None:
    """Claim: after the first steps, the sweeps, sums and weights of a step are three recorded graphs."""
    if cuda != "emulated":
        pytest.skip("launches are counted on the emulated device")
    from emulation import cupy

    simulation = Simulation(treated(*INFUSION, "time.maximum_step=1 h"), "cuda")
    for _ in range(40):
        simulation.step()
    launched: list[str] = []
    recorded: list[int] = []
    before_kernel, before_graph = cupy.RawKernel.__call__, cupy.Graph.launch

    def kernel(self: Any, *arguments: Any) -> None:
        launched.append(self.function.__name__)
        before_kernel(self, *arguments)

    def graph(self: Any, stream: Any) -> None:
        recorded.append(len(self.work))
        before_graph(self, stream)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cupy.RawKernel, "__call__", kernel)
        patch.setattr(cupy.Graph, "launch", graph)
        steps = 4
        for _ in range(steps):
            simulation.step()
    assert len(recorded) == 3 * steps
    assert sum(recorded) >= 15 * steps, "the sweeps are in a graph"
    assert "signal_sweep" not in launched and "entry_weights" not in launched and "summaries" not in launched
    # reactions, and two launches for either half of what arrives by each of four influx processes
    assert len(launched) <= 18 * steps, sorted(set(launched))
