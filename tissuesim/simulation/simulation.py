"""`Simulation`: scenario + backend + state + observers; the loop of architecture.md section 4."""

from __future__ import annotations

import json
import sys
import time
from bisect import bisect_right
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tissuesim.backends.base import load_backend
from tissuesim.errors import InputError
from tissuesim.simulation.engine import Engine
from tissuesim.simulation.observers import EveryStep, Observer
from tissuesim.simulation.resets import resets
from tissuesim.simulation.sentinel import check_state
from tissuesim.simulation.snapshot import Snapshot
from tissuesim.simulation.stability import stability
from tissuesim.simulation.state import State
from tissuesim.simulation.totals import TotalsTable
from tissuesim.simulation.writer import Writer
from tissuesim.ticks import days, ticks
from tissuesim.treatment import certificates, timeline

if TYPE_CHECKING:
    from tissuesim.scenario import Scenario

Progress = Callable[[float, float, float, float], None]

STEPS_BETWEEN_CHECKS = 64
ROWS_BETWEEN_WRITES = 200


@dataclass(frozen=True)
class RunResult:
    """What a finished run says of itself."""

    run: Path
    status: str
    wall_seconds: float
    steps: int
    voxels: int
    backend: str
    endpoints: dict[str, Any]


class Simulation:
    """A scenario on a backend. Without a run directory it computes only; with one it also writes."""

    def __init__(self, scenario: Scenario, backend: str = "auto") -> None:
        """Choose the backend and lay out the state at the start."""
        self.scenario = scenario
        self.backend = load_backend(backend)
        self.engine = Engine(scenario, self.backend)
        self.state = self.engine.first_state()
        self.path: Path | None = None
        self.between_steps = True

    @property
    def finished(self) -> bool:
        """Whether the clock has reached the end."""
        return self.state.tick >= self.scenario.config.time.end_tick

    def step(self) -> None:
        """Advance by one step."""
        self.between_steps = False
        self.engine.step(self.state)
        self.between_steps = True

    # ---- a run on disk
    def create_run(self, root: Path | str = "runs", out: Path | str | None = None) -> Path:
        """Make the run directory with everything that is known before the first step."""
        from tissuesim.run import (
            FieldDescription,
            FieldStore,
            TotalsStore,
            create_run_directory,
            provenance,
            write_json,
            write_provenance,
            write_status,
        )

        scenario, config = self.scenario, self.scenario.config
        self.path = create_run_directory(
            root, config.name, config.source_text, config.model_dump(mode="json"), out
        )
        for name, tissue in scenario.tissues.items():
            (self.path / "tissues").mkdir(exist_ok=True)
            tissue.save(self.path / "tissues" / f"{name}.npz")
        (self.path / "model.txt").write_text(str(scenario.model), encoding="utf-8")
        self._write_generated(self.path / "generated")
        write_json(self.path / "timeline.json", timeline(config))
        write_json(self.path / "product.json", certificates(config))
        write_provenance(
            self.path,
            provenance(
                sys.argv,
                config.seed,
                self.backend.name,
                model=scenario.digest(),
                tissues={name: dict(tissue.report) for name, tissue in scenario.tissues.items()},
            ),
        )
        descriptions = {
            item.name: FieldDescription(item.name, item.label, unit, dtype, kind)
            for item, unit, dtype, kind in self._fields()
        }
        FieldStore.create(
            self.path / "fields.zarr",
            scenario.tissues,
            [descriptions[name] for name in scenario.field_names()],
            scenario.frame_days(),
        )
        TotalsStore.create(
            self.path / "totals.zarr",
            TotalsTable(scenario).columns,
            [days(tick) for tick in scenario.totals_ticks()],
            {"baseline_day": scenario.treatment_day, "instruments": scenario.instruments},
        )
        write_status(self.path, "running", backend=self.backend.name)  # last: from here on it can be resumed
        return self.path

    def _fields(self) -> list[tuple[Any, str, Any, Any]]:
        model, real = self.scenario.model, np.dtype(self.engine.real).name
        count = "int32" if self.scenario.plan.stochastic else real
        return [
            *((s, str(s.unit), real, "signal") for s in model.signals.values()),
            *((c, "cell", count, "cells") for c in model.cells.values()),
            *((w, str(w.unit), real, "state") for w in model.states.values()),
        ]

    def _write_generated(self, folder: Path) -> None:
        """Keep the text of the kernels that ran, and the same programs as CUDA."""
        from tissuesim.backends.cuda.source import program_source

        folder.mkdir()
        plan = self.scenario.plan
        for program in (*plan.organ_programs.values(), plan.systemic_program):
            from tissuesim.codegen.print_lanes import numba_text
            from tissuesim.codegen.print_text import numpy_text

            text = numpy_text(program) if self.backend.host.name == "numpy" else numba_text(program)
            (folder / f"{program.name}.py").write_text(text, encoding="utf-8")
        for program in plan.organ_programs.values():
            (folder / f"{program.name}.cu").write_text(program_source(program), encoding="utf-8")

    def run(self, progress: Progress | None = None) -> RunResult:
        """Run to the end; writes into the run directory if there is one.

        A keyboard interrupt writes a checkpoint before it is passed on.
        """
        start = time.perf_counter()
        recorder = Recorder(self) if self.path is not None else None
        observers = recorder.observers() if recorder else []
        observers.append(EveryStep(STEPS_BETWEEN_CHECKS, self.check))
        if progress is not None:
            observers.append(EveryStep(1, _ProgressReport(self, progress)))
        try:
            self._loop(observers)
        except BaseException as error:
            if recorder is not None:
                recorder.stopped(error)
            raise
        wall = time.perf_counter() - start
        endpoints = recorder.finish(wall) if recorder else {}
        return RunResult(
            self.path or Path(),
            "finished",
            wall,
            self.state.steps,
            self.scenario.voxels,
            self.backend.name,
            endpoints,
        )

    def _loop(self, observers: list[Any]) -> None:
        while True:
            for observer in observers:
                observer.notice(self.state)
            if self.finished:
                self.check(self.state)
                return
            self.step()

    def check(self, state: State) -> None:
        """Raise NumericsError if the state is not sound."""
        check_state(self.engine, state)


class Recorder:
    """The observers that write: frames, totals, checkpoints."""

    def __init__(self, simulation: Simulation) -> None:
        """Open the stores of the run directory."""
        from tissuesim.run import FieldStore, TotalsStore

        assert simulation.path is not None
        self.simulation, self.path, self.scenario = simulation, simulation.path, simulation.scenario
        self.fields = FieldStore.open(self.path / "fields.zarr")
        self.totals = TotalsStore.open(self.path / "totals.zarr")
        self.table = TotalsTable(self.scenario)
        self.rows: list[NDArray[np.float64]] = []
        self.first_row = 0
        self.schedules: tuple[Observer, ...] = ()
        self.writer = Writer()

    def observers(self) -> list[Any]:
        """Observers in the order they act: a checkpoint comes after everything that was due with it."""
        from tissuesim.run import write_status

        scenario, time_span = self.scenario, self.scenario.config.time
        every = max(ticks(scenario.config.checkpoint_every), 1)
        frames = Observer([ticks(day) for day in scenario.frame_days()], self.write_frame)
        totals = Observer(scenario.totals_ticks(), self.add_row)
        checkpoints = Observer(
            [*range(time_span.start_tick, time_span.end_tick, every), time_span.end_tick], self.checkpoint
        )
        if self.simulation.state.steps:
            for observer in (frames, totals, checkpoints):
                observer.skip_until(self.simulation.state.tick)
        self.first_row = totals.next_index
        self.schedules = (frames, totals)
        write_status(self.path, "running", backend=self.simulation.backend.name)
        return [frames, totals, checkpoints]

    def write_frame(self, state: State, index: int) -> None:
        """Write the fields of every organ."""
        snapshot = self.simulation.engine.snapshot(state)
        self.writer.write(lambda: self._write_fields(snapshot, index), wait=snapshot.live)

    def _write_fields(self, snapshot: Snapshot, index: int) -> None:
        organ_tables, chosen = self.scenario.plan.organ, self.scenario.field_names()
        columns = {
            "signals": organ_tables.signals,
            "cells": organ_tables.cells,
            "states": organ_tables.states,
        }
        for organ, rows in snapshot.organs().items():
            arrays = {
                name: rows[kind][:, column]
                for kind, names in columns.items()
                for column, name in enumerate(names)
            }
            self.fields.write_frame(index, organ, {name: arrays[name] for name in chosen})

    def add_row(self, state: State, index: int) -> None:
        """Keep a row of the totals; write a block of them now and then."""
        self.rows.append(self.table.row(self.simulation.engine, state))
        if len(self.rows) >= ROWS_BETWEEN_WRITES:
            self.flush()

    def flush(self) -> None:
        """Write the rows kept so far."""
        if self.rows:
            first, rows = self.first_row, np.stack(self.rows)
            self.first_row += len(self.rows)
            self.rows.clear()
            self.writer.write(lambda: self.totals.write_rows(first, rows), wait=False)

    def checkpoint(self, state: State, index: int = 0) -> None:
        """Write rows, check, and save the whole state, after everything that was to be written before."""
        from tissuesim.run import save_checkpoint, write_json
        from tissuesim.run.directory import STABILITY

        self.flush()
        self.simulation.check(state)
        snapshot = self.simulation.engine.snapshot(state)

        def save() -> None:
            arrays, facts = snapshot.checkpoint()
            save_checkpoint(self.path / "checkpoints", snapshot.tick, arrays, facts)
            write_json(self.path / STABILITY, stability(facts))

        self.writer.write(save, wait=snapshot.live)

    def stopped(self, error: BaseException) -> None:
        """Note why a run ended early; an interrupt between two steps also leaves a checkpoint."""
        from tissuesim.run import write_status

        day = days(self.simulation.state.tick)
        with suppress(Exception):  # what ended the run is told; a second failure of a write must not hide it
            self.writer.close()
        if isinstance(error, KeyboardInterrupt):
            if self.simulation.between_steps and self._all_written() and not self.writer.failed:
                self.checkpoint(self.simulation.state)
                self.writer.close()
            write_status(self.path, "interrupted", day=day)
        else:
            write_status(self.path, "failed", day=day, reason=str(error))

    def _all_written(self) -> bool:
        """Whether everything due by now is written: what a checkpoint has passed is not written again."""
        tick = self.simulation.state.tick
        return all(item.next_index == bisect_right(item.ticks, tick) for item in self.schedules)

    def finish(self, wall: float) -> dict[str, Any]:
        """Last rows, endpoints and the final status."""
        from tissuesim.run import Run, write_readouts, write_status

        self.flush()
        self.writer.close()
        run = Run(self.path)
        found = run.endpoints
        write_readouts(self.path, np.asarray(run.totals["time"].values), run.clinic.readouts)
        (self.path / "endpoints.json").write_text(json.dumps(found, indent=2), encoding="utf-8")
        if self.simulation.state.clones is not None:
            lost = resets(self.simulation.engine, self.simulation.state)
            (self.path / "resets.json").write_text(json.dumps(lost, indent=2), encoding="utf-8")
        write_status(
            self.path,
            "finished",
            wall_seconds=wall,
            steps=self.simulation.state.steps,
            voxels=self.scenario.voxels,
            backend=self.simulation.backend.name,
            endpoints=found,
        )
        return found


class _ProgressReport:
    """Calls a progress function a few times a second with the day and the rate of work."""

    def __init__(self, simulation: Simulation, progress: Progress) -> None:
        self.simulation, self.progress = simulation, progress
        self.start = self.last = time.perf_counter()
        self.first_step = simulation.state.steps

    def __call__(self, state: State) -> None:
        now = time.perf_counter()
        span = self.simulation.scenario.config.time
        if now - self.last < 0.2 and state.tick < span.end_tick:
            return
        self.last = now
        updates = (state.steps - self.first_step) * self.simulation.scenario.voxels
        self.progress(days(state.tick), span.end, span.start, updates / max(now - self.start, 1e-9))


def resume(path: Path | str, backend: str | None = None, progress: Progress | None = None) -> RunResult:
    """Go on with a run from its last checkpoint; the result is the same as if it had not stopped.

    Raises:
        InputError: there is no run or no sound checkpoint in ``path``, or the run is finished.
    """
    from tissuesim.config import load_config_text
    from tissuesim.run import load_latest_checkpoint, read_status
    from tissuesim.scenario import build_scenario

    path = Path(path)
    if not (path / "scenario.yaml").is_file():
        raise InputError(f"'{path}' is not a run directory (it has no scenario.yaml)")
    if not (path / "status.json").is_file():
        raise InputError(
            f"the run in '{path}' was stopped while it was being set up; nothing was computed, run it again"
        )
    if read_status(path).get("status") == "finished":
        raise InputError(f"the run in '{path}' is finished; there is nothing to resume")
    text = (path / "scenario.yaml").read_text(encoding="utf-8")
    config = load_config_text(text, [], path / "scenario.yaml")
    scenario = build_scenario(config)
    begun = json.loads((path / "provenance.json").read_text(encoding="utf-8"))
    if begun["model"] != scenario.digest():
        raise InputError(
            f"model: '{config.model}' (or its disease) has changed since the run in '{path}' began; a resumed run must "
            "keep its model"
        )
    simulation = Simulation(scenario, backend or config.backend)
    simulation.path = path
    found = load_latest_checkpoint(path / "checkpoints")
    if found is not None:
        simulation.state = simulation.engine.restore(*found)
    return simulation.run(progress)
