"""The shipped model on the shipped kidney: whole steps, and the passes that its programs make."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tissuesim.backends.organ_step import OrganState, OrganStep
from tissuesim.bench.measure import Action, Effort, Row, in_turns
from tissuesim.bench.step_bytes import step_bytes
from tissuesim.scenario import load
from tissuesim.simulation import Simulation

CONFIG = "kidney_car_t"
FROM_INFUSION = ("time.start=-3 day", "treatment.0.start=-2 day", "treatment.0.end=-1 day")
WARM_STEPS = 60
"""Steps until about day 5, the height of killing, where all processes are at work."""

STEPS = 8
"""Steps that one timing takes; their lengths and numbers of sweeps are part of what is measured."""

ORGAN = "kidney"


@dataclass
class Prepared:
    """A simulation at the height of killing, and the way back to that moment."""

    simulation: Simulation
    arrays: Mapping[str, Any]
    facts: Mapping[str, Any]
    kind: str
    spacing: str

    @property
    def organ(self) -> OrganStep:
        """The operators of the kidney."""
        return self.simulation.engine.organs[ORGAN]

    def rewind(self) -> None:
        """Go back to the height of killing."""
        self.simulation.state = self.simulation.engine.restore(
            {key: np.array(values) for key, values in self.arrays.items()}, dict(self.facts)
        )

    def row(self, name: str, seconds: float, moved: int, copying: float, updates: int) -> Row:
        """A line of the report; ``copying`` [s] is the time of a copy of the signals."""
        signals, real = len(self.organ.plan.organ.signals), np.dtype(self.organ.real)
        return Row(
            "model",
            f"{name}, {self.kind}",
            f"{ORGAN} {self.spacing}",
            self.organ.tissue.n,
            signals,
            real.name,
            seconds,
            updates,
            moved,
            2 * self.organ.tissue.n * signals * real.itemsize / copying,
        )


def prepare(backend: str, spacing: str, *, stochastic: bool, precision: str = "float32") -> Prepared:
    """The shipped kidney after ``WARM_STEPS`` steps from just before the infusion."""
    changes = (
        *FROM_INFUSION,
        f"organs.{ORGAN}.spacing={spacing}",
        f"stochastic={str(stochastic).lower()}",
        f"precision={precision}",
    )
    simulation = Simulation(load(CONFIG, changes), backend)
    for _ in range(WARM_STEPS):
        simulation.step()
    arrays, facts = simulation.engine.snapshot(simulation.state).checkpoint()
    kept = {key: np.array(values) for key, values in arrays.items()}
    kind = "stochastic" if stochastic else "deterministic"
    return Prepared(simulation, kept, facts, kind, spacing)


def copy_of_signals(organ: OrganStep) -> Action:
    """A copy of the signals of an organ on its backend."""
    arrays, shape = organ.backend.arrays, (organ.tissue.n, len(organ.plan.organ.signals))
    source, target = (arrays.zeros_rows(*shape, organ.real) for _ in range(2))
    return lambda: arrays.copy_rows(target, source)


def whole_step(prepared: Prepared, effort: Effort) -> Row:
    """Mean time of a step over the next ``STEPS`` steps, and the bytes of their passes."""
    moved = _bytes_of_steps(prepared)

    def steps() -> None:
        prepared.rewind()
        for _ in range(STEPS):
            prepared.simulation.step()

    arrays = prepared.organ.backend.arrays
    with_rewind, rewind, copying = in_turns(
        (steps, prepared.rewind, copy_of_signals(prepared.organ)), effort, arrays.synchronize
    )
    seconds = (with_rewind - rewind) / STEPS
    n = prepared.organ.tissue.n
    return prepared.row(
        "whole step", seconds, moved // STEPS, copying, n * len(prepared.organ.plan.organ.signals)
    )


def _bytes_of_steps(prepared: Prepared) -> int:
    """Bytes of the passes that the measured steps make, counted while they are made once."""
    prepared.rewind()
    simulation, organ = prepared.simulation, prepared.organ
    movements = _counted(organ, "movement")
    hazards = _counted(organ, "movement_hazard")
    sweeps = 0
    for _ in range(STEPS):
        before = simulation.state.tick
        simulation.step()
        sweeps += len(organ.solves[simulation.state.tick - before].omegas)
    del organ.movement, organ.movement_hazard
    by_region = any(np.ndim(solve.coefficient) == 3 for solve in organ.solves.values())
    parts = step_bytes(organ, by_region)
    return STEPS * parts.step(0, 0, 0) + parts.step(sweeps, movements(), hazards()) - parts.step(0, 0, 0)


def _counted(organ: OrganStep, method: str) -> Callable[[], int]:
    """Count the calls of a method of one organ; returns what tells the number so far."""
    calls, original = [0], getattr(organ, method)

    def counting(*arguments: Any) -> Any:
        calls[0] += 1
        return original(*arguments)

    setattr(organ, method, counting)
    return lambda: calls[0]


def passes(prepared: Prepared, effort: Effort) -> Iterator[Row]:
    """The process pass with cells in a tenth and in all of the voxels, and the pass of the summaries."""
    prepared.rewind()
    engine, state, organ = prepared.simulation.engine, prepared.simulation.state, prepared.organ
    arrays, fields = organ.backend.arrays, state.organs[ORGAN]
    blood = organ.scalars(np.concatenate([state.pools[0], state.summaries[0]]))
    parts, copying_action = step_bytes(organ, by_region=True), copy_of_signals(organ)
    cells_type = np.int32 if engine.plan.stochastic else np.float64
    shape = (organ.tissue.n, len(organ.plan.organ.cells))
    random = np.random.default_rng(1)
    for share in (0.1, 1.0):
        numbers = random.integers(1, 2000, shape) * (random.random((shape[0], 1)) < share)
        full = arrays.put_rows(numbers.astype(cells_type))
        used = OrganState(fields.signals, arrays.put_rows(numbers.astype(cells_type)), fields.states)

        def once(full: Any = full, used: OrganState = used) -> None:
            arrays.copy_rows(used.cells, full)
            organ.reactions(used, blood, 1 / 24, state.tick)

        seconds, copying = in_turns((once, copying_action), effort, arrays.synchronize)
        moved = parts.reactions + 2 * full.nbytes
        yield prepared.row(f"processes, {share:.0%} occupied", seconds, moved, copying, shape[0] * shape[1])
    seconds, copying = in_turns(
        (lambda: organ.summaries(fields, blood), copying_action), effort, arrays.synchronize
    )
    yield prepared.row("summaries", seconds, parts.summaries, copying, shape[0])
