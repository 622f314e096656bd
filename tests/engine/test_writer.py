"""The thread that writes: order, errors, interrupts."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tissuesim.run import FieldStore, load_latest_checkpoint, read_status
from tissuesim.scenario import Scenario
from tissuesim.simulation import Simulation, resume
from tissuesim.simulation.writer import Writer


def test_nothing_is_written_after_an_error() -> None:
    """Claim: what waits behind a task that fails is not done, whether handed over before or after the failure."""
    writer, gate, done = Writer(), threading.Event(), []

    def fail() -> None:
        gate.wait()
        raise OSError("disk full")

    writer.write(fail, wait=False)
    writer.write(lambda: done.append("checkpoint"), wait=False)
    gate.set()
    with pytest.raises(OSError, match="disk full"):
        writer.write(lambda: done.append("later"), wait=True)
    with pytest.raises(OSError, match="disk full"):
        writer.close()
    assert writer.failed and done == []


def test_no_checkpoint_passes_a_lost_frame(
    treated: Callable[..., Scenario], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cuda: str
) -> None:
    """Claim: a frame that cannot be written leaves no later checkpoint, so that resuming writes it after all."""
    scenario = treated("time.start=0 day", "time.end=1 day", "output.frames={every: 2 h}", "treatment=[]")
    simulation = Simulation(scenario, "cuda")
    path = simulation.create_run(out=tmp_path / "run")
    write, lost = FieldStore.write_frame, 4

    def sometimes(self: Any, index: int, organ: str, fields: dict[str, np.ndarray]) -> None:
        if index == lost:
            raise OSError("disk full")
        write(self, index, organ, fields)

    with monkeypatch.context() as patch:
        patch.setattr(FieldStore, "write_frame", sometimes)
        with pytest.raises(OSError, match="disk full"):
            simulation.run()
    assert read_status(path)["status"] == "failed"
    found = load_latest_checkpoint(path / "checkpoints")
    assert found is not None
    assert found[1]["tick"] / 6144 < 2 * lost / 24
    resume(path, backend="cuda")
    import zarr

    assert np.asarray(zarr.open_group(path / "fields.zarr", mode="r")["kidney/frame_written"][...]).all()


def test_the_checkpoint_of_an_interrupt_is_on_disk(
    treated: Callable[..., Scenario], tmp_path: Path, cuda: str
) -> None:
    """Claim: when an interrupt is passed on, the checkpoint of that moment is written."""
    scenario = treated("time.start=0 day", "time.end=1 day", "checkpoint_every=1 day", "treatment=[]")
    simulation = Simulation(scenario, "cuda")
    path = simulation.create_run(out=tmp_path / "run")

    def interrupt(day: float, *rest: Any) -> None:
        if simulation.state.steps >= 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        simulation.run(interrupt)
    found = load_latest_checkpoint(path / "checkpoints")
    assert found is not None and found[1]["tick"] == simulation.state.tick
