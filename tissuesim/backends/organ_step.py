"""One organ on one backend: the operators of a step, each a method, in the words of numerics.md section 1."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tissuesim.backends.base import Backend
from tissuesim.codegen.plan import StepPlan
from tissuesim.errors import InputError, NumericsError
from tissuesim.numerics.signals import SignalSolve, decay_floor, diffusivity_table
from tissuesim.ticks import TICKS_PER_DAY

if TYPE_CHECKING:
    from tissuesim.tissue import Tissue

NO_ATTRACTANT = -1

MOVEMENT, REACTIONS, ENTRY, SYSTEMIC, FIRST_CELLS = 1, 2, 3, 4, 5
"""Operator numbers in the second counter word of every random draw."""

CLIPPING_LIMIT = 10.0
"""Negative round-off above this many tolerances of a signal's total in one step is an error."""


@dataclass
class OrganState:
    """Arrays of one organ that change: signals (n, S), cells (n, C), states (n, W)."""

    signals: NDArray[Any]
    cells: NDArray[Any]
    states: NDArray[Any]
    movement_due: int = 0
    hazard: float = 0.0

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays by name."""
        return {"signals": self.signals, "cells": self.cells, "states": self.states}


@dataclass(frozen=True)
class StepResult:
    """What one call of a generated program reports: amounts by destination, the ledger and the largest hazard."""

    to_pools: dict[str, float]
    gained: dict[str, float]
    lost: dict[str, float]
    hazard: float


@dataclass
class OrganStep:
    """The compiled operators of one organ.

    ``parameters`` has one row per region. ``key`` are the two words of the random generator of this organ.
    """

    plan: StepPlan
    tissue: Tissue
    backend: Backend
    real: type[np.floating[Any]]
    parameters: NDArray[np.float64]
    key: tuple[int, int]
    solves: dict[int, SignalSolve] = field(default_factory=dict)

    def __post_init__(self) -> None:
        tissue, real = self.tissue, self.real
        self.order = np.argsort(tissue.box_index, kind="stable").astype(np.int64)
        self.volume = tissue.volume.astype(real)
        self.inverse_volume = real(1.0) / self.volume
        self.geometry = (tissue.conductance / tissue.volume[:, None]).astype(real)
        self.parameter_rows = self.parameters.astype(real)
        self.maps = np.ascontiguousarray(self._map_columns(), real)
        shape = (tissue.n, len(self.plan.organ.signals))
        self.spare, self.right_hand_side, self.diagonal = (np.zeros(shape, real) for _ in range(3))
        self.weights = np.zeros((tissue.n, len(self.plan.entries)))
        stem = "stochastic" if self.plan.stochastic else "deterministic"
        self.programs = self.plan.organ_programs
        self.functions = {
            name: function
            for name, function in zip(
                self.programs,
                self.backend.compile_programs(self.programs.values(), real, f"organ_{stem}").values(),
                strict=True,
            )
        }

    def _map_columns(self) -> NDArray[np.float64]:
        model, tissue = self.plan.model, self.tissue
        columns = []
        for name in self.plan.organ.maps:
            if name.startswith("over_") and name not in model.maps:
                over = model.summaries[name.removeprefix("over_")].over
                known = [region for region in over if region in tissue.region_names]
                columns.append(tissue.in_regions(known).astype(np.float64))
            else:
                columns.append(tissue.maps.get(name, np.full(tissue.n, model.maps[name].default)))
        return np.stack(columns, axis=1) if columns else np.zeros((tissue.n, 0))

    # ---- the generated programs
    def _run(
        self, name: str, state: OrganState, scalars: NDArray[Any], dt: float, operator: int, tick: int
    ) -> dict[str, float]:
        """Call a generated program; returns its totals, sums and maxima by name."""
        program = self.programs[name]
        with np.errstate(all="ignore"):
            totals, sums, maxima = self.functions[name](
                state.signals, state.cells, state.states, self.maps, self.diagonal, self.right_hand_side, self.weights,
                self.volume, self.inverse_volume, self.tissue.region, self.parameter_rows, scalars,
                self.tissue.box_index, self.order, self.real(dt), operator, tick, 0, *self.key,
            )  # fmt: skip
        found: dict[str, float] = dict(zip(program.totals, (int(v) for v in totals), strict=True))
        found |= dict(zip(program.sums, (float(v) for v in sums), strict=True))
        found |= dict(zip(program.maxima, (float(v) for v in maxima), strict=True))
        return found

    def scalars(self, values: NDArray[np.float64]) -> NDArray[Any]:
        """Pools and summaries as the programs see them."""
        return values.astype(self.real)

    # ---- signals: (1 + dt loss) c' - dt L c' = c + dt source
    def solve_for(self, dt_ticks: int, dt: float) -> SignalSolve:
        """The Chebyshev solve built for one step length."""
        if dt_ticks not in self.solves:
            self.solves[dt_ticks] = SignalSolve.build(
                dt, self._diffusivity, self.geometry, self._decay_floor, self.real
            )
        return self.solves[dt_ticks]

    @cached_property
    def _diffusivity(self) -> NDArray[np.float64]:
        return diffusivity_table(self.plan, self.parameters)

    @cached_property
    def _decay_floor(self) -> NDArray[np.float64]:
        return decay_floor(self.plan, self.parameters)

    def signals(
        self, state: OrganState, scalars: NDArray[Any], dt_ticks: int, dt: float, tick: int
    ) -> tuple[dict[str, float], NDArray[np.float64]]:
        """One implicit step of all signals; returns spill-over by pool [amol] and the ledger (6 lines, signals)."""
        if state.signals.shape[1] == 0:
            return {}, np.zeros((6, 0))
        solve, transport = self.solve_for(dt_ticks, dt), self.backend.transport
        neighbors, geometry = self.tissue.neighbors, self.geometry
        region = self.tissue.region
        faces = (solve.coefficient, region, neighbors, geometry)
        rates = self._run(
            "signal_rates", state, scalars, dt, REACTIONS, tick
        )  # leaves the loss in the diagonal
        transport.signal_diagonal(self.diagonal, self.real(dt), *faces)
        current, old = state.signals, self.spare
        old[...] = current
        for omega in solve.omegas:
            transport.signal_sweep(old, current, self.right_hand_side, self.diagonal, omega, *faces)
            current, old = old, current
        solved, residual, size = self.backend.ledger.signal_ledger(
            self.right_hand_side, self.diagonal, current, *faces, self.volume, self.order
        )
        first = [
            [rates[f"{line}:{name}"] for name in self.plan.organ.signals] for line in ("before", "source")
        ]
        ledger = np.concatenate([first, solved])
        transport.clip_signals(current)
        state.signals, self.spare = current, old
        self._check_solve(solve, residual, size, ledger)
        return self._run("spill_over", state, scalars, dt, REACTIONS, tick), ledger

    def _check_solve(
        self, solve: SignalSolve, residual: NDArray[Any], size: NDArray[Any], ledger: NDArray[np.float64]
    ) -> None:
        """Refuse to go on where the sweeps left more than the tolerance, or clipping added more than round-off."""
        tiny = float(np.finfo(self.real).tiny)
        for column, name in enumerate(self.plan.organ.signals):
            left, greatest = float(residual[column]), float(size[column])
            clipped, amount = float(ledger[4, column]), float(ledger[5, column])
            if not left <= solve.tolerance * max(greatest, tiny):
                raise NumericsError(
                    f"signal '{name}' in '{self.tissue.name}': residual {left:.2e} above {solve.tolerance:.0e} of its "
                    f"maximum {greatest:.2e} after {len(solve.omegas)} sweeps; use a smaller time.maximum_step or "
                    "precision float64"
                )
            if clipped > CLIPPING_LIMIT * solve.tolerance * max(amount, tiny):
                raise NumericsError(
                    f"signal '{name}' in '{self.tissue.name}' went negative by {clipped:.2e} of {amount:.2e} amol in "
                    "one step; use a smaller time.maximum_step"
                )

    # ---- movement of cells
    def movement_hazard(self, state: OrganState) -> float:
        """Largest rate at which a cell leaves its voxel by crawling [1/day]."""
        return max((self._hazard_of(state, moving) for moving in self._moving), default=0.0)

    def _hazard_of(self, state: OrganState, moving: MovingCells) -> float:
        return float(self.backend.movement.largest_movement_hazard(*self._movement_arguments(state, moving)))

    def _movement_arguments(self, state: OrganState, moving: MovingCells) -> tuple[Any, ...]:
        return (
            moving.motility, moving.chemotaxis, state.signals, moving.attractant, moving.half_saturation,
            self.tissue.region, self.tissue.neighbors, self.geometry,
        )  # fmt: skip

    @cached_property
    def _moving(self) -> tuple[MovingCells, ...]:
        return moving_cells(self.plan, self.parameters, self.real)

    def movement(self, state: OrganState, dt: float, tick: int, substep: int) -> None:
        """Cells crawl: numbers through each face first, then every voxel gathers what its neighbors sent."""
        crawl = self.backend.movement
        for moving in self._moving:
            arguments = self._movement_arguments(state, moving)
            if self.plan.stochastic:
                outflow = np.zeros(self.tissue.neighbors.shape, np.int32)
                crawl.movement_outflow_stochastic(
                    outflow, state.cells, moving.column, self.real(dt), *arguments,
                    self.tissue.box_index, MOVEMENT, moving.column, tick, substep, *self.key,
                )  # fmt: skip
            else:
                outflow = np.zeros(self.tissue.neighbors.shape, self.real)
                crawl.movement_outflow_deterministic(
                    outflow, state.cells, moving.column, self.real(dt), *arguments
                )
            crawl.movement_gather(state.cells, moving.column, outflow, self.tissue.neighbors)

    # ---- processes, exchange, summaries
    def reactions(self, state: OrganState, scalars: NDArray[Any], dt: float, tick: int) -> StepResult:
        """All local processes and exits to the blood over one step."""
        found = self._run("reactions", state, scalars, dt, REACTIONS, tick)
        parts: dict[str, dict[str, float]] = {"to": {}, "gained": {}, "lost": {}}
        for key, value in found.items():
            line, _, name = key.partition(":")
            if line in parts:
                parts[line][name] = value
        refuse_unsound_rates(found, f"'{self.tissue.name}'", tick)
        return StepResult(parts["to"], parts["gained"], parts["lost"], found.get("hazard", 0.0))

    def entry_trees(self, state: OrganState, scalars: NDArray[Any], tick: int) -> list[NDArray[np.float64]]:
        """Per influx process, the tree of its voxel weights [1/day]; the root is the hazard on the pool."""
        if not self.plan.entries:
            return []
        self._run("entry_weights", state, scalars, 0.0, ENTRY, tick)
        trees = [
            self.backend.exchange.weight_tree(np.ascontiguousarray(self.weights[:, j]))
            for j in range(len(self.plan.entries))
        ]
        for entry, tree in zip(self.plan.entries, trees, strict=True):
            if not 0.0 <= tree[1] < np.inf:
                raise NumericsError(
                    f"processes.{entry.process}.rate adds up to {tree[1]:g} 1/day in '{self.tissue.name}': a rate of "
                    "entry must be a number and not negative"
                )
        return trees

    def enter(
        self, state: OrganState, index: int, tree: NDArray[np.float64], amount: float, tick: int
    ) -> None:
        """Place what left the blood by influx process ``index`` into the voxels."""
        entry = self.plan.entries[index]
        column = self.plan.organ.cells.index(entry.field)
        exchange = self.backend.exchange
        if self.plan.stochastic:
            if amount > 0:
                counts = exchange.place_counts(
                    tree, int(amount), self.tissue.n, ENTRY << 24 | index << 16, tick, *self.key
                )
                exchange.add_counts(state.cells, column, counts, self.order)
        else:
            exchange.add_amounts(state.cells, column, tree, float(amount), self.order)

    def summaries(self, state: OrganState, scalars: NDArray[Any], tick: int) -> NDArray[np.float64]:
        """Sums of the summaries of the model over this organ."""
        found = self._run("summaries", state, scalars, 0.0, REACTIONS, tick)
        return np.array([found[name] for name in self.plan.model.summaries])

    def summary_volumes(self) -> NDArray[np.float64]:
        """Volume each summary is taken over in this organ [mm^3]."""
        volumes = []
        for summary in self.plan.model.summaries.values():
            known = [region for region in summary.over if region in self.tissue.region_names]
            inside = self.tissue.in_regions(known) if summary.over else np.ones(self.tissue.n, bool)
            volumes.append(float(self.tissue.volume[inside].sum()))
        return np.array(volumes)


def refuse_unsound_rates(found: dict[str, float], place: str, tick: int) -> None:
    """Stop where a hazard is not finite or a rate of whole cells is negative or NaN: a draw would take it for zero.

    Raises:
        NumericsError: with the field, the place and the day.
    """
    day = tick / TICKS_PER_DAY
    for key, value in found.items():
        line, _, name = key.partition(":")
        if line == "below_zero" and not value <= 0.0:
            what = "not a number" if value != value else f"negative (-{value:.3g} per day)"
            raise NumericsError(
                f"a rate that adds to or takes from '{name}' in {place} is {what} on day {day:g}; "
                "guard it with max(0, ...) or where(...)"
            )
    hazard = found.get("hazard", 0.0)
    if not hazard < float("inf"):
        raise NumericsError(f"the largest exit rate of cells in {place} is {hazard:g} 1/day on day {day:g}")


@dataclass(frozen=True)
class MovingCells:
    """Motility of one cell type: table over region pairs [mm^2/day], chemotaxis and what it follows."""

    column: int
    motility: NDArray[Any]
    chemotaxis: Any
    attractant: int
    half_saturation: Any


def moving_cells(
    plan: StepPlan, parameters: NDArray[np.float64], real: type[np.floating[Any]]
) -> tuple[MovingCells, ...]:
    """The cell types of a model that crawl.

    Raises:
        InputError: chemotaxis or its half saturation differs between regions (one number per cell type is used).
    """
    from tissuesim.numerics.signals import harmonic_means

    names = plan.organ.parameters
    found = []
    for column, cells in enumerate(plan.model.cells.values()):
        if cells.motility is None and cells.chemotaxis is None:
            continue
        motility = np.zeros(len(parameters))
        if cells.motility is not None:
            motility = parameters[:, names.index(cells.motility)]
        chemotaxis, half, attractant = 0.0, 1.0, NO_ATTRACTANT
        if cells.chemotaxis is not None:
            assert cells.attractant is not None and cells.half_saturation is not None
            for used in (cells.chemotaxis, cells.half_saturation):
                values = parameters[:, names.index(used)]
                if np.any(values != values[0]):
                    raise InputError(
                        f"parameters.{used}.regions: the chemotaxis of '{cells.name}' has one value in all regions"
                    )
            chemotaxis = float(parameters[0, names.index(cells.chemotaxis)])
            half = float(parameters[0, names.index(cells.half_saturation)])
            attractant = plan.organ.signals.index(cells.attractant)
        found.append(
            MovingCells(
                column, harmonic_means(motility).astype(real), real(chemotaxis), attractant, real(half)
            )
        )
    return tuple(found)
