"""A run that is killed, or interrupted, and resumed is the run that was not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
import zarr

from tissuesim.errors import InputError
from tissuesim.run import load_latest_checkpoint, read_status
from tissuesim.scenario import load
from tissuesim.simulation import Simulation, resume
from tissuesim.ticks import TICKS_PER_DAY, days

SPAN = {"start": "-0.5 day", "end": "2 day", "maximum_step": "1 h", "minimum_step": "15 min"}
TREATMENT = [
    {"type": "lymphodepletion", "start": "-0.4 day", "end": "-0.1 day", "marrow_residual": 0.1, "space": 1.0},
    {"type": "car_t", "day": 0, "dose": "1e6 cell/kg"},
]
MOMENTS = np.sort(np.random.default_rng(20261123).uniform(-0.45, 1.7, 5))
"""Simulated days after which the run is killed (the real moment lies a random time later)."""

ENVIRONMENT = {**os.environ, "NUMBA_NUM_THREADS": "1", "COLUMNS": "100"}


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory, treated_text: str) -> Path:
    """A run of two and a half days with much output and a checkpoint every four hours."""
    content = yaml.safe_load(treated_text) | {"time": SPAN, "treatment": TREATMENT, "checkpoint_every": "4 h"}
    content["output"] = {"frames": {"every": "6 h"}, "totals_every": "1 h"}
    path = tmp_path_factory.mktemp("kill") / "short.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


def command(*arguments: str) -> list[str]:
    """The command line of the package."""
    return [sys.executable, "-m", "tissuesim", *arguments, "--quiet"]


def complete(*arguments: str) -> None:
    """Run the command line to its end."""
    result = subprocess.run(
        command(*arguments), capture_output=True, text=True, check=False, timeout=300, env=ENVIRONMENT
    )
    assert result.returncode == 0, result.stderr


@pytest.fixture(scope="module")
def whole(config: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run that nothing stopped."""
    path = tmp_path_factory.mktemp("whole") / "run"
    complete("run", str(config), "--out", str(path))
    return path


def checkpoint_tick(file: Path) -> int:
    """Tick in the name of a checkpoint."""
    return int(file.name.split("_")[1].removeprefix("tick"))


def newest_day(path: Path) -> float:
    """Day of the newest checkpoint by its name, -inf without one."""
    return days(max(map(checkpoint_tick, checkpoints(path)))) if checkpoints(path) else -np.inf


def checkpoints(path: Path) -> list[Path]:
    """Finished checkpoint files."""
    return list((path / "checkpoints").glob("checkpoint_tick*.npz"))


def stop(arguments: tuple[str, ...], path: Path, day: float, delay: float, number: int) -> int:
    """Start a command, wait until its newest checkpoint is from ``day`` or later, wait ``delay`` s, send a signal."""
    with subprocess.Popen(
        command(*arguments), env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        until = time.monotonic() + 240
        while newest_day(path) < day:
            assert process.poll() is None, f"the run ended before day {day:.2f}: {process.returncode}"
            assert time.monotonic() < until, "the run does not get on"
            time.sleep(0.002)
        time.sleep(delay)
        process.send_signal(number)
        return process.wait(timeout=120)


def stored_arrays(store: Path) -> dict[str, Any]:
    """Every array of a Zarr store by its path."""
    found: dict[str, Any] = {}

    def collect(group: Any, prefix: str) -> None:
        for name, member in group.members():
            if isinstance(member, zarr.Array):
                found[prefix + name] = member[...]
            else:
                collect(member, f"{prefix}{name}/")

    collect(zarr.open_group(store, mode="r"), "")
    return found


def assert_same_run(expected: Path, found: Path) -> None:
    """Fields, totals, last checkpoint and endpoints are identical."""
    for store in ("fields.zarr", "totals.zarr"):
        one, other = stored_arrays(expected / store), stored_arrays(found / store)
        assert one.keys() == other.keys() and len(one) > 5
        for name, values in one.items():
            assert values.dtype == other[name].dtype
            assert np.array_equal(values, other[name], equal_nan=values.dtype.kind == "f"), f"{store}/{name}"
    first, second = (load_latest_checkpoint(path / "checkpoints") for path in (expected, found))
    assert first is not None and second is not None
    assert first[1] == second[1] and first[0].keys() == second[0].keys()
    for name, values in first[0].items():
        assert np.array_equal(values, second[0][name]), name
    for text in ("endpoints.json", "resets.json", "readouts.csv", "stability.json"):
        assert (expected / text).read_text() == (found / text).read_text(), text
    assert read_status(found)["status"] == "finished"


def test_killed_five_times(config: Path, whole: Path, tmp_path: Path) -> None:
    """Claim: SIGKILL at five random moments, each time resumed, leaves arrays identical to the undisturbed run."""
    path, delays = tmp_path / "run", np.random.default_rng(7).uniform(0.0, 0.1, len(MOMENTS))
    arguments: tuple[str, ...] = ("run", str(config), "--out", str(path))
    for day, delay in zip(MOMENTS, delays, strict=True):
        assert stop(arguments, path, float(day), float(delay), signal.SIGKILL) == -signal.SIGKILL
        assert read_status(path)["status"] == "running", "it was killed, so nobody could say so"
        assert newest_day(path) >= day
        arguments = ("resume", str(path))
    complete("resume", str(path))
    assert_same_run(whole, path)


def test_damaged_checkpoint(
    config: Path, whole: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Claim: if the newest checkpoint is damaged, the one before it is used, with the same result."""
    simulation = Simulation(load(config), "numba")
    path = simulation.create_run(out=tmp_path / "run")

    def stop_on_second_day(day: float, *_: float) -> None:
        if day > 1.0:
            raise RuntimeError("the power failed")

    with pytest.raises(RuntimeError, match="the power failed"):
        simulation.run(stop_on_second_day)
    newest = max(checkpoints(path), key=checkpoint_tick)
    content = bytearray(newest.read_bytes())
    content[len(content) // 2] ^= 1
    newest.write_bytes(bytes(content))
    resume(path)
    assert "is damaged" in caplog.text
    assert_same_run(whole, path)


def test_interrupt_leaves_a_checkpoint(config: Path, whole: Path, tmp_path: Path) -> None:
    """Claim: Ctrl-C ends with exit code 130, status interrupted and a checkpoint of that very day."""
    path = tmp_path / "run"
    assert stop(("run", str(config), "--out", str(path)), path, 0.1, 0.02, signal.SIGINT) == 130
    status = read_status(path)
    assert status["status"] == "interrupted"
    found = load_latest_checkpoint(path / "checkpoints")
    assert found is not None and found[1]["tick"] == round(status["day"] * TICKS_PER_DAY)
    complete("resume", str(path))
    assert_same_run(whole, path)


def test_resume_refuses_another_model(config: Path, tmp_path: Path) -> None:
    """Claim: where the model file was changed after the run began, resume says so: the rest would be another run."""
    model, changed = tmp_path / "mine.yaml", "parameters: {autoreactive_division: {value: '0.15 1/day'}}\n"
    model.write_text("name: mine\nextends: autoimmune\n")
    simulation = Simulation(load(config, (f"model={model}",)), "numba")
    path = simulation.create_run(out=tmp_path / "run")

    def interrupt(day: float, *_: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        simulation.run(interrupt)
    before = {file.name: file.read_bytes() for file in path.iterdir() if file.is_file()}
    model.write_text(model.read_text() + changed)
    with pytest.raises(InputError, match="model"):
        resume(path)
    assert before == {file.name: file.read_bytes() for file in path.iterdir() if file.is_file()}


def test_resume_of_a_finished_run(whole: Path) -> None:
    """Claim: there is nothing to resume in a finished run, and nothing changes there."""
    before = (whole / "status.json").read_bytes()
    with pytest.raises(InputError, match="is finished; there is nothing to resume"):
        resume(whole)
    assert (whole / "status.json").read_bytes() == before
